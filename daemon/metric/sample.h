/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A metric as it is read out: what the registry gives and what the texts are made of. Loop thread; everything borrows
 * from who gives it, until the next step.
 */
#ifndef PRODD_METRIC_SAMPLE_H
#define PRODD_METRIC_SAMPLE_H

#include <stdbool.h>
#include <stdint.h>

#include "proto/slice.h"

enum metric_type { METRIC_COUNTER = 1, METRIC_GAUGE = 2, METRIC_HISTOGRAM = 3 };

struct metric_family {
	struct prodd_slice name;	/* a counter's ends with "_total" */
	struct prodd_slice unit;	/* "": none */
	struct prodd_slice help;
	enum metric_type type;
};

struct metric_sample {
	struct prodd_slice labels;	/* rendered and escaped: a="1",b="2"; the app's label first; "": none */
	uint64_t count;			/* counter's value; histogram's observations */
	double value;			/* gauge's value; histogram's sum */
	bool real;			/* a counter with a value that is no integer: `value` is it */
	const uint64_t *buckets;	/* histogram: observations in each, not cumulated; bound_count + 1 of them */
	const double *bounds;
	unsigned bound_count;
	uint64_t created_ns;		/* CLOCK_REALTIME; 0: not known */
};

/*
 * Who has metrics: apps' registry, prodd's own. A walk goes over families sorted by name; a family of several apps
 * comes once, with all their samples behind it.
 */
struct metric_walk;

struct metric_source;

struct metric_source_ops {
	/* Begins a walk, of `app` alone unless it is empty. What is added during the walk may be missing; what is there at
	 * its beginning and still there when its turn comes is not. NULL: no memory. */
	struct metric_walk *(*begin)(struct metric_source *source, struct prodd_slice app);
	/* The next family. False: the end. */
	bool (*family)(struct metric_walk *walk, struct metric_family *ret);
	/* The next sample of the family. False: no more of it. */
	bool (*sample)(struct metric_walk *walk, struct metric_sample *ret);
	/* Samples are read from the apps' memory when they come; `sync` is called once before the reply is sent: what it
	 * says will never be said less again (the ledger is written). */
	void (*sync)(struct metric_walk *walk);
	void (*end)(struct metric_walk *walk);		/* frees the walk */
};

struct metric_source {
	const struct metric_source_ops *ops;
};

struct metric_walk {
	struct metric_source *source;	/* borrowed; embedded in the source's own walk */
};

#endif
