/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Each word of shared memory is loaded once.  `last` only grows, so that a
 * series over its bindings does.
 */
#include "daemon/metric/binding.h"

#include <math.h>
#include <stdlib.h>

#include "daemon/core/counters.h"
#include "daemon/util/clock.h"

#define COUNT_MAX ((uint64_t)INT64_MAX)	/* no cell has counted more in a boot */

size_t binding_bytes(const struct family *family)
{
	return sizeof(struct binding) + family_words(family) * sizeof(uint64_t);
}

struct binding *binding_new(struct series *series, struct attachment *owner)
{
	struct binding *binding = calloc(1, binding_bytes(series->family));

	if (!binding)
		return NULL;
	binding->series = series;
	binding->owner = owner;
	return binding;
}

struct binding *binding_free(struct binding *binding)
{
	if (!binding)
		return NULL;
	free(binding->more);
	free(binding);
	return NULL;
}

bool binding_place(struct binding *binding, uint32_t cell)
{
	uint32_t *more;

	if (binding->places == 0) {
		binding->cell = cell;
		binding->places = 1;
		return true;
	}
	if (binding->places == BINDING_CELLS_MAX)
		return false;
	more = realloc(binding->more, binding->places * sizeof *more);
	if (!more)
		return false;
	more[binding->places - 1] = cell;
	binding->more = more;
	binding->places++;
	return true;
}

static uint32_t place(const struct binding *binding, unsigned i)
{
	return i == 0 ? binding->cell : binding->more[i - 1];
}

static uint64_t load(const struct segment *s, uint32_t cell, uint32_t shard)
{
	return atomic_load_explicit(segment_cell(s, cell) + (uint64_t)shard * s->cells, memory_order_relaxed);
}

/* ---- counts */

/* Sum over places and shards of the word `at` cells behind the first. False: more than anything can have
 * counted. */
static bool sum_counts(const struct binding *binding, const struct segment *s, unsigned at, uint64_t *ret)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < binding->places; i++)
		for (uint32_t shard = 0; shard < s->shards; shard++) {
			uint64_t count = load(s, place(binding, i) + at, shard);

			if (count > COUNT_MAX || sum > COUNT_MAX - count)
				return false;
			sum += count;
		}
	*ret = sum;
	return true;
}

static void store(struct binding *binding, unsigned at, uint64_t value, struct ledger *ledger)
{
	if (binding->last[at] == value)
		return;
	binding->last[at] = value;
	ledger_put(ledger, &binding->slot, at, value);
}

static void read_count(struct binding *binding, const struct segment *s, unsigned at, struct ledger *ledger)
{
	uint64_t sum;

	if (!sum_counts(binding, s, at, &sum))
		counters.metric_readings_wrong++;
	else if (sum < binding->last[at])
		counters.metric_readings_lower++;
	else
		store(binding, at, sum, ledger);
}

/* ---- a histogram's sum */

/* With no bucket below 0 the sum is told as something that grows; so it must. */
static bool sum_grows(const struct family *family)
{
	return family->is.bucket_count == 0 || family->is.buckets[0] >= 0;
}

static void take_sum(struct binding *binding, unsigned at, double sum, struct ledger *ledger)
{
	if (!isfinite(sum))
		counters.metric_readings_wrong++;
	else if (sum_grows(binding->series->family) && sum < series_double(binding->last[at]))
		counters.metric_readings_lower++;
	else
		store(binding, at, series_bits(sum), ledger);
}

static void read_sum(struct binding *binding, const struct segment *s, unsigned at, struct ledger *ledger)
{
	double sum = 0;

	for (unsigned i = 0; i < binding->places; i++)
		for (uint32_t shard = 0; shard < s->shards; shard++)
			sum += series_double(load(s, place(binding, i) + at, shard));
	take_sum(binding, at, sum, ledger);
}

/* ---- a gauge */

/* Its own last[1] is 0 until it was set. A time to come is as good as now. */
static void read_gauge(struct binding *binding, const struct segment *s)
{
	uint64_t now_ns = clock_monotonic_us() * 1000 + 999, latest = 0;
	double value = 0;

	for (unsigned i = 0; i < binding->places; i++) {
		uint64_t set_ns = load(s, place(binding, i) + 1, 0);
		double one = series_double(load(s, place(binding, i), 0));

		if (set_ns == 0)
			continue;
		set_ns = set_ns > now_ns ? now_ns : set_ns;
		if (isnan(one)) {
			counters.metric_readings_wrong++;
			continue;
		}
		value = latest ? series_combine(binding->series->family->is.mode, value, one, set_ns > latest)
			       : one;
		latest = set_ns > latest ? set_ns : latest;
	}
	if (latest == 0 || isnan(value))
		return;
	binding->last[0] = series_bits(value);
	binding->last[1] = latest;
}

/* ---- */

void binding_read(struct binding *binding, const struct segment *segment, struct ledger *ledger)
{
	const struct family *family = binding->series->family;
	unsigned counts = family->is.type == SEGMENT_COUNTER ? 1 : family->is.bucket_count + 1;

	if (binding->places == 0)
		return;
	if (family->is.type == SEGMENT_GAUGE) {
		read_gauge(binding, segment);
		return;
	}
	for (unsigned i = 0; i < counts; i++)
		read_count(binding, segment, i, ledger);
	if (family->is.type == SEGMENT_HISTOGRAM)
		read_sum(binding, segment, counts, ledger);
}

void binding_count(struct binding *binding, unsigned bucket, uint64_t more, struct ledger *ledger)
{
	store(binding, bucket, series_add(binding->last[bucket], more), ledger);
}

void binding_sum(struct binding *binding, double more, struct ledger *ledger)
{
	unsigned at = binding->series->family->is.bucket_count + 1;

	take_sum(binding, at, series_double(binding->last[at]) + more, ledger);
}

void binding_observe(struct binding *binding, double value, struct ledger *ledger)
{
	const struct segment_family *is = &binding->series->family->is;
	unsigned bucket = 0;

	while (bucket < is->bucket_count && value > is->buckets[bucket])
		bucket++;
	binding_count(binding, bucket, 1, ledger);
	binding_sum(binding, value, ledger);
}
