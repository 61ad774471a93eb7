/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From segment to segment in the order of ids; `next` only grows, and a record
 * below it is one that was seen.  A segment is left when it ends and a later
 * one was there before its end was looked at: a writer never goes back.
 * Before damage is passed over the directory is read anew, since a segment that
 * supersedes the damaged one may have come meanwhile.
 */
#include "daemon/spool/reader.h"

#include <stdlib.h>
#include <string.h>

#include "daemon/spool/scan.h"
#include "daemon/spool/segments.h"

struct spool_reader {
	int directory;			/* borrowed */
	struct spool_segments segments;	/* as the directory was read last */
	struct spool_segment current;	/* being read, or read last */
	bool any;			/* `current` is one */
	struct spool_scan scan;		/* of `current`; fd -1: it is done */
	uint64_t next;			/* number of the next record; 0: whatever comes */
	uint64_t skip;			/* records below are passed over without a word */
	uint64_t quiet;			/* there is nothing more up to this number */
	uint64_t tail_counted;		/* bytes of damage at the end of `current` that are counted */
	bool fresh;			/* the directory was read in this call */
	struct spool_reading_counts counts;
};

int spool_reader_open(struct spool_reader **ret, int directory, uint64_t from, struct prodd_error *e)
{
	struct spool_reader *reader = calloc(1, sizeof *reader);

	if (!reader)
		return prodd_error_set(e, PRODD_E_NO_MEMORY, "reading a spool");
	reader->directory = directory;
	reader->next = reader->skip = from;
	reader->scan.fd = -1;
	*ret = reader;
	return 0;
}

struct spool_reader *spool_reader_close(struct spool_reader *reader)
{
	if (!reader)
		return NULL;
	spool_scan_clear(&reader->scan);
	spool_segments_clear(&reader->segments);
	free(reader);
	return NULL;
}

static int read_directory(struct spool_reader *reader, struct prodd_error *e)
{
	int r = spool_segments_read(&reader->segments, reader->directory, e);

	if (r < 0)
		return r;
	reader->fresh = true;
	for (unsigned i = 0; i < reader->segments.count; i++)
		if (reader->any && spool_segment_order(&reader->segments.at[i], &reader->current) == 0)
			reader->current.limit = reader->segments.at[i].limit;
	return 0;
}

/* ---- counting */

static void count_damage(struct spool_reader *reader, uint64_t bytes)
{
	if (bytes <= reader->tail_counted)
		return;
	reader->counts.quarantined_places += reader->tail_counted == 0;
	reader->counts.quarantined_bytes += bytes - reader->tail_counted;
	reader->tail_counted = 0;
}

/* Numbers from `next` up to `number` are nowhere. */
static void expect(struct spool_reader *reader, uint64_t number)
{
	if (number <= reader->next)
		return;
	if (reader->next > 0)
		reader->counts.missing += number - reader->next;
	reader->next = number;
}

/* ---- from segment to segment */

static const struct spool_segment *successor(const struct spool_reader *reader)
{
	for (unsigned i = 0; i < reader->segments.count; i++)
		if (!reader->any || spool_segment_order(&reader->segments.at[i], &reader->current) > 0)
			return &reader->segments.at[i];
	return NULL;
}

/* The writer has left `current`: a later segment is there. One that is only damage says nothing, since
 * anybody may have put it there; with no writer that matters it does. */
static bool is_left(const struct spool_reader *reader, uint64_t last)
{
	const struct spool_segment *segment = successor(reader),
				   *end = reader->segments.at + reader->segments.count;

	while (segment && segment < end && segment->state == SPOOL_DAMAGED && last != UINT64_MAX)
		segment++;
	return segment && segment < end;
}

/* All numbers in it are below what is wanted: its successor says so, and nothing of it is in question. */
static bool is_passed(const struct spool_reader *reader, const struct spool_segment *segment)
{
	const struct spool_segment *after = segment + 1;

	return after < reader->segments.at + reader->segments.count && after->state == SPOOL_GOOD &&
	       after->head.id > segment->head.id && after->head.follows <= reader->skip;
}

static void finish(struct spool_reader *reader)
{
	spool_scan_clear(&reader->scan);
	reader->tail_counted = 0;
}

static void pass_bad(struct spool_reader *reader, const struct spool_segment *segment)
{
	reader->counts.bad_segments++;
	if (segment->state == SPOOL_DAMAGED)
		count_damage(reader, segment->size);
}

