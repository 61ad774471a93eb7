/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads an app's spool in the order of numbers, beside its writer: in another
 * process, while segments are appended to, superseded and unlinked.  Every
 * intact record comes once; damage is passed over, and counted.
 */
#ifndef PRODD_SPOOL_READER_H
#define PRODD_SPOOL_READER_H

#include "daemon/spool/format.h"

struct spool_reader;

struct spool_reading_counts {
	uint64_t records;
	uint64_t quarantined_bytes;	/* damage passed over */
	uint64_t quarantined_places;
	uint64_t missing;		/* numbers in no segment: unlinked too early, damaged, or skipped */
	uint64_t repeated;		/* records seen before: superseded, doubled or reordered segments */
	uint64_t bad_segments;		/* without intact head (all its bytes are quarantined), or newer */
};

/* `directory` is the app's, borrowed. Begins with the first record whose number is at least `from`; 0: with
 * the oldest that is kept, whatever came before. -PRODD_E_NO_MEMORY. */
int spool_reader_open(struct spool_reader **ret, int directory, uint64_t from, struct prodd_error *e);
struct spool_reader *spool_reader_close(struct spool_reader *reader);	/* NULL is allowed; returns NULL */

/*
 * The next record; *ret borrows until the next call. 1; 0: none now (call again when the writer has told of
 * more); -PRODD_E_IO, -PRODD_E_NO_MEMORY: reading failed, and may be tried again (what cannot be read at the
 * third time is damage). `last`: number of the last record that the writer has told of: nothing beyond it is
 * read, since a record half written is no damage. UINT64_MAX: up to what is there (the writer is not running,
 * or it does not matter).
 */
int spool_reader_next(struct spool_reader *reader, uint64_t last, struct spool_record *ret,
		      struct prodd_error *e);

/* Passes over everything below `number`, counted as missing. */
void spool_reader_skip(struct spool_reader *reader, uint64_t number);

/* First number of the segment behind the one that is being read: where a sink goes on whose allowance is used
 * up; 0: there is none. Reads the directory. */
uint64_t spool_reader_next_segment(struct spool_reader *reader);

/* Bytes of segments that are not read yet, what is preallocated included; 0 when all is read. Reads the
 * directory. */
uint64_t spool_reader_behind(struct spool_reader *reader);

const struct spool_reading_counts *spool_reader_counts(const struct spool_reader *reader);

#endif
