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
	struct prodd_iter it = prodd_iter(declare->keys);
	struct wire_schema_key key;
	char origin[2 * APP_NAME_MAX + 16];
	int r;

	if (instance->declared_count + declare->keys.count > DECLARED_KEYS_MAX)
		return prodd_error_set(e, PRODD_E_TOO_LARGE, "config.declare: more than %u keys", DECLARED_KEYS_MAX);
	snprintf(origin, sizeof origin, "code of %s", instance->app->name);
	while ((r = prodd_next(&it, &wire_record_schema_key, &key, e)) > 0) {
		key.origin = prodd_slice(origin);
		prodd_encode_element(&instance->declared, &instance->declared_count, &wire_record_schema_key, &key);
	}
	if (r < 0)
		return r;
	if (instance->declared.failed)
		return prodd_error_set(e, -instance->declared.failed, "config.declare: the schema is too large");
	return 0;
}

static bool is_new(const struct app *app, const struct instance *instance)
{
	return instance->declared_count > 0 &&
	       !prodd_slice_equal(prodd_buffer_slice(&app->declared), prodd_buffer_slice(&instance->declared));
}

static void swap(struct app *app, struct prodd_buffer *bytes, uint32_t *count)
{
	struct prodd_buffer other = app->declared;
	uint32_t other_count = app->declared_count;

	app->declared = *bytes;
	app->declared_count = *count;
	*bytes = other;
	*count = other_count;
}

bool declared_try(struct config *config, struct instance *instance)
{
	struct app *app = instance->app;

	/* While one is tried, the next sender waits for its end, and is served by then. */
	if (!app->served || app->declarer || !is_new(app, instance))
		return false;
	/* The instance's buffer holds the one to go back to. */
	swap(app, &instance->declared, &instance->declared_count);
	app->declarer = instance;
	app->held = false;
	config_look(config, app, "schema from code");
	return app->transaction != NULL;
}

/* ---- keeping it */

struct keep {
	struct store_write write;
	struct store_file file;
	struct prodd_buffer bytes;
};

static void kept(struct store_write *write)
{
	struct keep *keep = container_of(write, struct keep, write);

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
	struct keep *keep = calloc(1, sizeof *keep);

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

/* Was it this schema that the transaction looked with, and not the one before? */
static bool looked_with(const struct transaction *t, const struct app *app)
{
	const struct candidate *c;

	TAILQ_FOREACH(c, &t->candidates, link)
		if (c->scope->app == app)
			return !t->directive && prodd_slice_equal(prodd_buffer_slice(&c->declared),
								  prodd_buffer_slice(&app->declared));
	return false;
}

/* The one before comes back. The sender is to blame when the two do not go together; not when others voted against it. */
static void go_back(struct app *app, struct instance *instance, const struct transaction *t)
{
	struct prodd_list problems = { 0 };
	struct candidate *c;

	swap(app, &instance->declared, &instance->declared_count);
	TAILQ_FOREACH(c, &t->candidates, link)
		if (c->scope == instance->scope)
			problems = prodd_list(&c->problem_rows, c->problem_count);
	if (t->outcome == OUTCOME_INVALID)
		instance_diverge(instance, problems);
}

void declared_ended(struct config *config, const struct transaction *t, struct app *app)
{
	struct instance *instance = app->declarer;

	if (!instance || !looked_with(t, app))
		return;
	app->declarer = NULL;
	if (t->outcome == OUTCOME_COMMITTED || t->outcome == OUTCOME_UNCHANGED)
		store(config, app);
	else
		go_back(app, instance, t);
}

void declared_left(struct app *app, const struct instance *instance)
{
	if (app->declarer == instance)
		app->declarer = NULL;
}
