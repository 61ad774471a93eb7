/* SPDX-License-Identifier: Apache-2.0 */
/* The params of a metric.push being made: series with what is new in them, grouped by family. */
#ifndef PRODD_CLIENT_METRIC_BATCH_H
#define PRODD_CLIENT_METRIC_BATCH_H

#include "client/metric.h"
#include "proto/codec.h"

struct prodd_metric_batch {
	struct prodd_buffer families;	/* owned; LIST(push_family) */
	uint32_t family_count;
	const struct prodd_family *family;	/* whose series are collected; NULL: none */
	struct prodd_buffer series;	/* owned; LIST(push_series) */
	uint32_t series_count;
	unsigned nodes;			/* values in the frame, at most */
};

/*
 * Adds what is new in the series: cells of the segment against `told`; notes what it saw in `sent` (both by
 * the number of the cell), also when nothing is new. Returns 0, -PRODD_E_NO_MEMORY or -PRODD_E_TOO_LARGE.
 */
int prodd_metric_batch_add(struct prodd_metric_batch *b, const struct segment *segment,
			   const struct prodd_series *series, const uint64_t *told, uint64_t *sent,
			   struct prodd_error *e);

/* Nothing may be added any more: a frame has its limits. */
bool prodd_metric_batch_is_full(const struct prodd_metric_batch *b);

/* *ret borrows from the batch. Returns 1; 0: nothing is in it; -PRODD_E_NO_MEMORY. */
int prodd_metric_batch_end(struct prodd_metric_batch *b, struct wire_metric_push *ret, struct prodd_error *e);

void prodd_metric_batch_clear(struct prodd_metric_batch *b);

#define prodd_auto_metric_batch __attribute__((cleanup(prodd_metric_batch_clear))) struct prodd_metric_batch

#endif
