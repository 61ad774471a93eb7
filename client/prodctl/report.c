/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A row has a first line that says it all, then what changed, then what each
 * instance said, then what to do.
 */
#include "client/prodctl/report.h"

#include <inttypes.h>
#include <stdio.h>

#include "client/prodctl/moment.h"
#include "client/prodctl/prodctl.h"
#include "client/prodctl/report_instance.h"
#include "client/prodctl/table.h"

enum { names_shown = 5 };

static bool is_outcome(const struct wire_report *r, const char *word)
{
	return prodd_slice_is(r->outcome, word);
}

/* ---- exit status */

/* A row's status; what the outcome means when the row has none. */
static int exit_of(const struct wire_report *r)
{
	static const struct { const char *outcome; int status; } rows[] = {
		{ "invalid", 4 }, { "rejected", 5 }, { "no_answer", 6 }, { "busy", 9 }, { "failed", 1 },
	};

	if (r->exit > 0)
		return r->exit <= 10 ? (int)r->exit : 1;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		if (is_outcome(r, rows[i].outcome))
			return rows[i].status;
	return 0;
}

int report_exit(const struct wire_reports *reports)
{
	static const int worst_first[] = { 4, 5, 6, 9, 8, 7, 2, 1, 10, 3 };
	struct prodd_iter it = prodd_iter(reports->reports);
	struct wire_report r;
	unsigned seen = 0;

	while (prodd_next(&it, &wire_record_report, &r, NULL) > 0)
		seen |= 1u << exit_of(&r);
	for (size_t i = 0; i < sizeof worst_first / sizeof *worst_first; i++)
		if (seen & (1u << worst_first[i]))
			return worst_first[i];
	return 0;
}

/* ---- first lines */

static void stays(const struct wire_report *r, struct text *to)
{
	if (r->from > 0)
		text_printf(to, PLAIN, "generation %" PRIu64 " stays live", r->from);
	else
		text_printf(to, PLAIN, "no generation is live");
}

static void generations(const struct wire_report *r, struct text *to)
{
	if (r->from == r->to || r->to == 0)
		text_printf(to, PLAIN, "generation %" PRIu64, r->from);
	else if (r->from == 0)
		text_printf(to, PLAIN, "generation %" PRIu64 ", the first", r->to);
	else
		text_printf(to, PLAIN, "generation %" PRIu64 " -> %" PRIu64, r->from, r->to);
}

/* "  (2 keys, 0.04 s)" */
static void figures(const struct wire_report *r, bool time, struct text *to)
{
	text_printf(to, PLAIN, "  (%" PRIu32 " key%s%s%s)", r->changes.count,
		    r->changes.count == 1 ? "" : "s", time ? ", " : "",
		    time ? moment_span(r->elapsed_ms).text : "");
}

/* "a, b and 7 more": adds one name. */
static void list_name(struct text *to, enum colour colour, unsigned *count, const char *before,
		      const char *between, struct prodd_slice name)
{
	if (*count < names_shown)
		text_printf(to, colour, "%s%s%.*s", *count > 0 ? ", " : before, between, PRODD_SLICE(name));
	++*count;
}

static void list_end(struct text *to, enum colour colour, unsigned count)
{
	if (count > names_shown)
		text_printf(to, colour, " and %u more", count - names_shown);
}

/* Keys of this change that wait for a restart. Returns how many. */
static unsigned changed_keys(const struct wire_report *r, struct text *to)
{
	struct prodd_iter it = prodd_iter(r->changes);
	struct wire_change change;
	unsigned count = 0;

	while (prodd_next(&it, &wire_record_change, &change, NULL) > 0)
		if (change.restart)
			list_name(to, WARN, &count, " for ", "", change.key);
	list_end(to, WARN, count);
	return count;
}

/* Instances that stay whole on their old generation. Returns how many. */
static unsigned waiting_instances(const struct wire_report *r, struct text *to)
{
	struct prodd_iter it = prodd_iter(r->instances);
	struct wire_instance_report instance;
	unsigned count = 0;
	char app[130];

	snprintf(app, sizeof app, "%.*s/", PRODD_SLICE(r->app));
	while (prodd_next(&it, &wire_record_instance_report, &instance, NULL) > 0)
		if (prodd_slice_is(instance.state, "restart"))
			list_name(to, WARN, &count, " by ", app, instance.instance);
	list_end(to, WARN, count);
	return count;
}

/* Keys of earlier changes that wait still: those of the first instance that keeps any. */
static void older_keys(const struct wire_report *r, struct text *to)
{
	struct prodd_iter instances = prodd_iter(r->instances), keys;
	struct wire_instance_report instance;
	struct wire_kept_key key;
	unsigned count = 0;

	while (count == 0 && prodd_next(&instances, &wire_record_instance_report, &instance, NULL) > 0)
		for (keys = prodd_iter(instance.kept); prodd_next(&keys, &wire_record_kept_key, &key, NULL) > 0;)
			list_name(to, WARN, &count, " still for ", "", key.key);
	list_end(to, WARN, count);
}

