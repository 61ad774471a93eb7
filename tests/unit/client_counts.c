/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/client_counts.h"

#include <stdio.h>

#include "client/metric_value.h"
#include "tests/unit/client_suite.h"

struct walk {
	struct segment s;
	unsigned char copy[SEGMENT_ENTRY_MAX];
	struct segment_read read;
};

static bool begin(struct walk *w, struct prodd *p)
{
	const struct prodd_region *region = &p->metrics->segment.region;
	struct prodd_error e;
	uint8_t uuid[16];

	if (!region->at)
		return false;
	ck_assert_msg(segment_attach(&w->s, region->at, region->size, uuid, &e) == 0, "%s", e.text);
	return true;
}

static bool next(struct walk *w)
{
	struct prodd_error e;
	int r = segment_next(&w->s, w->copy, &w->read, &e);

	ck_assert_msg(r >= 0, "%s", e.text);
	return r > 0;
}

static uint64_t word(const struct walk *w, uint32_t cell, uint32_t shard)
{
	return atomic_load(segment_cell(&w->s, cell) + (uint64_t)shard * w->s.cells);
}

static void read_cells(const struct walk *w, struct count *c)
{
	uint32_t first = w->read.entry.cell, count = w->read.entry.count;

	if (c->family.type == SEGMENT_GAUGE) {
		c->value = prodd_double_of(word(w, first, 0));
		c->set_ns = word(w, first + 1, 0);
		return;
	}
	for (uint32_t shard = 0; shard < w->s.shards; shard++) {
		for (uint32_t i = 0; i < count; i++)
			c->cells[i] += word(w, first + i, shard);
		c->value += prodd_double_of(word(w, first + count - 1, shard));
	}
}

static bool has(const struct walk *w, const char *const *values, bool overflow)
{
	unsigned count = 0;

	if (overflow)
		return w->read.entry.labels == 0;
	for (; count < counts_values_max && values && values[count]; count++)
		if (count >= w->read.entry.labels || !prodd_slice_is(w->read.values[count], values[count]))
			return false;
	return count == w->read.entry.labels;
}

struct count count_of(struct prodd *p, const char *name, const char *const values[counts_values_max],
		      bool overflow)
{
	struct count c = { .found = false };
	struct walk w;
	int64_t number = -1;

	if (!begin(&w, p))
		return c;
	while (next(&w)) {
		if (w.read.entry.kind == SEGMENT_FAMILY && prodd_slice_is(w.read.family.name, name)) {
			number = w.read.entry.family;
			c.family = w.read.family;
		}
		if (w.read.entry.kind != SEGMENT_SERIES || w.read.entry.family != number ||
		    !has(&w, values, overflow))
			continue;
		ck_assert_msg(!c.found, "%s is there twice", name);
		c.found = true;
		ck_assert(segment_suits(&w.read.entry, &c.family));
		read_cells(&w, &c);
	}
	return c;
}

uint64_t counted(struct prodd *p, const char *name)
{
	return count_of(p, name, NULL, false).cells[0];
}

uint64_t counted_in_all(struct prodd *p, const char *name)
{
	int64_t number = -1;
	uint64_t sum = 0;
	struct walk w;

	if (!begin(&w, p))
		return 0;
	while (next(&w))
		if (w.read.entry.kind == SEGMENT_FAMILY)
			number = prodd_slice_is(w.read.family.name, name) ? w.read.entry.family : number;
		else
			for (uint32_t i = 0; i < w.s.shards && w.read.entry.family == number; i++)
				sum += word(&w, w.read.entry.cell, i);
	return sum;
}

unsigned count_series(struct prodd *p)
{
	unsigned count = 0;
	struct walk w;

	if (begin(&w, p))
		while (next(&w))
			count += w.read.entry.kind == SEGMENT_SERIES;
	return count;
}

void say_to(int priority, const char *text, void *arg)
{
	struct said *said = arg;

	(void)priority;
	said->lines++;
	snprintf(said->last, sizeof said->last, "%s", text);
}
