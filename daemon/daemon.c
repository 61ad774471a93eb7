/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The composition root: makes each part with what it needs of the others, in
 * an order that daemon_free() reverses.  No logic but this order.
 */
#define _GNU_SOURCE
#include "daemon/daemon.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>

#include "daemon/config/config.h"
#include "daemon/core/mapping.h"
#include "daemon/core/server.h"
#include "daemon/exposing.h"
#include "daemon/log/logs.h"
#include "daemon/metric/metric.h"
#include "daemon/start.h"
#include "daemon/util/clock.h"
#include "daemon/util/container.h"
#include "daemon/util/log.h"
#include "daemon/util/version.h"

#define FAREWELL_MS 1000	/* for what is queued to sessions that do not read */
#define DRAIN_MS 5000		/* for log records to be kept and shipped; the rest stays in the spools */
#define FAREWELL_STEP_MS 5	/* how often it is seen whether all have gone */

struct daemon {
	struct places places;
	struct loop loop;
	struct disk *disk;
	struct helper_program parser;
	struct helper_program ship;
	struct events *events;
	struct accounts accounts;
	struct config *config;
	struct mappings mappings;	/* of all memory that apps share */
	struct metric *metric;
	struct logs *logs;
	struct session_host host;
	struct server *server;
	struct exposing *exposing;
	struct event *terminate;
	struct event *interrupt;
	struct event *rotate;
	struct loop_timer farewell;	/* the loop ends when the sessions have gone, or had their time */
	uint64_t ends_ms;		/* of the farewell to sessions, on the monotonic clock; 0: not ending */
};

/* ---- ending */

static void farewell_fired(struct loop_timer *timer)
{
	struct daemon *d = container_of(timer, struct daemon, farewell);

	bool waits = d->host.count > 0 && clock_monotonic_ms() < d->ends_ms;

	if (!logs_ended(d->logs) || waits) {
		loop_timer_arm(timer, FAREWELL_STEP_MS);
		return;
	}
	session_host_clear(&d->host);
	loop_stop(&d->loop);
}

/* A second signal does not wait for anybody. */
static void end(evutil_socket_t number, short what, void *arg)
{
	struct daemon *d = arg;

	(void)what;
	if (d->ends_ms) {
		loop_stop(&d->loop);
		return;
	}
	log_notice("signal %d: ending", (int)number);
	d->ends_ms = clock_monotonic_ms() + FAREWELL_MS;
	events_add(d->events, EVENT_STOPPING, "", "", "signal %d", (int)number);
	config_end(d->config);
	d->server = server_free(d->server);
	d->exposing = exposing_free(d->exposing);
	session_host_farewell(&d->host, "prodd ends", FAREWELL_MS);
	logs_end(d->logs, DRAIN_MS);
	loop_timer_arm(&d->farewell, 0);
}

static void rotate(evutil_socket_t number, short what, void *arg)
{
	struct daemon *d = arg;

	(void)number;
	(void)what;
	logs_rotate(d->logs);
}

/* ---- starting */

static int watch_signals(struct daemon *d, struct prodd_error *e)
{
	signal(SIGPIPE, SIG_IGN);
	signal(SIGHUP, SIG_IGN);	/* reloads are asked for by prodctl reload, which can report the outcome */
	d->terminate = evsignal_new(d->loop.base, SIGTERM, end, d);
	d->interrupt = evsignal_new(d->loop.base, SIGINT, end, d);
	d->rotate = evsignal_new(d->loop.base, SIGUSR1, rotate, d);
	if (!d->terminate || !d->interrupt || !d->rotate || event_add(d->terminate, NULL) < 0 ||
	    event_add(d->interrupt, NULL) < 0 || event_add(d->rotate, NULL) < 0)
		return prodd_error_set(e, PRODD_E_NO_MEMORY, "signals");
	return loop_timer_init(&d->farewell, &d->loop, farewell_fired, e);
}

static int expose(struct daemon *d, const struct metric_settings *settings, struct prodd_error *e)
{
	const struct exposing_of of = { .loop = &d->loop, .places = &d->places, .config = d->config, .host = &d->host,
					.logs = d->logs, .metric = d->metric };

	return exposing_new(&d->exposing, &of, settings, e);
}

