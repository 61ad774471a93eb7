/* SPDX-License-Identifier: Apache-2.0 */
/* An array, searched from the row that was found last: batches are of one ring, and an app has few. */
#include "daemon/spool/water.h"

#include <stdlib.h>
#include <string.h>

void waters_clear(struct waters *w)
{
	free(w->rows);
	*w = (struct waters){ 0 };
}

static bool is_of(const struct water_row *row, const void *ring, uint32_t uid)
{
	return row->water.uid == uid && memcmp(row->water.ring, ring, 16) == 0;
}

static struct water_row *find(const struct waters *w, const void *ring, uint32_t uid)
{
	if (w->last < w->count && is_of(&w->rows[w->last], ring, uid))
		return &w->rows[w->last];
	for (unsigned i = 0; i < w->count; i++)
		if (is_of(&w->rows[i], ring, uid))
			return &w->rows[i];
	return NULL;
}

uint64_t waters_end(const struct waters *w, const uint8_t ring[16], uint32_t uid)
{
	const struct water_row *row = find(w, ring, uid);

	return row ? row->water.end : 0;
}

static void remove_row(struct waters *w, struct water_row *row)
{
	*row = w->rows[--w->count];
}

void waters_forget(struct waters *w, const uint8_t ring[16], uint32_t uid)
{
	struct water_row *row = find(w, ring, uid);

	if (row)
		remove_row(w, row);
}

static struct water_row *quietest(const struct waters *w)
{
	struct water_row *row = &w->rows[0];

	for (unsigned i = 1; i < w->count; i++)
		if (w->rows[i].touched < row->touched)
			row = &w->rows[i];
	return row;
}

static bool reserve(struct waters *w)
{
	unsigned capacity = w->capacity ? w->capacity * 2 : 8;
	struct water_row *rows;

	if (w->count == SPOOL_WATERS_MAX)
		remove_row(w, quietest(w));
	if (w->count < w->capacity)
		return true;
	rows = realloc(w->rows, capacity * sizeof *rows);
	if (!rows)
		return false;
	w->rows = rows;
	w->capacity = capacity;
	return true;
}

/* Its row, made when there is none; NULL: no memory. */
static struct water_row *row_of(struct waters *w, const void *ring, uint32_t uid)
{
	struct water_row *row = find(w, ring, uid);

	if (!row) {
		if (!reserve(w))
			return NULL;
		row = &w->rows[w->count++];
		*row = (struct water_row){ .water.uid = uid };
		memcpy(row->water.ring, ring, 16);
	}
	w->last = (unsigned)(row - w->rows);
	row->touched = w->clock;
	return row;
}

bool waters_raise(struct waters *w, const struct spool_water *water)
{
	struct water_row *row = row_of(w, water->ring, water->uid);

	if (row && row->water.end < water->end)
		row->water.end = water->end;
	return row;
}

bool waters_prepare(struct waters *w, struct prodd_slice bytes)
{
	struct prodd_cursor cursor = prodd_cursor(bytes);
	struct origin origin;
	struct water_row *row;

	if (!origin_take(&cursor, &origin) || origin.ring.size != 16 || origin.uid > UINT32_MAX)
		return true;
	row = row_of(w, origin.ring.at, (uint32_t)origin.uid);
	if (row && row->written < origin.end)
		row->written = origin.end;
	return row;
}

static void settle(struct waters *w, bool written)
{
	for (unsigned i = 0; i < w->count; i++) {
		struct water_row *row = &w->rows[i];

		if (row->touched != w->clock)
			continue;
		if (written && row->water.end < row->written)
			row->water.end = row->written;
		row->written = 0;
	}
	w->clock++;
}

void waters_commit(struct waters *w)
{
	settle(w, true);
}

void waters_abandon(struct waters *w)
{
	settle(w, false);
}

struct spool_water *waters_table(const struct waters *w)
{
	struct spool_water *table = calloc(w->count + 1, sizeof *table);

	for (unsigned i = 0; table && i < w->count; i++)
		table[i] = w->rows[i].water;
	return table;
}
