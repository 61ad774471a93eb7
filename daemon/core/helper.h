/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One run of a helper program: started by posix_spawn from a descriptor that
 * was opened at the daemon's start (an upgrade never mixes versions), asked
 * one call over a socketpair, bounded by a deadline, killed and reaped.
 */
#ifndef PRODD_CORE_HELPER_H
#define PRODD_CORE_HELPER_H

#include "daemon/core/loop.h"
#include "proto/frame.h"

struct helper_program {
	int fd;			/* owned: O_PATH of the executable; above those that a helper gets */
	const char *name;	/* borrowed: "prodd-parse" */
};

/* Opens `directory`/`name`. -PRODD_E_IO names the path. */
int helper_program_open(struct helper_program *ret, const char *directory, const char *name, struct prodd_error *e);
void helper_program_close(struct helper_program *program);

struct helper_run;

struct helper_run_ops {
	/* Once, on the loop: `answer` with its result, borrowed for the call (its buffer may be taken by
	 * helper_run_take()); or NULL and *why: it crashed (signal named), hung, or answered nonsense. */
	void (*done)(struct helper_run *run, const struct prodd_message *answer, const struct prodd_error *why);
};

struct helper_run {
	const struct helper_run_ops *ops;
	struct loop *loop;		/* borrowed; NULL: cleared. All below is of no meaning then */
	const char *name;		/* borrowed from the program */
	pid_t pid;			/* 0: reaped */
	int fd;				/* owned; -1: closed by either side */
	int pidfd;			/* owned; -1: the kernel has none, or reaped */
	int status;			/* of waitpid(2) */
	struct event io;
	struct event exited;
	struct loop_timer deadline;
	struct loop_timer look;		/* asks for the process's end, without pidfds */
	uint64_t deadline_ms;
	struct prodd_buffer out;
	size_t sent;
	struct prodd_buffer in;
	struct prodd_error error;	/* why it failed; code PRODD_OK: it has not */
};

/* Takes the bytes of `request` (one whole frame; the buffer is left empty). Work per turn is bounded.
 * Sets everything but `ops`. Inside done() a run may be started anew. */
int helper_run_start(struct helper_run *run, struct loop *loop, const struct helper_program *program,
		     struct prodd_buffer *request, uint64_t deadline_ms, struct prodd_error *e);

/* Kills and reaps what runs; done() is not called. Half-built and cleared objects too. */
void helper_run_clear(struct helper_run *run);

/* Inside done(): takes the answer's frame, so that slices into it stay valid. */
void helper_run_take(struct helper_run *run, struct prodd_buffer *ret);

#endif
