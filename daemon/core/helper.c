/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A run is over when the process is reaped and its socket has ended; only then
 * is it known what the answer is worth.  At the deadline it is killed, which
 * brings both about.
 */
#define _GNU_SOURCE
#include "daemon/core/helper.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "daemon/util/container.h"
#include "daemon/util/file.h"
#include "proto/limits.h"

enum {
	helper_fd = 3,			/* the helper's end of the socket */
	first_fd = 10,			/* programs are kept from here on, so that no helper_fd hides one */
	piece = 64 * 1024,		/* bytes of one read or write */
	pieces_max = 4,			/* in one turn */
	look_ms = 10,			/* between two looks, where the kernel has no pidfds */
};

/* ---- programs */

int helper_program_open(struct helper_program *ret, const char *directory, const char *name, struct prodd_error *e)
{
	auto_fd top = open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
	auto_fd fd = top < 0 ? -1 : openat(top, name, O_PATH | O_CLOEXEC);

	/* A helper gets no descriptor that prodd was born with either (Linux 5.11). */
	close_range(helper_fd, ~0u, CLOSE_RANGE_CLOEXEC);
	*ret = (struct helper_program){ .fd = -1, .name = name };
	if (fd >= 0)
		ret->fd = fcntl(fd, F_DUPFD_CLOEXEC, first_fd);
	if (ret->fd < 0)
		return prodd_error_set(e, PRODD_E_IO, "%s/%s: %s", directory, name, strerror(errno));
	return 0;
}

void helper_program_close(struct helper_program *program)
{
	file_close(&program->fd);
}

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
	if (WIFSIGNALED(run->status))
		fail(run, PRODD_E_FAILED, "ended by signal %d (%s)", WTERMSIG(run->status),
		     strsignal(WTERMSIG(run->status)));
	else if (WEXITSTATUS(run->status) != 0)
		fail(run, PRODD_E_FAILED, "ended with status %d", WEXITSTATUS(run->status));
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

	if (run->pid || run->fd >= 0)
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
	if (run->pid)
		kill(run->pid, SIGKILL);
	hang_up(run);
}

static void look(struct helper_run *run)
{
	if (waitpid(run->pid, &run->status, WNOHANG) != run->pid) {
		if (run->pidfd < 0)
			loop_timer_arm(&run->look, look_ms);
		return;
	}
	run->pid = 0;
	if (run->pidfd >= 0)
		event_del(&run->exited);
	file_close(&run->pidfd);
	finish(run);
}

static void look_again(struct loop_timer *timer)
{
	look(container_of(timer, struct helper_run, look));
}

static void exited(evutil_socket_t fd, short what, void *arg)
{
	struct helper_run *run = arg;

	(void)fd;
	(void)what;
	loop_enter(run->loop);
	look(run);
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

static int spawn(struct helper_run *run, const struct helper_program *program, int its_end)
{
	char *argv[] = { (char *)program->name, NULL };
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	sigset_t none, defaults;
	char path[32];
	int r;

	snprintf(path, sizeof path, "/proc/self/fd/%d", program->fd);
	sigemptyset(&none);
	sigemptyset(&defaults);
	sigaddset(&defaults, SIGPIPE);
	if (posix_spawn_file_actions_init(&actions) != 0)
		return ENOMEM;
	if (posix_spawnattr_init(&attributes) != 0) {
		posix_spawn_file_actions_destroy(&actions);
		return ENOMEM;
	}
	r = posix_spawn_file_actions_adddup2(&actions, its_end, helper_fd);
	if (r == 0)
		r = posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	if (r == 0)
		r = posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
	posix_spawnattr_setsigmask(&attributes, &none);
	posix_spawnattr_setsigdefault(&attributes, &defaults);
	posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
	if (r == 0)
		r = posix_spawn(&run->pid, path, &actions, &attributes, argv, environ);
	if (r != 0)
		run->pid = 0;
	posix_spawnattr_destroy(&attributes);
	posix_spawn_file_actions_destroy(&actions);
	return r;
}

/* The end is told by a pidfd (Linux 5.3), else by looking every look_ms. */
static int watch_end(struct helper_run *run)
{
	run->pidfd = (int)syscall(SYS_pidfd_open, run->pid, 0);
	if (run->pidfd < 0) {
		loop_timer_arm(&run->look, look_ms);
		return 0;
	}
	if (event_assign(&run->exited, run->loop->base, run->pidfd, EV_READ | EV_PERSIST, exited, run) < 0)
		return -1;
	return event_add(&run->exited, NULL);
}

static int set_up(struct helper_run *run, const struct helper_program *program, struct prodd_error *e)
{
	int ends[2], r;

	if (loop_timer_init(&run->deadline, run->loop, overdue, e) < 0 ||
	    loop_timer_init(&run->look, run->loop, look_again, e) < 0)
		return -e->code;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
		return prodd_error_set(e, PRODD_E_IO, "%s: socketpair: %s", run->name, strerror(errno));
	run->fd = ends[0];
	r = spawn(run, program, ends[1]);
	close(ends[1]);
	if (r != 0)
		return prodd_error_set(e, PRODD_E_IO, "%s: start: %s", run->name, strerror(r));
	if (watch_end(run) < 0 || listen_for(run, EV_READ | EV_WRITE) < 0)
		return prodd_error_set(e, PRODD_E_NO_MEMORY, "%s", run->name);
	loop_timer_arm(&run->deadline, run->deadline_ms);
	return 0;
}

int helper_run_start(struct helper_run *run, struct loop *loop, const struct helper_program *program,
		     struct prodd_buffer *request, uint64_t deadline_ms, struct prodd_error *e)
{
	int r;

	*run = (struct helper_run){
		.ops = run->ops, .loop = loop, .name = program->name, .fd = -1, .pidfd = -1,
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
	loop_timer_clear(&run->look);
	if (event_initialized(&run->exited))
		event_del(&run->exited);
	if (event_initialized(&run->io))
		event_del(&run->io);
	file_close(&run->fd);
	file_close(&run->pidfd);
	if (run->pid) {
		kill(run->pid, SIGKILL);
		while (waitpid(run->pid, NULL, 0) < 0 && errno == EINTR)
			;
	}
	prodd_buffer_clear(&run->out);
	prodd_buffer_clear(&run->in);
	*run = (struct helper_run){ .ops = run->ops, .fd = -1, .pidfd = -1 };
}

void helper_run_take(struct helper_run *run, struct prodd_buffer *ret)
{
	*ret = run->in;
	run->in = (struct prodd_buffer){ .limit = run->in.limit };
}