static void restart_needed(const struct wire_report *r, struct text *to)
{
	text_printf(to, WARN, "  RESTART NEEDED");
	if (changed_keys(r, to) == 0 && waiting_instances(r, to) == 0)
		older_keys(r, to);
}

static void not_everywhere(const struct wire_report *r, struct text *to)
{
	struct prodd_iter it = prodd_iter(r->instances);
	struct wire_instance_report instance;
	unsigned count = 0;
	char app[130];

	snprintf(app, sizeof app, "%.*s/", PRODD_SLICE(r->app));
	text_printf(to, BAD, "  NOT IN USE");
	while (prodd_next(&it, &wire_record_instance_report, &instance, NULL) > 0)
		if (prodd_slice_is(instance.state, "diverged") ||
		    prodd_slice_is(instance.state, "unconfirmed") ||
		    prodd_slice_is(instance.state, "refused"))
			list_name(to, BAD, &count, " by ", app, instance.instance);
	list_end(to, BAD, count);
	if (count == 0)
		text_printf(to, BAD, " everywhere");
}

static void head_committed(const struct wire_report *r, struct text *to)
{
	int status = exit_of(r);

	generations(r, to);
	if (status == 3)
		restart_needed(r, to);
	else if (status == 10)
		not_everywhere(r, to);
	else if (r->confirm_at == 0)
		figures(r, true, to);
	if (r->confirm_at > 0)
		text_printf(to, PLAIN, ", rolls back at %s unless: prodctl confirm %.*s",
			    moment_time(r->confirm_at).text, PRODD_SLICE(r->app));
}

static void head_unchanged(const struct wire_report *r, enum report_style style, struct text *to)
{
	if (style == REPORT_CHECK)
		text_printf(to, PLAIN, "valid, the same as generation %" PRIu64, r->from ? r->from : r->to);
	else if (r->from == 0 && r->to == 0)
		text_printf(to, PLAIN, "unchanged, no generation is live");
	else
		text_printf(to, PLAIN, "generation %" PRIu64 ", files unchanged", r->to ? r->to : r->from);
}

static void head_would_commit(const struct wire_report *r, enum report_style style, struct text *to)
{
	text_printf(to, PLAIN, style == REPORT_CHECK ? "valid, " : "would commit ");
	generations(r, to);
	figures(r, style == REPORT_CHANGE, to);
	if (exit_of(r) == 3)
		restart_needed(r, to);
}

static bool is_diff(enum report_style style)
{
	return style == REPORT_DIFF || style == REPORT_FILES;
}

static void head_diff(const struct wire_report *r, enum report_style style, struct text *to)
{
	if (style == REPORT_FILES)
		text_printf(to, PLAIN, "generation %" PRIu64 "%s", r->from,
			    r->changes.count == 0 ? ", files unchanged" : " -> files");
	else if (r->changes.count == 0)
		text_printf(to, PLAIN, "generations %" PRIu64 " and %" PRIu64 " are the same", r->from,
			    r->to);
	else
		text_printf(to, PLAIN, "generation %" PRIu64 " -> %" PRIu64, r->from, r->to);
	if (r->changes.count > 0)
		figures(r, false, to);
}

static void head_stopped(const struct wire_report *r, struct text *to)
{
	if (is_outcome(r, "invalid")) {
		text_printf(to, BAD, "INVALID");
		text_printf(to, PLAIN, ", ");
		stays(r, to);
		text_printf(to, PLAIN, "; no app was asked");
		return;
	}
	if (is_outcome(r, "rejected"))
		text_printf(to, BAD, "REJECTED");
	else if (is_outcome(r, "no_answer"))
		text_printf(to, BAD, "NO ANSWER");
	else if (is_outcome(r, "busy"))
		text_printf(to, BAD, "BUSY");
	else
		text_printf(to, BAD, "FAILED");
	if (is_outcome(r, "no_answer") && r->timeout_ms > 0)
		text_printf(to, PLAIN, " in %s", moment_span(r->timeout_ms).text);
	if (is_outcome(r, "rejected") || is_outcome(r, "no_answer"))
		text_printf(to, PLAIN, ", rolled back");
	text_printf(to, PLAIN, ", ");
	stays(r, to);
}

static void print_head(const struct wire_report *r, enum report_style style, struct text *to)
{
	text_slice(to, STRONG, r->app);
	if (r->environment.size > 0)
		text_printf(to, PLAIN, " (%.*s)", PRODD_SLICE(r->environment));
	text_spaces(to, 2);
	if (is_outcome(r, "no_files"))
		text_printf(to, PLAIN, "no configuration files");
	else if (r->problems.count == 0 && is_diff(style))
		head_diff(r, style, to);
	else if (is_outcome(r, "committed"))
		head_committed(r, to);
	else if (is_outcome(r, "unchanged"))
		head_unchanged(r, style, to);
	else if (is_outcome(r, "would_commit"))
		head_would_commit(r, style, to);
	else
		head_stopped(r, to);
	text_end_line(to);
}

