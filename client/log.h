/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Logging as the handle knows it: levels and rings, which any thread uses, and
 * what the engine does for them.
 */
#ifndef PRODD_CLIENT_LOG_H
#define PRODD_CLIENT_LOG_H

#include "client/level.h"
#include "client/log_push.h"
#include "client/log_sync.h"

struct prodd_log {
	struct prodd_levels levels;
	struct prodd_rings rings;
	struct prodd_log_sync sync;
	_Atomic int64_t knocked_ns;	/* when a thread last told the engine that the ring is full */
};

void prodd_log_init(struct prodd_log *log, struct prodd_threshold *threshold);

/* No thread logs any more. */
void prodd_log_clear(struct prodd_log *log);

/* At the end of a handle, while the engine still runs: has what is in the library's hands go to a daemon that is there, for
 * at most 250 ms. */
void prodd_log_finish(struct prodd *p);

/* Then, when no thread turns the engine any more: the daemon reads its rings to the end, and what it does not have is
 * kept for it (rest.h). */
void prodd_log_close(struct prodd *p);

/* In a forked child, before it leaves the parent's engine. */
void prodd_log_forked(struct prodd_log *log);

/* The engine's part. */
struct prodd_log_turns {
	struct prodd_log *log;		/* borrowed */
	struct prodd_log_push push;
	struct prodd_log_asking asking;
	bool welcomed;			/* in this session */
};

void prodd_log_turns_init(struct prodd_log_turns *turns, struct prodd_log *log, struct prodd_conversation *conversation,
			  struct prodd_poller *poller, struct prodd_messages *messages, const char *directory,
			  const char *app);
void prodd_log_turns_clear(struct prodd_log_turns *turns);

/* The daemon has welcomed this instance. As the next two: 0, or the error that ends the session. */
int prodd_log_welcomed(struct prodd_log_turns *turns, struct prodd_error *e);

/* A note log.levels. */
int prodd_log_take_levels(struct prodd_log_turns *turns, const struct prodd_message *m, struct prodd_error *e);

/* What is to be done now and then, in a session and without. */
int prodd_log_turn(struct prodd_log_turns *turns, struct prodd_error *e);

/* The session is over. */
void prodd_log_left(struct prodd_log_turns *turns);

#endif
