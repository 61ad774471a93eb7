/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A daemon that a test plays by hand: listens, and says what it is told to.
 * Every wait ends with an event or fails the test after some seconds.
 */
#ifndef TESTS_UNIT_CLIENT_PEER_H
#define TESTS_UNIT_CLIENT_PEER_H

#include "proto/codec.h"
#include "proto/frame.h"
#include "tests/unit/client_served.h"

enum { peer_patience_ms = 10000 };

struct peer {
	char directory[32];		/* removed by peer_close */
	char socket[64];
	int listener;			/* -1: nobody listens */
	int ring_refused;		/* the error that ring.attach is answered with; 0: it is taken */
};

/* One connection, the daemon's side. */
struct line {
	int fd;
	int ring_refused;		/* the peer's */
	struct prodd_deframer in;
	char chunk[16384];
	struct prodd_slice unread;
	int passed;			/* the last descriptor that came, owned; -1: none */
	uint64_t last_id;		/* of the daemon's calls */
	struct prodd_message m;		/* the last one received */
	char instance[65];		/* that hello asked for */
	char app[65];
	uint64_t generation;		/* that subscribe named */
	uint32_t declared;		/* keys */
	uint32_t variables;
	int ring;			/* memfd of the ring attached last, owned; -1: none */
	int wake;			/* eventfd given for it, owned; -1: none */
};

void peer_open(struct peer *p);
void peer_listen(struct peer *p);	/* (again) */
void peer_deafen(struct peer *p);	/* the socket goes away */
void peer_close(struct peer *p);

/* The next connection. */
void peer_accept(struct peer *p, struct line *l);
bool peer_is_called(struct peer *p, int within_ms);
void line_close(struct line *l);

/* The next message, in l->m. */
void line_receive(struct line *l);
/* No byte and no end comes for so long. */
bool line_is_quiet(struct line *l, int for_ms);
/* The other side ends it; messages before that are skipped. */
void line_expect_end(struct line *l);

void line_send(struct line *l, struct prodd_slice bytes);
void line_answer(struct line *l, const struct wire_record *type, const void *result);
void line_refuse(struct line *l, int code);

/* Answers the call received last, a ring.attach, as `ring_refused` says. */
void line_take_ring(struct line *l);

/* Hello, welcome as `instance` (NULL: the name asked for, or "1"), declarations, up to the subscription,
 * which is answered with `state`. */
void line_greet(struct line *l, const char *instance, const char *state);

/* Calls, and waits for the answer. */
struct wire_applied line_apply(struct line *l, const struct served *s, uint64_t number);
struct wire_verdict line_offer(struct line *l, const struct served *s, uint64_t txn, uint64_t number);
struct wire_applied line_commit(struct line *l, uint64_t txn, uint64_t number);
void line_abort(struct line *l, uint64_t txn);

/* A call whose answer is an error: its code. */
int line_commit_fails(struct line *l, uint64_t txn, uint64_t number);

#endif
