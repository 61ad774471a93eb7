/* SPDX-License-Identifier: Apache-2.0 */
/* What prodd-parse found becomes a generation like one from disk; then it is known what differs from the live
 * one. */
#include "daemon/config/making.h"

#include <stdio.h>
#include <string.h>

#include "daemon/config/config.h"
#include "daemon/util/clock.h"
#include "proto/frame.h"

void making_clear(struct making *m)
{
	prodd_buffer_clear(&m->answer_bytes);
	problems_clear(&m->problems);
	prodd_buffer_clear(&m->problem_rows);
	prodd_buffer_clear(&m->changes);
	generation_unref(m->generation);
	*m = (struct making){ 0 };
}

void making_begin(struct making *m, const struct candidate *candidate, const char *cause)
{
	making_clear(m);
	m->candidate = candidate;
	m->cause = cause;
}

void making_take_answer(struct making *m, const struct prodd_message *answer, const struct prodd_error *why)
{
	m->unjudged = !answer;
	if (!answer) {
		m->error = *why;
		return;
	}
	if (answer->error.code ||
	    prodd_buffer_append(&m->answer_bytes, answer->params.at, answer->params.size) < 0) {
		m->error = answer->error;
		if (!m->error.code)
			prodd_error_set(&m->error, PRODD_E_NO_MEMORY, "the answer of prodd-parse");
		return;
	}
	m->answer = (struct prodd_message){ .type = PRODD_ANSWER,
					    .params = prodd_buffer_slice(&m->answer_bytes) };
}

/* ---- problems */

static void add_problem(struct making *m, const char *path, unsigned order, const char *text)
{
	struct place place = { .order = order, .file = prodd_slice(path) };

	problems_add(&m->problems, &place, (struct prodd_slice){ 0 }, "%s", text);
}

static void invalid(struct making *m)
{
	m->verdict = CANDIDATE_INVALID;
	problems_encode(&m->problems, &m->problem_rows, &m->problem_count);
}

void making_fail(struct making *m, const struct prodd_error *why)
{
	m->error = *why;
	m->verdict = CANDIDATE_INVALID;
	if (m->problem_count > 0)
		return;
	add_problem(m, "", 0, m->error.text);
	invalid(m);
}

/* Files that could not be read stand in one report with what is wrong inside the others. */
static void add_file_problems(struct making *m)
{
	const struct layers *layers = &m->candidate->layers;

	for (size_t i = 0; i < layers->problem_count; i++)
		add_problem(m, layers->problems[i].path, (unsigned)i, layers->problems[i].text);
	if (layers->problem_count > 0)
		invalid(m);
}

static void add_found_problems(struct making *m, struct prodd_list rows)
{
	if (rows.count == 0)
		return;
	m->verdict = CANDIDATE_INVALID;
	prodd_buffer_append(&m->problem_rows, rows.at, rows.size);
	m->problem_count += rows.count;
}

/* ---- the generation */

static bool holds_overrides_of(const struct generation *g, const struct generation *other)
{
	struct prodd_iter it = prodd_iter(other->record.overrides);
	struct wire_override override;

	while (prodd_next(&it, &wire_record_override, &override, NULL) > 0)
		if (!generation_overrides(g, override.key))
			return false;
	return true;
}

/* An override of the value that a key has already is a change: from now on it holds the key against
 * variables. */
static bool same_settings(const struct generation *before, const struct generation *now)
{
	return before && prodd_slice_equal(before->record.hash, now->record.hash) &&
	       holds_overrides_of(before, now) && holds_overrides_of(now, before);
}

/* A first pass finds what differs; the second has that in its record, or takes the live generation's number
 * when nothing does. */
