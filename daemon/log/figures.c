/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/log/figures.h"

#include "daemon/log/sinks.h"
#include "daemon/util/clock.h"

#define NS_PER_MS UINT64_C(1000000)

struct log_app_figures figures_of_app(const struct stream *stream)
{
	const struct spool_counts *counts = &stream->seen.counts;
	struct log_app_figures f = {
		.app = stream->name, .records = stream->records, .record_bytes = stream->bytes,
		.rate = stream_rate(stream), .dropped = stream->drops.count, .dropped_all = log_drops_all(&stream->drops),
		.spool_bytes = stream->seen.bytes, .quarantined = counts->quarantined,
		.failed_writes = counts->failed_writes, .failed_syncs = counts->failed_syncs,
	};
	const struct feed *feed;

	LIST_FOREACH(feed, &stream->feeds, link) {
		f.rings++;
		f.ring_bytes += feed->ring.capacity;
		f.ring_fill += ring_fill(&feed->ring);
	}
	return f;
}

struct log_sink_figures figures_of_row(const struct sink_row *row)
{
	uint64_t last = row->stream->seen.next ? row->stream->seen.next - 1 : 0, now_ms = clock_wall_ms();
	struct log_sink_figures f = { .shipped = row->shipped, .rejected = row->rejected, .missing = row->missing,
				      .quarantined = row->quarantined };

	if (!row->wanted || row->number >= last)
		return f;
	f.behind = row->behind;
	f.records_behind = last - row->number;
	if (row->time_ns && row->time_ns / NS_PER_MS < now_ms)
		f.lag_ms = now_ms - row->time_ns / NS_PER_MS;
	return f;
}

struct log_sink_figures figures_of_sink(const struct logs *logs, const struct sink *sink)
{
	struct log_sink_figures all = { 0 };
	const struct stream *stream;

	for (stream = logs->streams; stream; stream = stream->hh.next) {
		struct log_sink_figures f = figures_of_row(&stream->rows.at[sink->index]);

		all.shipped += f.shipped;
		all.rejected += f.rejected;
		all.missing += f.missing;
		all.quarantined += f.quarantined;
		all.behind += f.behind;
		all.records_behind += f.records_behind;
		if (f.lag_ms > all.lag_ms)
			all.lag_ms = f.lag_ms;
	}
	return all;
}
