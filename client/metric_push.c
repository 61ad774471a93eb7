/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A push takes entries in their order until the frame is full; the next one goes
 * on behind them.  What is sent is noted for each cell, and becomes what the daemon
 * knows with its answer.
 */
#include "client/metric_push.h"

#include <stdlib.h>

#include "client/clock.h"
#include "client/metric_batch.h"
#include "client/metric_series.h"

static int answered(struct prodd_outcall *call, const struct prodd_message *answer, struct prodd_error *e);

void prodd_metric_push_init(struct prodd_metric_push *push, struct prodd_metrics *metrics,
			    struct prodd_conversation *conversation)
{
	push->metrics = metrics;
	push->conversation = conversation;
	push->call.answered = answered;
	push->due_ns = PRODD_NEVER;
}

void prodd_metric_push_clear(struct prodd_metric_push *push)
{
	free(push->told);
	push->told = push->sent = NULL;
	push->capacity = 0;
}

static bool is_gauge(const struct prodd_metric_entry *entry)
{
	return !entry->is_family && ((const struct prodd_series *)entry)->family->is.type == SEGMENT_GAUGE;
}

static void forget_gauges(struct prodd_metric_push *push)
{
	for (const struct prodd_metric_entry *entry = push->metrics->first; entry; entry = entry->next) {
		uint32_t cell = is_gauge(entry) ? ((const struct prodd_series *)entry)->cell : push->capacity;

		if (cell < push->capacity)
			push->told[cell + 1] = 0;
	}
}

void prodd_metric_push_begin(struct prodd_metric_push *push)
{
	pthread_mutex_lock(&push->metrics->lock);
	forget_gauges(push);
	pthread_mutex_unlock(&push->metrics->lock);
	push->from = NULL;
	push->due_ns = 0;
}

/* Under the lock: room to note all cells that there are. */
static int make_room(struct prodd_metric_push *push, struct prodd_error *e)
{
	uint32_t capacity = push->capacity ? push->capacity : 256;
	uint64_t *told;

	while (capacity < push->metrics->segment.segment.next_cell)
		capacity *= 2;
	if (capacity == push->capacity)
		return 0;
	told = calloc(2 * (size_t)capacity, sizeof *told);
	if (!told)
		return prodd_error_set(e, PRODD_E_NO_MEMORY, "pushing metrics");
	if (push->told)
		memcpy(told, push->told, push->capacity * sizeof *told);
	free(push->told);
	push->told = told;
	push->sent = told + capacity;
	push->capacity = capacity;
	return 0;
}

/* Under the lock: fills the batch from where the last one ended. */
static int fill(struct prodd_metric_push *push, struct prodd_metric_batch *batch, struct prodd_error *e)
{
	const struct segment *segment = &push->metrics->segment.segment;
	struct prodd_metric_entry *entry = push->from ? push->from : push->metrics->first;
	int r = make_room(push, e);

	push->from = entry;
	push->count = 0;
	for (; r == 0 && entry && !prodd_metric_batch_is_full(batch); entry = entry->next) {
		if (!entry->is_family)
			r = prodd_metric_batch_add(batch, segment, (const struct prodd_series *)entry,
						   push->told, push->sent, e);
		push->count++;
	}
	push->next = entry;
	return r;
}

/* No answer will be read: the session ends. */
static int call_and_leave(struct prodd_conversation *c, const struct wire_metric_push *params,
			  struct prodd_error *e)
{
	int r = prodd_frame_call(&c->link->out, ++c->last_id, WIRE_M_metric_push, params);

	return r < 0 ? prodd_error_set(e, -r, "pushing metrics") : 0;
}

/* Queues the next push; *ret_more: there are entries behind it. Returns 1; 0: there was nothing to push. */
static int send_next(struct prodd_metric_push *push, bool is_last, bool *ret_more, struct prodd_error *e)
{
	prodd_auto_metric_batch batch = { .series_count = 0 };
	struct wire_metric_push params;
	int r;

	pthread_mutex_lock(&push->metrics->lock);
	r = fill(push, &batch, e);
	pthread_mutex_unlock(&push->metrics->lock);
	if (r == 0)
		r = prodd_metric_batch_end(&batch, &params, e);
	*ret_more = push->next;
	if (r <= 0) {
		push->from = push->next;
		return r;
	}
	if (is_last)
		r = call_and_leave(push->conversation, &params, e);
	else
		r = prodd_conversation_call(push->conversation, &push->call, WIRE_M_metric_push, &params,
					    NULL, e);
	return r < 0 ? r : 1;
}

int prodd_metric_push_turn(struct prodd_metric_push *push, struct prodd_error *e)
{
	bool more = true;
	int r = 0;

	if (push->call.id || prodd_clock_ns() < push->due_ns)
		return 0;
	while (r == 0 && more)
		r = send_next(push, false, &more, e);
	push->due_ns = r > 0 ? PRODD_NEVER : prodd_clock_after_ms(PRODD_METRIC_PUSH_MS);
	return r < 0 ? r : 0;
}

/* ---- the answer */

static void note_told(struct prodd_metric_push *push)
{
	const struct prodd_metric_entry *entry = push->from;

	for (unsigned i = 0; i < push->count; i++) {
		if (!entry->is_family) {
			const struct prodd_series *series = (const struct prodd_series *)entry;

			memcpy(push->told + series->cell, push->sent + series->cell,
			       segment_cells(&series->family->is) * sizeof *push->told);
		}
		if (i + 1 < push->count)
			entry = entry->next;
	}
	push->has_pushed = true;
	push->from = push->next;
}

static void say_problem(struct prodd_metric_push *push, const struct prodd_message *answer)
{
	struct wire_metric_pushed pushed;
	struct wire_problem problem;
	struct prodd_iter it;

	if (prodd_message_decode(answer, &wire_record_metric_pushed, &pushed, NULL) < 0)
		return;
	it = prodd_iter(pushed.problems);
	if (prodd_next(&it, &wire_record_problem, &problem, NULL) > 0)
		prodd_messages_say_once(push->metrics->messages, LOG_WARNING,
					"the daemon refuses a metric: %.*s", PRODD_SLICE(problem.text));
}

static int answered(struct prodd_outcall *call, const struct prodd_message *answer, struct prodd_error *e)
{
	struct prodd_metric_push *push = (void *)((char *)call - offsetof(struct prodd_metric_push, call));

	(void)e;
	if (!answer)
		return 0;
	if (answer->error.code) {
		prodd_messages_say_once(push->metrics->messages, LOG_WARNING,
					"the daemon refuses metrics: %s", answer->error.text);
		push->from = NULL;
		push->due_ns = prodd_clock_after_ms(PRODD_METRIC_PUSH_MS);
		return 0;
	}
	say_problem(push, answer);
	note_told(push);
	push->due_ns = push->from ? 0 : prodd_clock_after_ms(PRODD_METRIC_PUSH_MS);
	return 0;
}

void prodd_metric_push_finish(struct prodd_metric_push *push)
{
	struct prodd_error ignored;
	bool more = true;
	int r = 1;

	if (push->call.id)
		note_told(push);
	push->from = NULL;
	while (r >= 0 && more) {
		r = send_next(push, true, &more, &ignored);
		if (r > 0)
			note_told(push);
	}
}
