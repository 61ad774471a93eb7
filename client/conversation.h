/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is said in a session: hello, the schema from code, the subscription;
 * then the daemon's calls, each answered.  Reads frames, writes frames; knows
 * no descriptors.
 */
#ifndef PRODD_CLIENT_CONVERSATION_H
#define PRODD_CLIENT_CONVERSATION_H

#include "client/adoption.h"
#include "client/link.h"
#include "client/surroundings.h"

struct prodd_log_turns;

enum prodd_phase {
	PRODD_PHASE_AWAY,		/* no session */
	PRODD_PHASE_GREETING,		/* hello is sent */
	PRODD_PHASE_SUBSCRIBING,	/* welcomed; config.subscribe is sent */
	PRODD_PHASE_TALKING,		/* subscribed */
};

/* A call of the library's to the daemon, embedded in whoever waits for the answer. */
struct prodd_outcall {
	/* Called once, with the answer, or with NULL when the session ended before. Returns 0, or the error that
	 * ends the session; with NULL the result is of no meaning. */
	int (*answered)(struct prodd_outcall *call, const struct prodd_message *answer,
			struct prodd_error *e);
	uint64_t id;			/* 0: not under way */
	struct prodd_outcall *next;
};

struct prodd_conversation {
	const struct prodd_settings *settings;	/* borrowed, as the following */
	const struct prodd_surroundings *surroundings;
	struct prodd_messages *messages;
	struct prodd_adoption *adoption;
	struct prodd_status *status;
	struct prodd_link *link;	/* answers go to its `out` */
	const char *instance;		/* the name asked for; NULL: the daemon chooses */
	enum prodd_phase phase;
	uint64_t last_id;		/* of our calls */
	uint64_t hello_id;
	uint64_t subscribe_id;
	struct prodd_outcall *outcalls;	/* under way */
	struct prodd_log_turns *log;	/* borrowed: told of welcome, levels and end */
	char granted[PRODD_INSTANCE_MAX + 1];	/* the app's name as granted */
};

/* Queues hello. The link is connected. Returns 0 or -PRODD_E_NO_MEMORY. */
int prodd_conversation_begin(struct prodd_conversation *c, struct prodd_error *e);

/*
 * Queues a call, whose frame brings the memfd of `region` (NULL: none). Between welcome and end of a session.
 * Returns 0, and call->answered comes; or -PRODD_E_NO_MEMORY, -PRODD_E_TOO_LARGE or -PRODD_E_OVER_LIMIT, and it
 * does not: the session is to be ended.
 */
int prodd_conversation_call(struct prodd_conversation *c, struct prodd_outcall *call, enum wire_method method,
			    const void *params, const struct prodd_region *region, struct prodd_error *e);

/* Takes one frame of the daemon's. Returns 0, or the error that ends the session. */
int prodd_conversation_frame(struct prodd_conversation *c, struct prodd_slice frame, struct prodd_error *e);

/* The session is over. */
void prodd_conversation_end(struct prodd_conversation *c);

#endif
