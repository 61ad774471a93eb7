/* SPDX-License-Identifier: Apache-2.0 */
/* What changes something becomes a request; the answer comes with the end of its transaction. */
#include "daemon/config/verbs.h"

#include <stdio.h>
#include <stdlib.h>

#include "daemon/config/request.h"
#include "daemon/config/transaction.h"
#include "daemon/tree/names.h"
#include "daemon/util/clock.h"
#include "daemon/util/container.h"

#define PATIENCE_MS 30000		/* wait for a transaction that runs, when --timeout is not given */
#define PATIENCE_MOST_MS 3600000
#define CONFIRM_MOST_MS (7ull * 24 * 3600 * 1000)

struct app *verb_app(struct config *config, struct call *call, struct prodd_slice name)
{
	char text[APP_NAME_MAX];
	struct prodd_error e;
	struct app *app;

	snprintf(text, sizeof text, "%.*s", PRODD_SLICE(name));
	app = app_find(config, text, false);
	if (!app && names_app(name) && config_has_directory(config, text))
		app = config_add_app(config, text);
	if (app && app->served)
		return app;
	prodd_error_set(&e, PRODD_E_NOT_FOUND, app ? "%s: no configuration is served under this name" :
			"%s: no such app: no directory %s/%s, and no instance of it is connected", text,
			config->apps_directory, text);
	call_fail(call, &e);
	return NULL;
}

struct scope *verb_scope(struct config *config, struct call *call, struct prodd_slice name,
			 struct prodd_slice environment, bool live)
{
	struct app *app = verb_app(config, call, name);
	struct prodd_error e;
	struct scope *scope;

	if (!app)
		return NULL;
	scope = app_choose_scope(app, environment, &e);
	if (scope && live && !scope->live) {
		prodd_error_set(&e, PRODD_E_NO_CONFIG, "%s has no live configuration in the environment %s",
				app->name, scope->row->environment);
		scope = NULL;
	}
	if (!scope)
		call_fail(call, &e);
	return scope;
}

const char *verb_who(const struct call *call)
{
	const struct session *session = call_session(call);

	return session ? session_identity(session)->user : "nobody";
}

/* ---- reload */

static void fail_with(struct call *call, int code, const char *text)
{
	struct prodd_error e;

	prodd_error_set(&e, code, "%s", text);
	call_fail(call, &e);
}

static void reload_one(struct app *app, struct collector *collector, const struct wire_reload *reload,
		       const char *who)
{
	static const struct prodd_error no_memory = { PRODD_E_NO_MEMORY, "no memory for the request" };
	struct request *request = request_new(REQUEST_RELOAD, app, who, collector);
	uint64_t patience = reload->timeout_ms ? reload->timeout_ms : PATIENCE_MS;

	if (!request) {
		collector->reports.failed = -no_memory.code;
		return;
	}
	request->options = (struct request_options){
		.dry_run = reload->dry_run, .force = reload->force, .confirm_ms = reload->confirm_ms,
	};
	request_submit(request, patience < PATIENCE_MOST_MS ? patience : PATIENCE_MOST_MS);
}

void verb_reload(struct config *config, struct call *call, const void *params)
{
	const struct wire_reload *reload = params;
	struct app *app = NULL, *next;
	struct collector *collector;

	if (reload->force && !session_is_operator(call_session(call))) {
		fail_with(call, PRODD_E_NOT_PERMITTED,
			  "reload with force is for operators, on the operators' socket");
		return;
	}
	if (reload->confirm_ms > CONFIRM_MOST_MS) {
		fail_with(call, PRODD_E_USAGE, "reload.confirm_ms: at most 7 days");
		return;
	}
	if (reload->app.size) {
		app = verb_app(config, call, reload->app);
		if (!app)
			return;
	}
	collector = collector_new(call);
	if (!collector)
		return;
	if (app) {
		reload_one(app, collector, reload, verb_who(call));
	} else {
		config_find_new_apps(config);
		HASH_ITER(hh, config->apps, app, next)
			if (app->served)
				reload_one(app, collector, reload, verb_who(call));
	}
	collector_release(collector);
}

/* ---- confirm */

struct confirmation {
	struct store_write write;
	struct app *app;		/* borrowed */
	struct call *call;		/* owned */
	unsigned count;
	struct scope **scopes;		/* owned; of borrowed ones */
	struct store_change *changes;	/* owned */
};

static struct confirmation *confirmation_free(struct confirmation *c)
{
	if (!c)
		return NULL;
	free(c->scopes);
	free(c->changes);
	free(c);
	return NULL;
}

static void report_confirmed(struct confirmation *c)
{
	prodd_auto_buffer rows = { .limit = 0 };
	uint32_t count = 0;

	for (unsigned i = 0; i < c->count; i++) {
		uint64_t number = c->scopes[i]->row->generation;
		struct wire_report row = {
			.app = prodd_slice(c->app->name),
			.environment = prodd_slice(scope_label(c->scopes[i])),
			.outcome = prodd_slice("committed"),
			.from = number,
			.to = number,
			.note = prodd_slice("confirmed"),
		};

		prodd_encode_element(&rows, &count, &wire_record_report, &row);
		events_add(c->app->config->events, EVENT_CONFIRMED, c->app->name, "", "generation %lu",
			   (unsigned long)number);
	}
	call_answer(c->call, &(struct wire_reports){ .reports = prodd_list(&rows, count) });
}

