/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The spool on disk: one directory for each app, in it segments, append-only
 * files of at most SPOOL_SEGMENT_MAX bytes, named by their id: "%016x.seg". All
 * numbers are little-endian.
 *
 *   head     64 bytes
 *              0   8  magic "PRODDSPL"
 *              8   4  version (1)
 *             12   4  bytes of the high-water table behind the head
 *             16   8  id
 *             24   8  first number: that of the first record
 *             32   8  supersedes: id of a segment whose sync failed; 0: none
 *             40   8  from: number; records from it on are written here again
 *             48   8  made: nanoseconds since 1970 (UTC)
 *             56   4  0
 *             60   4  CRC-32C of the head before this word, and of the table
 *   table    for each ring that may still hold records of this app:
 *              16 uuid, 4 uid, 8 end of its last record before this segment
 *   records  at multiples of 8:
 *              0   4  length of the body; 0: preallocated, the end
 *              4   4  CRC-32C over length, number and body
 *              8   8  number: ascending; a step of more than one is a loss that was counted elsewhere
 *             16   4  bytes of the origin
 *             20      body: origin (record.h), record (record.h); then zeros to a multiple of 8
 *            (`length` counts the 4 bytes at 16 too)
 *
 * Zeros behind the last record are its end. Where to write on is found by
 * scanning the last segment: there is no second source of truth.
 *
 * CRC-32C: RFC 3720, appendix B.4.
 */
#ifndef PRODD_SPOOL_FORMAT_H
#define PRODD_SPOOL_FORMAT_H

#include <stdbool.h>
#include <stdint.h>

#include "proto/shm/record.h"
#include <prodd/error.h>

#define SPOOL_MAGIC "PRODDSPL"
#define SPOOL_VERSION 1u
#define SPOOL_HEAD 64u
#define SPOOL_WATER 28u				/* bytes of a row of the table */
#define SPOOL_WATERS_MAX 4096u
#define SPOOL_RECORD_HEAD 20u			/* bytes before the body */
#define SPOOL_SEGMENT_MAX (8u * 1024 * 1024)
#define SPOOL_BODY_MAX (RECORD_MAX + 1024u)	/* bytes of origin and record */

struct spool_head {
	uint64_t id;
	uint64_t first;
	uint64_t supersedes;
	uint64_t from;
	uint64_t made_ns;
	uint32_t table_size;	/* bytes */
};

struct spool_water {
	uint8_t ring[16];
	uint32_t uid;
	uint64_t end;
};

/* Writes SPOOL_HEAD + count * SPOOL_WATER bytes. */
void spool_head_write(unsigned char *to, const struct spool_head *head, const struct spool_water *waters, unsigned count);

/* -PRODD_E_CORRUPT; -PRODD_E_UNSUPPORTED: of a newer version, to be left alone. */
int spool_head_read(const unsigned char *from, size_t size, struct spool_head *ret, struct prodd_error *e);

struct spool_record {
	uint64_t number;
	struct prodd_slice origin;	/* encoded */
	struct prodd_slice record;	/* encoded */
};

/* Bytes of a record in a segment. */
static inline uint64_t spool_record_size(uint64_t origin, uint64_t record)
{
	return (SPOOL_RECORD_HEAD + origin + record + 7) & ~UINT64_C(7);
}

/* Writes spool_record_size() bytes. */
void spool_record_write(unsigned char *to, const struct spool_record *record);

enum spool_seen { SPOOL_RECORD, SPOOL_END, SPOOL_DAMAGE };

/* What is at `from`, of which `left` bytes exist; *ret borrows; *ret_size: its bytes. SPOOL_END: zeros to the end of what is
 * left, or no byte. */
enum spool_seen spool_record_read(const unsigned char *from, size_t left, struct spool_record *ret, uint64_t *ret_size);

#endif
