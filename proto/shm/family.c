/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names are ASCII, so that bytes can be compared; help and values are text.
 * The names that a family takes, its own and its samples', are a stem and
 * endings (OpenMetrics 1.0, "Metric types"); two families clash when one of
 * the one's is one of the other's.
 */
#include "proto/shm/family.h"

#include <math.h>

#include "proto/cursor.h"

/* ---- names */

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool is_name(struct prodd_slice name, bool colons)
{
	for (size_t i = 0; i < name.size; i++) {
		char c = name.at[i];

		if (!is_letter(c) && !(colons && c == ':') && !(i > 0 && c >= '0' && c <= '9'))
			return false;
	}
	return name.size > 0;
}

static bool ends_with(struct prodd_slice name, struct prodd_slice end)
{
	return name.size >= end.size && memcmp(name.at + name.size - end.size, end.at, end.size) == 0;
}

static struct prodd_slice without(struct prodd_slice name, size_t end)
{
	return (struct prodd_slice){ name.at, name.size - end };
}

/* A counter's without _total. */
static struct prodd_slice stem_of(const struct segment_family *family)
{
	static const char total[] = "_total";

	if (family->type != SEGMENT_COUNTER || !ends_with(family->name, prodd_slice(total)))
		return family->name;
	return without(family->name, sizeof total - 1);
}

/* A name of whose shape nothing is known, for a message. */
static struct prodd_slice shown(struct prodd_slice name)
{
	return prodd_text_cut(name, SEGMENT_NAME_MAX);
}

/* ---- a family */

static int check_name(const struct segment_family *family, struct prodd_error *e)
{
	struct prodd_slice name = family->name;
	bool is_total = ends_with(name, prodd_slice("_total"));

	if (name.size > SEGMENT_NAME_MAX)
		return prodd_error_set(e, PRODD_E_USAGE, "%.*s...: the name is over %u bytes",
				       PRODD_SLICE(shown(name)), SEGMENT_NAME_MAX);
	if (!is_name(name, true))
		return prodd_error_set(e, PRODD_E_USAGE,
				       "\"%.*s\": a name has letters, digits, _ and :, no digit first",
				       PRODD_SLICE(name));
	if (family->type == SEGMENT_COUNTER && (!is_total || stem_of(family).size == 0))
		return prodd_error_set(e, PRODD_E_USAGE,
				       "%.*s: the name of a counter must end with _total", PRODD_SLICE(name));
	if (family->type != SEGMENT_COUNTER && is_total)
		return prodd_error_set(e, PRODD_E_USAGE, "%.*s: only the name of a counter ends with _total",
				       PRODD_SLICE(name));
	return 0;
}

static int check_kind(const struct segment_family *family, struct prodd_error *e)
{
	unsigned type = family->type, mode = family->mode;

	if (type < SEGMENT_COUNTER || type > SEGMENT_HISTOGRAM)
		return prodd_error_set(e, PRODD_E_USAGE, "%.*s: there is no type %u",
				       PRODD_SLICE(shown(family->name)), type);
	if (mode > SEGMENT_EACH)
		return prodd_error_set(e, PRODD_E_USAGE, "%.*s: there is no mode %u",
				       PRODD_SLICE(shown(family->name)), mode);
	if (type != SEGMENT_GAUGE && mode != 0)
		return prodd_error_set(e, PRODD_E_USAGE, "%.*s: only a gauge has a mode",
				       PRODD_SLICE(shown(family->name)));
	return 0;
}

static int check_texts(const struct segment_family *family, struct prodd_error *e)
{
	struct prodd_slice unit = family->unit, stem = stem_of(family);

	if (family->help.size > SEGMENT_HELP_MAX || !prodd_is_text(family->help))
		return prodd_error_set(e, PRODD_E_USAGE, "%.*s: the help is not text of at most %u bytes",
				       PRODD_SLICE(family->name), SEGMENT_HELP_MAX);
	if (unit.size == 0)
		return 0;
	if (unit.size > SEGMENT_UNIT_MAX || !ends_with(stem, unit) || stem.size < unit.size + 2 ||
	    stem.at[stem.size - unit.size - 1] != '_')
		return prodd_error_set(e, PRODD_E_USAGE, "%.*s: the name must have its unit \"%.*s\" %s",
				       PRODD_SLICE(family->name),
				       PRODD_SLICE(prodd_text_cut(unit, SEGMENT_UNIT_MAX)),
				       family->type == SEGMENT_COUNTER ? "before _total" : "at its end");
	return 0;
}

static bool is_given(struct prodd_slice label)
{
	return prodd_slice_is(label, "app") || prodd_slice_is(label, "instance") ||
	       prodd_slice_is(label, "le") || prodd_slice_is(label, "overflow") ||
	       (label.size >= 2 && memcmp(label.at, "__", 2) == 0);
}

