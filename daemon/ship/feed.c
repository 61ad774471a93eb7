/* SPDX-License-Identifier: Apache-2.0 */
/* A batch is read, then written whole: numbers move only when the sink has taken the lines. */
#include "daemon/ship/feed.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "daemon/util/clock.h"
#include "daemon/util/file.h"

/* What a batch of records came to. */
struct batch {
	uint64_t number;	/* of the last record read */
	uint64_t line;		/* of the last that became a line */
	uint64_t time_ns;
	uint64_t lines;
	uint64_t rejected;
};

bool feed_is_name(struct prodd_slice app)
{
	return app.size > 0 && app.size <= FEED_APP_MAX && app.at[0] != '.' &&
	       !memchr(app.at, '/', app.size) && prodd_is_text(app);
}

void feed_init(struct feed *feed, struct prodd_slice app, const struct settings *settings, struct sink *sink,
	       int spool, uint64_t cursor)
{
	*feed = (struct feed){ .settings = settings, .sink = sink, .spool = spool, .directory = -1,
			      .cursor = cursor, .written = cursor };
	memcpy(feed->app, app.at, app.size);
	feed->wanted = settings_want(settings, app);
}

static void close_reader(struct feed *feed)
{
	feed->missing = feed_missing(feed);
	feed->quarantined = feed_quarantined(feed);
	feed->reader = spool_reader_close(feed->reader);
	file_close(&feed->directory);
}

void feed_clear(struct feed *feed)
{
	close_reader(feed);
	feed->stream = feed->stream ? feed->sink->ops->end(feed->stream) : NULL;
}

void feed_rest(struct feed *feed)
{
	close_reader(feed);
	if (feed->stream && feed->sink->ops->rest)
		feed->sink->ops->rest(feed->stream);
}

/* ---- where to begin */

