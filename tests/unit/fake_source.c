/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/fake_source.h"

#include <stdlib.h>

#include "daemon/util/container.h"

struct fake_walk {
	struct metric_walk walk;
	unsigned family;	/* the next one */
	unsigned sample;	/* the next one */
};

static struct fake_source *source_of(struct metric_walk *walk)
{
	return container_of(walk->source, struct fake_source, source);
}

static struct metric_walk *begin(struct metric_source *base, struct prodd_slice app)
{
	struct fake_source *source = container_of(base, struct fake_source, source);
	struct fake_walk *walk = source->no_memory ? NULL : calloc(1, sizeof *walk);

	(void)app;
	if (!walk)
		return NULL;
	source->walks++;
	source->begun++;
	walk->walk.source = base;
	return &walk->walk;
}

static bool family(struct metric_walk *base, struct metric_family *ret)
{
	struct fake_walk *walk = container_of(base, struct fake_walk, walk);
	struct fake_source *source = source_of(base);

	if (walk->family >= source->count)
		return false;
	*ret = source->families[walk->family++].family;
	walk->sample = 0;
	return true;
}

static bool sample(struct metric_walk *base, struct metric_sample *ret)
{
	struct fake_walk *walk = container_of(base, struct fake_walk, walk);
	const struct fake_family *of = &source_of(base)->families[walk->family - 1];

	if (walk->sample >= of->count)
		return false;
	if (of->make)
		of->make(walk->sample, ret);
	else
		*ret = of->samples[walk->sample];
	walk->sample++;
	return true;
}

static void sync_walk(struct metric_walk *base)
{
	source_of(base)->syncs++;
}

static void end(struct metric_walk *base)
{
	source_of(base)->walks--;
	free(container_of(base, struct fake_walk, walk));
}

static const struct metric_source_ops ops = {
	.begin = begin, .family = family, .sample = sample, .sync = sync_walk, .end = end,
};

void fake_source_init(struct fake_source *source, const struct fake_family *families, unsigned count)
{
	*source = (struct fake_source){ .source = { &ops }, .families = families, .count = count };
}
