/* SPDX-License-Identifier: Apache-2.0 */
/* The daemon's end of a ring, played by a test: maps what a line was given, and reads it. */
#ifndef TESTS_UNIT_CLIENT_RING_H
#define TESTS_UNIT_CLIENT_RING_H

#include "proto/shm/ring.h"
#include "tests/unit/client_peer.h"

struct reader {
	void *mapping;
	size_t size;
	struct ring ring;
	struct ring_reading reading;
	struct ring_identity identity;
	unsigned char copy[RING_CAPACITY_USUAL / 8];
	struct record record;		/* the last one taken */
};

/* The ring that the line has; its memfd as prodd demands it. */
void reader_open(struct reader *r, const struct line *l);
void reader_close(struct reader *r);

/* The next record, which must be there. */
void reader_take(struct reader *r);
void reader_finds_nothing(struct reader *r);

/* The int field `key` of the record; -1: it has none. */
int64_t record_int(const struct record *record, const char *key);

/* Whether it has a text of that value. */
bool record_has_text(const struct record *record, const char *key, const char *text);

/* The next of records that follow one another, as log.push brings them. False: no more. */
bool next_pushed(struct prodd_slice *rest, struct record *ret);

#endif
