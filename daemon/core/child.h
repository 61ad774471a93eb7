/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A process of a helper program: started by posix_spawn from a descriptor that
 * was opened at the daemon's start (an upgrade never mixes versions), with one
 * end of a socketpair; its end is told once, when it is reaped.  What is said
 * over the socket is its owner's matter (helper.h, worker.h). Loop thread only.
 */
#ifndef PRODD_CORE_CHILD_H
#define PRODD_CORE_CHILD_H

#include "daemon/core/loop.h"

#define CHILD_DESCRIPTORS 4		/* most that are handed on */

struct helper_program {
	int fd;			/* owned: O_PATH of the executable; above those that a helper gets */
	const char *name;	/* borrowed: "prodd-parse" */
};

/* Opens `directory`/`name`. -PRODD_E_IO names the path. */
int helper_program_open(struct helper_program *ret, const char *directory, const char *name, struct prodd_error *e);
void helper_program_close(struct helper_program *program);

struct child_start {
	const struct helper_program *program;	/* borrowed until the start has returned, as the next */
	const int *descriptors;		/* become 4, 5, ...; 3 is its socket */
	unsigned count;			/* at most CHILD_DESCRIPTORS */
	bool has_output;		/* its stdout is the daemon's, else /dev/null; stderr always is */
};

/* Embedded in its owner. */
struct child {
	void (*ended)(struct child *child, int status);	/* it is reaped: status of waitpid(2). May free the child */
	struct loop *loop;		/* borrowed; NULL: not set up, all below is of no meaning */
	pid_t pid;			/* 0: does not run */
	int pidfd;			/* owned; -1: the kernel has none, or it does not run */
	struct event exited;
	struct loop_timer look;		/* asks for its end, without pidfds */
};

/* Starts it; *ret_fd is the daemon's end of the socket, to the caller. -PRODD_E_IO, -PRODD_E_NO_MEMORY. */
int child_start(struct child *child, struct loop *loop, const struct child_start *how, int *ret_fd,
		struct prodd_error *e);

/* SIGKILL, when it runs; ended() comes. */
void child_kill(struct child *child);

/* Kills and reaps; ended() does not come. Those not set up too. */
void child_clear(struct child *child);

/* The status as an error, "ended by signal 9 (Killed)" or "ended with status 3". 0 for status 0. */
int child_judge(int status, struct prodd_error *e);

#endif
