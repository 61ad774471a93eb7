/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The high-water table: for each ring, the end of its last record that the
 * spool has.  At most SPOOL_WATERS_MAX rings; over it the one that was quiet
 * for longest goes.  A row is made before a record is written, so that nothing
 * can fail behind the write.
 */
#ifndef PRODD_SPOOL_WATER_H
#define PRODD_SPOOL_WATER_H

#include "daemon/spool/format.h"

struct water_row {
	struct spool_water water;
	uint64_t written;	/* end of its last record in the batch; 0: none */
	uint64_t touched;	/* when, in batches */
};

struct waters {
	struct water_row *rows;	/* owned */
	unsigned count;
	unsigned capacity;
	unsigned last;		/* the row found last: records come in runs */
	uint64_t clock;
};

void waters_clear(struct waters *w);	/* zeroed ones too */

uint64_t waters_end(const struct waters *w, const uint8_t ring[16], uint32_t uid);
void waters_forget(struct waters *w, const uint8_t ring[16], uint32_t uid);

/* A row read from a table. False: no memory. */
bool waters_raise(struct waters *w, const struct spool_water *water);

/* A record with that origin is about to be written: its row is there from now on. False: no memory. An origin
 * without ring, or that is none, has no row. */
bool waters_prepare(struct waters *w, struct prodd_slice origin);

/* What was prepared is written, or is not. */
void waters_commit(struct waters *w);
void waters_abandon(struct waters *w);

/* All rows, for spool_head_write(): malloc'd; NULL: no memory. */
struct spool_water *waters_table(const struct waters *w);

#endif
