/* SPDX-License-Identifier: Apache-2.0 */
/* A histogram is a counter for each bucket, and a sum; both in the thread's own shard. */
#include "client/handle.h"
#include "client/metric_declare.h"
#include "client/metric_value.h"

/* As the clients of Prometheus have them (client_golang, DefBuckets), in seconds. */
static const double usual[] = { .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10 };

static struct prodd_family *declare(struct prodd *p, const char *name, const char *help, const double *bounds,
				    size_t bound_count, const char *const *labels, size_t count,
				    const void *place)
{
	struct prodd_declaration d = { .type = SEGMENT_HISTOGRAM, .name = name, .help = help,
				       .labels = labels, .label_count = count, .bounds = bounds,
				       .bound_count = bound_count, .place = place };

	if (!bounds || bound_count == 0) {
		d.bounds = usual;
		d.bound_count = sizeof usual / sizeof *usual;
	}
	return prodd_metric_declare(p, &d);
}

struct prodd_histogram *prodd_histogram(struct prodd *p, const char *name, const char *help,
					const double *bounds, size_t count)
{
	struct prodd_family *family =
		declare(p, name, help, bounds, count, NULL, 0, __builtin_return_address(0));

	return prodd_histogram_of((struct prodd_histogram_family *)family, NULL, 0);
}

struct prodd_histogram_family *prodd_histogram_family(struct prodd *p, const char *name, const char *help,
						      const double *bounds, size_t bound_count,
						      const char *const *labels, size_t count)
{
	return (struct prodd_histogram_family *)declare(p, name, help, bounds, bound_count, labels, count,
							__builtin_return_address(0));
}

struct prodd_histogram *prodd_histogram_of(struct prodd_histogram_family *f, const char *const *values,
					   size_t count)
{
	struct prodd_series *series = f ? prodd_series_of(&f->family, values, count) : NULL;

	return series ? &series->handle.histogram : NULL;
}

/* The first bucket whose bound is not below the value; the number of bounds: +Inf's. */
static unsigned bucket_of(const struct prodd_histogram *h, double value)
{
	unsigned from = 0, count = h->count;

	while (count > 0) {
		unsigned half = count / 2;

		if (h->bounds[from + half] < value) {
			from += half + 1;
			count -= half + 1;
		} else {
			count = half;
		}
	}
	return from;
}

void prodd_observe(struct prodd_histogram *h, double value)
{
	uint64_t *cells;

	if (!h)
		return;
	cells = (uint64_t *)(void *)(h->cells.cell + (prodd_shard() & h->cells.mask) * h->cells.stride);
	if (prodd_value_add(&cells[h->count + 1], value))
		__atomic_fetch_add(&cells[bucket_of(h, value)], 1, __ATOMIC_RELAXED);
	else
		__atomic_fetch_add(h->not_a_number, 1, __ATOMIC_RELAXED);
}
