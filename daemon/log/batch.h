/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Records on their way from rings and pushes into one app's spool, one behind
 * another.  It is filled on the loop and handed whole to the disk thread, which
 * gives each its number.
 */
#ifndef PRODD_LOG_BATCH_H
#define PRODD_LOG_BATCH_H

#include "daemon/spool/format.h"

#define BATCH_FULL (256u * 1024)	/* bytes from which nothing is read for it: a few ms of the disk thread */
#define BATCH_MAX (4u * 1024 * 1024)	/* bytes at most, with the last record and what was pushed */

struct batch {
	struct prodd_buffer bytes;	/* origin, record, origin, record ... */
	struct prodd_buffer entries;	/* struct batch_entry for each record */
	unsigned count;
};

/* Where a walk over it is; zero is the beginning. */
struct batch_at {
	unsigned index;
	size_t offset;			/* in `bytes` */
};

void batch_init(struct batch *batch);
void batch_clear(struct batch *batch);

/* Empties it and keeps the memory. */
void batch_reset(struct batch *batch);

/* An empty one that was not needed lately: gives back what is more than a few records take. */
void batch_trim(struct batch *batch);

/* Copies a record. False: no memory, or BATCH_MAX; nothing was added. */
bool batch_add(struct batch *batch, const struct origin *origin, struct prodd_slice record);

/* At most `most` records from `at` on, borrowed; `at` stays. Returns how many. */
unsigned batch_peek(const struct batch *batch, const struct batch_at *at, struct spool_record *ret,
		    unsigned most);

/* Moves on by `count` records, whose numbers begin with `first`. */
void batch_pass(struct batch *batch, struct batch_at *at, unsigned count, uint64_t first);

#endif
