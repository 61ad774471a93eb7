/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/log/problems.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>

#include "daemon/log/figures.h"
#include "daemon/log/sinks.h"
#include "daemon/util/clock.h"
#include "daemon/util/container.h"

#define CRASH_SHOWN_MS 3600000
#define BLOCKED_MS 5000

enum { line_size = 512, subject_size = 160 };

static bool all_have(const struct stream *stream, uint64_t number)
{
	for (unsigned i = 0; i < stream->rows.count; i++)
		if (stream->rows.at[i].wanted && stream->rows.at[i].number < number)
			return false;
	return true;
}

static void crashed(const struct stream *stream, struct problems_found *found)
{
	const struct stream_crash *crash = &stream->crash;
	time_t when = (time_t)(crash->when_ms / 1000);
	char subject[subject_size], line[line_size], at[8] = "";
	struct tm tm;

	if (!crash->when_ms || clock_wall_ms() - crash->when_ms > CRASH_SHOWN_MS)
		return;
	if (localtime_r(&when, &tm))
		strftime(at, sizeof at, "%H:%M", &tm);
	snprintf(subject, sizeof subject, "app %s", stream->name);
	snprintf(line, sizeof line, "instance %s %s at %s, %" PRIu64 " last records %s", crash->instance,
		 crash->how, at, crash->last_words, all_have(stream, crash->number) ? "shipped" : "kept");
	problems_found_add(found, PROBLEM_APP_CRASHED, subject, crash->when_ms,
			   (const char *[PROBLEM_LINES_MAX]){ line }, "prodctl events");
}

static void dropped(const struct stream *stream, struct problems_found *found)
{
	char subject[subject_size], line[line_size], command[192];
	size_t size = 0;

	if (!stream->dropped_ms || clock_wall_ms() - stream->dropped_ms > STREAM_LATELY_MS)
		return;
	for (int i = 0; i < LOG_DROP_COUNT; i++)
		if (stream->drops.count[i] > 0 && size < sizeof line)
			size += (size_t)snprintf(line + size, sizeof line - size, "%s%" PRIu64 " %s",
						 size ? ", " : "records dropped: ", stream->drops.count[i],
						 log_drop_word((enum log_drop)i));
	snprintf(subject, sizeof subject, "app %s", stream->name);
	snprintf(command, sizeof command, "prodctl spool show %s", stream->name);
	problems_found_add(
		found, PROBLEM_LOG_DROPPED, subject, stream->dropping_ms,
		(const char *[PROBLEM_LINES_MAX]){
			line, "since the start of prodd; each gap is told in the app's own stream" },
		command);
}

static void blocked(const struct stream *stream, struct problems_found *found)
{
	char subject[subject_size], line[line_size];
	const struct feed *feed;

	LIST_FOREACH(feed, &stream->feeds, link) {
		uint64_t for_ms = feed->blocked_ms ? clock_monotonic_ms() - feed->blocked_ms : 0;

		if (for_ms < BLOCKED_MS)
			continue;
		snprintf(subject, sizeof subject, "app %s", stream->name);
		snprintf(line, sizeof line,
			 "instance %s (pid %d) has begun a record and not finished it; the next ones wait",
			 feed->instance, (int)feed->pid);
		problems_found_add(found, PROBLEM_LOG_BLOCKED, subject, clock_wall_ms() - for_ms,
				   (const char *[PROBLEM_LINES_MAX]){ line }, "");
	}
}

static void fails(const struct stream *stream, struct problems_found *found)
{
	char subject[subject_size];

	if (!stream->trouble_ms)
		return;
	snprintf(subject, sizeof subject, "spool %s", stream->name);
	problems_found_add(found, PROBLEM_SPOOL_FAILS, subject, stream->trouble_ms,
			   (const char *[PROBLEM_LINES_MAX]){
				   stream->trouble.text, "tried again all the time; rings fill up, then the app drops and counts" },
			   "prodctl spool list");
}

static void down(const struct logs *logs, const struct sink *sink, struct problems_found *found)
{
	struct log_sink_figures figures = figures_of_sink(logs, sink);
	uint64_t now_ms = clock_monotonic_ms();
	char subject[subject_size], first[line_size], second[line_size];

	if (strcmp(sink->state, "retry") != 0 && strcmp(sink->state, "failed") != 0)
		return;
	snprintf(subject, sizeof subject, "sink %s", sink->settings->name);
	if (sink->again_at_ms > now_ms)
		snprintf(first, sizeof first, "down: %s; next try in %" PRIu64 " s", sink->reason,
			 (sink->again_at_ms - now_ms + 999) / 1000);
	else
		snprintf(first, sizeof first, "down: %s", sink->reason);
	snprintf(second, sizeof second, "%" PRIu64 " records wait in the spools", figures.records_behind);
	problems_found_add(found, PROBLEM_SINK_DOWN, subject, sink->since_ms,
			   (const char *[PROBLEM_LINES_MAX]){ first, second }, "prodctl spool list");
}

void logs_status_problems(struct status_part *part, struct prodd_slice app, struct problems_found *found)
{
	const struct logs *logs = container_of(part, struct logs, status);
	const struct stream *stream;

	for (unsigned i = 0; app.size == 0 && i < sinks_count(logs->sinks); i++)
		down(logs, sinks_at(logs->sinks, i), found);
	for (stream = logs->streams; stream; stream = stream->hh.next) {
		if (app.size > 0 && !prodd_slice_is(app, stream->name))
			continue;
		fails(stream, found);
		crashed(stream, found);
		blocked(stream, found);
		dropped(stream, found);
	}
}

void logs_status_app(struct status_part *part, const char *app, struct wire_app_status *row)
{
	struct logs *logs = container_of(part, struct logs, status);
	const struct stream *stream;
	uint32_t count = 0;

	HASH_FIND_STR(logs->streams, app, stream);
	if (!stream)
		return;
	row->records = stream->records;
	row->records_rate = stream_rate(stream);
	row->dropped = log_drops_all(&stream->drops);
	prodd_buffer_reset(&logs->rows);
	figures_drops(stream, &logs->rows, &count);
	row->drops = prodd_list(&logs->rows, count);
}

void logs_status_whole(struct status_part *part, struct wire_status *status)
{
	struct logs *logs = container_of(part, struct logs, status);
	uint32_t count = 0;

	prodd_buffer_reset(&logs->rows);
	figures_sinks(logs, (struct prodd_slice){ 0 }, &logs->rows, &count);
	status->sinks = prodd_list(&logs->rows, count);
}
