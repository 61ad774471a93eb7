/* SPDX-License-Identifier: Apache-2.0 */
#include "client/prodctl/status_app.h"

#include <inttypes.h>
#include <stdio.h>

#include "client/prodctl/amount.h"
#include "client/prodctl/moment.h"
#include "client/prodctl/report_instance.h"

/* What instances are in, the worst first; "applied" is the rest. */
static const struct {
	const char *word;
	const char *text;
	enum colour colour;
} states[] = {
	{"diverged", "diverged", BAD},	     {"refused", "refused", BAD},
	{"unconfirmed", "unconfirmed", BAD}, {"restart", "restart needed", WARN},
	{"waiting", "waiting", PLAIN},	     {"separate", "separate", PLAIN},
};

enum { state_count = sizeof states / sizeof *states };

struct tally {
	unsigned in[state_count];
	unsigned kept;		/* applied, with settings that wait for a restart */
};

static struct tally tally_of(const struct wire_app_status *app)
{
	struct prodd_iter it = prodd_iter(app->instances);
	struct wire_instance_status instance;
	struct tally t = { .kept = 0 };

	while (prodd_next(&it, &wire_record_instance_status, &instance, NULL) > 0) {
		for (size_t i = 0; i < state_count; i++)
			t.in[i] += prodd_slice_is(instance.state, states[i].word);
		t.kept += instance.kept.count > 0 && prodd_slice_is(instance.state, "applied");
	}
	return t;
}

/* "1 diverged, 2 restart needed", "ok" */
static void state_cell(const struct wire_app_status *app, struct table *table)
{
	struct tally t = tally_of(app);
	enum colour colour = PLAIN;
	char text[256] = "";

	t.in[3] += t.kept;
	for (size_t i = 0; i < state_count; i++) {
		size_t used = strlen(text);

		if (t.in[i] == 0)
			continue;
		snprintf(text + used, sizeof text - used, "%s%u %s", used ? ", " : "", t.in[i],
			 states[i].text);
		if (colour == PLAIN)
			colour = states[i].colour;
	}
	if (app->transaction.size > 0)
		snprintf(text + strlen(text), sizeof text - strlen(text), "%sreload: %.*s", *text ? ", " : "",
			 PRODD_SLICE(app->transaction));
	if (app->confirm_at > 0)
		snprintf(text + strlen(text), sizeof text - strlen(text), "%srolls back at %s",
			 *text ? ", " : "", moment_time(app->confirm_at).text);
	if (app->overrides.count > 0)
		snprintf(text + strlen(text), sizeof text - strlen(text), "%s%" PRIu32 " override%s",
			 *text ? ", " : "", app->overrides.count, app->overrides.count == 1 ? "" : "s");
	if (!app->schema && app->generation > 0)
		snprintf(text + strlen(text), sizeof text - strlen(text), "%sno schema", *text ? ", " : "");
	if (!*text)
		snprintf(text, sizeof text, app->generation > 0 ? "ok" : "no configuration");
	table_cell(table, *text == 'o' ? GOOD : colour, "%s", text);
}

static void generation_cell(uint64_t generation, struct table *table)
{
	if (generation > 0)
		table_cell(table, PLAIN, "%" PRIu64, generation);
	else
		table_cell(table, PLAIN, "-");
}

void status_app_row(const struct wire_app_status *app, bool environment, struct table *table)
{
	table_slice(table, app->app);
	if (environment)
		table_slice(table, app->environment);
	table_cell(table, PLAIN, "%" PRIu32, app->instances.count);
	generation_cell(app->generation, table);
	state_cell(app, table);
	table_cell(table, PLAIN, "%s", amount_rate(app->records_rate).text);
	table_cell(table, app->dropped > 0 ? WARN : PLAIN, "%" PRIu64, app->dropped);
	table_cell(table, PLAIN, "%" PRIu64, app->series);
}

/* ---- in full */

