/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The rings that this process logs into.  Each is read by one reader at a time:
 * the daemon, when it has attached it; the library itself, which sends what it reads over the
 * socket (log_push.h), when there is a session but the ring cannot be shared;
 * nobody, without a session - then what is in it waits.
 *
 * There is one ring, the current one, until a slot in it is held up for
 * PRODD_RING_BLOCKED_MS by a thread that reserved it and does not go on: then what
 * follows goes to another, and the first is read on whenever the slot is published.
 * A ring that is empty again may become current again.  The same happens when the program
 * has closed a memfd: the daemon that has it mapped reads the ring to its end.
 *
 * Any thread writes (prodd_rings_current); all else is the engine's.
 */
#ifndef PRODD_CLIENT_RING_OUT_H
#define PRODD_CLIENT_RING_OUT_H

#include "client/conversation.h"
#include "client/messages.h"
#include "client/poller.h"
#include "client/region.h"
#include "proto/shm/ring.h"

#define PRODD_RINGS_MAX 4		/* of a handle; bounds its memory */
#define PRODD_RING_BLOCKED_MS 5000

enum prodd_ring_reader { PRODD_READ_BY_NOBODY, PRODD_READ_BY_DAEMON, PRODD_READ_BY_US };

struct prodd_ring_out {
	struct prodd_region region;	/* first: prodd_ring_out_renewed() */
	struct ring ring;		/* the producers' */
	_Atomic enum prodd_ring_reader reader;
	struct ring own;		/* the reader's, where that is the library */
	struct ring_reading reading;
	struct prodd_outcall attach;
	struct prodd_rings *rings;
	bool was_attached;		/* a daemon that lives on may have it mapped */
	uint64_t blocked_at;		/* head of a blocked ring when it was looked at */
	int64_t blocked_ns;		/* since when; 0: it is not */
};

struct prodd_rings {
	struct prodd_ring_out rings[PRODD_RINGS_MAX];	/* those in use come first */
	atomic_uint count;
	_Atomic(struct prodd_ring_out *) current;	/* NULL: none yet */
	atomic_int wake;		/* eventfd of the daemon's, owned; -1: none. The number stays while it is ours */
	size_t capacity;		/* bytes of slots of each */
	bool private;			/* by wish of the program */
	struct prodd_messages *messages;	/* borrowed */
	struct prodd_conversation *conversation;	/* borrowed; the session's */
	struct prodd_poller *poller;	/* borrowed; the engine's */
};

/* Makes the first ring: at the start. `capacity` 0: private memory of the usual size. 0 or -PRODD_E_NO_MEMORY. */
int prodd_rings_open(struct prodd_rings *rings, size_t capacity, struct prodd_messages *messages,
		     struct prodd_error *e);

/* Whom a session talks to, and through what: after prodd_rings_open(), and in a forked child. */
void prodd_rings_use(struct prodd_rings *rings, struct prodd_conversation *conversation, struct prodd_poller *poller);

/* In a forked child, before it leaves the parent's poller: the rings are fresh by the fork handler (region.h), or become
 * so here, and nobody reads them yet. */
void prodd_rings_forked(struct prodd_rings *rings);

/* Wakes nobody any more; while the poller still is open. */
void prodd_rings_hang_up(struct prodd_rings *rings);

/* No thread logs any more. Those that were never made too. */
void prodd_rings_free(struct prodd_rings *rings);

/* Where to log; NULL: not opened. */
static inline struct prodd_ring_out *prodd_rings_current(struct prodd_rings *rings)
{
	return atomic_load_explicit(&rings->current, memory_order_acquire);
}

/* Wakes the reader of a ring, after ring_publish() has said so. Any thread. */
void prodd_rings_wake(struct prodd_rings *rings, struct prodd_ring_out *out);

/* The daemon has welcomed this instance: shares the rings that are in use. 0, or the error that ends the session. */
int prodd_rings_welcomed(struct prodd_rings *rings, struct prodd_error *e);

/* The session is over. */
void prodd_rings_left(struct prodd_rings *rings);

/* Looks for a blocked ring, and moves on; from time to time. 0, or the error that ends the session. */
int prodd_rings_look(struct prodd_rings *rings, bool talking, struct prodd_error *e);

/* Becomes the reader of a ring that nobody reads, or goes on as such. False: it is damaged. */
bool prodd_ring_read_here(struct prodd_ring_out *out);

#endif
