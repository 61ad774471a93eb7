/* SPDX-License-Identifier: Apache-2.0 */
/* A candidate without a transaction: read on the disk thread, parsed by the helper, compared, reported,
 * forgotten. */
#define _GNU_SOURCE
#include "daemon/config/inspect.h"

#include <stdio.h>
#include <stdlib.h>

#include "daemon/config/making.h"
#include "daemon/config/verbs.h"
#include "daemon/core/counters.h"
#include "daemon/util/container.h"
#include "daemon/util/stamp.h"

#define PARSE_MS 10000
#define HISTORY_SHOWN 200

/* ---- the files as they are */

struct inspection {
	struct config *config;		/* borrowed */
	struct call *call;		/* owned */
	struct candidate *candidate;	/* owned */
	struct disk_job job;		/* to read, then to make */
	struct making making;
	struct helper_run parse;
	LIST_ENTRY(inspection) link;
};

static void inspection_free(struct inspection *i)
{
	LIST_REMOVE(i, link);
	helper_run_clear(&i->parse);
	making_clear(&i->making);
	candidate_free(i->candidate);
	free(i);
}

static void fail_call(struct call *call, int code, const char *text)
{
	struct prodd_error e;

	prodd_error_set(&e, code, "%s", text);
	call_fail(call, &e);
}

static const char *word_of(enum candidate_verdict verdict)
{
	switch (verdict) {
	case CANDIDATE_INVALID:
		return "invalid";
	case CANDIDATE_NO_FILES:
		return "no_files";
	case CANDIDATE_CHANGED:
		return "would_commit";
	default:
		return "unchanged";
	}
}

static void answer_inspection(struct inspection *i)
{
	const struct candidate *c = i->candidate;
	prodd_auto_buffer rows = { .limit = 0 };
	uint32_t count = 0;
	struct wire_report row = {
		.app = prodd_slice(c->scope->app->name), .environment = prodd_slice(scope_label(c->scope)),
		.outcome = prodd_slice(word_of(c->verdict)),
		.exit = c->verdict == CANDIDATE_INVALID ? PRODD_E_INVALID : c->verdict == CANDIDATE_NO_FILES,
		.from = c->before ? c->before->record.number : 0,
		.to = c->generation ? c->generation->record.number : 0,
		.changes = prodd_list(&c->changes, c->change_count),
		.problems = prodd_list(&c->problem_rows, c->problem_count),
	};

	if (c->verdict == CANDIDATE_UNCHANGED)
		row.to = row.from;
	prodd_encode_element(&rows, &count, &wire_record_report, &row);
	call_answer(i->call, &(struct wire_reports){ .reports = prodd_list(&rows, count) });
	inspection_free(i);
}

static void make_run(struct disk_job *job)
{
	making_from_answer(&container_of(job, struct inspection, job)->making);
}

static void make_done(struct disk_job *job)
{
	struct inspection *i = container_of(job, struct inspection, job);

	making_end(&i->making, i->candidate);
	answer_inspection(i);
}

static void parse_done(struct helper_run *run, const struct prodd_message *answer,
		       const struct prodd_error *why)
{
	struct inspection *i = container_of(run, struct inspection, parse);

	counters.helper_failures += why != NULL;
	making_begin(&i->making, i->candidate, "check");
	making_take_answer(&i->making, answer, why);
	i->job = (struct disk_job){ .run = make_run, .done = make_done };
	disk_submit(i->config->disk, &i->job);
}

static void read_run(struct disk_job *job)
{
	candidate_read(container_of(job, struct inspection, job)->candidate);
}

static void read_done(struct disk_job *job)
{
	static const struct helper_run_ops ops = { .done = parse_done };
	struct inspection *i = container_of(job, struct inspection, job);
	struct candidate *c = i->candidate;
	struct prodd_buffer request = { .limit = PRODD_REPLY_MAX };
	struct prodd_error e = c->error;
	int r = c->read_result;

	if (r >= 0)
		candidate_compare(c, true);
	if (r >= 0 && c->verdict != CANDIDATE_OPEN) {
		answer_inspection(i);
		return;
	}
	if (r >= 0)
		r = candidate_request(c, &request, &e);
	if (r >= 0) {
		i->parse.ops = &ops;
		counters.helper_runs++;
		r = helper_run_start(&i->parse, i->config->loop, i->config->parser, &request, PARSE_MS, &e);
	}
	prodd_buffer_clear(&request);
	if (r < 0) {
		call_fail(i->call, &e);
		inspection_free(i);
	}
}

