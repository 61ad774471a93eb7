/* SPDX-License-Identifier: Apache-2.0 */
/* log tail: the latest records, and with --follow those that come. */
#include <inttypes.h>
#include <unistd.h>

#include "client/prodctl/prodctl.h"
#include "client/prodctl/record_line.h"
#include "proto/codec.h"

enum { last_usual = 10, last_max = 1000 };

#define LOOK_BACK_MS (60 * 1000)	/* for the answer: spools may be large, and disks slow */

static int put_record(struct prodctl *p, const struct wire_log_record *record, struct prodd_error *e)
{
	if (arguments_has(&p->args, OPTION_JSON))
		return record_line_json(&p->out.bytes, record, e);
	return record_line(&p->out, record, e);
}

/* On stderr, so that the lines stay what they are. */
static void tell_lost(uint64_t lost, struct prodctl *p)
{
	if (lost == 0)
		return;
	text_printf(&p->err, WARN, "prodctl: %" PRIu64 " record%s missed here: read too slowly", lost, lost == 1 ? "" : "s");
	text_end_line(&p->err);
	text_flush(&p->err, STDERR_FILENO, NULL);
}

static int follow(struct prodctl *p, struct prodd_error *e)
{
	struct wire_log_record record;
	int r;

	for (;;) {
		r = prodctl_note(p, WIRE_M_log_record, &record, e);
		if (r < 0)
			return r;
		tell_lost(record.lost, p);
		r = put_record(p, &record, e);
		if (r < 0)
			return r;
	}
}

static int request_of(const struct arguments *a, struct wire_log_tail *ret, struct prodd_error *e)
{
	const char *app = *a->app ? a->app : arguments_value(a, OPTION_APP);

	if (*a->app && arguments_has(a, OPTION_APP))
		return prodd_error_set(e, PRODD_E_USAGE, "log tail: the app is named twice");
	*ret = (struct wire_log_tail){
		.app = prodd_slice(app),
		.level = prodd_slice(arguments_value(a, OPTION_LEVEL)),
		.match = prodd_slice(arguments_value(a, OPTION_MATCH)),
		.last = arguments_has(a, OPTION_LAST) ? a->numbers[OPTION_LAST] : last_usual,
		.follow = arguments_has(a, OPTION_FOLLOW),
	};
	if (ret->last > last_max)
		return prodd_error_set(e, PRODD_E_USAGE, "--last: at most %d", last_max);
	return 0;
}

int run_log_tail(struct prodctl *p, struct prodd_error *e)
{
	struct wire_log_record record;
	struct wire_log_tailed result;
	struct wire_log_tail request;
	struct prodd_iter it;
	int r = request_of(&p->args, &request, e);

	if (r == 0)
		r = prodctl_wait(p, WIRE_M_log_tail, &request, &result, LOOK_BACK_MS, e);
	if (r < 0)
		return r;
	for (it = prodd_iter(result.records); prodd_next(&it, &wire_record_log_record, &record, NULL) > 0 && r == 0;)
		r = put_record(p, &record, e);
	if (r < 0)
		return r;
	return request.follow ? follow(p, e) : 0;
}
