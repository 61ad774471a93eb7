/* SPDX-License-Identifier: Apache-2.0 */
/* Series are found by halving; they come seldom, and are walked often. */
#include "daemon/metric/family.h"

#include <stdio.h>
#include <stdlib.h>

#include "daemon/metric/series.h"
#include "proto/codec.h"

/* ---- lifecycle */

static size_t texts_size(const struct segment_family *is)
{
	size_t size = is->name.size + is->unit.size + is->help.size;

	for (unsigned i = 0; i < is->label_count; i++)
		size += is->labels[i].size;
	return size;
}

static void copy_text(struct prodd_slice *text, char **to)
{
	if (text->size)
		memcpy(*to, text->at, text->size);
	text->at = *to;
	*to += text->size;
}

struct family *family_new(struct registry *registry, const struct segment_family *is, const char *by)
{
	struct family *family = calloc(1, sizeof *family);
	size_t size = texts_size(is);
	char *to = malloc(size + 1);

	if (!family || !to) {
		free(family);
		free(to);
		return NULL;
	}
	family->registry = registry;
	family->is = *is;
	family->texts = to;
	family->bytes = sizeof *family + size;
	snprintf(family->by, sizeof family->by, "%s", by);
	copy_text(&family->is.name, &to);
	copy_text(&family->is.unit, &to);
	copy_text(&family->is.help, &to);
	for (unsigned i = 0; i < is->label_count; i++)
		copy_text(&family->is.labels[i], &to);
	return family;
}

struct family *family_free(struct family *family)
{
	if (!family)
		return NULL;
	for (size_t i = 0; i < family->count; i++)
		series_free(family->series[i]);
	free(family->series);
	free(family->texts);
	free(family);
	return NULL;
}

unsigned family_words(const struct family *family)
{
	return family->is.type == SEGMENT_COUNTER ? 1 : family->is.type == SEGMENT_GAUGE ? 2
									    : family->is.bucket_count + 2;
}

/* ---- one declaration beside another */

static const char *const types[] = { [SEGMENT_COUNTER] = "counter", [SEGMENT_GAUGE] = "gauge",
				     [SEGMENT_HISTOGRAM] = "histogram" };
static const char *const modes[] = { [SEGMENT_LAST] = "last", [SEGMENT_SUM] = "sum", [SEGMENT_MIN] = "min",
				     [SEGMENT_MAX] = "max", [SEGMENT_EACH] = "each" };

static bool labels_differ(const struct segment_family *a, const struct segment_family *b)
{
	bool differ = a->label_count != b->label_count;

	for (unsigned i = 0; !differ && i < a->label_count; i++)
		differ = !prodd_slice_equal(a->labels[i], b->labels[i]);
	return differ;
}

static bool buckets_differ(const struct segment_family *a, const struct segment_family *b)
{
	bool differ = a->bucket_count != b->bucket_count;

	for (unsigned i = 0; !differ && i < a->bucket_count; i++)
		differ = series_bits(a->buckets[i]) != series_bits(b->buckets[i]);
	return differ;
}

bool family_differs(const struct segment_family *a, const struct segment_family *b, char *ret, size_t size)
{
	if (a->type != b->type)
		snprintf(ret, size, "type %s, not %s", types[a->type], types[b->type]);
	else if (a->mode != b->mode)
		snprintf(ret, size, "mode %s, not %s", modes[a->mode], modes[b->mode]);
	else if (!prodd_slice_equal(a->unit, b->unit))
		snprintf(ret, size, "unit \"%.*s\", not \"%.*s\"", PRODD_SLICE(a->unit),
			 PRODD_SLICE(b->unit));
	else if (labels_differ(a, b))
		snprintf(ret, size, "other labels");
	else if (buckets_differ(a, b))
		snprintf(ret, size, "other buckets");
	else
		return false;
	return true;
}

/* ---- series */

