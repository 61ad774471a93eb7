/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is common to the sinks: when they are told, and when cursors are stored.
 * A cursor is stored when that lets a segment go, and else now and then: it
 * costs two syncs.
 */
#include "daemon/log/sinks.h"

#include <stdlib.h>
#include <string.h>

#include "daemon/log/logs.h"
#include "daemon/spool/cursor.h"
#include "daemon/util/clock.h"
#include "daemon/util/container.h"
#include "daemon/util/log.h"

#define TELL_MS 1
#define STORE_MS 500		/* between two looks at what is to be stored */
#define STORE_SELDOM_MS 10000	/* when no segment waits for it */

struct sinks {
	struct logs *logs;		/* borrowed */
	struct loop_timer tell;
	struct loop_timer store;
	unsigned count;
	struct sink *at;		/* owned */
};

struct logs *sinks_logs(const struct sinks *sinks)
{
	return sinks->logs;
}

unsigned sinks_count(const struct sinks *sinks)
{
	return sinks->count;
}

const struct sink *sinks_at(const struct sinks *sinks, unsigned index)
{
	return &sinks->at[index];
}

/* ---- telling */

static void tell_fired(struct loop_timer *timer)
{
	struct sinks *sinks = container_of(timer, struct sinks, tell);

	for (unsigned i = 0; i < sinks->count; i++)
		sink_tell(&sinks->at[i]);
}

void sinks_tell_soon(struct sinks *sinks)
{
	if (!loop_timer_armed(&sinks->tell))
		loop_timer_arm(&sinks->tell, TELL_MS);
}

void sinks_more(struct sinks *sinks, struct stream *stream)
{
	for (unsigned i = 0; i < sinks->count; i++)
		sink_has_news(&stream->rows.at[i]);
	sinks_store_soon(sinks);
}

/* ---- cursors */

static void store_run(struct disk_job *job)
{
	struct stream_work *work = container_of(job, struct stream_work, job);
	struct sink_rows *rows = container_of(work, struct sink_rows, store);
	struct spool_writer *writer = stream_work_begin(work);

	for (unsigned i = 0; writer && work->result >= 0 && i < rows->count; i++) {
		struct sink_row *row = &rows->at[i];

		if (row->storing > row->stored)
			work->result = spool_cursor_write(spool_writer_directory(writer), row->sink->settings->name,
							  row->storing, &work->error);
	}
	if (writer && work->result >= 0)
		spool_writer_passed(writer, rows->passed);
	stream_work_end(work);
}

static void store_done(struct disk_job *job)
{
	struct stream_work *work = container_of(job, struct stream_work, job);
	struct sink_rows *rows = container_of(work, struct sink_rows, store);

	stream_work_done(work);
	for (unsigned i = 0; work->result >= 0 && i < rows->count; i++)
		rows->at[i].stored = rows->at[i].storing;
}

/* What all who want it have; all, when nobody wants it. */
static uint64_t passed_by_all(const struct stream *stream)
{
	uint64_t least = stream->seen.next - 1;

	for (unsigned i = 0; i < stream->rows.count; i++)
		if (stream->rows.at[i].wanted && stream->rows.at[i].number < least)
			least = stream->rows.at[i].number;
	return least;
}

static void store(struct stream *stream, uint64_t now_ms)
{
	struct sink_rows *rows = &stream->rows;

	for (unsigned i = 0; i < rows->count; i++)
		rows->at[i].storing = rows->at[i].number;
	rows->passed = passed_by_all(stream);
	rows->stored_ms = now_ms;
	disk_submit(stream->logs->disk, &rows->store.job);
}

/* Is there something to store? */
static bool is_ahead(const struct stream *stream)
{
	for (unsigned i = 0; i < stream->rows.count; i++)
		if (stream->rows.at[i].number > stream->rows.at[i].stored)
			return true;
	return passed_by_all(stream) > stream->rows.passed;
}

static void store_fired(struct loop_timer *timer)
{
	struct sinks *sinks = container_of(timer, struct sinks, store);
	uint64_t now_ms = clock_monotonic_ms();
	struct stream *stream;
	bool again = false;

	for (stream = sinks->logs->streams; stream; stream = stream->hh.next) {
		if (!stream->rows.known || !is_ahead(stream))
			continue;
		if (stream->rows.store.job.queued || (stream->seen.segments < 2 && !sinks->logs->ending &&
						      now_ms - stream->rows.stored_ms < STORE_SELDOM_MS))
			again = true;
		else
			store(stream, now_ms);
	}
	if (again)
		loop_timer_arm(timer, STORE_MS);
}

void sinks_store_soon(struct sinks *sinks)
{
	if (!loop_timer_armed(&sinks->store))
		loop_timer_arm(&sinks->store, STORE_MS);
}

/* ---- a stream's rows */

