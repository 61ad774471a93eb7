/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Formats: prometheus.io/docs/instrumenting/exposition_formats and the
 * OpenMetrics 1.0 specification.  Names and labels are as the registry has
 * checked and escaped them; what it cannot promise (a counter that is no
 * number, a sum below zero beside buckets that have none) is left out here, so
 * that one app's nonsense never makes the whole text unreadable.
 */
#include "daemon/metric/text.h"

#include <math.h>
#include <string.h>

#include "daemon/metric/number.h"

static const char total[] = "_total";

const char *text_type(enum text_format format)
{
	return format == TEXT_OPENMETRICS ? "application/openmetrics-text; version=1.0.0; charset=utf-8" :
					    "text/plain; version=0.0.4; charset=utf-8";
}

static bool ends_with(struct prodd_slice s, struct prodd_slice end)
{
	return s.size >= end.size && memcmp(s.at + s.size - end.size, end.at, end.size) == 0;
}

/* ---- a family's head */

static void put(struct prodd_buffer *to, const char *text)
{
	prodd_buffer_append(to, text, strlen(text));
}

static void put_slice(struct prodd_buffer *to, struct prodd_slice s)
{
	prodd_buffer_append(to, s.at, s.size);
}

/* In OpenMetrics quotation marks are escaped too. */
static void put_help(struct prodd_buffer *to, struct prodd_slice help, enum text_format format)
{
	for (size_t i = 0; i < help.size; i++) {
		char c = help.at[i];

		if (c == '\n')
			put(to, "\\n");
		else if (c == '\\' || (c == '"' && format == TEXT_OPENMETRICS))
			prodd_buffer_append(to, (char[]){ '\\', c }, 2);
		else
			prodd_buffer_append(to, &c, 1);
	}
}

/* A unit may only be named when it is the last word of the name. */
static bool has_unit(const struct text_writer *w)
{
	struct prodd_slice unit = w->family.unit, base = w->base;

	return unit.size > 0 && base.size > unit.size + 1 && ends_with(base, unit) &&
	       base.at[base.size - unit.size - 1] == '_';
}

static void put_head(const struct text_writer *w, struct prodd_buffer *to)
{
	static const char *const words[] = {
		[METRIC_COUNTER] = " counter\n", [METRIC_GAUGE] = " gauge\n", [METRIC_HISTOGRAM] = " histogram\n",
	};

	if (w->family.help.size > 0) {
		put(to, "# HELP ");
		put_slice(to, w->base);
		put(to, " ");
		put_help(to, w->family.help, w->format);
		put(to, "\n");
	}
	put(to, "# TYPE ");
	put_slice(to, w->base);
	put(to, words[w->family.type]);
	if (w->format == TEXT_OPENMETRICS && has_unit(w)) {
		put(to, "# UNIT ");
		put_slice(to, w->base);
		put(to, " ");
		put_slice(to, w->family.unit);
		put(to, "\n");
	}
}

/* ---- a sample: each line is written into room made for its longest form */

struct line {
	struct prodd_buffer *to;
	char *at;		/* NULL: no memory */
	char *begin;
	size_t room;
};

static struct line line_begin(struct prodd_buffer *to, size_t room)
{
	char *at = prodd_buffer_extend(to, room);

	return (struct line){ .to = to, .at = at, .begin = at, .room = room };
}

static void line_add(struct line *l, const void *bytes, size_t size)
{
	memcpy(l->at, bytes, size);
	l->at += size;
}

static void line_end(struct line *l)
{
	*l->at++ = '\n';
	l->to->size -= l->room - (size_t)(l->at - l->begin);
}

static const char le[] = "le=\"";

/* The line up to its value: name, suffix, labels, and the bound of a bucket (NULL: none). False: no memory. */
static bool line_start(struct line *l, const struct text_writer *w, struct prodd_buffer *to, const char *suffix,
		       struct prodd_slice labels, const double *bound)
{
	size_t suffix_size = strlen(suffix);

	*l = line_begin(to, w->base.size + suffix_size + labels.size + sizeof le + 2 * NUMBER_MAX + 8);
	if (!l->at)
		return false;
	line_add(l, w->base.at, w->base.size);
	line_add(l, suffix, suffix_size);
	if (labels.size > 0 || bound) {
		*l->at++ = '{';
		if (labels.size > 0)
			line_add(l, labels.at, labels.size);
		if (labels.size > 0 && bound)
			*l->at++ = ',';
		if (bound) {
			line_add(l, le, sizeof le - 1);
			l->at += number_bound(l->at, *bound);
			*l->at++ = '"';
		}
		*l->at++ = '}';
	}
	*l->at++ = ' ';
	return true;
}

