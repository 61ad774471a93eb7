/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The apps' registries as a source of samples.  Segments are read as their
 * series come up; what they say is in the ledger before it is told, so that sync has nothing left to do.
 */
#include <math.h>
#include <stdlib.h>

#include "daemon/metric/labels.h"
#include "daemon/metric/metric.h"
#include "daemon/metric/names.h"
#include "daemon/util/container.h"

#define EACH_MAX 1024u		/* instances of one series of a gauge that is told for each */

/* One instance's gauge. */
struct each {
	char instance[FAMILY_BY_MAX];
	double value;
	uint64_t set_ns;
};

struct walk {
	struct metric_walk walk;
	struct metric *metric;		/* borrowed */
	struct family **families;	/* owned array: by name, then by registry */
	size_t count, room;
	size_t next;			/* the family that comes after this group */
	size_t at;			/* in the group */
	struct series *last;		/* told last, in families[at] */
	size_t place;			/* where it stood there */
	struct each *each;		/* owned: of series `last` */
	unsigned each_count, each_at;
	struct prodd_buffer labels;
	uint64_t words[SERIES_WORDS_MAX];
};

/* ---- families */

static int by_name(const void *left, const void *right)
{
	const struct family *a = *(struct family *const *)left, *b = *(struct family *const *)right;
	int order = prodd_slice_compare(a->is.name, b->is.name);

	return order ? order : strcmp(a->registry->name, b->registry->name);
}

static bool collect(struct walk *w, struct registry *registry, bool hidden_too)
{
	if (w->count + registry->count > w->room) {
		size_t room = 2 * (w->count + registry->count);
		struct family **families = realloc(w->families, room * sizeof *families);

		if (!families)
			return false;
		w->families = families;
		w->room = room;
	}
	for (size_t i = 0; i < registry->count; i++)
		if (hidden_too || !registry->families[i]->hidden)
			w->families[w->count++] = registry->families[i];
	return true;
}

static bool collect_all(struct walk *w, struct prodd_slice app)
{
	struct registry *registry, *next;
	bool good = true;

	HASH_ITER(hh, w->metric->registries, registry, next) {
		bool wanted = app.size == 0 || prodd_slice_is(app, registry->name);

		good = good && (!wanted || collect(w, registry, app.size > 0));
	}
	if (good && w->count > 0)
		qsort(w->families, w->count, sizeof(struct family *), by_name);
	return good;
}

static void end(struct metric_walk *walk)
{
	struct walk *w = container_of(walk, struct walk, walk);
	struct metric *metric = w->metric;

	metric->walks--;
	while (metric->walks == 0 && metric->buried) {
		struct family *family = metric->buried;

		metric->buried = family->next_buried;
		family_free(family);
	}
	prodd_buffer_clear(&w->labels);
	free(w->families);
	free(w->each);
	free(w);
}

static struct metric_walk *begin(struct metric_source *source, struct prodd_slice app)
{
	struct metric *metric = container_of(source, struct metric, source);
	struct walk *w = calloc(1, sizeof *w);

	if (!w)
		return NULL;
	metric_look(metric);
	if (metric->names_changed)
		names_settle(metric);
	w->walk.source = source;
	w->metric = metric;
	metric->walks++;
	if (collect_all(w, app))
		return &w->walk;
	end(&w->walk);
	return NULL;
}

static bool family(struct metric_walk *walk, struct metric_family *ret)
{
	struct walk *w = container_of(walk, struct walk, walk);
	const struct segment_family *is;

	if (w->next == w->count)
		return false;
	w->at = w->next;
	w->last = NULL;
	w->each_count = w->each_at = 0;
	is = &w->families[w->at]->is;
	while (w->next < w->count && prodd_slice_equal(w->families[w->next]->is.name, is->name))
		w->next++;
	*ret = (struct metric_family){ is->name, is->unit, is->help, (enum metric_type)is->type };
	return true;
}

/* ---- samples */

static void read_binding(struct registry *registry, struct binding *binding)
{
	if (binding->owner->state == ATTACHMENT_LIVES)
		binding_read(binding, &binding->owner->segment, &registry->ledger);
}

static void sum_up(struct walk *w, struct registry *registry, struct series *series)
{
	struct binding *binding;

	memcpy(w->words, series->folded, family_words(series->family) * sizeof *w->words);
	LIST_FOREACH(binding, &series->bindings, in_series) {
		if (!registry_tells_binding(registry, binding))
			continue;
		read_binding(registry, binding);
		series_add_words(series->family, w->words, binding->last);
	}
}

static bool count_sample(struct walk *w, struct registry *registry, struct series *series,
			 struct metric_sample *ret)
{
	sum_up(w, registry, series);
	ret->count = w->words[0];
	return true;
}

