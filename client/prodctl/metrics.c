/* SPDX-License-Identifier: Apache-2.0 */
/* metrics: names, labels, values, rates and quantiles; with --watch again and again, beside the reading before. */
#include <stdio.h>
#include <unistd.h>

#include "client/prodctl/interrupt.h"
#include "client/prodctl/metric_reading.h"
#include "client/prodctl/moment.h"
#include "client/prodctl/table.h"
#include "client/prodctl/value.h"

enum { watch_ms = 2000, columns_plain = 4, columns_all = 7 };

static const double quantiles[columns_all - columns_plain] = { 0.5, 0.9, 0.99 };

/* "0.0523", "12.3", "1234": three digits that count, and all before the point. */
static void short_text(double value, char *ret, size_t size)
{
	snprintf(ret, size, value >= 1000 || value <= -1000 ? "%.0f" : "%.3g", value);
}

/* How much it grows in a second: since `before`, or on average since it began to count. */
static bool rate_of(const struct metric_reading *now, const struct wire_metric_row *row,
		    const struct metric_reading *before, double *ret)
{
	const struct wire_metric_row *past = before ? metric_reading_find(before, row) : NULL;
	double value, was = 0, seconds;

	if (prodd_slice_is(row->type, "gauge") || !metric_value(row, &value))
		return false;
	if (before) {
		if (!past || !metric_value(past, &was))
			return false;
		seconds = (double)(now->at_ms - before->at_ms) / 1000;
	} else {
		if (row->created_ms == 0 || row->created_ms >= now->wall_ms)
			return false;
		seconds = (double)(now->wall_ms - row->created_ms) / 1000;
	}
	*ret = (value - was) / seconds;
	return seconds > 0 && value >= was;
}

static void add_quantiles(struct table *t, const struct wire_metric_row *row, const struct metric_reading *before)
{
	const struct wire_metric_row *past = before ? metric_reading_find(before, row) : NULL;
	char text[32];
	double value;

	for (unsigned i = 0; i < sizeof quantiles / sizeof *quantiles; i++) {
		bool is_histogram = prodd_slice_is(row->type, "histogram");

		*text = '\0';
		if (is_histogram && metric_quantile(row, past, quantiles[i], &value))
			short_text(value, text, sizeof text);
		table_cell(t, PLAIN, "%s", is_histogram && !*text ? "-" : text);
	}
}

static void add_row(struct table *t, const struct metric_reading *now, const struct wire_metric_row *row,
		    const struct metric_reading *before)
{
	char value[64], rate[40] = "", number[32];
	double per_second;

	metric_value_text(row, value, sizeof value);
	if (rate_of(now, row, before, &per_second)) {
		short_text(per_second, number, sizeof number);
		snprintf(rate, sizeof rate, "%s/s", number);
	}
	table_slice(t, row->name);
	table_slice(t, row->labels);
	table_cell(t, PLAIN, "%s", value);
	table_cell(t, PLAIN, "%s", rate);
	if (t->columns == columns_all)
		add_quantiles(t, row, before);
}

static bool any_histogram(const struct metric_reading *reading)
{
	for (uint32_t i = 0; i < reading->count; i++)
		if (prodd_slice_is(reading->rows[i].type, "histogram"))
			return true;
	return false;
}

/* `before`: NULL without --watch. */
static void print(struct prodctl *p, const struct metric_reading *now, const struct metric_reading *before)
{
	const struct wire_metrics_page page = { .rows = prodd_list(&now->bytes, now->count) };
	bool all = any_histogram(now);
	auto_table table = table_of(all ? columns_all : columns_plain, 0);

	if (prodctl_json(p, &wire_record_metrics_page, &page))
		return;
	if (now->count == 0) {
		text_printf(&p->out, PLAIN, "no metrics");
		text_end_line(&p->out);
		return;
	}
	table_head(&table, all ? "NAME|LABELS|VALUE|RATE|P50|P90|P99" : "NAME|LABELS|VALUE|RATE");
	for (uint32_t i = 0; i < now->count; i++)
		add_row(&table, now, &now->rows[i], before);
	table_print(&table, &p->out);
}

/* A terminal shows one reading at a time; elsewhere an empty line parts them. */
static int part(struct prodctl *p, bool first, struct prodd_error *e)
{
	static const char clear[] = "\033[H\033[2J";
	bool json = arguments_has(&p->args, OPTION_JSON);

	if (!json && isatty(STDOUT_FILENO))
		return text_write(STDOUT_FILENO, (struct prodd_slice){ clear, sizeof clear - 1 }, e);
	if (!json && !first)
		text_end_line(&p->out);
	return 0;
}

static int wait_a_moment(struct prodd_error *e)
{
	if (interrupt_poll(-1, 0, moment_monotonic_ms() + watch_ms) < 0)
		return prodd_error_set(e, PRODD_E_FAILED, "interrupted");
	return 0;
}

/* Until a signal, or the daemon's end. */
static int watch(struct prodctl *p, const struct wire_metrics_request *request, struct metric_reading *before,
		 struct prodd_error *e)
{
	struct metric_reading now = { 0 };
	bool first = true;
	int r;

	for (;;) {
		r = wait_a_moment(e);
		if (r == 0)
			r = metric_reading_take(&now, p, request, e);
		if (r == 0)
			r = part(p, first, e);
		if (r == 0) {
			print(p, &now, before);
			r = prodctl_flush(p, e);
		}
		if (r < 0)
			break;
		metric_reading_clear(before);
		*before = now;
		now = (struct metric_reading){ 0 };
		first = false;
	}
	metric_reading_clear(&now);
	return r;
}

int run_metrics(struct prodctl *p, struct prodd_error *e)
{
	bool every_app = prodd_slice_is(prodd_slice(p->args.app), "*");
	const struct wire_metrics_request request = {
		.app = prodd_slice(every_app ? "" : p->args.app), .pattern = prodd_slice(arguments_word(&p->args, 1)),
	};
	struct metric_reading reading;
	int r = metric_reading_take(&reading, p, &request, e);

	if (r == 0 && arguments_has(&p->args, OPTION_WATCH))
		r = watch(p, &request, &reading, e);
	else if (r == 0)
		print(p, &reading, NULL);
	metric_reading_clear(&reading);
	return r;
}
