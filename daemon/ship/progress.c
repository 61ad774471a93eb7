/* SPDX-License-Identifier: Apache-2.0 */
/* News are flags in the feeds, so that nothing queues up however seldom something is told. */
#include "daemon/ship/progress.h"

#include "daemon/util/clock.h"
#include "proto/limits.h"

void progress_init(struct progress *progress, struct channel *channel, struct feeds *feeds)
{
	*progress = (struct progress){ .channel = channel, .feeds = feeds,
				      .rows = { .limit = PRODD_REPLY_MAX } };
}

void progress_clear(struct progress *progress)
{
	prodd_buffer_clear(&progress->rows);
}

bool progress_waits(const struct progress *progress)
{
	if (progress->failing != (progress->feeds->failed_count > 0))
		return true;
	for (unsigned i = 0; i < progress->feeds->count; i++)
		if (progress->feeds->sorted[i]->news)
			return true;
	return false;
}

static int add_rows(struct progress *progress, uint32_t *ret_count)
{
	struct feeds *feeds = progress->feeds;
	int r = 0;

	*ret_count = 0;
	prodd_buffer_reset(&progress->rows);
	for (unsigned i = 0; i < feeds->count && r == 0; i++) {
		struct feed *feed = feeds->sorted[i];
		struct wire_ship_row row = {
			.app = prodd_slice(feed->app),
			.number = feed->cursor,
			.shipped = feed->shipped,
			.rejected = feed->rejected,
			.missing = feed_missing(feed),
			.quarantined = feed_quarantined(feed),
			.time_ns = feed->written < feed->last ? feed->time_ns : 0,
		};

		if (!feed->news)
			continue;
		row.behind = feed_behind(feed);
		r = prodd_encode_element(&progress->rows, ret_count, &wire_record_ship_row, &row);
	}
	return r;
}

static int send(struct progress *progress, struct prodd_error *e)
{
	const struct feed *failed = feeds_failed(progress->feeds);
	uint64_t now_ms = clock_monotonic_ms();
	struct wire_ship_progress note = { .state = prodd_slice(failed ? "retry" : "ok") };
	uint32_t count;
	int r = add_rows(progress, &count);

	if (r < 0)
		return prodd_error_set(e, -r, "a report");
	note.rows = prodd_list(&progress->rows, count);
	if (failed) {
		note.reason = prodd_slice(failed->error.text);
		note.again_ms = failed->again_ms > now_ms ? failed->again_ms - now_ms : 0;
	}
	r = channel_note(progress->channel, WIRE_M_ship_progress, &note, e);
	if (r < 0)
		return r;
	for (unsigned i = 0; i < progress->feeds->count; i++)
		progress->feeds->sorted[i]->news = false;
	progress->failing = failed != NULL;
	progress->sent_ms = now_ms;
	return 0;
}

int progress_tell(struct progress *progress, bool now, struct prodd_error *e)
{
	bool changed = progress->failing != (progress->feeds->failed_count > 0);

	if (!now && !changed && clock_monotonic_ms() < progress->sent_ms + PROGRESS_MS)
		return 0;
	return progress_waits(progress) ? send(progress, e) : 0;
}
