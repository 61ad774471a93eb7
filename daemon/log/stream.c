/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two batches that change places, and three jobs.  An error keeps the batch
 * under way: rings fill up behind it, and the same job is tried again.
 */
#include "daemon/log/stream.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "daemon/log/logs.h"
#include "daemon/log/sinks.h"
#include "daemon/util/clock.h"
#include "daemon/util/container.h"
#include "daemon/util/log.h"

enum { chunk = 64 };		/* records given to the writer at once */

#define AGAIN_MS 500		/* after an error */
#define SECOND_MS 1000

/* ---- work on the writer */

struct spool_writer *stream_work_begin(struct stream_work *work)
{
	struct stream *stream = work->stream;
	struct logs *logs = stream->logs;

	work->result = 0;
	if (!stream->writer)
		work->result = spool_writer_open(&stream->writer, logs->spool, stream->name, &logs->total, &work->error);
	return stream->writer;
}

void stream_work_end(struct stream_work *work)
{
	const struct spool_writer *writer = work->stream->writer;

	if (!writer)
		return;
	work->seen = (struct stream_seen){ .counts = *spool_writer_counts(writer),
					   .next = spool_writer_next(writer),
					   .oldest = spool_writer_oldest(writer),
					   .bytes = spool_writer_bytes(writer),
					   .unsynced = spool_writer_unsynced(writer),
					   .segments = spool_writer_segments(writer) };
}

static void trouble(struct stream *stream, const struct prodd_error *why)
{
	if (!stream->trouble_ms) {
		stream->trouble_ms = clock_wall_ms();
		log_error("spool of %s: %s; tried again every %d ms", stream->name, why->text, AGAIN_MS);
	}
	stream->trouble = *why;
}

static void no_trouble(struct stream *stream)
{
	if (stream->trouble_ms)
		log_notice("spool of %s: written again", stream->name);
	stream->trouble_ms = 0;
}

void stream_work_done(struct stream_work *work)
{
	struct stream *stream = work->stream;
	const struct spool_counts *now = &work->seen.counts, *before = &stream->seen.counts;

	if (work->seen.next) {
		stream_drop(stream, LOG_DROP_OLDEST, now->dropped_oldest - before->dropped_oldest);
		if (!stream->is_told)
			stream_drop(stream, LOG_DROP_SPOOL_FULL, now->dropped_newest - before->dropped_newest);
		stream->seen = work->seen;
	}
	if (work->result < 0)
		trouble(stream, &work->error);
}

/* ---- those who wait */

static void answer(struct stream_waiter *waiter, const struct prodd_error *why)
{
	struct wire_log_pushed pushed = { .taken = waiter->taken, .dropped = waiter->dropped };
	struct wire_empty empty = { 0 };

	if (why)
		call_fail(waiter->call, why);
	else
		call_answer(waiter->call, call_method(waiter->call) == WIRE_M_log_push ? (void *)&pushed : (void *)&empty);
	free(waiter);
}

static void answer_all(struct stream_waiters *waiters, const struct prodd_error *why)
{
	struct stream_waiter *waiter;

	while ((waiter = TAILQ_FIRST(waiters))) {
		TAILQ_REMOVE(waiters, waiter, link);
		answer(waiter, why);
	}
}

/* Number of the latest batch that is kept. */
static uint64_t kept_batch(const struct stream *stream)
{
	return stream->number - (stream->under_way && !stream->is_told ? 2 : 1);
}

uint64_t stream_last_batch(const struct stream *stream)
{
	return stream->number - (stream->filling.count > 0 ? 0 : 1);
}

/* Those whose batch is kept now. */
static void go_on(struct stream *stream)
{
	uint64_t kept = kept_batch(stream);
	struct stream_waiter *waiter;

	while ((waiter = TAILQ_FIRST(&stream->pushes)) && waiter->batch <= kept) {
		TAILQ_REMOVE(&stream->pushes, waiter, link);
		answer(waiter, NULL);
	}
	while ((waiter = TAILQ_FIRST(&stream->waiting)) && waiter->batch <= kept) {
		TAILQ_REMOVE(&stream->waiting, waiter, link);
		TAILQ_INSERT_TAIL(&stream->kept, waiter, link);
	}
	if (!TAILQ_EMPTY(&stream->kept))
		stream_sync(stream);
}

static void await(struct stream *stream, struct stream_waiters *where, struct call *call, uint64_t taken,
		  uint64_t dropped)
{
	static const struct prodd_error no_memory = { PRODD_E_NO_MEMORY, "no memory to wait for the spool" };
	struct stream_waiter *waiter = malloc(sizeof *waiter);

	if (!waiter) {
		call_fail(call, &no_memory);
		return;
	}
	*waiter = (struct stream_waiter){ .call = call, .batch = stream_last_batch(stream), .taken = taken,
					  .dropped = dropped };
	TAILQ_INSERT_TAIL(where, waiter, link);
	go_on(stream);
}

void stream_await_kept(struct stream *stream, struct call *call, uint64_t taken, uint64_t dropped)
{
	await(stream, &stream->pushes, call, taken, dropped);
}

