/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The one mechanism behind offers and commits: push a call with an id that is
 * never used again to many sessions, gather the answers until a deadline.
 */
#ifndef PRODD_CORE_ROLLOUT_H
#define PRODD_CORE_ROLLOUT_H

#include "daemon/core/session.h"

enum rollout_outcome {
	ROLLOUT_WAITING,
	ROLLOUT_ANSWERED,	/* decoded into the member's record by answered() */
	ROLLOUT_FAILED,		/* answered() refused the answer */
	ROLLOUT_GONE,		/* the session ended first */
	ROLLOUT_SILENT,		/* the deadline passed first */
};

struct rollout;

/* One peer's part, embedded in the transaction's record of the instance. */
struct rollout_member {
	struct outcall outcall;
	struct rollout *rollout;		/* borrowed; NULL: not part of one */
	enum rollout_outcome outcome;
	uint64_t elapsed_us;			/* from rollout_start to the answer */
	TAILQ_ENTRY(rollout_member) link;
};

struct rollout {
	/* On the loop: an answer came in, a result or an error. `answer` is borrowed for the call. Returns 0, or
	 * <0: count it as FAILED. Must not clear the rollout. */
	int (*answered)(struct rollout *rollout, struct rollout_member *member, const struct prodd_message *answer);
	/* On the loop, once: nobody is waited for any more. May free the rollout's owner. Never from inside
	 * rollout_add(). */
	void (*done)(struct rollout *rollout);
	struct loop *loop;
	struct loop_timer deadline;
	struct loop_timer settled;		/* so that done() never runs inside a caller's stack */
	TAILQ_HEAD(, rollout_member) members;
	unsigned waiting;
	uint64_t started_us;
	bool sealed;
};

/* answered and done are set by the owner, before anything is sent. */
int rollout_init(struct rollout *rollout, struct loop *loop, struct prodd_error *e);

/* Cancels whatever is under way and lets the members go; done() is not called. It is ready for another round then.
 * Half-built and cleared objects too. */
void rollout_clear(struct rollout *rollout);

/* Sends the call; a session that cannot take it counts as GONE. A member that is part of a round is taken out of it. */
void rollout_add(struct rollout *rollout, struct rollout_member *member, struct session *session,
		 enum wire_method method, const void *params, const char *last, struct shared *tail);

/* All members are in: starts the deadline. done() comes in a later turn, also when there is nobody. A member may still
 * be added until then (a joiner). */
void rollout_start(struct rollout *rollout, uint64_t deadline_ms);

#endif
