/* SPDX-License-Identifier: Apache-2.0 */
/* Counters; to add to one is inline, in the header. */
#include "client/handle.h"
#include "client/metric_declare.h"

unsigned prodd_shard_choose(void)
{
	static atomic_uint last;

	return atomic_fetch_add_explicit(&last, 1, memory_order_relaxed) % SEGMENT_SHARDS_MAX + 1;
}

static struct prodd_family *declare(struct prodd *p, const char *name, const char *help,
				    const char *const *labels, size_t count, const void *place)
{
	struct prodd_declaration d = { .type = SEGMENT_COUNTER, .name = name, .help = help, .labels = labels,
				       .label_count = count, .place = place };

	return prodd_metric_declare(p, &d);
}

struct prodd_counter *prodd_counter(struct prodd *p, const char *name, const char *help)
{
	struct prodd_family *family = declare(p, name, help, NULL, 0, __builtin_return_address(0));

	return prodd_counter_of((struct prodd_counter_family *)family, NULL, 0);
}

struct prodd_counter_family *prodd_counter_family(struct prodd *p, const char *name, const char *help,
						  const char *const *labels, size_t count)
{
	return (struct prodd_counter_family *)declare(p, name, help, labels, count,
						      __builtin_return_address(0));
}

struct prodd_counter *prodd_counter_of(struct prodd_counter_family *f, const char *const *values,
				       size_t count)
{
	struct prodd_series *series = f ? prodd_series_of(&f->family, values, count) : NULL;

	return series ? &series->handle.counter : NULL;
}
