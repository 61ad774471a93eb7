/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A run of a worker ends when its process is reaped, and in no other way: who
 * hangs up and stays, or speaks nonsense, is killed, and the reap tells the
 * owner, after what it had said before.
 */
#define _GNU_SOURCE
#include "daemon/core/worker.h"

#include <errno.h>
#include <sys/random.h>
#include <sys/socket.h>

#include "daemon/util/clock.h"
#include "daemon/util/container.h"
#include "daemon/util/file.h"
#include "proto/limits.h"

enum {
	piece = 64 * 1024,		/* bytes of one read or write */
	pieces_max = 4,			/* in one turn */
	last_pieces_max = 64,		/* of what it said before its end: more than a socket holds */
	hung_up_ms = 200,		/* from the end of its socket to its own, else it is killed */
	doublings_max = 9,		/* of WORKER_AGAIN_MIN_MS: beyond WORKER_AGAIN_MAX_MS */
};

static char received[piece];	/* loop thread only */

/* ---- the end */

static void hang_up(struct worker *worker)
{
	if (worker->fd < 0)
		return;
	event_del(&worker->readable);
	event_del(&worker->writable);
	file_close(&worker->fd);
}

/* The first reason counts. */
static void kill_it(struct worker *worker, int code, const char *why)
{
	if (!worker->error.code)
		prodd_error_set(&worker->error, code, "%s: %s", worker->program->name, why);
	hang_up(worker);
	child_kill(&worker->child);
}

/* Full jitter: anything up to the most, so that many do not start together (AWS Architecture Blog, "Exponential
 * Backoff and Jitter"). */
static uint64_t delay_of(unsigned failures)
{
	uint64_t most = (uint64_t)WORKER_AGAIN_MIN_MS << (failures < doublings_max ? failures : doublings_max);
	uint64_t random;

	if (most > WORKER_AGAIN_MAX_MS)
		most = WORKER_AGAIN_MAX_MS;
	if (getrandom(&random, sizeof random, GRND_NONBLOCK) != sizeof random)
		random = clock_monotonic_ms();
	return 1 + random % most;
}

static void forget_run(struct worker *worker)
{
	hang_up(worker);
	prodd_buffer_clear(&worker->out);
	worker->sent = 0;
	worker->refused = false;
	prodd_deframer_clear(&worker->in);
}

/* It does not run any more, or did not start; `why` is NULL when nothing is wrong. */
static void end_run(struct worker *worker, const struct prodd_error *why)
{
	uint64_t again_ms = 0;

	loop_timer_disarm(&worker->timer);
	forget_run(worker);
	if (!worker->finishing) {
		again_ms = delay_of(worker->failures++);
		loop_timer_arm(&worker->timer, again_ms);
	}
	worker->ops->ended(worker, why, again_ms);
}

/* ---- what it says */

static int take_frame(struct worker *worker, struct prodd_slice frame, struct prodd_error *e)
{
	struct prodd_message message;

	if (prodd_message_open(frame, &prodd_check_reply, &message, e) < 0)
		return -e->code;
	if (message.type == PRODD_CALL)
		return prodd_error_set(e, PRODD_E_PROTOCOL, "a call");
	if (message.type == PRODD_NOTE && wire_methods[message.method].sender != WIRE_HELPER)
		return prodd_error_set(e, PRODD_E_PROTOCOL, "\"%.*s\" is no helper's note", PRODD_SLICE(message.name));
	worker->ops->message(worker, &message);
	return 0;
}

static void take_bytes(struct worker *worker, size_t size)
{
	struct prodd_slice input = { received, size }, frame;
	struct prodd_error e;
	int r;

	while ((r = prodd_deframe(&worker->in, &input, &frame, &e)) > 0) {
		r = take_frame(worker, frame, &e);
		if (r < 0)
			break;
	}
	if (r == 0) {
		if (prodd_deframer_held(&worker->in) == 0)
			prodd_deframer_clear(&worker->in);
		return;
	}
	prodd_error_prefix(&e, "nonsense");
	kill_it(worker, e.code, e.text);
}

/* False: nothing more now, or never. */
static bool receive_piece(struct worker *worker)
{
	ssize_t n = recv(worker->fd, received, sizeof received, MSG_DONTWAIT);

	if (n > 0) {
		take_bytes(worker, (size_t)n);
		return worker->fd >= 0;
	}
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return false;
	hang_up(worker);
	if (!worker->finishing && worker->child.pid)
		loop_timer_arm(&worker->timer, hung_up_ms);
	return false;
}

static void became_readable(evutil_socket_t fd, short what, void *arg)
{
	struct worker *worker = arg;

	(void)fd;
	(void)what;
	loop_enter(worker->loop);
	for (int i = 0; i < pieces_max && receive_piece(worker); i++)
		;
}

static void reaped(struct child *child, int status)
{
	struct worker *worker = container_of(child, struct worker, child);
	struct prodd_error why;

	for (int i = 0; i < last_pieces_max && worker->fd >= 0 && receive_piece(worker); i++)
		;
	why = worker->error;
	if (!why.code && child_judge(status, &why) < 0)
		prodd_error_prefix(&why, "%s", worker->program->name);
	else if (!why.code && !worker->finishing)
		prodd_error_set(&why, PRODD_E_FAILED, "%s: it ended", worker->program->name);
	end_run(worker, why.code ? &why : NULL);
}