/* How many have labels that are less, or not greater. */
static size_t place_of(const struct family *family, struct prodd_slice labels, bool after)
{
	size_t low = 0, high = family->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = prodd_slice_compare(family->series[middle]->labels, labels);

		if (order < 0 || (after && order == 0))
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

struct series *family_find(const struct family *family, struct prodd_slice labels)
{
	size_t place = place_of(family, labels, false);

	if (place == family->count || !prodd_slice_equal(family->series[place]->labels, labels))
		return NULL;
	return family->series[place];
}

struct series *family_after(const struct family *family, const struct series *last, size_t *place)
{
	if (!last)
		*place = 0;
	else if (*place < family->count && family->series[*place] == last)
		++*place;
	else
		*place = place_of(family, last->labels, true);
	return *place < family->count ? family->series[*place] : NULL;
}

static bool grow(struct family *family)
{
	size_t room = family->room ? 2 * family->room : 4;
	struct series **series = realloc(family->series, room * sizeof *series);

	if (!series)
		return false;
	family->series = series;
	family->room = room;
	return true;
}

bool family_add(struct family *family, struct series *series)
{
	size_t place = place_of(family, series->labels, false);

	if (family->count == family->room && !grow(family))
		return false;
	memmove(&family->series[place + 1], &family->series[place],
		(family->count - place) * sizeof *family->series);
	family->series[place] = series;
	family->count++;
	return true;
}

void family_remove(struct family *family, struct series *series)
{
	size_t place = place_of(family, series->labels, false);

	family->count--;
	memmove(&family->series[place], &family->series[place + 1],
		(family->count - place) * sizeof *family->series);
	if (family->overflow == series)
		family->overflow = NULL;
}

/* ---- as a record of the wire */

int family_encode(const struct segment_family *is, struct prodd_buffer *b)
{
	prodd_auto_buffer labels = { 0 };
	prodd_auto_buffer buckets = { 0 };

	for (unsigned i = 0; i < is->label_count; i++)
		prodd_pack_str(&labels, is->labels[i]);
	prodd_pack_array(&buckets, is->bucket_count);
	for (unsigned i = 0; i < is->bucket_count; i++)
		prodd_pack_float(&buckets, is->buckets[i]);
	if (labels.failed || buckets.failed)
		return -PRODD_E_NO_MEMORY;
	return prodd_encode(b, &wire_record_push_family,
			    &(struct wire_push_family){
				    .name = is->name,
				    .type = prodd_slice(types[is->type]),
				    .mode = prodd_slice(is->type == SEGMENT_GAUGE ? modes[is->mode] : ""),
				    .unit = is->unit,
				    .help = is->help,
				    .labels = prodd_list(&labels, is->label_count),
				    .buckets = is->bucket_count ? prodd_buffer_slice(&buckets)
								: (struct prodd_slice){ 0 },
			    });
}

/* The number of the word in the table; 0: not in it. */
static unsigned word(const char *const *table, unsigned count, struct prodd_slice text, unsigned first)
{
	for (unsigned i = first; i < count; i++)
		if (prodd_slice_is(text, table[i]))
			return i;
	return count;
}

static int decode_buckets(struct prodd_slice value, struct segment_family *ret, struct prodd_error *e)
{
	struct prodd_cursor cursor = prodd_cursor(value);
	uint32_t count;

	if (!prodd_cursor_array(&cursor, &count) || count > SEGMENT_BUCKETS_MAX)
		return prodd_error_set(e, PRODD_E_USAGE, "buckets: expected an array of at most %u numbers",
				       SEGMENT_BUCKETS_MAX);
	ret->bucket_count = count;
	for (uint32_t i = 0; i < count; i++)
		if (!prodd_cursor_float(&cursor, &ret->buckets[i]))
			return prodd_error_set(e, PRODD_E_USAGE, "buckets: expected numbers");
	return 0;
}

int family_decode(const struct wire_push_family *from, struct segment_family *ret, struct prodd_error *e)
{
	struct prodd_iter labels = prodd_iter(from->labels);
	unsigned type = word(types, sizeof types / sizeof *types, from->type, SEGMENT_COUNTER);
	unsigned mode =
		from->mode.size ? word(modes, sizeof modes / sizeof *modes, from->mode, 0) : SEGMENT_LAST;

	*ret = (struct segment_family){ .name = from->name, .unit = from->unit, .help = from->help };
	if (type == sizeof types / sizeof *types)
		return prodd_error_set(e, PRODD_E_USAGE, "type: expected counter, gauge or histogram");
	if (mode == sizeof modes / sizeof *modes || (mode && type != SEGMENT_GAUGE))
		return prodd_error_set(e, PRODD_E_USAGE,
				       "mode: expected, of a gauge, last, sum, min, max or each");
	ret->type = (enum segment_type)type;
	ret->mode = (enum segment_mode)mode;
	if (from->labels.count > SEGMENT_LABELS_MAX)
		return prodd_error_set(e, PRODD_E_USAGE, "labels: at most %u", SEGMENT_LABELS_MAX);
	while (ret->label_count < SEGMENT_LABELS_MAX &&
	       prodd_next_text(&labels, &ret->labels[ret->label_count]))
		ret->label_count++;
	if (type != SEGMENT_HISTOGRAM)
		return from->buckets.size ? prodd_error_set(e, PRODD_E_USAGE, "buckets: only of a histogram")
					  : 0;
	return from->buckets.size ? decode_buckets(from->buckets, ret, e)
				  : prodd_error_set(e, PRODD_E_USAGE, "buckets: expected of a histogram");
}
