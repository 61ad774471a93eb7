/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the writer share: its state, and how it gets segments and room. */
#ifndef PRODD_SPOOL_WRITER_PARTS_H
#define PRODD_SPOOL_WRITER_PARTS_H

#include "daemon/spool/segments.h"
#include "daemon/spool/water.h"
#include "daemon/spool/writer.h"

/* Bytes that are preallocated at once. */
#define SPOOL_STEP (256u * 1024)
/* A segment that is being made. */
#define SPOOL_NEW_NAME "new"

struct spool_writer {
	LIST_ENTRY(spool_writer) link;	/* in total->writers */
	struct spool_total *total;	/* borrowed */
	char *app;			/* owned; for messages */
	int directory;			/* owned */
	struct spool_segments segments;	/* what there is; the last one is being written when fd >= 0 */
	int fd;				/* owned; -1: the next record begins a segment */
	uint32_t seed;			/* of the segment being written */
	uint64_t at;			/* where its next record goes */
	uint64_t allocated;		/* its size; zeros from `at` on */
	uint64_t follows;		/* the number behind the last one */
	uint64_t next; /* number of the next record: `follows`, or more while a jump is due */
	uint64_t id;			/* highest that was seen */
	uint8_t boot[16];
	uint64_t passed;		/* number that all cursors have passed */

	/* what is not durable yet */
	struct prodd_buffer kept;	/* its bytes, [at - kept.size, at); under SPOOL_NEVER none */
	uint64_t kept_from;		/* number of the first record in it */
	uint64_t salt;			/* theirs: a segment that supersedes has the same */
	uint64_t unsynced;		/* bytes; over kept.size when they were not kept */
	uint64_t unsynced_id;		/* of the first segment that has such bytes */
	bool entry_unsynced;		/* the directory does not surely know the segment */
	bool distrusted;		/* a sync has failed: what is unsynced must be written anew */

	struct waters waters;
	struct spool_counts counts;
};

static inline struct spool_segment *writer_current(struct spool_writer *w)
{
	return &w->segments.at[w->segments.count - 1];
}

/* ---- segment.c: the segment being written */

/* Begins a segment; `supersedes` 0, or the id of the first one whose records from `from` on do not count any
 * more: those kept are written into this one. The one before is cut to what it holds and left. -PRODD_E_IO,
 * -PRODD_E_OVER_LIMIT, -PRODD_E_NO_MEMORY: nothing has changed. */
int segment_begin(struct spool_writer *w, uint64_t supersedes, uint64_t from, struct prodd_error *e);

/* Preallocates so that `size` more bytes fit. Errors as above. */
int segment_extend(struct spool_writer *w, uint64_t size, struct prodd_error *e);

/* Writes at `at`. Returns how many of the bytes are there, which is fewer when writing fails, with *e and
 * errno set. `at` stays. */
size_t segment_write(struct spool_writer *w, const void *bytes, size_t size, struct prodd_error *e);

/* Takes away what a failed write may have left behind `at`: part of one record, since whole ones count. When
 * that fails too the next record is written over it, or the next opening finds it damaged. */
void segment_cut(struct spool_writer *w);

/* Gives back what is preallocated, and closes. */
void segment_leave(struct spool_writer *w);

/* ---- room.c: limits */

/* Most bytes of a segment, so that dropping the oldest takes a small part of what may be kept. */
uint64_t room_segment_max(const struct spool_total *total);

/* Makes room for `size` more bytes by the rules of total->full; `drop`: although the limits allow it, since
 * the disk does not. False: there is none. */
bool room_make(struct spool_writer *w, uint64_t size, bool drop);

/* A segment has grown or shrunk. */
void room_resized(struct spool_writer *w, struct spool_segment *segment, uint64_t size);

/* ---- sync.c */

/* 0 when nothing is left that is not durable, or not wanted so by the policy. Before a segment is left. */
int sync_before_leaving(struct spool_writer *w, struct prodd_error *e);

#endif
