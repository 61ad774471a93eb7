/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Each row is one allocation that holds its texts.  Rows are numbered as they
 * come, so that sorting by place keeps the order of rows in one line.
 */
#include "daemon/tree/problems.h"

#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "proto/codec.h"
#include "proto/cursor.h"

enum { text_max = 1024, rows_max = 4 * PROBLEMS_MAX };	/* text_max: the wire's limit */

struct problem {
	unsigned order;
	size_t number;
	struct wire_problem row;	/* borrows from what follows the struct */
};

static struct prodd_slice put(char **at, struct prodd_slice text)
{
	struct prodd_slice copy = { *at, text.size };

	if (text.size)
		memcpy(*at, text.at, text.size);
	*at += text.size;
	return copy;
}

static struct problem *problem_new(const struct place *place, struct prodd_slice key, struct prodd_slice text)
{
	struct prodd_slice file = place ? place->file : (struct prodd_slice){ NULL, 0 };
	struct problem *p = calloc(1, sizeof *p + file.size + key.size + text.size);
	char *at = (char *)(p + 1);

	if (!p)
		return NULL;
	p->order = place ? place->order : UINT_MAX;	/* those about no file come last */
	p->row.line = place ? place->line : 0;
	p->row.file = put(&at, file);
	p->row.key = put(&at, key);
	p->row.text = put(&at, text);
	return p;
}

static int make_room(struct problems *p)
{
	size_t capacity = p->capacity ? 2 * p->capacity : 16;
	struct problem **rows;

	if (p->count < p->capacity)
		return 0;
	rows = realloc(p->rows, capacity * sizeof(*rows));
	if (!rows)
		return p->failed = -PRODD_E_NO_MEMORY;
	p->rows = rows;
	p->capacity = capacity;
	return 0;
}

/* Texts quote what stands in files and variables: one line of UTF-8, whatever that is. */
static struct prodd_slice tidy(char *text, int length)
{
	size_t size = length < 0 ? 0 : (size_t)length;
	unsigned step;

	if (size >= text_max)
		size = text_max - 1;
	for (size_t i = 0; i < size; i += step) {
		step = prodd_text_character((struct prodd_slice){ text + i, size - i });
		if (step > 1)
			continue;
		if (step == 0)
			text[i] = '?';
		else if ((unsigned char)text[i] < 0x20 || text[i] == 0x7f)
			text[i] = ' ';
		step = 1;
	}
	return (struct prodd_slice){ text, size };
}

void problems_add(struct problems *p, const struct place *place, struct prodd_slice key, const char *format,
		  ...)
{
	char text[text_max];
	struct problem *row;
	va_list args;
	int length;

	if (p->count >= rows_max) {
		p->lost++;
		return;
	}
	if (make_room(p) < 0)
		return;
	va_start(args, format);
	length = vsnprintf(text, sizeof text, format, args);
	va_end(args);
	row = problem_new(place, prodd_text_cut(key, 255), tidy(text, length));
	if (!row) {
		p->failed = -PRODD_E_NO_MEMORY;
		return;
	}
	row->number = p->count;
	p->rows[p->count++] = row;
}

static int compare(const void *a, const void *b)
{
	const struct problem *x = *(struct problem *const *)a;
	const struct problem *y = *(struct problem *const *)b;

	if (x->order != y->order)
		return x->order < y->order ? -1 : 1;
	if (x->row.line != y->row.line)
		return x->row.line < y->row.line ? -1 : 1;
	return x->number < y->number ? -1 : x->number > y->number;
}

static void encode_rest(size_t rest, struct prodd_buffer *b, uint32_t *count)
{
	struct wire_problem row = { 0 };
	char text[64];

	row.text = (struct prodd_slice){ text, (size_t)snprintf(text, sizeof text, "and %zu more", rest) };
	prodd_encode_element(b, count, &wire_record_problem, &row);
}

int problems_encode(struct problems *p, struct prodd_buffer *b, uint32_t *count)
{
	size_t shown = problems_count(p) > PROBLEMS_MAX ? PROBLEMS_MAX - 1 : p->count;

	if (p->failed)
		return p->failed;
	if (p->count)
		qsort(p->rows, p->count, sizeof(*p->rows), compare);
	for (size_t i = 0; i < shown; i++)
		prodd_encode_element(b, count, &wire_record_problem, &p->rows[i]->row);
	if (shown < problems_count(p))
		encode_rest(problems_count(p) - shown, b, count);
	return b->failed;
}

void problems_clear(struct problems *p)
{
	if (!p)
		return;
	for (size_t i = 0; i < p->count; i++)
		free(p->rows[i]);
	free(p->rows);
	*p = (struct problems){ 0 };
}
