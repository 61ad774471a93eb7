/* SPDX-License-Identifier: Apache-2.0 */
/* events: what happened, and with --follow what happens. */
#include <inttypes.h>
#include <stdio.h>

#include "client/prodctl/interrupt.h"
#include "client/prodctl/json.h"
#include "client/prodctl/moment.h"
#include "client/prodctl/prodctl.h"
#include "client/prodctl/table.h"

static void add_event(struct table *t, const struct wire_event *event)
{
	bool slash = event->app.size > 0 && event->instance.size > 0;

	table_cell(t, PLAIN, "%s", moment_full(event->time_ms).text);
	table_slice(t, event->kind);
	table_cell(t, PLAIN, "%.*s%s%.*s", PRODD_SLICE(event->app), slash ? "/" : "",
		   PRODD_SLICE(event->instance));
	table_slice(t, event->text);
}

/* Prints what comes until a signal or the daemon's end. Returns an error. */
static int follow(struct prodctl *p, struct table *table, struct prodd_error *e)
{
	struct wire_event event;
	int r;

	for (;;) {
		r = prodctl_note(p, WIRE_M_event, &event, e);
		if (r < 0)
			return r;
		if (prodctl_json(p, &wire_record_event, &event))
			continue;
		add_event(table, &event);
		table_print(table, &p->out);
	}
}

static void print_events(struct prodctl *p, const struct wire_events *events, struct table *table)
{
	struct prodd_iter it = prodd_iter(events->events);
	struct wire_event event;

	if (events->dropped > 0) {
		text_printf(&p->out, PLAIN, "(%" PRIu64 " older events are no longer kept)", events->dropped);
		text_end_line(&p->out);
	}
	while (prodd_next(&it, &wire_record_event, &event, NULL) > 0)
		add_event(table, &event);
	table_print(table, &p->out);
}

/* With --follow --json each event is a line, those of the past too. */
static void print_lines(struct prodctl *p, const struct wire_events *events)
{
	struct prodd_iter it = prodd_iter(events->events);
	struct wire_event event;

	while (prodd_next(&it, &wire_record_event, &event, NULL) > 0)
		prodctl_json(p, &wire_record_event, &event);
}

int run_events(struct prodctl *p, struct prodd_error *e)
{
	bool json = arguments_has(&p->args, OPTION_JSON), following = arguments_has(&p->args, OPTION_FOLLOW);
	const struct wire_events_request request = {
		.app = prodd_slice(arguments_value(&p->args, OPTION_APP)), .follow = following,
	};
	auto_table table = table_of(4, 0);
	struct wire_events events;
	int r = prodctl_ask(p, WIRE_M_events, &request, &events, e);

	if (r < 0)
		return r;
	if (json && following)
		print_lines(p, &events);
	else if (json)
		prodctl_json(p, &wire_record_events, &events);
	else
		print_events(p, &events, &table);
	return following ? follow(p, &table, e) : 0;
}
