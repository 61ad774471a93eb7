/* SPDX-License-Identifier: Apache-2.0 */
#include "client/prodctl/report_instance.h"

#include <inttypes.h>
#include <stdio.h>

#include "client/prodctl/moment.h"
#include "client/prodctl/table.h"

/* pid and time have at most 60 bytes, the process 64. */
enum { kept_text_max = 256, about_text_max = 192 };

void report_kept(struct prodd_list kept, char *ret, size_t size)
{
	struct prodd_iter it = prodd_iter(kept);
	struct wire_kept_key key;
	size_t used = 0;

	*ret = '\0';
	while (used + 1 < size && prodd_next(&it, &wire_record_kept_key, &key, NULL) > 0) {
		int n = snprintf(ret + used, size - used, "%s%.*s %.*s", used > 0 ? ", " : "",
				 PRODD_SLICE(key.key), PRODD_SLICE(key.value));

		if (n < 0 || used + (size_t)n + 1 >= size) {
			snprintf(ret + used, size - used, "%s", used > 0 && size - used > 5 ? " ..." : "");
			return;
		}
		used += (size_t)n;
	}
}

/* Adds a part to "(a, b". */
static void add_part(char ret[about_text_max], const char *format, ...) __attribute__((format(printf, 2, 3)));

static void add_part(char ret[about_text_max], const char *format, ...)
{
	size_t used = strlen(ret);
	va_list args;

	used += (size_t)snprintf(ret + used, about_text_max - used, "%s", used > 0 ? ", " : " (");
	va_start(args, format);
	vsnprintf(ret + used, about_text_max - used, format, args);
	va_end(args);
}

/* " (pid 4711, last heard 2 min ago, process is stopped)", as far as it is known. */
static void about(const struct wire_instance_report *i, char ret[about_text_max])
{
	*ret = '\0';
	if (i->pid > 0)
		add_part(ret, "pid %" PRIu64, i->pid);
	if (i->heard_ms > 0)
		add_part(ret, "last heard %s ago", moment_span(i->heard_ms).text);
	if (i->process.size > 0)
		add_part(ret, "process is %.*s", PRODD_SLICE(i->process));
	if (*ret)
		strcat(ret, ")");
}

static void cell_with_reason(struct table *t, enum colour colour, const char *what, struct prodd_slice reason)
{
	table_cell(t, colour, "%s%s%.*s", what, reason.size > 0 ? ": " : "", PRODD_SLICE(reason));
}

/* After a decision: what the instance made of it. */
static bool cell_of_state(struct table *t, const struct wire_report *r, const struct wire_instance_report *i)
{
	char kept[kept_text_max], who[about_text_max];

	if (prodd_slice_is(i->state, "applied")) {
		report_kept(i->kept, kept, sizeof kept);
		if (*kept)
			table_cell(t, PLAIN, "applied, keeps %s until restarted", kept);
		else
			table_cell(t, PLAIN, "applied");
	} else if (prodd_slice_is(i->state, "restart")) {
		table_cell(t, WARN, "restart needed, stays on generation %" PRIu64 " until then%s%.*s",
			   r->from, i->reason.size > 0 ? ": " : "", PRODD_SLICE(i->reason));
	} else if (prodd_slice_is(i->state, "diverged")) {
		cell_with_reason(t, BAD, "diverged", i->reason);
	} else if (prodd_slice_is(i->state, "refused")) {
		cell_with_reason(t, BAD, "refused, its own environment is invalid", i->reason);
	} else if (prodd_slice_is(i->state, "unconfirmed")) {
		about(i, who);
		table_cell(t, BAD, "unconfirmed%s", who);
	} else if (prodd_slice_is(i->state, "gone")) {
		table_cell(t, PLAIN, "gone, gets it when it comes back");
	} else {
		return false;
	}
	return true;
}

/* Nothing was decided: what the instance answered. */
static void cell_of_answer(struct table *t, const struct wire_report *r, const struct wire_instance_report *i)
{
	bool rolled_back =
		prodd_slice_is(i->state, "rolled_back") && !prodd_slice_is(r->outcome, "would_commit");
	const char *after = rolled_back ? " (rolled back)" : "";
	char who[about_text_max];

	if (prodd_slice_is(i->answer, "accepted")) {
		table_cell(t, PLAIN, "accepted%s", after);
	} else if (prodd_slice_is(i->answer, "rejected")) {
		cell_with_reason(t, BAD, "rejected", i->reason);
	} else if (prodd_slice_is(i->answer, "restart")) {
		table_cell(t, PLAIN, "accepted, would need a restart%s%.*s%s", i->reason.size > 0 ? ": " : "",
			   PRODD_SLICE(i->reason), after);
	} else if (prodd_slice_is(i->answer, "silent")) {
		about(i, who);
		table_cell(t, BAD, "no answer%s", who);
	} else {
		cell_with_reason(t, PLAIN, "", i->answer.size > 0 ? i->answer : i->state);
	}
}

void report_instances(const struct wire_report *r, struct text *to)
{
	struct prodd_iter it = prodd_iter(r->instances);
	auto_table table = table_of(2, 2);
	struct wire_instance_report i;

	while (prodd_next(&it, &wire_record_instance_report, &i, NULL) > 0) {
		table_cell(&table, PLAIN, "%.*s/%.*s", PRODD_SLICE(r->app), PRODD_SLICE(i.instance));
		if (!cell_of_state(&table, r, &i))
			cell_of_answer(&table, r, &i);
	}
	table_print(&table, to);
}
