/* SPDX-License-Identifier: Apache-2.0 */
/*
 * prodd's own metrics and those of the apps as one source: families sorted by
 * name, each once.  Names that begin with "prodd_" are prodd's own; where both
 * have a family, as process_open_fds, the apps' samples follow if they are of the
 * same type.  What cannot be shown, as it would make the whole text ambiguous, is counted.
 */
#ifndef PRODD_METRIC_MERGE_H
#define PRODD_METRIC_MERGE_H

#include "daemon/metric/sample.h"

#define MERGE_RESERVED "prodd_"

struct merge {
	struct metric_source source;
	struct metric_source *own;	/* borrowed */
	struct metric_source *apps;	/* borrowed; NULL: none */
};

void merge_init(struct merge *ret, struct metric_source *own, struct metric_source *apps);

#endif
