/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One sink's process: what it is told and what it says.  When it has ended and
 * runs anew it is told everything again; what it counted before stays counted.
 */
#include <stdio.h>
#include <string.h>

#include "daemon/log/logs.h"
#include "daemon/log/sinks.h"
#include "daemon/util/clock.h"
#include "daemon/util/container.h"
#include "daemon/util/log.h"

enum { id_start = 1, id_finish = 2, more_rows = 256 };

static void set_state(struct sink *sink, struct prodd_slice state, struct prodd_slice reason,
		      uint64_t again_ms)
{
	if (!prodd_slice_is(state, sink->state)) {
		sink->since_ms = clock_wall_ms();
		if (prodd_slice_is(state, "ok"))
			log_notice("sink %s: ok", sink->settings->name);
		else if (reason.size > 0)
			log_warn("sink %s: %.*s: %.*s", sink->settings->name, PRODD_SLICE(state), PRODD_SLICE(reason));
	}
	snprintf(sink->state, sizeof sink->state, "%.*s", PRODD_SLICE(state));
	snprintf(sink->reason, sizeof sink->reason, "%.*s",
		 PRODD_SLICE(prodd_text_cut(reason, sizeof sink->reason - 1)));
	sink->again_at_ms = again_ms ? clock_monotonic_ms() + again_ms : 0;
}

/* ---- what it is told */

void sink_has_news(struct sink_row *row)
{
	if (row->is_news || !row->wanted || !row->stream->rows.known)
		return;
	row->is_news = true;
	TAILQ_INSERT_TAIL(&row->sink->news, row, news);
	sinks_tell_soon(row->sink->sinks);
}

static void no_news(struct sink *sink)
{
	struct sink_row *row;

	while ((row = TAILQ_FIRST(&sink->news))) {
		TAILQ_REMOVE(&sink->news, row, news);
		row->is_news = false;
	}
}

static void add_cursor(struct prodd_buffer *list, uint32_t *count, struct sink_row *row)
{
	struct wire_ship_cursor cursor = { .app = prodd_slice(row->stream->name), .number = row->number,
					   .last = row->stream->seen.next - 1 };

	prodd_encode_element(list, count, &wire_record_ship_cursor, &cursor);
	row->told = cursor.last;
}

/* As many as a frame may hold at once; the rest with the next. */
static bool tell_some(struct sink *sink)
{
	prodd_auto_buffer list = { .limit = 0 };
	struct wire_ship_more more;
	struct sink_row *row;
	uint32_t count = 0;

	while (count < more_rows && (row = TAILQ_FIRST(&sink->news))) {
		TAILQ_REMOVE(&sink->news, row, news);
		row->is_news = false;
		add_cursor(&list, &count, row);
	}
	more.cursors = prodd_list(&list, count);
	return !list.failed && worker_note(&sink->worker, WIRE_M_ship_more, &more);
}

/* One that does not read is not told more until it does. */
void sink_tell(struct sink *sink)
{
	while (sink->started && !TAILQ_EMPTY(&sink->news))
		if (!tell_some(sink))
			break;
}

static void has_room(struct worker *worker)
{
	struct sink *sink = container_of(worker, struct sink, worker);
	struct stream *stream;

	for (stream = sinks_logs(sink->sinks)->streams; stream; stream = stream->hh.next)
		sink_has_news(&stream->rows.at[sink->index]);
}

static void add_all(struct sink *sink, struct prodd_buffer *list, uint32_t *count)
{
	struct stream *stream;

	for (stream = sinks_logs(sink->sinks)->streams; stream; stream = stream->hh.next) {
		struct sink_row *row = &stream->rows.at[sink->index];

		if (!row->wanted || !stream->rows.known)
			continue;
		memset(row->counted, 0, sizeof row->counted);
		add_cursor(list, count, row);
	}
}

static void started(struct worker *worker)
{
	struct sink *sink = container_of(worker, struct sink, worker);
	const struct log_sink_settings *s = sink->settings;
	prodd_auto_buffer list = { .limit = 0 };
	uint32_t count = 0;
	struct wire_ship_start start = {
		.sink = prodd_slice(s->name), .type = prodd_slice(s->type), .format = prodd_slice(s->format),
		.directory = prodd_slice(sink->directory), .rotate_size = s->rotate_size, .rotate_age_s = s->rotate_age_s,
		.keep_count = s->keep, .keep_bytes = s->keep_bytes, .compress = prodd_slice(s->compress),
		.level = prodd_slice(s->level), .apps = prodd_list(&s->apps, s->app_count),
	};

	no_news(sink);
	add_all(sink, &list, &count);
	start.cursors = prodd_list(&list, count);
	sink->started = !list.failed && worker_call(worker, id_start, WIRE_M_ship_start, &start);
	if (!sink->started)
		log_error("sink %s: no memory to start it", s->name);
}