static int make_counted(struct making *m, struct wire_generation draft)
{
	const struct generation *before = m->candidate->before;
	int r = generation_make(draft, &m->generation, &m->problems, &m->error);

	if (r < 0)
		return r;
	m->verdict = same_settings(before, m->generation) ? CANDIDATE_SAME : CANDIDATE_CHANGED;
	if (m->verdict == CANDIDATE_SAME) {
		draft.number = before->record.number;
		draft.created_ms = before->record.created_ms;
		draft.cause = before->record.cause;
		draft.changes = before->record.changes;
	} else {
		generation_diff(before, m->generation, &m->changes, &m->change_count);
		draft.changes = m->change_count;
	}
	m->generation = generation_unref(m->generation);
	return generation_make(draft, &m->generation, &m->problems, &m->error);
}

static void make(struct making *m, struct wire_generation draft)
{
	const struct scope *scope = m->candidate->scope;
	struct prodd_error e;

	draft.epoch = prodd_slice(store_epoch(scope->app->config->store));
	draft.app = prodd_slice(scope->app->name);
	draft.environment = prodd_slice(scope->row->environment);
	draft.number = scope->row->next;
	draft.created_ms = clock_wall_ms();
	draft.cause = prodd_slice(m->cause);
	if (make_counted(m, draft) < 0) {
		e = m->error;
		problems_encode(&m->problems, &m->problem_rows, &m->problem_count);
		making_fail(m, &e);
	}
}

static int encode_marks(const struct layers *layers, struct prodd_buffer *ret, uint32_t *count)
{
	for (size_t i = 0; i < layers->count; i++) {
		const struct layers_file *file = &layers->files[i];
		struct wire_source_mark mark = {
			.name = prodd_slice(file->name),
			.real = prodd_slice(file->real),
			.hash = prodd_slice(file->hash),
		};

		prodd_encode_element(ret, count, &wire_record_source_mark, &mark);
	}
	return ret->failed;
}

static void make_from_parsed(struct making *m, const struct wire_parsed *parsed)
{
	static const struct prodd_error no_memory = { PRODD_E_NO_MEMORY, "no memory for a generation" };
	const struct candidate *c = m->candidate;
	prodd_auto_buffer marks = { .limit = 0 };
	uint32_t mark_count = 0;

	if (encode_marks(&c->layers, &marks, &mark_count) < 0) {
		making_fail(m, &no_memory);
		return;
	}
	make(m, (struct wire_generation){
		.sources = prodd_slice(c->sources), .schema = parsed->schema, .strict = parsed->strict,
		.files = prodd_list(&marks, mark_count),
		.overrides = c->before ? c->before->record.overrides : (struct prodd_list){ 0 },
		.keys = parsed->keys, .entries = parsed->entries,
	});
}

void making_from_answer(struct making *m)
{
	struct wire_parsed parsed;
	struct prodd_error e = m->error;

	add_file_problems(m);
	if (e.code) {
		making_fail(m, &e);
	} else if (prodd_message_decode(&m->answer, &wire_record_parsed, &parsed, &e) < 0) {
		prodd_error_prefix(&e, "prodd-parse");
		making_fail(m, &e);
	} else {
		add_found_problems(m, parsed.problems);
		if (m->verdict != CANDIDATE_INVALID)
			make_from_parsed(m, &parsed);
	}
}

void making_from_generation(struct making *m, const struct generation *base, struct prodd_list overrides)
{
	struct wire_generation draft = base->record;

	draft.overrides = overrides;
	make(m, draft);
}

void making_end(struct making *m, struct candidate *c)
{
	c->verdict = m->verdict;
	c->unjudged = m->unjudged;
	c->error = m->error;
	c->problem_rows = m->problem_rows;
	c->problem_count = m->problem_count;
	c->changes = m->changes;
	c->change_count = m->change_count;
	c->generation = m->generation;
	if (c->generation)
		snprintf(c->sources, sizeof c->sources, "%.*s", PRODD_SLICE(c->generation->record.sources));
	m->problem_rows = m->changes = (struct prodd_buffer){ 0 };	/* given to the candidate */
	m->generation = NULL;
	making_clear(m);
}