static void confirmed(struct store_write *write)
{
	struct confirmation *c = container_of(write, struct confirmation, write);
	struct config *config = c->app->config;

	c->app->confirming = false;
	if (write->outcome == STORE_NOT_WRITTEN)
		call_fail(c->call, &write->error);
	else
		report_confirmed(c);
	confirmation_free(c);
	config_settle(config);
}

static bool waits_for_confirmation(const struct scope *scope, struct prodd_slice environment)
{
	return scope->row->fallback &&
	       (environment.size == 0 || prodd_slice_is(environment, scope->row->environment));
}

/* Of all environments, or of the one named. NULL: no memory. */
static struct confirmation *confirmation_new(struct app *app, struct prodd_slice environment)
{
	struct confirmation *c = calloc(1, sizeof *c);
	struct scope *scope;
	unsigned count = 0;

	LIST_FOREACH(scope, &app->scopes, link)
		count++;
	if (c) {
		c->app = app;
		c->scopes = calloc(count + 1, sizeof(struct scope *));
		c->changes = calloc(count + 1, sizeof *c->changes);
	}
	if (!c || !c->scopes || !c->changes)
		return confirmation_free(c);
	LIST_FOREACH(scope, &app->scopes, link) {
		if (!waits_for_confirmation(scope, environment))
			continue;
		c->scopes[c->count] = scope;
		c->changes[c->count] = (struct store_change){ .row = scope->row, .now = *scope->row };
		c->changes[c->count].now.fallback = c->changes[c->count].now.confirm_boot_ms = 0;
		c->count++;
	}
	return c;
}

void verb_confirm(struct config *config, struct call *call, const void *params)
{
	const struct wire_app_request *request = params;
	struct app *app = verb_app(config, call, request->app);
	struct confirmation *c = app ? confirmation_new(app, request->environment) : NULL;

	if (!app)
		return;
	if (!c || c->count == 0 || app_is_busy(app)) {
		if (!c)
			fail_with(call, PRODD_E_NO_MEMORY, "no memory for the confirmation");
		else if (c->count == 0)
			fail_with(
				call, PRODD_E_FAILED,
				"nothing waits for a confirmation: it was confirmed, or rolled back already");
		else
			fail_with(call, PRODD_E_BUSY,
				  "a transaction of the app runs; try again when it has ended");
		confirmation_free(c);
		return;
	}
	c->call = call;
	c->write = (struct store_write){ .changes = c->changes, .change_count = c->count, .done = confirmed };
	app->confirming = true;
	store_write(config->store, &c->write);
}

/* ---- directives */

/* A request about the scope that the command names; NULL: the call has been failed. */
static struct request *directive(struct config *config, struct call *call, enum request_kind kind,
				 struct prodd_slice app, struct prodd_slice environment)
{
	struct scope *scope = verb_scope(config, call, app, environment, true);
	const char *who = verb_who(call);
	struct collector *collector = scope ? collector_new(call) : NULL;
	struct request *request;

	if (!collector)
		return NULL;
	request = request_new(kind, scope->app, who, collector);
	if (request)
		request->scope = scope;
	else
		collector->reports.failed = -PRODD_E_NO_MEMORY;
	collector_release(collector);	/* the request holds it now */
	return request;
}

void verb_set(struct config *config, struct call *call, const void *params)
{
	const struct wire_set *set = params;
	struct request *request;

	if (!names_key(set->key)) {
		fail_with(call, PRODD_E_USAGE, "config.set: the key is no dotted name");
		return;
	}
	request = directive(config, call, REQUEST_SET, set->app, set->environment);
	if (!request)
		return;
	snprintf(request->key, sizeof request->key, "%.*s", PRODD_SLICE(set->key));
	prodd_buffer_append(&request->value, set->value.at, set->value.size);
	request->for_ms = set->for_ms;
	request_submit(request, PATIENCE_MS);
}

void verb_unset(struct config *config, struct call *call, const void *params)
{
	const struct wire_unset *unset = params;
	struct request *request = directive(config, call, REQUEST_UNSET, unset->app, unset->environment);

	if (!request)
		return;
	snprintf(request->key, sizeof request->key, "%.*s", PRODD_SLICE(unset->key));
	request_submit(request, PATIENCE_MS);
}

void verb_rollback(struct config *config, struct call *call, const void *params)
{
	const struct wire_rollback *rollback = params;
	struct request *request =
		directive(config, call, REQUEST_ROLLBACK, rollback->app, rollback->environment);
	struct prodd_error e;

	if (!request)
		return;
	request->generation = rollback->generation ? rollback->generation : request->scope->row->previous;
	if (request->generation == 0 || request->generation == request->scope->row->generation) {
		prodd_error_set(&e, PRODD_E_USAGE,
				request->generation ? "generation %lu is the live one"
						    : "no generation was live before",
				(unsigned long)request->generation);
		request_fail(request, "failed", &e);
		return;
	}
	request_submit(request, PATIENCE_MS);
}
