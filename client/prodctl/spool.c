/* SPDX-License-Identifier: Apache-2.0 */
/* spool list, spool show: what is kept of the apps' records, and how far each sink is. */
#include <inttypes.h>

#include "client/prodctl/amount.h"
#include "client/prodctl/prodctl.h"
#include "client/prodctl/sink_table.h"
#include "client/prodctl/table.h"
#include "proto/codec.h"

static void print_head(const struct wire_spools *s, struct text *to)
{
	text_printf(to, PLAIN, "%s kept", amount_bytes(s->bytes).text);
	if (s->limit > 0)
		text_printf(to, PLAIN, " of %s", amount_bytes(s->limit).text);
	text_printf(to, PLAIN, "  sync %.*s  full %.*s", PRODD_SLICE(s->policy), PRODD_SLICE(s->full));
	text_end_line(to);
}

static uint64_t dropped_of(const struct wire_spool_row *spool)
{
	struct prodd_iter it = prodd_iter(spool->dropped);
	struct wire_drop_row row;
	uint64_t all = 0;

	while (prodd_next(&it, &wire_record_drop_row, &row, NULL) > 0)
		all += row.count;
	return all;
}

static void print_table(const struct wire_spools *s, struct text *to)
{
	struct prodd_iter it = prodd_iter(s->spools);
	auto_table table = table_of(6, 0);
	struct wire_spool_row spool;

	text_end_line(to);
	if (s->spools.count == 0) {
		text_printf(to, PLAIN, "no spools yet");
		text_end_line(to);
		return;
	}
	table_right(&table, 1, 5);
	table_head(&table, "APP|RECORDS|NEXT|SPOOLED|SEGMENTS|DROPPED");
	while (prodd_next(&it, &wire_record_spool_row, &spool, NULL) > 0) {
		uint64_t dropped = dropped_of(&spool);

		table_slice(&table, spool.app);
		table_cell(&table, PLAIN, "%" PRIu64, spool.records);
		table_cell(&table, PLAIN, "%" PRIu64, spool.next);
		table_cell(&table, PLAIN, "%s", amount_bytes(spool.bytes).text);
		table_cell(&table, PLAIN, "%" PRIu64, spool.segments);
		table_cell(&table, dropped > 0 ? WARN : PLAIN, "%" PRIu64, dropped);
	}
	table_print(&table, to);
}

int run_spool_list(struct prodctl *p, struct prodd_error *e)
{
	const struct wire_spool_request request = { .app = { "", 0 } };
	struct wire_spools spools;
	int r = prodctl_ask(p, WIRE_M_spool_show, &request, &spools, e);

	if (r < 0 || prodctl_json(p, &wire_record_spools, &spools))
		return r;
	print_head(&spools, &p->out);
	print_table(&spools, &p->out);
	if (spools.sinks.count > 0) {
		text_end_line(&p->out);
		sink_table_print(spools.sinks, &p->out);
	}
	return 0;
}

/* ---- one in full */

static void print_drops(const struct wire_spool_row *spool, struct text *to)
{
	struct prodd_iter it = prodd_iter(spool->dropped);
	struct wire_drop_row row;

	while (prodd_next(&it, &wire_record_drop_row, &row, NULL) > 0) {
		text_printf(to, WARN, "  dropped: %" PRIu64 " (%.*s)", row.count, PRODD_SLICE(row.reason));
		text_end_line(to);
	}
	if (spool->quarantined == 0)
		return;
	text_printf(to, WARN, "  damage passed over: %s", amount_bytes(spool->quarantined).text);
	text_end_line(to);
}

static void print_cursors(const struct wire_spool_row *spool, struct text *to)
{
	struct prodd_iter it = prodd_iter(spool->sinks);
	auto_table table = table_of(4, 2);
	struct wire_cursor_row row;

	if (spool->sinks.count == 0)
		return;
	table_right(&table, 1, 3);
	table_head(&table, "SINK|HAS UP TO|BEHIND|MISSING");
	while (prodd_next(&it, &wire_record_cursor_row, &row, NULL) > 0) {
		table_slice(&table, row.sink);
		table_cell(&table, PLAIN, "%" PRIu64, row.number);
		table_cell(&table, PLAIN, "%" PRIu64, row.behind);
		table_cell(&table, row.missing > 0 ? WARN : PLAIN, "%" PRIu64, row.missing);
	}
	table_print(&table, to);
}

