/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Metrics over the socket, by metric.push: once a second what is new, one call at
 * a time.  Of counters and histograms the difference to what the daemon has
 * acknowledged, so that a call that comes to nothing is made up for by the next;
 * of gauges those that were set, and in a new session all, since the daemon withdraws them
 * with the session.
 *
 * Exact but for one case: when a session ends after the daemon has taken a push in, and before its answer is
 * here, that push counts twice.
 */
#ifndef PRODD_CLIENT_METRIC_PUSH_H
#define PRODD_CLIENT_METRIC_PUSH_H

#include "client/conversation.h"
#include "client/metric.h"

#define PRODD_METRIC_PUSH_MS 1000

struct prodd_metric_push {
	struct prodd_metrics *metrics;			/* borrowed, as the following */
	struct prodd_conversation *conversation;
	struct prodd_outcall call;
	uint64_t *told;			/* owned; of each cell what the daemon has acknowledged */
	uint64_t *sent;			/* of each cell what is under way; in the same memory */
	uint32_t capacity;		/* cells */
	struct prodd_metric_entry *from;	/* what is under way, or comes next; NULL: the first of all */
	unsigned count;			/* entries under way, from there */
	struct prodd_metric_entry *next;	/* behind them; NULL: none */
	bool has_pushed;
	int64_t due_ns;
};

void prodd_metric_push_init(struct prodd_metric_push *push, struct prodd_metrics *metrics,
			    struct prodd_conversation *conversation);
void prodd_metric_push_clear(struct prodd_metric_push *push);

/* A new session. */
void prodd_metric_push_begin(struct prodd_metric_push *push);

/* Pushes what is new, when it is time. Returns 0, or the error that ends the session. */
int prodd_metric_push_turn(struct prodd_metric_push *push, struct prodd_error *e);

/* Queues all that is new, at the session's end; what is under way counts as acknowledged. */
void prodd_metric_push_finish(struct prodd_metric_push *push);

/* Whether the daemon has acknowledged anything. */
static inline bool prodd_metric_push_has_pushed(const struct prodd_metric_push *push)
{
	return push->has_pushed;
}

#endif
