/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The method `metrics`: prodd's own rows first, then the apps' by name, a page
 * at a time. `next` says where the page ended: "APP NAME COUNT", COUNT being
 * the samples of that metric that were given; APP "-" for prodd's own.
 */
#include <fnmatch.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "daemon/metric/metric.h"
#include "daemon/util/container.h"
#include "proto/codec.h"

#define PAGE_ROWS 500u		/* well under a turn of the loop */
#define PAGE_BYTES (1024u * 1024)
#define OWN "-"

struct query {
	struct prodd_slice after_app;	/* "": from the beginning */
	struct prodd_slice after_name;
	uint64_t after_count;
	char pattern[260];		/* "": all */
	struct prodd_buffer rows;
	uint32_t count;
	char next[512];			/* "": all was given */
};

/* ---- what is wanted */

static void read_pattern(struct query *q, struct prodd_slice pattern)
{
	bool plain = pattern.size > 0 && !memchr(pattern.at, '*', pattern.size) &&
		     !memchr(pattern.at, '?', pattern.size);

	snprintf(q->pattern, sizeof q->pattern, plain ? "*%.*s*" : "%.*s", PRODD_SLICE(pattern));
}

static struct prodd_slice word(struct prodd_slice *text)
{
	const char *space = text->size ? memchr(text->at, ' ', text->size) : NULL;
	struct prodd_slice first = { text->at, space ? (size_t)(space - text->at) : text->size };
	size_t skipped = first.size + (space != NULL);

	*text = (struct prodd_slice){ text->at + skipped, text->size - skipped };
	return first;
}

static int read_request(struct query *q, const struct wire_metrics_request *request, struct prodd_error *e)
{
	struct prodd_slice after = request->after;
	char number[24];

	read_pattern(q, request->pattern);
	if (after.size == 0)
		return 0;
	q->after_app = word(&after);
	q->after_name = word(&after);
	snprintf(number, sizeof number, "%.*s", PRODD_SLICE(after));
	q->after_count = strtoull(number, NULL, 10);
	return q->after_name.size ? 0 : prodd_error_set(e, PRODD_E_USAGE, "after: not the `next` of a page");
}

static bool matches(const struct query *q, struct prodd_slice name)
{
	char text[SEGMENT_NAME_MAX + 1];

	snprintf(text, sizeof text, "%.*s", PRODD_SLICE(name));
	return !*q->pattern || fnmatch(q->pattern, text, FNM_NOESCAPE) == 0;
}

/* ---- rows */

static void pack_buckets(const struct metric_sample *sample, struct prodd_buffer *bounds,
			 struct prodd_buffer *counts)
{
	prodd_pack_array(bounds, sample->bound_count);
	for (unsigned i = 0; i < sample->bound_count; i++)
		prodd_pack_float(bounds, sample->bounds[i]);
	prodd_pack_array(counts, sample->bound_count + 1);
	for (unsigned i = 0; i <= sample->bound_count; i++)
		prodd_pack_uint(counts, sample->buckets[i]);
}

static void add_row(struct query *q, struct prodd_slice app, const struct metric_family *family,
		    const struct metric_sample *sample)
{
	static const char *const types[] = { [METRIC_COUNTER] = "counter", [METRIC_GAUGE] = "gauge",
					     [METRIC_HISTOGRAM] = "histogram" };
	prodd_auto_buffer value = { 0 };
	prodd_auto_buffer bounds = { 0 };
	prodd_auto_buffer counts = { 0 };
	struct wire_metric_row row = {
		.app = app,
		.name = family->name,
		.type = prodd_slice(types[family->type]),
		.help = family->help,
		.labels = sample->labels,
		.created_ms = sample->created_ns / 1000000,
	};

	if (family->type == METRIC_COUNTER && !sample->real)
		prodd_pack_uint(&value, sample->count);
	else
		prodd_pack_float(&value, sample->value);
	row.value = prodd_buffer_slice(&value);
	if (family->type == METRIC_HISTOGRAM) {
		pack_buckets(sample, &bounds, &counts);
		row.bounds = prodd_buffer_slice(&bounds);
		row.counts = prodd_buffer_slice(&counts);
	}
	prodd_encode_element(&q->rows, &q->count, &wire_record_metric_row, &row);
}

/* False: the page is full. */
static bool add_family(struct query *q, struct metric_walk *walk, struct prodd_slice app,
		       const struct metric_family *family, uint64_t skip)
{
	const struct metric_source_ops *ops = walk->source->ops;
	struct metric_sample sample;

	for (uint64_t given = 0; ops->sample(walk, &sample); given++) {
		if (given < skip)
			continue;
		if (q->count == PAGE_ROWS || q->rows.size > PAGE_BYTES) {
			struct prodd_slice whose = app.size ? app : prodd_slice(OWN);

			snprintf(q->next, sizeof q->next, "%.*s %.*s %" PRIu64, PRODD_SLICE(whose),
				 PRODD_SLICE(family->name), given);
			return false;
		}
		add_row(q, app, family, &sample);
	}
	return true;
}

/* `app` "": prodd's own. False: the page is full, or there is no memory. */
static bool add_source(struct query *q, struct metric_source *source, struct prodd_slice app, bool resumed)
{
	struct metric_walk *walk = source->ops->begin(source, app);
	struct metric_family family;
	bool more = walk != NULL;

	while (more && source->ops->family(walk, &family)) {
		int order = resumed ? prodd_slice_compare(family.name, q->after_name) : 1;

		if (order >= 0 && matches(q, family.name))
			more = add_family(q, walk, app, &family, order == 0 ? q->after_count : 0);
	}
	if (!walk)
		return false;
	source->ops->sync(walk);
	source->ops->end(walk);
	return more;
}

static int by_name(const void *left, const void *right)
{
	return strcmp((*(struct registry *const *)left)->name, (*(struct registry *const *)right)->name);
}

static void add_apps(struct query *q, struct metric *metric)
{
	unsigned count = HASH_COUNT(metric->registries), i = 0;
	struct registry **all = calloc(count + 1, sizeof(struct registry *));
	struct registry *registry, *next;
	bool more = all != NULL;

	if (!all)
		return;
	HASH_ITER(hh, metric->registries, registry, next)
		all[i++] = registry;
	qsort(all, count, sizeof(struct registry *), by_name);
	for (i = 0; i < count && more; i++) {
		struct prodd_slice name = prodd_slice(all[i]->name);
		bool own = prodd_slice_is(q->after_app, OWN);
		int order = q->after_app.size && !own ? prodd_slice_compare(name, q->after_app) : 1;

		if (order >= 0)
			more = add_source(q, &metric->source, name, order == 0);
	}
	free(all);
}

void metric_query_call(struct handler *handler, struct call *call, const void *params)
{
	struct metric *metric = container_of(handler, struct metric, query);
	const struct wire_metrics_request *request = params;
	struct query q = { 0 };
	struct prodd_error e;
	bool own;

	if (read_request(&q, request, &e) < 0) {
		call_fail(call, &e);
		return;
	}
	own = prodd_slice_is(q.after_app, OWN);
	if (request->app.size)
		add_source(&q, &metric->source, request->app, q.after_app.size > 0);
	else if (!metric->own || (q.after_app.size && !own) ||
		 add_source(&q, metric->own, (struct prodd_slice){ 0 }, own))
		add_apps(&q, metric);
	call_answer(call, &(struct wire_metrics_page){
				  .rows = prodd_list(&q.rows, q.count), .next = prodd_slice(q.next),
			  });
	prodd_buffer_clear(&q.rows);
}
