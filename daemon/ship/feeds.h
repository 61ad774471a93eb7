/* SPDX-License-Identifier: Apache-2.0 */
/*
 * All feeds of a sink, and whose turn it is: each that has something to ship
 * gets a bounded slice, in a circle, so that nobody waits for one that floods.
 */
#ifndef PRODD_SHIP_FEEDS_H
#define PRODD_SHIP_FEEDS_H

#include "daemon/ship/feed.h"

#define FEEDS_MAX 4096u			/* as many as ship.start may name */
#define FEEDS_SLICE (128u * 1024)	/* bytes of lines in one turn */
#define FEEDS_SYNC_MS 1000u		/* between a write and its sync, at most */
#define FEEDS_SYNC_BYTES (8u * 1024 * 1024)
#define FEEDS_REST_MS 250u		/* between two syncs of those that rest */
/* after an error; doubled with each, and a random part of that is taken */
#define FEEDS_AGAIN_MIN_MS 100u
#define FEEDS_AGAIN_MAX_MS 30000u
#define FEEDS_TEND_MS 1000u

TAILQ_HEAD(feed_queue, feed);

struct feeds {
	const struct settings *settings;	/* borrowed */
	struct sink *sink;			/* borrowed */
	int spool;				/* borrowed */
	struct feed **sorted;			/* owned, by name; and each of them */
	unsigned count;
	unsigned room;
	struct feed_queue ready;		/* first: whose turn it is */
	struct feed_queue unsynced;		/* first: the longest */
	struct feed_queue open;			/* first: unused for the longest time */
	unsigned open_count;
	unsigned open_max;
	unsigned failed_count;
	uint64_t rested_ms;			/* of the last sync of those that rest */
	uint64_t tended_ms;
	struct prodd_buffer lines;		/* owned */
	size_t slice;				/* bytes */
};

void feeds_init(struct feeds *feeds, const struct settings *settings, struct sink *sink, int spool);
void feeds_clear(struct feeds *feeds);

/* The app's spool is at `last`; of one not known yet the sink has `cursor`. -PRODD_E_OVER_LIMIT,
 * -PRODD_E_NO_MEMORY, -PRODD_E_USAGE: the app's name cannot be that of a file. */
int feeds_tell(struct feeds *feeds, struct prodd_slice app, uint64_t cursor, uint64_t last,
	       struct prodd_error *e);

/* NULL: not known. */
struct feed *feeds_find(const struct feeds *feeds, struct prodd_slice app);

/* One slice and at most one sync. True: something was synced, so that there is something to say. */
bool feeds_turn(struct feeds *feeds);

/* Milliseconds until the next turn has something to do: 0, or at most `most`. */
uint64_t feeds_wait_ms(const struct feeds *feeds, uint64_t most);

/* Syncs everything that is not. */
void feeds_sync(struct feeds *feeds);

/* Rotates all. */
void feeds_rotate(struct feeds *feeds);

/* Those that wait after an error try again at once. */
void feeds_hurry(struct feeds *feeds);

/* Everything is shipped and synced. */
bool feeds_at_rest(const struct feeds *feeds);

/* The feed that is tried again first, with its reason; NULL: none has failed. */
const struct feed *feeds_failed(const struct feeds *feeds);

#endif
