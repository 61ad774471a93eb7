/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A series is put in front of its chain when it is complete; who looks needs
 * no lock.  Who did not find it looks once more under the lock, and adds it.
 */
#include "client/metric_series.h"

#include <stdlib.h>

/* ---- looking */

/* Eight bytes at a time, multiplied by a number of splitmix64's. Values come from the program: no secret is
 * needed, since the number of series is bounded. */
static uint64_t mix(uint64_t hash, uint64_t word)
{
	hash = (hash ^ word) * UINT64_C(0xbf58476d1ce4e5b9);
	return hash ^ hash >> 29;
}

/* Up to 7 bytes as a number; two pieces may overlap, as in wyhash (Wang Yi, 2019). */
static uint64_t rest_of(const char *at, size_t size)
{
	uint32_t first, last;

	if (size >= 4) {
		memcpy(&first, at, 4);
		memcpy(&last, at + size - 4, 4);
		return (uint64_t)first << 32 | last;
	}
	if (size == 0)
		return 0;
	return (uint64_t)(unsigned char)at[0] << 16 | (uint64_t)(unsigned char)at[size / 2] << 8 |
	       (unsigned char)at[size - 1];
}

static uint64_t hash_text(uint64_t hash, struct prodd_slice text)
{
	const char *at = text.at;
	size_t left = text.size;
	uint64_t word;

	for (; left >= 8; at += 8, left -= 8) {
		memcpy(&word, at, 8);
		hash = mix(hash, word);
	}
	return mix(hash, rest_of(at, left) ^ (uint64_t)text.size << 55);
}

static uint64_t hash_of(const struct prodd_family *family, const struct prodd_slice *values)
{
	uint64_t hash = family->number;

	for (unsigned i = 0; i < family->is.label_count; i++)
		hash = hash_text(hash, values[i]);
	return hash;
}

static bool has_values(const struct prodd_series *series, const struct prodd_slice *values)
{
	for (unsigned i = 0; i < series->family->is.label_count; i++)
		if (!prodd_slice_equal(series->values[i], values[i]))
			return false;
	return true;
}

static struct prodd_series *find(const struct prodd_family *family, const struct prodd_slice *values,
				 uint64_t hash)
{
	struct prodd_series *series = atomic_load_explicit(
		&family->metrics->chains[hash % PRODD_SERIES_CHAINS], memory_order_acquire);

	for (; series; series = atomic_load_explicit(&series->next, memory_order_relaxed))
		if (series->hash == hash && series->family == family && has_values(series, values))
			return series;
	return NULL;
}

/* ---- making one */

void prodd_series_bind(struct prodd_series *series, uint64_t *cell, size_t stride, unsigned shards,
		       uint64_t *not_a_number)
{
	const struct segment_family *is = &series->family->is;
	struct prodd_counter counter = { .cell = (char *)cell, .stride = stride, .mask = shards - 1 };

	if (is->type == SEGMENT_GAUGE)
		series->handle.gauge = (struct prodd_gauge){ cell, cell + 1, not_a_number };
	else if (is->type == SEGMENT_HISTOGRAM)
		series->handle.histogram =
			(struct prodd_histogram){ counter, is->buckets, is->bucket_count, not_a_number };
	else
		series->handle.counter = counter;
}

/* `values` NULL: it has none. */
static struct prodd_series *series_new(struct prodd_family *family, const struct prodd_slice *values)
{
	unsigned count = values ? family->is.label_count : 0;
	struct prodd_series *series;
	struct prodd_slice *kept;
	size_t size = 0;
	char *to;

	for (unsigned i = 0; i < count; i++)
		size += values[i].size;
	series = calloc(1, sizeof *series + count * sizeof *values + size);
	if (!series)
		return NULL;
	series->family = family;
	kept = (struct prodd_slice *)(series + 1);
	to = (char *)(kept + count);
	for (unsigned i = 0; i < count; i++) {
		kept[i] = (struct prodd_slice){ to, values[i].size };
		memcpy(to, values[i].at, values[i].size);
		to += values[i].size;
	}
	series->values = values ? kept : NULL;
	return series;
}

void prodd_series_link(struct prodd_metrics *m, struct prodd_series *series)
{
	_Atomic(struct prodd_series *) *chain = &m->chains[series->hash % PRODD_SERIES_CHAINS];

	atomic_store_explicit(&series->next, atomic_load_explicit(chain, memory_order_relaxed),
			      memory_order_relaxed);
	atomic_store_explicit(chain, series, memory_order_release);
}

void prodd_series_unlink(struct prodd_metrics *m)
{
	for (unsigned i = 0; i < PRODD_SERIES_CHAINS; i++)
		atomic_store_explicit(&m->chains[i], NULL, memory_order_relaxed);
}

