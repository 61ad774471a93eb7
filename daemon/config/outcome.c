/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is kept in mind of a transaction is little: which files must not be
 * offered again by themselves, why, and what to fall back to.
 */
#include "daemon/config/outcome.h"

#include <stdio.h>
#include <stdlib.h>

#include "daemon/config/directive.h"
#include "daemon/config/report.h"
#include "daemon/config/watch.h"
#include "daemon/core/counters.h"
#include "daemon/util/clock.h"
#include "daemon/util/container.h"

const char *outcome_word(enum transaction_outcome outcome)
{
	static const char *const words[] = {
		[OUTCOME_NONE] = "failed", [OUTCOME_COMMITTED] = "committed", [OUTCOME_UNCHANGED] = "unchanged",
		[OUTCOME_INVALID] = "invalid", [OUTCOME_REJECTED] = "rejected", [OUTCOME_NO_ANSWER] = "no_answer",
		[OUTCOME_WOULD_COMMIT] = "would_commit", [OUTCOME_NO_FILES] = "no_files", [OUTCOME_FAILED] = "failed",
	};

	return words[outcome];
}

/* ---- the row that the decision writes */

static void ask_confirmation(const struct transaction *t, const struct candidate *c, struct store_row *now)
{
	uint64_t before = c->verdict == CANDIDATE_CHANGED ? c->scope->row->generation : c->scope->row->previous;

	if (!now->fallback)
		now->fallback = before;
	if (now->fallback)
		now->confirm_boot_ms = clock_boot_ms() + t->options.confirm_ms;
}

/* Have the files been refused already, as they are now? */
static bool are_refused(const struct scope *scope)
{
	return *scope->differs_hash && strcmp(scope->differs_hash, scope->row->refused) == 0;
}

/* The files stay as they are after a return to an older generation: they must not come back by themselves. */
static void refuse_files(const struct transaction *t, const struct candidate *c, struct store_row *now)
{
	if (!c->before || are_refused(c->scope) ||
	    prodd_slice_equal(c->before->record.sources, c->generation->record.sources))
		return;
	snprintf(now->refused, sizeof now->refused, "%.*s", PRODD_SLICE(c->before->record.sources));
	snprintf(now->refused_why, sizeof now->refused_why, "%s", t->cause);
	now->refused_ms = clock_wall_ms();
}

unsigned outcome_row(const struct transaction *t, const struct candidate *c, struct store_change *ret)
{
	const struct store_row *row = c->scope->row;
	struct store_row now = *row;

	if (c->verdict == CANDIDATE_CHANGED) {
		now.previous = row->generation;
		now.generation = c->generation->record.number;
		now.next = now.generation + 1;
	}
	if (!t->directive && strcmp(now.refused, c->sources) == 0)
		now.refused[0] = now.refused_why[0] = '\0';
	if (directive_returns_to(t)) {
		now.fallback = now.confirm_boot_ms = 0;
		refuse_files(t, c, &now);
	}
	if (t->options.confirm_ms)
		ask_confirmation(t, c, &now);
	*ret = (struct store_change){ .row = c->scope->row, .now = now };
	return now.generation != row->generation || strcmp(now.refused, row->refused) != 0 ||
	       now.confirm_boot_ms != row->confirm_boot_ms;
}

/* ---- what status says of files that are not live */

static void clear_differs(struct scope *scope)
{
	scope->differs_hash[0] = scope->differs_why[0] = '\0';
	scope->differs_ms = 0;
	scope->retry_silent = false;
	prodd_buffer_clear(&scope->problems);
	scope->problem_count = 0;
}

static void set_differs(struct scope *scope, const char *sources, const char *why)
{
	clear_differs(scope);
	snprintf(scope->differs_hash, sizeof scope->differs_hash, "%s", sources);
	snprintf(scope->differs_why, sizeof scope->differs_why, "%s", why);
	scope->differs_ms = clock_wall_ms();
}

static void remember_invalid(struct candidate *c)
{
	struct prodd_iter it = prodd_iter(prodd_list(&c->problem_rows, c->problem_count));
	struct wire_problem problem;
	char why[STORE_WHY_MAX] = "invalid";

	if (prodd_next(&it, &wire_record_problem, &problem, NULL) > 0)
		report_problem_text(&problem, why, sizeof why);
	set_differs(c->scope, c->unjudged ? "" : c->sources, why);
	if (c->unjudged)
		watch_again(c->scope->app);
	prodd_buffer_append(&c->scope->problems, c->problem_rows.at, c->problem_rows.size);
	c->scope->problem_count = c->problem_count;
}