static void print_spool(const struct wire_spool_row *spool, struct text *to)
{
	text_slice(to, STRONG, spool->app);
	text_printf(to, PLAIN, "  %s", amount_bytes(spool->bytes).text);
	if (spool->limit > 0)
		text_printf(to, PLAIN, " of %s", amount_bytes(spool->limit).text);
	text_printf(to, PLAIN, " in %" PRIu64 " segment%s", spool->segments, spool->segments == 1 ? "" : "s");
	text_end_line(to);
	text_printf(to, PLAIN, "  numbers %" PRIu64 " to %" PRIu64 ", durable up to %" PRIu64 "; %" PRIu64
		    " records since the start of prodd", spool->oldest, spool->next > 0 ? spool->next - 1 : 0,
		    spool->synced, spool->records);
	text_end_line(to);
	print_drops(spool, to);
	print_cursors(spool, to);
}

/* All of that name; all when it is empty. */
static void print_named(const struct wire_spools *s, const char *name, struct text *to)
{
	struct prodd_iter it = prodd_iter(s->spools);
	struct wire_spool_row spool;
	struct wire_sink_row sink;
	unsigned count = 0;

	while (prodd_next(&it, &wire_record_spool_row, &spool, NULL) > 0)
		if (!*name || prodd_slice_is(spool.app, name)) {
			if (count++ > 0)
				text_end_line(to);
			print_spool(&spool, to);
		}
	for (it = prodd_iter(s->sinks); prodd_next(&it, &wire_record_sink_row, &sink, NULL) > 0;)
		if (!*name || prodd_slice_is(sink.sink, name)) {
			if (count++ > 0)
				text_end_line(to);
			sink_print(&sink, to);
		}
}

static bool has_spool(const struct wire_spools *s, const char *name)
{
	struct prodd_iter it = prodd_iter(s->spools);
	struct wire_spool_row spool;

	while (prodd_next(&it, &wire_record_spool_row, &spool, NULL) > 0)
		if (prodd_slice_is(spool.app, name))
			return true;
	return false;
}

static bool has_sink(const struct wire_spools *s, const char *name)
{
	struct prodd_iter it = prodd_iter(s->sinks);
	struct wire_sink_row sink;

	while (prodd_next(&it, &wire_record_sink_row, &sink, NULL) > 0)
		if (prodd_slice_is(sink.sink, name))
			return true;
	return false;
}

/* JSON of the one that is meant: asked for anew, by what it is. */
static int print_json(struct prodctl *p, const char *app, const char *sink, struct prodd_error *e)
{
	const struct wire_spool_request request = { .app = prodd_slice(app), .sink = prodd_slice(sink) };
	struct wire_spools spools;
	int r = prodctl_ask(p, WIRE_M_spool_show, &request, &spools, e);

	if (r == 0)
		prodctl_json(p, &wire_record_spools, &spools);
	return r;
}

int run_spool_show(struct prodctl *p, struct prodd_error *e)
{
	const struct wire_spool_request request = { .app = { "", 0 } };
	const char *name = arguments_word(&p->args, 0);
	struct wire_spools spools;
	bool is_app;
	int r = prodctl_ask(p, WIRE_M_spool_show, &request, &spools, e);

	if (r < 0)
		return r;
	is_app = has_spool(&spools, name);
	if (*name && !is_app && !has_sink(&spools, name))
		return prodd_error_set(e, PRODD_E_NOT_FOUND, "there is no spool and no sink of the name %s", name);
	if (arguments_has(&p->args, OPTION_JSON))
		return print_json(p, is_app ? name : "", is_app ? "" : name, e);
	if (!*name)
		print_head(&spools, &p->out);
	if (!*name && spools.spools.count + spools.sinks.count > 0)
		text_end_line(&p->out);
	print_named(&spools, name, &p->out);
	return 0;
}
