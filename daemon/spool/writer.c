/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Appending: as many records as one segment takes are laid out one behind the
 * other in memory and written at once.  That memory is also what a failed sync
 * writes anew.  Records count when their bytes are in the file; of a write that
 * fails, those that are whole.
 */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "daemon/spool/writer_parts.h"
#include "daemon/util/file.h"

static bool never_fits(const struct spool_total *total, const struct spool_record *record)
{
	uint64_t body = (uint64_t)record->origin.size + record->record.size;
	uint64_t size = body + 3 * SPOOL_PAGE;	/* in a segment of its own */

	return body == 0 || body > SPOOL_BODY_MAX || (total->app_limit && size > total->app_limit) ||
	       (total->limit && size > total->limit);
}

static uint64_t size_of(const struct spool_record *record)
{
	return spool_record_size(record->origin.size, record->record.size);
}

static bool is_empty(struct spool_writer *w)
{
	return w->at == spool_records_at(writer_current(w)->head.table_size);
}

/* A segment in which a record of that size has its place. */
static int find_segment(struct spool_writer *w, uint64_t size, struct prodd_error *e)
{
	int r;

	while (w->fd < 0 || (w->at + size > room_segment_max(w->total) && !is_empty(w))) {
		uint64_t id = w->fd < 0 ? 0 : writer_current(w)->head.id;

		r = sync_before_leaving(w, e);
		if (r < 0)
			return r;
		if (w->fd >= 0 && writer_current(w)->head.id != id)
			continue;	/* the sync has begun one */
		r = segment_begin(w, 0, 0, e);
		if (r < 0)
			return r;
	}
	return segment_extend(w, size, e);
}

/* ---- one run */

struct run {
	const struct spool_record *records;
	unsigned count;
	size_t start;		/* where its bytes begin in `kept` */
	bool dropped;		/* the record behind the run was dropped: the call is at its end */
};

/* Lays out the next record. */
static int lay_out(struct spool_writer *w, struct run *run, struct prodd_error *e)
{
	struct spool_record record = run->records[run->count];
	char *to;

	if (!waters_prepare(&w->waters, record.origin))
		return prodd_error_set(e, PRODD_E_NO_MEMORY, "spool of %s", w->app);
	to = prodd_buffer_extend(&w->kept, size_of(&record));
	if (!to) {
		w->kept.failed = 0;
		return prodd_error_set(e, PRODD_E_NO_MEMORY, "spool of %s", w->app);
	}
	record.number = w->next + run->count;
	spool_record_write((unsigned char *)to, &record, w->seed);
	run->count++;
	return 0;
}

/* As many as the segment takes; an error only when it is none. */
static int compose(struct spool_writer *w, struct run *run, unsigned count, struct prodd_error *e)
{
	uint64_t most;
	int r = find_segment(w, size_of(run->records), e);

	if (r < 0)
		return r;
	if (w->total->policy == SPOOL_NEVER)
		prodd_buffer_reset(&w->kept);
	run->start = w->kept.size;
	most = room_segment_max(w->total);
	while (r == 0 && run->count < count) {
		const struct spool_record *record = &run->records[run->count];
		uint64_t pending = w->kept.size - run->start, size = size_of(record);

		if (run->count > 0) {
			if (never_fits(w->total, record) || w->at + pending + size > most)
				break;
			r = segment_extend(w, pending + size, e);
		}
		if (r == 0)
			r = lay_out(w, run, e);
	}
	return run->count > 0 ? 0 : r;
}

/* Of `size` bytes that were written: whole records, and *ret their bytes. */
static unsigned whole_records(const struct run *run, size_t size, size_t *ret)
{
	unsigned count = 0;

	*ret = 0;
	while (count < run->count && *ret + size_of(&run->records[count]) <= size)
		*ret += size_of(&run->records[count++]);
	return count;
}

