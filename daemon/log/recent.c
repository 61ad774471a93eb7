/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A walk over apps, and over the segments of each from the last to the first.
 * Everything runs where the writers run, so no record is half written while it
 * is looked at.  What cannot be read is left out, as for any reader.
 */
#define _GNU_SOURCE
#include "daemon/log/recent.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "daemon/util/container.h"
#include "daemon/util/file.h"

/* ---- one app; disk thread */

static void leave_app(struct recent *r)
{
	r->reader = spool_reader_close(r->reader);
	spool_segments_clear(&r->segments);
	file_close(&r->app_directory);
	r->app++;
}

/* False: there is none, or it cannot be read. */
static bool enter_app(struct recent *r)
{
	struct prodd_error e;

	r->app_directory = openat(r->top, r->apps.names[r->app], O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (r->app_directory < 0 || spool_segments_read(&r->segments, r->app_directory, &e) < 0)
		return false;
	r->segment = r->segments.count;
	r->below = UINT64_MAX;
	r->taken = 0;
	r->app_bytes = 0;
	return true;
}

/* The lowest number that a segment holds. */
static uint64_t lowest(const struct spool_segment *segment)
{
	const struct spool_head *head = &segment->head;

	return head->supersedes && head->from < head->first ? head->from : head->first;
}

/* Begins to read the next segment before those that were read. False: none is left, or enough was seen. */
static bool enter_segment(struct recent *r)
{
	struct prodd_error e;

	if (r->taken >= r->latest.most || r->app_bytes >= RECENT_APP_BYTES || r->all_bytes >= RECENT_ALL_BYTES)
		return false;
	while (r->segment > 0) {
		const struct spool_segment *segment = &r->segments.at[--r->segment];

		if (segment->state != SPOOL_GOOD || lowest(segment) >= r->below)
			continue;
		r->until = r->below;
		r->below = lowest(segment);
		return spool_reader_open(&r->reader, r->app_directory, r->below, &e) == 0;
	}
	return false;
}

/* Reads up to `most` bytes of the segment; returns how many. The reader is closed at its end. */
static uint64_t read_segment(struct recent *r, uint64_t most)
{
	const char *app = r->apps.names[r->app];
	struct spool_record record;
	struct prodd_error e;
	uint64_t bytes = 0;

	while (bytes < most) {
		if (spool_reader_next(r->reader, r->until - 1, &record, &e) <= 0) {
			r->reader = spool_reader_close(r->reader);
			break;
		}
		bytes += spool_record_size(record.origin.size, record.record.size);
		if (!filter_takes(r->filter, record.record))
			continue;
		latest_add(&r->latest, app, &record);
		r->taken++;
	}
	r->app_bytes += bytes;
	r->all_bytes += bytes;
	return bytes;
}

/* ---- all; disk thread */

static bool add_app(struct recent *r, const char *app)
{
	if (!spool_is_app(app) || faccessat(r->top, app, F_OK, AT_SYMLINK_NOFOLLOW) < 0) {
		prodd_error_set(&r->error, PRODD_E_NOT_FOUND, "no records of an app %s are kept", app);
		return false;
	}
	r->apps.names = calloc(1, sizeof *r->apps.names);
	if (!r->apps.names) {
		prodd_error_set(&r->error, PRODD_E_NO_MEMORY, "records");
		return false;
	}
	snprintf(r->apps.names[0], sizeof r->apps.names[0], "%.*s", SPOOL_APP_SIZE - 1, app);
	r->apps.count = 1;
	return true;
}

static bool begin(struct recent *r)
{
	r->begun = true;
	r->top = open(r->directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (r->top < 0) {
		prodd_error_set(&r->error, PRODD_E_IO, "%s: %s", r->directory, strerror(errno));
		return false;
	}
	return *r->filter->app ? add_app(r, r->filter->app) : spool_apps_read(&r->apps, r->top, &r->error) == 0;
}

static void run(struct disk_job *job)
{
	struct recent *r = container_of(job, struct recent, job);
	uint64_t left = RECENT_PIECE_BYTES;

	if (!r->begun && !begin(r))
		return;
	while (left > 0 && r->app < r->apps.count) {
		uint64_t bytes;

		if (r->app_directory < 0 && !enter_app(r)) {
			leave_app(r);
			continue;
		}
		if (!r->reader && !enter_segment(r)) {
			leave_app(r);
			continue;
		}
		bytes = read_segment(r, left) + SPOOL_PAGE;	/* its head was read, at least */
		left -= bytes < left ? bytes : left;
	}
}

/* ---- loop */

static void ran(struct disk_job *job)
{
	struct recent *r = container_of(job, struct recent, job);

	if (r->latest.failed && !r->error.code)
		prodd_error_set(&r->error, PRODD_E_NO_MEMORY, "no memory for the records");
	if (!r->stopped && !r->error.code && r->app < r->apps.count)
		disk_submit(r->disk, job);
	else
		r->done(r);
}

void recent_start(struct recent *recent, struct disk *disk, const char *directory, const struct filter *filter,
		  unsigned most)
{
	*recent = (struct recent){ .done = recent->done, .disk = disk, .job = { .run = run, .done = ran },
				   .directory = directory, .filter = filter, .top = -1, .app_directory = -1 };
	latest_init(&recent->latest, most, !*filter->app);
	disk_submit(disk, &recent->job);
}

void recent_stop(struct recent *recent)
{
	recent->stopped = true;
}

void recent_clear(struct recent *recent)
{
	recent->reader = spool_reader_close(recent->reader);
	spool_segments_clear(&recent->segments);
	spool_apps_clear(&recent->apps);
	file_close(&recent->app_directory);
	file_close(&recent->top);
	latest_clear(&recent->latest);
}
