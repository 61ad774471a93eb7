/* SPDX-License-Identifier: Apache-2.0 */
/* All cells lie one after another in one text; a cell is a part of it, escaped already. */
#include "config.h"

#include "client/prodctl/table.h"

#include <stdio.h>
#include <stdlib.h>

struct table_cell {
	size_t at;
	size_t size;
	unsigned width;
	enum colour colour;
};

struct table table_of(unsigned columns, unsigned indent)
{
	struct table t = { .columns = columns, .indent = indent, .content.bytes.limit = TEXT_MAX };

	for (unsigned i = 0; i < columns; i++)
		t.gap[i] = 2;
	return t;
}

void table_clear(struct table *t)
{
	text_clear(&t->content);
	free(t->cells);
	t->cells = NULL;
	t->count = t->capacity = 0;
}

void table_right(struct table *t, unsigned first, unsigned last)
{
	for (unsigned i = first; i <= last; i++)
		t->right[i] = true;
}

static struct table_cell *add_cell(struct table *t)
{
	if (t->count == t->capacity) {
		size_t capacity = t->capacity ? 2 * t->capacity : 64;
		struct table_cell *cells = reallocarray(t->cells, capacity, sizeof *cells);

		if (!cells) {
			t->failed = -PRODD_E_NO_MEMORY;
			return NULL;
		}
		t->cells = cells;
		t->capacity = capacity;
	}
	return &t->cells[t->count++];
}

/* The content from `start` on becomes a cell. */
static void end_cell(struct table *t, size_t start, enum colour colour)
{
	struct table_cell *cell = add_cell(t);
	unsigned *widest;

	if (!cell)
		return;
	*cell = (struct table_cell){ .at = start, .size = t->content.bytes.size - start, .colour = colour };
	if (t->content.bytes.at)
		cell->width = text_width((struct prodd_slice){ t->content.bytes.at + start, cell->size });
	widest = &t->width[(t->count - 1) % t->columns];
	if (cell->width > *widest)
		*widest = cell->width < TABLE_WIDTH_MAX ? cell->width
			  : *widest > TABLE_WIDTH_MAX	? *widest
							: TABLE_WIDTH_MAX;
}

void table_slice(struct table *t, struct prodd_slice s)
{
	size_t start = t->content.bytes.size;

	text_slice(&t->content, PLAIN, s);
	end_cell(t, start, PLAIN);
}

void table_cell(struct table *t, enum colour colour, const char *format, ...)
{
	size_t start = t->content.bytes.size;
	char *formatted = NULL;
	va_list args;

	va_start(args, format);
	if (vasprintf(&formatted, format, args) < 0)
		t->failed = -PRODD_E_NO_MEMORY;
	else
		text_slice(&t->content, PLAIN, prodd_slice(formatted));
	va_end(args);
	free(formatted);
	end_cell(t, start, colour);
}

void table_head(struct table *t, const char *headings)
{
	while (*headings) {
		int length = (int)strcspn(headings, "|");

		table_cell(t, STRONG, "%.*s", length, headings);
		headings += length + (headings[length] == '|');
	}
}

size_t table_rows(const struct table *t)
{
	return t->count / t->columns;
}

static void print_row(struct table *t, const struct table_cell *row, struct text *to)
{
	unsigned last = t->columns;

	while (last > 0 && row[last - 1].size == 0)
		last--;
	text_spaces(to, last > 0 ? t->indent : 0);
	for (unsigned i = 0; i < last; i++) {
		const struct table_cell *cell = &row[i];
		unsigned fill = cell->width < t->width[i] ? t->width[i] - cell->width : 0;

		if (t->right[i])
			text_spaces(to, fill);
		text_slice(to, cell->colour,
			   (struct prodd_slice){t->content.bytes.at + cell->at, cell->size});
		if (i + 1 < last)
			text_spaces(to, t->gap[i] + (t->right[i] ? 0 : fill));
	}
	text_end_line(to);
}

void table_print(struct table *t, struct text *to)
{
	if (t->content.bytes.failed)
		t->failed = t->content.bytes.failed;
	if (t->failed) {
		to->bytes.failed = t->failed;
		return;
	}
	for (size_t row = 0; row < table_rows(t); row++)
		print_row(t, &t->cells[row * t->columns], to);
	t->count = 0;
	prodd_buffer_reset(&t->content.bytes);
}
