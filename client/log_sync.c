/* SPDX-License-Identifier: Apache-2.0 */
/* A ring that the daemon reads is asked for by its position; what the library pushes itself, once it is pushed. */
#include "client/log_sync.h"

#include "client/clock.h"

/* ---- who waits */

void prodd_log_sync_init(struct prodd_log_sync *sync)
{
	pthread_condattr_t attributes;

	*sync = (struct prodd_log_sync){ 0 };
	pthread_mutex_init(&sync->lock, NULL);
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&sync->changed, &attributes);
	pthread_condattr_destroy(&attributes);
}

void prodd_log_sync_clear(struct prodd_log_sync *sync)
{
	pthread_cond_destroy(&sync->changed);
	pthread_mutex_destroy(&sync->lock);
}

void prodd_log_sync_close(struct prodd_log_sync *sync)
{
	pthread_mutex_lock(&sync->lock);
	sync->closed = true;
	pthread_cond_broadcast(&sync->changed);
	pthread_mutex_unlock(&sync->lock);
}

uint64_t prodd_log_sync_draw(struct prodd_log_sync *sync)
{
	uint64_t number;

	pthread_mutex_lock(&sync->lock);
	number = ++sync->drawn;
	pthread_mutex_unlock(&sync->lock);
	return number;
}

/* Under the lock. */
static int look(const struct prodd_log_sync *sync, uint64_t number, struct prodd_error *e)
{
	if (sync->done >= number)
		return 1;
	if (sync->closed)
		return prodd_error_set(e, PRODD_E_CLOSED, "the handle is closed");
	if (sync->failed < number)
		return 0;
	*e = sync->why;
	return -e->code;
}

int prodd_log_sync_look(struct prodd_log_sync *sync, uint64_t number, struct prodd_error *e)
{
	int r;

	pthread_mutex_lock(&sync->lock);
	r = look(sync, number, e);
	pthread_mutex_unlock(&sync->lock);
	return r;
}

void prodd_log_sync_wait(struct prodd_log_sync *sync, uint64_t number, int64_t deadline_ns)
{
	struct timespec deadline = prodd_clock_timespec(deadline_ns);
	struct prodd_error ignored;
	int r = 0;

	pthread_mutex_lock(&sync->lock);
	while (r == 0 && look(sync, number, &ignored) == 0)
		r = pthread_cond_timedwait(&sync->changed, &sync->lock, &deadline);
	pthread_mutex_unlock(&sync->lock);
}

/* ---- asking */

static int answered(struct prodd_outcall *call, const struct prodd_message *answer, struct prodd_error *e);

void prodd_log_asking_init(struct prodd_log_asking *asking, struct prodd_log_sync *sync, struct prodd_rings *rings,
			   struct prodd_conversation *conversation)
{
	*asking = (struct prodd_log_asking){ .sync = sync, .rings = rings, .conversation = conversation };
	for (unsigned i = 0; i <= PRODD_RINGS_MAX; i++)
		asking->questions[i] = (struct prodd_log_question){ .call.answered = answered, .asking = asking };
}

void prodd_log_asking_left(struct prodd_log_asking *asking)
{
	asking->open = 0;
	asking->number = 0;
}

/* All questions are answered. */
static void finish(struct prodd_log_asking *asking)
{
	struct prodd_log_sync *sync = asking->sync;

	pthread_mutex_lock(&sync->lock);
	if (asking->why.code) {
		sync->failed = asking->number;
		sync->why = asking->why;
	} else {
		sync->done = asking->number;
	}
	pthread_cond_broadcast(&sync->changed);
	pthread_mutex_unlock(&sync->lock);
	asking->number = 0;
}

static int answered(struct prodd_outcall *call, const struct prodd_message *answer, struct prodd_error *e)
{
	struct prodd_log_question *question =
		(struct prodd_log_question *)((char *)call - offsetof(struct prodd_log_question, call));
	struct prodd_log_asking *asking = question->asking;

	(void)e;
	if (!answer || asking->open == 0)
		return 0;
	if (answer->error.code && !asking->why.code)
		prodd_error_set(&asking->why, PRODD_E_IO, "the daemon cannot make log records durable: %s",
				answer->error.text);
	asking->open--;
	if (asking->open == 0 && !asking->pushing)
		finish(asking);
	return 0;
}

static int ask(struct prodd_log_asking *asking, unsigned question, const struct prodd_ring_out *out, struct prodd_error *e)
{
	struct wire_log_sync params = { 0 };

	if (out)
		params = (struct wire_log_sync){ .ring = { (const char *)out->ring.head->uuid, 16 },
						 .end = asking->ends[question] };
	asking->open++;
	return prodd_conversation_call(asking->conversation, &asking->questions[question].call, WIRE_M_log_sync, &params,
				       NULL, e);
}

static uint64_t tail_of(const struct prodd_ring_out *out)
{
	return atomic_load_explicit(&out->ring.head->tail, memory_order_acquire);
}

static int begin(struct prodd_log_asking *asking, uint64_t number, struct prodd_error *e)
{
	int r = 0;

	asking->number = number;
	asking->why = (struct prodd_error){ 0 };
	asking->pushing = false;
	for (unsigned i = 0; i < asking->rings->count && r == 0; i++) {
		const struct prodd_ring_out *out = &asking->rings->rings[i];
		enum prodd_ring_reader reader = atomic_load(&out->reader);

		asking->ends[i] = tail_of(out);
		if (asking->ends[i] == 0)
			continue;
		asking->pushing |= reader == PRODD_READ_BY_US;
		if (reader == PRODD_READ_BY_DAEMON)
			r = ask(asking, i, out, e);
	}
	if (r == 0 && asking->open == 0 && !asking->pushing)
		finish(asking);
	return r;
}

static bool is_pushed(const struct prodd_log_asking *asking)
{
	for (unsigned i = 0; i < asking->rings->count; i++) {
		const struct prodd_ring_out *out = &asking->rings->rings[i];

		if (atomic_load(&out->reader) == PRODD_READ_BY_US && out->own.released < asking->ends[i])
			return false;
	}
	return true;
}

/* A ring whose attachment is not answered yet has no reader. */
static bool is_settled(const struct prodd_rings *rings)
{
	for (unsigned i = 0; i < rings->count; i++)
		if (rings->rings[i].attach.id)
			return false;
	return true;
}

int prodd_log_asking_turn(struct prodd_log_asking *asking, struct prodd_error *e)
{
	struct prodd_log_sync *sync = asking->sync;
	uint64_t wanted = 0;

	if (asking->number > 0 && asking->pushing && is_pushed(asking)) {
		asking->pushing = false;
		return ask(asking, PRODD_RINGS_MAX, NULL, e);
	}
	if (asking->number > 0 || !is_settled(asking->rings))
		return 0;
	pthread_mutex_lock(&sync->lock);
	if (sync->drawn > sync->done && sync->drawn > sync->failed)
		wanted = sync->drawn;
	pthread_mutex_unlock(&sync->lock);
	return wanted > 0 ? begin(asking, wanted, e) : 0;
}
