/* SPDX-License-Identifier: Apache-2.0 */
/* What a session sends is encoded once, charged, queued, and written in its turn. */
#define _GNU_SOURCE
#include "daemon/core/session_parts.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "daemon/core/counters.h"
#include "daemon/util/clock.h"
#include "daemon/util/file.h"

enum {
	write_most = 256 * 1024,	/* bytes written in a turn */
	frame_kept = 64 * 1024,		/* memory that the shared encoding buffer keeps */
};

static void forget_frame(struct session_host *host)
{
	if (host->frame.capacity > frame_kept)
		prodd_buffer_clear(&host->frame);
	else
		prodd_buffer_reset(&host->frame);
}

/* Takes `fd`. */
static int add_parts(struct session *session, struct shared *tail, int fd)
{
	struct prodd_slice frame = prodd_buffer_slice(&session->host->frame);
	int r = fd < 0 ? output_add(&session->out, frame) : output_add_fd(&session->out, frame, fd);

	return r < 0 || !tail ? r : output_add_shared(&session->out, tail);
}

static bool is_full(const struct session *session, const struct shared *tail)
{
	const struct session_limits *limits = session_limits(session);

	return session->out.own > limits->output_hard || (tail && session->out.shared >= limits->shared);
}

static int queue(struct session *session, struct shared *tail, int *fd)
{
	int r = session->host->frame.failed;

	if (session->ending)
		return -PRODD_E_CLOSED;
	if (is_full(session, tail)) {
		session_end_counted(session, &counters.sessions_ended_output);
		return -PRODD_E_OVER_LIMIT;
	}
	if (session->out.pending == 0)
		session->progress_ms = clock_monotonic_ms();
	if (r == 0) {
		r = add_parts(session, tail, *fd);
		*fd = -1;	/* given to the output */
	}
	if (r < 0) {
		session_end_counted(session, &counters.sessions_ended_memory);
		return r;
	}
	return session_recharge(session) ? 0 : -PRODD_E_OVER_LIMIT;
}

/* Takes `fd`; -1: none. */
static int queue_frame(struct session *session, struct shared *tail, int fd)
{
	int r = queue(session, tail, &fd);

	file_close(&fd);
	forget_frame(session->host);
	if (r < 0)
		return r;
	counters.frames_sent++;
	turns_wish(&session->host->turns, &session->turn);
	return 0;
}

int session_queue(struct session *session, struct shared *tail)
{
	return queue_frame(session, tail, -1);
}

int session_answer_error(struct session *session, uint64_t id, const struct prodd_error *error)
{
	counters.calls_failed++;
	prodd_frame_error(&session->host->frame, id, error);
	return session_queue(session, NULL);
}

int session_answer(struct session *session, uint64_t id, const struct wire_record *type, const void *result)
{
	struct prodd_error e;
	int r = prodd_frame_answer(&session->host->frame, id, type, result);

	if (r != -PRODD_E_TOO_LARGE)
		return session_queue(session, NULL);
	forget_frame(session->host);
	prodd_error_set(&e, PRODD_E_TOO_LARGE, "the answer is too large: %s", type->name);
	return session_answer_error(session, id, &e);
}

int session_answer_fd(struct session *session, uint64_t id, const struct wire_record *type, const void *result, int fd)
{
	struct prodd_error e;
	int copy = fcntl(fd, F_DUPFD_CLOEXEC, 0), r;

	if (copy < 0) {
		prodd_error_set(&e, PRODD_E_OVER_LIMIT, "no file descriptor to answer with: %s", strerror(errno));
		return session_answer_error(session, id, &e);
	}
	r = prodd_frame_answer(&session->host->frame, id, type, result);
	if (r == 0)
		return queue_frame(session, NULL, copy);
	file_close(&copy);
	return session_queue(session, NULL);
}

int session_note(struct session *session, enum wire_method method, const void *params)
{
	prodd_frame_note(&session->host->frame, method, params);
	return session_queue(session, NULL);
}

static void count_sent(struct session *session, size_t size)
{
	counters.bytes_sent += size;
	session->account->bytes_out += size;
	session->bytes_out += size;
	session->progress_ms = clock_monotonic_ms();
}

void session_flush(struct session *session)
{
	size_t written = 0;

	while (session->out.pending > 0 && !session->blocked && !session->failed && written < write_most) {
		ssize_t n = output_write(&session->out, session->fd);

		if (n < 0) {
			session_fail(session);
		} else if (n == 0) {
			session->blocked = true;
			if (event_add(session->on_writable, NULL) < 0)
				session_fail(session);
		} else {
			written += (size_t)n;
			count_sent(session, (size_t)n);
		}
	}
}

void session_became_writable(evutil_socket_t fd, short what, void *arg)
{
	struct session *session = arg;

	(void)fd;
	(void)what;
	loop_enter(session->host->loop);
	session->blocked = false;
	turns_wish(&session->host->turns, &session->turn);
}
