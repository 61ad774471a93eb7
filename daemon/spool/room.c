/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Limits of one app, of all, and of the disk.  Whole segments are dropped,
 * oldest first, never the one being written: at an app's own limit its own,
 * else of the app that has most, so that none pays for another's flood.
 * Segments of a newer version count, and stay.
 */
#include <errno.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "daemon/spool/writer_parts.h"

enum { segment_min = 64 * 1024, parts = 8 };

uint64_t room_segment_max(const struct spool_total *total)
{
	uint64_t most = SPOOL_SEGMENT_MAX;

	if (total->app_limit && total->app_limit / parts < most)
		most = total->app_limit / parts;
	if (total->limit && total->limit / parts < most)
		most = total->limit / parts;
	return most > segment_min ? most : segment_min;
}

static uint64_t bytes_of(const struct spool_writer *w)
{
	uint64_t bytes = 0;

	for (unsigned i = 0; i < w->segments.count; i++)
		bytes += w->segments.at[i].size;
	return bytes;
}

void room_resized(struct spool_writer *w, struct spool_segment *segment, uint64_t size)
{
	w->total->bytes += size - segment->size;
	segment->size = size;
}

/* ---- unlinking */

/* The number behind the last one in segment i: what the next intact head says. */
static uint64_t end_of(const struct spool_writer *w, unsigned i)
{
	for (unsigned j = i + 1; j < w->segments.count; j++)
		if (w->segments.at[j].state == SPOOL_GOOD)
			return w->segments.at[j].head.follows;
	return w->follows;
}

/* The oldest that may go; -1: none. */
static int oldest(const struct spool_writer *w)
{
	unsigned end = w->segments.count - (w->fd >= 0);

	for (unsigned i = 0; i < end; i++)
		if (w->segments.at[i].state != SPOOL_NEWER)
			return (int)i;
	return -1;
}

static bool unlink_segment(struct spool_writer *w, unsigned i)
{
	struct spool_segment *segment = &w->segments.at[i];

	if (unlinkat(w->directory, segment->name, 0) < 0 && errno != ENOENT)
		return false;
	room_resized(w, segment, 0);
	for (w->segments.count--; i < w->segments.count; i++)
		w->segments.at[i] = w->segments.at[i + 1];
	return true;
}

static bool drop_oldest(struct spool_writer *w)
{
	int i = oldest(w);
	uint64_t end, from;

	if (i < 0)
		return false;
	end = end_of(w, (unsigned)i);
	from = w->segments.at[i].state == SPOOL_GOOD ? w->segments.at[i].head.first : end;
	if (from <= w->passed)
		from = w->passed + 1;
	if (!unlink_segment(w, (unsigned)i))
		return false;
	if (end > from)
		w->counts.dropped_oldest += end - from;
	return true;
}

void spool_writer_passed(struct spool_writer *w, uint64_t number)
{
	int i;

	if (number > w->passed)
		w->passed = number;
	while ((i = oldest(w)) >= 0 && end_of(w, (unsigned)i) <= w->passed + 1)
		if (!unlink_segment(w, (unsigned)i))
			return;
}

/* ---- room */

static bool disk_has(const struct spool_writer *w, uint64_t size)
{
	struct statvfs fs;
	uint64_t unit, free_bytes;

	if (w->total->keep_free_percent == 0 || fstatvfs(w->directory, &fs) < 0)
		return true;
	unit = fs.f_frsize ? fs.f_frsize : fs.f_bsize;
	free_bytes = fs.f_bavail * unit;
	return free_bytes >= size &&
	       (free_bytes - size) / w->total->keep_free_percent >= fs.f_blocks * unit / 100;
}

static bool app_has(const struct spool_writer *w, uint64_t size)
{
	return w->total->app_limit == 0 || bytes_of(w) + size <= w->total->app_limit;
}

static bool all_have(const struct spool_writer *w, uint64_t size)
{
	return w->total->limit == 0 || w->total->bytes + size <= w->total->limit;
}

/* The writer with most bytes that has a segment to drop. */
static struct spool_writer *largest(const struct spool_total *total)
{
	struct spool_writer *w, *found = NULL;
	uint64_t most = 0;

	LIST_FOREACH(w, &total->writers, link) {
		uint64_t bytes = bytes_of(w);

		if (bytes > most && oldest(w) >= 0) {
			most = bytes;
			found = w;
		}
	}
	return found;
}

static bool drop_one(struct spool_writer *w, uint64_t size)
{
	struct spool_writer *victim = app_has(w, size) ? largest(w->total) : w;

	return w->total->full == SPOOL_DROP_OLDEST && victim && drop_oldest(victim);
}

bool room_make(struct spool_writer *w, uint64_t size, bool drop)
{
	if (w->total->app_limit && size > w->total->app_limit)
		return false;
	while (drop || !app_has(w, size) || !all_have(w, size) || !disk_has(w, size)) {
		if (!drop_one(w, size))
			return false;
		drop = false;
	}
	return true;
}

/* ---- what there is */

uint64_t spool_writer_bytes(const struct spool_writer *w)
{
	return bytes_of(w);
}

unsigned spool_writer_segments(const struct spool_writer *w)
{
	return w->segments.count;
}

uint64_t spool_writer_oldest(const struct spool_writer *w)
{
	for (unsigned i = 0; i < w->segments.count; i++)
		if (w->segments.at[i].state == SPOOL_GOOD)
			return w->segments.at[i].head.first;
	return w->next;
}