void inspect_files(struct config *config, struct call *call, struct scope *scope)
{
	struct inspection *i = calloc(1, sizeof *i);
	struct candidate *candidate = i ? candidate_new(NULL, scope) : NULL;

	if (!candidate) {
		free(i);
		fail_call(call, PRODD_E_NO_MEMORY, "no memory for the request");
		return;
	}
	LIST_INSERT_HEAD(&config->inspections, i, link);
	i->config = config;
	i->call = call;
	i->candidate = candidate;
	i->parse.fd = -1;
	i->job = (struct disk_job){ .run = read_run, .done = read_done };
	disk_submit(config->disk, &i->job);
}

void inspect_end(struct config *config)
{
	struct inspection *i;

	while ((i = LIST_FIRST(&config->inspections))) {
		fail_call(i->call, PRODD_E_CLOSED, "prodd ends");
		inspection_free(i);
	}
}

/* ---- stored generations */

/* One or two are read and opened on the disk thread, and compared there. */
struct retrieval {
	struct config *config;		/* borrowed */
	struct call *call;		/* owned */
	struct scope *scope;		/* borrowed */
	struct disk_job job;
	uint64_t numbers[2];		/* of those wanted; 0: the live one */
	struct generation *generations[2];	/* shared; those read are NULL until then */
	struct prodd_buffer changes;
	uint32_t change_count;
	struct prodd_error error;
	int result;
	bool show;			/* the first is shown; else the two are compared */
	char group[256];
};

static void retrieval_free(struct retrieval *r)
{
	generation_unref(r->generations[0]);
	generation_unref(r->generations[1]);
	prodd_buffer_clear(&r->changes);
	free(r);
}

static int retrieve_one(struct retrieval *r, int i)
{
	const char *app = r->scope->app->name;
	struct prodd_buffer bytes = { .limit = 0 };
	int result;

	if (!r->numbers[i])
		return 0;
	result = store_read_generation(r->config->store, r->scope->row, r->numbers[i], &bytes, &r->error);
	if (result >= 0)
		return generation_open(&bytes, &r->generations[i], &r->error);
	prodd_buffer_clear(&bytes);
	return result != -PRODD_E_NOT_FOUND ? result :
	       prodd_error_set(&r->error, PRODD_E_NOT_FOUND,
			       "%s: that generation is not kept; see: prodctl config history %s", app, app);
}

static void retrieve(struct disk_job *job)
{
	struct retrieval *r = container_of(job, struct retrieval, job);

	r->result = retrieve_one(r, 0);
	if (r->result >= 0 && !r->show)
		r->result = retrieve_one(r, 1);
	if (r->result >= 0 && !r->show)
		generation_diff(r->generations[0], r->generations[1], &r->changes, &r->change_count);
}

static void answer_diff(struct retrieval *r)
{
	prodd_auto_buffer rows = { .limit = 0 };
	uint32_t count = 0;
	struct wire_report row = {
		.app = prodd_slice(r->scope->app->name), .environment = prodd_slice(scope_label(r->scope)),
		.outcome = prodd_slice(r->change_count > 0 ? "would_commit" : "unchanged"),
		.from = r->generations[0]->record.number, .to = r->generations[1]->record.number,
		.changes = prodd_list(&r->changes, r->change_count),
	};

	prodd_encode_element(&rows, &count, &wire_record_report, &row);
	call_answer(r->call, &(struct wire_reports){ .reports = prodd_list(&rows, count) });
}

static void retrieved(struct disk_job *job)
{
	struct retrieval *r = container_of(job, struct retrieval, job);

	if (r->result < 0)
		call_fail(r->call, &r->error);
	else if (r->show)
		verb_show_generation(r->call, r->scope, r->generations[0], prodd_slice(r->group));
	else
		answer_diff(r);
	retrieval_free(r);
}

static struct retrieval *retrieval_new(struct config *config, struct call *call, struct scope *scope,
				       uint64_t first, uint64_t second)
{
	struct retrieval *r = calloc(1, sizeof *r);

	if (!r) {
		fail_call(call, PRODD_E_NO_MEMORY, "no memory for the request");
		return NULL;
	}
	r->config = config;
	r->call = call;
	r->scope = scope;
	r->numbers[0] = first == scope->row->generation ? 0 : first;
	r->numbers[1] = second == scope->row->generation ? 0 : second;
	for (int i = 0; i < 2; i++)
		r->generations[i] = r->numbers[i] ? NULL : generation_ref(scope->live);
	r->job = (struct disk_job){ .run = retrieve, .done = retrieved };
	return r;
}

