/* SPDX-License-Identifier: Apache-2.0 */
/* A declaration as the public calls take it, and how it becomes a family. */
#ifndef PRODD_CLIENT_METRIC_DECLARE_H
#define PRODD_CLIENT_METRIC_DECLARE_H

#include "client/metric_family.h"
#include "client/metric_series.h"

struct prodd_declaration {
	enum segment_type type;
	enum segment_mode mode;
	const char *name;		/* borrowed, as all others; NULL is "", or none */
	const char *help;
	const char *const *labels;
	size_t label_count;
	const double *bounds;
	size_t bound_count;
	const void *place;		/* code that declares */
};

/* The family, or the dead one of its type. NULL: no memory, or `p` is NULL. Threads: any. */
struct prodd_family *prodd_metric_declare(struct prodd *p, const struct prodd_declaration *d);

#endif
