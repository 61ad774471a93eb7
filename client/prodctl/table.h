/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Aligned columns for people.  Cells are added from left to right; widths are
 * counted in characters.  Printing empties the table but keeps its widths, so
 * that rows which come later line up with those above.
 */
#ifndef PRODCTL_TABLE_H
#define PRODCTL_TABLE_H

#include "client/prodctl/text.h"

#define TABLE_COLUMNS_MAX 12
/* A wider cell pushes its own row to the right, not everybody's. */
#define TABLE_WIDTH_MAX 60u

struct table_cell;

struct table {
	unsigned columns;
	unsigned indent;				/* spaces before the first column */
	unsigned gap[TABLE_COLUMNS_MAX];		/* spaces after a column */
	unsigned width[TABLE_COLUMNS_MAX];		/* of the widest cell so far; may be preset */
	bool right[TABLE_COLUMNS_MAX];			/* numbers: they end together */
	struct text content;				/* the bytes of all cells */
	struct table_cell *cells;			/* owned */
	size_t count;
	size_t capacity;
	int failed; /* 0 or -PRODD_E_NO_MEMORY; goes to the text printed to */
};

/* An empty table with gaps of two spaces. */
struct table table_of(unsigned columns, unsigned indent);
void table_clear(struct table *t);

/* The columns from `first` to `last` hold numbers. */
void table_right(struct table *t, unsigned first, unsigned last);

/* Adds a cell; the row is full after `columns` of them. */
void table_cell(struct table *t, enum colour colour, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
void table_slice(struct table *t, struct prodd_slice s);

/* Adds a row of headings, separated by '|': "APP|INSTANCES|STATE". */
void table_head(struct table *t, const char *headings);

/* Full rows that were added since the last print. */
size_t table_rows(const struct table *t);

void table_print(struct table *t, struct text *to);

#define auto_table __attribute__((cleanup(table_clear))) struct table

#endif
