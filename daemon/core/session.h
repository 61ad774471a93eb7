/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A connection from accept to close: frames in, frames out, hello, rights,
 * calls in both directions.  It knows the wire and nothing of what methods
 * mean: their handlers come in a `struct service`.
 *
 * Loop thread only.  A session frees itself when its connection ends; who
 * holds a pointer is told before, by peer.closed and outcall.done - always from
 * the loop, never from inside a function below, so that a caller's own objects
 * do not vanish under its hands.
 */
#ifndef PRODD_CORE_SESSION_H
#define PRODD_CORE_SESSION_H

#include <sys/queue.h>

#include "daemon/core/account.h"
#include "daemon/core/identity.h"
#include "daemon/core/loop.h"
#include "daemon/core/shared.h"
#include "daemon/core/turns.h"
#include "proto/codec.h"
#include "proto/frame.h"

struct session;
struct call;
struct service;

/* ---- what belongs to a session: embedded in an instance, in a follower of events, in what an app has attached */
struct peer {
	/* The session has ended or is about to; it must not be used any more. Called once, after done() of its
	 * outcalls. */
	void (*closed)(struct peer *peer);
	const void *kind;		/* says what it is embedded in: the address of something of its owner's */
	struct session *session;	/* borrowed; valid until closed() returns */
	LIST_ENTRY(peer) link;
};

/* ---- what methods mean; implemented by the composition of subsystems */
struct service_ops {
	/* A hello that names an app: checks the claim, fills `ret` (app, instance, environment, served, epoch; texts
	 * borrowed from the service until the next turn) and attaches a peer. May refuse with an error: the session ends. */
	int (*hello)(struct service *service, struct session *session, const struct wire_hello *hello,
		     struct wire_welcome *ret, struct prodd_error *e);
	/* A hello of a command; nothing to attach. */
	int (*hello_command)(struct service *service, struct session *session, const struct wire_hello *hello,
			     struct wire_welcome *ret, struct prodd_error *e);
	/* May this peer act for `app` on the apps' socket? Must not block. */
	bool (*may_use)(struct service *service, const struct identity *who, struct prodd_slice app);
	/* A call whose sender has the right to it. Takes `call`: must end it by call_answer() or call_fail(), now or
	 * later. `params` is the decoded record of the method, borrowed until the handler returns. */
	void (*call)(struct service *service, struct call *call, const void *params);
};

struct service {
	const struct service_ops *ops;
};

/* Takes the calls of methods that are not the service's: a subsystem embeds one, and the composition root enters it
 * for each of its methods. As service_ops.call. */
struct handler {
	void (*call)(struct handler *handler, struct call *call, const void *params);
};

/* ---- a session */

/* What one session may do. */
struct session_limits {
	unsigned hello_ms;		/* from the connect to the whole hello */
	unsigned stall_ms;		/* with output pending and not a byte of it read */
	unsigned grace_ms;		/* for an error to be read before the end */
	unsigned frames;		/* handled in one turn */
	unsigned calls;			/* outstanding */
	unsigned late_answers;		/* over them it ends */
	unsigned shared;		/* shared bodies in its output */
	size_t output_soft;		/* bytes of output from which it is not read from */
	size_t output_hard;		/* bytes of output to which nothing is added: it ends */
};

extern const struct session_limits session_limits_usual;

/* What all sessions of a daemon share. The owner sets the first five; the rest is zero at the start. */
struct session_host {
	struct loop *loop;			/* borrowed */
	struct accounts *accounts;		/* borrowed */
	struct service *service;		/* borrowed */
	const struct session_limits *limits;	/* borrowed; NULL: session_limits_usual */
	struct handler *handlers[WIRE_METHOD_COUNT];	/* borrowed; NULL: the service takes the method */
	LIST_HEAD(, session) sessions;
	unsigned count;
	struct turns turns;			/* set up with the first session */
	struct prodd_buffer frame;		/* the frame being encoded */
	bool ready;				/* turns is set up */
};

/* Whether `uid` or the daemon has its most sessions; counts the refusal. For refusing before anything is spent on a
 * peer. */
bool session_refuse(struct session_host *host, uid_t uid);

/* Takes `fd` (which must not block) and `identity`. `is_operator` says which socket. Closes both on failure. */
int session_new(struct session_host *host, int fd, struct identity *identity, bool is_operator,
		struct prodd_error *e);

const struct identity *session_identity(const struct session *session);
bool session_is_operator(const struct session *session);
struct prodd_slice session_client(const struct session *session);	/* name and version that it gave */
uint64_t session_heard_ms(const struct session *session);		/* since the last byte from it */
uint64_t session_bytes_in(const struct session *session);		/* received in its whole life */
uint64_t session_bytes_out(const struct session *session);		/* taken by the kernel in its whole life */
size_t session_pending(const struct session *session);			/* bytes that it has still to read */
uint64_t session_up_ms(const struct session *session);			/* since it was accepted */

/* The names granted by hello; "" for a command's session. Borrowed. */
const char *session_app(const struct session *session);
const char *session_instance(const struct session *session);

void session_attach(struct session *session, struct peer *peer);	/* borrowed; those attached last are told first */
void session_detach(struct peer *peer);					/* no-op when it is not attached */
struct peer *session_peer(struct session *session, const void *kind);	/* the first of that kind; NULL: none */

/* Ends it after what is queued has been sent, or `grace_ms` at the latest. */
void session_end(struct session *session, uint64_t grace_ms);

/* 0; or as session_call(). */
int session_note(struct session *session, enum wire_method method, const void *params);

/* ---- a call of the daemon's to the session, embedded in whoever waits for the answer */
struct outcall {
	/* Called once: with the answer; or with NULL, when the session ended first. Not after outcall_cancel(). */
	void (*done)(struct outcall *outcall, const struct prodd_message *answer);
	struct session *session;	/* borrowed; NULL: not under way */
	uint64_t id;
	TAILQ_ENTRY(outcall) link;
};

/* `last` and `tail`: as prodd_frame_call_head(); NULL without. 0, and done() comes; or -PRODD_E_CLOSED (the session has
 * ended), -PRODD_E_NO_MEMORY, -PRODD_E_TOO_LARGE or -PRODD_E_OVER_LIMIT (it ends now): done() does not come. */
int session_call(struct session *session, struct outcall *outcall, enum wire_method method, const void *params,
		 const char *last, struct shared *tail);

/* The answer is not waited for any more; a later one is counted as late. No-op when not under way. */
void outcall_cancel(struct outcall *outcall);

/* ---- a call of the session's to the daemon */
struct session *call_session(const struct call *call);	/* NULL: it has gone; answering is still allowed */
enum wire_method call_method(const struct call *call);
void call_answer(struct call *call, const void *result);		/* takes call; result: record of the method */

/* The descriptor that came with a call of ring.attach or segment.attach, to the caller; -1: none. Close-on-exec; a
 * memfd, or its like on tmpfs or hugetlbfs, whatever its seals. What is not taken is closed with the call. */
int call_take_fd(struct call *call);

/* As call_answer(); a duplicate of `fd` (borrowed) goes with the first byte of the answer. */
void call_answer_fd(struct call *call, const void *result, int fd);
void call_fail(struct call *call, const struct prodd_error *error);	/* takes call */

/* Tells every session `going_away`, and ends each when that is sent or after `grace_ms`. */
void session_host_farewell(struct session_host *host, const char *reason, uint64_t grace_ms);

/* Ends all of them now; not from inside a callback of a session. The host can be used anew. */
void session_host_clear(struct session_host *host);

#endif
