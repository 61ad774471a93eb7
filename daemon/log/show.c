/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/log/show.h"

#include "daemon/log/figures.h"
#include "daemon/log/sinks.h"
#include "daemon/util/clock.h"

struct rows {
	struct prodd_buffer bytes;
	uint32_t count;
};

static bool is_wanted(struct prodd_slice wanted, const char *name)
{
	return wanted.size == 0 || prodd_slice_is(wanted, name);
}

void figures_drops(const struct stream *stream, struct prodd_buffer *rows, uint32_t *count)
{
	for (int i = 0; i < LOG_DROP_COUNT; i++) {
		struct wire_drop_row row = { .reason = prodd_slice(log_drop_word((enum log_drop)i)),
					     .count = stream->drops.count[i] };

		if (row.count > 0)
			prodd_encode_element(rows, count, &wire_record_drop_row, &row);
	}
}

static void cursors(const struct stream *stream, struct prodd_slice sink, struct rows *rows)
{
	for (unsigned i = 0; i < stream->rows.count; i++) {
		const struct sink_row *at = &stream->rows.at[i];
		struct wire_cursor_row row = { .sink = prodd_slice(at->sink->settings->name), .number = at->number,
					       .behind = stream->seen.next - 1 - at->number, .missing = at->missing };

		if (at->wanted && stream->rows.known && is_wanted(sink, at->sink->settings->name))
			prodd_encode_element(&rows->bytes, &rows->count, &wire_record_cursor_row, &row);
	}
}

static void spool_row(const struct stream *stream, struct prodd_slice sink, struct rows *rows)
{
	struct rows drops = { 0 }, sinks = { 0 };
	struct wire_spool_row row = {
		.app = prodd_slice(stream->name), .bytes = stream->seen.bytes, .limit = stream->logs->settings.app_limit,
		.segments = stream->seen.segments, .oldest = stream->seen.oldest, .next = stream->seen.next,
		.synced = stream->seen.counts.synced, .records = stream->records,
		.quarantined = stream->seen.counts.quarantined,
	};

	figures_drops(stream, &drops.bytes, &drops.count);
	cursors(stream, sink, &sinks);
	row.dropped = prodd_list(&drops.bytes, drops.count);
	row.sinks = prodd_list(&sinks.bytes, sinks.count);
	prodd_encode_element(&rows->bytes, &rows->count, &wire_record_spool_row, &row);
	prodd_buffer_clear(&drops.bytes);
	prodd_buffer_clear(&sinks.bytes);
}

static void sink_row(const struct logs *logs, const struct sink *sink, struct rows *rows)
{
	struct log_sink_figures f = figures_of_sink(logs, sink);
	uint64_t now_ms = clock_monotonic_ms();
	struct wire_sink_row row = {
		.sink = prodd_slice(sink->settings->name),
		.type = prodd_slice(sink->settings->type),
		.state = prodd_slice(sink->state),
		.reason = prodd_slice(sink->reason),
		.since_ms = sink->since_ms,
		.again_ms = sink->again_at_ms > now_ms ? sink->again_at_ms - now_ms : 0,
		.lag_ms = f.lag_ms,
		.behind = f.behind,
		.shipped = f.shipped,
		.rejected = f.rejected,
		.pid = (uint64_t)worker_pid(&sink->worker),
	};

	prodd_encode_element(&rows->bytes, &rows->count, &wire_record_sink_row, &row);
}

void figures_sinks(const struct logs *logs, struct prodd_slice wanted, struct prodd_buffer *rows,
		   uint32_t *count)
{
	struct rows all = { *rows, *count };

	for (unsigned i = 0; i < sinks_count(logs->sinks); i++)
		if (is_wanted(wanted, sinks_at(logs->sinks, i)->settings->name))
			sink_row(logs, sinks_at(logs->sinks, i), &all);
	*rows = all.bytes;
	*count = all.count;
}

void show_call(struct logs *logs, struct call *call, const struct wire_spool_request *params)
{
	struct rows spools = { 0 }, sinks = { 0 };
	const struct stream *stream;
	struct wire_spools shown = {
		.policy = prodd_slice(log_policy_word(logs->settings.policy)),
		.full = prodd_slice(log_full_word(logs->settings.full)),
		.limit = logs->settings.limit,
	};

	for (stream = logs->streams; stream; stream = stream->hh.next) {
		shown.bytes += stream->seen.bytes;
		if (stream->seen.next && is_wanted(params->app, stream->name))
			spool_row(stream, params->sink, &spools);
	}
	figures_sinks(logs, params->sink, &sinks.bytes, &sinks.count);
	shown.spools = prodd_list(&spools.bytes, spools.count);
	shown.sinks = prodd_list(&sinks.bytes, sinks.count);
	call_answer(call, &shown);
	prodd_buffer_clear(&spools.bytes);
	prodd_buffer_clear(&sinks.bytes);
}
