/* SPDX-License-Identifier: Apache-2.0 */
/* prodd.conf goes the way of every other file: read whole, parsed and checked by the helper, taken in as a tree. */
#define _GNU_SOURCE
#include "daemon/start.h"

#include <stdlib.h>

#include "daemon/config/report.h"
#include "daemon/layers/layers.h"
#include "daemon/util/container.h"
#include "daemon/util/log.h"

#define PARSE_MS 10000

struct reading {
	struct helper_run run;
	struct start_settings *settings;
	struct prodd_error error;
	int result;
	bool done;
};

const char *start_libexec(void)
{
	const char *directory = secure_getenv("PRODD_LIBEXEC");

	return directory ? directory : PRODD_LIBEXECDIR;
}

static void print_problems(struct prodd_list problems)
{
	struct prodd_iter it = prodd_iter(problems);
	struct wire_problem problem;
	char text[2048];

	while (prodd_next(&it, &wire_record_problem, &problem, NULL) > 0) {
		report_problem_text(&problem, text, sizeof text);
		log_error("%s", text);
	}
}

static int take(struct reading *reading, const struct prodd_message *answer)
{
	struct wire_parsed parsed;
	int r;

	if (answer->error.code) {
		reading->error = answer->error;
		return -answer->error.code;
	}
	r = prodd_message_decode(answer, &wire_record_parsed, &parsed, &reading->error);
	if (r < 0)
		return r;
	if (parsed.problems.count > 0) {
		print_problems(parsed.problems);
		return prodd_error_set(&reading->error, PRODD_E_INVALID, "prodd.conf is invalid; prodd does not start");
	}
	r = settings_load(&reading->settings->config, parsed.entries, &reading->error);
	if (r >= 0)
		r = metric_settings_load(&reading->settings->metrics, parsed.entries, &reading->error);
	return r < 0 ? r : log_settings_load(&reading->settings->log, parsed.entries, &reading->error);
}

static void done(struct helper_run *run, const struct prodd_message *answer, const struct prodd_error *why)
{
	struct reading *reading = container_of(run, struct reading, run);

	if (answer) {
		reading->result = take(reading, answer);
	} else {
		reading->error = *why;
		reading->result = -why->code;
	}
	reading->done = true;
	loop_stop(run->loop);
}

static const struct helper_run_ops ops = { .done = done };

static int request_of(const struct layers *layers, struct prodd_buffer *ret, struct prodd_error *e)
{
	prodd_auto_buffer files = { .limit = 0 };
	struct wire_parse parse = { .app = prodd_slice("prodd") };
	uint32_t count = 0;

	layers_encode(layers, &files, &count);
	parse.files = prodd_list(&files, count);
	if (files.failed || prodd_frame_call(ret, 1, WIRE_M_parse, &parse) < 0)
		return prodd_error_set(e, PRODD_E_NO_MEMORY, "prodd.conf");
	return 0;
}

static int parse(struct loop *loop, const struct helper_program *parser, const struct layers *layers,
		 struct start_settings *settings, struct prodd_error *e)
{
	struct reading reading = { .run = { .ops = &ops, .fd = -1 }, .settings = settings };
	struct prodd_buffer request = { .limit = 0 };
	int r = request_of(layers, &request, e);

	if (r >= 0)
		r = helper_run_start(&reading.run, loop, parser, &request, PARSE_MS, e);
	prodd_buffer_clear(&request);
	if (r >= 0)
		r = loop_run(loop, e);
	if (r >= 0 && reading.result < 0) {
		*e = reading.error;
		r = reading.result;
	}
	helper_run_clear(&reading.run);
	return r;
}

void start_settings_clear(struct start_settings *settings)
{
	settings_clear(&settings->config);
	log_settings_clear(&settings->log);
}

int start_read_settings(struct loop *loop, const struct helper_program *parser, const struct places *places,
			struct start_settings *settings, struct prodd_error *e)
{
	struct layers_where where = { .conf = places->conf, .conf_d = places->conf_d };
	layers_auto layers = { 0 };
	int r;

	settings_default(&settings->config);
	log_settings_default(&settings->log);
	metric_settings_default(&settings->metrics);
	r = layers_read(&where, &layers, e);
	if (r < 0)
		return r;
	for (size_t i = 0; i < layers.problem_count; i++)
		log_error("%s: %s", layers.problems[i].path, layers.problems[i].text);
	if (layers.problem_count > 0)
		return prodd_error_set(e, PRODD_E_INVALID, "prodd.conf cannot be read; prodd does not start");
	r = layers.count > 0 ? parse(loop, parser, &layers, settings, e) : 0;
	return r < 0 ? r : log_settings_complete(&settings->log, e);
}
