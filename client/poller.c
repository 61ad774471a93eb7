/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A forked child shares the epoll object with its parent.  Changing a member to
 * what it is already, to find out whose the number is, leaves the parent's as
 * it was; nothing else is ever done to it there.
 */
#define _GNU_SOURCE
#include "client/poller.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "client/clock.h"

void prodd_poller_init(struct prodd_poller *poller)
{
	poller->epoll = -1;
	poller->wake = -1;
	poller->timer = -1;
}

static int control(const struct prodd_poller *poller, int operation, int fd, enum prodd_poller_event which,
		   bool writing)
{
	struct epoll_event event = { .events = EPOLLIN | (writing ? EPOLLOUT : 0u), .data.u32 = which };

	return fd < 0 || poller->epoll < 0 ? -1 : epoll_ctl(poller->epoll, operation, fd, &event);
}

static bool has_wake(const struct prodd_poller *poller)
{
	return control(poller, EPOLL_CTL_MOD, poller->wake, PRODD_ON_WAKE, false) == 0;
}

static bool has_timer(const struct prodd_poller *poller)
{
	return control(poller, EPOLL_CTL_MOD, poller->timer, PRODD_ON_TIMER, false) == 0;
}

bool prodd_poller_is_whole(const struct prodd_poller *poller)
{
	return has_wake(poller) && has_timer(poller);
}

bool prodd_poller_has(const struct prodd_poller *poller, int fd, bool writing)
{
	return control(poller, EPOLL_CTL_MOD, fd, PRODD_ON_SOCKET, writing) == 0;
}

int prodd_poller_add(struct prodd_poller *poller, int fd, struct prodd_error *e)
{
	if (control(poller, EPOLL_CTL_ADD, fd, PRODD_ON_SOCKET, false) < 0)
		return prodd_error_set(e, PRODD_E_IO, "epoll: %s", strerror(errno));
	return 0;
}

/* ---- descriptors of the daemon's, without an event */

static int control_silent(const struct prodd_poller *poller, int operation, int fd)
{
	struct epoll_event event = { .events = 0 };

	return fd < 0 || poller->epoll < 0 ? -1 : epoll_ctl(poller->epoll, operation, fd, &event);
}

int prodd_poller_enter(struct prodd_poller *poller, int fd, struct prodd_error *e)
{
	if (control_silent(poller, EPOLL_CTL_ADD, fd) < 0)
		return prodd_error_set(e, PRODD_E_IO, "epoll: %s", strerror(errno));
	return 0;
}

bool prodd_poller_holds(const struct prodd_poller *poller, int fd)
{
	return control_silent(poller, EPOLL_CTL_MOD, fd) == 0;
}

bool prodd_poller_remove(struct prodd_poller *poller, int fd)
{
	return control_silent(poller, EPOLL_CTL_DEL, fd) == 0;
}

bool prodd_poller_ring(const struct prodd_poller *poller, int fd)
{
	const uint64_t one = 1;

	return prodd_poller_holds(poller, fd) && write(fd, &one, sizeof one) == sizeof one;
}

/* ---- opening */

/* Takes `number` for the descriptor when it is free; never one that is in use. */
static void move_to(struct prodd_poller *poller, int number)
{
	int moved;

	if (number < 0 || poller->epoll == number)
		return;
	moved = fcntl(poller->epoll, F_DUPFD_CLOEXEC, number);
	if (moved < 0)
		return;
	if (moved == number) {
		close(poller->epoll);
		poller->epoll = moved;
	} else {
		close(moved);
	}
}

static void close_own(int fd)
{
	if (fd >= 0)
		close(fd);
}

/* All that is open was opened just now. */
static int fail(struct prodd_poller *poller, struct prodd_error *e)
{
	int error = errno;

	close_own(poller->timer);
	close_own(poller->wake);
	close_own(poller->epoll);
	prodd_poller_init(poller);
	return prodd_error_set(e, PRODD_E_IO, "descriptors for waiting: %s", strerror(error));
}

static int add_members(struct prodd_poller *poller, struct prodd_error *e)
{
	poller->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (poller->wake < 0 || control(poller, EPOLL_CTL_ADD, poller->wake, PRODD_ON_WAKE, false) < 0)
		return fail(poller, e);
	poller->timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (poller->timer < 0 || control(poller, EPOLL_CTL_ADD, poller->timer, PRODD_ON_TIMER, false) < 0)
		return fail(poller, e);
	return 0;
}

int prodd_poller_open(struct prodd_poller *poller, int number, struct prodd_error *e)
{
	prodd_poller_init(poller);
	poller->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (poller->epoll < 0)
		return fail(poller, e);
	move_to(poller, number);
	return add_members(poller, e);
}

int prodd_poller_replace(struct prodd_poller *poller, int number, struct prodd_error *e)
{
	int fd;

	if (number < 0)
		return prodd_poller_open(poller, -1, e);
	prodd_poller_init(poller);
	fd = epoll_create1(EPOLL_CLOEXEC);
	if (fd < 0 || dup3(fd, number, O_CLOEXEC) < 0) {
		close_own(fd);
		return fail(poller, e);
	}
	close(fd);
	poller->epoll = number;
	return add_members(poller, e);
}

int prodd_poller_wait(struct prodd_poller *poller, int timeout_ms)
{
	struct epoll_event events[4];
	int count = epoll_wait(poller->epoll, events, 4, timeout_ms);
	int set = 0;
	uint64_t used;

	for (int i = 0; i < count; i++)
		set |= (int)events[i].data.u32;
	if (set & PRODD_ON_WAKE && has_wake(poller) && read(poller->wake, &used, sizeof used) < 0)
		set &= ~PRODD_ON_WAKE;
	if (set & PRODD_ON_TIMER && has_timer(poller) && read(poller->timer, &used, sizeof used) < 0)
		set &= ~PRODD_ON_TIMER;
	return set;
}

void prodd_poller_arm(struct prodd_poller *poller, int64_t at_ns)
{
	struct itimerspec when = { .it_value = { 0 } };

	if (at_ns != PRODD_NEVER)
		when.it_value = prodd_clock_timespec(at_ns > 0 ? at_ns : 1);
	if (has_timer(poller))
		timerfd_settime(poller->timer, TFD_TIMER_ABSTIME, &when, NULL);
}

bool prodd_poller_wake(const struct prodd_poller *poller)
{
	const uint64_t one = 1;

	/* A full counter means that a wake-up is under way already. */
	return has_wake(poller) && (write(poller->wake, &one, sizeof one) == sizeof one || errno == EAGAIN);
}

void prodd_poller_close(struct prodd_poller *poller)
{
	int epoll = prodd_poller_leave(poller);

	if (epoll >= 0)
		close(epoll);
}

int prodd_poller_leave(struct prodd_poller *poller)
{
	bool wake = has_wake(poller), timer = has_timer(poller);
	int epoll = wake || timer ? poller->epoll : -1;

	if (wake)
		close(poller->wake);
	if (timer)
		close(poller->timer);
	prodd_poller_init(poller);
	return epoll;
}