void stream_await_durable(struct stream *stream, struct call *call)
{
	await(stream, &stream->waiting, call, 0, 0);
}

/* ---- appending */

static int write_batch(struct stream *stream, struct spool_writer *writer, struct prodd_error *e)
{
	struct spool_record records[chunk];
	unsigned count, taken, written;
	uint64_t first;
	int r = 0;

	while (r >= 0 && (count = batch_peek(&stream->flying, &stream->written, records, chunk)) > 0) {
		taken = 0;
		r = spool_writer_append(writer, records, count, &first, &taken, e);
		written = (unsigned)(spool_writer_next(writer) - first);
		batch_pass(&stream->flying, &stream->written, written, first);
		batch_pass(&stream->flying, &stream->written, taken - written, 0);	/* one that was dropped */
	}
	return r;
}

static void append_run(struct disk_job *job)
{
	struct stream_work *work = container_of(job, struct stream_work, job);
	struct spool_writer *writer = stream_work_begin(work);

	if (writer)
		work->result = write_batch(work->stream, writer, &work->error);
	if (writer && work->result >= 0 && work->stream->logs->total.policy == SPOOL_ALWAYS)
		work->result = spool_writer_sync(writer, &work->error);
	stream_work_end(work);
}

static void wake_hungry(struct stream *stream)
{
	struct feed *feed;

	while ((feed = TAILQ_FIRST(&stream->hungry))) {
		TAILQ_REMOVE(&stream->hungry, feed, hungry);
		feed->is_hungry = false;
		feed_wish(feed);
	}
}

static void commit_later(struct stream *stream)
{
	if (stream->logs->total.policy != SPOOL_INTERVAL || stream->seen.unsynced == 0)
		return;
	if (stream->seen.unsynced >= STREAM_SYNC_BYTES)
		stream_sync(stream);
	else
		logs_commit_soon(stream->logs);
}

static void tell_feeds(struct stream *stream, void (*tell)(struct feed *feed))
{
	struct feed *feed, *next;

	for (feed = LIST_FIRST(&stream->feeds); feed; feed = next) {
		next = LIST_NEXT(feed, link);
		tell(feed);
	}
}

static void count_kept(struct stream *stream)
{
	if (stream->is_told)
		return;
	stream->records += stream->flying.count;
	stream->rates[0] += stream->flying.count;
	stream->bytes += stream->flying.bytes.size;
	stream->owner->bytes -= stream->flying.bytes.size;
	logs_sweep_soon(stream->logs);
}

/* Those without a number were dropped. */
static void tell_followers(struct stream *stream)
{
	struct tail *tail = &stream->logs->tail;
	struct spool_record record;
	struct batch_at at = { 0 };

	if (!tail_is_followed(tail, stream->name))
		return;
	for (; batch_peek(&stream->flying, &at, &record, 1) > 0; batch_pass(&stream->flying, &at, 1, record.number))
		if (record.number > 0)
			tail_kept(tail, stream->name, &record);
}

static void batch_is_kept(struct stream *stream)
{
	count_kept(stream);
	tell_followers(stream);
	stream->under_way = stream->is_told = false;
	allowance_mark(stream);
	sinks_more(stream->logs->sinks, stream);
	tell_feeds(stream, feed_is_kept);
	batch_reset(&stream->flying);
	go_on(stream);
	commit_later(stream);
	wake_hungry(stream);
	stream_push(stream);
}

static void append_done(struct disk_job *job)
{
	struct stream_work *work = container_of(job, struct stream_work, job);
	struct stream *stream = work->stream;
	uint64_t refused = stream->seen.counts.dropped_newest;

	stream_work_done(work);
	if (work->result < 0) {
		loop_timer_arm(&stream->again, AGAIN_MS);
		return;
	}
	no_trouble(stream);
	if (stream->is_told)
		stream_told(stream, work->seen.counts.dropped_newest == refused);
	batch_is_kept(stream);
}

static void again_fired(struct loop_timer *timer)
{
	struct stream *stream = container_of(timer, struct stream, again);

	sinks_look(stream);
	if (stream->under_way && !stream->append.job.queued)
		disk_submit(stream->logs->disk, &stream->append.job);
}

static void fly(struct stream *stream)
{
	stream->written = (struct batch_at){ 0 };
	stream->under_way = true;
	disk_submit(stream->logs->disk, &stream->append.job);
}

void stream_push(struct stream *stream)
{
	struct batch filling = stream->filling;

	if (stream->under_way)
		return;
	if (stream_tell(stream, clock_monotonic_ms())) {
		stream->is_told = true;
		fly(stream);
		return;
	}
	tell_feeds(stream, feed_goes);
	if (filling.count == 0) {
		tell_feeds(stream, feed_is_kept);
		return;
	}
	stream->filling = stream->flying;
	stream->flying = filling;
	stream->number++;
	fly(stream);
}

bool stream_has_room(const struct stream *stream)
{
	if (stream->filling.bytes.size >= BATCH_FULL)
		return false;
	return (stream->filling.count == 0 && !stream->under_way) || stream->owner->bytes < LOGS_UID_BYTES;
}