static int open_reader(struct feed *feed, uint64_t from, struct prodd_error *e)
{
	int r;

	close_reader(feed);
	feed->directory = openat(feed->spool, feed->app, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (feed->directory < 0)
		return prodd_error_set(e, PRODD_E_IO, "open the spool of %s: %s", feed->app, strerror(errno));
	r = spool_reader_open(&feed->reader, feed->directory, from, e);
	return r < 0 ? prodd_error_prefix(e, "%s", feed->app) : 0;
}

/* The first record from `number` on; 1, or 0: there is none. */
static int read_first(struct feed *feed, uint64_t number, struct spool_record *ret, struct prodd_error *e)
{
	int r = open_reader(feed, number, e);

	return r < 0 ? r : spool_reader_next(feed->reader, feed->last, ret, e);
}

/*
 * Without a cursor the number in the sink may be of a spool that was removed since, and the new one counts
 * from 1 again. The record of that number tells: only when it is there and has another time, it is another
 * one.
 */
static int is_of_this_spool(struct feed *feed, const struct sink_place *place, struct prodd_error *e)
{
	struct spool_record kept;
	struct record record;
	char time[DIGITS_TIME];
	int r;

	if (place->check == 0)
		return 0;
	r = read_first(feed, place->check, &kept, e);
	if (r <= 0)
		return r < 0 ? r : 1;
	if (kept.number != place->check || !record_open(kept.record, &record, NULL))
		return 1;
	digits_time(time, record.time_ns);
	return memcmp(time, place->check_time, sizeof time) == 0;
}

/* Asks again when what is damaged can be written again. */
static int repair(struct feed *feed, struct sink_wish *wish, struct sink_place *place, struct prodd_error *e)
{
	struct spool_record oldest;
	int r = read_first(feed, 0, &oldest, e);

	if (r <= 0 || oldest.number > place->before + 1)
		return r < 0 ? r : 0;
	wish->repair = true;
	return feed->sink->ops->resume(feed->stream, wish, place, e);
}

/* 1: the place is that of this spool; 0: it is of another, or says nothing. */
static int judge(struct feed *feed, struct sink_wish *wish, struct sink_place *place, struct prodd_error *e)
{
	uint64_t missing = feed_missing(feed), quarantined = feed_quarantined(feed);
	int r = place->sure ? 1 : is_of_this_spool(feed, place, e);

	if (r > 0 && place->damaged) {
		r = repair(feed, wish, place, e);
		r = r < 0 ? r : 1;
	}
	close_reader(feed);
	feed->missing = missing;	/* a look counts nothing */
	feed->quarantined = quarantined;
	return r;
}

/* Asks the sink, which mends the end of what it has. With a spool that is empty yet, nothing follows from
 * what it says. */
static int find_place(struct feed *feed, struct prodd_error *e)
{
	struct sink_wish wish = { .cursor = feed->cursor, .last = feed->last };
	struct sink_place place = { 0 };
	int r = 0;

	if (!feed->stream)
		r = feed->sink->ops->begin(feed->sink, feed->app, &feed->stream, e);
	if (r == 0)
		r = feed->sink->ops->resume(feed->stream, &wish, &place, e);
	if (r < 0 || feed->last == 0)
		return r;
	if (r == 0 && place.number > feed->cursor)
		r = judge(feed, &wish, &place, e);
	if (r < 0)
		return r;
	feed->written = r && place.number > feed->cursor ? place.number : feed->cursor;
	feed->news |= feed->written != feed->cursor;
	feed->cursor = feed->written;
	feed->placed = true;
	return 0;
}

/* ---- shipping */

/* Adds the record's line. False: no memory for it. */
static bool add_line(struct feed *feed, struct prodd_buffer *lines, const struct spool_record *kept,
		     struct batch *batch)
{
	struct prodd_cursor c = prodd_cursor(kept->origin);
	struct line line = { .app = prodd_slice(feed->app), .number = kept->number };
	struct origin origin;
	struct record record;
	int r;

	batch->number = kept->number;
	if (!origin_take(&c, &origin) || !record_open(kept->record, &record, NULL)) {
		batch->rejected++;
		return true;
	}
	if (record.level < feed->settings->level)
		return true;
	line.origin = &origin;
	line.record = &record;
	r = line_write(lines, feed->settings->format, &line);
	if (r == -PRODD_E_TOO_LARGE) {
		lines->failed = 0;
		batch->rejected++;
		return true;
	}
	if (r < 0)
		return false;
	batch->line = kept->number;
	batch->time_ns = record.time_ns;
	batch->lines++;
	return true;
}

/* 1: there may be more; 0: no. After an error the batch has what was read before. */
static int read_batch(struct feed *feed, struct prodd_buffer *lines, size_t most, struct batch *batch,
		      struct prodd_error *e)
{
	struct spool_record kept;
	int r = 1;

	prodd_buffer_reset(lines);
	while (r > 0 && lines->size < most) {
		r = spool_reader_next(feed->reader, feed->last, &kept, e);
		if (r > 0 && !add_line(feed, lines, &kept, batch)) {
			/* It comes again: the reader is opened anew. */
			batch->number = kept.number - 1;
			return prodd_error_set(e, PRODD_E_NO_MEMORY, "a line");
		}
	}
	return r;
}

static int write_batch(struct feed *feed, struct prodd_slice lines, const struct batch *batch,
		       struct prodd_error *e)
{
	int r = lines.size > 0 ? feed->sink->ops->write(feed->stream, lines, batch->line, e) : 0;

	if (r < 0)
		return r;
	feed->shipped += batch->lines;
	feed->rejected += batch->rejected;
	feed->news |= batch->number > feed->written;
	feed->written = batch->number > feed->written ? batch->number : feed->written;
	if (batch->time_ns)
		feed->time_ns = batch->time_ns;
	if (lines.size > 0 && !feed->dirty_since_ms)
		feed->dirty_since_ms = clock_monotonic_ms();
	feed->dirty_bytes += lines.size;
	return 0;
}

static int ship(struct feed *feed, struct prodd_buffer *lines, size_t most, struct prodd_error *e)
{
	int r = feed->placed ? 0 : find_place(feed, e), r_write;
	struct batch batch = { .number = feed->written };

	if (r == 0 && !feed->reader)
		r = open_reader(feed, feed->written + 1, e);
	if (r < 0)
		return r;
	r = read_batch(feed, lines, most, &batch, e);
	if (r == 0 && feed->last > batch.number)
		batch.number = feed->last;	/* nothing is left below */
	r_write = write_batch(feed, prodd_buffer_slice(lines), &batch,
			      r < 0 ? &(struct prodd_error){ 0 } : e);
	return r < 0 ? r : r_write < 0 ? r_write : r;
}

/* After an error only the sink knows what it has; what was not synced may be gone. */
static int lost_place(struct feed *feed, int r)
{
	close_reader(feed);
	feed->placed = false;
	feed->written = feed->cursor;
	feed->dirty_since_ms = 0;
	feed->dirty_bytes = 0;
	return r;
}

int feed_ship(struct feed *feed, struct prodd_buffer *lines, size_t most, struct prodd_error *e)
{
	int r;

	if (feed->written >= feed->last)
		return 0;
	if (!feed->wanted) {
		feed->cursor = feed->written = feed->last;
		feed->news = true;
		return 0;
	}
	r = ship(feed, lines, most, e);
	if (r < 0)
		return lost_place(feed, r);
	if (!feed->dirty_since_ms)
		feed->cursor = feed->written;	/* nothing of it became a line */
	return r > 0 && feed->written < feed->last;
}

int feed_sync(struct feed *feed, struct prodd_error *e)
{
	int r;

	if (!feed->dirty_since_ms)
		return 0;
	r = feed->sink->ops->sync(feed->stream, e);
	if (r < 0)
		return lost_place(feed, r);
	feed->cursor = feed->written;
	feed->dirty_since_ms = 0;
	feed->dirty_bytes = 0;
	feed->news = true;
	return 0;
}

void feed_skip(struct feed *feed, uint64_t number)
{
	if (number == 0 || number - 1 <= feed->written)
		return;
	if (feed->reader)
		spool_reader_skip(feed->reader, number);
	else
		feed->missing += number - 1 - feed->written;
	feed->written = number - 1;
	if (!feed->dirty_since_ms)
		feed->cursor = feed->written;
	feed->news = true;
}

int feed_rotate(struct feed *feed, bool now, struct prodd_error *e)
{
	const struct sink_ops *ops = feed->sink->ops;
	int r = 0;

	if (!feed->wanted || !(now ? ops->rotate : ops->tend) || (!now && !feed->placed))
		return 0;
	if (!feed->placed)
		r = find_place(feed, e);	/* a torn line is to stay in no file */
	if (r == 0)
		r = now ? ops->rotate(feed->stream, e) : ops->tend(feed->stream, e);
	return r < 0 ? lost_place(feed, r) : 0;
}

/* ---- what is said about it */

uint64_t feed_missing(const struct feed *feed)
{
	return feed->missing + (feed->reader ? spool_reader_counts(feed->reader)->missing : 0);
}

uint64_t feed_quarantined(const struct feed *feed)
{
	return feed->quarantined + (feed->reader ? spool_reader_counts(feed->reader)->quarantined_bytes : 0);
}

uint64_t feed_behind(struct feed *feed)
{
	return feed->written < feed->last && feed->reader ? spool_reader_behind(feed->reader) : 0;
}
