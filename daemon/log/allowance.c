/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A sink that may have only so much of a spool waiting for it jumps over the
 * oldest of what is more.  How many bytes lie between two numbers is known by
 * marks: a number for every so many bytes that were kept.
 */
#include "daemon/log/logs.h"
#include "daemon/log/sinks.h"
#include "daemon/util/log.h"

#define MARK_BYTES (256u * 1024)	/* between two marks, at least */

void allowance_mark(struct stream *stream)
{
	struct stream_marks *marks = &stream->marks;
	const struct stream_mark *last = &marks->at[(marks->count - 1) % STREAM_MARKS];
	uint64_t step = marks->step > MARK_BYTES ? marks->step : MARK_BYTES;

	if (marks->step == 0 || (marks->count > 0 && stream->bytes - last->bytes < step))
		return;
	marks->at[marks->count++ % STREAM_MARKS] = (struct stream_mark){ stream->seen.next - 1, stream->bytes };
}

/* The marks that are kept, oldest first: [first, count). */
static unsigned first_mark(const struct stream_marks *marks)
{
	return marks->count > STREAM_MARKS ? marks->count - STREAM_MARKS : 0;
}

/* Bytes kept behind a number, at most as far back as the marks go. */
static uint64_t bytes_behind(const struct stream *stream, uint64_t number)
{
	const struct stream_marks *marks = &stream->marks;

	for (unsigned i = marks->count; i > first_mark(marks); i--) {
		const struct stream_mark *mark = &marks->at[(i - 1) % STREAM_MARKS];

		if (mark->number <= number)
			return stream->bytes - mark->bytes;
	}
	return stream->bytes;
}

/* The first mark behind which at most `most` bytes lie; NULL: there is none. */
static const struct stream_mark *mark_within(const struct stream *stream, uint64_t most)
{
	const struct stream_marks *marks = &stream->marks;

	for (unsigned i = first_mark(marks); i < marks->count; i++)
		if (stream->bytes - marks->at[i % STREAM_MARKS].bytes <= most)
			return &marks->at[i % STREAM_MARKS];
	return NULL;
}

static void skip(struct sink_row *row, uint64_t number)
{
	struct wire_ship_skip skip = { .app = prodd_slice(row->stream->name), .number = number + 1 };

	stream_drop(row->stream, LOG_DROP_ALLOWANCE, number - row->number);
	row->number = number;
	if (row->sink->started)
		worker_note(&row->sink->worker, WIRE_M_ship_skip, &skip);
	sinks_store_soon(row->sink->sinks);
}

void allowance_check(struct stream *stream)
{
	for (unsigned i = 0; i < stream->rows.count; i++) {
		struct sink_row *row = &stream->rows.at[i];
		uint64_t most = row->sink->settings->allowance;
		const struct stream_mark *mark;

		if (most == 0 || !row->wanted || !stream->rows.known || row->number >= stream->seen.next - 1 ||
		    bytes_behind(stream, row->number) <= most)
			continue;
		mark = mark_within(stream, most);
		if (mark && mark->number > row->number)
			skip(row, mark->number);
	}
}

/* The marks are as far apart as the smallest allowance wants them. */
void allowance_begin(struct stream *stream)
{
	uint64_t least = 0;

	for (unsigned i = 0; i < stream->rows.count; i++) {
		uint64_t most = stream->rows.at[i].sink->settings->allowance;

		if (most > 0 && (least == 0 || most < least))
			least = most;
	}
	stream->marks = (struct stream_marks){ .step = least / (STREAM_MARKS / 2) + (least > 0) };
}
