/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The engine: connects, converses, waits, connects again.  One thread runs it
 * at a time, the library's own or whichever of the program's dispatches.
 */
#ifndef PRODD_CLIENT_ENGINE_H
#define PRODD_CLIENT_ENGINE_H

#include <pthread.h>
#include <stdatomic.h>

#include "client/conversation.h"
#include "client/metric_share.h"
#include "client/log.h"
#include "client/poller.h"

/* How long a daemon that accepted the connection may take to welcome and subscribe this instance. */
#define PRODD_GREETING_MS 5000

/* The library's thread looks this often whether its descriptors are still its own: a thread that sleeps on
 * one that the program has closed is woken by nothing. */
#define PRODD_NET_MS 1000

struct prodd_engine {
	struct prodd_poller poller;
	struct prodd_link link;
	struct prodd_link_reader reader;
	struct prodd_conversation conversation;
	struct prodd_adoption adoption;
	struct prodd_metric_share metrics;
	struct prodd_log_turns log;
	int number;			/* of the poller's descriptor, for ever; -1: not chosen yet */
	int64_t armed_ns;		/* what the timer is set to */
	int64_t due_ns; /* next attempt to connect, or end of patience; PRODD_NEVER: neither */
	int64_t session_ns;		/* since when the session is whole; 0: it is not */
	unsigned failures;		/* attempts in a row that came to nothing */
	atomic_bool stop;
	atomic_bool want_cache;		/* somebody's patience has ended */
	atomic_bool turning;		/* a thread is in prodd_engine_turn() */
	atomic_bool idle;		/* nothing is half done: a forked child may free what it inherits */
	_Atomic(pthread_t) thread;	/* that turns; 0: none */
};

/* Everything that it borrows outlives it. `instance` may be NULL: the daemon chooses. Opens no descriptor.
 * NULL: no memory. */
struct prodd_engine *prodd_engine_new(struct prodd *p, const char *instance);

/* Opens the descriptors. Returns 0 or -PRODD_E_IO; a turn tries again. */
int prodd_engine_open(struct prodd_engine *engine, struct prodd_error *e);

/* Ends the session and closes the descriptors; no thread turns it. */
void prodd_engine_close(struct prodd_engine *engine);
void prodd_engine_free(struct prodd_engine *engine);

/*
 * In a forked child: closes what belongs to the parent's session, without a word to the daemon, and frees the
 * engine. *ret_number: the descriptor that the program watches, still open, to be taken over or closed; -1:
 * it is not ours. Returns NULL; or the engine, when a thread was at work on it at the fork and it must be
 * left as it is.
 */
struct prodd_engine *prodd_engine_leave(struct prodd_engine *engine, int *ret_number);

/* As prodd_engine_open, with the descriptor that prodd_engine_leave() left. */
int prodd_engine_take_over(struct prodd_engine *engine, int number, struct prodd_error *e);

/* Becomes the thread that turns; false: another one is it. */
bool prodd_engine_enter(struct prodd_engine *engine);
void prodd_engine_exit(struct prodd_engine *engine);

/* Keeps all threads from turning it, for good; false: one is at it. */
bool prodd_engine_seize(struct prodd_engine *engine);

/* This thread is in a turn: the caller is a callback. */
bool prodd_engine_is_inside(struct prodd_engine *engine);

/*
 * Waits for at most `timeout_ms` for something to do, and does it.  Between enter and exit.  Returns 0,
 * whatever the daemon does; -PRODD_E_IO when descriptors were lost and cannot be had again yet.
 */
int prodd_engine_turn(struct prodd_engine *engine, int timeout_ms, struct prodd_error *e);

/* Any thread: ends the turning, now or as soon as the thread looks. */
void prodd_engine_stop(struct prodd_engine *engine);

/* Any thread: has the cached configuration used, if there is none in use, in the next turn. */
void prodd_engine_want_cache(struct prodd_engine *engine);

#endif