/* Begins with the next segment. 1; 0: there is none. */
static int begin(struct spool_reader *reader, struct prodd_error *e)
{
	const struct spool_segment *segment;
	int r;

	while ((segment = successor(reader))) {
		bool passed = is_passed(reader, segment);

		r = passed || segment->state != SPOOL_GOOD
			    ? 0
			    : spool_scan_open(&reader->scan, reader->directory, segment->name, e);
		if (r == -PRODD_E_IO || r == -PRODD_E_NO_MEMORY)
			return r;
		reader->current = *segment;
		reader->any = true;
		if (passed || r == -PRODD_E_NOT_FOUND)
			continue;
		if (segment->state != SPOOL_GOOD || r < 0) {
			pass_bad(reader, segment);
			continue;
		}
		expect(reader, segment->head.follows);
		/* Numbers jumped over were never given. */
		if (reader->next >= segment->head.follows && reader->next < segment->head.first)
			reader->next = segment->head.first;
		return 1;
	}
	return 0;
}

/* ---- records */

enum { again = 2 };

/* 1: it is the one; 0: it comes later; again: not this one. */
static int judge(struct spool_reader *reader, const struct spool_record *record, uint64_t last,
		 uint64_t before, uint64_t damaged, struct prodd_error *e)
{
	int r;

	if (damaged > 0 && !reader->fresh) {
		reader->scan.at = before;
		r = read_directory(reader, e);
		return r < 0 ? r : again;
	}
	if (record->number > last) {
		reader->scan.at = before;
		return 0;
	}
	if (record->number >= reader->current.limit) {
		finish(reader);
		return again;
	}
	if (damaged > 0)
		count_damage(reader, damaged);
	reader->tail_counted = 0;
	if (record->number < reader->skip)
		return again;
	if (record->number < reader->next) {
		reader->counts.repeated++;
		return again;
	}
	expect(reader, record->number);
	reader->next = record->number + 1;
	reader->counts.records++;
	return 1;
}

/* The segment has no more records now. 0: nor is there a segment behind it; again. */
static int at_end(struct spool_reader *reader, bool final, uint64_t last, uint64_t damaged,
		  struct prodd_error *e)
{
	int r;

	if (final) {
		count_damage(reader, damaged);
		finish(reader);
		return again;
	}
	if (!reader->fresh) {
		r = read_directory(reader, e);
		return r < 0 ? r : again;
	}
	if (last == UINT64_MAX && damaged > 0) {
		count_damage(reader, damaged);
		reader->tail_counted = damaged;
	}
	return 0;
}

static int step(struct spool_reader *reader, uint64_t last, struct spool_record *ret, struct prodd_error *e)
{
	bool final = reader->fresh && is_left(reader, last);
	uint64_t damaged, before = reader->scan.at;
	int r;

	if (reader->scan.fd >= 0) {
		r = spool_scan_next(&reader->scan, ret, &damaged, e);
		if (r < 0)
			return r;
		if (r == SPOOL_RECORD)
			return judge(reader, ret, last, before, damaged, e);
		return at_end(reader, final, last, damaged, e);
	}
	r = begin(reader, e);
	if (r != 0)
		return r < 0 ? r : again;
	if (reader->fresh)
		return 0;
	r = read_directory(reader, e);
	return r < 0 ? r : again;
}

int spool_reader_next(struct spool_reader *reader, uint64_t last, struct spool_record *ret,
		      struct prodd_error *e)
{
	int r;

	reader->fresh = false;
	if (last != UINT64_MAX && (reader->next > last || reader->quiet == last)) {
		reader->quiet = last;
		return 0;
	}
	do
		r = step(reader, last, ret, e);
	while (r == again);
	reader->quiet = r == 0 ? last : 0;
	return r;
}

void spool_reader_skip(struct spool_reader *reader, uint64_t number)
{
	if (number <= reader->next)
		return;
	expect(reader, number);
	reader->skip = number;
}

/* ---- how far */

uint64_t spool_reader_next_segment(struct spool_reader *reader)
{
	const struct spool_segment *segment;
	struct prodd_error e;

	if (read_directory(reader, &e) < 0)
		return 0;
	for (segment = successor(reader); segment && segment < reader->segments.at + reader->segments.count;
	     segment++)
		if (segment->state == SPOOL_GOOD && segment->head.first > reader->next)
			return segment->head.first;
	return 0;
}

uint64_t spool_reader_behind(struct spool_reader *reader)
{
	const struct spool_segment *segment;
	uint64_t size = reader->scan.fd >= 0 ? spool_scan_size(&reader->scan) : 0;
	uint64_t bytes = size > reader->scan.at ? size - reader->scan.at : 0;
	struct prodd_error e;

	if (reader->quiet || read_directory(reader, &e) < 0)
		return 0;
	for (segment = successor(reader); segment && segment < reader->segments.at + reader->segments.count;
	     segment++)
		bytes += segment->size;
	return bytes;
}

const struct spool_reading_counts *spool_reader_counts(const struct spool_reader *reader)
{
	return &reader->counts;
}
