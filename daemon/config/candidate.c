/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From files to a generation.  Equal bytes end the way early, so that a touch
 * costs one read and no parse; equal settings end it before anybody is asked.
 */
#include "daemon/config/candidate.h"

#include <stdio.h>
#include <stdlib.h>

#include "daemon/config/config.h"
#include "daemon/config/transaction.h"
#include "daemon/util/clock.h"
#include "daemon/util/hash.h"
#include "proto/frame.h"
#include "proto/limits.h"

struct candidate *candidate_new(struct transaction *transaction, struct scope *scope)
{
	struct candidate *c = calloc(1, sizeof *c);
	const struct app *app = scope->app;
	const struct prodd_buffer *declared = &app->declared;

	if (!c)
		return NULL;
	c->transaction = transaction;
	c->scope = scope;
	c->before = generation_ref(scope->live);
	c->declared_count = app->declared_count;
	c->trial = transaction && transaction->tries && app->trying;
	if (c->trial) {
		declared = &app->trial;
		c->declared_count = app->trial_count;
	}
	TAILQ_INIT(&c->voters);
	if (prodd_buffer_append(&c->declared, declared->at, declared->size) < 0)
		return candidate_free(c);
	return c;
}

void candidate_reset(struct candidate *c)
{
	layers_clear(&c->layers);
	problems_clear(&c->problems);
	prodd_buffer_clear(&c->problem_rows);
	prodd_buffer_clear(&c->changes);
	c->problem_count = c->change_count = 0;
	c->generation = generation_unref(c->generation);
	c->verdict = CANDIDATE_OPEN;
}

struct candidate *candidate_free(struct candidate *c)
{
	if (!c)
		return NULL;
	candidate_reset(c);
	prodd_buffer_clear(&c->declared);
	generation_unref(c->before);
	free(c);
	return NULL;
}

/* ---- reading */

void candidate_read(struct candidate *c)
{
	struct layers_where where = {
		.directory = c->scope->app->directory, .environment = c->scope->row->environment,
	};

	c->read_result = layers_read_stable(&where, &c->layers, &c->error);
}

void candidate_hash_sources(const struct layers *layers, struct prodd_slice declared, char *ret)
{
	char text[LAYERS_HASH_SIZE + HASH_TEXT_SIZE];
	char hash[HASH_TEXT_SIZE];

	hash_text(declared, hash);
	snprintf(text, sizeof text, "%s%s", layers->hash, hash);
	hash_text(prodd_slice(text), ret);
}

static void add_problem(struct candidate *c, const char *path, unsigned order, const char *text)
{
	struct place place = { .order = order, .file = prodd_slice(path) };

	problems_add(&c->problems, &place, (struct prodd_slice){ 0 }, "%s", text);
}

void candidate_compare(struct candidate *c, bool asked)
{
	const struct scope *scope = c->scope;

	candidate_hash_sources(&c->layers, prodd_buffer_slice(&c->declared), c->sources);
	if (c->before && prodd_slice_is(c->before->record.sources, c->sources))
		c->verdict = CANDIDATE_UNCHANGED;
	else if (!asked && (strcmp(scope->differs_hash, c->sources) == 0 || strcmp(scope->row->refused, c->sources) == 0))
		c->verdict = CANDIDATE_KNOWN_BAD;
	else if (c->layers.state != LAYERS_FOUND && c->declared_count == 0)
		c->verdict = CANDIDATE_NO_FILES;
}

static bool is_in_live(const struct candidate *c, const struct layers_file *file)
{
	struct prodd_iter it;
	struct wire_source_mark mark;

	if (!c->before)
		return false;
	it = prodd_iter(c->before->record.files);
	while (prodd_next(&it, &wire_record_source_mark, &mark, NULL) > 0)
		if (prodd_slice_is(mark.real, file->real) && prodd_slice_is(mark.hash, file->hash))
			return true;
	return false;
}

bool candidate_changed_file(const struct candidate *c, struct prodd_slice real)
{
	for (size_t i = 0; i < c->layers.count; i++)
		if (prodd_slice_is(real, c->layers.files[i].real))
			return !is_in_live(c, &c->layers.files[i]);
	return false;
}

/* ---- parsing */

int candidate_request(const struct candidate *c, struct prodd_buffer *ret, struct prodd_error *e)
{
	prodd_auto_buffer files = { .limit = PRODD_REPLY_MAX };
	struct wire_parse parse = {
		.app = prodd_slice(c->scope->app->name), .environment = prodd_slice(c->scope->row->environment),
		.declared = prodd_list(&c->declared, c->declared_count),
	};
	uint32_t count = 0;

	if (layers_encode(&c->layers, &files, &count) < 0)
		return prodd_error_set(e, -files.failed, "the files of %s", c->scope->app->name);
	parse.files = prodd_list(&files, count);
	if (prodd_frame_call(ret, 1, WIRE_M_parse, &parse) < 0)
		return prodd_error_set(e, -ret->failed, "the files of %s", c->scope->app->name);
	return 0;
}

