/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A request that finds its app busy reads the files itself, once: when they
 * are the ones that the running transaction works on, the two are the same
 * wish and get the same report.
 */
#include "daemon/config/request.h"

#include <stdio.h>
#include <stdlib.h>

#include "daemon/config/candidate.h"
#include "daemon/config/config.h"
#include "daemon/config/declared.h"
#include "daemon/config/transaction.h"
#include "daemon/core/counters.h"
#include "daemon/util/clock.h"
#include "daemon/util/container.h"

/* ---- collectors */

struct collector *collector_new(struct call *call)
{
	static const struct prodd_error no_memory = { PRODD_E_NO_MEMORY, "no memory for the request" };
	struct collector *collector = calloc(1, sizeof *collector);

	if (!collector) {
		call_fail(call, &no_memory);
		return NULL;
	}
	collector->call = call;
	collector->waiting = 1;		/* the call's own share */
	return collector;
}

void collector_release(struct collector *collector)
{
	struct prodd_error e;

	if (--collector->waiting > 0)
		return;
	if (collector->reports.failed) {
		prodd_error_set(&e, -collector->reports.failed, "the reports");
		call_fail(collector->call, &e);
	} else {
		call_answer(collector->call, &(struct wire_reports){
			.reports = prodd_list(&collector->reports, collector->count), .joined = collector->joined });
	}
	prodd_buffer_clear(&collector->reports);
	free(collector);
}

/* ---- requests */

struct request *request_new(enum request_kind kind, struct app *app, const char *who, struct collector *collector)
{
	struct request *request = calloc(1, sizeof *request);

	if (!request)
		return NULL;
	request->kind = kind;
	request->app = app;
	request->collector = collector;
	request->asked_ms = clock_monotonic_ms();
	snprintf(request->who, sizeof request->who, "%s", who);
	if (collector)
		collector->waiting++;
	return request;
}

static void request_free(struct request *request)
{
	loop_timer_clear(&request->patience);
	layers_clear(&request->layers);
	prodd_buffer_clear(&request->value);
	free(request);
}

void request_end(struct request *request)
{
	if (request->queued)
		TAILQ_REMOVE(&request->app->requests, request, link);
	request->queued = false;
	loop_timer_disarm(&request->patience);
	if (request->collector)
		collector_release(request->collector);
	request->collector = NULL;
	request->finished = true;
	if (!request->look.queued)
		request_free(request);
}

/* Linked apps share a transaction: a command that named all apps hears of it once. */
void request_report(struct request *request, uint64_t txn, struct prodd_list rows)
{
	struct collector *collector = request->collector;

	if (collector && (txn == 0 || collector->txn != txn)) {
		prodd_buffer_append(&collector->reports, rows.at, rows.size);
		collector->count += rows.count;
		collector->txn = txn;
	}
	request_end(request);
}

void request_fail(struct request *request, const char *outcome, const struct prodd_error *error)
{
	prodd_auto_buffer row = { .limit = 0 };
	uint32_t count = 0;
	struct wire_report report = {
		.app = prodd_slice(request->app->name), .outcome = prodd_slice(outcome),
		.exit = (uint64_t)prodd_error_exit(error->code), .note = prodd_slice(error->text),
	};

	if (request->kind == REQUEST_TRY)
		declared_failed(request->app);
	prodd_encode_element(&row, &count, &wire_record_report, &report);
	request_report(request, 0, prodd_list(&row, count));
}

/* ---- waiting for the app */

static void patience_fired(struct loop_timer *timer)
{
	struct request *request = container_of(timer, struct request, patience);
	struct transaction *running = request->app->transaction;
	struct prodd_error e;

	prodd_error_set(&e, PRODD_E_BUSY, "transaction %lu of %s is still %s", running ? (unsigned long)running->id : 0,
			request->app->name, running ? transaction_phase_word(running->phase) : "ending");
	request_fail(request, "busy", &e);
}

static void look_run(struct disk_job *job)
{
	struct request *request = container_of(job, struct request, look);

	request->look_result = layers_read_stable(&request->where, &request->layers, NULL);
}

static bool same_options(const struct request_options *a, const struct request_options *b)
{
	return a->dry_run == b->dry_run && a->force == b->force && a->confirm_ms == b->confirm_ms;
}

static void join(struct request *request)
{
	struct app *app = request->app;
	struct transaction *running = app->transaction;
	struct scope *scope = app_scope(app, app->environment, false, NULL);

	if (!running || !scope || !*request->sources || !same_options(&running->options, &request->options) ||
	    !transaction_has_sources(running, scope, request->sources))
		return;
	TAILQ_REMOVE(&app->requests, request, link);
	request->queued = false;
	loop_timer_disarm(&request->patience);
	counters.requests_joined++;
	transaction_join(running, request);
}

void request_join_all(struct app *app)
{
	struct request *request, *next;

	for (request = TAILQ_FIRST(&app->requests); request; request = next) {
		next = TAILQ_NEXT(request, link);
		join(request);
	}
}

static void look_done(struct disk_job *job)
{
	struct request *request = container_of(job, struct request, look);

	if (request->finished) {
		request_free(request);
		return;
	}
	if (!request->queued || request->look_result < 0)
		return;
	candidate_hash_sources(&request->layers, prodd_buffer_slice(&request->app->declared), request->sources);
	join(request);
}

/* The files of the default environment stand for all: the others share most of them, and a miss only means to wait. */
static void look(struct request *request)
{
	struct app *app = request->app;

	request->where = (struct layers_where){ .directory = app->directory, .environment = app->environment };
	request->look = (struct disk_job){ .run = look_run, .done = look_done };
	disk_submit(app->config->disk, &request->look);
}

static bool look_is_queued(const struct app *app)
{
	const struct request *request;

	TAILQ_FOREACH(request, &app->requests, link)
		if (request->kind == REQUEST_LOOK)
			return true;
	return false;
}

void request_submit(struct request *request, uint64_t patience_ms)
{
	struct app *app = request->app;
	struct prodd_error e;

	if (!app_is_busy(app) && TAILQ_EMPTY(&app->requests)) {
		transaction_start(app->config, request);
		return;
	}
	if (request->kind == REQUEST_LOOK && look_is_queued(app)) {
		request_end(request);	/* the one in the queue will see the same files */
		return;
	}
	counters.requests_waiting++;
	TAILQ_INSERT_TAIL(&app->requests, request, link);
	request->queued = true;
	if (request->collector) {
		if (loop_timer_init(&request->patience, app->config->loop, patience_fired, &e) < 0) {
			request_fail(request, "failed", &e);
			return;
		}
		loop_timer_arm(&request->patience, patience_ms);
	}
	if (request->kind == REQUEST_RELOAD)
		look(request);
}

void request_next(struct app *app)
{
	struct request *request = TAILQ_FIRST(&app->requests);

	if (!request || app_is_busy(app))
		return;
	TAILQ_REMOVE(&app->requests, request, link);
	request->queued = false;
	loop_timer_disarm(&request->patience);
	transaction_start(app->config, request);
}