/* "rejected by orders/8081: why", or "no answer from orders/8081" */
static void blame(const struct transaction *t, enum transaction_outcome outcome, char *why, size_t size)
{
	enum vote wanted = outcome == OUTCOME_REJECTED ? VOTE_REJECTED : VOTE_SILENT;
	const struct candidate *c;
	const struct voter *voter;

	snprintf(why, size, "%s", outcome_word(outcome));
	TAILQ_FOREACH(c, &t->candidates, link)
		TAILQ_FOREACH(voter, &c->voters, link)
			if (voter->vote == wanted) {
				snprintf(why, size, wanted == VOTE_REJECTED ? "rejected by %.128s/%.128s: %.200s"
									    : "no answer from %.128s/%.128s%.0s",
					 c->scope->app->name, voter->name, voter->reason);
				return;
			}
}

/* Good files that wait for those of another app or environment. */
static void remember_held_back(const struct transaction *t, struct candidate *c)
{
	const struct candidate *other;
	char why[STORE_WHY_MAX];

	TAILQ_FOREACH(other, &t->candidates, link)
		if (other->verdict == CANDIDATE_INVALID)
			break;
	if (!other)
		return;
	snprintf(why, sizeof why, "they go live together with %s (%s), whose files are invalid", other->scope->app->name,
		 other->scope->row->environment);
	set_differs(c->scope, c->sources, why);
}

/* The files are those that were refused once, and have come back. */
static void remember_refused(struct scope *scope, const char *sources)
{
	if (strcmp(scope->differs_hash, sources) == 0 || strcmp(scope->row->refused, sources) != 0)
		return;
	set_differs(scope, sources, scope->row->refused_why);
	scope->differs_ms = scope->row->refused_ms;
}

static void remember_one(const struct transaction *t, struct candidate *c)
{
	switch (c->verdict) {
	case CANDIDATE_INVALID:
		remember_invalid(c);
		break;
	case CANDIDATE_KNOWN_BAD:
		remember_refused(c->scope, c->sources);
		break;
	case CANDIDATE_NO_FILES:
		if (c->before)
			set_differs(c->scope, c->sources, "no file is there any more");
		break;
	case CANDIDATE_UNCHANGED:
		clear_differs(c->scope);
		break;
	case CANDIDATE_SAME:
	case CANDIDATE_CHANGED:
		if (t->outcome == OUTCOME_COMMITTED || t->outcome == OUTCOME_UNCHANGED)
			clear_differs(c->scope);
		else if (t->outcome == OUTCOME_INVALID)
			remember_held_back(t, c);
		break;
	default:
		break;
	}
}

/* Nothing is wrong with the files: they are not refused, and the next rescan tries again. */
static void remember_failed(const struct transaction *t, struct candidate *c)
{
	if (c->verdict == CANDIDATE_UNCHANGED || c->verdict == CANDIDATE_KNOWN_BAD)
		return;
	set_differs(c->scope, "", t->error.text);
	watch_again(c->scope->app);
}

/* The files are where they were; live has moved. */
static void remember_directive(const struct transaction *t, struct candidate *c)
{
	struct scope *scope = c->scope;

	if (t->outcome != OUTCOME_COMMITTED && t->outcome != OUTCOME_UNCHANGED)
		return;
	scope->no_end_before_ms = 0;
	if (!directive_returns_to(t))
		return;
	if (prodd_slice_is(scope->live->record.sources, scope->differs_hash))
		clear_differs(scope);
	else if (!*scope->differs_why)
		remember_refused(scope, scope->row->refused);
}

static void remember(struct transaction *t)
{
	struct candidate *c;

	TAILQ_FOREACH(c, &t->candidates, link) {
		if (t->directive)
			remember_directive(t, c);
		else if (c->trial && t->outcome != OUTCOME_COMMITTED && t->outcome != OUTCOME_UNCHANGED)
			continue;	/* the files have nothing to do with it */
		else if (t->outcome == OUTCOME_FAILED && !t->options.dry_run)
			remember_failed(t, c);
		else if (!t->options.dry_run)
			remember_one(t, c);
	}
}

/* ---- aborting */

static void refused_written(struct store_write *write)
{
	struct transaction *t = container_of(write, struct transaction, write);

	outcome_end(t, t->outcome);
}

