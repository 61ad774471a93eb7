/* SPDX-License-Identifier: Apache-2.0 */
/* From a hello to an instance: names are checked, the claim is weighed, the environment is chosen. */
#include "daemon/config/greeting.h"

#include <stdio.h>

#include "daemon/config/claim.h"
#include "daemon/config/config.h"
#include "daemon/config/watch.h"
#include "daemon/core/counters.h"
#include "daemon/tree/names.h"
#include "daemon/util/container.h"

#define ENVIRONMENTS_MAX 16	/* of an app: as many kinds of deployment as one host will ever see */

static const char *environment_of(const struct config *config, const struct app *app,
				  const struct wire_hello *hello, char *text, size_t size)
{
	const struct app_block *block = settings_block(&config->settings, app->name);

	if ((block && *block->environment) || hello->environment.size == 0)
		return app->environment;
	snprintf(text, size, "%.*s", PRODD_SLICE(hello->environment));
	return text;
}

static unsigned count_scopes(const struct app *app)
{
	const struct scope *scope;
	unsigned count = 0;

	LIST_FOREACH(scope, &app->scopes, link)
		count++;
	return count;
}

static int check_names(const struct wire_hello *hello, struct prodd_error *e)
{
	if (!names_app(hello->app))
		return prodd_error_set(
			e, PRODD_E_USAGE,
			"hello.app: \"%.*s\" is no app name: [a-z][a-z0-9_-]*, at most 63, not \"prodd\"",
			PRODD_SLICE(hello->app));
	if (hello->instance.size && !names_instance(hello->instance))
		return prodd_error_set(e, PRODD_E_USAGE, "hello.instance: \"%.*s\" is no instance name",
				       PRODD_SLICE(hello->instance));
	if (hello->environment.size && !names_environment(hello->environment))
		return prodd_error_set(e, PRODD_E_USAGE, "hello.environment: \"%.*s\" is no environment name",
				       PRODD_SLICE(hello->environment));
	return 0;
}

/* The app under the name granted: the claimed one, or NAME~USER. */
static struct app *grant(struct config *config, const struct identity *who, const struct wire_hello *hello,
			 struct prodd_error *e)
{
	char name[APP_NAME_MAX];
	struct app *app;
	bool allowed;

	snprintf(name, sizeof name, "%.*s", PRODD_SLICE(hello->app));
	allowed = claim_allows(&config->settings, who, config->own, name);
	if (!allowed && config->settings.refuse_unknown) {
		prodd_error_set(e, PRODD_E_NOT_PERMITTED, "%s may not use the app name \"%s\"", who->user,
				name);
		return NULL;
	}
	if (!allowed)
		snprintf(name, sizeof name, "%.*s~%.63s", PRODD_SLICE(hello->app), who->user);
	app = app_find(config, name, true);
	if (!app)
		prodd_error_set(e, PRODD_E_NO_MEMORY, "the app %s", name);
	return app;
}

static struct scope *scope_for(struct config *config, struct app *app, const struct wire_hello *hello,
			       struct prodd_error *e)
{
	char text[STORE_NAME_MAX];
	const char *environment = environment_of(config, app, hello, text, sizeof text);
	struct scope *scope = app_scope(app, environment, false, NULL);

	if (scope)
		return scope;
	if (count_scopes(app) >= ENVIRONMENTS_MAX) {
		prodd_error_set(e, PRODD_E_OVER_LIMIT, "%s has %u environments already", app->name,
				ENVIRONMENTS_MAX);
		return NULL;
	}
	return app_scope(app, environment, true, e);
}

static void welcome_instance(struct config *config, struct instance *instance, struct session *session,
			     struct wire_welcome *ret)
{
	struct app *app = instance->app;

	ret->epoch = prodd_slice(store_epoch(config->store));
	ret->app = prodd_slice(app->name);
	ret->instance = prodd_slice(instance->name);
	ret->environment = prodd_slice(instance->scope ? instance->scope->row->environment : "");
	ret->served = app->served;
	events_add(config->events, EVENT_CONNECTED, app->name, instance->name, "pid %d, user %s, %.*s",
		   (int)session_identity(session)->pid, session_identity(session)->user,
		   PRODD_SLICE(session_client(session)));
	if (!app->served) {
		counters.claims_separated++;
		events_add(config->events, EVENT_SEPARATED, app->name, instance->name,
			   "may not use the name; gets %s", app->name);
	}
}

int greeting_of_app(struct service *service, struct session *session, const struct wire_hello *hello,
		    struct wire_welcome *ret, struct prodd_error *e)
{
	struct config *config = container_of(service, struct config, service);
	struct instance *instance;
	struct scope *scope = NULL;
	struct app *app;

	if (check_names(hello, e) < 0)
		return -e->code;
	app = grant(config, session_identity(session), hello, e);
	if (!app)
		return -e->code;
	if (app->served) {
		scope = scope_for(config, app, hello, e);
		if (!scope)
			return -e->code;
		watch_app(config, app);
	}
	instance = instance_new(app, scope, session, hello);
	if (!instance)
		return prodd_error_set(e, PRODD_E_NO_MEMORY, "an instance of %s", app->name);
	welcome_instance(config, instance, session, ret);
	return 0;
}

int greeting_of_command(struct service *service, struct session *session, const struct wire_hello *hello,
			    struct wire_welcome *ret, struct prodd_error *e)
{
	struct config *config = container_of(service, struct config, service);

	(void)session;
	(void)hello;
	(void)e;
	ret->epoch = prodd_slice(store_epoch(config->store));
	return 0;
}

bool greeting_may_use(struct service *service, const struct identity *who, struct prodd_slice app)
{
	struct config *config = container_of(service, struct config, service);
	char name[APP_NAME_MAX];

	snprintf(name, sizeof name, "%.*s", PRODD_SLICE(app));
	return names_app(app) && claim_allows(&config->settings, who, config->own, name);
}
