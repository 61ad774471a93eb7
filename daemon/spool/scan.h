/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One segment, read from front to end: its records, and what is damage.  The
 * file is read in pieces and never mapped, so that one that shrinks while it is
 * read ends nobody.  It may grow meanwhile.
 */
#ifndef PRODD_SPOOL_SCAN_H
#define PRODD_SPOOL_SCAN_H

#include "daemon/spool/format.h"

#define SPOOL_SCAN_CHUNK (256u * 1024)

struct spool_scan {
	int fd;				/* owned; -1: none */
	struct spool_head head;
	uint32_t seed;
	uint64_t at;			/* offset of the next record */
	unsigned char *window;		/* owned; bytes of the file from window_at on */
	uint64_t window_at;
	size_t window_size;
	size_t window_capacity;
	size_t chunk;			/* bytes to read at once: more while it goes on and on */
	unsigned failures;		/* of reading, in a row */
};

/* Opens NAME in `directory`. -PRODD_E_NOT_FOUND; -PRODD_E_CORRUPT: neither head is intact;
 * -PRODD_E_UNSUPPORTED: newer; -PRODD_E_IO, -PRODD_E_NO_MEMORY. */
int spool_scan_open(struct spool_scan *scan, int directory, const char *name, struct prodd_error *e);
void spool_scan_clear(struct spool_scan *scan); /* one that was never opened, zeroed with fd -1, too */

enum spool_seen {
	SPOOL_RECORD,	/* *ret: borrows until the next call; the scan stands behind it */
	SPOOL_END,	/* zeros or nothing from here on; the scan stays */
	SPOOL_DAMAGE,	/* no intact record from here on, but not only zeros; the scan stays */
};

/* *ret_damaged: bytes of damage before the record, or to the last that is not zero.
 * -PRODD_E_IO: may be tried again; a place that cannot be read at the third time is damage.
 * -PRODD_E_NO_MEMORY. */
int spool_scan_next(struct spool_scan *scan, struct spool_record *ret, uint64_t *ret_damaged,
		    struct prodd_error *e);

/* The table, checked; *ret is malloc'd, the caller's. -PRODD_E_CORRUPT, -PRODD_E_IO, -PRODD_E_NO_MEMORY. */
int spool_scan_table(struct spool_scan *scan, struct spool_water **ret, unsigned *ret_count,
		     struct prodd_error *e);

/* Bytes of the file now. */
uint64_t spool_scan_size(const struct spool_scan *scan);

#endif
