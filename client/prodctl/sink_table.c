/* SPDX-License-Identifier: Apache-2.0 */
#include "client/prodctl/sink_table.h"

#include <inttypes.h>

#include "client/prodctl/amount.h"
#include "client/prodctl/moment.h"
#include "client/prodctl/table.h"
#include "proto/codec.h"

static enum colour colour_of(struct prodd_slice state)
{
	if (prodd_slice_is(state, "ok"))
		return GOOD;
	return prodd_slice_is(state, "failed") ? BAD : WARN;
}

void sink_table_print(struct prodd_list sinks, struct text *to)
{
	struct prodd_iter it = prodd_iter(sinks);
	auto_table table = table_of(6, 0);
	struct wire_sink_row sink;

	table_right(&table, 3, 5);
	table_head(&table, "SINK|TYPE|STATE|LAG|SPOOLED|REJECTED");
	while (prodd_next(&it, &wire_record_sink_row, &sink, NULL) > 0) {
		table_slice(&table, sink.sink);
		table_slice(&table, sink.type);
		table_cell(&table, colour_of(sink.state), "%.*s", PRODD_SLICE(sink.state));
		table_cell(&table, PLAIN, "%s", sink.lag_ms > 0 ? moment_span(sink.lag_ms).text : "0 s");
		table_cell(&table, PLAIN, "%s", amount_bytes(sink.behind).text);
		table_cell(&table, PLAIN, "%" PRIu64, sink.rejected);
	}
	table_print(&table, to);
}

void sink_print(const struct wire_sink_row *sink, struct text *to)
{
	text_slice(to, STRONG, sink->sink);
	text_printf(to, PLAIN, "  type %.*s  ", PRODD_SLICE(sink->type));
	text_slice(to, colour_of(sink->state), sink->state);
	if (sink->since_ms > 0)
		text_printf(to, PLAIN, " since %s (%s)", moment_minute(sink->since_ms).text,
			    moment_span(moment_age_ms(sink->since_ms)).text);
	if (sink->pid > 0)
		text_printf(to, PLAIN, "  pid %" PRIu64, sink->pid);
	text_end_line(to);
	if (sink->reason.size > 0) {
		text_printf(to, WARN, "  %.*s", PRODD_SLICE(sink->reason));
		if (sink->again_ms > 0)
			text_printf(to, PLAIN, "; next try in %s", moment_span(sink->again_ms).text);
		text_end_line(to);
	}
	text_printf(to, PLAIN, "  %" PRIu64 " shipped, %" PRIu64 " rejected; %s still to read, the oldest %s old",
		    sink->shipped, sink->rejected, amount_bytes(sink->behind).text, moment_span(sink->lag_ms).text);
	text_end_line(to);
}
