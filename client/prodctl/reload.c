/* SPDX-License-Identifier: Apache-2.0 */
/* reload and confirm. */
#include "client/prodctl/prodctl.h"
#include "client/prodctl/report.h"

int run_reload(struct prodctl *p, struct prodd_error *e)
{
	const struct arguments *a = &p->args;
	uint64_t timeout_ms = a->numbers[OPTION_TIMEOUT];
	const struct wire_reload request = {
		.app = prodd_slice(a->app), .dry_run = arguments_has(a, OPTION_DRY_RUN),
		.force = arguments_has(a, OPTION_FORCE), .confirm_ms = a->numbers[OPTION_CONFIRM],
		.timeout_ms = timeout_ms,
	};
	int64_t wait_ms = timeout_ms > 0 ? (int64_t)timeout_ms : PRODCTL_RELOAD_TIMEOUT_MS;
	struct wire_reports reports;
	int r = prodctl_change(p, WIRE_M_reload, &request, &reports, wait_ms, e);

	if (r < 0)
		return r;
	return report_finish(p, &reports, REPORT_CHANGE);
}

/* The answer's rows are those of a change that stays; in words it is a different thing. */
static void print_confirmed(struct prodctl *p, const struct wire_reports *reports)
{
	struct prodd_iter it = prodd_iter(reports->reports);
	struct wire_report r;

	while (prodd_next(&it, &wire_record_report, &r, NULL) > 0) {
		text_printf(&p->out, PLAIN, "%.*s%s%.*s%s  generation %llu confirmed", PRODD_SLICE(r.app),
			    r.environment.size > 0 ? " (" : "", PRODD_SLICE(r.environment),
			    r.environment.size > 0 ? ")" : "", (unsigned long long)(r.to ? r.to : r.from));
		text_end_line(&p->out);
	}
}

int run_confirm(struct prodctl *p, struct prodd_error *e)
{
	const struct wire_app_request request = {
		.app = prodd_slice(p->args.app),
		.environment = prodd_slice(arguments_value(&p->args, OPTION_ENV)),
	};
	struct wire_reports reports;
	int r = prodctl_change(p, WIRE_M_confirm, &request, &reports, 0, e);

	if (r < 0)
		return r;
	if (report_exit(&reports) != 0 || arguments_has(&p->args, OPTION_JSON))
		return report_finish(p, &reports, REPORT_CHANGE);
	print_confirmed(p, &reports);
	return 0;
}
