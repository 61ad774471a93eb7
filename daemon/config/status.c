/* SPDX-License-Identifier: Apache-2.0 */
/* The state as records: problems first, then apps with their instances, counters, accounts. */
#define _GNU_SOURCE
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "daemon/config/claim.h"
#include "daemon/config/transaction.h"
#include "daemon/config/verbs.h"
#include "daemon/config/watch.h"
#include "daemon/core/counters.h"
#include "daemon/core/problems.h"
#include "daemon/util/clock.h"
#include "daemon/util/version.h"

struct rows {
	struct prodd_buffer bytes;
	uint32_t count;
};

/* ---- problems */

static uint64_t wall_of_boot(uint64_t boot_ms)
{
	return clock_wall_ms() + boot_ms - clock_boot_ms();
}

static void name_scope(const struct scope *scope, const char *prefix, char *text, size_t size)
{
	snprintf(text, size, *scope_label(scope) ? "%s%s (%s)" : "%s%s%.0s", prefix, scope->app->name,
		 scope_label(scope));
}

static void scope_differs(const struct scope *scope, struct problems_found *found)
{
	char subject[160], first[STORE_WHY_MAX + 64], second[64], command[192];

	if (!*scope->differs_why)
		return;
	name_scope(scope, "config ", subject, sizeof subject);
	if (scope->live) {
		snprintf(first, sizeof first, "files differ from live: %s", scope->differs_why);
		snprintf(second, sizeof second, "generation %" PRIu64 " stays live", scope->row->generation);
		snprintf(command, sizeof command, "prodctl config diff %s", scope->app->name);
		problems_found_add(found, PROBLEM_CONFIG_DIFFERS, subject, scope->differs_ms,
			    (const char *[PROBLEM_LINES_MAX]){ first, second }, command);
		return;
	}
	snprintf(first, sizeof first, "no valid configuration: %s", scope->differs_why);
	snprintf(command, sizeof command, "prodctl config check %s", scope->app->name);
	problems_found_add(found, PROBLEM_CONFIG_NONE, subject, scope->differs_ms,
		    (const char *[PROBLEM_LINES_MAX]){
			    first, "instances wait for one, or use what they have in their cache" },
		    command);
}

static void scope_unconfirmed(const struct scope *scope, struct problems_found *found)
{
	char subject[160], line[160], command[192];

	if (!scope->row->fallback)
		return;
	name_scope(scope, "config ", subject, sizeof subject);
	snprintf(line, sizeof line,
		 "generation %" PRIu64 " rolls back to %" PRIu64 " in %" PRIu64 " s unless it is confirmed",
		 scope->row->generation, scope->row->fallback,
		 scope->row->confirm_boot_ms > clock_boot_ms()
			 ? (scope->row->confirm_boot_ms - clock_boot_ms()) / 1000
			 : 0);
	snprintf(command, sizeof command, "prodctl confirm %s", scope->app->name);
	problems_found_add(found, PROBLEM_CONFIG_UNCONFIRMED, subject, 0, (const char *[PROBLEM_LINES_MAX]){ line }, command);
}

static void app_writer(const struct app *app, struct problems_found *found)
{
	char subject[160], path[512], line[600], command[540];
	uint64_t since_ms = watch_open_writer(app, path, sizeof path);

	if (!since_ms)
		return;
	snprintf(subject, sizeof subject, "config %s", app->name);
	snprintf(line, sizeof line, "%s is open for writing; changes wait until it is closed", path);
	snprintf(command, sizeof command, "fuser -v %s", path);
	problems_found_add(found, PROBLEM_CONFIG_WRITER, subject, clock_wall_ms() - (clock_monotonic_ms() - since_ms),
		    (const char *[PROBLEM_LINES_MAX]){ line }, command);
}

