/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One app's spool, as its only writer sees it.  Disk thread only; every call may block.
 *
 * Acknowledged means: under SPOOL_ALWAYS synced; else written, so that it survives the daemon but not the
 * host. A failed sync is never retried and trusted: the pages may be marked clean though they never reached
 * the disk. The bytes since the last good sync are kept in memory (`interval` bounds them), and go into a new
 * segment that supersedes.
 */
#ifndef PRODD_SPOOL_WRITER_H
#define PRODD_SPOOL_WRITER_H

#include <sys/queue.h>

#include "daemon/spool/format.h"

enum spool_policy { SPOOL_ALWAYS, SPOOL_INTERVAL, SPOOL_NEVER };
enum spool_full { SPOOL_DROP_OLDEST, SPOOL_DROP_NEWEST, SPOOL_BLOCK };

/* Numbers jump by this on opening after a new boot, and where damage may have taken the last ones: those of
 * lost records may have been shipped already. */
#define SPOOL_JUMP UINT64_C(1000000)
#define SPOOL_JUMP_NEVER UINT64_C(1000000000)	/* under SPOOL_NEVER, or when a newer version wrote last */

struct spool_writer;

/* What the owner counts and limits over all apps; one for all writers, zeroed at first. The owner sets what
 * is above the line, at any time. Disk thread. */
struct spool_total {
	uint64_t limit;			/* most bytes of all; 0: none */
	uint64_t app_limit;		/* most bytes of one; 0: none */
	unsigned keep_free_percent;	/* of the file system: under it the spool counts as full */
	enum spool_policy policy;
	enum spool_full full;
	/* ---- */
	uint64_t bytes;			/* of all segments of all open writers */
	LIST_HEAD(spool_writers, spool_writer) writers;
};

/* Counted since it was opened; each is visible in status and metrics. */
struct spool_counts {
	uint64_t records;		/* appended */
	uint64_t bytes;
	uint64_t dropped_oldest;	/* records: segments unlinked before every sink had them */
	uint64_t dropped_newest;	/* records refused for want of room, or for their size */
	uint64_t failed_writes;
	uint64_t failed_syncs;
	uint64_t quarantined;		/* bytes of damage found when it was opened */
	uint64_t synced;		/* number up to which all is durable */
};

/* Opens or makes DIRECTORY/APP (the name checked by spool_is_app()); scans the last segment, whatever state
 * it is in, and writes behind its last intact record: in a new segment, when there is damage behind that,
 * when the host has booted anew since, or when a newer version wrote it. Numbers go on behind the last record
 * and behind every cursor (cursor.h). `total` is borrowed. -PRODD_E_IO, -PRODD_E_INVALID, -PRODD_E_NO_MEMORY
 * name the path; -PRODD_E_CORRUPT: somebody has forged segments whose numbers leave none to go on with. */
int spool_writer_open(struct spool_writer **ret, int directory, const char *app, struct spool_total *total,
		      struct prodd_error *e);

/* Syncs (not under SPOOL_NEVER); gives back what was preallocated. NULL is allowed; returns NULL. */
struct spool_writer *spool_writer_close(struct spool_writer *writer);

/* The app's directory, borrowed: for its cursors. */
int spool_writer_directory(const struct spool_writer *writer);

/* The end of the last record of that ring which the spool has ever held; 0: none. */
uint64_t spool_writer_water(const struct spool_writer *writer, const uint8_t ring[16], uint32_t uid);

/* That ring is empty and gone: its row may go from the next table. */
void spool_writer_forget(struct spool_writer *writer, const uint8_t ring[16], uint32_t uid);

/*
 * Appends `count` records, given as {origin, record} (their `number` is ignored). Whole or not at all for
 * each record: *ret_taken of them, from the front, are taken. Those that are written have the numbers from
 * *ret_first up to spool_writer_next(). A call ends behind the first record that is dropped (counted, and
 * counted as taken, without a number): call again with the rest.
 * Returns 0, or -PRODD_E_IO (EIO, ENOSPC,
 * syncing fails), -PRODD_E_OVER_LIMIT (no room: under SPOOL_BLOCK, or when not even dropping makes any),
 * -PRODD_E_NO_MEMORY: the caller keeps what is not taken and tries again later.
 */
int spool_writer_append(struct spool_writer *writer, const struct spool_record *records, unsigned count,
			uint64_t *ret_first, unsigned *ret_taken, struct prodd_error *e);

/* Makes everything appended durable. 0; -PRODD_E_IO: it was written anew into another segment and still is
 * not durable; under SPOOL_NEVER nothing is kept to be written anew. */
int spool_writer_sync(struct spool_writer *writer, struct prodd_error *e);

/* Bytes appended and not synced. */
uint64_t spool_writer_unsynced(const struct spool_writer *writer);

/* All cursors have durably passed `number`, and the heads of the rings in it are stored: segments wholly
 * below may be unlinked, oldest first. */
void spool_writer_passed(struct spool_writer *writer, uint64_t number);

const struct spool_counts *spool_writer_counts(const struct spool_writer *writer);
uint64_t spool_writer_next(const struct spool_writer *writer);		/* number of the next record */
uint64_t spool_writer_oldest(const struct spool_writer *writer); /* of the oldest record that is kept */
uint64_t spool_writer_bytes(const struct spool_writer *writer);		/* of its segments, as files */
unsigned spool_writer_segments(const struct spool_writer *writer);

#endif
