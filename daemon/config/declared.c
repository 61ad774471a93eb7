/* SPDX-License-Identifier: Apache-2.0 */
/* A new schema is tried by a transaction like a change of a file: prodd-parse checks it against everything else. */
#include "daemon/config/declared.h"

#include <stdio.h>
#include <stdlib.h>

#include "daemon/config/report.h"
#include "daemon/util/container.h"
#include "daemon/util/log.h"
#include "daemon/util/stamp.h"
#include "proto/limits.h"

#define DECLARED_KEYS_MAX PRODD_SETTINGS_MAX

int declared_collect(struct instance *instance, const struct wire_declare *declare, struct prodd_error *e)
{
	struct declaration *declaration = &instance->declaration;
	struct prodd_iter it = prodd_iter(declare->keys);
	struct wire_schema_key key;
	char origin[2 * APP_NAME_MAX + 16];
	int r;

	if (declaration->count + declare->keys.count > DECLARED_KEYS_MAX)
		return prodd_error_set(e, PRODD_E_TOO_LARGE, "config.declare: more than %u keys", DECLARED_KEYS_MAX);
	snprintf(origin, sizeof origin, "code of %s", instance->app->name);
	while ((r = prodd_next(&it, &wire_record_schema_key, &key, e)) > 0) {
		key.origin = prodd_slice(origin);
		prodd_encode_element(&declaration->keys, &declaration->count, &wire_record_schema_key, &key);
	}
	if (r < 0)
		return r;
	if (declaration->keys.failed)
		return prodd_error_set(e, -declaration->keys.failed, "config.declare: the schema is too large");
	return 0;
}

/* ---- trying it */

static bool is_new(const struct app *app, const struct instance *instance)
{
	return instance->declaration.count > 0 && !prodd_slice_equal(prodd_buffer_slice(&app->declared),
								     prodd_buffer_slice(&instance->declaration.keys));
}

static bool are_files_invalid(const struct app *app)
{
	const struct scope *scope;

	LIST_FOREACH(scope, &app->scopes, link)
		if (scope_is_active(scope) && scope->problem_count > 0)
			return true;
	return false;
}

static uint64_t live_number(const struct instance *instance)
{
	return instance->scope->live ? instance->scope->live->record.number : 0;
}

static bool is_in_doubt(const struct app *app)
{
	const struct instance *instance;

	TAILQ_FOREACH(instance, &app->instances, in_app)
		if (instance->declaration.doubtful)
			return true;
	return false;
}

static bool is_next(const struct instance *instance)
{
	return instance->declaration.untried && instance->declaration.tried_with != live_number(instance) &&
	       !are_files_invalid(instance->app);
}

static void end_trying(struct app *app)
{
	prodd_buffer_clear(&app->trial);
	app->trial_count = 0;
	app->trying = false;
	app->declarer = NULL;
}

static void try(struct config *config, struct instance *instance)
{
	struct declaration *declaration = &instance->declaration;
	struct app *app = instance->app;
	struct request *request = config->ending ? NULL : request_new(REQUEST_TRY, app, "schema from code", NULL);

	if (!request || prodd_buffer_append(&app->trial, declaration->keys.at, declaration->keys.size) < 0) {
		if (request)
			request_end(request);
		prodd_buffer_clear(&app->trial);
		return;		/* it stays untried */
	}
	declaration->untried = false;
	app->trial_count = declaration->count;
	app->trying = true;
	app->declarer = instance;
	app->held = false;
	request_submit(request, 0);
}

bool declared_try(struct config *config, struct instance *instance)
{
	if (!instance->app->served || !is_new(instance->app, instance))
		return false;
	instance->declaration.untried = true;
	instance->declaration.tried_with = DECLARED_NEVER;
	declared_next(config, instance->app);
	return declared_pending(instance);
}

bool declared_pending(const struct instance *instance)
{
	const struct app *app = instance->app;

	return app->declarer == instance || instance->declaration.doubtful ||
	       ((app->trying || is_in_doubt(app)) && is_next(instance));
}

void declared_next(struct config *config, struct app *app)
{
	struct instance *instance;

	TAILQ_FOREACH(instance, &app->instances, in_app) {
		if (app->trying || is_in_doubt(app))
			return;
		if (!is_next(instance))
			continue;
		if (is_new(app, instance))
			try(config, instance);
		else
			instance->declaration.untried = false;
	}
}

/* ---- keeping it */

