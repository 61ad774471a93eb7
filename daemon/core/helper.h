/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One run of a helper program (child.h): asked one call, bounded by a
 * deadline, killed and reaped.
 */
#ifndef PRODD_CORE_HELPER_H
#define PRODD_CORE_HELPER_H

#include "daemon/core/child.h"
#include "proto/frame.h"

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
	struct child child;		/* without pid: reaped */
	int fd;				/* owned; -1: closed by either side */
	int status;			/* of waitpid(2) */
	struct event io;
	struct loop_timer deadline;
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
