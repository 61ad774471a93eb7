/* SPDX-License-Identifier: Apache-2.0 */
/* Each side's next family is held ready; the one that sorts first is given out. */
#include "daemon/metric/merge.h"

#include <stdlib.h>

#include "daemon/core/counters.h"
#include "daemon/metric/own.h"
#include "daemon/util/container.h"

struct side {
	struct metric_walk *walk;	/* owned; NULL: none */
	struct metric_family family;	/* the next one */
	bool has_family;
	bool given;			/* its samples belong to the family that was given out */
};

struct merge_walk {
	struct metric_walk walk;
	struct side own;
	struct side apps;
	bool alone;			/* one app's metrics were asked for: prodd's own are left out */
};

static void advance(struct side *side)
{
	side->has_family = side->walk && side->walk->source->ops->family(side->walk, &side->family);
	side->given = false;
}

static bool reserved(struct prodd_slice name)
{
	return name.size >= sizeof MERGE_RESERVED - 1 && memcmp(name.at, MERGE_RESERVED, sizeof MERGE_RESERVED - 1) == 0;
}

/* Of the apps' families those that may be shown. */
static void advance_apps(struct side *side)
{
	advance(side);
	while (side->has_family && (reserved(side->family.name) || own_clashes(&side->family))) {
		counters.families_hidden++;
		advance(side);
	}
}

static void end(struct metric_walk *base)
{
	struct merge_walk *walk = container_of(base, struct merge_walk, walk);

	if (walk->own.walk)
		walk->own.walk->source->ops->end(walk->own.walk);
	if (walk->apps.walk)
		walk->apps.walk->source->ops->end(walk->apps.walk);
	free(walk);
}

static struct metric_walk *begin(struct metric_source *source, struct prodd_slice app)
{
	struct merge *merge = container_of(source, struct merge, source);
	struct merge_walk *walk = calloc(1, sizeof *walk);

	if (!walk)
		return NULL;
	walk->walk.source = source;
	walk->alone = app.size > 0;
	if (!walk->alone)
		walk->own.walk = merge->own->ops->begin(merge->own, app);
	if (merge->apps)
		walk->apps.walk = merge->apps->ops->begin(merge->apps, app);
	if ((!walk->alone && !walk->own.walk) || (merge->apps && !walk->apps.walk)) {
		end(&walk->walk);
		return NULL;
	}
	advance(&walk->own);
	advance_apps(&walk->apps);
	return &walk->walk;
}

/* Both have a family of that name. */
static void join(struct merge_walk *walk)
{
	if (walk->own.family.type == walk->apps.family.type) {
		walk->apps.given = true;
		return;
	}
	counters.families_hidden++;
	advance_apps(&walk->apps);
}

static bool family(struct metric_walk *base, struct metric_family *ret)
{
	struct merge_walk *walk = container_of(base, struct merge_walk, walk);
	int order;

	if (walk->own.given)
		advance(&walk->own);
	if (walk->apps.given)
		advance_apps(&walk->apps);
	if (!walk->own.has_family && !walk->apps.has_family)
		return false;
	order = !walk->own.has_family ? 1 : !walk->apps.has_family ? -1 :
		prodd_slice_compare(walk->own.family.name, walk->apps.family.name);
	walk->own.given = order <= 0;
	walk->apps.given = order > 0;
	if (order == 0)
		join(walk);
	*ret = order <= 0 ? walk->own.family : walk->apps.family;
	return true;
}

static bool sample_of(struct side *side, struct metric_sample *ret)
{
	return side->given && side->walk->source->ops->sample(side->walk, ret);
}

static bool sample(struct metric_walk *base, struct metric_sample *ret)
{
	struct merge_walk *walk = container_of(base, struct merge_walk, walk);

	return sample_of(&walk->own, ret) || sample_of(&walk->apps, ret);
}

static void sync_walk(struct metric_walk *base)
{
	struct merge_walk *walk = container_of(base, struct merge_walk, walk);

	if (walk->own.walk)
		walk->own.walk->source->ops->sync(walk->own.walk);
	if (walk->apps.walk)
		walk->apps.walk->source->ops->sync(walk->apps.walk);
}

static const struct metric_source_ops ops = {
	.begin = begin, .family = family, .sample = sample, .sync = sync_walk, .end = end,
};

void merge_init(struct merge *ret, struct metric_source *own, struct metric_source *apps)
{
	*ret = (struct merge){ .source = { &ops }, .own = own, .apps = apps };
}
