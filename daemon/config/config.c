/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The subsystem's root: owns the apps and the store, hands
 * methods to their handlers, and starts what is due.
 */
#include "daemon/config/config.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/config/ballot.h"
#include "daemon/config/declared.h"
#include "daemon/config/expiry.h"
#include "daemon/config/greeting.h"
#include "daemon/config/inspect.h"
#include "daemon/config/outcome.h"
#include "daemon/config/returns.h"
#include "daemon/config/verbs.h"
#include "daemon/config/watch.h"
#include "daemon/core/counters.h"
#include "daemon/tree/names.h"
#include "daemon/util/clock.h"
#include "daemon/util/container.h"
#include "daemon/util/log.h"

/* ---- methods */

typedef void verb(struct config *config, struct call *call, const void *params);

static void verb_events(struct config *config, struct call *call, const void *params)
{
	events_call(config->events, call, params);
}

static verb *const verbs[WIRE_METHOD_COUNT] = {
	[WIRE_M_config_declare] = verb_declare,
	[WIRE_M_config_subscribe] = verb_subscribe,
	[WIRE_M_reload] = verb_reload,
	[WIRE_M_confirm] = verb_confirm,
	[WIRE_M_config_show] = verb_show,
	[WIRE_M_config_explain] = verb_explain,
	[WIRE_M_config_check] = verb_check,
	[WIRE_M_config_diff] = verb_diff,
	[WIRE_M_config_set] = verb_set,
	[WIRE_M_config_unset] = verb_unset,
	[WIRE_M_config_history] = verb_history,
	[WIRE_M_config_rollback] = verb_rollback,
	[WIRE_M_config_schema] = verb_schema,
	[WIRE_M_status] = verb_status,
	[WIRE_M_events] = verb_events,
};

static void on_call(struct service *service, struct call *call, const void *params)
{
	static const struct prodd_error unknown = { PRODD_E_UNSUPPORTED,
						    "the method is not one that prodd answers" };
	verb *handle = verbs[call_method(call)];

	if (handle)
		handle(container_of(service, struct config, service), call, params);
	else
		call_fail(call, &unknown);
}

static const struct service_ops service_ops = {
	.hello = greeting_of_app,
	.hello_command = greeting_of_command,
	.may_use = greeting_may_use,
	.call = on_call,
};

/* ---- what happens next */

void config_look(struct config *config, struct app *app, const char *why)
{
	struct request *request;

	if (app->held || config->ending)
		return;
	request = request_new(REQUEST_LOOK, app, why, NULL);
	if (request)
		request_submit(request, 0);
	else
		log_error("%s: no memory to look at its files; the next rescan tries again", app->name);
}

static bool is_live(const struct app *app)
{
	const struct scope *scope;

	LIST_FOREACH(scope, &app->scopes, link)
		if (scope_is_active(scope) && !scope->live)
			return false;
	return true;
}

/* With watch = "manual" what is live stays, until somebody asks. */
static void look_unasked(struct config *config, struct app *app, const char *why)
{
	if (config->settings.watch || !is_live(app))
		config_look(config, app, why);
}

static void app_returned(struct config *config, struct app *app)
{
	app->held = false;
	look_unasked(config, app, "files changed");
}

static void returned_fired(struct loop_timer *timer)
{
	struct config *config = container_of(timer, struct config, returned);
	struct app *app;

	for (app = config->apps; app; app = app->hh.next)
		if (app->held)
			app_returned(config, app);
}

void config_instance_subscribed(struct config *config, struct instance *instance)
{
	struct app *app = instance->app;
	struct scope *scope = instance->scope;

	returns_record(config);
	if (!scope) {
		instance_serve(instance);
		return;
	}
	if (app->held && returns_expected(config->returns, app->name, instance->name) && --app->expected == 0)
		app_returned(config, app);
	if (declared_try(config, instance))
		return;		/* the end of a transaction serves it */
	/* A first instance: nobody has looked at the files of this environment lately, or ever. */
	if (!scope->live || TAILQ_FIRST(&scope->instances) == TAILQ_LAST(&scope->instances, instance_list))
		look_unasked(config, app, scope->live ? "files changed" : "first instance");
	instance_serve(instance);
	if (app->transaction)
		transaction_instance_came(app->transaction, instance);
}