/* What a vote refused is not offered again by itself, also not after a restart of prodd. */
static void refuse_durably(struct transaction *t, const char *why)
{
	struct candidate *c;

	t->count = 0;
	TAILQ_FOREACH(c, &t->candidates, link) {
		struct store_change *change = &t->changes[t->count];

		if (c->verdict != CANDIDATE_CHANGED || c->trial)
			continue;
		*change = (struct store_change){ .row = c->scope->row, .now = *c->scope->row };
		snprintf(change->now.refused, sizeof change->now.refused, "%s", c->sources);
		snprintf(change->now.refused_why, sizeof change->now.refused_why, "%s", why);
		change->now.refused_ms = clock_wall_ms();
		t->count++;
	}
	t->write = (struct store_write){ .changes = t->changes, .change_count = t->count, .done = refused_written };
	store_write(t->config->store, &t->write);
}

void outcome_abort(struct transaction *t, enum transaction_outcome outcome)
{
	char why[STORE_WHY_MAX];
	struct candidate *c;

	t->outcome = outcome;
	t->phase = PHASE_ABORT;
	blame(t, outcome, why, sizeof why);
	TAILQ_FOREACH(c, &t->candidates, link) {
		ballot_abort(c, why);
		if (c->verdict != CANDIDATE_CHANGED || t->directive || c->trial ||
		    (outcome != OUTCOME_REJECTED && outcome != OUTCOME_NO_ANSWER) || t->options.dry_run)
			continue;
		set_differs(c->scope, c->sources, why);
		c->scope->retry_silent = outcome == OUTCOME_NO_ANSWER;
	}
	if (outcome == OUTCOME_REJECTED && !t->options.dry_run)
		refuse_durably(t, why);
	else
		outcome_end(t, outcome);
}

/* ---- ending */

static void count(enum transaction_outcome outcome)
{
	counters.transactions_committed += outcome == OUTCOME_COMMITTED;
	counters.transactions_unchanged += outcome == OUTCOME_UNCHANGED;
	counters.transactions_invalid += outcome == OUTCOME_INVALID;
	counters.transactions_rejected += outcome == OUTCOME_REJECTED;
	counters.transactions_no_answer += outcome == OUTCOME_NO_ANSWER;
	counters.transactions_failed += outcome == OUTCOME_FAILED;
}

void outcome_report(struct transaction *t)
{
	prodd_auto_buffer rows = { .limit = 0 };
	struct request *caller;
	struct candidate *c;
	uint32_t row_count = 0;

	TAILQ_FOREACH(c, &t->candidates, link)
		report_encode(t, c, &rows, &row_count);
	while ((caller = TAILQ_FIRST(&t->callers))) {
		TAILQ_REMOVE(&t->callers, caller, link);
		if (row_count == 0)
			request_fail(caller, outcome_word(t->outcome), &t->error);
		else
			request_report(caller, t->id, prodd_list(&rows, row_count));
	}
}

static void free_now(struct transaction *t)
{
	struct candidate *c;

	while ((c = TAILQ_FIRST(&t->candidates))) {
		TAILQ_REMOVE(&t->candidates, c, link);
		ballot_clear(c);
		candidate_free(c);
	}
	directive_clear(t);
	making_clear(&t->making);
	loop_timer_clear(&t->retry);
	loop_timer_clear(&t->watchdog);
	free(t->files);
	free(t->changes);
	free(t);
}

void outcome_free(struct transaction *t)
{
	struct app *app;

	if (!t->dissolved) {
		outcome_report(t);
		rollout_clear(&t->rollout);
		helper_run_clear(&t->parse);
		loop_timer_disarm(&t->retry);
		loop_timer_disarm(&t->watchdog);
		LIST_REMOVE(t, link);
		for (app = t->config->apps; app; app = app->hh.next)
			if (app->transaction == t)
				app->transaction = NULL;
	}
	t->dissolved = true;
	if (!t->read.queued)
		free_now(t);
}

void outcome_end(struct transaction *t, enum transaction_outcome outcome)
{
	struct config *config = t->config;

	t->outcome = outcome;
	t->phase = PHASE_DONE;
	t->elapsed_ms = clock_monotonic_ms() - t->started_ms;
	count(outcome);
	remember(t);
	report_events(t);
	outcome_report(t);
	config_transaction_ended(config, t);
	outcome_free(t);
	config_settle(config);
}

void outcome_fail(struct transaction *t, const struct prodd_error *why)
{
	t->error = *why;
	outcome_end(t, OUTCOME_FAILED);
}