/* A series with cells, in no list yet. NULL: *e says why. */
static struct prodd_series *place(struct prodd_family *family, const struct prodd_slice *values,
				  uint64_t hash, struct prodd_error *e)
{
	struct segment *segment = &family->metrics->segment.segment;
	struct prodd_series *series = series_new(family, values);
	int64_t cell;

	if (!series) {
		prodd_error_set(e, PRODD_E_NO_MEMORY, "a series of %.*s", PRODD_SLICE(family->is.name));
		return NULL;
	}
	cell = segment_add_series(segment, family->number, &family->is, values);
	if (cell < 0) {
		free(series);
		prodd_error_set(e, PRODD_E_OVER_LIMIT, "memory for metrics is full");
		return NULL;
	}
	series->hash = hash;
	series->cell = (uint32_t)cell;
	prodd_series_bind(series, (uint64_t *)(void *)segment_cell(segment, series->cell),
			  segment_stride(segment), segment->shards,
			  (uint64_t *)(void *)&segment->head->not_a_number);
	return series;
}

static struct prodd_series *add(struct prodd_family *family, const struct prodd_slice *values, uint64_t hash,
				struct prodd_error *e)
{
	struct prodd_series *series = place(family, family->is.label_count > 0 ? values : NULL, hash, e);

	if (!series)
		return NULL;
	family->metrics->series_count++;
	prodd_metrics_append(family->metrics, &series->entry);
	prodd_series_link(family->metrics, series);
	return series;
}

/* ---- over a limit */

static struct prodd_series *dead_of(struct prodd_family *family)
{
	return &family->metrics->dead[family->is.type].series;
}

/* Where the family counts what cannot have a series of its own. */
static struct prodd_series *overflow_of(struct prodd_family *family)
{
	struct prodd_series *series = atomic_load_explicit(&family->overflow, memory_order_acquire);
	struct prodd_error e;

	if (series)
		return series;
	if (family->is.label_count == 0)
		return dead_of(family);
	series = place(family, NULL, 0, &e);
	if (!series)
		return NULL;
	series->is_overflow = true;
	prodd_metrics_append(family->metrics, &series->entry);
	atomic_store_explicit(&family->overflow, series, memory_order_release);
	return series;
}

/* Under the lock: whether a series with these values may be added. */
static int check(const struct prodd_family *family, const struct prodd_slice *values, struct prodd_error *e)
{
	int r = segment_check_values(&family->is, values, e);

	if (r == 0 && family->metrics->series_count >= PRODD_SERIES_MAX)
		r = prodd_error_set(e, PRODD_E_OVER_LIMIT, "there are %u series already", PRODD_SERIES_MAX);
	return r;
}

static struct prodd_series *find_or_add(struct prodd_family *family, const struct prodd_slice *values,
					uint64_t hash, struct prodd_error *e)
{
	struct prodd_series *series = find(family, values, hash);

	if (!series && check(family, values, e) == 0)
		series = add(family, values, hash, e);
	if (series || e->code == PRODD_E_NO_MEMORY)
		return series;
	prodd_metric_segment_count(&family->metrics->segment.segment.head->refused);
	return overflow_of(family);
}

static struct prodd_series *find_locked(struct prodd_family *family, const struct prodd_slice *values,
					uint64_t hash)
{
	struct prodd_metrics *m = family->metrics;
	struct prodd_error e = { 0 };
	struct prodd_series *series;

	pthread_mutex_lock(&m->lock);
	series = find_or_add(family, values, hash, &e);
	pthread_mutex_unlock(&m->lock);
	if (e.code)
		prodd_messages_say_once(m->messages, LOG_WARNING, "metric %.*s: a series %s: %s",
					PRODD_SLICE(family->is.name),
					series && series->is_overflow ? "counts as overflow=\"true\"" :
									"counts into nothing",
					e.text);
	return series;
}

struct prodd_series *prodd_series_of(struct prodd_family *family, const char *const *values, size_t count)
{
	struct prodd_slice slices[SEGMENT_LABELS_MAX];
	struct prodd_series *series;
	uint64_t hash;

	if (family->dead)
		return dead_of(family);
	if (count != family->is.label_count) {
		prodd_messages_say_once(family->metrics->messages, LOG_ERR,
					"metric %.*s counts into nothing: %zu values for %u labels",
					PRODD_SLICE(family->is.name), count, family->is.label_count);
		return dead_of(family);
	}
	for (size_t i = 0; i < count; i++)
		slices[i] = prodd_slice(values[i] ? values[i] : "");
	hash = hash_of(family, slices);
	series = find(family, slices, hash);
	return series ? series : find_locked(family, slices, hash);
}