static void instance_problem(const struct instance *instance, struct problems_found *found)
{
	static const struct {
		enum instance_state state;
		enum problem_id id;
		const char *what;
		const char *effect;
	} table[] = {
		{ INSTANCE_DIVERGED, PROBLEM_INSTANCE_DIVERGED, "cannot use the live generation",
		  "it keeps what it has; a later generation may suit it" },
		{ INSTANCE_REFUSED, PROBLEM_INSTANCE_REFUSED, "its own environment is invalid",
		  "it keeps what it has until its variables are mended and it is restarted" },
		{ INSTANCE_RESTART, PROBLEM_INSTANCE_RESTART, "needs a restart",
		  "it stays whole on its old generation" },
		{ INSTANCE_UNCONFIRMED, PROBLEM_INSTANCE_UNCONFIRMED, "has not confirmed the live generation",
		  "it switches when it reads the commit" },
	};
	char subject[2 * APP_NAME_MAX + 16], line[700], command[APP_NAME_MAX + 32];

	snprintf(subject, 160, "app %.70s/%.70s", instance->app->name, instance->name);
	snprintf(command, sizeof command, "prodctl status %s", instance->app->name);
	for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
		if (instance->state != table[i].state)
			continue;
		snprintf(line, sizeof line, *instance->reason ? "%s: %s" : "%s%.0s", table[i].what,
			 instance->reason);
		problems_found_add(found, table[i].id, subject, 0, (const char *[PROBLEM_LINES_MAX]){ line, table[i].effect },
			    command);
	}
	if (instance->state == INSTANCE_APPLIED && instance->kept_count > 0)
		problems_found_add(found, PROBLEM_INSTANCE_RESTART, subject, 0,
			    (const char *[PROBLEM_LINES_MAX]){
				    "restart needed: settings keep their old values until then" },
			    command);
}

static void claim_problem(const struct app *app, struct problems_found *found)
{
	const struct instance *instance = TAILQ_FIRST(&app->instances);
	char subject[160], line[300], advice[200], name[64];

	if (app->served || !instance)
		return;
	snprintf(name, sizeof name, "%.*s", (int)strcspn(app->name, "~"), app->name);
	snprintf(subject, sizeof subject, "app %s", app->name);
	snprintf(line, sizeof line, "claims \"%s\" but runs as %s outside %s.service", name,
		 session_identity(instance->peer.session)->user, name);
	claim_advice(session_identity(instance->peer.session), name, advice, sizeof advice);
	problems_found_add(found, PROBLEM_APP_CLAIM, subject, 0,
		    (const char *[PROBLEM_LINES_MAX]){
			    line, "it is served no configuration; to allow it, in prodd.conf:", advice },
		    "");
}

static void app_problems(const struct app *app, struct problems_found *found)
{
	const struct instance *instance;
	const struct scope *scope;

	claim_problem(app, found);
	app_writer(app, found);
	LIST_FOREACH(scope, &app->scopes, link) {
		scope_differs(scope, found);
		scope_unconfirmed(scope, found);
	}
	TAILQ_FOREACH(instance, &app->instances, in_app)
		instance_problem(instance, found);
}

/* ---- apps */

static void instance_row(const struct instance *instance, struct rows *rows)
{
	const struct session *session = instance->peer.session;
	const struct identity *who = session_identity(session);
	struct wire_instance_status row = {
		.instance = prodd_slice(instance->name),
		.environment = prodd_slice(instance->scope ? instance->scope->row->environment : ""),
		.pid = who->pid > 0 ? (uint64_t)who->pid : 0,
		.uid = who->uid,
		.unit = prodd_slice(who->unit),
		.client = session_client(session),
		.generation = instance->generation,
		.state = prodd_slice(instance_state_word(instance->state)),
		.reason = prodd_slice(instance->reason),
		.kept = prodd_list(&instance->kept, instance->kept_count),
		.up_ms = session_up_ms(session),
		.heard_ms = session_heard_ms(session),
		.bytes_in = session_bytes_in(session),
		.bytes_out = session_bytes_out(session),
	};

	prodd_encode_element(&rows->bytes, &rows->count, &wire_record_instance_status, &row);
}

static void add_parts(const struct config *config, const struct app *app, struct wire_app_status *row)
{
	for (struct status_part *part = config->parts; part; part = part->next)
		part->app(part, app->name, row);
}

static void scope_row(const struct scope *scope, struct rows *rows)
{
	const struct app *app = scope->app;
	const struct instance *instance;
	struct rows instances = { 0 };
	struct wire_app_status row = {
		.app = prodd_slice(app->name),
		.environment = prodd_slice(scope->row->environment),
		.generation = scope->row->generation,
		.schema = scope->live && scope->live->record.schema,
		.transaction =
			prodd_slice(app->transaction ? transaction_phase_word(app->transaction->phase) : ""),
		.confirm_at = scope->row->fallback ? wall_of_boot(scope->row->confirm_boot_ms) : 0,
		.directory = prodd_slice(app->directory),
		.overrides = scope->live ? scope->live->record.overrides : (struct prodd_list){ 0 },
	};

	TAILQ_FOREACH(instance, &scope->instances, in_scope)
		instance_row(instance, &instances);
	row.instances = prodd_list(&instances.bytes, instances.count);
	add_parts(app->config, app, &row);
	prodd_encode_element(&rows->bytes, &rows->count, &wire_record_app_status, &row);
	prodd_buffer_clear(&instances.bytes);
}

