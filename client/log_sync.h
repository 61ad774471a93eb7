/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Waiting until what was logged is durable.  All who wait are served together:
 * each draws a number, and one request at a time asks for everything logged up to the
 * highest number that was drawn.
 */
#ifndef PRODD_CLIENT_LOG_SYNC_H
#define PRODD_CLIENT_LOG_SYNC_H

#include <pthread.h>

#include "client/ring_out.h"

/* What the threads that wait and the engine share; in the handle. */
struct prodd_log_sync {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	uint64_t drawn;			/* highest number */
	uint64_t done;			/* up to it all is durable */
	uint64_t failed;		/* up to it, and from `done`, it could not be made so */
	bool closed;			/* nobody is asked any more */
	struct prodd_error why;
};

/* The engine's side; in the engine. */
struct prodd_log_asking {
	struct prodd_log_sync *sync;	/* borrowed, as the following */
	struct prodd_rings *rings;
	struct prodd_conversation *conversation;
	struct prodd_log_question {
		struct prodd_outcall call;
		struct prodd_log_asking *asking;
	} questions[PRODD_RINGS_MAX + 1];	/* of each ring, and of what was pushed */
	unsigned open;			/* questions that are not answered */
	uint64_t number;		/* asked for; 0: nothing */
	uint64_t ends[PRODD_RINGS_MAX];	/* of the rings, when it was begun */
	bool pushing;			/* what we push must be in the spool first */
	struct prodd_error why;		/* of the first question that failed */
};

void prodd_log_sync_init(struct prodd_log_sync *sync);
void prodd_log_sync_clear(struct prodd_log_sync *sync);

/* Ends all waiting. */
void prodd_log_sync_close(struct prodd_log_sync *sync);

/* Draws a number. */
uint64_t prodd_log_sync_draw(struct prodd_log_sync *sync);

/* 1: it is durable; 0: not yet; or the error. */
int prodd_log_sync_look(struct prodd_log_sync *sync, uint64_t number, struct prodd_error *e);

/* Waits until that has changed, or until `deadline_ns`. */
void prodd_log_sync_wait(struct prodd_log_sync *sync, uint64_t number, int64_t deadline_ns);

void prodd_log_asking_init(struct prodd_log_asking *asking, struct prodd_log_sync *sync, struct prodd_rings *rings,
			   struct prodd_conversation *conversation);

/* Asks the daemon when somebody waits. 0, or the error that ends the session. */
int prodd_log_asking_turn(struct prodd_log_asking *asking, struct prodd_error *e);

/* The session is over: what was asked is asked again in the next. */
void prodd_log_asking_left(struct prodd_log_asking *asking);

#endif
