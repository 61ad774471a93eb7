/* SPDX-License-Identifier: Apache-2.0 */
/* The root of the subsystem: streams by name, their owners by uid, three timers, and an orderly end. */
#define _GNU_SOURCE
#define HASH_NONFATAL_OOM 1	/* what could not be added has no table */
#include "daemon/log/logs.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon/log/attach.h"
#include "daemon/log/problems.h"
#include "daemon/log/push.h"
#include "daemon/log/show.h"
#include "daemon/log/sinks.h"
#include "daemon/spool/apps.h"
#include "daemon/util/clock.h"
#include "daemon/util/container.h"
#include "daemon/util/file.h"
#include "daemon/util/log.h"

#define SWEEP_MS 1000
#define UNFINISHED_MS 200

/* ---- methods */

static void on_ring_attach(struct handler *handler, struct call *call, const void *params)
{
	attach_call(container_of(handler, struct logs, ring_attach), call, params);
}

static void on_log_push(struct handler *handler, struct call *call, const void *params)
{
	push_call(container_of(handler, struct logs, log_push), call, params);
}

static void on_log_sync(struct handler *handler, struct call *call, const void *params)
{
	sync_call(container_of(handler, struct logs, log_sync), call, params);
}

static void on_spool_show(struct handler *handler, struct call *call, const void *params)
{
	show_call(container_of(handler, struct logs, spool_show), call, params);
}

void logs_serve(struct logs *logs, struct session_host *host)
{
	host->handlers[WIRE_M_ring_attach] = &logs->ring_attach;
	host->handlers[WIRE_M_log_push] = &logs->log_push;
	host->handlers[WIRE_M_log_sync] = &logs->log_sync;
	host->handlers[WIRE_M_spool_show] = &logs->spool_show;
	host->handlers[WIRE_M_log_level] = &logs->levels.log_level;
	host->handlers[WIRE_M_log_tail] = &logs->tail.log_tail;
}

/* ---- timers */

static void sweep_fired(struct loop_timer *timer)
{
	struct logs *logs = container_of(timer, struct logs, sweep);
	uint64_t now_ms = clock_monotonic_ms();
	struct stream *stream;
	struct feed *feed, *next;
	bool again = false;

	for (stream = logs->streams; stream; stream = stream->hh.next) {
		for (feed = LIST_FIRST(&stream->feeds); feed; feed = next) {
			next = LIST_NEXT(feed, link);
			feed_sweep(feed, now_ms);
		}
		again = stream_tick(stream) || again;
	}
	if (again)
		loop_timer_arm(timer, SWEEP_MS);
}

void logs_sweep_soon(struct logs *logs)
{
	if (!loop_timer_armed(&logs->sweep))
		loop_timer_arm(&logs->sweep, SWEEP_MS);
}

static void commit_fired(struct loop_timer *timer)
{
	struct logs *logs = container_of(timer, struct logs, commit);
	struct stream *stream;

	for (stream = logs->streams; stream; stream = stream->hh.next)
		if (stream->seen.unsynced > 0)
			stream_sync(stream);
}

void logs_commit_soon(struct logs *logs)
{
	if (!loop_timer_armed(&logs->commit))
		loop_timer_arm(&logs->commit, logs->settings.interval_ms);
}

/* ---- owners and streams */

static struct log_owner *owner_of(struct logs *logs, uid_t uid)
{
	struct log_owner *owner;

	HASH_FIND(hh, logs->owners, &uid, sizeof uid, owner);
	if (owner)
		return owner;
	owner = calloc(1, sizeof *owner);
	if (!owner)
		return NULL;
	owner->uid = uid;
	HASH_ADD(hh, logs->owners, uid, sizeof owner->uid, owner);
	if (owner->hh.tbl)
		return owner;
	free(owner);
	return NULL;
}

static struct stream *add(struct logs *logs, const char *app, struct log_owner *owner)
{
	struct stream *stream = stream_new(logs, app, owner);

