/* SPDX-License-Identifier: Apache-2.0 */
/* A few rows for each app and sink. Reasons and problems have one each, also those that never were, so that their rates are right from the
 * first. */
#include "daemon/figures.h"

#include "daemon/log/figures.h"
#include "daemon/log/sinks.h"

static struct own_labels of_app(const char *app)
{
	return (struct own_labels){ { prodd_slice(app) } };
}

/* ---- configuration */

static void add_scope(struct own_sheet *sheet, const struct scope *scope)
{
	struct own_labels labels = { { prodd_slice(scope->app->name), prodd_slice(scope->row->environment) } };
	const struct instance *instance;
	unsigned all = 0, diverged = 0;

	TAILQ_FOREACH(instance, &scope->instances, in_scope) {
		all++;
		diverged += instance->state == INSTANCE_DIVERGED || instance->state == INSTANCE_REFUSED;
	}
	own_value(sheet, OWN_APP_INSTANCES, labels, all);
	own_value(sheet, OWN_APP_DIVERGED, labels, diverged);
	own_value(sheet, OWN_APP_GENERATION, labels, (double)scope->row->generation);
	own_value(sheet, OWN_APP_DIFFERS, labels, *scope->differs_why ? 1 : 0);
}

static void add_problems(struct own_sheet *sheet, const struct config *config)
{
	struct problems_found found = { 0 };

	config_problems(config, (struct prodd_slice){ "", 0 }, &found);
	for (int id = 0; id < PROBLEM_COUNT; id++)
		own_value(sheet, OWN_PROBLEMS, of_app(problem_name((enum problem_id)id)), found.of[id]);
	prodd_buffer_clear(&found.rows);
}

void figures_of_config(struct own_sheet *sheet, const struct config *config)
{
	const struct scope *scope;

	for (const struct app *app = config->apps; app; app = app->hh.next)
		LIST_FOREACH(scope, &app->scopes, link)
			add_scope(sheet, scope);
	add_problems(sheet, config);
}

/* ---- logs */

static void add_rows(struct own_sheet *sheet, const struct stream *stream)
{
	for (unsigned i = 0; i < stream->rows.count; i++) {
		const struct sink_row *row = &stream->rows.at[i];
		struct log_sink_figures f = figures_of_row(row);
		struct own_labels labels = { { prodd_slice(row->sink->settings->name), prodd_slice(stream->name) } };

		if (!row->wanted)
			continue;
		own_count(sheet, OWN_SINK_SHIPPED, labels, f.shipped);
		own_count(sheet, OWN_SINK_REJECTED, labels, f.rejected);
		own_count(sheet, OWN_SINK_MISSING, labels, f.missing);
		own_count(sheet, OWN_SINK_QUARANTINED, labels, f.quarantined);
		own_value(sheet, OWN_SINK_RECORDS, labels, (double)f.records_behind);
	}
}

static void add_stream(struct own_sheet *sheet, const struct stream *stream)
{
	struct log_app_figures f = figures_of_app(stream);
	struct own_labels app = of_app(f.app);

	own_count(sheet, OWN_LOG_RECORDS, app, f.records);
	own_count(sheet, OWN_LOG_BYTES, app, f.record_bytes);
	for (int reason = 0; reason < LOG_DROP_COUNT; reason++) {
		app.value[1] = prodd_slice(log_drop_word((enum log_drop)reason));
		own_count(sheet, OWN_LOG_DROPPED, app, f.dropped[reason]);
	}
	own_value(sheet, OWN_LOG_RINGS, app, f.rings);
	own_value(sheet, OWN_LOG_RING, app, f.ring_bytes ? (double)f.ring_fill / (double)f.ring_bytes : 0);
	own_value(sheet, OWN_SPOOL_BYTES, app, (double)f.spool_bytes);
	own_count(sheet, OWN_SPOOL_QUARANTINED, app, f.quarantined);
	own_count(sheet, OWN_SPOOL_WRITES, app, f.failed_writes);
	own_count(sheet, OWN_SPOOL_SYNCS, app, f.failed_syncs);
	add_rows(sheet, stream);
}

static void add_sink(struct own_sheet *sheet, const struct logs *logs, const struct sink *sink)
{
	struct log_sink_figures f = figures_of_sink(logs, sink);
	struct own_labels labels = of_app(sink->settings->name);

	own_value(sheet, OWN_SINK_UP, labels, prodd_slice_is(prodd_slice(sink->state), "ok") ? 1 : 0);
	own_value(sheet, OWN_SINK_LAG, labels, (double)f.lag_ms / 1000);
	own_value(sheet, OWN_SINK_BEHIND, labels, (double)f.behind);
}

void figures_of_logs(struct own_sheet *sheet, const struct logs *logs)
{
	for (const struct stream *stream = logs->streams; stream; stream = stream->hh.next)
		add_stream(sheet, stream);
	for (unsigned i = 0; i < sinks_count(logs->sinks); i++)
		add_sink(sheet, logs, sinks_at(logs->sinks, i));
}

/* ---- metrics */

void figures_of_metric(struct own_sheet *sheet, const struct metric *metric)
{
	for (const struct registry *registry = metric->registries; registry; registry = registry->hh.next)
		own_value(sheet, OWN_METRIC_SERIES, of_app(registry->name), registry->series);
	own_value(sheet, OWN_METRIC_LIMIT, (struct own_labels){ 0 }, metric->series_max);
}
