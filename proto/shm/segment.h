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
 * value of a cell is the sum over the shards (SUM), or the word of shard 0 (SINGLE).
 * An entry is complete, and its cells are written with 0, before `used` covers it: a series exists for
 * the reader before its first increment, even when the app dies at once.
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

#include "proto/slice.h"
#include <prodd/error.h>

#define SEGMENT_MAGIC UINT64_C(0x47455344444f5250)	/* "PRODDSEG" */
#define SEGMENT_VERSION 1u
#define SEGMENT_HEAD 4096u
#define SEGMENT_DIRECTORY_USUAL (2u * 1024 * 1024)	/* bytes; pages that nothing is written to cost nothing */
#define SEGMENT_CELLS_USUAL 65536u			/* of a shard */
#define SEGMENT_SHARDS_MAX 64u
#define SEGMENT_SIZE_MAX (64u * 1024 * 1024)

#define SEGMENT_NAME_MAX 128u		/* bytes of a metric's name, of a label's name */
#define SEGMENT_HELP_MAX 512u
#define SEGMENT_UNIT_MAX 32u
#define SEGMENT_LABELS_MAX 16u
#define SEGMENT_LABEL_VALUE_MAX 256u
#define SEGMENT_BUCKETS_MAX 64u		/* +Inf not counted */

struct segment_head {
	uint64_t magic;
	uint32_t version;
	uint32_t head_size;
	uint64_t directory_at;		/* offset; a multiple of the page */
	uint64_t directory_size;
	uint64_t cells_at;		/* offset; a multiple of the page */
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

enum segment_type { SEGMENT_COUNTER = 1, SEGMENT_GAUGE = 2, SEGMENT_HISTOGRAM = 3 };

/* How the gauges of several instances of an app become one. */
enum segment_mode {
	SEGMENT_LAST = 0,	/* the value set last, by time */
	SEGMENT_SUM = 1,
	SEGMENT_MIN = 2,
	SEGMENT_MAX = 3,
	SEGMENT_EACH = 4	/* not at all: a label "instance" is added */
};

/* Entry kinds. */
enum segment_kind { SEGMENT_FAMILY = 1, SEGMENT_SERIES = 2 };

/*
 * Every entry begins with this, at a multiple of 8, and is `size` bytes long, padded to a multiple of 8.
 *
 * FAMILY: `name` `unit` `help` and label names, each a u16 length and bytes; then `buckets` doubles (histogram), at
 *         a multiple of 8, ascending, finite, without +Inf.  It has the index of its order among families.
 * SERIES: of family `family`: its `labels` values, each a u16 length and bytes.
 *         Its cells are [cell, cell + count): counter 1 (uint64, SUM over shards); gauge 2 (a double's bits, SINGLE;
 *         CLOCK_MONOTONIC ns of the last set, SINGLE); histogram buckets + 2 (uint64 per bucket and for +Inf, not
 *         cumulated, SUM; `_sum` as a double's bits, each shard its own, added as doubles).
 */
struct segment_entry {
	uint32_t size;		/* bytes, this head included */
	uint8_t kind;		/* enum segment_kind */
	uint8_t type;		/* enum segment_type */
	uint8_t mode;		/* enum segment_mode; 0 but for gauges */
	uint8_t labels;		/* names of a family, values of a series */
	uint32_t family;	/* index of the family; a family's own */
	uint32_t cell;		/* series: first cell; family: 0 */
	uint32_t count;		/* series: cells; family: buckets */
	uint32_t reserved;	/* 0 */
};

_Static_assert(sizeof(struct segment_entry) == 24, "layout");

/* ---- both sides: what is being declared, or was read */

struct segment_family {
	enum segment_type type;
	enum segment_mode mode;
	struct prodd_slice name;	/* [a-zA-Z_:][a-zA-Z0-9_:]*; a counter's ends with _total */
	struct prodd_slice unit;	/* "" or the name's suffix (before _total) */
	struct prodd_slice help;
	unsigned label_count;
	struct prodd_slice labels[SEGMENT_LABELS_MAX];	/* names: [a-zA-Z_][a-zA-Z0-9_]*, not "le" or "instance", not "__..." */
	unsigned bucket_count;
	double buckets[SEGMENT_BUCKETS_MAX];
};

/* Whether it may be declared: -PRODD_E_USAGE names the part and what was expected ("orders_served: a counter's name ends
 * with _total"). Pure. The library asks at declaration, the daemon again. */
int segment_check_family(const struct segment_family *family, struct prodd_error *e);
int segment_check_values(const struct segment_family *family, const struct prodd_slice *values, struct prodd_error *e);

/* Cells of one series of the family. */
unsigned segment_cells(const struct segment_family *family);

/* ---- the writer: one thread at a time (the caller's lock) */

struct segment {
	struct segment_head *head;
	unsigned char *base;		/* of the mapping */
	uint64_t size;
	uint64_t directory_at, directory_size, cells_at;	/* checked copies of the head's */
	uint32_t cells, shards;
	/* the writer's own */
	uint32_t next_family;
	uint32_t next_cell;
	uint64_t used;
};

/* Bytes of a segment's file. */
uint64_t segment_size(uint64_t directory_size, uint32_t cells, uint32_t shards);

void segment_make(struct segment *ret, void *mapping, uint64_t directory_size, uint32_t cells, uint32_t shards,
		  const uint8_t uuid[16], uint64_t pid, uint64_t made_ns);

/* Adds an entry that was checked. Returns its index or first cell; -PRODD_E_OVER_LIMIT: no room. */
int64_t segment_add_family(struct segment *s, const struct segment_family *family);
int64_t segment_add_series(struct segment *s, uint32_t family_index, const struct segment_family *family,
			   const struct prodd_slice *values);

/* Where shard 0 of the cell is; the one of shard s is s * segment_stride() bytes behind it. */
static inline _Atomic uint64_t *segment_cell(const struct segment *s, uint32_t cell)
{
	return (_Atomic uint64_t *)(void *)(s->base + s->cells_at + (uint64_t)cell * 8);
}

static inline uint64_t segment_stride(const struct segment *s)
{
	return (uint64_t)s->cells * 8;
}

/* ---- the reader */

/* Checks the head of a mapping of `size` bytes. -PRODD_E_CORRUPT says what is wrong. */
int segment_attach(struct segment *ret, void *mapping, uint64_t size, uint8_t ret_uuid[16], struct prodd_error *e);

struct segment_read {
	struct segment_entry entry;		/* copied and checked */
	struct prodd_slice texts[3 + SEGMENT_LABELS_MAX];	/* family: name, unit, help, labels; series: values. Borrow from `copy` */
	double buckets[SEGMENT_BUCKETS_MAX];
};

/*
 * The entry at *at (0 at first), copied into `copy` of `size` bytes, and checked against the head alone (not against its
 * family: the caller has those); *at moves behind it. 1; 0: no more published; -PRODD_E_CORRUPT: the directory is
 * damaged from here on, and is not to be read on.
 */
int segment_next(const struct segment *s, uint64_t *at, unsigned char *copy, size_t size, struct segment_read *ret,
		 struct prodd_error *e);

/* Most bytes of an entry. */
#define SEGMENT_ENTRY_MAX 8192u

#endif
