/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The files of the other apps are known from their live generations.  Two
 * transactions that meet while both still read become one; one that has asked
 * its instances already is waited for.
 */
#include "daemon/config/linked.h"

#include "daemon/config/outcome.h"

int linked_add_app(struct transaction *t, struct app *app, struct prodd_error *e)
{
	struct scope *scope;
	struct candidate *candidate;

	app->transaction = t;
	LIST_FOREACH(scope, &app->scopes, link) {
		if (!scope_is_active(scope))
			continue;
		candidate = candidate_new(t, scope);
		if (!candidate)
			return prodd_error_set(e, PRODD_E_NO_MEMORY, "no memory for a transaction");
		candidate->txn = t->id;
		TAILQ_INSERT_TAIL(&t->candidates, candidate, link);
	}
	return 0;
}

static bool shares_changed_file(const struct transaction *t, const struct scope *scope)
{
	const struct candidate *candidate;
	struct wire_source_mark mark;
	struct prodd_iter it;

	if (!scope->live)
		return false;
	it = prodd_iter(scope->live->record.files);
	while (prodd_next(&it, &wire_record_source_mark, &mark, NULL) > 0)
		TAILQ_FOREACH(candidate, &t->candidates, link)
			if (candidate->verdict == CANDIDATE_OPEN && candidate->scope->app != scope->app &&
			    candidate_changed_file(candidate, mark.real))
				return true;
	return false;
}

static bool is_linked(const struct transaction *t, const struct app *app)
{
	const struct scope *scope;

	LIST_FOREACH(scope, &app->scopes, link)
		if (scope_is_active(scope) && shares_changed_file(t, scope))
			return true;
	return false;
}

/* Takes over all that `other` was about to do: its callers, and its apps. */
static enum linked_result absorb(struct transaction *t, struct transaction *other)
{
	struct candidate *candidate;
	struct request *caller;
	struct app *app;
	enum linked_result result = LINKED_MORE;

	t->tries = t->tries || other->tries;
	while ((caller = TAILQ_FIRST(&other->callers))) {
		TAILQ_REMOVE(&other->callers, caller, link);
		transaction_join(t, caller);
	}
	TAILQ_FOREACH(candidate, &other->candidates, link) {
		app = candidate->scope->app;
		if (app->transaction == other && linked_add_app(t, app, NULL) < 0)
			result = LINKED_NONE;
	}
	outcome_free(other);
	return result;
}

static enum linked_result add(struct transaction *t, struct app *app)
{
	struct transaction *other = app->transaction;

	if (app->confirming)
		return LINKED_BUSY;
	if (!other)
		return linked_add_app(t, app, NULL) < 0 ? LINKED_NONE : LINKED_MORE;
	if (other->directive || other->phase > PHASE_PARSE)
		return LINKED_BUSY;
	return absorb(t, other);
}

enum linked_result linked_gather(struct transaction *t)
{
	enum linked_result result = LINKED_NONE, one;
	struct app *app;

	for (app = t->config->apps; app; app = app->hh.next) {
		if (!app->served || app->transaction == t || !is_linked(t, app))
			continue;
		one = add(t, app);
		if (one == LINKED_BUSY)
			return LINKED_BUSY;
		if (one == LINKED_MORE)
			result = LINKED_MORE;
	}
	return result;
}