static bool is_wanted(const struct log_sink_settings *settings, const char *app)
{
	struct prodd_iter it = prodd_iter(prodd_list(&settings->apps, settings->app_count));
	struct prodd_slice name;

	if (settings->app_count == 0)
		return true;
	while (prodd_next_text(&it, &name))
		if (prodd_slice_is(name, app))
			return true;
	return false;
}

static void look_run(struct disk_job *job)
{
	struct stream_work *work = container_of(job, struct stream_work, job);
	struct sink_rows *rows = container_of(work, struct sink_rows, store);
	struct spool_writer *writer = stream_work_begin(work);

	for (unsigned i = 0; writer && work->result >= 0 && i < rows->count; i++)
		work->result = spool_cursor_read(spool_writer_directory(writer), rows->at[i].sink->settings->name,
						 &rows->at[i].storing, &work->error) < 0 ? -work->error.code : 0;
	stream_work_end(work);
}

static void look_done(struct disk_job *job)
{
	struct stream_work *work = container_of(job, struct stream_work, job);
	struct sink_rows *rows = container_of(work, struct sink_rows, store);
	struct stream *stream = work->stream;

	stream_work_done(work);
	if (work->result < 0) {
		loop_timer_arm(&stream->again, STORE_MS);
		return;
	}
	for (unsigned i = 0; i < rows->count; i++)
		rows->at[i].number = rows->at[i].stored = rows->at[i].storing;
	rows->known = true;
	rows->store.job.run = store_run;
	rows->store.job.done = store_done;
	sinks_more(stream->logs->sinks, stream);
}

void sinks_look(struct stream *stream)
{
	if (!stream->rows.known && !stream->rows.store.job.queued)
		disk_submit(stream->logs->disk, &stream->rows.store.job);
}

int sinks_enter(struct sinks *sinks, struct stream *stream)
{
	struct sink_rows *rows = &stream->rows;

	rows->at = calloc(sinks->count, sizeof *rows->at);
	if (!rows->at)
		return -PRODD_E_NO_MEMORY;
	rows->count = sinks->count;
	for (unsigned i = 0; i < sinks->count; i++)
		rows->at[i] = (struct sink_row){ .sink = &sinks->at[i], .stream = stream,
						 .wanted = is_wanted(sinks->at[i].settings, stream->name) };
	allowance_begin(stream);
	rows->store = (struct stream_work){ .job = { .run = look_run, .done = look_done }, .stream = stream };
	return 0;
}

void sinks_leave(struct stream *stream)
{
	for (unsigned i = 0; i < stream->rows.count; i++)
		if (stream->rows.at[i].is_news)
			TAILQ_REMOVE(&stream->rows.at[i].sink->news, &stream->rows.at[i], news);
	free(stream->rows.at);
	stream->rows.at = NULL;
	stream->rows.count = 0;
}

/* ---- all of them */

int sinks_new(struct sinks **ret, struct logs *logs, const struct helper_program *ship, struct prodd_error *e)
{
	const struct log_sink_settings *settings;
	struct sinks *sinks = calloc(1, sizeof *sinks);

	if (!sinks)
		return prodd_error_set(e, PRODD_E_NO_MEMORY, "the sinks");
	*ret = sinks;
	sinks->logs = logs;
	sinks->at = calloc(logs->settings.sink_count, sizeof *sinks->at);
	if (!sinks->at)
		return prodd_error_set(e, PRODD_E_NO_MEMORY, "the sinks");
	if (loop_timer_init(&sinks->tell, logs->loop, tell_fired, e) < 0 ||
	    loop_timer_init(&sinks->store, logs->loop, store_fired, e) < 0)
		return -e->code;
	STAILQ_FOREACH(settings, &logs->settings.sinks, link) {
		if (sink_init(&sinks->at[sinks->count], sinks, logs, settings, sinks->count, ship, e) < 0)
			return prodd_error_prefix(e, "sink %s", settings->name);
		sinks->count++;
	}
	return 0;
}

struct sinks *sinks_free(struct sinks *sinks)
{
	if (!sinks)
		return NULL;
	for (unsigned i = 0; i < sinks->count; i++)
		sink_clear(&sinks->at[i]);
	loop_timer_clear(&sinks->tell);
	loop_timer_clear(&sinks->store);
	free(sinks->at);
	free(sinks);
	return NULL;
}

void sinks_rotate(struct sinks *sinks)
{
	struct wire_empty nothing = { 0 };

	for (unsigned i = 0; i < sinks->count; i++)
		worker_note(&sinks->at[i].worker, WIRE_M_ship_rotate, &nothing);
}

void sinks_finish(struct sinks *sinks, uint64_t within_ms)
{
	for (unsigned i = 0; i < sinks->count; i++) {
		sink_tell(&sinks->at[i]);
		sink_finish(&sinks->at[i], within_ms);
	}
}

/* Also stored is then what they have said. */
bool sinks_finished(const struct sinks *sinks)
{
	for (unsigned i = 0; i < sinks->count; i++)
		if (!sinks->at[i].finished)
			return false;
	return true;
}
