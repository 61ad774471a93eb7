/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A helper program that stays (child.h): spoken to in frames over its
 * socketpair, dies with the daemon, and is started again with backoff and full
 * jitter (up to 100 ms, doubling to 30 s) when it ends.  Loop thread only.
 */
#ifndef PRODD_CORE_WORKER_H
#define PRODD_CORE_WORKER_H

#include "daemon/core/child.h"
#include "proto/frame.h"

struct worker;

/* None of them may clear the worker. */
struct worker_ops {
	/* It runs: the owner sends what it must know first. */
	void (*started)(struct worker *worker);
	/* An answer, or a note that a helper may send; borrowed for the call. What it said last before its end comes
	 * before ended(). */
	void (*message)(struct worker *worker, const struct prodd_message *message);
	/* It has read: after worker_note() or worker_call() returned false while it ran. NULL is allowed. */
	void (*has_room)(struct worker *worker);
	/* It ended, or could not be started, or spoke nonsense and was killed: `why` names it. It is started again in
	 * `again_ms`; 0: it was told to end, and `why` is NULL when it did so with status 0. */
	void (*ended)(struct worker *worker, const struct prodd_error *why, uint64_t again_ms);
};

/* Most bytes that wait for a worker that does not read. */
#define WORKER_OUT_MAX (1024u * 1024)
#define WORKER_AGAIN_MIN_MS 100u
#define WORKER_AGAIN_MAX_MS 30000u

/* Embedded in its owner. The members are the worker's own. */
struct worker {
	const struct worker_ops *ops;
	struct loop *loop;			/* borrowed; NULL: not set up */
	const struct helper_program *program;	/* borrowed */
	int descriptors[CHILD_DESCRIPTORS];	/* borrowed */
	unsigned descriptor_count;
	struct child child;
	int fd;					/* owned; -1 */
	struct event readable;
	struct event writable;
	struct loop_timer timer;		/* starts it again; or ends one that hung up and stays */
	unsigned failures;			/* ends in a row */
	bool finishing;
	bool refused;				/* something, for want of room */
	struct prodd_buffer out;
	size_t sent;				/* bytes of `out` */
	struct prodd_deframer in;
	struct prodd_error error;		/* why it was killed; code PRODD_OK: it was not */
};

/* It is started by the loop, soon; started() or ended() comes. `program` and `descriptors` (at most
 * CHILD_DESCRIPTORS) are borrowed until worker_clear(): they are the child's 4, 5, ...; 3 is its socket; its stdout
 * and stderr are the daemon's. -PRODD_E_NO_MEMORY. */
int worker_init(struct worker *worker, const struct worker_ops *ops, struct loop *loop,
		const struct helper_program *program, const int *descriptors, unsigned count, struct prodd_error *e);

/* Kills and reaps; ended() is not called. Those not set up too. */
void worker_clear(struct worker *worker);

/* Queues a note or a call. False: it does not run, or does not read (has_room() comes), or there is no memory. */
bool worker_note(struct worker *worker, enum wire_method method, const void *params);
bool worker_call(struct worker *worker, uint64_t id, enum wire_method method, const void *params);

/* Its process; 0: it does not run. */
pid_t worker_pid(const struct worker *worker);

/* It has proven itself: the next end is not backed off from. */
void worker_is_well(struct worker *worker);

/* No new start after its end; the socket is half-closed when what is queued is sent. When it does not run, nothing
 * comes any more. */
void worker_finish(struct worker *worker);

#endif
