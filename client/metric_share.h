/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How the daemon comes by the metrics: it maps the segment, whose memfd goes
 * with segment.attach, once in each session; where that cannot be, what is new is pushed
 * (metric_push.h).  What was counted in one way is never counted in the other too: a process that
 * has pushed goes on to push, and one that has shared does not begin to.
 */
#ifndef PRODD_CLIENT_METRIC_SHARE_H
#define PRODD_CLIENT_METRIC_SHARE_H

#include "client/metric_push.h"

enum prodd_share_state {
	PRODD_SHARE_NONE,	/* nothing was tried in this session */
	PRODD_SHARE_ASKED,	/* segment.attach is under way */
	PRODD_SHARE_MAPPED,	/* the daemon has it */
	PRODD_SHARE_PUSHED,	/* over the socket */
	PRODD_SHARE_LOST,	/* neither: what the daemon has mapped before it may still read */
};

/* Of an engine, whose thread makes all calls. */
struct prodd_metric_share {
	struct prodd_metrics *metrics;			/* borrowed, as the following */
	struct prodd_conversation *conversation;
	enum prodd_share_state state;
	bool was_mapped;				/* in any session */
	struct prodd_outcall attach;
	struct prodd_metric_push push;
};

void prodd_metric_share_init(struct prodd_metric_share *s, struct prodd_metrics *metrics,
			     struct prodd_conversation *conversation);

/* In each turn: does what there is to do. `welcomed`: between welcome and end of a session. Returns 0, or the
 * error that ends it. */
int prodd_metric_share_turn(struct prodd_metric_share *s, bool welcomed, struct prodd_error *e);

/* When the next turn is wanted; PRODD_NEVER: at the next event. */
int64_t prodd_metric_share_due(const struct prodd_metric_share *s);

/* Before the session is closed in order: queues what was not pushed yet. */
void prodd_metric_share_finish(struct prodd_metric_share *s);

void prodd_metric_share_clear(struct prodd_metric_share *s);

#endif
