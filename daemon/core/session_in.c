/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bytes in, and a session's turn.  Whatever a session does with its socket, it
 * does in its turn (turns.h): the callbacks of libevent only wish for one.
 */
#define _GNU_SOURCE
#include "daemon/core/session_parts.h"

#include <errno.h>

#include "daemon/core/counters.h"
#include "daemon/util/clock.h"
#include "daemon/util/container.h"

enum {
	read_usual = 16 * 1024,		/* bytes read in a turn */
	read_most = 64 * 1024,		/* in the middle of a long frame */
	descriptors_max = 253,		/* of one message: SCM_MAX_FD */
};

static char received[read_most];	/* loop thread only */

static void pause_reading(struct session *session)
{
	if (session->paused || session->ending || session->out.own <= session_limits(session)->output_soft)
		return;
	session->paused = true;
	counters.reads_paused++;
	event_del(session->on_readable);
}

static void resume_reading(struct session *session)
{
	if (!session->paused || session->ending || session->out.own > session_limits(session)->output_soft / 2)
		return;
	session->paused = false;
	if (event_add(session->on_readable, NULL) < 0)
		session_fail(session);
}

static void take_message(struct session *session, const struct prodd_message *message)
{
	struct prodd_error e;

	if (!session->greeted) {
		if (message->type == PRODD_CALL && message->method == WIRE_M_hello) {
			hello_take(session, message);
			return;
		}
		prodd_error_set(&e, PRODD_E_PROTOCOL, "the first message must be a call of \"hello\"");
		session_violation(session, message->type == PRODD_CALL ? message->id : 0, &e,
				  &counters.sessions_ended_protocol);
	} else if (message->type == PRODD_CALL) {
		call_take(session, message);
	} else if (message->type == PRODD_ANSWER) {
		outcall_take_answer(session, message);
	} else {
		counters.calls_unsupported++;	/* a peer has no note to send that means anything here */
	}
}

static uint64_t *counter_of(const struct prodd_error *why)
{
	if (why->code == PRODD_E_NO_MEMORY)
		return &counters.sessions_ended_memory;
	return why->code == PRODD_E_TOO_LARGE ? &counters.sessions_ended_too_large : &counters.sessions_ended_protocol;
}

static void take_frame(struct session *session, struct prodd_slice frame)
{
	struct prodd_message message;
	struct prodd_error e;

	counters.frames_received++;
	if (prodd_message_open(frame, &prodd_check_received, &message, &e) < 0)
		session_violation(session, message.id, &e, counter_of(&e));
	else
		take_message(session, &message);
	descriptor_frame_done(session);
}

/* Handles frames of `input` until it is used up, the turn has had its frames, or the output is too long. */
static void take_input(struct session *session, struct prodd_slice *input)
{
	const struct session_limits *limits = session_limits(session);
	struct prodd_slice frame;
	struct prodd_error e;

	for (unsigned n = 0; n < limits->frames && !session->ending && session->out.own <= limits->output_soft; n++) {
		int r = prodd_deframe(&session->in, input, &frame, &e);

		if (r < 0)
			session_violation(session, 0, &e, counter_of(&e));
		if (r <= 0)
			break;
		take_frame(session, frame);
	}
	if (prodd_deframer_held(&session->in) == 0)
		prodd_deframer_clear(&session->in);
}

static void take_backlog(struct session *session)
{
	struct prodd_slice left = prodd_buffer_slice(&session->backlog);

	take_input(session, &left);
	prodd_buffer_consume(&session->backlog, session->backlog.size - left.size);
	if (session->backlog.size > 0)
		return;
	prodd_buffer_clear(&session->backlog);
	descriptor_input_done(session);
}

static void take_received(struct session *session, size_t size)
{
	struct prodd_slice input = { received, size };
	struct prodd_error e;

	take_input(session, &input);
	if (input.size == 0)
		descriptor_input_done(session);
	if (input.size == 0 || session->ending)
		return;
	if (prodd_buffer_append(&session->backlog, input.at, input.size) == 0)
		return;
	prodd_error_set(&e, -session->backlog.failed, "bytes received");
	session_violation(session, 0, &e, &counters.sessions_ended_memory);
}

/* The other side has closed, or half-closed: what it asked for so far is still sent. */
static void take_end(struct session *session)
{
	if (session->out.pending > 0)
		session_end(session, session_limits(session)->grace_ms);
	else
		session_fail(session);
}

static void count_received(struct session *session, size_t size)
{
	counters.bytes_received += size;
	session->account->bytes_in += size;
	session->bytes_in += size;
	session->heard_ms = clock_monotonic_ms();
}

static void receive(struct session *session)
{
	_Alignas(struct cmsghdr) char control[CMSG_SPACE(descriptors_max * sizeof(int))];
	struct iovec room = { received, prodd_deframer_held(&session->in) > 0 ? read_most : read_usual };
	struct msghdr message = { .msg_iov = &room, .msg_iovlen = 1, .msg_control = control,
				  .msg_controllen = sizeof control };
	ssize_t n = recvmsg(session->fd, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);

	session->readable = false;	/* told again when more is left */
	if (n < 0) {
		if (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR)
			session_fail(session);
		return;
	}
	descriptor_receive(session, &message);
	if (session->ending)
		return;
	if (n == 0) {
		take_end(session);
		return;
	}
	count_received(session, (size_t)n);
	take_received(session, (size_t)n);
}

static void take_more(struct session *session)
{
	resume_reading(session);
	if (session->paused)
		return;
	if (session->backlog.size > 0)
		take_backlog(session);
	else if (session->readable)
		receive(session);
	session_flush(session);
	pause_reading(session);
}

/* Is there work that no event will tell of? */
static bool wants_more(const struct session *session)
{
	if (session->out.pending > 0 && !session->blocked)
		return true;
	return session->backlog.size > 0 && !session->paused && !session->ending;
}

void session_take_turn(struct turn *turn)
{
	struct session *session = container_of(turn, struct session, turn);

	session_flush(session);
	if (session->ending) {
		if (session_finish(session))
			return;
	} else {
		take_more(session);
	}
	session_recharge(session);
	if (wants_more(session))
		turns_wish(&session->host->turns, turn);
	if (loop_timer_armed(&session->timer) != (session->out.pending > 0 || !session->greeted || session->ending))
		session_schedule(session);
}

void session_became_readable(evutil_socket_t fd, short what, void *arg)
{
	struct session *session = arg;

	(void)fd;
	(void)what;
	loop_enter(session->host->loop);
	session->readable = true;
	turns_wish(&session->host->turns, &session->turn);
}
