/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A batch is a copy: the ring is released when the daemon has answered, so that
 * a session that ends in between repeats it.
 */
#include "client/log_push.h"

#include "client/clock.h"
#include "proto/codec.h"

static int answered(struct prodd_outcall *call, const struct prodd_message *answer, struct prodd_error *e);

void prodd_log_push_init(struct prodd_log_push *push, struct prodd_rings *rings, struct prodd_conversation *conversation,
			 struct prodd_messages *messages, const char *directory, const char *app)
{
	*push = (struct prodd_log_push){ .rings = rings, .conversation = conversation, .messages = messages,
					 .call.answered = answered };
	prodd_rest_init(&push->rest, directory, app, messages);
}

void prodd_log_push_clear(struct prodd_log_push *push)
{
	prodd_buffer_clear(&push->batch);
	prodd_rest_clear(&push->rest);
}

/* ---- from a ring */

static uint64_t drops_of(const struct prodd_ring_out *out)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < RING_DROP_REASONS; i++)
		sum += atomic_load_explicit(&out->ring.head->dropped[i], memory_order_relaxed);
	return sum;
}

/* The next record into the batch. False: there is none, or it is for the next batch. */
static bool add_record(struct prodd_log_push *push, struct prodd_ring_out *out)
{
	const uint32_t most = RING_RECORD_MAX(out->ring.capacity);
	struct ring_reading before = out->reading;
	uint64_t end, skipped = 0;
	uint32_t length = 0;
	char *room = prodd_buffer_extend(&push->batch, most);
	size_t start = push->batch.size - most;

	if (!room)
		return false;
	push->batch.size = start;
	if (ring_next(&out->own, &out->reading, (unsigned char *)room, most, &length, &end, false, &skipped) !=
	    RING_FOUND_RECORD)
		return false;
	if (start + length > PRODD_PUSH_BYTES && start > 0) {
		out->reading = before;
		return false;
	}
	if (length > PRODD_PUSH_BYTES)
		ring_drop(&out->ring, RING_DROP_TOO_LARGE, 1);
	else
		push->batch.size = start + length;
	push->end = end;
	return true;
}

/* Fills the batch. False: there is nothing, and the ring's producers will wake us. */
static bool fill_from(struct prodd_log_push *push, struct prodd_ring_out *out)
{
	unsigned number = (unsigned)(out - push->rings->rings);

	push->end = out->own.released;
	do {
		while (push->batch.size < PRODD_PUSH_BYTES && add_record(push, out))
			;
		push->drops = drops_of(out) - push->told[number];
		if (push->batch.size > 0 || push->drops > 0)
			return true;
		ring_release(&out->own, out->reading.at);
	} while (!ring_sleep(&out->own, &out->reading));
	return false;
}

/* ---- sending */

static int send_batch(struct prodd_log_push *push, struct prodd_error *e)
{
	struct wire_log_push params = { .records = prodd_buffer_slice(&push->batch), .dropped = push->drops };

	return prodd_conversation_call(push->conversation, &push->call, WIRE_M_log_push, &params, NULL, e);
}

static void reset_batch(struct prodd_log_push *push)
{
	prodd_buffer_clear(&push->batch);
	push->batch.limit = PRODD_PUSH_BYTES + RECORD_MAX;
	push->drops = 0;
}

int prodd_log_push_turn(struct prodd_log_push *push, struct prodd_error *e)
{
	if (push->call.id || prodd_clock_ns() < push->again_ns)
		return 0;
	reset_batch(push);
	for (unsigned i = 0; i < push->rings->count; i++) {
		push->from = &push->rings->rings[i];
		if (atomic_load(&push->from->reader) == PRODD_READ_BY_US && fill_from(push, push->from))
			return send_batch(push, e);
	}
	push->from = NULL;
	return prodd_rest_read(&push->rest, &push->batch, PRODD_PUSH_BYTES, &push->drops) ? send_batch(push, e) : 0;
}

/* ---- the answer */

static void pass_batch(struct prodd_log_push *push)
{
	if (!push->from) {
		prodd_rest_passed(&push->rest);
		return;
	}
	push->told[push->from - push->rings->rings] += push->drops;
	ring_release(&push->from->own, push->end);
}

static void repeat_batch(struct prodd_log_push *push)
{
	push->again_ns = prodd_clock_after_ms(PRODD_PUSH_AGAIN_MS);
	if (push->from)
		push->from->reading.at = push->from->own.released;
	else
		prodd_rest_repeat(&push->rest);
}

static int answered(struct prodd_outcall *call, const struct prodd_message *answer, struct prodd_error *e)
{
	struct prodd_log_push *push = (struct prodd_log_push *)((char *)call - offsetof(struct prodd_log_push, call));

	(void)e;
	if (!answer) {
		prodd_rest_repeat(&push->rest);
		return 0;
	}
	if (answer->error.code && prodd_error_retryable(answer->error.code)) {
		repeat_batch(push);
		return 0;
	}
	if (answer->error.code)
		prodd_messages_say_once(push->messages, LOG_ERR, "the daemon refuses log records: %s", answer->error.text);
	pass_batch(push);
	return 0;
}

bool prodd_log_push_is_done(struct prodd_log_push *push)
{
	for (unsigned i = 0; i < push->rings->count; i++) {
		struct prodd_ring_out *out = &push->rings->rings[i];

		if (atomic_load(&out->reader) == PRODD_READ_BY_US && ring_fill(&out->ring) > 0)
			return false;
	}
	return true;
}
