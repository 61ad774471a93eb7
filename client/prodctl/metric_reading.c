/* SPDX-License-Identifier: Apache-2.0 */
/* Rows come in pages and are kept as they came; nothing is believed of their order, or that values have their type. */
#include "client/prodctl/metric_reading.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "client/prodctl/moment.h"
#include "client/prodctl/value.h"

enum { buckets_max = 512, pages_max = 100000 };

/* ---- taking */

static bool is(struct prodd_slice type, const char *word)
{
	return prodd_slice_is(type, word);
}

static int compare_rows(const struct wire_metric_row *a, const struct wire_metric_row *b)
{
	int order = prodd_slice_compare(a->app, b->app);

	if (order == 0)
		order = prodd_slice_compare(a->name, b->name);
	return order ? order : prodd_slice_compare(a->labels, b->labels);
}

static int compare(const void *a, const void *b)
{
	return compare_rows(*(const struct wire_metric_row *const *)a, *(const struct wire_metric_row *const *)b);
}

static int no_memory(struct prodd_error *e)
{
	return prodd_error_set(e, PRODD_E_NO_MEMORY, "metrics");
}

static int decode(struct metric_reading *reading, struct prodd_error *e)
{
	struct prodd_iter it = prodd_iter(prodd_list(&reading->bytes, reading->count));
	uint32_t taken = 0;

	reading->rows = calloc(reading->count + 1, sizeof *reading->rows);
	reading->sorted = calloc(reading->count + 1, sizeof *reading->sorted);
	if (!reading->rows || !reading->sorted)
		return no_memory(e);
	while (taken < reading->count && prodd_next(&it, &wire_record_metric_row, &reading->rows[taken], e) > 0) {
		reading->sorted[taken] = &reading->rows[taken];
		taken++;
	}
	reading->count = taken;
	qsort(reading->sorted, taken, sizeof *reading->sorted, compare);
	return 0;
}

static int add_page(struct metric_reading *reading, const struct wire_metrics_page *page, struct prodd_error *e)
{
	if (prodd_buffer_append(&reading->bytes, page->rows.at, page->rows.size) == 0) {
		reading->count += page->rows.count;
		return 0;
	}
	if (reading->bytes.failed == -PRODD_E_NO_MEMORY)
		return no_memory(e);
	return prodd_error_set(e, PRODD_E_TOO_LARGE, "more metrics than can be shown; name an app or a pattern");
}

int metric_reading_take(struct metric_reading *ret, struct prodctl *p, const struct wire_metrics_request *request,
			struct prodd_error *e)
{
	struct wire_metrics_request next = *request;
	struct wire_metrics_page page;
	char after[1025] = "";
	int r;

	*ret = (struct metric_reading){ .bytes.limit = METRIC_READING_MAX };
	for (int pages = 0; pages < pages_max; pages++) {
		r = prodctl_ask(p, WIRE_M_metrics, &next, &page, e);
		if (r == 0)
			r = add_page(ret, &page, e);
		if (r < 0)
			return r;
		if (page.next.size == 0 || page.rows.count == 0)
			break;
		snprintf(after, sizeof after, "%.*s", PRODD_SLICE(page.next));
		next.after = prodd_slice(after);
	}
	ret->at_ms = moment_monotonic_ms();
	ret->wall_ms = moment_now_ms();
	return decode(ret, e);
}

void metric_reading_clear(struct metric_reading *reading)
{
	prodd_buffer_clear(&reading->bytes);
	free(reading->rows);
	free(reading->sorted);
	*reading = (struct metric_reading){ 0 };
}

const struct wire_metric_row *metric_reading_find(const struct metric_reading *reading,
						  const struct wire_metric_row *row)
{
	const struct wire_metric_row **found = NULL;

	if (reading->count > 0)
		found = bsearch(&row, reading->sorted, reading->count, sizeof *reading->sorted, compare);
	return found ? *found : NULL;
}

/* ---- values */

struct buckets {
	unsigned count;			/* of counts; one less of bounds */
	double bounds[buckets_max];
	double counts[buckets_max];
	double all;
};

static bool read_numbers(struct prodd_slice value, double *ret, unsigned *ret_count)
{
	struct prodd_cursor cursor = prodd_cursor(value);
	uint32_t count;

	if (!prodd_cursor_array(&cursor, &count) || count > buckets_max)
		return false;
	for (uint32_t i = 0; i < count; i++)
		if (!prodd_cursor_float(&cursor, &ret[i]))
			return false;
	*ret_count = count;
	return true;
}

static bool read_buckets(const struct wire_metric_row *row, struct buckets *ret)
{
	unsigned bounds;

	ret->all = 0;
	if (!read_numbers(row->bounds, ret->bounds, &bounds) || !read_numbers(row->counts, ret->counts, &ret->count) ||
	    ret->count != bounds + 1)
		return false;
	for (unsigned i = 0; i < ret->count; i++)
		ret->all += ret->counts[i];
	return true;
}

bool metric_value(const struct wire_metric_row *row, double *ret)
{
	struct prodd_cursor cursor = prodd_cursor(row->value);
	struct buckets buckets;

	if (!is(row->type, "histogram"))
		return prodd_cursor_float(&cursor, ret);
	if (!read_buckets(row, &buckets))
		return false;
	*ret = buckets.all;
	return true;
}

void metric_value_text(const struct wire_metric_row *row, char *ret, size_t size)
{
	struct prodd_cursor cursor = prodd_cursor(row->value);
	char text[VALUE_FLOAT_MAX];
	uint64_t whole;
	double value;

	if (!is(row->type, "histogram") && prodd_cursor_uint(&cursor, &whole)) {
		snprintf(ret, size, "%" PRIu64, whole);
	} else if (!metric_value(row, &value)) {
		snprintf(ret, size, "?");
	} else if (fabs(value) < 1e15 && value == floor(value)) {
		snprintf(ret, size, "%.0f", value);
	} else {
		value_format_float(value, text);
		snprintf(ret, size, "%s", text);
	}
}

/* ---- quantiles */

static void subtract(struct buckets *from, const struct buckets *before)
{
	from->all = 0;
	for (unsigned i = 0; i < from->count; i++) {
		if (before->count == from->count && before->counts[i] <= from->counts[i])
			from->counts[i] -= before->counts[i];
		from->all += from->counts[i];
	}
}

/* Where in bucket `i` the rank falls, `below` observations being in those before it. */
static double interpolate(const struct buckets *b, unsigned i, double below, double rank)
{
	double low, high;

	if (i == b->count - 1)
		return i > 0 ? b->bounds[i - 1] : INFINITY;	/* above all bounds nothing more is known */
	high = b->bounds[i];
	if (i == 0 && high <= 0)
		return high;
	low = i > 0 ? b->bounds[i - 1] : 0;
	return low + (high - low) * (rank - below) / b->counts[i];
}

bool metric_quantile(const struct wire_metric_row *row, const struct wire_metric_row *before, double q, double *ret)
{
	struct buckets b, past;
	double below = 0, rank;

	if (!read_buckets(row, &b))
		return false;
	if (before && read_buckets(before, &past))
		subtract(&b, &past);
	rank = q * b.all;
	for (unsigned i = 0; i < b.count && b.all > 0; i++) {
		if (b.counts[i] > 0 && below + b.counts[i] >= rank) {
			*ret = interpolate(&b, i, below, rank);
			return true;
		}
		below += b.counts[i];
	}
	return false;
}
