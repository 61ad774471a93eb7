/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Calls of a session to the daemon: is the method known, has this sender the
 * right to it, do the params fit; then the service gets it.  A call outlives
 * its session: its handler still answers it, into nothing.
 */
#include "daemon/core/session_parts.h"

#include <stdlib.h>

#include "daemon/core/counters.h"
#include "daemon/util/file.h"

struct call {
	struct session *session;	/* borrowed; NULL: has gone */
	enum wire_method method;
	uint64_t id;
	int fd;				/* owned: came with it; -1: none, or taken */
	LIST_ENTRY(call) link;		/* while it has a session */
};

/* The decoded params of any method. */
union params {
#define MEMBER(record, help) struct wire_##record record;
	WIRE_RECORDS(MEMBER)
#undef MEMBER
};

struct session *call_session(const struct call *call)
{
	return call->session;
}

enum wire_method call_method(const struct call *call)
{
	return call->method;
}

int call_take_fd(struct call *call)
{
	int fd = call->fd;

	call->fd = -1;
	return fd;
}

static struct call *call_new(struct session *session, const struct prodd_message *message)
{
	struct call *call = malloc(sizeof *call);

	if (!call)
		return NULL;
	*call = (struct call){ .session = session, .method = message->method, .id = message->id, .fd = -1 };
	LIST_INSERT_HEAD(&session->calls, call, link);
	session->call_count++;
	return call;
}

static void call_free(struct call *call)
{
	file_close(&call->fd);
	free(call);
}

static void forget(struct call *call)
{
	call->session->call_count--;
	LIST_REMOVE(call, link);
	call->session = NULL;
}

void call_forget_all(struct session *session)
{
	while (!LIST_EMPTY(&session->calls))
		forget(LIST_FIRST(&session->calls));
}

void call_answer(struct call *call, const void *result)
{
	struct session *session = call->session;

	if (session) {
		forget(call);
		session_answer(session, call->id, wire_methods[call->method].result, result);
	}
	call_free(call);
}

void call_answer_fd(struct call *call, const void *result, int fd)
{
	struct session *session = call->session;

	if (session) {
		forget(call);
		session_answer_fd(session, call->id, wire_methods[call->method].result, result, fd);
	}
	call_free(call);
}

void call_fail(struct call *call, const struct prodd_error *error)
{
	struct session *session = call->session;

	if (session) {
		forget(call);
		session_answer_error(session, call->id, error);
	}
	call_free(call);
}

/* ---- rights */

/* The text `app` of decoded params; empty when the record has none. */
static struct prodd_slice app_of(const struct wire_record *type, const void *params)
{
	struct prodd_slice app = { 0 };

	for (unsigned i = 0; i < type->count; i++)
		if (type->fields[i].kind == WIRE_STR && strcmp(type->fields[i].name, "app") == 0)
			memcpy(&app, (const char *)params + type->fields[i].offset, sizeof app);
	return app;
}

static int not_permitted(struct prodd_error *e, const struct wire_method_info *method, const char *why)
{
	counters.calls_not_permitted++;
	return prodd_error_set(e, PRODD_E_NOT_PERMITTED, "%s: %s", method->name, why);
}

/* The right to a method that depends on the session alone. */
static int check_right(const struct session *session, const struct wire_method_info *method, struct prodd_error *e)
{
	if (method->sender == WIRE_ANY)
		return 0;
	if (method->sender == WIRE_APP)
		return session->has_app ? 0 : not_permitted(e, method, "only for a session whose hello named an app");
	if (method->sender == WIRE_OPERATOR)
		return session->is_operator ? 0 : not_permitted(e, method, "only on the operators' socket");
	return not_permitted(e, method, "only prodd sends this");
}

/* The right to a method for one app. */
static int check_own(const struct session *session, const struct wire_method_info *method, struct prodd_slice app,
		     struct prodd_error *e)
{
	struct service *service = session->host->service;

	if (session->is_operator)
		return 0;
	if (app.size == 0)
		return not_permitted(e, method, "for all apps only on the operators' socket; name your app");
	return service->ops->may_use(service, &session->identity, app)
	       ? 0 : not_permitted(e, method, "on this socket only for an app whose name you may use");
}

/* ---- taking */

static int check(struct session *session, const struct prodd_message *message, union params *params,
		 struct prodd_error *e)
{
	const struct wire_method_info *method = &wire_methods[message->method];
	int r;

	if (message->method == WIRE_NO_METHOD) {
		counters.calls_unsupported++;
		return prodd_error_set(e, PRODD_E_UNSUPPORTED, "no method \"%.*s\"", PRODD_SLICE(message->name));
	}
	if (message->method == WIRE_M_hello)
		return prodd_error_set(e, PRODD_E_USAGE, "hello: this session has said it already");
	if (session->call_count >= session_limits(session)->calls) {
		counters.calls_over_limit++;
		return prodd_error_set(e, PRODD_E_OVER_LIMIT, "%s: %u calls are outstanding already", method->name,
				       session->call_count);
	}
	r = method->sender == WIRE_OWN ? 0 : check_right(session, method, e);
	if (r == 0)
		r = prodd_message_decode(message, method->params, params, e);
	if (r == 0 && method->sender == WIRE_OWN)
		r = check_own(session, method, app_of(method->params, params), e);
	return r;
}

static void dispatch(struct session_host *host, struct call *call, const void *params)
{
	struct handler *handler = host->handlers[call->method];

	if (handler)
		handler->call(handler, call, params);
	else
		host->service->ops->call(host->service, call, params);
}

static bool attaches_memory(enum wire_method method)
{
	return method == WIRE_M_ring_attach || method == WIRE_M_segment_attach;
}

void call_take(struct session *session, const struct prodd_message *message)
{
	auto_fd fd = attaches_memory(message->method) ? descriptor_take(session) : -1;
	union params params;
	struct prodd_error e;
	struct call *call;
	int r = check(session, message, &params, &e);

	counters.calls_received++;
	if (r == -PRODD_E_PROTOCOL) {
		session_violation(session, message->id, &e, &counters.sessions_ended_protocol);
		return;
	}
	if (r < 0) {
		session_answer_error(session, message->id, &e);
		return;
	}
	call = call_new(session, message);
	if (!call) {
		session_end_counted(session, &counters.sessions_ended_memory);
		return;
	}
	call->fd = fd;
	fd = -1;	/* given to the call */
	if (message->method == WIRE_M_ping)
		call_answer(call, &params.empty);
	else
		dispatch(session->host, call, &params);
}