/* What failed by its silence is tried again, once it can be asked or need not be. */
static void retry_after_silence(struct config *config, struct scope *scope)
{
	if (!scope->retry_silent)
		return;
	scope->retry_silent = false;
	scope->differs_hash[0] = '\0';
	config_look(config, scope->app, "files changed");
}

void config_instance_heard(struct config *config, struct instance *instance)
{
	bool was_silent = instance->silent;

	instance->silent = false;
	if (instance->scope && was_silent)
		retry_after_silence(config, instance->scope);
}

void config_instance_left(struct config *config, struct app *app, struct scope *scope,
			  struct instance *instance)
{
	events_add(config->events, EVENT_DISCONNECTED, app->name, instance->name, "%s", "");
	returns_record(config);
	declared_left(app, instance);
	if (app->transaction)
		transaction_instance_left(app->transaction, instance);
	if (scope && instance->silent && !config->ending)
		retry_after_silence(config, scope);
	if (!app->served && TAILQ_EMPTY(&app->instances))
		app_free(app);
}

void config_instance_confirmed(struct config *config, struct instance *instance)
{
	if (instance->state != INSTANCE_DIVERGED)
		return;
	counters.instances_diverged++;
	events_add(config->events, EVENT_DIVERGED, instance->app->name, instance->name, "%s",
		   instance->reason);
}

void config_event_refused(struct config *config, struct instance *instance)
{
	events_add(config->events, EVENT_REFUSED, instance->app->name, instance->name, "%s",
		   instance->reason);
}

/* ---- transactions */

static void after_candidate(struct transaction *t, struct candidate *candidate)
{
	bool changed = t->outcome == OUTCOME_COMMITTED && candidate->verdict == CANDIDATE_CHANGED;
	struct instance *instance, *next;
	struct voter *voter;

	for (instance = TAILQ_FIRST(&candidate->scope->instances); instance; instance = next) {
		next = TAILQ_NEXT(instance, in_scope);
		voter = ballot_voter(candidate, instance);
		if (declared_pending(instance))
			continue;
		if (instance_lags(instance) || (changed && voter && !voter->confirmed))
			instance_serve(instance);
		if (voter && voter->vote == VOTE_SILENT)
			instance_probe(instance);
	}
}

void config_transaction_ended(struct config *config, struct transaction *t)
{
	struct candidate *candidate;
	struct app *app;

	for (app = config->apps; app; app = app->hh.next)
		if (app->transaction == t)
			app->transaction = NULL;
	TAILQ_FOREACH(candidate, &t->candidates, link)
		declared_ended(config, t, candidate->scope->app);
	TAILQ_FOREACH(candidate, &t->candidates, link)
		declared_next(config, candidate->scope->app);
	TAILQ_FOREACH(candidate, &t->candidates, link)
		after_candidate(t, candidate);
}

void config_settle(struct config *config)
{
	struct transaction *t;
	struct app *app, *next_app;

	if (config->ending)
		return;
	LIST_FOREACH(t, &config->transactions, link)
		transaction_wake(t);
	HASH_ITER(hh, config->apps, app, next_app)
		request_next(app);
	expiry_plan(config);
}

/* ---- starting and ending */

