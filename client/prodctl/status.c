/* SPDX-License-Identifier: Apache-2.0 */
/* status: the daemon in a line, problems first, then the apps. */
#include "config.h"

#include <inttypes.h>
#include <stdio.h>

#include "client/prodctl/moment.h"
#include "client/prodctl/prodctl.h"
#include "client/prodctl/sink_table.h"
#include "client/prodctl/status_app.h"
#include "client/prodctl/table.h"
#include "proto/codec.h"

enum { subject_width = 17 };

static void print_head(const struct wire_status *s, struct text *to)
{
	text_printf(to, PLAIN, "prodd %.*s at %.*s  pid %" PRIu64 "  up %s", PRODD_SLICE(s->version),
		    PRODD_SLICE(s->place), s->pid, moment_span(s->up_ms).text);
	if (s->environment.size > 0)
		text_printf(to, PLAIN, "  environment %.*s", PRODD_SLICE(s->environment));
	text_spaces(to, 2);
	if (s->problems.count == 0)
		text_printf(to, GOOD, "OK");
	else
		text_printf(to, BAD, "%" PRIu32 " PROBLEM%s", s->problems.count,
			    s->problems.count == 1 ? "" : "S");
	text_end_line(to);
}

/* "since 02:58 (41 min): " unless the line says it itself. */
static void print_since(const struct wire_status_problem *p, struct prodd_slice line, struct text *to)
{
	bool said = line.size > 0 && memmem(line.at, line.size, "since ", 6);

	uint64_t age_ms = moment_age_ms(p->since_ms);

	if (p->since_ms > 0 && !said)
		text_printf(to, PLAIN, "since %s%s%s%s: ", moment_minute(p->since_ms).text,
			    age_ms >= 60000 ? " (" : "", age_ms >= 60000 ? moment_span(age_ms).text : "",
			    age_ms >= 60000 ? ")" : "");
}

static void print_problem(const struct wire_status_problem *p, unsigned width, struct text *to)
{
	struct prodd_iter it = prodd_iter(p->lines);
	struct prodd_slice line = { "", 0 };
	unsigned own = text_width(p->subject);
	bool first = true;

	text_spaces(to, 2);
	text_slice(to, STRONG, p->subject);
	text_spaces(to, 2 + (own < width ? width - own : 0));
	while (prodd_next_text(&it, &line) || first) {
		if (first)
			print_since(p, line, to);
		else
			text_spaces(to, 2 + width + 2);
		text_slice(to, PLAIN, line);
		text_end_line(to);
		first = false;
	}
	if (p->command.size == 0)
		return;
	text_spaces(to, 2 + width + 2);
	text_slice(to, STRONG, p->command);
	text_end_line(to);
}

static void print_problems(const struct wire_status *s, struct text *to)
{
	struct prodd_iter it = prodd_iter(s->problems);
	struct wire_status_problem p;
	unsigned width = subject_width;

	if (s->problems.count == 0)
		return;
	text_end_line(to);
	text_printf(to, BAD, "PROBLEMS");
	text_end_line(to);
	while (prodd_next(&it, &wire_record_status_problem, &p, NULL) > 0)
		if (text_width(p.subject) > width)
			width = text_width(p.subject) < TABLE_WIDTH_MAX ? text_width(p.subject)
									: TABLE_WIDTH_MAX;
	for (it = prodd_iter(s->problems); prodd_next(&it, &wire_record_status_problem, &p, NULL) > 0;)
		print_problem(&p, width, to);
}

/* Has an app more than one row? Rows of an app lie together. */
static bool has_environments(struct prodd_list apps)
{
	struct prodd_iter it = prodd_iter(apps);
	struct prodd_slice before = { "", 0 };
	struct wire_app_status app;

	while (prodd_next(&it, &wire_record_app_status, &app, NULL) > 0) {
		if (prodd_slice_equal(before, app.app))
			return true;
		before = app.app;
	}
	return false;
}

static bool is_meant(const struct prodctl *p, const struct wire_app_status *app)
{
	const char *environment = p->args.values[OPTION_ENV];

	return !environment || prodd_slice_is(app->environment, environment);
}

static void print_apps(const struct prodctl *p, const struct wire_status *s, struct text *to)
{
	bool environments = has_environments(s->apps);
	struct prodd_iter it = prodd_iter(s->apps);
	auto_table table = table_of(environments ? 8 : 7, 0);
	struct wire_app_status app;

	text_end_line(to);
	if (s->apps.count == 0) {
		text_printf(to, PLAIN, "no apps yet");
		text_end_line(to);
		return;
	}
	table_right(&table, environments ? 5 : 4, environments ? 7 : 6);
	table_head(&table, environments ? "APP|ENVIRONMENT|INSTANCES|GENERATION|STATE|RECORDS/S|DROPPED|SERIES" :
					  "APP|INSTANCES|GENERATION|STATE|RECORDS/S|DROPPED|SERIES");
	while (prodd_next(&it, &wire_record_app_status, &app, NULL) > 0)
		if (is_meant(p, &app))
			status_app_row(&app, environments, &table);
	table_print(&table, to);
}

static void print_sinks(const struct wire_status *s, struct text *to)
{
	if (s->sinks.count == 0)
		return;
	text_end_line(to);
	sink_table_print(s->sinks, to);
}

/* The apps that were asked for, in full. Returns how many. */
static unsigned print_details(const struct prodctl *p, const struct wire_status *s, struct text *to)
{
	struct prodd_iter it = prodd_iter(s->apps);
	struct wire_app_status app;
	unsigned count = 0;

	while (prodd_next(&it, &wire_record_app_status, &app, NULL) > 0) {
		if (!prodd_slice_is(app.app, p->args.app) || !is_meant(p, &app))
			continue;
		status_app_details(&app, to);
		count++;
	}
	return count;
}

int run_status(struct prodctl *p, struct prodd_error *e)
{
	const struct wire_status_request request = { .app = prodd_slice(p->args.app) };
	struct wire_status status;
	int r = prodctl_ask(p, WIRE_M_status, &request, &status, e);

	if (r < 0)
		return r;
	if (prodctl_json(p, &wire_record_status, &status))
		return 0;
	print_head(&status, &p->out);
	print_problems(&status, &p->out);
	if (!*p->args.app) {
		print_apps(p, &status, &p->out);
		print_sinks(&status, &p->out);
	} else if (print_details(p, &status, &p->out) == 0) {
		return prodd_error_set(e, PRODD_E_NOT_FOUND, "prodd at %.*s knows no app %s",
				       PRODD_SLICE(status.place), p->args.app);
	}
	return 0;
}