void inspect_generations(struct config *config, struct call *call, struct scope *scope, uint64_t from,
			 uint64_t to)
{
	struct retrieval *r = retrieval_new(config, call, scope, from, to);

	if (r)
		disk_submit(config->disk, &r->job);
}

void inspect_show(struct config *config, struct call *call, struct scope *scope, uint64_t number,
		  struct prodd_slice group)
{
	struct retrieval *r = retrieval_new(config, call, scope, number, 0);

	if (!r)
		return;
	r->show = true;
	snprintf(r->group, sizeof r->group, "%.*s", PRODD_SLICE(group));
	disk_submit(config->disk, &r->job);
}

/* ---- history */

struct chronicle {
	struct config *config;		/* borrowed */
	struct call *call;		/* owned */
	struct scope *scope;		/* borrowed */
	struct disk_job job;
	struct store_row row;		/* a copy for the disk thread */
	struct prodd_buffer rows;
	uint32_t count;
};

static void read_row(struct chronicle *c, uint64_t number)
{
	prodd_auto_buffer bytes = { .limit = 0 };
	struct wire_generation record;
	struct wire_generation_row row;

	if (store_read_generation(c->config->store, &c->row, number, &bytes, NULL) < 0 ||
	    stamp_open(prodd_buffer_slice(&bytes), GENERATION_KIND, &wire_record_generation, &record,
		       NULL) < 0)
		return;		/* pruned or damaged meanwhile: not in the list */
	row = (struct wire_generation_row){
		.generation = record.number, .created_ms = record.created_ms, .cause = record.cause,
		.changes = record.changes, .hash = record.hash, .live = record.number == c->row.generation,
	};
	prodd_encode_element(&c->rows, &c->count, &wire_record_generation_row, &row);
}

static void chronicle_run(struct disk_job *job)
{
	struct chronicle *c = container_of(job, struct chronicle, job);
	uint64_t numbers[HISTORY_SHOWN];
	unsigned count = store_list_generations(c->config->store, &c->row, numbers, HISTORY_SHOWN);

	/* A number above the live one was written, but never decided. */
	for (unsigned i = 0; i < count; i++)
		if (numbers[i] <= c->row.generation)
			read_row(c, numbers[i]);
}

static void chronicle_done(struct disk_job *job)
{
	struct chronicle *c = container_of(job, struct chronicle, job);

	call_answer(c->call, &(struct wire_history){ .app = prodd_slice(c->scope->app->name),
						     .environment = prodd_slice(c->scope->row->environment),
						     .generations = prodd_list(&c->rows, c->count) });
	prodd_buffer_clear(&c->rows);
	free(c);
}

void inspect_history(struct config *config, struct call *call, struct scope *scope)
{
	struct chronicle *c = calloc(1, sizeof *c);

	if (!c) {
		fail_call(call, PRODD_E_NO_MEMORY, "no memory for the request");
		return;
	}
	c->config = config;
	c->call = call;
	c->scope = scope;
	c->row = *scope->row;
	c->job = (struct disk_job){ .run = chronicle_run, .done = chronicle_done };
	disk_submit(config->disk, &c->job);
}

/* ---- the verbs */

void verb_check(struct config *config, struct call *call, const void *params)
{
	const struct wire_app_request *request = params;
	struct scope *scope = verb_scope(config, call, request->app, request->environment, false);

	if (scope)
		inspect_files(config, call, scope);
}

void verb_diff(struct config *config, struct call *call, const void *params)
{
	const struct wire_diff *diff = params;
	struct scope *scope = verb_scope(config, call, diff->app, diff->environment, diff->from || diff->to);

	if (!scope)
		return;
	if (diff->from || diff->to)
		inspect_generations(config, call, scope, diff->from, diff->to);
	else
		inspect_files(config, call, scope);
}

void verb_history(struct config *config, struct call *call, const void *params)
{
	const struct wire_app_request *request = params;
	struct scope *scope = verb_scope(config, call, request->app, request->environment, false);

	if (scope)
		inspect_history(config, call, scope);
}
