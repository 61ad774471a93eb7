/* SPDX-License-Identifier: Apache-2.0 */
/* A list of apps, each with its levels; a list of the sessions that log. One timer, for the level that ends next. */
#include "daemon/log/levels.h"

#include <stdio.h>
#include <stdlib.h>

#include "daemon/util/clock.h"
#include "daemon/util/container.h"
#include "proto/shm/record.h"

struct level {
	char target[LEVELS_NAME_MAX + 1];	/* "": all */
	enum record_level level;
	uint64_t ends_ms;			/* monotonic; 0: never */
};

struct level_app {
	char name[LEVELS_NAME_MAX + 1];
	struct level rows[LEVELS_OF_APP_MAX];
	unsigned count;
	LIST_ENTRY(level_app) link;
};

struct level_listener {
	struct peer peer;
	LIST_ENTRY(level_listener) link;
};

static const char listener_kind;

/* ---- what is in force */

static struct level_app *app_of(struct levels *levels, struct prodd_slice name)
{
	struct level_app *app;

	LIST_FOREACH(app, &levels->apps, link)
		if (prodd_slice_is(name, app->name))
			return app;
	return NULL;
}

static struct level_app *find_or_make(struct levels *levels, struct prodd_slice name, struct prodd_error *e)
{
	struct level_app *app = app_of(levels, name);

	if (app)
		return app;
	if (levels->app_count >= LEVELS_APPS_MAX) {
		prodd_error_set(e, PRODD_E_OVER_LIMIT, "levels: %u apps have one already", levels->app_count);
		return NULL;
	}
	app = calloc(1, sizeof *app);
	if (!app) {
		prodd_error_set(e, PRODD_E_NO_MEMORY, "levels");
		return NULL;
	}
	snprintf(app->name, sizeof app->name, "%.*s", PRODD_SLICE(name));
	LIST_INSERT_HEAD(&levels->apps, app, link);
	levels->app_count++;
	return app;
}

static void forget_unused(struct levels *levels, struct level_app *app)
{
	if (app->count > 0)
		return;
	LIST_REMOVE(app, link);
	levels->app_count--;
	free(app);
}

static struct level *row_of(struct level_app *app, struct prodd_slice target)
{
	for (unsigned i = 0; i < app->count; i++)
		if (prodd_slice_is(target, app->rows[i].target))
			return &app->rows[i];
	return NULL;
}

static void remove_row(struct level_app *app, struct level *row)
{
	app->count--;
	memmove(row, row + 1, (size_t)(app->rows + app->count - row) * sizeof *row);
}

/* LIST of level_row; none for an app without any. */
static struct prodd_list encode(const struct level_app *app, struct prodd_buffer *b)
{
	uint64_t now = clock_monotonic_ms();
	uint32_t count = 0;

	for (unsigned i = 0; app && i < app->count; i++) {
		const struct level *level = &app->rows[i];
		struct wire_level_row row = {
			.target = prodd_slice(level->target),
			.level = prodd_slice(record_level_word(level->level)),
			.left_ms = level->ends_ms > now ? level->ends_ms - now : level->ends_ms > 0,
		};

		prodd_encode_element(b, &count, &wire_record_level_row, &row);
	}
	return prodd_list(b, b->failed ? 0 : count);
}

/* ---- those who log */

static void listener_free(struct level_listener *listener)
{
	LIST_REMOVE(listener, link);
	free(listener);
}

static void listener_closed(struct peer *peer)
{
	listener_free(container_of(peer, struct level_listener, peer));
}

static void tell(struct levels *levels, struct session *session)
{
	prodd_auto_buffer rows = { .limit = 0 };
	const struct level_app *app = app_of(levels, prodd_slice(session_app(session)));
	struct wire_levels note = { .levels = encode(app, &rows) };

	if (!rows.failed)
		session_note(session, WIRE_M_log_levels, &note);
}

void levels_greet(struct levels *levels, struct session *session)
{
	struct level_listener *listener;

	if (session_peer(session, &listener_kind))
		return;
	listener = calloc(1, sizeof *listener);
	if (!listener)
		return;
	listener->peer.closed = listener_closed;
	listener->peer.kind = &listener_kind;
	LIST_INSERT_HEAD(&levels->listeners, listener, link);
	session_attach(session, &listener->peer);
	tell(levels, session);
}

/* Returns how many were told. */
static unsigned tell_all(struct levels *levels, const char *app)
{
	struct level_listener *listener;
	unsigned count = 0;

	LIST_FOREACH(listener, &levels->listeners, link) {
		if (strcmp(session_app(listener->peer.session), app) != 0)
			continue;
		tell(levels, listener->peer.session);
		count++;
	}
	return count;
}

/* ---- their end */

static void plan_expiry(struct levels *levels)
{
	uint64_t now = clock_monotonic_ms(), next = 0;
	const struct level_app *app;

	LIST_FOREACH(app, &levels->apps, link)
		for (unsigned i = 0; i < app->count; i++)
			if (app->rows[i].ends_ms && (!next || app->rows[i].ends_ms < next))
				next = app->rows[i].ends_ms;
	if (!next)
		loop_timer_disarm(&levels->expiry);
	else
		loop_timer_arm(&levels->expiry, next > now ? next - now : 0);
}

static const char *shown(const char *target)
{
	return *target ? target : "all targets";
}

