/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The limits of a frame (proto/limits.h) are left with room for the largest
 * family and series that may still be added.
 */
#include "client/metric_batch.h"

#include "client/metric_value.h"
#include "proto/limits.h"

enum { families_max = 256 };
static const size_t bytes_full = PRODD_FRAME_MAX - 32 * 1024;
static const unsigned nodes_full = PRODD_NODES_MAX - 512;

bool prodd_metric_batch_is_full(const struct prodd_metric_batch *b)
{
	return b->nodes >= nodes_full || b->families.size + b->series.size >= bytes_full ||
	       b->family_count >= families_max - 1;
}

void prodd_metric_batch_clear(struct prodd_metric_batch *b)
{
	prodd_buffer_clear(&b->families);
	prodd_buffer_clear(&b->series);
}

/* ---- cells */

static uint64_t word_of(const struct segment *s, uint32_t cell, uint32_t shard)
{
	return atomic_load_explicit(segment_cell(s, cell) + (uint64_t)shard * s->cells, memory_order_relaxed);
}

static uint64_t total_of(const struct segment *s, uint32_t cell)
{
	uint64_t total = 0;

	for (uint32_t shard = 0; shard < s->shards; shard++)
		total += word_of(s, cell, shard);
	return total;
}

static double sum_of(const struct segment *s, uint32_t cell)
{
	double sum = 0;

	for (uint32_t shard = 0; shard < s->shards; shard++)
		sum += prodd_double_of(word_of(s, cell, shard));
	return sum;
}

/* ---- what is new; each packs it and returns true, or returns false */

static bool pack_counter(struct prodd_buffer *value, const struct segment *s, uint32_t cell,
			 const uint64_t *told, uint64_t *sent)
{
	sent[cell] = total_of(s, cell);
	prodd_pack_uint(value, sent[cell] - told[cell]);
	return sent[cell] != told[cell];
}

/* The time first: a value that is set meanwhile is sent by the next push too. */
static bool pack_gauge(struct prodd_buffer *value, const struct segment *s, uint32_t cell,
		       const uint64_t *told, uint64_t *sent)
{
	sent[cell + 1] = atomic_load_explicit(segment_cell(s, cell + 1), memory_order_acquire);
	sent[cell] = word_of(s, cell, 0);
	prodd_pack_float(value, prodd_double_of(sent[cell]));
	return sent[cell + 1] != told[cell + 1];
}

static bool pack_counts(struct prodd_buffer *counts, const struct segment *s, uint32_t cell, uint32_t count,
			const uint64_t *told, uint64_t *sent)
{
	bool news = false;

	prodd_pack_array(counts, count);
	for (uint32_t i = cell; i < cell + count; i++) {
		sent[i] = total_of(s, i);
		prodd_pack_uint(counts, sent[i] - told[i]);
		news |= sent[i] != told[i];
	}
	return news;
}

static bool pack_sum(struct prodd_buffer *value, const struct segment *s, uint32_t cell, const uint64_t *told,
		     uint64_t *sent)
{
	double sum = sum_of(s, cell), news = sum - prodd_double_of(told[cell]);

	sent[cell] = prodd_bits_of(sum);
	prodd_pack_float(value, news == news ? news : 0);
	return sent[cell] != told[cell];
}

/* ---- series and families */

static int check(const struct prodd_buffer *buffer, struct prodd_error *e)
{
	return buffer->failed ? prodd_error_set(e, -buffer->failed, "pushing metrics") : 0;
}

static struct prodd_list pack_texts(struct prodd_buffer *to, const struct prodd_slice *texts, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		prodd_pack_str(to, texts[i]);
	return prodd_list(to, count);
}

static int end_family(struct prodd_metric_batch *b, struct prodd_error *e)
{
	static const char *const types[] = { "", "counter", "gauge", "histogram" };
	static const char *const modes[] = { "last", "sum", "min", "max", "each" };
	const struct segment_family *is = &b->family->is;
	prodd_auto_buffer labels = { 0 }, buckets = { 0 };
	struct wire_push_family family = {
		.name = is->name,
		.type = prodd_slice(types[is->type]),
		.unit = is->unit,
		.help = is->help,
		.labels = pack_texts(&labels, is->labels, is->label_count),
		.series = prodd_list(&b->series, b->series_count),
	};

	if (is->type == SEGMENT_GAUGE)
		family.mode = prodd_slice(modes[is->mode]);
	if (is->type == SEGMENT_HISTOGRAM) {
		prodd_pack_array(&buckets, is->bucket_count);
		for (unsigned i = 0; i < is->bucket_count; i++)
			prodd_pack_float(&buckets, is->buckets[i]);
		family.buckets = prodd_buffer_slice(&buckets);
	}
	if (check(&labels, e) < 0 || check(&buckets, e) < 0)
		return -PRODD_E_NO_MEMORY;
	prodd_encode_element(&b->families, &b->family_count, &wire_record_push_family, &family);
	b->nodes += 20 + is->label_count + is->bucket_count;
	b->family = NULL;
	b->series_count = 0;
	prodd_buffer_reset(&b->series);
	return check(&b->families, e);
}

static int add(struct prodd_metric_batch *b, const struct prodd_series *series, struct wire_push_series *wire,
	       struct prodd_error *e)
{
	const struct segment_family *is = &series->family->is;
	prodd_auto_buffer labels = { 0 };
	int r = b->family && b->family != series->family ? end_family(b, e) : 0;

	if (r < 0)
		return r;
	b->family = series->family;
	if (series->values)
		wire->labels = pack_texts(&labels, series->values, is->label_count);
	prodd_encode_element(&b->series, &b->series_count, &wire_record_push_series, wire);
	b->nodes += 8 + is->label_count + segment_cells(is);
	r = check(&labels, e);
	return r < 0 ? r : check(&b->series, e);
}

int prodd_metric_batch_add(struct prodd_metric_batch *b, const struct segment *segment,
			   const struct prodd_series *series, const uint64_t *told, uint64_t *sent,
			   struct prodd_error *e)
{
	const struct segment_family *is = &series->family->is;
	prodd_auto_buffer value = { 0 }, sum = { 0 };
	struct wire_push_series wire = { .value = { NULL, 0 } };
	uint32_t cell = series->cell, buckets = is->bucket_count + 1;
	bool news;

	if (is->type == SEGMENT_COUNTER)
		news = pack_counter(&value, segment, cell, told, sent);
	else if (is->type == SEGMENT_GAUGE)
		news = pack_gauge(&value, segment, cell, told, sent);
	else
		news = pack_counts(&value, segment, cell, buckets, told, sent) |
		       pack_sum(&sum, segment, cell + buckets, told, sent);
	if (check(&value, e) < 0 || check(&sum, e) < 0)
		return -PRODD_E_NO_MEMORY;
	if (!news)
		return 0;
	if (is->type == SEGMENT_HISTOGRAM)
		wire.counts = prodd_buffer_slice(&value);
	else
		wire.value = prodd_buffer_slice(&value);
	wire.sum = prodd_buffer_slice(&sum);
	return add(b, series, &wire, e);
}

int prodd_metric_batch_end(struct prodd_metric_batch *b, struct wire_metric_push *ret, struct prodd_error *e)
{
	int r = b->family ? end_family(b, e) : 0;

	if (r < 0)
		return r;
	*ret = (struct wire_metric_push){ .families = prodd_list(&b->families, b->family_count) };
	return b->family_count > 0;
}
