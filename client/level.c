/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table that is read holds both lists, the operators' first, each with its
 * longest targets first, and at the end what is logged when nobody has said
 * anything: the first row that covers a target decides.
 */
#include "client/level.h"

#include <stdlib.h>
#include <string.h>

#include "proto/codec.h"
#include "proto/shm/record.h"

_Static_assert((int)PRODD_TRACE == (int)RECORD_TRACE && (int)PRODD_OFF == (int)RECORD_OFF, "one scale");

struct prodd_level_table {
	struct prodd_counted counted;
	unsigned count;
	struct prodd_level_row rows[];
};

static bool covers(const struct prodd_level_row *row, const char *target, size_t size)
{
	return row->size == 0 || (row->size <= size && memcmp(row->target, target, row->size) == 0 &&
				  (row->size == size || target[row->size] == '.'));
}

static void unref(struct prodd_counted *c)
{
	if (c && prodd_counted_unref(c))
		free(c);
}

bool prodd_levels_pass(struct prodd_levels *levels, const char *target, int level)
{
	struct prodd_counted *c;
	const struct prodd_level_table *table;
	bool pass = true;
	size_t size;

	if (!atomic_load_explicit(&levels->by_target, memory_order_acquire))
		return level >= __atomic_load_n(&levels->threshold->level, __ATOMIC_RELAXED);
	c = prodd_current_get(&levels->table);
	if (!c)
		return true;
	target = target ? target : "main";
	size = strlen(target);
	table = (const struct prodd_level_table *)c;
	for (unsigned i = 0; i < table->count; i++)
		if (covers(&table->rows[i], target, size)) {
			pass = level >= table->rows[i].level;
			break;
		}
	unref(c);
	return pass;
}

/* ---- changing */

static struct prodd_level_table *table_new(const struct prodd_levels *levels)
{
	const struct prodd_level_rows *first = &levels->operators, *second = &levels->own;
	struct prodd_level_table *table =
		malloc(sizeof *table + (first->count + second->count + 1) * sizeof *table->rows);

	if (!table)
		return NULL;
	prodd_counted_init(&table->counted);
	table->count = first->count + second->count + 1;
	table->rows[table->count - 1] = (struct prodd_level_row){ .level = PRODD_INFO };
	if (first->count > 0)
		memcpy(table->rows, first->rows, first->count * sizeof *table->rows);
	if (second->count > 0)
		memcpy(table->rows + first->count, second->rows, second->count * sizeof *table->rows);
	return table;
}

/* The rows up to the first that covers all count, the others are never come to. */
static void publish(struct prodd_levels *levels, struct prodd_level_table *table)
{
	int lowest = PRODD_OFF;
	unsigned count = 0;

	while (count < table->count) {
		const struct prodd_level_row *row = &table->rows[count++];

		lowest = row->level < lowest ? row->level : lowest;
		if (row->size == 0)
			break;
	}
	table->count = count;
	if (count > 1)
		atomic_store_explicit(&levels->by_target, true, memory_order_release);
	free(prodd_current_set(&levels->table, &table->counted));
	__atomic_store_n(&levels->threshold->level, lowest, __ATOMIC_RELAXED);
	if (count == 1)
		atomic_store_explicit(&levels->by_target, false, memory_order_release);
}

/* Under the lock: *changed comes into force, or is again what it was before. */
static int put_in_force(struct prodd_levels *levels, struct prodd_level_rows *changed,
			struct prodd_level_rows before)
{
	struct prodd_level_table *table = table_new(levels);

	if (!table || !prodd_current_can_hold(&table->counted)) {
		free(table);
		free(changed->rows);
		*changed = before;
		return -PRODD_E_NO_MEMORY;
	}
	free(before.rows);
	publish(levels, table);
	return 0;
}