static int set_up(struct daemon *d, const char *directory, struct prodd_error *e)
{
	struct metric_settings metrics;
	struct start_settings settings = { .log.sinks = STAILQ_HEAD_INITIALIZER(settings.log.sinks) };
	int r = places_init(&d->places, directory, e);

	if (r >= 0)
		r = places_make(&d->places, e);
	if (r >= 0)
		r = loop_init(&d->loop, e);
	if (r >= 0)
		r = helper_program_open(&d->parser, start_libexec(), "prodd-parse", e);
	if (r >= 0)
		r = helper_program_open(&d->ship, start_libexec(), "prodd-ship", e);
	if (r >= 0)
		r = start_read_settings(&d->loop, &d->parser, &d->places, &settings, e);
	if (r >= 0)
		r = disk_new(&d->disk, &d->loop, e);
	if (r >= 0)
		r = events_new(&d->events, &d->loop, e);
	d->accounts.limits = settings.config.limits;
	if (r >= 0)
		r = config_new(&d->config, &d->loop, d->disk, d->events, &d->accounts, &d->parser, &d->places,
			       &settings.config, e);
	mappings_fit(&d->mappings);
	if (r >= 0)
		r = logs_new(&d->logs, &d->loop, d->disk, d->events, &d->mappings, &d->places, &d->ship, &settings.log, e);
	metrics = settings.metrics;
	start_settings_clear(&settings);
	if (r < 0)
		return r;
	r = metric_new(&d->metric, &d->loop, d->disk, d->events, &d->mappings, &d->places, metrics.series, e);
	if (r < 0)
		return r;
	d->host = (struct session_host){ .loop = &d->loop, .accounts = &d->accounts, .service = &d->config->service };
	metric_serve(d->metric, &d->host);
	config_add_status(d->config, &d->metric->status);
	logs_serve(d->logs, &d->host);
	config_add_status(d->config, &d->logs->status);
	r = watch_signals(d, e);
	if (r >= 0)
		r = server_new(&d->server, &d->host, &identity_kernel, &d->places, e);
	return r < 0 ? r : expose(d, &metrics, e);
}

int daemon_new(struct daemon **ret, const char *directory, struct prodd_error *e)
{
	struct daemon *d = calloc(1, sizeof *d);
	int r;

	if (!d)
		return prodd_error_set(e, PRODD_E_NO_MEMORY, "the daemon");
	d->parser.fd = d->ship.fd = -1;
	d->places.lock = -1;
	LIST_INIT(&d->host.sessions);
	r = set_up(d, directory, e);
	if (r < 0) {
		daemon_free(d);
		return r;
	}
	events_add(d->events, EVENT_STARTED, "", "", "prodd %s", version_text);
	log_notice("prodd %s serves at %s", version_text, d->places.run);
	*ret = d;
	return 0;
}

int daemon_run(struct daemon *daemon, struct prodd_error *e)
{
	return loop_run(&daemon->loop, e);
}

/* The disk thread finishes, and ends, before the objects whose jobs it runs; sessions end before what they speak for. */
struct daemon *daemon_free(struct daemon *d)
{
	if (!d)
		return NULL;
	d->exposing = exposing_free(d->exposing);
	d->server = server_free(d->server);
	session_host_clear(&d->host);
	disk_finish(d->disk);
	d->disk = disk_free(d->disk);
	d->metric = metric_free(d->metric);
	d->logs = logs_free(d->logs);
	d->config = config_free(d->config);
	d->events = events_free(d->events);
	accounts_clear(&d->accounts);
	helper_program_close(&d->parser);
	helper_program_close(&d->ship);
	loop_timer_clear(&d->farewell);
	if (d->terminate)
		event_free(d->terminate);
	if (d->interrupt)
		event_free(d->interrupt);
	if (d->rotate)
		event_free(d->rotate);
	loop_clear(&d->loop);
	places_clear(&d->places);
	free(d);
	return NULL;
}
