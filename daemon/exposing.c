/* SPDX-License-Identifier: Apache-2.0 */
/* Here the subsystems' figures become rows of prodd's own metrics, since none of them knows the other. */
#include "daemon/exposing.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon/metric/http.h"
#include "daemon/metric/merge.h"
#include "daemon/metric/own.h"
#include "daemon/util/container.h"

struct exposing {
	struct exposing_of of;
	struct own own;
	struct own_figures figures;
	struct merge merge;
	struct http_readiness readiness;
	struct http *http;		/* owned */
};

/* ---- configuration */

static void gather_scope(struct own_sheet *sheet, const struct scope *scope)
{
	struct own_labels labels = { { prodd_slice(scope->app->name), prodd_slice(scope->row->environment) } };
	const struct instance *instance;
	uint64_t all = 0, diverged = 0;

	TAILQ_FOREACH(instance, &scope->instances, in_scope) {
		all++;
		diverged += instance->state == INSTANCE_DIVERGED || instance->state == INSTANCE_REFUSED;
	}
	own_value(sheet, OWN_APP_INSTANCES, labels, (double)all);
	own_value(sheet, OWN_APP_DIVERGED, labels, (double)diverged);
	own_value(sheet, OWN_APP_GENERATION, labels, (double)scope->row->generation);
	own_value(sheet, OWN_APP_DIFFERS, labels, *scope->differs_why ? 1 : 0);
}

static void gather(struct own_figures *figures, struct own_sheet *sheet)
{
	struct exposing *exposing = container_of(figures, struct exposing, figures);
	const struct app *app;
	const struct scope *scope;

	own_value(sheet, OWN_SESSIONS, (struct own_labels){ 0 }, exposing->of.host->count);
	for (app = exposing->of.config->apps; app; app = app->hh.next)
		LIST_FOREACH(scope, &app->scopes, link)
			gather_scope(sheet, scope);
}

/* ---- readiness */

static void say(struct prodd_buffer *why, const char *what, const char *reason)
{
	char line[512];
	int n = snprintf(line, sizeof line, "%s: %s\n", what, reason);

	prodd_buffer_append(why, line, n < (int)sizeof line ? (size_t)n : sizeof line - 1);
}

static bool ready(struct http_readiness *readiness, struct prodd_buffer *why)
{
	struct exposing *exposing = container_of(readiness, struct exposing, readiness);

	if (access(exposing->of.places->state, W_OK) < 0)
		say(why, exposing->of.places->state, strerror(errno));
	return why->size == 0;
}

/* ---- lifecycle */

int exposing_new(struct exposing **ret, const struct exposing_of *of, const struct metric_settings *settings,
		 struct prodd_error *e)
{
	struct exposing *exposing = calloc(1, sizeof *exposing);
	int r;

	if (!exposing)
		return prodd_error_set(e, PRODD_E_NO_MEMORY, "metrics");
	exposing->of = *of;
	exposing->figures.gather = gather;
	exposing->readiness.ready = ready;
	own_init(&exposing->own, of->loop);
	own_add(&exposing->own, &exposing->figures);
	merge_init(&exposing->merge, &exposing->own.source, &of->metric->source);
	of->metric->own = &exposing->own.source;
	r = http_new(&exposing->http, of->loop, &exposing->merge.source, &exposing->readiness,
		     settings->socket ? of->places->http_socket : NULL, settings->listen, e);
	if (r < 0)
		exposing_free(exposing);
	else
		*ret = exposing;
	return r;
}

struct exposing *exposing_free(struct exposing *exposing)
{
	if (!exposing)
		return NULL;
	http_free(exposing->http);
	exposing->of.metric->own = NULL;
	free(exposing);
	return NULL;
}
