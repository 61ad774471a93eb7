/* SPDX-License-Identifier: Apache-2.0 */
/* Series of families, found by the labels' values without a lock. */
#ifndef PRODD_CLIENT_METRIC_SERIES_H
#define PRODD_CLIENT_METRIC_SERIES_H

#include "client/metric.h"

/* As many as there may be series: chains are short, and never have to be made anew. */
#define PRODD_SERIES_CHAINS 2048u

/*
 * The series of the family with these values, `count` texts that end with NUL
 * (NULL: ""), added if it was not there.  Over a limit: the family's overflow
 * series.  The dead one for a dead family, and when the number is not that of its labels.
 * Threads: any.  NULL: no memory.
 */
struct prodd_series *prodd_series_of(struct prodd_family *family, const char *const *values, size_t count);

/* Fills in the handle: cells begin at `cell`, those of the next shard `stride` bytes behind it. */
void prodd_series_bind(struct prodd_series *series, uint64_t *cell, size_t stride, unsigned shards,
		       uint64_t *not_a_number);

/* Puts a series into its chain; takes all out of theirs (only in a forked child, where nobody looks). */
void prodd_series_link(struct prodd_metrics *m, struct prodd_series *series);
void prodd_series_unlink(struct prodd_metrics *m);

#endif
