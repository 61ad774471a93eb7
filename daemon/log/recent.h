/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Looks for the latest records in the spools, from the last segment backwards,
 * on the disk thread and in small pieces, so that what is to be written does
 * not wait long.
 */
#ifndef PRODD_LOG_RECENT_H
#define PRODD_LOG_RECENT_H

#include "daemon/core/disk.h"
#include "daemon/log/filter.h"
#include "daemon/log/latest.h"
#include "daemon/spool/apps.h"
#include "daemon/spool/reader.h"
#include "daemon/spool/segments.h"

#define RECENT_PIECE_BYTES (512u * 1024)		/* read in one job */
#define RECENT_APP_BYTES (64u * 1024 * 1024)		/* of an app's spool looked through */
#define RECENT_ALL_BYTES (256u * 1024 * 1024)		/* of all */

/* Embedded in its owner. The members are its own: the disk thread's until done(). */
struct recent {
	void (*done)(struct recent *recent);	/* loop, once; `latest` and `error` are valid */
	struct disk *disk;		/* borrowed */
	struct disk_job job;
	const char *directory;		/* borrowed: of the spools */
	const struct filter *filter;	/* borrowed */
	struct latest latest;		/* owned */
	struct prodd_error error;	/* code PRODD_OK: none; -PRODD_E_NOT_FOUND: the app has no spool */
	bool stopped;			/* nobody wants it any more */
	bool begun;
	int top;			/* owned, as all below; -1 */
	struct spool_apps apps;		/* those to look at */
	unsigned app;			/* the one looked at */
	int app_directory;		/* -1: none is opened */
	struct spool_segments segments;
	unsigned segment;		/* those below it are still to be looked at */
	uint64_t below;			/* numbers from here on were looked at */
	uint64_t until;			/* of the segment that is read: the number behind its last */
	struct spool_reader *reader;	/* NULL: none */
	unsigned taken;			/* of this app */
	uint64_t app_bytes;
	uint64_t all_bytes;
};

/* Sets all but done(); `most` records of those that `filter` takes. */
void recent_start(struct recent *recent, struct disk *disk, const char *directory, const struct filter *filter,
		  unsigned most);

/* done() comes soon, with what was found. */
void recent_stop(struct recent *recent);

/* After done(). */
void recent_clear(struct recent *recent);

#endif
