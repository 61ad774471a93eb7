/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `log.tail`: the latest records of the spools, and those that come, to
 * whoever asks.  Who reads too slowly misses records, and is told how many; it
 * holds up nobody.  Loop thread.
 */
#ifndef PRODD_LOG_TAIL_H
#define PRODD_LOG_TAIL_H

#include "daemon/core/disk.h"
#include "daemon/core/session.h"
#include "daemon/spool/format.h"

#define TAIL_FOLLOWERS_MAX 64u
#define TAIL_READINGS_MAX 8u			/* at once, on the disk thread */
#define TAIL_LAST_MAX 1000u			/* records of the past in one answer */
#define TAIL_PENDING_MAX (256u * 1024)		/* bytes that a follower has still to read, from which it misses records */

struct tail_request;

struct tail {
	struct handler log_tail;	/* to be entered by the composition root */
	struct disk *disk;		/* borrowed */
	char *directory;		/* owned: of the spools */
	LIST_HEAD(, tail_request) requests;	/* owned: being answered, or followed */
	unsigned readings;
	unsigned followers;
};

/* Zeroed before. `state` is the directory with "spool" in it, copied. -PRODD_E_NO_MEMORY. */
int tail_init(struct tail *tail, struct disk *disk, const char *state, struct prodd_error *e);

/* No session may be left, and the disk thread must have ended. Those not set up too. */
void tail_clear(struct tail *tail);

/* Does anybody follow this app? */
bool tail_is_followed(const struct tail *tail, const char *app);

/* A record is kept, with its number; in their order for each app. Borrowed. */
void tail_kept(struct tail *tail, const char *app, const struct spool_record *record);

#endif
