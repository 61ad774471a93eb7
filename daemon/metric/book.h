/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The format of a ledger's file: a head, then records, appended only.  Each
 * record is complete before `used` covers it, and only its last words, the cells, ever
 * change, each by one store of 8 bytes: the file can be read after SIGKILL at any instant.
 * All numbers in the host's order; the file never leaves the host, nor outlives the boot.
 */
#ifndef PRODD_METRIC_BOOK_H
#define PRODD_METRIC_BOOK_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/slice.h"
#include <prodd/error.h>

#define BOOK_MAGIC UINT64_C(0x474445444f525021)
#define BOOK_VERSION 1u
#define BOOK_HEAD 512u
#define BOOK_BOOT 40u			/* with the NUL: /proc/sys/kernel/random/boot_id */
#define BOOK_APP 160u
#define BOOK_SIZE_LEAST (256u * 1024)
#define BOOK_SIZE_MAX (256u * 1024 * 1024)
#define BOOK_CELLS_MAX 80u		/* of a record: a histogram's buckets, sum and more */

struct book_head {
	uint64_t magic;
	uint32_t version;
	uint32_t head_size;
	uint64_t size;			/* of the file */
	uint32_t uid;
	uint32_t reserved;
	uint64_t check;			/* of all above and of `app` */
	char app[BOOK_APP];
	char boot[BOOK_BOOT];
	_Atomic uint64_t used;		/* bytes, the head included */
};

_Static_assert(offsetof(struct book_head, app) == 40, "layout");
_Static_assert(offsetof(struct book_head, boot) == 200, "layout");
_Static_assert(offsetof(struct book_head, used) == 240, "layout");
_Static_assert(sizeof(struct book_head) <= BOOK_HEAD, "layout");

/*
 * What a record is, what its body holds, what its cells are.  Identities are given once in a boot and
 * mean the same in every book of the app.
 */
enum book_kind {
	BOOK_FAMILY = 1,	/* body: record push_family of the wire; no cells */
	BOOK_SERIES = 2,	/* of a family; body: push_series; cells: what was folded, and `shown` */
	BOOK_SEGMENT = 3,	/* body: struct book_segment; no cells */
	BOOK_READING = 4,	/* of a segment, `with` a series; no body; cells: the last value read */
};

#define BOOK_OVERFLOW 1u	/* flag of a SERIES: the one for what was over the limit */
#define BOOK_PUSHED 2u		/* flag of a SEGMENT: no segment, but what was pushed */

struct book_record {
	uint32_t size;		/* bytes in all, a multiple of 8 */
	uint16_t kind;		/* enum book_kind */
	uint16_t flags;
	uint32_t id;
	uint32_t of;		/* id of the family, of the segment; 0: none */
	uint32_t with;		/* READING: id of the series */
	uint16_t cells;
	uint16_t body;		/* bytes */
	uint64_t made_ns;	/* SERIES: `_created` */
	uint64_t check;		/* of all above and the body */
};

_Static_assert(sizeof(struct book_record) == 40, "layout");

struct book_segment {
	uint8_t uuid[16];
	uint64_t pid;		/* 0: of a foreign namespace */
	uint64_t start;		/* of the process, field 22 of /proc/PID/stat; 0: not known */
	char instance[BOOK_APP];
};

/* A book in memory. */
struct book {
	unsigned char *at;	/* the mapping, owned by whoever mapped it; NULL: none */
	uint64_t size;
	uint64_t used;
};

/* Begins one in zeroed memory. `boot` is a text. */
void book_begin(struct book *ret, void *at, uint64_t size, const char *app, uint32_t uid, const char *boot);

/* Checks the head of a file. -PRODD_E_CORRUPT says what is wrong; -PRODD_E_UNSUPPORTED: of a newer version.
 */
int book_open(struct book *ret, void *at, uint64_t size, struct prodd_error *e);

const struct book_head *book_head(const struct book *book);

/* Bytes that a record of that body and so many cells takes. */
uint64_t book_needs(size_t body, unsigned cells);

/* Appends `record` (of which size and check are filled in here). Returns the offset of its cells; 0: no
 * room. */
uint32_t book_append(struct book *book, struct book_record record, const void *body, const uint64_t *cells);

/* One store. `offset` as book_append() returned it. */
static inline void book_put(const struct book *book, uint32_t offset, unsigned cell, uint64_t value)
{
	_Atomic uint64_t *at = (_Atomic uint64_t *)(void *)(book->at + offset + cell * 8ull);

	atomic_store_explicit(at, value, memory_order_relaxed);
}

/* The next record, checked; borrows from the book. 1; 0: the end; -PRODD_E_CORRUPT. *at is BOOK_HEAD at
 * first. */
struct book_entry {
	struct book_record record;
	struct prodd_slice body;
	uint32_t cells_at;
	uint64_t cells[BOOK_CELLS_MAX];
};

int book_next(const struct book *book, uint64_t *at, struct book_entry *ret, struct prodd_error *e);

#endif