	if (!stream)
		return NULL;
	HASH_ADD_STR(logs->streams, name, stream);
	if (stream->hh.tbl) {
		sinks_look(stream);
		return stream;
	}
	stream_free(stream);
	return NULL;
}

static int check_room(const struct logs *logs, const struct log_owner *owner, const char *app,
		      struct prodd_error *e)
{
	bool trusted = owner->uid == 0 || owner->uid == geteuid();

	if (!spool_is_app(app))
		return prodd_error_set(e, PRODD_E_USAGE, "\"%s\" cannot be the name of a spool", app);
	if (HASH_COUNT(logs->streams) >= LOGS_STREAMS_MAX)
		return prodd_error_set(e, PRODD_E_OVER_LIMIT, "there are %u spools already", LOGS_STREAMS_MAX);
	if (!trusted && owner->streams >= LOGS_STREAMS_UID_MAX)
		return prodd_error_set(e, PRODD_E_OVER_LIMIT, "uid %u has made %u spools already", (unsigned)owner->uid,
				       owner->streams);
	return 0;
}

struct stream *logs_stream(struct logs *logs, const char *app, uid_t uid, struct prodd_error *e)
{
	struct log_owner *owner;
	struct stream *stream;

	HASH_FIND_STR(logs->streams, app, stream);
	if (stream)
		return stream;
	owner = owner_of(logs, uid);
	if (owner && check_room(logs, owner, app, e) < 0)
		return NULL;
	stream = owner ? add(logs, app, owner) : NULL;
	if (!stream)
		prodd_error_set(e, PRODD_E_NO_MEMORY, "the spool of %s", app);
	return stream;
}

/* ---- the beginning */

/* Spools of an earlier life, whose apps may never come again: what is in them is shipped. */
static int find_spools(struct logs *logs, struct prodd_error *e)
{
	struct spool_apps apps = { 0 };
	int r = spool_apps_read(&apps, logs->spool, e);

	if (r >= 0 && apps.refused > 0)
		log_warn("%s/spool: %u entries are none of an app, and left alone", logs->places->state, apps.refused);
	for (unsigned i = 0; r >= 0 && i < apps.count; i++)
		if (!logs_stream(logs, apps.names[i], geteuid(), e))
			log_error("%s/spool/%s is left alone: %s", logs->places->state, apps.names[i], e->text);
	spool_apps_clear(&apps);
	return r;
}

static int make_directories(struct logs *logs, struct prodd_error *e)
{
	prodd_auto_buffer path = { .limit = 0 };

	prodd_buffer_append(&path, logs->places->state, strlen(logs->places->state));
	prodd_buffer_append(&path, "/spool", sizeof "/spool");
	if (path.failed)
		return prodd_error_set(e, PRODD_E_NO_MEMORY, "logs");
	logs->spool = file_make_directory(AT_FDCWD, path.at, 0700, e);
	return logs->spool < 0 ? logs->spool : 0;
}

static int set_up(struct logs *logs, const struct helper_program *ship, struct prodd_error *e)
{
	int r = turns_init(&logs->turns, logs->loop, e);

	if (r >= 0)
		r = loop_timer_init(&logs->linger, logs->loop, feed_linger_fired, e);
	if (r >= 0)
		r = loop_timer_init(&logs->sweep, logs->loop, sweep_fired, e);
	if (r >= 0)
		r = loop_timer_init(&logs->commit, logs->loop, commit_fired, e);
	if (r >= 0)
		r = make_directories(logs, e);
	if (r >= 0)
		r = levels_init(&logs->levels, logs->loop, logs->events, e);
	if (r >= 0)
		r = tail_init(&logs->tail, logs->disk, logs->places->state, e);
	if (r >= 0)
		r = sinks_new(&logs->sinks, logs, ship, e);
	return r < 0 ? r : find_spools(logs, e);
}

