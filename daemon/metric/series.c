/* SPDX-License-Identifier: Apache-2.0 */
/* One allocation: folded words, then the two texts. */
#include "daemon/metric/series.h"

#include <math.h>
#include <stdlib.h>

struct series *series_new(struct family *family, struct prodd_slice labels, struct prodd_list values,
			  uint64_t created_ns)
{
	unsigned words = family_words(family);
	size_t bytes = sizeof(struct series) + words * sizeof(uint64_t) + labels.size + values.size;
	struct series *series = calloc(1, bytes);
	char *to;

	if (!series)
		return NULL;
	to = (char *)&series->folded[words];
	series->family = family;
	series->bytes = bytes;
	series->created_ns = created_ns;
	series->shown = NAN;
	LIST_INIT(&series->bindings);
	memcpy(to, labels.at, labels.size);
	series->labels = (struct prodd_slice){ to, labels.size };
	if (values.size)
		memcpy(to + labels.size, values.at, values.size);
	series->values = (struct prodd_list){ to + labels.size, values.size, values.count };
	return series;
}

struct series *series_free(struct series *series)
{
	free(series);
	return NULL;
}

double series_double(uint64_t bits)
{
	double value;

	memcpy(&value, &bits, sizeof value);
	return value;
}

uint64_t series_bits(double value)
{
	uint64_t bits;

	memcpy(&bits, &value, sizeof bits);
	return bits;
}

void series_add_words(const struct family *family, uint64_t *to, const uint64_t *from)
{
	unsigned counts = family->is.type == SEGMENT_COUNTER ? 1 : family->is.bucket_count + 1;

	for (unsigned i = 0; i < counts; i++)
		to[i] = series_add(to[i], from[i]);
	if (family->is.type == SEGMENT_HISTOGRAM)
		to[counts] = series_bits(series_double(to[counts]) + series_double(from[counts]));
}

double series_combine(enum segment_mode mode, double a, double b, bool b_is_later)
{
	switch (mode) {
	case SEGMENT_LAST:
		return b_is_later ? b : a;
	case SEGMENT_MIN:
		return b < a ? b : a;
	case SEGMENT_MAX:
		return b > a ? b : a;
	default:
		return a + b;
	}
}