/* ---- what it is told */

static void send_more(struct worker *worker)
{
	for (int i = 0; i < pieces_max && worker->sent < worker->out.size; i++) {
		size_t left = worker->out.size - worker->sent;
		ssize_t n = send(worker->fd, worker->out.at + worker->sent, left < piece ? left : piece,
				 MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n < 0 && errno != EAGAIN && errno != EINTR)
			worker->sent = worker->out.size;	/* it does not listen: its end tells why */
		if (n <= 0)
			break;
		worker->sent += (size_t)n;
	}
}

/* What was sent goes when it is all, or half of what may wait: bytes are moved seldom. */
static void drop_sent(struct worker *worker)
{
	if (worker->sent < worker->out.size && worker->sent < WORKER_OUT_MAX / 2)
		return;
	prodd_buffer_consume(&worker->out, worker->sent);
	worker->sent = 0;
	if (worker->out.size == 0)
		prodd_buffer_clear(&worker->out);
}

static void flush(struct worker *worker)
{
	send_more(worker);
	drop_sent(worker);
	if (worker->out.size > worker->sent) {
		if (event_add(&worker->writable, NULL) < 0)
			kill_it(worker, PRODD_E_NO_MEMORY, "no memory to write to it");
		return;
	}
	if (worker->finishing)
		shutdown(worker->fd, SHUT_WR);
}

static void became_writable(evutil_socket_t fd, short what, void *arg)
{
	struct worker *worker = arg;

	(void)fd;
	(void)what;
	loop_enter(worker->loop);
	flush(worker);
	if (!worker->refused || worker->fd < 0 || worker->out.size > WORKER_OUT_MAX / 2)
		return;
	worker->refused = false;
	if (worker->ops->has_room)
		worker->ops->has_room(worker);
}

/* Does what was just encoded stay? */
static bool queue(struct worker *worker, int r)
{
	if (r < 0) {
		worker->out.failed = 0;		/* the whole frames before it stay */
		worker->refused = true;
		return false;
	}
	event_active(&worker->writable, EV_WRITE, 0);
	return true;
}

bool worker_note(struct worker *worker, enum wire_method method, const void *params)
{
	if (worker->fd < 0 || worker->finishing)
		return false;
	return queue(worker, prodd_frame_note(&worker->out, method, params));
}

bool worker_call(struct worker *worker, uint64_t id, enum wire_method method, const void *params)
{
	if (worker->fd < 0 || worker->finishing)
		return false;
	return queue(worker, prodd_frame_call(&worker->out, id, method, params));
}

/* ---- lifecycle */

static int start(struct worker *worker, struct prodd_error *e)
{
	struct child_start how = {
		.program = worker->program, .descriptors = worker->descriptors, .count = worker->descriptor_count,
		.has_output = true,
	};
	struct event_base *base = worker->loop->base;

	worker->error = (struct prodd_error){ 0 };
	worker->out.limit = WORKER_OUT_MAX;
	worker->in.limit = PRODD_REPLY_MAX;
	if (child_start(&worker->child, worker->loop, &how, &worker->fd, e) < 0)
		return -e->code;
	if (event_assign(&worker->readable, base, worker->fd, EV_READ | EV_PERSIST, became_readable, worker) < 0 ||
	    event_assign(&worker->writable, base, worker->fd, EV_WRITE, became_writable, worker) < 0 ||
	    event_add(&worker->readable, NULL) < 0) {
		child_clear(&worker->child);
		file_close(&worker->fd);
		return prodd_error_set(e, PRODD_E_NO_MEMORY, "%s", worker->program->name);
	}
	return 0;
}

static void timer_fired(struct loop_timer *timer)
{
	struct worker *worker = container_of(timer, struct worker, timer);
	struct prodd_error why;

	if (worker->child.pid)
		kill_it(worker, PRODD_E_CLOSED, "it closed its socket");
	else if (start(worker, &why) < 0)
		end_run(worker, &why);
	else
		worker->ops->started(worker);
}

int worker_init(struct worker *worker, const struct worker_ops *ops, struct loop *loop,
		const struct helper_program *program, const int *descriptors, unsigned count, struct prodd_error *e)
{
	*worker = (struct worker){ .ops = ops, .program = program, .descriptor_count = count, .fd = -1,
				   .child.ended = reaped };
	for (unsigned i = 0; i < count; i++)
		worker->descriptors[i] = descriptors[i];
	if (loop_timer_init(&worker->timer, loop, timer_fired, e) < 0)
		return -e->code;
	worker->loop = loop;
	loop_timer_soon(&worker->timer);
	return 0;
}

void worker_clear(struct worker *worker)
{
	if (!worker->loop)
		return;
	loop_timer_clear(&worker->timer);
	forget_run(worker);
	child_clear(&worker->child);
	*worker = (struct worker){ .fd = -1 };
}

pid_t worker_pid(const struct worker *worker)
{
	return worker->loop ? worker->child.pid : 0;
}

void worker_is_well(struct worker *worker)
{
	worker->failures = 0;
}

void worker_finish(struct worker *worker)
{
	if (!worker->loop || worker->finishing)
		return;
	worker->finishing = true;
	loop_timer_disarm(&worker->timer);
	if (worker->fd >= 0)
		event_active(&worker->writable, EV_WRITE, 0);
}
