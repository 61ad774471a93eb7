/* SPDX-License-Identifier: Apache-2.0 */
/* The memory that a handle's metrics are counted in, shared with the daemon where a memfd can be had. */
#ifndef PRODD_CLIENT_METRIC_SEGMENT_H
#define PRODD_CLIENT_METRIC_SEGMENT_H

#include "client/region.h"
#include "proto/shm/segment.h"

struct prodd_metric_segment {
	struct prodd_region region;	/* `at` NULL: not made */
	struct segment segment;
};

/* The region's functions (region.h) are set; `renewed` calls prodd_metric_segment_renew() first. Returns 0 or
 * -PRODD_E_NO_MEMORY. */
int prodd_metric_segment_make(struct prodd_metric_segment *s, struct prodd_error *e);

/* In fresh memory: a new segment, empty. Async-signal-safe. */
void prodd_metric_segment_renew(struct prodd_metric_segment *s);

/* One that was never made is allowed. */
void prodd_metric_segment_free(struct prodd_metric_segment *s);

static inline void prodd_metric_segment_count(_Atomic uint64_t *counter)
{
	atomic_fetch_add_explicit(counter, 1, memory_order_relaxed);
}

#endif
