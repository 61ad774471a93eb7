/* SPDX-License-Identifier: Apache-2.0 */
/* log level: shows and sets the levels of an app and its targets. */
#include <inttypes.h>

#include "client/prodctl/moment.h"
#include "client/prodctl/prodctl.h"
#include "client/prodctl/table.h"
#include "proto/codec.h"

static void print_told(const struct wire_levels_set *result, struct text *to)
{
	if (result->instances == 0)
		text_printf(to, PLAIN, "%.*s: no instance that logs is connected; those that come are told", PRODD_SLICE(result->app));
	else
		text_printf(to, PLAIN, "%.*s: %" PRIu64 " instance%s told", PRODD_SLICE(result->app), result->instances,
			    result->instances == 1 ? "" : "s");
	text_end_line(to);
}

static void print_levels(const struct wire_levels_set *result, struct text *to)
{
	struct prodd_iter it = prodd_iter(result->levels);
	auto_table table = table_of(3, 0);
	struct wire_level_row row;

	if (result->levels.count == 0) {
		text_printf(to, PLAIN, "%.*s: its own levels count", PRODD_SLICE(result->app));
		text_end_line(to);
		return;
	}
	table_head(&table, "TARGET|LEVEL|ENDS");
	while (prodd_next(&it, &wire_record_level_row, &row, NULL) > 0) {
		if (row.target.size > 0)
			table_slice(&table, row.target);
		else
			table_cell(&table, PLAIN, "(all)");
		table_slice(&table, row.level);
		if (row.left_ms > 0)
			table_cell(&table, PLAIN, "in %s", moment_span(row.left_ms).text);
		else
			table_cell(&table, PLAIN, "with prodd");
	}
	table_print(&table, to);
}

int run_log_level(struct prodctl *p, struct prodd_error *e)
{
	const struct wire_level_request request = {
		.app = prodd_slice(p->args.app), .target = prodd_slice(p->args.instance),
		.level = prodd_slice(arguments_word(&p->args, 1)), .for_ms = p->args.numbers[OPTION_FOR],
	};
	bool sets = request.level.size > 0;
	struct wire_levels_set result;
	int r;

	if (arguments_has(&p->args, OPTION_FOR) && (!sets || prodd_slice_is(request.level, "own")))
		return prodd_error_set(e, PRODD_E_USAGE, "log level: --for needs a level to set");
	r = prodctl_ask(p, WIRE_M_log_level, &request, &result, e);
	if (r < 0 || prodctl_json(p, &wire_record_levels_set, &result))
		return r;
	if (sets)
		print_told(&result, &p->out);
	print_levels(&result, &p->out);
	return 0;
}