/* ---- the lines below */

static void print_problems(const struct wire_report *r, struct text *to)
{
	struct prodd_iter it = prodd_iter(r->problems);
	struct wire_problem p;

	while (prodd_next(&it, &wire_record_problem, &p, NULL) > 0) {
		text_spaces(to, 2);
		if (p.file.size > 0)
			text_slice(to, PLAIN, p.file);
		if (p.line > 0)
			text_printf(to, PLAIN, ":%" PRIu64, p.line);
		if (p.file.size > 0)
			text_printf(to, PLAIN, ": ");
		if (p.key.size > 0)
			text_printf(to, PLAIN, "%.*s: ", PRODD_SLICE(p.key));
		text_slice(to, PLAIN, p.text);
		text_end_line(to);
	}
}

static void add_change(struct table *table, const struct wire_change *c)
{
	static const struct prodd_slice unset = { "(not set)", 9 };
	struct prodd_slice old = c->added ? unset : c->old, now = c->removed ? unset : c->now;

	table_slice(table, c->key);
	table_cell(table, PLAIN, "%.*s -> %.*s", PRODD_SLICE(old), PRODD_SLICE(now));
	if (c->line > 0)
		table_cell(table, PLAIN, "%.*s:%" PRIu64, PRODD_SLICE(c->file), c->line);
	else
		table_slice(table, c->file);
}

static void print_changes(const struct wire_report *r, enum report_style style, struct text *to)
{
	uint32_t most = is_diff(style) ? r->changes.count : REPORT_CHANGES_MAX;
	struct prodd_iter it = prodd_iter(r->changes);
	auto_table table = table_of(3, 2);
	struct wire_change c;

	table.gap[1] = 4;
	for (uint32_t i = 0; i < most && prodd_next(&it, &wire_record_change, &c, NULL) > 0; i++)
		add_change(&table, &c);
	table_print(&table, to);
	if (r->changes.count > most) {
		text_printf(to, PLAIN, "  and %" PRIu32 " more: prodctl config diff %.*s",
			    r->changes.count - most, PRODD_SLICE(r->app));
		if (is_outcome(r, "committed"))
			text_printf(to, PLAIN, " %" PRIu64 " %" PRIu64, r->from, r->to);
		text_end_line(to);
	}
}

static void print_linked(const struct wire_report *r, struct text *to)
{
	struct prodd_iter it = prodd_iter(r->linked);
	struct prodd_slice app;
	unsigned count = 0;

	if (r->linked.count == 0)
		return;
	while (prodd_next_text(&it, &app))
		list_name(to, PLAIN, &count, "  one transaction, by a shared file that changed, with ", "",
			  app);
	list_end(to, PLAIN, count);
	text_end_line(to);
}

static void print_report(const struct wire_report *r, enum report_style style, struct text *to)
{
	print_head(r, style, to);
	print_problems(r, to);
	if (is_diff(style) || is_outcome(r, "committed") || is_outcome(r, "would_commit"))
		print_changes(r, style, to);
	report_instances(r, to);
	print_linked(r, to);
	if (r->note.size > 0) {
		text_printf(to, PLAIN, "  %.*s", PRODD_SLICE(r->note));
		text_end_line(to);
	}
	if (is_outcome(r, "no_answer")) {
		text_printf(to, PLAIN, "To commit without it: prodctl reload %.*s --force",
			    PRODD_SLICE(r->app));
		text_end_line(to);
	}
}

void report_print(const struct wire_reports *reports, enum report_style style, struct text *out,
		  struct text *err)
{
	struct prodd_iter it = prodd_iter(reports->reports);
	struct wire_report r;

	while (prodd_next(&it, &wire_record_report, &r, NULL) > 0) {
		bool wrong = r.problems.count > 0 || is_outcome(&r, "invalid") || is_outcome(&r, "failed") ||
			     is_outcome(&r, "busy");

		print_report(&r, style, wrong ? err : out);
	}
	if (reports->joined) {
		text_printf(out, PLAIN, "(joined a reload that ran already)");
		text_end_line(out);
	}
}

int report_finish(struct prodctl *p, const struct wire_reports *reports, enum report_style style)
{
	int status = report_exit(reports);

	if (!prodctl_json(p, &wire_record_reports, reports)) {
		report_print(reports, style, &p->out, &p->err);
		if (reports->reports.count == 0) {
			text_printf(&p->out, PLAIN, "nothing differs from what is live");
			text_end_line(&p->out);
		}
	}
	return status == 3 && arguments_has(&p->args, OPTION_RESTART_OK) ? 0 : status;
}