bool config_has_directory(const struct config *config, const char *name)
{
	char path[4096];
	struct stat st;

	snprintf(path, sizeof path, "%s/%s", config->apps_directory, name);
	return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

struct app *config_add_app(struct config *config, const char *name)
{
	struct app *app = app_find(config, name, true);

	if (!app || !app_scope(app, app->environment, true, NULL))
		return NULL;
	watch_app(config, app);
	return app;
}

/* Every directory below apps/ is an app. */
static void find_directories(struct config *config, struct app *(*add)(struct config *, const char *))
{
	DIR *directory = opendir(config->apps_directory);
	struct dirent *entry;

	while (directory && (entry = readdir(directory)))
		if (names_app(prodd_slice(entry->d_name)) && !app_find(config, entry->d_name, false))
			add(config, entry->d_name);
	if (directory)
		closedir(directory);
}

void config_find_new_apps(struct config *config)
{
	find_directories(config, config_add_app);
}

static struct app *add_without_watch(struct config *config, const char *name)
{
	return app_find(config, name, true);
}

/* So is every block of prodd.conf, and whoever has a live generation. */
static int find_apps(struct config *config, struct prodd_error *e)
{
	const struct app_block *block;
	struct app *app;

	find_directories(config, add_without_watch);
	for (block = config->settings.blocks; block; block = block->hh.next)
		app_find(config, block->name, true);
	for (struct store_row *row = store_next(config->store, NULL); row;
	     row = store_next(config->store, row)) {
		app = app_find(config, row->app, true);
		if (!app || !app_scope(app, row->environment, true, e))
			return prodd_error_set(e, PRODD_E_NO_MEMORY, "the apps");
	}
	for (app = config->apps; app; app = app->hh.next)
		if (!app_scope(app, app->environment, true, e))
			return -e->code;
	return 0;
}

static void hold_apps(struct config *config)
{
	struct app *app;
	bool any = false;

	for (app = config->apps; app; app = app->hh.next) {
		app->expected = returns_count(config->returns, app->name);
		app->held = app->expected > 0 && is_live(app); /* who has nothing need not wait for anybody */
		any = any || app->held;
		watch_app(config, app);
		look_unasked(config, app, CONFIG_CAUSE_START);
	}
	if (any)
		loop_timer_arm(&config->returned, CONFIG_RETURN_MS);
}

int config_new(struct config **ret, struct loop *loop, struct disk *disk, struct events *events,
	       struct accounts *accounts, const struct helper_program *parser, const struct places *places,
	       struct settings *settings, struct prodd_error *e)
{
	struct config *config = calloc(1, sizeof *config);
	int r;

	if (!config)
		return prodd_error_set(e, PRODD_E_NO_MEMORY, "the configuration");
	config->service.ops = &service_ops;
	config->loop = loop;
	config->disk = disk;
	config->events = events;
	config->accounts = accounts;
	config->parser = parser;
	config->places = places;
	config->apps_directory = places->apps;
	config->settings = *settings;
	*settings = (struct settings){ 0 };
	config->own = geteuid();
	config->started_ms = clock_monotonic_ms();
	LIST_INIT(&config->transactions);
	LIST_INIT(&config->inspections);
	r = store_open(&config->store, disk, places->state, config->settings.history, e);
	if (r >= 0)
		r = loop_timer_init(&config->returned, loop, returned_fired, e);
	if (r >= 0)
		r = expiry_init(config, e);
	if (r >= 0)
		r = returns_new(&config->returns, config, e);
	if (r >= 0)
		r = find_apps(config, e);
	if (r >= 0 && config->settings.watch)
		r = watcher_new(&config->watcher, config, e);
	if (r < 0) {
		config_free(config);
		return r;
	}
	hold_apps(config);
	expiry_plan(config);
	*ret = config;
	return 0;
}

void config_end(struct config *config)
{
	config->ending = true;
	loop_timer_disarm(&config->returned);
	loop_timer_disarm(&config->expiry);
}

struct config *config_free(struct config *config)
{
	struct transaction *t;
	struct request *request;
	struct app *app, *next;

	if (!config)
		return NULL;
	inspect_end(config);
	while ((t = LIST_FIRST(&config->transactions)))
		transaction_cancel(t);
	HASH_ITER(hh, config->apps, app, next) {
		while ((request = TAILQ_FIRST(&app->requests))) {
			request->look.queued = false;	/* the disk thread is gone */
			request_end(request);
		}
	}
	config->watcher = watcher_free(config->watcher);
	HASH_ITER(hh, config->apps, app, next)
		app_free(app);
	config->returns = returns_free(config->returns);
	loop_timer_clear(&config->returned);
	loop_timer_clear(&config->expiry);
	config->store = store_free(config->store);
	settings_clear(&config->settings);
	free(config);
	return NULL;
}