static int check_label(const struct segment_family *family, unsigned at, struct prodd_error *e)
{
	struct prodd_slice label = family->labels[at];

	if (label.size > SEGMENT_NAME_MAX || !is_name(label, false))
		return prodd_error_set(e, PRODD_E_USAGE,
				       "%.*s: label \"%.*s\": a name has letters, digits and _, no digit "
				       "first, and at most %u bytes",
				       PRODD_SLICE(family->name), PRODD_SLICE(shown(label)),
				       SEGMENT_NAME_MAX);
	if (is_given(label))
		return prodd_error_set(e, PRODD_E_USAGE, "%.*s: label \"%.*s\": that name is prodd's to give",
				       PRODD_SLICE(family->name), PRODD_SLICE(label));
	for (unsigned i = 0; i < at; i++)
		if (prodd_slice_equal(family->labels[i], label))
			return prodd_error_set(e, PRODD_E_USAGE, "%.*s: label \"%.*s\" is there twice",
					       PRODD_SLICE(family->name), PRODD_SLICE(label));
	return 0;
}

static int check_labels(const struct segment_family *family, struct prodd_error *e)
{
	int r = 0;

	if (family->label_count > SEGMENT_LABELS_MAX)
		return prodd_error_set(e, PRODD_E_USAGE, "%.*s: %u labels, of at most %u",
				       PRODD_SLICE(family->name), family->label_count, SEGMENT_LABELS_MAX);
	for (unsigned i = 0; r == 0 && i < family->label_count; i++)
		r = check_label(family, i, e);
	return r;
}

static int check_buckets(const struct segment_family *family, struct prodd_error *e)
{
	unsigned count = family->bucket_count;

	if (count > 0 && family->type != SEGMENT_HISTOGRAM)
		return prodd_error_set(e, PRODD_E_USAGE, "%.*s: only a histogram has buckets",
				       PRODD_SLICE(family->name));
	if (count > SEGMENT_BUCKETS_MAX)
		return prodd_error_set(e, PRODD_E_USAGE, "%.*s: %u buckets, of at most %u",
				       PRODD_SLICE(family->name), count, SEGMENT_BUCKETS_MAX);
	for (unsigned i = 0; i < count; i++)
		if (!isfinite(family->buckets[i]) ||
		    (i > 0 && !(family->buckets[i] > family->buckets[i - 1])))
			return prodd_error_set(e, PRODD_E_USAGE,
					       "%.*s: bucket %u: bounds are finite and ascending",
					       PRODD_SLICE(family->name), i + 1);
	return 0;
}

int segment_check_family(const struct segment_family *family, struct prodd_error *e)
{
	int r = check_kind(family, e);

	if (r == 0)
		r = check_name(family, e);
	if (r == 0)
		r = check_texts(family, e);
	if (r == 0)
		r = check_labels(family, e);
	return r == 0 ? check_buckets(family, e) : r;
}

/* ---- a series */

int segment_check_values(const struct segment_family *family, const struct prodd_slice *values,
			 struct prodd_error *e)
{
	for (unsigned i = 0; i < family->label_count; i++)
		if (values[i].size > SEGMENT_LABEL_VALUE_MAX || !prodd_is_text(values[i]))
			return prodd_error_set(e, PRODD_E_USAGE,
					       "%.*s: label \"%.*s\": a value is text of at most %u bytes",
					       PRODD_SLICE(family->name), PRODD_SLICE(family->labels[i]),
					       SEGMENT_LABEL_VALUE_MAX);
	return 0;
}

unsigned segment_cells(const struct segment_family *family)
{
	switch (family->type) {
	case SEGMENT_GAUGE:
		return 2;
	case SEGMENT_HISTOGRAM:
		return family->bucket_count + 2;
	default:
		return 1;
	}
}

/* ---- two families */

bool segment_same(const struct segment_family *a, const struct segment_family *b)
{
	if (a->type != b->type || a->mode != b->mode || !prodd_slice_equal(a->unit, b->unit) ||
	    a->label_count != b->label_count || a->bucket_count != b->bucket_count)
		return false;
	for (unsigned i = 0; i < a->label_count; i++)
		if (!prodd_slice_equal(a->labels[i], b->labels[i]))
			return false;
	for (unsigned i = 0; i < a->bucket_count; i++)
		if (a->buckets[i] < b->buckets[i] || a->buckets[i] > b->buckets[i])
			return false;
	return true;
}

/* The endings of the names that a family takes. */
static const char *const *endings_of(const struct segment_family *family)
{
	static const char *const counter[] = { "", "_total", "_created", NULL };
	static const char *const gauge[] = { "", NULL };
	static const char *const histogram[] = { "", "_bucket", "_count", "_sum", "_created", NULL };

	switch (family->type) {
	case SEGMENT_GAUGE:
		return gauge;
	case SEGMENT_HISTOGRAM:
		return histogram;
	default:
		return counter;
	}
}

static bool are_equal(struct prodd_slice stem, const char *ending, struct prodd_slice other,
		      const char *others_ending)
{
	size_t size = strlen(ending), others_size = strlen(others_ending);

	if (stem.size + size != other.size + others_size)
		return false;
	if (stem.size > other.size)
		return are_equal(other, others_ending, stem, ending);
	return memcmp(stem.at, other.at, stem.size) == 0 &&
	       memcmp(ending, other.at + stem.size, other.size - stem.size) == 0 &&
	       memcmp(ending + (other.size - stem.size), others_ending, others_size) == 0;
}

bool segment_clash(const struct segment_family *a, const struct segment_family *b)
{
	struct prodd_slice stem = stem_of(a), other = stem_of(b);

	for (const char *const *i = endings_of(a); *i; i++)
		for (const char *const *j = endings_of(b); *j; j++)
			if (are_equal(stem, *i, other, *j))
				return true;
	return false;
}
