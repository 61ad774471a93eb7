/* SPDX-License-Identifier: Apache-2.0 */
/* Apps and scopes: found by name, made on first sight, kept as long as the daemon runs. */
#define _GNU_SOURCE
#include "daemon/config/app.h"

#include <stdio.h>
#include <stdlib.h>

#include "daemon/config/config.h"
#include "daemon/config/watch.h"
#include "daemon/util/log.h"
#include "daemon/util/stamp.h"

/* ---- apps */

static char *directory_of(const struct config *config, const char *name)
{
	const struct app_block *block = settings_block(&config->settings, name);
	char *path;

	if (block && block->directory)
		return strdup(block->directory);
	return asprintf(&path, "%s/%s", config->apps_directory, name) < 0 ? NULL : path;
}

/* The app block's, else prodd.conf's, else "development". */
static const char *default_environment(const struct settings *settings, const char *name)
{
	const struct app_block *block = settings_block(settings, name);

	if (block && *block->environment)
		return block->environment;
	return *settings->environment ? settings->environment : "development";
}

/* A schema from code counts until its app sends another one, also over restarts of the daemon. */
static void load_declared(struct app *app)
{
	prodd_auto_buffer bytes = { .limit = 0 };
	struct wire_declared declared;
	struct prodd_error e;

	if (store_read_declared(app->config->store, app->name, &bytes, &e) < 0)
		return;
	if (stamp_open(prodd_buffer_slice(&bytes), DECLARED_KIND, &wire_record_declared, &declared, &e) < 0) {
		log_error("state: the schema from code of %s: %s", app->name, e.text);
		return;
	}
	prodd_buffer_append(&app->declared, declared.keys.at, declared.keys.size);
	app->declared_count = declared.keys.count;
}

static struct app *app_new(struct config *config, const char *name)
{
	struct app *app = calloc(1, sizeof *app);

	if (!app)
		return NULL;
	snprintf(app->name, sizeof app->name, "%s", name);
	app->config = config;
	app->served = !strchr(name, '~');
	LIST_INIT(&app->scopes);
	TAILQ_INIT(&app->instances);
	TAILQ_INIT(&app->requests);
	snprintf(app->environment, sizeof app->environment, "%s",
		 default_environment(&config->settings, name));
	app->directory = directory_of(config, name);
	if (!app->directory) {
		free(app);
		return NULL;
	}
	if (app->served)
		load_declared(app);
	HASH_ADD_STR(config->apps, name, app);
	return app;
}

struct app *app_find(struct config *config, const char *name, bool make)
{
	struct app *app;

	HASH_FIND_STR(config->apps, name, app);
	return app || !make ? app : app_new(config, name);
}

bool app_is_busy(const struct app *app)
{
	return app->transaction || app->confirming;
}

static void scope_free(struct scope *scope)
{
	generation_unref(scope->live);
	prodd_buffer_clear(&scope->problems);
	LIST_REMOVE(scope, link);
	free(scope);
}

void app_free(struct app *app)
{
	struct scope *scope;

	HASH_DEL(app->config->apps, app);
	watch_free(app->watch);
	while ((scope = LIST_FIRST(&app->scopes)))
		scope_free(scope);
	prodd_buffer_clear(&app->declared);
	prodd_buffer_clear(&app->trial);
	free(app->directory);
	free(app);
}

/* ---- scopes */

static struct scope *find_scope(struct app *app, const char *environment)
{
	struct scope *scope;

	LIST_FOREACH(scope, &app->scopes, link)
		if (strcmp(scope->row->environment, environment) == 0)
			return scope;
	return NULL;
}

/* A damaged generation is said loudly and not served; the files are then read as if there had been none. */
static void load_live(struct scope *scope)
{
	struct config *config = scope->app->config;
	struct prodd_buffer bytes = { .limit = 0 };
	struct prodd_error e;

	if (scope->row->generation == 0)
		return;
	if (store_read_generation(config->store, scope->row, scope->row->generation, &bytes, &e) < 0 ||
	    generation_open(&bytes, &scope->live, &e) < 0) {
		log_error("state: generation %lu of %s, %s: %s", (unsigned long)scope->row->generation,
			  scope->app->name, scope->row->environment, e.text);
		prodd_buffer_clear(&bytes);
	}
}

struct scope *app_scope(struct app *app, const char *environment, bool make, struct prodd_error *e)
{
	struct scope *scope = find_scope(app, environment);

	if (scope || !make) {
		if (!scope)
			prodd_error_set(e, PRODD_E_NOT_FOUND, "%s has no environment \"%s\" here", app->name,
					environment);
		return scope;
	}
	scope = calloc(1, sizeof *scope);
	if (scope)
		scope->row = store_row(app->config->store, app->name, environment, true);
	if (!scope || !scope->row) {
		free(scope);
		prodd_error_set(e, PRODD_E_NO_MEMORY, "the environment %s of %s", environment, app->name);
		return NULL;
	}
	scope->app = app;
	TAILQ_INIT(&scope->instances);
	LIST_INSERT_HEAD(&app->scopes, scope, link);
	load_live(scope);
	if (*scope->row->refused) {
		snprintf(scope->differs_hash, sizeof scope->differs_hash, "%s", scope->row->refused);
		snprintf(scope->differs_why, sizeof scope->differs_why, "%s", scope->row->refused_why);
		scope->differs_ms = scope->row->refused_ms;
	}
	return scope;
}

struct scope *app_choose_scope(struct app *app, struct prodd_slice environment, struct prodd_error *e)
{
	char name[STORE_NAME_MAX];
	struct scope *only, *scope;

	if (environment.size) {
		snprintf(name, sizeof name, "%.*s", PRODD_SLICE(environment));
		return app_scope(app, name, false, e);
	}
	scope = find_scope(app, app->environment);
	only = LIST_FIRST(&app->scopes);
	if (only && !LIST_NEXT(only, link) && (!scope || !scope->live))
		scope = only;
	if (!scope)
		prodd_error_set(e, PRODD_E_NOT_FOUND,
				"%s has no configuration in the environment %s; name one by --env", app->name,
				app->environment);
	return scope;
}

const char *scope_label(const struct scope *scope)
{
	const struct scope *first = LIST_FIRST(&scope->app->scopes);

	return LIST_NEXT(first, link) ? scope->row->environment : "";
}

bool scope_is_active(const struct scope *scope)
{
	return !TAILQ_EMPTY(&scope->instances) ||
	       strcmp(scope->row->environment, scope->app->environment) == 0;
}

void scope_set_live(struct scope *scope, struct generation *generation)
{
	generation_ref(generation);
	generation_unref(scope->live);
	scope->live = generation;
}
