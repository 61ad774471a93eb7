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
	prodd_buffer_clear(&c->problem_rows);
	prodd_buffer_clear(&c->changes);
	c->problem_count = c->change_count = 0;
	c->generation = generation_unref(c->generation);
	c->verdict = CANDIDATE_OPEN;
	c->unjudged = false;
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

void candidate_compare(struct candidate *c, bool asked)
{
	const struct scope *scope = c->scope;

	candidate_hash_sources(&c->layers, prodd_buffer_slice(&c->declared), c->sources);
	if (c->before && prodd_slice_is(c->before->record.sources, c->sources))
		c->verdict = CANDIDATE_UNCHANGED;
	else if (!asked && (strcmp(scope->differs_hash, c->sources) == 0 ||
			    strcmp(scope->row->refused, c->sources) == 0))
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
		.app = prodd_slice(c->scope->app->name),
		.environment = prodd_slice(c->scope->row->environment),
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