/* ---- what it says */

/* Counts since its start become counts since ours. */
static void count(uint64_t *all, uint64_t *counted, uint64_t now)
{
	if (now > *counted)
		*all += now - *counted;
	*counted = now;
}

static void take_row(struct sink *sink, const struct wire_ship_row *said)
{
	char name[STREAM_NAME_MAX];
	struct stream *stream;
	struct sink_row *row;

	snprintf(name, sizeof name, "%.*s", PRODD_SLICE(said->app));
	HASH_FIND_STR(sinks_logs(sink->sinks)->streams, name, stream);
	if (!stream || !stream->rows.known)
		return;
	row = &stream->rows.at[sink->index];
	if (said->number > row->number && said->number <= row->told) {
		row->number = said->number;
		sinks_store_soon(sink->sinks);
	}
	count(&row->shipped, &row->counted[0], said->shipped);
	count(&row->rejected, &row->counted[1], said->rejected);
	count(&row->missing, &row->counted[2], said->missing);
	count(&row->quarantined, &row->counted[3], said->quarantined);
	row->behind = said->behind;
	row->time_ns = said->time_ns;
	if (row->told < stream->seen.next - 1)
		sink_has_news(row);
}

static void take_progress(struct sink *sink, const struct prodd_message *message)
{
	struct wire_ship_progress progress;
	struct wire_ship_row row;
	struct prodd_error e;
	struct prodd_iter it;

	if (prodd_message_decode(message, &wire_record_ship_progress, &progress, &e) < 0) {
		log_error("sink %s: %s", sink->settings->name, e.text);
		return;
	}
	set_state(sink, progress.state, progress.reason, progress.again_ms);
	if (prodd_slice_is(progress.state, "ok"))
		worker_is_well(&sink->worker);
	for (it = prodd_iter(progress.rows); prodd_next(&it, &wire_record_ship_row, &row, &e) > 0;)
		take_row(sink, &row);
}

static void message(struct worker *worker, const struct prodd_message *message)
{
	struct sink *sink = container_of(worker, struct sink, worker);

	if (message->type == PRODD_NOTE && message->method == WIRE_M_ship_progress)
		take_progress(sink, message);
	else if (message->type == PRODD_ANSWER && message->error.code)
		set_state(sink, prodd_slice("failed"), prodd_slice(message->error.text), 0);
	else if (message->type == PRODD_ANSWER && message->id == id_start && strcmp(sink->state, "starting") == 0)
		set_state(sink, prodd_slice("ok"), prodd_slice(""), 0);
}

static void ended(struct worker *worker, const struct prodd_error *why, uint64_t again_ms)
{
	struct sink *sink = container_of(worker, struct sink, worker);

	sink->started = false;
	sink->finished = worker->finishing;
	if (!sink->finished)
		set_state(sink, prodd_slice("failed"), prodd_slice(why->text), again_ms);
}

void sink_finish(struct sink *sink, uint64_t within_ms)
{
	struct wire_ship_finish finish = { .within_ms = within_ms };

	sink->finished = worker_pid(&sink->worker) == 0;
	worker_call(&sink->worker, id_finish, WIRE_M_ship_finish, &finish);
	worker_finish(&sink->worker);
}

static const struct worker_ops ops = {
	.started = started, .message = message, .has_room = has_room, .ended = ended
};

int sink_init(struct sink *sink, struct sinks *sinks, struct logs *logs,
	      const struct log_sink_settings *settings, unsigned index, const struct helper_program *ship,
	      struct prodd_error *e)
{
	const char *usual = logs->settings.directory ? logs->settings.directory : logs->places->log;
	bool is_file = strcmp(settings->type, "file") == 0;

	*sink = (struct sink){ .sinks = sinks, .settings = settings, .index = index, .state = "starting",
			       .directory = !is_file ? "" : settings->directory ? settings->directory : usual,
			       .since_ms = clock_wall_ms() };
	TAILQ_INIT(&sink->news);
	if (is_file && sink->directory == logs->places->log && places_make_log(logs->places, e) < 0)
		return -e->code;
	return worker_init(&sink->worker, &ops, logs->loop, ship, &logs->spool, 1, e);
}

void sink_clear(struct sink *sink)
{
	no_news(sink);
	worker_clear(&sink->worker);
}