struct keeping {
	struct store_write write;
	struct store_file file;
	struct prodd_buffer bytes;
};

static void kept(struct store_write *write)
{
	struct keeping *keep = container_of(write, struct keeping, write);

	if (write->outcome == STORE_NOT_WRITTEN)
		log_error("state: the schema from code of %s: %s", keep->file.app, write->error.text);
	prodd_buffer_clear(&keep->bytes);
	free(keep);
}

static void store(struct config *config, struct app *app)
{
	struct wire_declared record = {
		.app = prodd_slice(app->name), .keys = prodd_list(&app->declared, app->declared_count),
	};
	struct keeping *keep = calloc(1, sizeof *keep);

	if (!keep || stamp_seal(&keep->bytes, DECLARED_KIND, &wire_record_declared, &record) < 0) {
		log_error("state: no memory for the schema from code of %s", app->name);
		free(keep);
		return;
	}
	snprintf(keep->file.app, sizeof keep->file.app, "%.63s", app->name);
	keep->file.content = prodd_buffer_slice(&keep->bytes);
	keep->write = (struct store_write){ .files = &keep->file, .file_count = 1, .done = kept };
	store_write(config->store, &keep->write);
}

/* ---- the end of a try */

static bool looked_at(const struct transaction *t, const struct app *app, bool trial)
{
	const struct candidate *c;

	TAILQ_FOREACH(c, &t->candidates, link)
		if (c->scope->app == app && c->trial == trial)
			return !t->directive;
	return false;
}

/* Is it the schema or are it the files? The look without it that comes next will tell. */
static void doubt(struct config *config, struct instance *instance, const struct transaction *t)
{
	struct declaration *declaration = &instance->declaration;
	const struct candidate *c;

	prodd_buffer_clear(&declaration->problems);
	declaration->problem_count = 0;
	TAILQ_FOREACH(c, &t->candidates, link) {
		if (c->scope->app != instance->app || declaration->problem_count > 0)
			continue;
		prodd_buffer_append(&declaration->problems, c->problem_rows.at, c->problem_rows.size);
		declaration->problem_count = c->problem_count;
	}
	declaration->doubtful = true;
	config_look(config, instance->app, "files changed");
}

/* The files have been looked at without it, or could not be. */
static void resolve_doubt(struct instance *instance, bool failed)
{
	struct declaration *declaration = &instance->declaration;

	declaration->doubtful = false;
	declaration->untried = true;	/* once the files are mended, or are others */
	declaration->tried_with = DECLARED_NEVER;
	if (!failed && !are_files_invalid(instance->app)) {
		declaration->tried_with = live_number(instance);
		instance_diverge(instance, prodd_list(&declaration->problems, declaration->problem_count));
	}
	prodd_buffer_clear(&declaration->problems);
	declaration->problem_count = 0;
}

static void keep(struct config *config, struct app *app)
{
	prodd_buffer_clear(&app->declared);
	app->declared = app->trial;
	app->declared_count = app->trial_count;
	app->trial = (struct prodd_buffer){ .limit = 0 };
	end_trying(app);
	store(config, app);
}

static void end_try(struct config *config, const struct transaction *t, struct app *app)
{
	struct instance *instance = app->declarer;

	if (t->outcome == OUTCOME_COMMITTED || t->outcome == OUTCOME_UNCHANGED) {
		keep(config, app);
		return;
	}
	end_trying(app);
	if (!instance)
		return;
	instance->declaration.untried = true;
	instance->declaration.tried_with = live_number(instance);
	if (t->outcome == OUTCOME_INVALID)
		doubt(config, instance, t);
	else if (!instance->scope->live)
		config_look(config, app, "first instance");
}

void declared_failed(struct app *app)
{
	struct instance *instance = app->declarer;

	end_trying(app);
	if (!instance)
		return;
	instance->declaration.untried = true;
	instance->declaration.tried_with = live_number(instance);
	instance_serve(instance);
}

void declared_ended(struct config *config, const struct transaction *t, struct app *app)
{
	struct instance *instance;

	if (app->trying && looked_at(t, app, true))
		end_try(config, t, app);
	if (!looked_at(t, app, false))
		return;
	TAILQ_FOREACH(instance, &app->instances, in_app)
		if (instance->declaration.doubtful)
			resolve_doubt(instance, t->outcome == OUTCOME_FAILED);
}

void declared_left(struct app *app, const struct instance *instance)
{
	if (app->declarer == instance)
		app->declarer = NULL;
}