bool stream_add(struct stream *stream, const struct origin *origin, struct prodd_slice record)
{
	size_t size = stream->filling.bytes.size;

	if (!batch_add(&stream->filling, origin, record))
		return false;
	stream->owner->bytes += stream->filling.bytes.size - size;
	return true;
}

bool stream_is_busy(const struct stream *stream)
{
	return stream->under_way || stream->filling.count > 0;
}

/* ---- syncing */

static void sync_run(struct disk_job *job)
{
	struct stream_work *work = container_of(job, struct stream_work, job);
	struct spool_writer *writer = stream_work_begin(work);

	if (writer)
		work->result = spool_writer_sync(writer, &work->error);
	stream_work_end(work);
}

static void sync_done(struct disk_job *job)
{
	struct stream_work *work = container_of(job, struct stream_work, job);
	struct stream *stream = work->stream;

	stream_work_done(work);
	answer_all(&stream->syncing, work->result < 0 ? &work->error : NULL);
	if (work->result >= 0 && !stream->under_way)
		no_trouble(stream);
	if (!TAILQ_EMPTY(&stream->kept))
		stream_sync(stream);
	else
		commit_later(stream);
}

void stream_sync(struct stream *stream)
{
	if (stream->sync.job.queued || stream->seen.next == 0)
		return;
	if (stream->seen.unsynced == 0) {
		answer_all(&stream->kept, NULL);
		return;
	}
	TAILQ_CONCAT(&stream->syncing, &stream->kept, link);
	disk_submit(stream->logs->disk, &stream->sync.job);
}

/* ---- counting */

void stream_drop(struct stream *stream, enum log_drop reason, uint64_t count)
{
	if (count == 0)
		return;
	if (clock_wall_ms() - stream->dropped_ms > STREAM_LATELY_MS)
		stream->dropping_ms = clock_wall_ms();
	stream->dropped_ms = clock_wall_ms();
	stream->drops.count[reason] += count;
	logs_sweep_soon(stream->logs);
}

uint64_t stream_rate(const struct stream *stream)
{
	uint64_t sum = 0;

	for (int i = 1; i < STREAM_SECONDS; i++)
		sum += stream->rates[i];
	return sum * 1000 / (STREAM_SECONDS - 1);
}

bool stream_tick(struct stream *stream)
{
	bool again = false;

	allowance_check(stream);
	if (stream->rates[0] == 0 && !stream_is_busy(stream)) {
		batch_trim(&stream->filling);
		batch_trim(&stream->flying);
	}
	memmove(stream->rates + 1, stream->rates, sizeof stream->rates - sizeof *stream->rates);
	stream->rates[0] = 0;
	for (int i = 1; i < STREAM_SECONDS; i++)
		again = again || stream->rates[i] > 0;
	for (int i = 0; i < LOG_DROP_COUNT; i++)
		again = again || stream->drops.count[i] > stream->drops.told[i];
	stream_push(stream);
	return again || !LIST_EMPTY(&stream->feeds);
}

/* ---- its life */

static void init_work(struct stream_work *work, struct stream *stream, void (*run)(struct disk_job *),
		      void (*done)(struct disk_job *))
{
	*work = (struct stream_work){ .job = { .run = run, .done = done }, .stream = stream };
}

struct stream *stream_new(struct logs *logs, const char *name, struct log_owner *owner)
{
	struct stream *stream = calloc(1, sizeof *stream);

	if (!stream || loop_timer_init(&stream->again, logs->loop, again_fired, NULL) < 0) {
		free(stream);
		return NULL;
	}
	stream->logs = logs;
	snprintf(stream->name, sizeof stream->name, "%s", name);
	stream->owner = owner;
	owner->streams++;
	stream->number = 1;
	LIST_INIT(&stream->feeds);
	TAILQ_INIT(&stream->hungry);
	TAILQ_INIT(&stream->pushes);
	TAILQ_INIT(&stream->waiting);
	TAILQ_INIT(&stream->kept);
	TAILQ_INIT(&stream->syncing);
	batch_init(&stream->filling);
	batch_init(&stream->flying);
	shares_init(&stream->shares, logs->settings.rate, logs->settings.burst);
	init_work(&stream->append, stream, append_run, append_done);
	init_work(&stream->sync, stream, sync_run, sync_done);
	if (sinks_enter(logs->sinks, stream) == 0)
		return stream;
	stream_free(stream);
	return NULL;
}

void stream_free(struct stream *stream)
{
	static const struct prodd_error closed = { PRODD_E_CLOSED, "prodd ends" };
	struct feed *feed;

	sinks_leave(stream);
	answer_all(&stream->pushes, &closed);
	answer_all(&stream->waiting, &closed);
	answer_all(&stream->kept, &closed);
	answer_all(&stream->syncing, &closed);
	while ((feed = LIST_FIRST(&stream->feeds)))
		feed_free(feed);
	stream->owner->streams--;
	loop_timer_clear(&stream->again);
	batch_clear(&stream->filling);
	batch_clear(&stream->flying);
	stream->writer = spool_writer_close(stream->writer);
	free(stream);
}