static void put_uint(const struct text_writer *w, struct prodd_buffer *to, const char *suffix,
		     struct prodd_slice labels, const double *bound, uint64_t value)
{
	struct line l;

	if (!line_start(&l, w, to, suffix, labels, bound))
		return;
	l.at += number_uint(l.at, value);
	line_end(&l);
}

static void put_real(const struct text_writer *w, struct prodd_buffer *to, const char *suffix,
		     struct prodd_slice labels, double value)
{
	struct line l;

	if (!line_start(&l, w, to, suffix, labels, NULL))
		return;
	l.at += number_real(l.at, value);
	line_end(&l);
}

static void put_created(const struct text_writer *w, struct prodd_buffer *to, const struct metric_sample *s)
{
	struct line l;

	if (w->format != TEXT_OPENMETRICS || s->created_ns == 0 || !line_start(&l, w, to, "_created", s->labels, NULL))
		return;
	l.at += number_seconds(l.at, s->created_ns);
	line_end(&l);
}

static unsigned put_counter(const struct text_writer *w, struct prodd_buffer *to, const struct metric_sample *s)
{
	const char *suffix = w->format == TEXT_OPENMETRICS ? total : "";

	if (s->real && !(s->value >= 0))	/* NaN too */
		return 0;
	if (s->real)
		put_real(w, to, suffix, s->labels, s->value);
	else
		put_uint(w, to, suffix, s->labels, NULL, s->count);
	put_created(w, to, s);
	return 1;
}

/* OpenMetrics has no sum, nor then a count, where it could go down. */
static bool has_sum(const struct text_writer *w, const struct metric_sample *s)
{
	return w->format == TEXT_PROMETHEUS || (s->value >= 0 && !(s->bound_count > 0 && s->bounds[0] < 0));
}

static unsigned put_histogram(const struct text_writer *w, struct prodd_buffer *to, const struct metric_sample *s)
{
	const double infinite = INFINITY;
	uint64_t count = 0;

	for (unsigned i = 0; i < s->bound_count; i++) {
		count += s->buckets[i];
		put_uint(w, to, "_bucket", s->labels, &s->bounds[i], count);
	}
	count += s->buckets[s->bound_count];
	put_uint(w, to, "_bucket", s->labels, &infinite, count);
	if (has_sum(w, s)) {
		put_real(w, to, "_sum", s->labels, s->value);
		put_uint(w, to, "_count", s->labels, NULL, count);
	}
	put_created(w, to, s);
	return s->bound_count + 3;
}

static unsigned put_sample(struct text_writer *w, struct prodd_buffer *to, const struct metric_sample *s)
{
	if (!w->has_head)
		put_head(w, to);
	w->has_head = true;
	if (w->family.type == METRIC_COUNTER)
		return put_counter(w, to, s);
	if (w->family.type == METRIC_HISTOGRAM)
		return put_histogram(w, to, s);
	put_real(w, to, "", s->labels, s->value);
	return 1;
}

/* ---- the walk */

static void enter_family(struct text_writer *w)
{
	struct prodd_slice end = { total, sizeof total - 1 };

	w->in_family = true;
	w->has_head = false;
	w->base = w->family.name;
	if (w->format == TEXT_OPENMETRICS && w->family.type == METRIC_COUNTER && ends_with(w->base, end))
		w->base.size -= end.size;
}

int text_begin(struct text_writer *ret, struct metric_source *source, struct prodd_slice app,
	       enum text_format format, struct prodd_error *e)
{
	*ret = (struct text_writer){ .format = format, .walk = source->ops->begin(source, app) };
	return ret->walk ? 0 : prodd_error_set(e, PRODD_E_NO_MEMORY, "a walk over the metrics");
}

bool text_step(struct text_writer *w, struct prodd_buffer *to, unsigned lines)
{
	const struct metric_source_ops *ops = w->walk->source->ops;
	struct metric_sample sample;
	unsigned written = 0;

	while (written < lines && !to->failed) {
		if (!w->in_family) {
			if (!ops->family(w->walk, &w->family))
				break;
			enter_family(w);
			written++;
		} else if (ops->sample(w->walk, &sample)) {
			written += put_sample(w, to, &sample) + 1;
		} else {
			w->in_family = false;
		}
	}
	if (written >= lines && !to->failed)
		return true;
	if (w->format == TEXT_OPENMETRICS)
		put(to, "# EOF\n");
	return false;
}

void text_sync(struct text_writer *w)
{
	w->walk->source->ops->sync(w->walk);
}

void text_end(struct text_writer *w)
{
	if (w->walk)
		w->walk->source->ops->end(w->walk);
	w->walk = NULL;
}
