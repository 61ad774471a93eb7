/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A directive is an old generation's files and schema with another list of
 * overrides: nothing is parsed again, so a broken file cannot get in its way.
 */
#include "daemon/config/directive.h"

#include <stdio.h>
#include <stdlib.h>

#include "daemon/util/clock.h"

struct directive {
	enum request_kind kind;
	char key[256];
	char who[128];
	struct prodd_buffer value;
	uint64_t expires_ms;
	uint64_t base_number;			/* generation that it starts from; 0: the live one */
	struct prodd_buffer base_bytes;		/* filled on the disk thread */
};

static bool is_override_of(const struct wire_override *override, const char *key)
{
	return prodd_slice_is(override->key, key);
}

static void set_cause(struct transaction *t, const struct directive *d)
{
	const char *who = d->who;

	switch (d->kind) {
	case REQUEST_SET:
		snprintf(t->cause, sizeof t->cause, "%.160s set by %.80s", d->key, who);
		break;
	case REQUEST_UNSET:
		snprintf(t->cause, sizeof t->cause, "%.160s unset by %.80s", d->key, who);
		break;
	case REQUEST_ROLLBACK:
		snprintf(t->cause, sizeof t->cause, "rollback to %lu by %.80s", (unsigned long)d->base_number, who);
		break;
	case REQUEST_FALL_BACK:
		snprintf(t->cause, sizeof t->cause, "rollback to %lu: nobody confirmed", (unsigned long)d->base_number);
		break;
	default:
		snprintf(t->cause, sizeof t->cause, "an override expired");
	}
}

int directive_prepare(struct transaction *t, const struct request *request, struct prodd_error *e)
{
	struct scope *scope = request->scope;
	struct directive *d = calloc(1, sizeof *d);
	struct candidate *candidate = d ? candidate_new(t, scope) : NULL;

	t->directive_work = d;
	if (!candidate)
		return prodd_error_set(e, PRODD_E_NO_MEMORY, "no memory for a transaction");
	candidate->txn = t->id;
	TAILQ_INSERT_TAIL(&t->candidates, candidate, link);
	if (!scope->live)
		return prodd_error_set(e, PRODD_E_NOT_FOUND, "%s has no live configuration in the environment %s",
				       scope->app->name, scope->row->environment);
	if (request->kind == REQUEST_UNSET && !generation_overrides(scope->live, prodd_slice(request->key)))
		return prodd_error_set(e, PRODD_E_NOT_FOUND, "%s: no override of %s is set", scope->app->name,
				       request->key);
	d->kind = request->kind;
	d->base_number = request->generation;
	d->expires_ms = request->for_ms ? clock_wall_ms() + request->for_ms : 0;
	snprintf(d->key, sizeof d->key, "%s", request->key);
	snprintf(d->who, sizeof d->who, "%s", request->who);
	set_cause(t, d);
	if (prodd_buffer_append(&d->value, request->value.at, request->value.size) < 0)
		return prodd_error_set(e, PRODD_E_NO_MEMORY, "no memory for a transaction");
	return 0;
}

static bool has_expired(const struct wire_override *override, uint64_t now)
{
	return override->expires_ms && override->expires_ms <= now;
}

/* The overrides of `base` without those that are over, or replaced by this directive. */
static int make_overrides(const struct directive *d, const struct generation *base, struct prodd_buffer *ret,
			  uint32_t *count)
{
	struct prodd_iter it = prodd_iter(base->record.overrides);
	uint64_t now = clock_wall_ms();
	struct wire_override override;

	while (prodd_next(&it, &wire_record_override, &override, NULL) > 0)
		if (!has_expired(&override, now) && !is_override_of(&override, d->key))
			prodd_encode_element(ret, count, &wire_record_override, &override);
	if (d->kind == REQUEST_SET) {
		override = (struct wire_override){
			.key = prodd_slice(d->key), .text = prodd_buffer_slice(&d->value),
			.expires_ms = d->expires_ms, .who = prodd_slice(d->who),
		};
		prodd_encode_element(ret, count, &wire_record_override, &override);
	}
	return ret->failed;
}

/* The generation that it starts from, read and opened; NULL in `ret`: the live one. */
static int open_base(struct transaction *t, struct candidate *candidate, struct generation **ret)
{
	struct directive *d = t->directive_work;
	int r = 0;

	*ret = NULL;
	if (!d->base_number)
		return 0;
	r = store_read_generation(t->config->store, candidate->scope->row, d->base_number, &d->base_bytes, &candidate->error);
	if (r == -PRODD_E_NOT_FOUND)
		prodd_error_set(&candidate->error, PRODD_E_NOT_FOUND,
				"%s: generation %lu is not kept; see: prodctl config history %s",
				candidate->scope->app->name, (unsigned long)d->base_number, candidate->scope->app->name);
	return r < 0 ? r : generation_open(&d->base_bytes, ret, &candidate->error);
}

void directive_make(struct transaction *t)
{
	static const struct prodd_error no_memory = { PRODD_E_NO_MEMORY, "no memory for a list of overrides" };
	struct candidate *candidate = TAILQ_FIRST(&t->candidates);
	prodd_auto_buffer overrides = { .limit = 0 };
	const struct generation *from;
	struct generation *base;
	uint32_t count = 0;

	candidate->read_result = open_base(t, candidate, &base);
	if (candidate->read_result < 0)
		return;
	from = base ? base : candidate->before;
	if (make_overrides(t->directive_work, from, &overrides, &count) < 0)
		making_fail(&t->making, &no_memory);
	else
		making_from_generation(&t->making, from, prodd_list(&overrides, count));
	generation_unref(base);
}

enum request_kind directive_kind(const struct transaction *t)
{
	return t->directive_work->kind;
}

uint64_t directive_returns_to(const struct transaction *t)
{
	return t->directive_work ? t->directive_work->base_number : 0;
}

void directive_clear(struct transaction *t)
{
	if (!t->directive_work)
		return;
	prodd_buffer_clear(&t->directive_work->value);
	prodd_buffer_clear(&t->directive_work->base_bytes);
	free(t->directive_work);
	t->directive_work = NULL;
}
