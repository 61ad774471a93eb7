/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What tests of the spool share: a directory, records that tell from their
 * bytes whether they are whole, a writer that is fed with them, a reader whose
 * records are checked.
 */
#ifndef PRODD_TESTS_SPOOLING_H
#define PRODD_TESTS_SPOOLING_H

#include "daemon/spool/reader.h"
#include "daemon/spool/writer.h"

struct spooling {
	char top[128];			/* the spool's directory, in $TMPDIR */
	int directory;
	int app;			/* TOP/orders; -1 until it was written or opened */
	struct spool_total total;
	struct spool_writer *writer;	/* of "orders" */
	uint64_t end;			/* of the last record in its ring */
	uint32_t ring;			/* names the ring */
};

/* An empty directory, no limits, policy interval. */
void spooling_begin(struct spooling *s);
void spooling_end(struct spooling *s);		/* closes and removes all */

void spooling_open(struct spooling *s);		/* the writer; fails the test when it cannot */
void spooling_close(struct spooling *s);

/* The text of a record that says `token` and has about `size` bytes; malloc'd, all bytes follow from the
 * token. */
char *spooling_text(uint64_t token, size_t size, size_t *ret_size);

/* Appends one record for that token. Returns what spool_writer_append() does; *ret_number may be NULL. */
int spooling_append(struct spooling *s, uint64_t token, size_t size, uint64_t *ret_number);

/* As above, `count` of them, of consecutive tokens, in one batch; fails the test when not all are taken. */
void spooling_append_many(struct spooling *s, uint64_t token, unsigned count, size_t size);

/* The token of a record; fails the test when the record is not as spooling_text() made it. */
uint64_t spooling_token(const struct spool_record *record);

/* Reads with a new reader from number `from` on, up to `max` tokens into `tokens`; returns how many. The
 * counts go into *ret_counts (may be NULL). Fails the test when numbers do not ascend. */
unsigned spooling_read(struct spooling *s, uint64_t from, uint64_t *tokens, unsigned max,
		       struct spool_reading_counts *ret_counts);

/* The path of the i-th segment by name; fails the test when there is none. */
void spooling_segment(const struct spooling *s, unsigned i, char path[256]);
unsigned spooling_segments(const struct spooling *s);

/* A file's bytes, malloc'd; and back. */
unsigned char *spooling_load(const char *path, size_t *ret_size);
void spooling_store(const char *path, const void *bytes, size_t size);

#endif