static void account(struct spool_writer *w, unsigned records, size_t bytes)
{
	if (records == 0)
		return;
	if (w->unsynced == 0)
		w->unsynced_id = writer_current(w)->head.id;
	if (w->kept.size == bytes)
		w->kept_from = w->next;
	w->at += bytes;
	w->unsynced += bytes;
	w->next += records;
	w->follows = w->next;
	w->counts.records += records;
	w->counts.bytes += bytes;
}

/* Writes what was laid out; run->count becomes what is written. */
static int write_run(struct spool_writer *w, struct run *run, struct prodd_error *e)
{
	size_t size = w->kept.size - run->start, bytes;
	size_t done = segment_write(w, w->kept.at + run->start, size, e);
	unsigned whole = whole_records(run, done, &bytes);
	bool failed = whole < run->count;
	int why = errno;

	w->kept.size = run->start + bytes;
	account(w, whole, bytes);
	if (failed) {
		waters_abandon(&w->waters);
		for (unsigned i = 0; i < whole; i++)
			waters_prepare(&w->waters, run->records[i].origin);	/* has its row */
		segment_cut(w);
	}
	waters_commit(&w->waters);
	run->count = whole;
	errno = why;
	return failed ? -PRODD_E_IO : 0;
}

/* The disk is full although the limits are not reached: as if they were. */
static int disk_is_full(struct spool_writer *w, struct prodd_error *e)
{
	if (room_make(w, SPOOL_STEP, true))
		return 0;
	return prodd_error_set(e, PRODD_E_OVER_LIMIT, "spool of %s: no room on the disk", w->app);
}

static int append_run(struct spool_writer *w, struct run *run, unsigned count, struct prodd_error *e)
{
	int r = 0;

	if (!never_fits(w->total, run->records)) {
		r = compose(w, run, count, e);
		if (r < 0)
			waters_abandon(&w->waters);
		else
			r = write_run(w, run, e);
		if (r == -PRODD_E_IO && (errno == ENOSPC || errno == EDQUOT))
			r = disk_is_full(w, e);
		if (run->count > 0 || r != -PRODD_E_OVER_LIMIT || w->total->full != SPOOL_DROP_NEWEST)
			return r;
	}
	w->counts.dropped_newest++;
	run->dropped = true;
	return 0;
}

int spool_writer_append(struct spool_writer *w, const struct spool_record *records, unsigned count,
			uint64_t *ret_first, unsigned *ret_taken, struct prodd_error *e)
{
	int r = 0;

	*ret_first = w->next;
	*ret_taken = 0;
	while (r == 0 && *ret_taken < count) {
		struct run run = { .records = records + *ret_taken };

		r = append_run(w, &run, count - *ret_taken, e);
		*ret_taken += run.count + run.dropped;
		if (run.dropped)
			break;
	}
	return r;
}

/* ---- what it knows */

struct spool_writer *spool_writer_close(struct spool_writer *w)
{
	struct prodd_error e;

	if (!w)
		return NULL;
	if (w->fd >= 0 && w->total->policy != SPOOL_NEVER)
		spool_writer_sync(w, &e); /* a failure is counted, and there is nobody left who could wait */
	segment_leave(w);
	for (unsigned i = 0; i < w->segments.count; i++)
		room_resized(w, &w->segments.at[i], 0);
	LIST_REMOVE(w, link);
	spool_segments_clear(&w->segments);
	waters_clear(&w->waters);
	prodd_buffer_clear(&w->kept);
	file_close(&w->directory);
	free(w->app);
	free(w);
	return NULL;
}

int spool_writer_directory(const struct spool_writer *w)
{
	return w->directory;
}

uint64_t spool_writer_water(const struct spool_writer *w, const uint8_t ring[16], uint32_t uid)
{
	return waters_end(&w->waters, ring, uid);
}

void spool_writer_forget(struct spool_writer *w, const uint8_t ring[16], uint32_t uid)
{
	waters_forget(&w->waters, ring, uid);
}

const struct spool_counts *spool_writer_counts(const struct spool_writer *w)
{
	return &w->counts;
}

uint64_t spool_writer_next(const struct spool_writer *w)
{
	return w->next;
}
