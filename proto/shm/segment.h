/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The segment of an app's metrics: a memfd, sparse, with a directory of what
 * the app counts and the cells it counts in.
 *
 *   head       SEGMENT_HEAD bytes
 *   directory  entries one after another, published by a release store of `used`
 *   cells      `shards` times `cells` words of 8 bytes: shard s is dense, from cells_at + s * cells * 8
 *
 * A thread adds to its own shard, so that threads share no cache line; the
 * value of a cell is the sum over the shards (SUM), or the word of shard 0
 * (SINGLE).  An entry is complete, and its cells are written with 0, before
 * `used` covers it: a series exists for the reader before its first increment,
 * even when the app dies at once; and no reader allocates a page.
 *
 * Whoever reads believes nothing: it copies and checks an entry once, and reads
 * the cells of checked entries only (reading a page that nobody wrote would
 * allocate it, at the reader's expense).
 */
#ifndef PRODD_SHM_SEGMENT_H
#define PRODD_SHM_SEGMENT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/shm/family.h"

#define SEGMENT_MAGIC UINT64_C(0x47455344444f5250)	/* "PRODDSEG" */
#define SEGMENT_VERSION 1u
#define SEGMENT_HEAD 4096u
#define SEGMENT_DIRECTORY_USUAL (2u * 1024 * 1024)	/* bytes; pages that nothing is written to are free */
#define SEGMENT_CELLS_USUAL 65536u	/* of a shard */
#define SEGMENT_SHARDS_MAX 64u
#define SEGMENT_SIZE_MAX (64u * 1024 * 1024)

struct segment_head {
	uint64_t magic;
	uint32_t version;
	uint32_t head_size;
	uint64_t directory_at;		/* offset: SEGMENT_HEAD */
	uint64_t directory_size;	/* bytes; a multiple of 8 */
	uint64_t cells_at;		/* offset: behind the directory, the next multiple of SEGMENT_HEAD */
	uint32_t cells;			/* of a shard */
	uint32_t shards;		/* a power of two */
	uint8_t uuid[16];
	uint64_t pid;
	uint64_t made_ns;		/* CLOCK_REALTIME: `_created` of what begins here */
	uint8_t fill_0[128 - 80];

	_Atomic uint64_t used;		/* bytes of the directory that are published */
	_Atomic uint64_t refused;	/* series that went to the overflow series instead */
	_Atomic uint64_t not_a_number;	/* NaN values that were refused */
	_Atomic uint32_t closed;	/* 1: closed in order by the app */
};

_Static_assert(offsetof(struct segment_head, used) == 128, "layout");
_Static_assert(sizeof(struct segment_head) <= SEGMENT_HEAD, "layout");

/* Entry kinds. */
enum segment_kind { SEGMENT_FAMILY = 1, SEGMENT_SERIES = 2 };

/* Most bytes of an entry: 3,296 of a family, 4,152 of a series. */
#define SEGMENT_ENTRY_MAX 4160u

/*
 * Every entry begins with this, at a multiple of 8, and is `size` bytes long, a
 * multiple of 8 (filled up with 0).
 *
 * FAMILY: `name`, `unit`, `help` and the labels' names, each a u16 length and
 *         bytes; then, at a multiple of 8 from the entry's beginning, the
 *         bounds of a histogram's buckets as doubles.  Families are numbered
 *         in their order, from 0.
 * SERIES: of family `family`: its `labels` values, each a u16 length and bytes;
 *         none, in a family that has labels: its overflow series, which
 *         carries overflow="true" in place of them.  Its cells are [cell, cell + count),
 *         the next ones that no series before has:
 *           counter    1: the count, a uint64 (SUM)
 *           gauge      2: a double's bits; CLOCK_MONOTONIC ns of the last set, 0: never (both SINGLE)
 *           histogram  buckets + 2: a uint64 for each bucket and for +Inf, not cumulated (SUM); the sum of
 *                      what was observed as a double's bits, each shard its own, to be added as doubles
 */
struct segment_entry {
	uint32_t size;		/* bytes, this head included */
	uint8_t kind;		/* enum segment_kind */
	uint8_t type;		/* enum segment_type */
	uint8_t mode;		/* enum segment_mode; 0 but for gauges */
	uint8_t labels;		/* names of a family, values of a series */
	uint32_t family;	/* number of the family; a family's own */
	uint32_t cell;		/* series: first cell; family: 0 */
	uint32_t count;		/* series: cells; family: buckets */
	uint32_t reserved;	/* 0 */
};

_Static_assert(sizeof(struct segment_entry) == 24, "layout");

/* A segment in this process's memory: of its writer, one thread at a time (the caller's lock), or of its
 * reader. */
struct segment {
	struct segment_head *head;	/* borrowed, as `base` */
	unsigned char *base;		/* of the mapping */
	uint64_t directory_at, directory_size, cells_at;	/* checked copies of the head's */
	uint32_t cells, shards;
	uint64_t made_ns;		/* as the head says, which may be anything */
	/* where the writer or the reader is in the directory */
	uint64_t at;			/* bytes */
	uint32_t next_family;
	uint32_t next_cell;
	/* the writer's: kept free, so that each family's overflow series, or only one, has room */
	uint64_t kept_bytes;
	uint32_t kept_cells;
};

/* Where shard 0 of the cell is; the one of shard s is s * segment_stride() bytes behind it. */
static inline _Atomic uint64_t *segment_cell(const struct segment *s, uint32_t cell)
{
	return (_Atomic uint64_t *)(void *)(s->base + s->cells_at + (uint64_t)cell * 8);
}

static inline uint64_t segment_stride(const struct segment *s)
{
	return (uint64_t)s->cells * 8;
}

/* ---- the writer */

/* Bytes of a segment's file; 0: over SEGMENT_SIZE_MAX, or numbers that are not allowed. */
uint64_t segment_size(uint64_t directory_size, uint32_t cells, uint32_t shards) SEGMENT_SYMBOL("size");

/* Fills the head of a fresh, zeroed mapping of segment_size() bytes. */
void segment_make(struct segment *ret, void *mapping, uint64_t directory_size, uint32_t cells,
		  uint32_t shards, const uint8_t uuid[16], uint64_t pid, uint64_t made_ns)
	SEGMENT_SYMBOL("make");

/*
 * In a forked child: `s`, made anew by segment_make() in a mapping of the same
 * size, gets what is in `from`, the parent's: the directory, with cells of the same
 * numbers that are 0.
 */
void segment_copy(struct segment *s, const struct segment *from) SEGMENT_SYMBOL("copy");

/* Adds a family that was checked. Returns its number, or -PRODD_E_OVER_LIMIT: no room. */
int64_t segment_add_family(struct segment *s, const struct segment_family *family)
	SEGMENT_SYMBOL("add_family");

/*
 * Adds a series, whose values were checked, of the family with that number.
 * `values` NULL: the only series of a family without labels, or the overflow
 * series of one with labels; for that there is always room, once.
 * Returns its first cell, or -PRODD_E_OVER_LIMIT: no room.
 */
int64_t segment_add_series(struct segment *s, uint32_t number, const struct segment_family *family,
			   const struct prodd_slice *values) SEGMENT_SYMBOL("add_series");

/* ---- the reader */

/* Checks the head of a mapping of `size` bytes. -PRODD_E_CORRUPT says what is wrong. */
int segment_attach(struct segment *ret, void *mapping, uint64_t size, uint8_t ret_uuid[16],
		   struct prodd_error *e) SEGMENT_SYMBOL("attach");

struct segment_read {
	struct segment_entry entry;	/* copied and checked */
	struct segment_family family;	/* FAMILY: borrows from `copy`; as segment_check_family() allows */
	/* SERIES: `entry.labels` of them; borrow from `copy` */
	struct prodd_slice values[SEGMENT_LABELS_MAX];
};

/*
 * The next entry, copied into `copy` and checked: families come in the order
 * of their numbers, a series is of a family that came before, and its cells
 * are the next ones in their order.  Whether a series suits its family is for
 * segment_suits() to say: the caller has the families.
 * 1; 0: no more published; -PRODD_E_CORRUPT: the directory is damaged from here
 * on, and is not to be read on.
 */
int segment_next(struct segment *s, unsigned char copy[SEGMENT_ENTRY_MAX], struct segment_read *ret,
		 struct prodd_error *e) SEGMENT_SYMBOL("next");

/* A series that was read has the type, labels (or none at all) and cells that its family asks for. */
bool segment_suits(const struct segment_entry *series, const struct segment_family *family)
	SEGMENT_SYMBOL("suits");

#endif
