/* SPDX-License-Identifier: Apache-2.0 */
/* config diff, check, set, unset and rollback: what is answered by a report. */
#include "client/prodctl/check_files.h"
#include "client/prodctl/prodctl.h"
#include "client/prodctl/report.h"

static struct prodd_slice environment_of(const struct arguments *a)
{
	return prodd_slice(arguments_value(a, OPTION_ENV));
}

static int change(struct prodctl *p, enum wire_method method, const void *request, enum report_style style,
		  struct prodd_error *e)
{
	struct wire_reports reports;
	int r = prodctl_change(p, method, request, &reports, 0, e);

	return r < 0 ? r : report_finish(p, &reports, style);
}

int run_config_diff(struct prodctl *p, struct prodd_error *e)
{
	struct wire_diff request = {
		.app = prodd_slice(p->args.app), .environment = environment_of(&p->args),
	};
	int r = arguments_generation(&p->args, 1, &request.from, e);

	if (r == 0)
		r = arguments_generation(&p->args, 2, &request.to, e);
	return r < 0 ? r : change(p, WIRE_M_config_diff, &request, request.to > 0 ? REPORT_DIFF : REPORT_FILES, e);
}

int run_config_check(struct prodctl *p, struct prodd_error *e)
{
	const struct wire_app_request request = {
		.app = prodd_slice(p->args.app), .environment = environment_of(&p->args),
	};

	if (arguments_names_directory(p->args.words[0]))
		return check_files(p->args.words[0], p->args.values[OPTION_ENV],
				   arguments_has(&p->args, OPTION_JSON), e);
	return change(p, WIRE_M_config_check, &request, REPORT_CHECK, e);
}

int run_config_set(struct prodctl *p, struct prodd_error *e)
{
	const struct wire_set request = {
		.app = prodd_slice(p->args.app), .environment = environment_of(&p->args),
		.key = prodd_slice(p->args.words[1]), .value = prodd_slice(p->args.words[2]),
		.for_ms = p->args.numbers[OPTION_FOR],
	};

	return change(p, WIRE_M_config_set, &request, REPORT_CHANGE, e);
}

int run_config_unset(struct prodctl *p, struct prodd_error *e)
{
	const struct wire_unset request = {
		.app = prodd_slice(p->args.app), .environment = environment_of(&p->args),
		.key = prodd_slice(p->args.words[1]),
	};

	return change(p, WIRE_M_config_unset, &request, REPORT_CHANGE, e);
}

int run_config_rollback(struct prodctl *p, struct prodd_error *e)
{
	struct wire_rollback request = {
		.app = prodd_slice(p->args.app), .environment = environment_of(&p->args),
	};
	int r = arguments_generation(&p->args, 1, &request.generation, e);

	return r < 0 ? r : change(p, WIRE_M_config_rollback, &request, REPORT_CHANGE, e);
}
