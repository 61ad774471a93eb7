/* SPDX-License-Identifier: Apache-2.0 */
/* In a forked child all begins anew, with an engine of its own and cells that are 0. */
#include "client/metric_share.h"

#include "client/clock.h"

static int attached(struct prodd_outcall *call, const struct prodd_message *answer, struct prodd_error *e);

void prodd_metric_share_init(struct prodd_metric_share *s, struct prodd_metrics *metrics,
			     struct prodd_conversation *conversation)
{
	s->metrics = metrics;
	s->conversation = conversation;
	s->attach.answered = attached;
	prodd_metric_push_init(&s->push, metrics, conversation);
}

static void begin_to_push(struct prodd_metric_share *s)
{
	s->state = PRODD_SHARE_PUSHED;
	prodd_metric_push_begin(&s->push);
}

/* The segment does not reach the daemon for the reason *why. */
static void do_without(struct prodd_metric_share *s, const struct prodd_error *why)
{
	if (s->was_mapped) {
		s->state = PRODD_SHARE_LOST;
		prodd_messages_say_once(s->metrics->messages, LOG_WARNING,
					"metrics cannot be shared with the daemon any more: %s", why->text);
		return;
	}
	prodd_messages_say_once(s->metrics->messages, LOG_INFO, "metrics go over the socket: %s", why->text);
	begin_to_push(s);
}

static int attached(struct prodd_outcall *call, const struct prodd_message *answer, struct prodd_error *e)
{
	struct prodd_metric_share *s =
		(void *)((char *)call - offsetof(struct prodd_metric_share, attach));

	(void)e;
	if (!answer)
		return 0;
	if (answer->error.code) {
		do_without(s, &answer->error);
		return 0;
	}
	s->state = PRODD_SHARE_MAPPED;
	s->was_mapped = true;
	return 0;
}

static int ask(struct prodd_metric_share *s, struct prodd_error *e)
{
	const struct prodd_metric_segment *segment = &s->metrics->segment;
	struct wire_segment_attach params = {
		.segment = { (const char *)segment->segment.head->uuid, sizeof segment->segment.head->uuid },
		.size = segment->region.size,
	};

	s->state = PRODD_SHARE_ASKED;
	return prodd_conversation_call(s->conversation, &s->attach, WIRE_M_segment_attach, &params,
				       &segment->region, e);
}

static int begin(struct prodd_metric_share *s, struct prodd_error *e)
{
	const struct prodd_region *region = &s->metrics->segment.region;
	struct prodd_error why;

	if (prodd_metric_push_has_pushed(&s->push)) {
		begin_to_push(s);
		return 0;
	}
	if (prodd_region_fd(region) >= 0)
		return ask(s, e);
	if (region->fd >= 0)
		prodd_error_set(&why, PRODD_E_CLOSED, "the program has closed their descriptor");
	else
		why = region->why;
	do_without(s, &why);
	return 0;
}

int prodd_metric_share_turn(struct prodd_metric_share *s, bool welcomed, struct prodd_error *e)
{
	int r = 0;

	if (!welcomed) {
		s->state = PRODD_SHARE_NONE;
		return 0;
	}
	if (s->state == PRODD_SHARE_NONE && atomic_load_explicit(&s->metrics->is_open, memory_order_acquire))
		r = begin(s, e);
	if (r == 0 && s->state == PRODD_SHARE_PUSHED)
		r = prodd_metric_push_turn(&s->push, e);
	return r;
}

int64_t prodd_metric_share_due(const struct prodd_metric_share *s)
{
	return s->state == PRODD_SHARE_PUSHED ? s->push.due_ns : PRODD_NEVER;
}

void prodd_metric_share_finish(struct prodd_metric_share *s)
{
	if (s->state == PRODD_SHARE_PUSHED)
		prodd_metric_push_finish(&s->push);
}

void prodd_metric_share_clear(struct prodd_metric_share *s)
{
	prodd_metric_push_clear(&s->push);
}
