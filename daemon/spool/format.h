/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The spool on disk: one directory for each app, in it segments, append-only
 * files named by their id, "%016x.seg". All numbers are little-endian.
 *
 *   head      96 bytes
 *               0   8  magic "PRODDSPL"
 *               8   4  version (1)
 *              12   4  bytes of the high-water table behind the head
 *              16   8  id
 *              24   8  follows: the number behind the last one before this segment
 *              32   8  first: number of its first record; over `follows` after a new boot or damage,
 *                      since numbers of records that were lost may have been shipped
 *              40   8  supersedes: id of the segment whose sync failed; 0: none
 *              48   8  from: records from this number on are written here again
 *              56   8  made: nanoseconds since 1970 (UTC)
 *              64  16  boot id of the host that made it
 *              80   8  salt: random
 *              88   4  CRC-32C of the table
 *              92   4  CRC-32C of the bytes before
 *   table     for each ring that may still hold records of this app:
 *              16 uuid, 4 uid, 8 end of its last record before this segment
 *   zeros     to a multiple of 4096
 *   head      once more: one damaged place does not cost the segment
 *   records   at multiples of 8:
 *               0   4  length: bytes of the body; never 0
 *               4   4  bytes of the origin, with which the body begins
 *               8   8  number: ascending
 *              16   4  CRC-32C of the body
 *              20   4  CRC-32C of the 20 bytes before
 *              24      body: origin (record.h), record (record.h); then zeros to a multiple of 8
 *   zeros     preallocated, or nothing: the end
 *
 * Where to write on is found by scanning the last segment: there is no second
 * source of truth.  Both checksums of a record begin with the salt, so that no
 * app can write bytes into its records that look like one of the spool's when
 * a damaged place is passed over. The head of a record has its own, so that
 * passing over takes no more than one look at each byte.
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
#define SPOOL_HEAD 96u
#define SPOOL_PAGE 4096u
#define SPOOL_WATER 28u				/* bytes of a row of the table */
#define SPOOL_WATERS_MAX 4096u
#define SPOOL_RECORD_HEAD 24u			/* bytes before the body */
#define SPOOL_ALIGN 8u
#define SPOOL_SEGMENT_MAX (8u * 1024 * 1024)
#define SPOOL_BODY_MAX (RECORD_MAX + 1024u)	/* bytes of origin and record */
#define SPOOL_NUMBER_MAX (UINT64_MAX >> 1)	/* of a record, an id: over it is damage */

struct spool_head {
	uint64_t id;
	uint64_t follows;
	uint64_t first;
	uint64_t supersedes;
	uint64_t from;
	uint64_t made_ns;
	uint8_t boot[16];
	uint64_t salt;
	uint32_t table_size;	/* bytes */
	uint32_t table_crc;
};

struct spool_water {
	uint8_t ring[16];
	uint32_t uid;
	uint64_t end;
};

/* Where the records begin in a segment with a table of that many bytes. */
static inline uint64_t spool_records_at(uint32_t table_size)
{
	return ((SPOOL_HEAD + (uint64_t)table_size + SPOOL_PAGE - 1) & ~(uint64_t)(SPOOL_PAGE - 1)) +
	       SPOOL_HEAD;
}

/* Writes spool_records_at(count * SPOOL_WATER) bytes; sets head->table_size and table_crc. */
void spool_head_write(unsigned char *to, struct spool_head *head, const struct spool_water *waters,
		      unsigned count);

/* Of SPOOL_HEAD bytes. -PRODD_E_CORRUPT; -PRODD_E_UNSUPPORTED: of a newer version, to be left alone. */
int spool_head_read(const unsigned char *from, struct spool_head *ret, struct prodd_error *e);

/* The table, whose bytes must have the head's checksum. */
bool spool_table_intact(const unsigned char *table, const struct spool_head *head);
void spool_water_read(const unsigned char *row, struct spool_water *ret);

struct spool_record {
	uint64_t number;
	struct prodd_slice origin;	/* encoded */
	struct prodd_slice record;	/* encoded */
};

/* Bytes of a record in a segment. */
static inline uint64_t spool_record_size(uint64_t origin, uint64_t record)
{
	return (SPOOL_RECORD_HEAD + origin + record + SPOOL_ALIGN - 1) & ~(uint64_t)(SPOOL_ALIGN - 1);
}

/* What the checksums of a segment's records begin with. */
uint32_t spool_seed(uint64_t salt);

/* Writes spool_record_size() bytes. */
void spool_record_write(unsigned char *to, const struct spool_record *record, uint32_t seed);

/* The head of a record, SPOOL_RECORD_HEAD bytes: false: damaged, or none. *ret_size: bytes of both. */
bool spool_record_head_intact(const unsigned char *from, uint32_t seed, uint64_t *ret_size);

/* A whole record whose head is intact; *ret borrows. False: its body is damaged. */
bool spool_record_read(const unsigned char *from, uint32_t seed, struct spool_record *ret);

#endif
