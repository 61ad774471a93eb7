/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A run is over when the process is reaped and its socket has ended; only then
 * is it known what the answer is worth.  At the deadline it is killed, which
 * brings both about.
 */
#define _GNU_SOURCE
#include "daemon/core/helper.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/socket.h>

#include "daemon/util/container.h"
#include "daemon/util/file.h"
#include "proto/limits.h"

enum {
	piece = 64 * 1024,		/* bytes of one read or write */
	pieces_max = 4,			/* in one turn */
};

/* ---- the end */

static void fail(struct helper_run *run, int code, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* The first reason counts. */
static void fail(struct helper_run *run, int code, const char *format, ...)
{
	va_list args;

	if (run->error.code)
		return;
	va_start(args, format);
	prodd_error_vset(&run->error, code, format, args);
	va_end(args);
	prodd_error_prefix(&run->error, "%s", run->name);
}

static void judge_status(struct helper_run *run)
{
	struct prodd_error e;

	if (child_judge(run->status, &e) < 0)
		fail(run, e.code, "%s", e.text);
	else if (run->in.size == 0)
		fail(run, PRODD_E_FAILED, "ended without an answer");
}

static void open_answer(struct helper_run *run, struct prodd_message *ret)
{
	struct prodd_slice frame = prodd_buffer_slice(&run->in);
	struct prodd_error e;

	frame.at += PRODD_FRAME_HEADER;
	frame.size -= PRODD_FRAME_HEADER;
	if (prodd_message_open(frame, &prodd_check_reply, ret, &e) < 0)
		fail(run, e.code, "answered nonsense: %s", e.text);
	else if (ret->type != PRODD_ANSWER)
		fail(run, PRODD_E_PROTOCOL, "answered nonsense: not an answer");
	else if (ret->error.code)
		fail(run, ret->error.code, "%s", ret->error.text);
}

/* Bytes of the whole answer with its header; 0: not known yet. */
static size_t announced(const struct helper_run *run)
{
	const unsigned char *b = (const unsigned char *)run->in.at;

	if (run->in.size < PRODD_FRAME_HEADER)
		return 0;
	return PRODD_FRAME_HEADER + ((size_t)b[0] << 24 | (size_t)b[1] << 16 | (size_t)b[2] << 8 | b[3]);
}

/* May free the run's owner. */
static void finish(struct helper_run *run)
{
	struct prodd_message answer;
	struct prodd_error why;

	if (run->child.pid || run->fd >= 0)
		return;
	loop_timer_disarm(&run->deadline);
	judge_status(run);
	if (!run->error.code && announced(run) != run->in.size)
		fail(run, PRODD_E_PROTOCOL, "answered nonsense: %zu bytes instead of %zu", run->in.size,
		     announced(run));
	if (!run->error.code)
		open_answer(run, &answer);
	why = run->error;
	run->ops->done(run, why.code ? NULL : &answer, why.code ? &why : NULL);
}

static void hang_up(struct helper_run *run)
{
	if (run->fd < 0)
		return;
	event_del(&run->io);
	file_close(&run->fd);
}

/* What it might still say does not count. */
static void kill_it(struct helper_run *run)
{
	child_kill(&run->child);
	hang_up(run);
}

static void reaped(struct child *child, int status)
{
	struct helper_run *run = container_of(child, struct helper_run, child);

	run->status = status;
	finish(run);
}

static void overdue(struct loop_timer *timer)
{
	struct helper_run *run = container_of(timer, struct helper_run, deadline);

	fail(run, PRODD_E_TIMEOUT, "did not end within %llu ms and was killed", (unsigned long long)run->deadline_ms);
	kill_it(run);
	finish(run);
}

/* ---- talking */

static void send_piece(struct helper_run *run)
{
	size_t left = run->out.size - run->sent;
	ssize_t n = send(run->fd, run->out.at + run->sent, left < piece ? left : piece, MSG_NOSIGNAL | MSG_DONTWAIT);

	if (n > 0)
		run->sent += (size_t)n;
	else if (errno != EAGAIN && errno != EINTR)
		run->sent = run->out.size;	/* it does not listen: its end tells why */
}

/* False: nothing more now, or never. */
static bool receive_piece(struct helper_run *run)
{
	char *room = prodd_buffer_extend(&run->in, piece);
	ssize_t n;

	if (!room) {
		fail(run, -run->in.failed, "answered more than %zu bytes", run->in.limit);
		kill_it(run);
		return false;
	}
	n = recv(run->fd, room, piece, MSG_DONTWAIT);
	run->in.size -= piece - (size_t)(n > 0 ? n : 0);
	if (n > 0)
		return true;
	if (n == 0 || (errno != EAGAIN && errno != EINTR))
		hang_up(run);
	return false;
}

static void talk(evutil_socket_t fd, short what, void *arg);

static int listen_for(struct helper_run *run, short what)
{
	if (event_assign(&run->io, run->loop->base, run->fd, what | EV_PERSIST, talk, run) < 0)
		return -1;
	return event_add(&run->io, NULL);
}

static void talk(evutil_socket_t fd, short what, void *arg)
{
	struct helper_run *run = arg;

	(void)fd;
	loop_enter(run->loop);
	if (what & EV_WRITE)
		for (int i = 0; i < pieces_max && run->sent < run->out.size; i++)
			send_piece(run);
	if (run->out.at && run->sent == run->out.size) {
		prodd_buffer_clear(&run->out);
		event_del(&run->io);
		if (listen_for(run, EV_READ) < 0) {
			fail(run, PRODD_E_NO_MEMORY, "no memory to listen to it");
			kill_it(run);
		}
	}
	if (what & EV_READ)
		for (int i = 0; i < pieces_max && run->fd >= 0 && receive_piece(run); i++)
			;
	if (run->fd < 0)
		finish(run);
}

/* ---- starting */

static int set_up(struct helper_run *run, const struct helper_program *program, struct prodd_error *e)
{
	struct child_start how = { .program = program };

	if (loop_timer_init(&run->deadline, run->loop, overdue, e) < 0)
		return -e->code;
	if (child_start(&run->child, run->loop, &how, &run->fd, e) < 0)
		return -e->code;
	if (listen_for(run, EV_READ | EV_WRITE) < 0)
		return prodd_error_set(e, PRODD_E_NO_MEMORY, "%s", run->name);
	loop_timer_arm(&run->deadline, run->deadline_ms);
	return 0;
}

int helper_run_start(struct helper_run *run, struct loop *loop, const struct helper_program *program,
		     struct prodd_buffer *request, uint64_t deadline_ms, struct prodd_error *e)
{
	int r;

	*run = (struct helper_run){
		.ops = run->ops, .loop = loop, .name = program->name, .fd = -1, .child.ended = reaped,
		.deadline_ms = deadline_ms, .out = *request,
		.in = { .limit = PRODD_FRAME_HEADER + PRODD_REPLY_MAX + piece },
	};
	*request = (struct prodd_buffer){ .limit = request->limit };	/* given to the run */
	r = set_up(run, program, e);
	if (r < 0)
		helper_run_clear(run);
	return r;
}

void helper_run_clear(struct helper_run *run)
{
	if (!run->loop)
		return;
	loop_timer_clear(&run->deadline);
	if (event_initialized(&run->io))
		event_del(&run->io);
	file_close(&run->fd);
	child_clear(&run->child);
	prodd_buffer_clear(&run->out);
	prodd_buffer_clear(&run->in);
	*run = (struct helper_run){ .ops = run->ops, .fd = -1 };
}

void helper_run_take(struct helper_run *run, struct prodd_buffer *ret)
{
	*ret = run->in;
	run->in = (struct prodd_buffer){ .limit = run->in.limit };
}
