/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One app's way to its spool: what its rings and pushes bring is gathered in a
 * batch; one batch at a time is on the disk thread, while the next one fills.  So
 * the jobs of a flooding app stand one by one between those of the others, and
 * what it has under way is bounded.
 *
 * A batch is *kept* when it is in the spool, and under the policy `always` synced. Only
 * then its rings are released, its pushes answered and its numbers told to sinks.
 *
 * Loop thread. The spool's writer is the disk thread's; of it the loop knows what the last job has seen.
 */
#ifndef PRODD_LOG_STREAM_H
#define PRODD_LOG_STREAM_H

#include <uthash.h>

#include "daemon/core/disk.h"
#include "daemon/core/session.h"
#include "daemon/log/batch.h"
#include "daemon/log/drops.h"
#include "daemon/log/share.h"
#include "daemon/spool/writer.h"

#define STREAM_NAME_MAX 128
#define STREAM_SYNC_BYTES (8u * 1024 * 1024)	/* unsynced bytes from which `interval` does not wait */

#define STREAM_SECONDS 11
#define STREAM_MARKS 64u
#define STREAM_LATELY_MS 600000			/* so long a drop is a problem */

struct logs;
struct log_owner;
struct sink;
struct feed;
struct stream;

/* The writer, as a job has left it. */
struct stream_seen {
	struct spool_counts counts;
	uint64_t next;			/* number of the next record; 0: not opened yet */
	uint64_t oldest;
	uint64_t bytes;
	uint64_t unsynced;
	unsigned segments;
};

/* A job for the stream's writer. In run(): stream_work_begin(), the work, stream_work_end(); in done():
 * stream_work_done(). */
struct stream_work {
	struct disk_job job;
	struct stream *stream;		/* borrowed */
	int result;			/* 0 or the code of `error`, negative */
	struct prodd_error error;
	struct stream_seen seen;
};

/* How far one sink is with one stream. */
struct sink_row {
	struct sink *sink;		/* borrowed, as the next */
	struct stream *stream;
	bool wanted;			/* the sink takes this app's records */
	bool is_news;			/* the sink is to be told of the stream */
	uint64_t told;			/* number up to which the sink was told that it may read */
	uint64_t number;		/* up to which it has everything, or was told to skip */
	uint64_t stored;		/* the same, in the file of its cursor */
	uint64_t storing;		/* for the job that reads and writes it */
	uint64_t shipped;		/* since the daemon's start, as the next three */
	uint64_t rejected;
	uint64_t missing;
	uint64_t quarantined;		/* bytes */
	uint64_t counted[4];		/* of these, what the process that runs now has reported */
	uint64_t behind;		/* bytes of segments that it has not read, by its word */
	uint64_t time_ns;		/* of the last record shipped; 0: it has all */
	TAILQ_ENTRY(sink_row) news;
};

/* Where a number lies: so many bytes had been kept up to it. */
struct stream_mark {
	uint64_t number;
	uint64_t bytes;			/* as stream.bytes */
};

struct stream_marks {
	uint64_t step;			/* bytes between two; 0: none are wanted */
	unsigned count;			/* ever made; the last STREAM_MARKS are kept */
	struct stream_mark at[STREAM_MARKS];
};

/* A stream's part in the sinks: embedded in it. */
struct sink_rows {
	struct stream_work store;	/* reads the cursors, later writes them, and unlinks */
	bool known;			/* the cursors were read */
	uint64_t stored_ms;		/* when they were stored last */
	uint64_t passed;		/* for the job: what all have passed */
	unsigned count;
	struct sink_row *at;		/* owned; one for each sink */
};

/* Who waits for a batch: log.push for its being kept, log.sync for its being durable. */
struct stream_waiter {
	struct call *call;		/* taken; answered, or failed with the stream's error */
	uint64_t batch;			/* number of the batch */
	uint64_t taken;			/* for the answer of log.push */
	uint64_t dropped;
	TAILQ_ENTRY(stream_waiter) link;
};

TAILQ_HEAD(stream_waiters, stream_waiter);

/* The latest end of an instance that was no orderly one. */
struct stream_crash {
	char instance[STREAM_NAME_MAX];
	char how[48];			/* "killed by SIGKILL" */
	uint64_t when_ms;		/* wall clock; 0: there was none */
	uint64_t last_words;		/* records found after it */
	uint64_t number;		/* of the last of them */
};