static void insert(struct prodd_level_rows *rows, struct prodd_slice target, int level)
{
	unsigned at = 0;

	while (at < rows->count && rows->rows[at].size > target.size)
		at++;
	memmove(rows->rows + at + 1, rows->rows + at, (rows->count - at) * sizeof *rows->rows);
	rows->count++;
	rows->rows[at] = (struct prodd_level_row){ .size = target.size, .level = level };
	if (target.size > 0)
		memcpy(rows->rows[at].target, target.at, target.size);
}

static struct prodd_level_row *find(const struct prodd_level_rows *rows, struct prodd_slice target)
{
	for (unsigned i = 0; i < rows->count; i++)
		if (prodd_slice_equal((struct prodd_slice){ rows->rows[i].target, rows->rows[i].size }, target))
			return &rows->rows[i];
	return NULL;
}

static int set_own(struct prodd_levels *levels, struct prodd_slice target, int level)
{
	struct prodd_level_rows before = levels->own, *own = &levels->own;
	struct prodd_level_row *row;

	if (!find(own, target) && own->count == PRODD_LEVEL_ROWS_MAX)
		return -PRODD_E_OVER_LIMIT;
	own->rows = malloc((before.count + 1) * sizeof *own->rows);
	if (!own->rows) {
		*own = before;
		return -PRODD_E_NO_MEMORY;
	}
	if (before.count > 0)
		memcpy(own->rows, before.rows, before.count * sizeof *own->rows);
	row = find(own, target);
	if (row)
		row->level = level;
	else
		insert(own, target, level);
	return put_in_force(levels, own, before);
}

int prodd_levels_own(struct prodd_levels *levels, struct prodd_slice target, int level)
{
	int r;

	pthread_mutex_lock(&levels->lock);
	r = set_own(levels, target, level);
	pthread_mutex_unlock(&levels->lock);
	return r;
}

/* ---- the operators' */

static int read_rows(struct prodd_list list, struct prodd_level_rows *ret, struct prodd_error *e)
{
	struct prodd_iter it = prodd_iter(list);
	struct wire_level_row row;
	int r;

	while ((r = prodd_next(&it, &wire_record_level_row, &row, e)) > 0) {
		int level = record_level_of(row.level);

		if (level < 0)
			return prodd_error_set(e, PRODD_E_USAGE, "no level: \"%.*s\"", PRODD_SLICE(row.level));
		if (!find(ret, row.target))
			insert(ret, row.target, level);
	}
	return r;
}

int prodd_levels_operators(struct prodd_levels *levels, struct prodd_list list, struct prodd_error *e)
{
	struct prodd_level_rows rows = { calloc(list.count + 1, sizeof *rows.rows), 0 }, before;
	int r;

	if (!rows.rows)
		return prodd_error_set(e, PRODD_E_NO_MEMORY, "levels");
	r = read_rows(list, &rows, e);
	if (r < 0) {
		free(rows.rows);
		return r;
	}
	pthread_mutex_lock(&levels->lock);
	before = levels->operators;
	levels->operators = rows;
	r = put_in_force(levels, &levels->operators, before);
	pthread_mutex_unlock(&levels->lock);
	return r < 0 ? prodd_error_set(e, PRODD_E_NO_MEMORY, "levels") : 0;
}

/* ---- life */

void prodd_levels_init(struct prodd_levels *levels, struct prodd_threshold *threshold)
{
	*levels = (struct prodd_levels){ .threshold = threshold };
	pthread_mutex_init(&levels->lock, NULL);
	__atomic_store_n(&threshold->level, PRODD_INFO, __ATOMIC_RELAXED);
}

void prodd_levels_forked(struct prodd_levels *levels)
{
	pthread_mutex_init(&levels->lock, NULL);
}

void prodd_levels_clear(struct prodd_levels *levels)
{
	free(prodd_current_set(&levels->table, NULL));
	free(levels->own.rows);
	free(levels->operators.rows);
	pthread_mutex_destroy(&levels->lock);
}