/* Doubles do not add up the same in every order: what grows is never told less than before. */
static double told_sum(struct registry *registry, struct series *series, double sum)
{
	const struct segment_family *is = &series->family->is;

	if (is->bucket_count > 0 && is->buckets[0] < 0)
		return sum;
	if (sum < series->shown)
		return series->shown;
	if (series_bits(sum) != series_bits(series->shown)) {
		series->shown = sum;
		ledger_put(&registry->ledger, &series->slot, family_words(series->family), series_bits(sum));
	}
	return sum;
}

static bool histogram_sample(struct walk *w, struct registry *registry, struct series *series,
			     struct metric_sample *ret)
{
	const struct segment_family *is = &series->family->is;

	sum_up(w, registry, series);
	for (unsigned i = 0; i <= is->bucket_count; i++)
		ret->count = series_add(ret->count, w->words[i]);
	ret->value = told_sum(registry, series, series_double(w->words[is->bucket_count + 1]));
	ret->buckets = w->words;
	ret->bounds = is->buckets;
	ret->bound_count = is->bucket_count;
	return true;
}

/* 0 when nobody has set it yet; none when nobody lives who could. */
static bool gauge_sample(struct registry *registry, struct series *series, struct metric_sample *ret)
{
	enum segment_mode mode = series->family->is.mode;
	struct binding *binding;
	uint64_t latest = 0;
	bool some = false;

	LIST_FOREACH(binding, &series->bindings, in_series) {
		double value;

		if (!registry_tells_binding(registry, binding))
			continue;
		some = true;
		read_binding(registry, binding);
		if (binding->last[1] == 0)
			continue;
		value = series_double(binding->last[0]);
		ret->value =
			latest ? series_combine(mode, ret->value, value, binding->last[1] > latest) : value;
		latest = binding->last[1] > latest ? binding->last[1] : latest;
	}
	return some;
}

/* ---- gauges of each instance */

/* Two of one name: the one that was set later. */
static struct each *each_of(struct walk *w, const char *instance)
{
	for (unsigned i = 0; i < w->each_count; i++)
		if (strcmp(w->each[i].instance, instance) == 0)
			return &w->each[i];
	if (w->each_count == EACH_MAX)
		return NULL;
	memcpy(w->each[w->each_count].instance, instance, FAMILY_BY_MAX);
	w->each[w->each_count].set_ns = 0;
	w->each[w->each_count].value = 0;
	return &w->each[w->each_count++];
}

static void collect_each(struct walk *w, struct registry *registry, struct series *series)
{
	struct binding *binding;

	w->each_count = w->each_at = 0;
	if (!w->each)
		w->each = calloc(EACH_MAX, sizeof *w->each);
	LIST_FOREACH(binding, &series->bindings, in_series) {
		struct each *each;

		if (!w->each || !registry_tells_binding(registry, binding))
			continue;
		read_binding(registry, binding);
		each = each_of(w, binding->owner->instance);
		if (each && binding->last[1] >= each->set_ns) {
			each->value = series_double(binding->last[0]);
			each->set_ns = binding->last[1];
		}
	}
}

static bool each_sample(struct walk *w, struct metric_sample *ret)
{
	const struct each *each = &w->each[w->each_at++];

	prodd_buffer_reset(&w->labels);
	prodd_buffer_append(&w->labels, w->last->labels.at, w->last->labels.size);
	labels_add(&w->labels, prodd_slice("instance"), prodd_slice(each->instance));
	*ret = (struct metric_sample){ .labels = prodd_buffer_slice(&w->labels), .value = each->value };
	return !w->labels.failed;
}

/* ---- */

static struct series *next_series(struct walk *w)
{
	for (; w->at < w->next; w->at++, w->last = NULL) {
		const struct family *family = w->families[w->at];

		w->last = family_after(family, w->last, &w->place);
		if (w->last)
			return w->last;
	}
	return NULL;
}

static bool sample_of(struct walk *w, struct series *series, struct metric_sample *ret)
{
	struct family *family = series->family;
	struct registry *registry = family->registry;

	*ret = (struct metric_sample){ .labels = series->labels, .created_ns = series->created_ns };
	if (!registry_tells(registry, series))
		return false;
	if (family->is.type == SEGMENT_COUNTER)
		return count_sample(w, registry, series, ret);
	if (family->is.type == SEGMENT_HISTOGRAM)
		return histogram_sample(w, registry, series, ret);
	ret->created_ns = 0;
	if (family->is.mode != SEGMENT_EACH)
		return gauge_sample(registry, series, ret);
	collect_each(w, registry, series);
	return w->each_count > 0 && each_sample(w, ret);
}

static bool sample(struct metric_walk *walk, struct metric_sample *ret)
{
	struct walk *w = container_of(walk, struct walk, walk);
	struct series *series;

	if (w->each_at < w->each_count)
		return each_sample(w, ret);
	while ((series = next_series(w)))
		if (sample_of(w, series, ret))
			return true;
	return false;
}

/* Each value was stored in the ledger when it was read. */
static void sync(struct metric_walk *walk)
{
	(void)walk;
}

const struct metric_source_ops metric_source_ops = {
	.begin = begin,
	.family = family,
	.sample = sample,
	.sync = sync,
	.end = end,
};
