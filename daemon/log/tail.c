/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A request looks back first, then answers, then follows.  What is kept while
 * it looks back is collected beside, and laid into the answer, so that nothing
 * is missed between the two; and the numbers that an answer ended with are
 * remembered, so that nothing comes twice.
 */
#define _GNU_SOURCE
#include "daemon/log/tail.h"

#include <stdio.h>
#include <stdlib.h>

#include "daemon/log/recent.h"
#include "daemon/util/container.h"

/* The last number of an app that the answer had. */
struct answered {
	char app[FILTER_APP_SIZE];
	uint64_t number;
};

struct tail_request {
	struct tail *tail;		/* borrowed */
	struct peer peer;		/* of a follower; session NULL: it has gone */
	struct call *call;		/* taken; NULL: answered */
	struct filter filter;
	struct recent recent;
	bool reads;
	bool follows;
	struct latest meanwhile;	/* kept while it reads */
	struct answered *answered;	/* owned */
	unsigned answered_count;
	uint64_t lost;			/* not told yet */
	LIST_ENTRY(tail_request) link;
};

static const char follower_kind;

/* ---- the end of one */

static void request_free(struct tail_request *r)
{
	LIST_REMOVE(r, link);
	if (r->follows)
		r->tail->followers--;
	latest_clear(&r->meanwhile);
	free(r->answered);
	free(r);
}

/* Neither reads nor follows any more? */
static void settle(struct tail_request *r)
{
	if (!r->reads && !r->peer.session)
		request_free(r);
}

static void follower_closed(struct peer *peer)
{
	struct tail_request *r = container_of(peer, struct tail_request, peer);

	r->peer.session = NULL;
	if (r->reads)
		recent_stop(&r->recent);
	settle(r);
}

/* ---- answering */

static struct wire_log_record wire_of(const char *app, const struct spool_record *record)
{
	return (struct wire_log_record){ .app = prodd_slice(app), .number = record->number, .origin = record->origin,
					 .record = record->record };
}

static struct answered *answered_of(const struct tail_request *r, const char *app)
{
	for (unsigned i = 0; i < r->answered_count; i++)
		if (strcmp(r->answered[i].app, app) == 0)
			return &r->answered[i];
	return NULL;
}

/* False: no memory. */
static bool remember(struct tail_request *r, const struct latest *latest)
{
	const struct latest_row *row;
	struct answered *a;

	r->answered = latest->count > 0 ? calloc(latest->count, sizeof *r->answered) : NULL;
	if (latest->count > 0 && !r->answered)
		return false;
	TAILQ_FOREACH(row, &latest->rows, link) {
		a = answered_of(r, row->app);
		if (!a)
			a = &r->answered[r->answered_count++];
		snprintf(a->app, sizeof a->app, "%s", row->app);
		if (row->number > a->number)
			a->number = row->number;
	}
	return true;
}

static void answer(struct tail_request *r, const struct latest *latest)
{
	prodd_auto_buffer rows = { .limit = 0 };
	struct wire_log_tailed result = { 0 };
	const struct latest_row *row;
	struct prodd_error e;
	uint32_t count = 0;

	TAILQ_FOREACH(row, &latest->rows, link) {
		struct spool_record record = { .number = row->number, .origin = row->origin, .record = row->record };
		struct wire_log_record wire = wire_of(row->app, &record);

		prodd_encode_element(&rows, &count, &wire_record_log_record, &wire);
	}
	result.records = prodd_list(&rows, count);
	if (rows.failed) {
		prodd_error_set(&e, -rows.failed, "no memory for the records");
		call_fail(r->call, &e);
	} else {
		call_answer(r->call, &result);
	}
	r->call = NULL;
}

static void stop_following(struct tail_request *r)
{
	if (r->peer.session)
		session_detach(&r->peer);
	r->peer.session = NULL;
}

static void fail(struct tail_request *r, const struct prodd_error *why)
{
	call_fail(r->call, why);
	r->call = NULL;
	stop_following(r);
}

static void looked_back(struct recent *recent)
{
	static const struct prodd_error no_memory = { PRODD_E_NO_MEMORY, "no memory for the records" };
	struct tail_request *r = container_of(recent, struct tail_request, recent);
	struct latest *latest = &recent->latest;

	r->reads = false;
	r->tail->readings--;
	if (recent->error.code == PRODD_E_NOT_FOUND && r->follows)
		recent->error.code = PRODD_OK;		/* it may come */
	latest_merge(latest, &r->meanwhile);
	if (recent->error.code)
		fail(r, &recent->error);
	else if (latest->failed || (r->follows && !remember(r, latest)))
		fail(r, &no_memory);
	else
		answer(r, latest);
	recent_clear(recent);
	settle(r);
}