/* Whether any of the app's ended. */
static bool expire(struct levels *levels, struct level_app *app, uint64_t now)
{
	unsigned before = app->count;

	for (unsigned i = app->count; i-- > 0;) {
		if (!app->rows[i].ends_ms || app->rows[i].ends_ms > now)
			continue;
		events_add(levels->events, EVENT_LEVEL_ENDED, app->name, "", "%s: the time of level %s is over",
			   shown(app->rows[i].target), record_level_word(app->rows[i].level));
		remove_row(app, &app->rows[i]);
	}
	return app->count < before;
}

static void expiry_fired(struct loop_timer *timer)
{
	struct levels *levels = container_of(timer, struct levels, expiry);
	uint64_t now = clock_monotonic_ms();
	struct level_app *app, *next;

	for (app = LIST_FIRST(&levels->apps); app; app = next) {
		next = LIST_NEXT(app, link);
		if (expire(levels, app, now))
			tell_all(levels, app->name);
		forget_unused(levels, app);
	}
	plan_expiry(levels);
}

/* ---- setting */

static int set_row(struct levels *levels, const struct wire_level_request *params, enum record_level level,
		   struct prodd_error *e)
{
	struct level_app *app = find_or_make(levels, params->app, e);
	uint64_t now = clock_monotonic_ms();
	struct level *row;

	if (!app)
		return -e->code;
	row = row_of(app, params->target);
	if (!row && app->count == LEVELS_OF_APP_MAX)
		return prodd_error_set(e, PRODD_E_OVER_LIMIT, "levels: the app has %u already", app->count);
	if (!row)
		row = &app->rows[app->count++];
	snprintf(row->target, sizeof row->target, "%.*s", PRODD_SLICE(params->target));
	row->level = level;
	row->ends_ms = 0;
	if (params->for_ms)
		row->ends_ms = params->for_ms < UINT64_MAX - now ? now + params->for_ms : UINT64_MAX;
	events_add(levels->events, EVENT_LEVEL_SET, app->name, "", "%s: level %s", shown(row->target),
		   record_level_word(level));
	return 0;
}

/* "own": one target's level ends, or all of the app's. */
static void unset(struct levels *levels, const struct wire_level_request *params)
{
	struct level_app *app = app_of(levels, params->app);
	struct level *row = app ? row_of(app, params->target) : NULL;

	if (!app || (params->target.size > 0 && !row))
		return;
	if (params->target.size > 0)
		remove_row(app, row);
	else
		app->count = 0;
	events_add(levels->events, EVENT_LEVEL_ENDED, app->name, "", "%.*s: the app's own level again",
		   PRODD_SLICE(params->target.size ? params->target : prodd_slice("all targets")));
}

static int change(struct levels *levels, const struct wire_level_request *params, struct prodd_error *e)
{
	int level = record_level_of(params->level);

	if (prodd_slice_is(params->level, "own")) {
		unset(levels, params);
		return 0;
	}
	if (level < 0)
		return prodd_error_set(e, PRODD_E_USAGE,
				       "no level \"%.*s\": trace, debug, info, warn, error, off, or own", PRODD_SLICE(params->level));
	return set_row(levels, params, (enum record_level)level, e);
}

static int check(const struct wire_level_request *params, struct prodd_error *e)
{
	if (params->app.size > 0 && params->app.size <= LEVELS_NAME_MAX && params->target.size <= LEVELS_NAME_MAX)
		return 0;
	return prodd_error_set(e, PRODD_E_USAGE, "levels: a name of up to %d bytes is needed", LEVELS_NAME_MAX);
}

static void on_call(struct handler *handler, struct call *call, const void *params)
{
	struct levels *levels = container_of(handler, struct levels, log_level);
	const struct wire_level_request *request = params;
	struct wire_levels_set result = { .app = request->app };
	prodd_auto_buffer rows = { .limit = 0 };
	char name[LEVELS_NAME_MAX + 1];
	struct level_app *app;
	struct prodd_error e;

	if (check(request, &e) < 0 || (request->level.size > 0 && change(levels, request, &e) < 0)) {
		call_fail(call, &e);
		return;
	}
	snprintf(name, sizeof name, "%.*s", PRODD_SLICE(request->app));
	if (request->level.size > 0)
		result.instances = tell_all(levels, name);
	app = app_of(levels, request->app);
	result.levels = encode(app, &rows);
	call_answer(call, &result);
	if (app)
		forget_unused(levels, app);
	plan_expiry(levels);
}

/* ---- lifecycle */

int levels_init(struct levels *levels, struct loop *loop, struct events *events, struct prodd_error *e)
{
	*levels = (struct levels){ .log_level.call = on_call, .loop = loop, .events = events };
	LIST_INIT(&levels->apps);
	LIST_INIT(&levels->listeners);
	return loop_timer_init(&levels->expiry, loop, expiry_fired, e);
}

void levels_clear(struct levels *levels)
{
	if (!levels->loop)
		return;
	while (!LIST_EMPTY(&levels->apps)) {
		struct level_app *app = LIST_FIRST(&levels->apps);

		app->count = 0;
		forget_unused(levels, app);
	}
	while (!LIST_EMPTY(&levels->listeners)) {
		struct level_listener *listener = LIST_FIRST(&levels->listeners);

		session_detach(&listener->peer);
		listener_free(listener);
	}
	loop_timer_clear(&levels->expiry);
}
