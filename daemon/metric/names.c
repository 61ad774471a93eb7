/* SPDX-License-Identifier: Apache-2.0 */
/* A table of every sample's name that is taken, and by which family's name and type. */
#define HASH_NONFATAL_OOM 1
#include "daemon/metric/names.h"

#include <stdlib.h>

#include "daemon/core/counters.h"
#include "daemon/metric/metric.h"

#define SAMPLES_MAX 5

/* One name that samples have. */
struct taken {
	char name[SEGMENT_NAME_MAX + 12];
	const struct family *by;	/* borrowed */
	UT_hash_handle hh;
};

/* Names of all samples of a family, in both formats of text; the family's own in OpenMetrics too. */
static unsigned samples_of(const struct segment_family *is, char names[SAMPLES_MAX][SEGMENT_NAME_MAX + 12])
{
	static const char *const counter[] = { "", "_total", "_created" };
	static const char *const histogram[] = { "", "_bucket", "_count", "_sum", "_created" };
	const char *const *suffixes = is->type == SEGMENT_HISTOGRAM ? histogram : counter;
	unsigned count = is->type == SEGMENT_HISTOGRAM ? 5 : is->type == SEGMENT_COUNTER ? 3 : 1;
	size_t size = is->name.size - (is->type == SEGMENT_COUNTER ? strlen("_total") : 0);

	for (unsigned i = 0; i < count; i++)
		snprintf(names[i], sizeof names[i], "%.*s%s", (int)size, is->name.at, suffixes[i]);
	return count;
}

static bool agree(const struct family *a, const struct family *b)
{
	return a->is.type == b->is.type && prodd_slice_equal(a->is.name, b->is.name);
}

static bool take(struct taken **all, const struct family *family)
{
	char names[SAMPLES_MAX][SEGMENT_NAME_MAX + 12];
	unsigned count = samples_of(&family->is, names);
	struct taken *taken;

	for (unsigned i = 0; i < count; i++) {
		HASH_FIND_STR(*all, names[i], taken);
		if (taken && !agree(taken->by, family))
			return false;
		if (taken)
			return true;
	}
	for (unsigned i = 0; i < count; i++) {
		taken = calloc(1, sizeof *taken);
		if (!taken)
			return true;
		memcpy(taken->name, names[i], sizeof taken->name);
		taken->by = family;
		HASH_ADD_STR(*all, name, taken);
		if (!taken->hh.tbl)
			free(taken);
	}
	return true;
}

static int by_right(const void *left, const void *right)
{
	const struct registry *a = *(struct registry *const *)left, *b = *(struct registry *const *)right;

	if (!a->tenant != !b->tenant)
		return a->tenant ? 1 : -1;
	return a->number < b->number ? -1 : a->number > b->number;
}

static void settle_one(struct taken **all, struct registry *registry)
{
	for (size_t i = 0; i < registry->count; i++) {
		struct family *family = registry->families[i];
		bool was = family->hidden;

		family->hidden = !take(all, family);
		if (family->hidden && !was) {
			counters.metric_families_hidden++;
			events_add(registry->metric->events, EVENT_METRIC_REFUSED, registry->name, family->by,
				   "%.*s: another app's metric of that name has another type; shown when its own "
				   "app alone is asked for", PRODD_SLICE(family->is.name));
		}
	}
}

void names_settle(struct metric *metric)
{
	unsigned count = HASH_COUNT(metric->registries), i = 0;
	struct registry **registries = calloc(count + 1, sizeof(struct registry *));
	struct registry *registry, *next;
	struct taken *all = NULL, *taken, *after;

	if (!registries)
		return;
	HASH_ITER(hh, metric->registries, registry, next)
		registries[i++] = registry;
	qsort(registries, count, sizeof(struct registry *), by_right);
	for (i = 0; i < count; i++)
		settle_one(&all, registries[i]);
	HASH_ITER(hh, all, taken, after) {
		HASH_DEL(all, taken);
		free(taken);
	}
	free(registries);
	metric->names_changed = false;
}