int logs_new(struct logs **ret, struct loop *loop, struct disk *disk, struct events *events,
	     struct mappings *mappings, const struct places *places, const struct helper_program *ship,
	     struct log_settings *settings, struct prodd_error *e)
{
	struct logs *logs = calloc(1, sizeof *logs);
	int r;

	if (!logs)
		return prodd_error_set(e, PRODD_E_NO_MEMORY, "logs");
	*logs = (struct logs){
		.ring_attach.call = on_ring_attach, .log_push.call = on_log_push, .log_sync.call = on_log_sync,
		.spool_show.call = on_spool_show,
		.status = { .problems = logs_status_problems, .app = logs_status_app, .whole = logs_status_whole },
		.loop = loop, .disk = disk, .events = events, .mappings = mappings,
		.places = places, .spool = -1,
		.total = { .limit = settings->limit, .app_limit = settings->app_limit,
			   .keep_free_percent = settings->keep_free_percent, .policy = settings->policy,
			   .full = settings->full },
	};
	TAILQ_INIT(&logs->lingering);
	log_settings_move(&logs->settings, settings);
	r = set_up(logs, ship, e);
	if (r < 0)
		logs_free(logs);
	else
		*ret = logs;
	return r;
}

void logs_rotate(struct logs *logs)
{
	sinks_rotate(logs->sinks);
}

/* ---- the end */

/* What was begun and is not finished for so long is not waited for. */
static bool is_read(const struct feed *feed)
{
	if (feed->turn.waiting || feed->is_hungry)
		return false;
	return feed->kept >= feed->goal ||
	       (feed->blocked_ms && clock_monotonic_ms() - feed->blocked_ms >= UNFINISHED_MS);
}

static bool is_drained(const struct logs *logs)
{
	const struct stream *stream;
	const struct feed *feed;

	for (stream = logs->streams; stream; stream = stream->hh.next) {
		if (stream_is_busy(stream))
			return false;
		LIST_FOREACH(feed, &stream->feeds, link)
			if (!is_read(feed))
				return false;
	}
	return true;
}

static void drain(struct logs *logs)
{
	struct stream *stream;
	struct feed *feed;

	for (stream = logs->streams; stream; stream = stream->hh.next)
		LIST_FOREACH(feed, &stream->feeds, link) {
			feed_aim(feed);
			feed_wish(feed);
		}
}

void logs_end(struct logs *logs, uint64_t budget_ms)
{
	logs->ending = true;
	logs->ends_ms = clock_monotonic_ms() + budget_ms;
	drain(logs);
}

bool logs_ended(struct logs *logs)
{
	uint64_t now_ms = clock_monotonic_ms();
	uint64_t left_ms = now_ms < logs->ends_ms ? logs->ends_ms - now_ms : 0;

	if (!logs->drained && left_ms > 0 && !is_drained(logs))
		return false;
	if (!logs->drained)
		sinks_finish(logs->sinks, left_ms);
	logs->drained = true;
	return left_ms == 0 || sinks_finished(logs->sinks);
}

struct logs *logs_free(struct logs *logs)
{
	struct stream *stream, *next;
	struct log_owner *owner, *after;

	if (!logs)
		return NULL;
	HASH_ITER(hh, logs->streams, stream, next) {
		HASH_DEL(logs->streams, stream);
		stream_free(stream);
	}
	logs->sinks = sinks_free(logs->sinks);
	tail_clear(&logs->tail);
	levels_clear(&logs->levels);
	prodd_buffer_clear(&logs->rows);
	HASH_ITER(hh, logs->owners, owner, after) {
		HASH_DEL(logs->owners, owner);
		free(owner);
	}
	loop_timer_clear(&logs->linger);
	loop_timer_clear(&logs->sweep);
	loop_timer_clear(&logs->commit);
	turns_clear(&logs->turns);
	log_settings_clear(&logs->settings);
	file_close(&logs->spool);
	free(logs);
	return NULL;
}
