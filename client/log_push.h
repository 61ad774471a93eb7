/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Records over the socket, by log.push, one batch at a time: those of rings that
 * cannot be shared, and those that an earlier process left (rest.h).  What is under way stays
 * where it is until the daemon has it in its spool.
 */
#ifndef PRODD_CLIENT_LOG_PUSH_H
#define PRODD_CLIENT_LOG_PUSH_H

#include "client/rest.h"
#include "client/ring_out.h"

#define PRODD_PUSH_AGAIN_MS 1000	/* after a refusal that passes */

struct prodd_log_push {
	struct prodd_rings *rings;	/* borrowed, as the following */
	struct prodd_conversation *conversation;
	struct prodd_messages *messages;
	struct prodd_outcall call;
	struct prodd_buffer batch;
	struct prodd_ring_out *from;	/* whose records are under way; NULL: the rest's */
	uint64_t end;			/* of them in that ring */
	uint64_t told[PRODD_RINGS_MAX];	/* drops of each ring that the daemon knows of */
	uint64_t drops;			/* that are under way, of `from` */
	int64_t again_ns;		/* not before */
	struct prodd_rest rest;
};

void prodd_log_push_init(struct prodd_log_push *push, struct prodd_rings *rings, struct prodd_conversation *conversation,
			 struct prodd_messages *messages, const char *directory, const char *app);
void prodd_log_push_clear(struct prodd_log_push *push);

/* Sends the next batch, when none is under way and there is any. 0, or the error that ends the session. */
int prodd_log_push_turn(struct prodd_log_push *push, struct prodd_error *e);

/* Whether all that was in the library's hands is in the daemon's: of rings, not of the rest. */
bool prodd_log_push_is_done(struct prodd_log_push *push);

#endif
