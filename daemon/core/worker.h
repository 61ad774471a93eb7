/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A helper program that stays: started by posix_spawn from a descriptor that
 * was opened at the daemon's start, spoken to in frames over a socketpair, dies with the daemon,
 * started again with backoff and full jitter (100 ms to 30 s) when it ends.
 * Loop thread only.
 */
#ifndef PRODD_CORE_WORKER_H
#define PRODD_CORE_WORKER_H

#include "daemon/core/helper.h"

struct worker;

struct worker_ops {
	/* It runs: the owner sends what it must know first. */
	void (*started)(struct worker *worker);
	/* A frame from it; borrowed for the call. */
	void (*message)(struct worker *worker, const struct prodd_message *message);
	/* It ended, or spoke nonsense and was killed; it is started again in `again_ms` (0: it was told to end). */
	void (*ended)(struct worker *worker, const struct prodd_error *why, uint64_t again_ms);
};

/* Most bytes that wait for a worker that does not read. */
#define WORKER_OUT_MAX (1024u * 1024)
#define WORKER_DESCRIPTORS 4

/* Embedded in its owner. The members are the worker's own. */
struct worker {
	const struct worker_ops *ops;
	struct loop *loop;			/* borrowed; NULL: not set up */
	const struct helper_program *program;	/* borrowed */
	int descriptors[WORKER_DESCRIPTORS];	/* borrowed */
	unsigned descriptor_count;
	pid_t pid;				/* 0: does not run */
	int fd;					/* owned; -1 */
	int pidfd;				/* owned; -1 */
	struct event io;
	struct event exited;
	struct loop_timer again;
	unsigned failures;			/* ends in a row */
	bool finishing;
	struct prodd_buffer out;
	struct prodd_deframer in;
};

/* Starts it; `program` and `descriptors` are borrowed until worker_clear(): they are the child's 4, 5, ...; 3 is its
 * socket; its stdout and stderr are the daemon's. */
int worker_init(struct worker *worker, const struct worker_ops *ops, struct loop *loop,
		const struct helper_program *program, const int *descriptors, unsigned count, struct prodd_error *e);

/* Kills and reaps; ended() is not called. Those not set up too. */
void worker_clear(struct worker *worker);

/* Queues a note or a call. False: it does not run, or does not read. */
bool worker_note(struct worker *worker, enum wire_method method, const void *params);
bool worker_call(struct worker *worker, uint64_t id, enum wire_method method, const void *params);

/* It has proven itself: the next end is not backed off from. */
void worker_is_well(struct worker *worker);

/* No new start after its end; the socket is half-closed when what is queued is sent. */
void worker_finish(struct worker *worker);

#endif
