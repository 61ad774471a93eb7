/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One epoll descriptor for everything the library waits for: its socket, a
 * wake-up, a timer.  A program with its own loop watches that one number.
 *
 * Programs close descriptors that are not theirs (closefrom(3)) and open others of
 * the same numbers.  epoll knows its members by number and file: changing one
 * (EPOLL_CTL_MOD) succeeds only when both it and the epoll descriptor are
 * still the ones opened here.  Nothing is read, written or closed before that.
 */
#ifndef PRODD_CLIENT_POLLER_H
#define PRODD_CLIENT_POLLER_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <prodd/error.h>

enum prodd_poller_event { PRODD_ON_WAKE = 1, PRODD_ON_TIMER = 2, PRODD_ON_SOCKET = 4 };

struct prodd_poller {
	atomic_int epoll;	/* owned, as the others; -1: not open */
	atomic_int wake;	/* eventfd */
	atomic_int timer;	/* timerfd */
};

/* All -1. */
void prodd_poller_init(struct prodd_poller *poller);

/*
 * Opens the three.  `number`: the number that the epoll descriptor had before and should have again; -1: any.
 * When a descriptor of the program's has that number now, it gets another one.  Returns 0 or -PRODD_E_IO.
 */
int prodd_poller_open(struct prodd_poller *poller, int number, struct prodd_error *e);

/* All three are there and ours. */
bool prodd_poller_is_whole(const struct prodd_poller *poller);

/* Adds the socket `fd`. Returns 0 or -PRODD_E_IO. */
int prodd_poller_add(struct prodd_poller *poller, int fd, struct prodd_error *e);

/* True when `fd` is the socket added; from now on it is also watched for writing, or not. */
bool prodd_poller_has(const struct prodd_poller *poller, int fd, bool writing);

/*
 * A descriptor that is only written to, an eventfd of the daemon's: entered so that it can be told from another file
 * of the same number. It never ends a wait. Returns 0 or -PRODD_E_IO.
 */
int prodd_poller_enter(struct prodd_poller *poller, int fd, struct prodd_error *e);

/* Whether the number is still that of what was entered. */
bool prodd_poller_holds(const struct prodd_poller *poller, int fd);

/* Removes it, before it is replaced under the same number; false: the number is not ours. */
bool prodd_poller_remove(struct prodd_poller *poller, int fd);

/* Adds 1 to the eventfd, in whichever thread. False: the number is not ours. */
bool prodd_poller_ring(const struct prodd_poller *poller, int fd);

/* Waits for at most `timeout_ms`. Returns a set of enum prodd_poller_event, 0 at the timeout or a signal;
 * timer and wake-up are used up. */
int prodd_poller_wait(struct prodd_poller *poller, int timeout_ms);

/* Lets the timer run out at `at_ns`; PRODD_NEVER: stops it. */
void prodd_poller_arm(struct prodd_poller *poller, int64_t at_ns);

/* Ends a wait, in whichever thread. False: a descriptor is not ours any more. */
bool prodd_poller_wake(const struct prodd_poller *poller);

/* Closes those that are ours. */
void prodd_poller_close(struct prodd_poller *poller);

/* In a forked child: closes wake-up and timer, which are shared with the parent, and leaves the epoll
 * descriptor, for prodd_poller_replace(). Returns its number; -1: it is not ours. */
int prodd_poller_leave(struct prodd_poller *poller);

/* As prodd_poller_open, and takes over `number`, ours by prodd_poller_leave(); -1: any. */
int prodd_poller_replace(struct prodd_poller *poller, int number, struct prodd_error *e);

#endif
