/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One app's way from its spool into the sink: what was read, what was written,
 * what is synced.
 *
 *   cursor <= written <= last
 *
 * After any error the reader is closed and the sink is asked where it stands:
 * an error and a crash are mended in the same way.
 */
#ifndef PRODD_SHIP_FEED_H
#define PRODD_SHIP_FEED_H

#include <sys/queue.h>

#include "daemon/ship/sink.h"
#include "daemon/spool/reader.h"
#include "proto/limits.h"

/* bytes of an app's name, as in the schema; names of files are shorter */
#define FEED_APP_MAX 128u

enum feed_state { FEED_IDLE, FEED_READY, FEED_FAILED };

struct feed {
	char app[FEED_APP_MAX + 1];
	const struct settings *settings;	/* borrowed */
	struct sink *sink;			/* borrowed */
	int spool;				/* borrowed: the directory of all spools */
	bool wanted;				/* the sink gets this app; else everything is passed over */

	enum feed_state state;
	TAILQ_ENTRY(feed) turn;			/* FEED_READY: the shipper's queue */
	TAILQ_ENTRY(feed) unsynced;		/* dirty_since_ms != 0: the shipper's queue */
	TAILQ_ENTRY(feed) use;			/* `open`: the shipper's queue */
	bool open;				/* has descriptors */

	int directory;				/* owned; -1 */
	struct spool_reader *reader;		/* owned; NULL */
	struct stream *stream;			/* owned; NULL */
	bool placed;				/* `written` is what the sink has */

	uint64_t cursor;			/* the sink has all up to it, durably */
	uint64_t written;			/* it has all up to it */
	uint64_t last;				/* number of the last record that may be read */
	uint64_t dirty_since_ms;		/* first write since the last sync; 0: none */
	uint64_t dirty_bytes;

	unsigned failures;			/* in a row */
	uint64_t again_ms;			/* FEED_FAILED: time of the next try */
	struct prodd_error error;		/* FEED_FAILED: why */

	/* something of the rest has changed since it was last reported */
	bool news;
	uint64_t shipped;			/* records */
	uint64_t rejected;
	uint64_t missing;			/* of readers that are closed, as the next */
	uint64_t quarantined;
	uint64_t time_ns;			/* of the last record shipped */
};

/* An app's name that may be a file's: no path, not hidden. */
bool feed_is_name(struct prodd_slice app);

void feed_init(struct feed *feed, struct prodd_slice app, const struct settings *settings, struct sink *sink,
	       int spool, uint64_t cursor);
void feed_clear(struct feed *feed);	/* closes everything */

/* Ships at most about `most` bytes of lines by way of `lines`, whose content does not matter. 1: there may be
 * more; 0: nothing more up to `last`. Errors: the feed waits for a new start, and its counts and cursor are
 * right. */
int feed_ship(struct feed *feed, struct prodd_buffer *lines, size_t most, struct prodd_error *e);

/* Makes durable what was written. Errors as feed_ship(). */
int feed_sync(struct feed *feed, struct prodd_error *e);

/* What is below `number` is given up. */
void feed_skip(struct feed *feed, uint64_t number);

/* Rotates its file, if it has one; `now`: in any case, else when its time has come. */
int feed_rotate(struct feed *feed, bool now, struct prodd_error *e);

/* Gives descriptors back until the next call; synced before. */
void feed_rest(struct feed *feed);

uint64_t feed_missing(const struct feed *feed);
uint64_t feed_quarantined(const struct feed *feed);
uint64_t feed_behind(struct feed *feed);	/* bytes; may look into the directory */

#endif