static int encode_marks(const struct candidate *c, struct prodd_buffer *ret, uint32_t *count)
{
	for (size_t i = 0; i < c->layers.count; i++) {
		const struct layers_file *file = &c->layers.files[i];
		struct wire_source_mark mark = {
			.name = prodd_slice(file->name), .real = prodd_slice(file->real), .hash = prodd_slice(file->hash),
		};

		prodd_encode_element(ret, count, &wire_record_source_mark, &mark);
	}
	return ret->failed;
}

static void invalid(struct candidate *c, struct prodd_list rows)
{
	c->verdict = CANDIDATE_INVALID;
	prodd_buffer_append(&c->problem_rows, rows.at, rows.size);
	c->problem_count += rows.count;
}

static bool holds_overrides_of(const struct generation *g, const struct generation *other)
{
	struct prodd_iter it = prodd_iter(other->record.overrides);
	struct wire_override override;

	while (prodd_next(&it, &wire_record_override, &override, NULL) > 0)
		if (!generation_overrides(g, override.key))
			return false;
	return true;
}

/* An override of the value that a key has already is a change: from now on it holds the key against variables. */
static bool same_settings(const struct candidate *c)
{
	return c->before && prodd_slice_equal(c->before->record.hash, c->generation->record.hash) &&
	       holds_overrides_of(c->before, c->generation) && holds_overrides_of(c->generation, c->before);
}

static void fail(struct candidate *c)
{
	c->verdict = CANDIDATE_INVALID;
	if (c->problem_count == 0) {
		add_problem(c, "", 0, c->error.text);
		problems_encode(&c->problems, &c->problem_rows, &c->problem_count);
	}
}

/* A first pass finds what differs; the second has that in its record, or takes the live generation's number when
 * nothing does. */
static int make_counted(struct candidate *c, struct wire_generation draft)
{
	int r = generation_make(draft, &c->generation, &c->problems, &c->error);

	if (r < 0)
		return r;
	c->verdict = same_settings(c) ? CANDIDATE_SAME : CANDIDATE_CHANGED;
	if (c->verdict == CANDIDATE_SAME) {
		draft.number = c->before->record.number;
		draft.created_ms = c->before->record.created_ms;
		draft.cause = c->before->record.cause;
		draft.changes = c->before->record.changes;
	} else {
		generation_diff(c->before, c->generation, &c->changes, &c->change_count);
		draft.changes = c->change_count;
	}
	c->generation = generation_unref(c->generation);
	return generation_make(draft, &c->generation, &c->problems, &c->error);
}

static void make(struct candidate *c, struct wire_generation draft, const char *cause)
{
	const struct scope *scope = c->scope;
	struct config *config = scope->app->config;

	draft.epoch = prodd_slice(store_epoch(config->store));
	draft.app = prodd_slice(scope->app->name);
	draft.environment = prodd_slice(scope->row->environment);
	draft.number = scope->row->next;
	draft.created_ms = clock_wall_ms();
	draft.cause = prodd_slice(cause);
	if (make_counted(c, draft) < 0) {
		problems_encode(&c->problems, &c->problem_rows, &c->problem_count);
		fail(c);
	}
}

/* Files that could not be read stand in one report with what is wrong inside the others. */
static void add_file_problems(struct candidate *c)
{
	for (size_t i = 0; i < c->layers.problem_count; i++)
		add_problem(c, c->layers.problems[i].path, (unsigned)i, c->layers.problems[i].text);
	if (c->layers.problem_count > 0) {
		c->verdict = CANDIDATE_INVALID;
		problems_encode(&c->problems, &c->problem_rows, &c->problem_count);
	}
}

void candidate_parsed(struct candidate *c, const struct prodd_message *answer, const struct prodd_error *why,
		      const char *cause)
{
	prodd_auto_buffer marks = { .limit = 0 };
	uint32_t mark_count = 0;
	struct wire_parsed parsed;

	add_file_problems(c);
	if (!answer || answer->error.code) {
		c->error = answer ? answer->error : *why;
		fail(c);
		return;
	}
	if (prodd_message_decode(answer, &wire_record_parsed, &parsed, &c->error) < 0) {
		prodd_error_prefix(&c->error, "prodd-parse");
		fail(c);
		return;
	}
	if (parsed.problems.count > 0)
		invalid(c, parsed.problems);
	if (c->verdict == CANDIDATE_INVALID)
		return;
	if (encode_marks(c, &marks, &mark_count) < 0) {
		prodd_error_set(&c->error, PRODD_E_NO_MEMORY, "a generation");
		fail(c);
		return;
	}
	make(c, (struct wire_generation){
		.sources = prodd_slice(c->sources), .schema = parsed.schema, .strict = parsed.strict,
		.files = prodd_list(&marks, mark_count),
		.overrides = c->before ? c->before->record.overrides : (struct prodd_list){ 0 },
		.keys = parsed.keys, .entries = parsed.entries,
	}, cause);
}

void candidate_derive(struct candidate *c, const struct generation *base, struct prodd_list overrides,
		      const char *cause)
{
	struct wire_generation draft = base->record;

	snprintf(c->sources, sizeof c->sources, "%.*s", PRODD_SLICE(base->record.sources));
	draft.overrides = overrides;
	make(c, draft, cause);
}