struct stream {
	struct logs *logs;		/* borrowed */
	char name[STREAM_NAME_MAX];
	struct log_owner *owner;	/* borrowed: the uid for whom it was made */
	struct turn_queue turns;	/* its feeds */
	LIST_HEAD(, feed) feeds;	/* owned */
	TAILQ_HEAD(feed_queue, feed) hungry;	/* feeds that have more, and wait for the batch to be taken away */
	struct shares shares;
	struct share pushed;		/* what comes by log.push */

	struct batch filling;
	uint64_t number;		/* of `filling`; from 1 */
	struct stream_work append;	/* of `flying` */
	struct batch flying;		/* the disk thread's while append.job is queued */
	struct batch_at written;	/* how far; as above */
	bool under_way;			/* `flying` is not kept yet */
	bool is_told;			/* `flying` holds prodd's own records about drops, and has no number */
	uint64_t telling[LOG_DROP_COUNT];	/* drops that these tell of */
	struct stream_work sync;
	struct loop_timer again;	/* after an error */
	uint64_t trouble_ms;		/* since when the spool cannot be written, wall clock; 0: it can */
	struct prodd_error trouble;

	struct sink_rows rows;
	struct stream_marks marks;
	struct stream_waiters pushes;	/* of log.push, by batch */
	struct stream_waiters waiting;	/* of log.sync: for a batch to be kept */
	struct stream_waiters kept;	/* for the next sync */
	struct stream_waiters syncing;	/* for the one that runs */

	struct stream_seen seen;
	struct spool_writer *writer;	/* owned; the disk thread's; NULL: not opened yet */
	uint64_t records;		/* kept since the daemon's start */
	uint64_t bytes;
	struct log_drops drops;
	uint64_t told_ms[LOG_DROP_COUNT];	/* when a record of the stream last told of it */
	uint64_t dropped_ms;		/* when a record was dropped last, wall clock */
	uint64_t dropping_ms;		/* since when that happens again and again */
	struct stream_crash crash;
	uint64_t rates[STREAM_SECONDS];	/* records of each of the last seconds; [0]: of this one */
	UT_hash_handle hh;
};

/* NULL: no memory. */
struct stream *stream_new(struct logs *logs, const char *name, struct log_owner *owner);

/* No job is under way any more, the disk thread has ended. Fails those who wait. */
void stream_free(struct stream *stream);

/* May a feed read more into the batch? */
bool stream_has_room(const struct stream *stream);

/* Adds a record to the batch. False: no memory; nothing was added. */
bool stream_add(struct stream *stream, const struct origin *origin, struct prodd_slice record);

/* Sends the batch off, when there is one and none is under way. After each work that may have added. */
void stream_push(struct stream *stream);

/* A drop of the app's: counted, and told in the stream. */
void stream_drop(struct stream *stream, enum log_drop reason, uint64_t count);

/* Fills the batch that is to fly, an empty one, with what must be told now: one record a second for each
 * reason. False: nothing. */
bool stream_tell(struct stream *stream, uint64_t now_ms);

/* That batch is kept, or was refused by a full spool. */
void stream_told(struct stream *stream, bool in_spool);

/* Once a second. True: it wants to be called again though nothing comes. */
bool stream_tick(struct stream *stream);

/* Records of the last ten seconds, a thousand times per second. */
uint64_t stream_rate(const struct stream *stream);

/* Is anything not kept yet? */
bool stream_is_busy(const struct stream *stream);

/* Number of the batch that holds what was added last, or an earlier one when all of that is kept. */
uint64_t stream_last_batch(const struct stream *stream);

/* Takes `call`: answers it as log_pushed, when the batch is kept; as log.sync, when it is durable. */
void stream_await_kept(struct stream *stream, struct call *call, uint64_t taken, uint64_t dropped);
void stream_await_durable(struct stream *stream, struct call *call);

/* Makes durable what is kept and is not; no-op when nothing is. */
void stream_sync(struct stream *stream);

/* A ring is empty and gone. */
void stream_forget(struct stream *stream, const uint8_t ring[16], uid_t uid);

/* ---- for jobs on the stream's writer */

/* Disk thread: opens the writer, when it is not. NULL: work->result and error say why. */
struct spool_writer *stream_work_begin(struct stream_work *work);
void stream_work_end(struct stream_work *work);

/* Loop: takes what was seen. */
void stream_work_done(struct stream_work *work);

#endif
