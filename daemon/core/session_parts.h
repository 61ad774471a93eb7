/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The inside of a session, for the files that make it up: session.c (life),
 * session_in.c, session_out.c and descriptor.c (what comes and goes), hello.c, call.c (its calls to the daemon) and outcall.c
 * (the daemon's calls to it).  Nobody else includes this.
 */
#ifndef PRODD_CORE_SESSION_PARTS_H
#define PRODD_CORE_SESSION_PARTS_H

#include <sys/socket.h>

#include "daemon/core/output.h"
#include "daemon/core/session.h"

struct session {
	struct session_host *host;	/* borrowed */
	struct account *account;	/* borrowed */
	struct identity identity;	/* owned */
	int fd;				/* owned */
	bool is_operator;
	bool greeted;			/* hello was answered */
	bool has_app;			/* and it named an app */
	bool readable;			/* the kernel has bytes for us */
	bool paused;			/* not read from until its output goes down */
	bool blocked;			/* the kernel takes no more output now */
	bool ending;			/* what is queued is sent, then it ends; nothing is read or queued any more */
	bool failed;			/* the connection is gone: nothing is sent either */
	struct event *on_readable;	/* owned */
	struct event *on_writable;	/* owned */
	struct loop_timer timer;	/* of the nearest deadline below */
	struct turn turn;
	struct prodd_deframer in;
	struct prodd_buffer backlog;	/* bytes received beyond what a turn or the output's limit allowed to handle */
	struct output out;
	size_t charged;			/* bytes on the account */
	uint64_t bytes_in;		/* received, and sent, in its whole life */
	uint64_t bytes_out;
	uint64_t accepted_ms;
	uint64_t heard_ms;
	uint64_t progress_ms;		/* since when no byte of the output was taken */
	uint64_t ends_ms;		/* when ending */
	char *client;			/* owned; NULL before hello */
	char *app;			/* owned, as the next; NULL: a command's */
	char *instance;
	int sent_fd;			/* owned: waits for the frame that it came with; -1: none */
	bool sent_fd_due;		/* the next whole frame must be that one */
	unsigned sent_fds;		/* in its whole life */
	LIST_HEAD(, peer) peers;	/* borrowed */
	LIST_HEAD(, call) calls;	/* owned by their handlers */
	unsigned call_count;
	TAILQ_HEAD(, outcall) outcalls;	/* borrowed */
	uint64_t next_id;		/* of the daemon's calls */
	unsigned late_answers;
	LIST_ENTRY(session) link;
};

const struct session_limits *session_limits(const struct session *session);

/* ---- session.c */

/* As session_end(), at once: the connection is gone. */
void session_fail(struct session *session);
void session_end_counted(struct session *session, uint64_t *count);

/* A rule of the wire is broken: says so and ends the session. `count` is the counter of the reason. */
void session_violation(struct session *session, uint64_t id, const struct prodd_error *why, uint64_t *count);

/* In the turn of one that is ending: tells who must know. True: it is freed. */
bool session_finish(struct session *session);

/* Arms the timer for the nearest deadline; an idle session has none. */
void session_schedule(struct session *session);

/* The charge is made what is kept now. False: over the limit; the session ends. */
bool session_recharge(struct session *session);

/* ---- session_in.c */
void session_take_turn(struct turn *turn);
void session_became_readable(evutil_socket_t fd, short what, void *arg);

/* ---- descriptor.c */

/* Keeps the one descriptor of a received message, or ends the session. */
void descriptor_receive(struct session *session, struct msghdr *message);

/* The descriptor that belongs to the frame at hand, to the caller; -1: none came. */
int descriptor_take(struct session *session);

/* A frame was handled; all bytes of a receive were. Each may end the session. */
void descriptor_frame_done(struct session *session);
void descriptor_input_done(struct session *session);

/* ---- session_out.c */

/* Queues what is in host->frame, and `tail` behind it. 0; else the session ends, and the reason is returned. */
int session_queue(struct session *session, struct shared *tail);

/* Queues the answer to call `id`. 0; else the session ends. */
int session_answer(struct session *session, uint64_t id, const struct wire_record *type, const void *result);
int session_answer_error(struct session *session, uint64_t id, const struct prodd_error *error);

/* As session_answer(), and a duplicate of `fd` goes with it; without one left it is an error's answer. */
int session_answer_fd(struct session *session, uint64_t id, const struct wire_record *type, const void *result, int fd);

void session_flush(struct session *session);
void session_became_writable(evutil_socket_t fd, short what, void *arg);

/* ---- hello.c: the call of that name, the first one */
void hello_take(struct session *session, const struct prodd_message *message);

/* ---- call.c */
void call_take(struct session *session, const struct prodd_message *message);
void call_forget_all(struct session *session);

/* ---- outcall.c */
void outcall_take_answer(struct session *session, const struct prodd_message *message);
void outcall_end_all(struct session *session);

#endif
