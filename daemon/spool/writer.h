/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One app's spool, as its only writer sees it.  Disk thread only; every call may block.
 *
 * Acknowledged means: under SPOOL_ALWAYS synced; else written, so that it survives the daemon but not the host.
 * A failed sync is never retried and trusted: the pages may be marked clean though they never reached the disk. The
 * bytes since the last good sync are kept in memory (`interval` bounds them), and go into a new segment that supersedes.
 */
#ifndef PRODD_SPOOL_WRITER_H
#define PRODD_SPOOL_WRITER_H

#include "daemon/spool/format.h"

enum spool_policy { SPOOL_ALWAYS, SPOOL_INTERVAL, SPOOL_NEVER };
enum spool_full { SPOOL_DROP_OLDEST, SPOOL_DROP_NEWEST, SPOOL_BLOCK };

/* What the owner counts and limits over all apps; one for all writers. Disk thread. */
struct spool_total {
	uint64_t bytes;			/* of all segments of all apps */
	uint64_t limit;			/* most bytes of all */
	uint64_t app_limit;		/* most bytes of one */
	unsigned keep_free_percent;	/* of the file system: under it the spool counts as full */
	enum spool_policy policy;
	enum spool_full full;
};

struct spool_writer;

/* Counted since it was opened; each is visible in status and metrics. */
struct spool_counts {
	uint64_t records;		/* appended */
	uint64_t bytes;
	uint64_t dropped_oldest;	/* records: segments unlinked before every sink had them */
	uint64_t dropped_newest;	/* records refused for want of room */
	uint64_t failed_writes;
	uint64_t failed_syncs;
	uint64_t quarantined;		/* bytes of damage found when it was opened */
	uint64_t synced;		/* number up to which all is durable */
};

/* Opens or makes DIRECTORY/APP; scans the last segment, whatever state it is in, and writes behind its last intact
 * record (in a new segment, when there is damage behind that, when the host has booted anew since, or when a newer version wrote it).
 * `total` is borrowed. -PRODD_E_IO names the path. */
int spool_writer_open(struct spool_writer **ret, int directory, const char *app, struct spool_total *total,
		      struct prodd_error *e);
struct spool_writer *spool_writer_close(struct spool_writer *writer);	/* syncs; NULL is allowed; returns NULL */

/* The end of the last record of that ring which the spool has ever held; 0: none. */
uint64_t spool_writer_water(const struct spool_writer *writer, const uint8_t ring[16], uint32_t uid);

/* That ring is empty and gone: its row may go from the next table. */
void spool_writer_forget(struct spool_writer *writer, const uint8_t ring[16], uint32_t uid);

/*
 * Appends `count` records, given as {origin, record}; numbers them from *ret_first. Whole or not at all for each record:
 * *ret_taken of them, from the front, are in; those dropped for want of room are counted and counted as taken.
 * Returns 0, or -PRODD_E_IO (EIO, ENOSPC: the caller keeps the rest and tries again later: under
 * SPOOL_BLOCK, or when not even dropping makes room).
 */
int spool_writer_append(struct spool_writer *writer, const struct spool_record *records, unsigned count,
			uint64_t *ret_first, unsigned *ret_taken, struct prodd_error *e);

/* Makes everything appended durable. 0; -PRODD_E_IO: it was written anew into another segment and still is not durable. */
int spool_writer_sync(struct spool_writer *writer, struct prodd_error *e);

/* Bytes appended and not synced. */
uint64_t spool_writer_unsynced(const struct spool_writer *writer);

/* All cursors have durably passed `number`, and the heads of the rings in it are stored: segments wholly below may be
 * unlinked, oldest first. */
void spool_writer_passed(struct spool_writer *writer, uint64_t number);

const struct spool_counts *spool_writer_counts(const struct spool_writer *writer);
uint64_t spool_writer_next(const struct spool_writer *writer);		/* number of the next record */
uint64_t spool_writer_oldest(const struct spool_writer *writer);	/* number of the oldest record that is kept */
uint64_t spool_writer_bytes(const struct spool_writer *writer);		/* of its segments */
unsigned spool_writer_segments(const struct spool_writer *writer);

#endif
