/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A gauge is a double's bits and the time of its last set; of several processes'
 * the daemon takes the one with the latest time.
 */
#include "client/clock.h"
#include "client/handle.h"
#include "client/metric_declare.h"
#include "client/metric_value.h"

static struct prodd_family *declare(struct prodd *p, const char *name, const char *help,
				    enum prodd_gauge_mode mode, const char *const *labels, size_t count,
				    const void *place)
{
	struct prodd_declaration d = { .type = SEGMENT_GAUGE, .mode = (enum segment_mode)mode, .name = name,
				       .help = help, .labels = labels, .label_count = count, .place = place };

	return prodd_metric_declare(p, &d);
}

struct prodd_gauge *prodd_gauge(struct prodd *p, const char *name, const char *help,
				enum prodd_gauge_mode mode)
{
	struct prodd_family *family = declare(p, name, help, mode, NULL, 0, __builtin_return_address(0));

	return prodd_gauge_of((struct prodd_gauge_family *)family, NULL, 0);
}

struct prodd_gauge_family *prodd_gauge_family(struct prodd *p, const char *name, const char *help,
					      enum prodd_gauge_mode mode, const char *const *labels,
					      size_t count)
{
	return (struct prodd_gauge_family *)declare(p, name, help, mode, labels, count,
						    __builtin_return_address(0));
}

struct prodd_gauge *prodd_gauge_of(struct prodd_gauge_family *f, const char *const *values, size_t count)
{
	struct prodd_series *series = f ? prodd_series_of(&f->family, values, count) : NULL;

	return series ? &series->handle.gauge : NULL;
}

/* After the value: who reads a time has a value that is as new. */
static void note_time(struct prodd_gauge *g)
{
	__atomic_store_n(g->set_ns, (uint64_t)prodd_clock_ns(), __ATOMIC_RELEASE);
}

void prodd_gauge_set(struct prodd_gauge *g, double value)
{
	if (!g)
		return;
	if (value != value) {
		__atomic_fetch_add(g->not_a_number, 1, __ATOMIC_RELAXED);
		return;
	}
	__atomic_store_n(g->value, prodd_bits_of(value), __ATOMIC_RELAXED);
	note_time(g);
}

void prodd_gauge_add(struct prodd_gauge *g, double value)
{
	if (!g)
		return;
	if (prodd_value_add(g->value, value))
		note_time(g);
	else
		__atomic_fetch_add(g->not_a_number, 1, __ATOMIC_RELAXED);
}