static void separate_row(const struct app *app, struct rows *rows)
{
	const struct instance *instance;
	struct rows instances = { 0 };
	struct wire_app_status row = { .app = prodd_slice(app->name) };

	TAILQ_FOREACH(instance, &app->instances, in_app)
		instance_row(instance, &instances);
	row.instances = prodd_list(&instances.bytes, instances.count);
	add_parts(app->config, app, &row);
	prodd_encode_element(&rows->bytes, &rows->count, &wire_record_app_status, &row);
	prodd_buffer_clear(&instances.bytes);
}

static void app_rows(const struct app *app, struct rows *rows)
{
	const struct scope *scope;

	if (!app->served)
		separate_row(app, rows);
	LIST_FOREACH(scope, &app->scopes, link)
		if (scope_is_active(scope) || scope->row->generation)
			scope_row(scope, rows);
}

/* ---- the daemon */

static void counter_rows(struct rows *rows)
{
	struct wire_counter row;

#define X(name_, help_)                                                                                      \
	row = (struct wire_counter){ .name = prodd_slice(#name_),                                            \
				     .value = counters.name_,                                                \
				     .help = prodd_slice(help_) };                                           \
	prodd_encode_element(&rows->bytes, &rows->count, &wire_record_counter, &row);
	COUNTERS(X)
#undef X
}

static void account_rows(const struct accounts *accounts, struct rows *rows)
{
	const struct account *account;
	struct wire_account_status row;

	for (account = accounts->by_uid; account; account = account->hh.next) {
		row = (struct wire_account_status){
			.uid = account->uid,
			.sessions = account->sessions,
			.bytes = account->bytes,
			.bytes_max = account->bytes_max,
			.refused = account->refused,
			.bytes_in = account->bytes_in,
			.bytes_out = account->bytes_out,
		};
		prodd_encode_element(&rows->bytes, &rows->count, &wire_record_account_status, &row);
	}
}

static bool is_wanted(const struct app *app, struct prodd_slice name)
{
	return name.size == 0 || prodd_slice_is(name, app->name);
}

void config_add_status(struct config *config, struct status_part *part)
{
	part->next = config->parts;
	config->parts = part;
}

void config_problems(const struct config *config, struct prodd_slice wanted, struct problems_found *found)
{
	for (const struct app *app = config->apps; app; app = app->hh.next)
		if (is_wanted(app, wanted))
			app_problems(app, found);
	for (struct status_part *part = config->parts; part; part = part->next)
		part->problems(part, wanted, found);
}

void verb_status(struct config *config, struct call *call, const void *params)
{
	const struct wire_status_request *request = params;
	struct problems_found problems = { 0 };
	struct rows apps = { 0 }, counts = { 0 }, accounts = { 0 };
	const struct app *app;
	struct wire_status status = {
		.version = prodd_slice(version_text),
		.place = prodd_slice(config->places->run),
		.pid = (uint64_t)getpid(),
		.up_ms = clock_monotonic_ms() - config->started_ms,
		.environment = prodd_slice(*config->settings.environment ? config->settings.environment
									 : "development"),
		.epoch = prodd_slice(store_epoch(config->store)),
	};

	if (request->app.size && !verb_app(config, call, request->app))
		return;
	for (app = config->apps; app; app = app->hh.next) {
		if (!is_wanted(app, request->app))
			continue;
		app_rows(app, &apps);
	}
	config_problems(config, request->app, &problems);
	for (struct status_part *part = config->parts; part; part = part->next)
		if (part->whole && request->app.size == 0)
			part->whole(part, &status);
	if (request->app.size == 0) {
		counter_rows(&counts);
		account_rows(config->accounts, &accounts);
	}
	status.problems = prodd_list(&problems.rows, problems.count);
	status.apps = prodd_list(&apps.bytes, apps.count);
	status.counters = prodd_list(&counts.bytes, counts.count);
	status.accounts = prodd_list(&accounts.bytes, accounts.count);
	call_answer(call, &status);
	prodd_buffer_clear(&problems.rows);
	prodd_buffer_clear(&apps.bytes);
	prodd_buffer_clear(&counts.bytes);
	prodd_buffer_clear(&accounts.bytes);
}