/* ---- following */

bool tail_is_followed(const struct tail *tail, const char *app)
{
	const struct tail_request *r;

	LIST_FOREACH(r, &tail->requests, link)
		if (r->peer.session && filter_takes_app(&r->filter, app))
			return true;
	return false;
}

static void tell(struct tail_request *r, const char *app, const struct spool_record *record)
{
	struct wire_log_record note = wire_of(app, record);
	const struct answered *a = answered_of(r, app);

	if (a && record->number <= a->number)
		return;
	if (session_pending(r->peer.session) > TAIL_PENDING_MAX) {
		r->lost++;
		return;
	}
	note.lost = r->lost;
	if (session_note(r->peer.session, WIRE_M_log_record, &note) == 0)
		r->lost = 0;
}

void tail_kept(struct tail *tail, const char *app, const struct spool_record *record)
{
	struct tail_request *r;

	LIST_FOREACH(r, &tail->requests, link) {
		if (!r->peer.session || !filter_takes_app(&r->filter, app) || !filter_takes(&r->filter, record->record))
			continue;
		if (r->reads)
			latest_add(&r->meanwhile, app, record);
		else
			tell(r, app, record);
	}
}

/* ---- asking */

static int check_room(const struct tail *tail, struct session *session, const struct wire_log_tail *params,
		      struct prodd_error *e)
{
	if (params->last > 0 && tail->readings >= TAIL_READINGS_MAX)
		return prodd_error_set(e, PRODD_E_BUSY, "log.tail: %u others look back now", tail->readings);
	if (!params->follow)
		return 0;
	if (session && session_peer(session, &follower_kind))
		return prodd_error_set(e, PRODD_E_USAGE, "log.tail: this session follows already");
	if (tail->followers >= TAIL_FOLLOWERS_MAX)
		return prodd_error_set(e, PRODD_E_OVER_LIMIT, "log.tail: %u sessions follow already", tail->followers);
	return 0;
}

static void follow(struct tail_request *r, struct session *session)
{
	r->follows = true;
	r->tail->followers++;
	r->peer.closed = follower_closed;
	r->peer.kind = &follower_kind;
	session_attach(session, &r->peer);
}

static void start(struct tail_request *r, const struct wire_log_tail *params)
{
	unsigned most = params->last < TAIL_LAST_MAX ? (unsigned)params->last : TAIL_LAST_MAX;

	latest_init(&r->meanwhile, most, !*r->filter.app);
	if (params->follow && call_session(r->call))
		follow(r, call_session(r->call));
	if (most == 0) {
		answer(r, &r->meanwhile);
		settle(r);
		return;
	}
	r->reads = true;
	r->tail->readings++;
	r->recent.done = looked_back;
	recent_start(&r->recent, r->tail->disk, r->tail->directory, &r->filter, most);
}

static void on_call(struct handler *handler, struct call *call, const void *params)
{
	struct tail *tail = container_of(handler, struct tail, log_tail);
	const struct wire_log_tail *request = params;
	struct tail_request *r = calloc(1, sizeof *r);
	struct prodd_error e;
	int result = r ? 0 : prodd_error_set(&e, PRODD_E_NO_MEMORY, "log.tail");

	if (result == 0)
		result = check_room(tail, call_session(call), request, &e);
	if (result == 0)
		result = filter_set(&r->filter, request->app, request->level, request->match, &e);
	if (result < 0) {
		free(r);
		call_fail(call, &e);
		return;
	}
	r->tail = tail;
	r->call = call;
	LIST_INSERT_HEAD(&tail->requests, r, link);
	start(r, request);
}

/* ---- lifecycle */

int tail_init(struct tail *tail, struct disk *disk, const char *state, struct prodd_error *e)
{
	*tail = (struct tail){ .log_tail.call = on_call, .disk = disk };
	LIST_INIT(&tail->requests);
	if (asprintf(&tail->directory, "%s/spool", state) >= 0)
		return 0;
	tail->directory = NULL;
	return prodd_error_set(e, PRODD_E_NO_MEMORY, "log.tail");
}

/* What still reads will not be told of it: its job is not run any more. */
void tail_clear(struct tail *tail)
{
	struct tail_request *r;

	while ((r = LIST_FIRST(&tail->requests))) {
		stop_following(r);
		if (r->call)
			call_fail(r->call, &(struct prodd_error){ PRODD_E_CLOSED, "prodd ends" });
		if (r->reads)
			recent_clear(&r->recent);
		request_free(r);
	}
	free(tail->directory);
	*tail = (struct tail){ 0 };
}
