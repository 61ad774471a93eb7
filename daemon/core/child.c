/* SPDX-License-Identifier: Apache-2.0 */
/* Descriptors are moved above those that a helper gets before any is put in its place, so that none hides another. */
#define _GNU_SOURCE
#include "daemon/core/child.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "daemon/util/container.h"
#include "daemon/util/file.h"

enum {
	socket_fd = 3,			/* the helper's end of the socket */
	first_fd = 10,			/* programs are kept from here on, so that no socket_fd hides one */
	look_ms = 10,			/* between two looks, where the kernel has no pidfds */
};

_Static_assert(socket_fd + CHILD_DESCRIPTORS < first_fd, "those handed on lie below those kept");

/* ---- programs */

int helper_program_open(struct helper_program *ret, const char *directory, const char *name, struct prodd_error *e)
{
	auto_fd top = open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
	auto_fd fd = top < 0 ? -1 : openat(top, name, O_PATH | O_CLOEXEC);

	/* A helper gets no descriptor that prodd was born with either (Linux 5.11). */
	close_range(socket_fd, ~0u, CLOSE_RANGE_CLOEXEC);
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

static void look(struct child *child)
{
	int status;

	if (!child->pid)
		return;
	if (waitpid(child->pid, &status, WNOHANG) != child->pid) {
		if (child->pidfd < 0)
			loop_timer_arm(&child->look, look_ms);
		return;
	}
	child->pid = 0;
	if (child->pidfd >= 0)
		event_del(&child->exited);
	file_close(&child->pidfd);
	child->ended(child, status);
}

static void look_again(struct loop_timer *timer)
{
	look(container_of(timer, struct child, look));
}

static void exited(evutil_socket_t fd, short what, void *arg)
{
	struct child *child = arg;

	(void)fd;
	(void)what;
	loop_enter(child->loop);
	look(child);
}

/* The end is told by a pidfd (Linux 5.3), else by looking every look_ms. */
static int watch_end(struct child *child)
{
	child->pidfd = (int)syscall(SYS_pidfd_open, child->pid, 0);
	if (child->pidfd < 0) {
		loop_timer_arm(&child->look, look_ms);
		return 0;
	}
	if (event_assign(&child->exited, child->loop->base, child->pidfd, EV_READ | EV_PERSIST, exited, child) < 0)
		return -1;
	return event_add(&child->exited, NULL);
}

void child_kill(struct child *child)
{
	if (child->pid)
		kill(child->pid, SIGKILL);
}

int child_judge(int status, struct prodd_error *e)
{
	if (WIFSIGNALED(status))
		return prodd_error_set(e, PRODD_E_FAILED, "ended by signal %d (%s)", WTERMSIG(status),
				       strsignal(WTERMSIG(status)));
	if (WEXITSTATUS(status) != 0)
		return prodd_error_set(e, PRODD_E_FAILED, "ended with status %d", WEXITSTATUS(status));
	return 0;
}

/* ---- the start */

/* Puts copies of the descriptors in place; 0 or an errno. */
static int place(posix_spawn_file_actions_t *actions, const int *copies, unsigned count, bool has_output)
{
	int r = 0;

	for (unsigned i = 0; i < count && r == 0; i++)
		r = posix_spawn_file_actions_adddup2(actions, copies[i], socket_fd + (int)i);
	if (r == 0)
		r = posix_spawn_file_actions_addopen(actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	if (r == 0 && !has_output)
		r = posix_spawn_file_actions_addopen(actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
	return r;
}

static int spawn_with(pid_t *ret, const struct helper_program *program, const posix_spawn_file_actions_t *actions)
{
	char *argv[] = { (char *)program->name, NULL };
	posix_spawnattr_t attributes;
	sigset_t none, defaults;
	char path[32];
	int r;

	snprintf(path, sizeof path, "/proc/self/fd/%d", program->fd);
	sigemptyset(&none);
	sigemptyset(&defaults);
	sigaddset(&defaults, SIGPIPE);
	if (posix_spawnattr_init(&attributes) != 0)
		return ENOMEM;
	posix_spawnattr_setsigmask(&attributes, &none);
	posix_spawnattr_setsigdefault(&attributes, &defaults);
	posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
	r = posix_spawn(ret, path, actions, &attributes, argv, environ);
	posix_spawnattr_destroy(&attributes);
	return r;
}

static int spawn(struct child *child, const struct child_start *how, int its_end)
{
	int copies[1 + CHILD_DESCRIPTORS], r = 0;
	unsigned count = 0;
	posix_spawn_file_actions_t actions;

	if (posix_spawn_file_actions_init(&actions) != 0)
		return ENOMEM;
	while (r == 0 && count < 1 + how->count) {
		int fd = fcntl(count == 0 ? its_end : how->descriptors[count - 1], F_DUPFD_CLOEXEC, first_fd);

		if (fd < 0)
			r = errno;
		else
			copies[count++] = fd;
	}
	if (r == 0)
		r = place(&actions, copies, count, how->has_output);
	if (r == 0)
		r = spawn_with(&child->pid, how->program, &actions);
	if (r != 0)
		child->pid = 0;
	while (count > 0)
		file_close(&copies[--count]);
	posix_spawn_file_actions_destroy(&actions);
	return r;
}

static int start(struct child *child, const struct child_start *how, int *ret_fd, struct prodd_error *e)
{
	auto_fd our_end = -1, its_end = -1;
	int ends[2], r;

	if (loop_timer_init(&child->look, child->loop, look_again, e) < 0)
		return -e->code;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
		return prodd_error_set(e, PRODD_E_IO, "%s: socketpair: %s", how->program->name, strerror(errno));
	our_end = ends[0];
	its_end = ends[1];
	r = spawn(child, how, its_end);
	if (r != 0)
		return prodd_error_set(e, PRODD_E_IO, "%s: start: %s", how->program->name, strerror(r));
	if (watch_end(child) < 0)
		return prodd_error_set(e, PRODD_E_NO_MEMORY, "%s", how->program->name);
	*ret_fd = our_end;
	our_end = -1;	/* given to the caller */
	return 0;
}

int child_start(struct child *child, struct loop *loop, const struct child_start *how, int *ret_fd,
		struct prodd_error *e)
{
	int r;

	*child = (struct child){ .ended = child->ended, .loop = loop, .pidfd = -1 };
	r = start(child, how, ret_fd, e);
	if (r < 0)
		child_clear(child);
	return r;
}

void child_clear(struct child *child)
{
	if (!child->loop)
		return;
	loop_timer_clear(&child->look);
	if (event_initialized(&child->exited))
		event_del(&child->exited);
	file_close(&child->pidfd);
	if (child->pid) {
		kill(child->pid, SIGKILL);
		while (waitpid(child->pid, NULL, 0) < 0 && errno == EINTR)
			;
	}
	*child = (struct child){ .ended = child->ended, .pidfd = -1 };
}
