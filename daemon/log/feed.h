/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An app's ring, as it is read.  It belongs to a stream and to the process that
 * made it, and outlives the session that brought it: a hang-up means
 * disconnected, the pidfd means dead.
 *
 * Three positions, in this order: what is kept (released, or about to be), what is in the batch under way,
 * what is read. While somebody logs it is looked at every LINGER_MS without a wake-up; when nothing has come
 * it sleeps, and the producer that comes next writes the eventfd, which is watched edge-triggered and never
 * read.
 */
#ifndef PRODD_LOG_FEED_H
#define PRODD_LOG_FEED_H

#include "daemon/core/mapping.h"
#include "daemon/log/death.h"
#include "daemon/log/stream.h"
#include "proto/shm/ring.h"

#define FEED_TURN_BYTES (64u * 1024)	/* read in one turn */
#define FEED_LINGER_MS 2
#define FEED_LOST_MS 60000		/* without a session, after which nobody writes into it any more */
#define FEEDS_PER_SESSION 4

struct feed {
	struct peer peer;		/* session NULL: disconnected */
	struct stream *stream;		/* borrowed */
	struct mapping mapping;
	struct ring ring;
	struct ring_reading reading;
	uint8_t uuid[16];
	char instance[STREAM_NAME_MAX];
	uid_t uid;
	pid_t pid;			/* by the kernel's word; 0: foreign pid namespace */
	unsigned long long started;	/* of the process */
	int pidfd;			/* owned; -1: none */
	int eventfd;			/* owned */
	struct event woken;
	struct event exited;
	bool watched;			/* both events are set up */
	bool attached;			/* the ring is read; false: its place in the spool is being looked up */

	struct turn turn;
	struct share share;
	bool lingering;
	bool asleep;
	bool is_hungry;
	TAILQ_ENTRY(feed) hungry;
	TAILQ_ENTRY(feed) linger;

	uint64_t kept;			/* below it all is in the spool, or was dropped */
	uint64_t under_way;		/* below it all is kept when the batch under way is */
	uint64_t goal;			/* at the daemon's end: up to here it is still taken */
	uint64_t swept_at;		/* position read at the last sweep */
	bool cold;			/* little came since the last sweep */
	uint64_t dropped[RING_DROP_REASONS];	/* the ring's own counts, as seen last */
	uint64_t blocked_ms;		/* since when an unpublished record is in the way; 0: none is */
	uint64_t lost_ms;		/* since when it has no session; 0: it has one */
	bool dead;			/* no producer lives any more */
	unsigned death_tries;
	char crash[DEATH_WORD_MAX];	/* how; "": in order */
	uint64_t last_words;		/* records found after its death */

	struct stream_waiters syncs;	/* of log.sync: `batch` is the position up to which it must be read */
	LIST_ENTRY(feed) link;
};

extern const char feed_kind[];		/* of its mapping and its peer */

/* ---- feed.c: reading */

/* Begins to read: `position` is the end of its last record in the spool. False: damaged. */
bool feed_begin(struct feed *feed, uint64_t position);

void feed_wish(struct feed *feed);			/* for a turn */
void feed_aim(struct feed *feed);			/* sets the goal: what has been written now */
void feed_linger_fired(struct loop_timer *timer);	/* of logs.linger */

/* The next batch is about to go with what was read; the one that went is kept. The second may free it. */
void feed_goes(struct feed *feed);
void feed_is_kept(struct feed *feed);

/* Takes `call`, of log.sync: durable up to `end`. */
void feed_await_durable(struct feed *feed, struct call *call, uint64_t end);

/* Gives it up without more ado: a hostile one, or at the daemon's end. */
void feed_free(struct feed *feed);

/* ---- feed_life.c: sessions, watches, what happens once a second, the end */

/* A feed of a stream, not read yet. NULL: no memory. */
struct feed *feed_new(struct stream *stream, struct session *session);

/* Its session, new or anew. */
void feed_bind(struct feed *feed, struct session *session);

/* Makes the eventfd, and watches it and the process. 0 or an error. */
int feed_watch(struct feed *feed, struct prodd_error *e);
void feed_unwatch(struct feed *feed);

/* Gives the space of what is kept back to the producers. A ring that little is written to keeps some back
 * until whole pages of it can be given back to the system; `all`: not any longer. */
void feed_release(struct feed *feed, bool all);

/* Finds what no wake-up told of; drops; the lost. */
void feed_sweep(struct feed *feed, uint64_t now_ms);

/* When all that it will ever have is kept: tells of a crash, and frees it. */
void feed_settle(struct feed *feed);

#endif
