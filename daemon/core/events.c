/* SPDX-License-Identifier: Apache-2.0 */
/* A ring of the last events, and a list of those who follow. */
#include "daemon/core/events.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/core/counters.h"
#include "daemon/util/clock.h"
#include "daemon/util/container.h"
#include "proto/cursor.h"

enum {
	text_max = 1024,	/* bytes: the wire's limit of event.text */
	name_max = 128,		/* of app and instance */
	followers_max = 64,
};

/* One allocation: the texts stand behind the struct. */
struct entry {
	uint64_t number;
	uint64_t time_ms;
	enum event_kind kind;
	struct prodd_slice app;
	struct prodd_slice instance;
	struct prodd_slice text;
	char bytes[];
};

struct follower {
	struct peer peer;
	struct events *events;	/* borrowed */
	char app[name_max + 1];	/* "": of all */
	LIST_ENTRY(follower) link;
};

struct events {
	struct entry *kept[EVENTS_KEPT];	/* owned; by number modulo EVENTS_KEPT */
	uint64_t last;				/* number; 0: none yet */
	LIST_HEAD(, follower) followers;	/* owned */
	unsigned follower_count;
};

static const char *const kinds[] = {
#define X(id, kind, help) [EVENT_##id] = kind,
	EVENT_KINDS(X)
#undef X
};

int events_new(struct events **ret, struct loop *loop, struct prodd_error *e)
{
	struct events *events = calloc(1, sizeof *events);

	(void)loop;
	if (!events)
		return prodd_error_set(e, PRODD_E_NO_MEMORY, "events");
	LIST_INIT(&events->followers);
	*ret = events;
	return 0;
}

static void follower_free(struct follower *follower)
{
	LIST_REMOVE(follower, link);
	follower->events->follower_count--;
	free(follower);
}

struct events *events_free(struct events *events)
{
	if (!events)
		return NULL;
	for (unsigned i = 0; i < EVENTS_KEPT; i++)
		free(events->kept[i]);
	while (!LIST_EMPTY(&events->followers)) {
		struct follower *follower = LIST_FIRST(&events->followers);

		session_detach(&follower->peer);
		follower_free(follower);
	}
	free(events);
	return NULL;
}

/* ---- adding */

static struct prodd_slice put(char **to, struct prodd_slice text)
{
	struct prodd_slice copy = { *to, text.size };

	if (text.size > 0)
		memcpy(*to, text.at, text.size);
	*to += text.size;
	return copy;
}

static struct entry *entry_new(enum event_kind kind, struct prodd_slice app, struct prodd_slice instance,
			       struct prodd_slice text)
{
	struct entry *entry = malloc(sizeof *entry + app.size + instance.size + text.size);
	char *to;

	if (!entry)
		return NULL;
	to = entry->bytes;
	entry->kind = kind;
	entry->time_ms = clock_wall_ms();
	entry->app = put(&to, app);
	entry->instance = put(&to, instance);
	entry->text = put(&to, text);
	return entry;
}

static void keep(struct events *events, struct entry *entry)
{
	struct entry **slot;

	entry->number = ++events->last;
	slot = &events->kept[entry->number % EVENTS_KEPT];
	if (*slot)
		counters.events_dropped++;
	free(*slot);
	*slot = entry;
}

static struct wire_event wire_of(const struct entry *entry)
{
	return (struct wire_event){ .number = entry->number, .time_ms = entry->time_ms,
				    .kind = prodd_slice(kinds[entry->kind]), .app = entry->app,
				    .instance = entry->instance, .text = entry->text };
}

static bool concerns(const struct entry *entry, struct prodd_slice app)
{
	return app.size == 0 || prodd_slice_equal(entry->app, app);
}

/* Text of any origin as the wire allows it. */
static struct prodd_slice as_text(const char *text, size_t max)
{
	struct prodd_slice slice = prodd_text_cut(prodd_slice(text), max);

	return prodd_is_text(slice) ? slice : prodd_slice("(not UTF-8)");
}

void events_add(struct events *events, enum event_kind kind, const char *app, const char *instance,
		const char *format, ...)
{
	char text[text_max + 8];	/* what does not fit is cut between characters */
	struct follower *follower;
	struct wire_event event;
	struct entry *entry;
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	entry = entry_new(kind, as_text(app, name_max), as_text(instance, name_max), as_text(text, text_max));
	if (!entry) {
		events->last++;		/* a gap in the numbers tells of it */
		counters.events_dropped++;
		return;
	}
	keep(events, entry);
	event = wire_of(entry);
	LIST_FOREACH(follower, &events->followers, link)
		if (concerns(entry, prodd_slice(follower->app)))
			session_note(follower->peer.session, WIRE_M_event, &event);
}

/* ---- asking */

static const char follower_kind;

static void follower_closed(struct peer *peer)
{
	follower_free(container_of(peer, struct follower, peer));
}

static int follow(struct events *events, struct session *session, struct prodd_slice app, struct prodd_error *e)
{
	struct follower *follower;

	if (session_peer(session, &follower_kind))
		return prodd_error_set(e, PRODD_E_USAGE, "events: this session follows already");
	if (events->follower_count >= followers_max)
		return prodd_error_set(e, PRODD_E_OVER_LIMIT, "events: %d sessions follow already", followers_max);
	follower = calloc(1, sizeof *follower);
	if (!follower)
		return prodd_error_set(e, PRODD_E_NO_MEMORY, "events");
	follower->events = events;
	follower->peer.closed = follower_closed;
	follower->peer.kind = &follower_kind;
	snprintf(follower->app, sizeof follower->app, "%.*s", PRODD_SLICE(app));
	LIST_INSERT_HEAD(&events->followers, follower, link);
	events->follower_count++;
	session_attach(session, &follower->peer);
	return 0;
}

/* The number of the oldest event that is still kept, or was to be. */
static uint64_t oldest(const struct events *events)
{
	return events->last > EVENTS_KEPT ? events->last - EVENTS_KEPT + 1 : 1;
}

static void answer(struct events *events, struct call *call, const struct wire_events_request *params)
{
	prodd_auto_buffer rows = { .limit = 0 };
	uint64_t first = params->after < events->last ? params->after + 1 : events->last + 1;
	struct wire_events result = { 0 };
	uint32_t count = 0;

	if (first < oldest(events)) {
		result.dropped = oldest(events) - first;
		first = oldest(events);
	}
	for (uint64_t number = first; number <= events->last; number++) {
		const struct entry *entry = events->kept[number % EVENTS_KEPT];
		struct wire_event event;

		if (!entry || entry->number != number || !concerns(entry, params->app))
			continue;
		event = wire_of(entry);
		prodd_encode_element(&rows, &count, &wire_record_event, &event);
	}
	if (rows.failed) {
		struct prodd_error e;

		prodd_error_set(&e, -rows.failed, "events");
		call_fail(call, &e);
		return;
	}
	result.events = prodd_list(&rows, count);
	call_answer(call, &result);
}

void events_call(struct events *events, struct call *call, const struct wire_events_request *params)
{
	struct prodd_error e;

	if (params->follow && call_session(call) && follow(events, call_session(call), params->app, &e) < 0)
		call_fail(call, &e);
	else
		answer(events, call, params);
}
