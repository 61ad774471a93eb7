/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is wrong with a configuration: a list that is gathered in any order and
 * reported in the order of files and lines.  Failing to allocate sticks, as in
 * a buffer: one check at the end is enough.
 */
#ifndef PRODD_TREE_PROBLEMS_H
#define PRODD_TREE_PROBLEMS_H

#include <stdint.h>

#include "proto/buffer.h"
#include "proto/wire.h"

/* Rows in one report (a LIST of the wire); the last one then says how many more there are. */
#define PROBLEMS_MAX 1024u

/* Where a problem is. */
struct place {
	unsigned order;			/* of the file in the report: its number among the layers */
	struct prodd_slice file;	/* path as an operator would open it; empty: not about a file */
	uint64_t line;			/* from 1; 0: the whole file */
};

struct problem;

struct problems {
	struct problem **rows;		/* owned */
	size_t count;			/* kept */
	size_t lost;			/* not kept: beyond four times PROBLEMS_MAX */
	size_t capacity;
	int failed;			/* 0 or -PRODD_E_NO_MEMORY */
};

/* Copies everything. `place` NULL: not about a file, reported behind all others; `key` may be empty. */
void problems_add(struct problems *p, const struct place *place, struct prodd_slice key,
		  const char *format, ...)
	__attribute__((format(printf, 4, 5)));

/* Appends the rows in order, as elements of a LIST(problem). Returns 0, p->failed or b->failed. */
int problems_encode(struct problems *p, struct prodd_buffer *b, uint32_t *count);

static inline size_t problems_count(const struct problems *p)
{
	return p->count + p->lost;
}

/* Frees the rows; empty and usable again. NULL is allowed. */
void problems_clear(struct problems *p);

#define problems_auto __attribute__((cleanup(problems_clear))) struct problems

#endif