static void print_head(const struct wire_app_status *app, struct text *to)
{
	text_end_line(to);
	text_slice(to, STRONG, app->app);
	if (app->environment.size > 0)
		text_printf(to, PLAIN, "  environment %.*s", PRODD_SLICE(app->environment));
	if (app->generation > 0)
		text_printf(to, PLAIN, "  generation %" PRIu64, app->generation);
	else
		text_printf(to, PLAIN, "  no configuration");
	text_printf(to, PLAIN, "  %s", app->schema ? "schema" : "no schema");
	if (app->directory.size > 0)
		text_printf(to, PLAIN, "  directory %.*s", PRODD_SLICE(app->directory));
	text_end_line(to);
	if (app->transaction.size > 0) {
		text_printf(to, PLAIN, "  a reload runs: %.*s", PRODD_SLICE(app->transaction));
		text_end_line(to);
	}
	if (app->confirm_at > 0) {
		text_printf(to, WARN, "  rolls back at %s unless: prodctl confirm %.*s",
			    moment_time(app->confirm_at).text, PRODD_SLICE(app->app));
		text_end_line(to);
	}
}

static void reason_cell(const struct wire_instance_status *instance, struct table *table)
{
	char kept[256];

	report_kept(instance->kept, kept, sizeof kept);
	table_cell(table, PLAIN, "%.*s%s%s%s%s", PRODD_SLICE(instance->reason),
		   *kept && instance->reason.size > 0 ? "; " : "", *kept ? "keeps " : "", kept,
		   *kept ? " until restarted" : "");
}

static void print_instances(const struct wire_app_status *app, struct text *to)
{
	struct prodd_iter it = prodd_iter(app->instances);
	struct wire_instance_status instance;
	auto_table table = table_of(9, 0);

	text_end_line(to);
	if (app->instances.count == 0) {
		text_printf(to, PLAIN, "no instance is connected");
		text_end_line(to);
		return;
	}
	table_head(&table, "INSTANCE|PID|UID|UNIT|GENERATION|STATE|UP|HEARD|REASON");
	while (prodd_next(&it, &wire_record_instance_status, &instance, NULL) > 0) {
		enum colour colour = PLAIN;

		for (size_t i = 0; i < state_count; i++)
			if (prodd_slice_is(instance.state, states[i].word))
				colour = states[i].colour;
		table_cell(&table, PLAIN, "%.*s/%.*s", PRODD_SLICE(app->app), PRODD_SLICE(instance.instance));
		table_cell(&table, PLAIN, "%" PRIu64, instance.pid);
		table_cell(&table, PLAIN, "%" PRIu64, instance.uid);
		table_cell(&table, PLAIN, "%.*s", instance.unit.size ? (int)instance.unit.size : 1,
			   instance.unit.size ? instance.unit.at : "-");
		generation_cell(instance.generation, &table);
		table_cell(&table, colour, "%.*s", PRODD_SLICE(instance.state));
		table_cell(&table, PLAIN, "%s", moment_span(instance.up_ms).text);
		table_cell(&table, PLAIN, "%s ago", moment_span(instance.heard_ms).text);
		reason_cell(&instance, &table);
	}
	table_print(&table, to);
}

static void print_overrides(const struct wire_app_status *app, struct text *to)
{
	struct prodd_iter it = prodd_iter(app->overrides);
	auto_table table = table_of(4, 0);
	struct wire_override o;
	uint64_t now = moment_now_ms();

	if (app->overrides.count == 0)
		return;
	text_end_line(to);
	table_head(&table, "OVERRIDE|VALUE|ENDS|BY");
	while (prodd_next(&it, &wire_record_override, &o, NULL) > 0) {
		table_slice(&table, o.key);
		table_slice(&table, o.text);
		if (o.expires_ms > 0)
			table_cell(&table, PLAIN, "%s (in %s)", moment_time(o.expires_ms).text,
				   moment_span(o.expires_ms > now ? o.expires_ms - now : 0).text);
		else
			table_cell(&table, PLAIN, "when unset");
		table_slice(&table, o.who);
	}
	table_print(&table, to);
}

static void print_figures(const struct wire_app_status *app, struct text *to)
{
	struct prodd_iter it = prodd_iter(app->drops);
	struct wire_drop_row row;

	text_printf(to, PLAIN, "  %s records/s, %" PRIu64 " since the start of prodd; %" PRIu64 " series",
		    amount_rate(app->records_rate).text, app->records, app->series);
	text_end_line(to);
	while (prodd_next(&it, &wire_record_drop_row, &row, NULL) > 0) {
		text_printf(to, WARN, "  dropped: %" PRIu64 " (%.*s)", row.count, PRODD_SLICE(row.reason));
		text_end_line(to);
	}
}

void status_app_details(const struct wire_app_status *app, struct text *to)
{
	print_head(app, to);
	if (app->records + app->dropped + app->series > 0)
		print_figures(app, to);
	print_instances(app, to);
	print_overrides(app, to);
}
