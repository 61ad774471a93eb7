/* SPDX-License-Identifier: Apache-2.0 */
/* Here the parts meet, since none of them knows the other: figures of all, the apps' metrics, the sockets. */
#include "daemon/exposing.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon/figures.h"
#include "daemon/log/stream.h"
#include "daemon/metric/http.h"
#include "daemon/metric/merge.h"
#include "daemon/util/container.h"

struct exposing {
	struct exposing_of of;
	struct own own;
	struct own_figures figures;
	struct merge merge;
	struct http_readiness readiness;
	struct http *http;		/* owned */
};

static void gather(struct own_figures *figures, struct own_sheet *sheet)
{
	const struct exposing_of *of = &container_of(figures, struct exposing, figures)->of;

	own_value(sheet, OWN_SESSIONS, (struct own_labels){ 0 }, of->host->count);
	figures_of_config(sheet, of->config);
	figures_of_logs(sheet, of->logs);
	figures_of_metric(sheet, of->metric);
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
	const struct exposing_of *of = &container_of(readiness, struct exposing, readiness)->of;

	if (access(of->places->state, W_OK) < 0)
		say(why, of->places->state, strerror(errno));
	for (const struct stream *stream = of->logs->streams; stream; stream = stream->hh.next)
		if (stream->trouble_ms)
			say(why, "the spool", stream->trouble.text);
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
