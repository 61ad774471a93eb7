/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The phases, in the order in which they happen.  Each ends by starting the
 * next, from a callback of the loop; nothing here waits.
 */
#include "daemon/config/transaction.h"

#include <stdio.h>
#include <stdlib.h>

#include "daemon/config/directive.h"
#include "daemon/config/linked.h"
#include "daemon/config/outcome.h"
#include "daemon/config/preparation.h"
#include "daemon/core/counters.h"
#include "daemon/util/clock.h"
#include "daemon/util/container.h"

static void reserve(struct transaction *t);
static void offer(struct transaction *t);
static void decide(struct transaction *t);
static void commit(struct transaction *t);

const char *transaction_phase_word(enum transaction_phase phase)
{
	static const char *const words[] = {
		[PHASE_READ] = "reading", [PHASE_WAIT] = "waiting for a linked app", [PHASE_PARSE] = "checking",
		[PHASE_RESERVE] = "preparing", [PHASE_OFFER] = "asking", [PHASE_DECIDE] = "deciding",
		[PHASE_COMMIT] = "switching", [PHASE_ABORT] = "rolling back", [PHASE_DONE] = "done",
	};

	return words[phase];
}

/* ---- weighing */

static unsigned count_verdicts(const struct transaction *t, enum candidate_verdict verdict)
{
	const struct candidate *candidate;
	unsigned count = 0;

	TAILQ_FOREACH(candidate, &t->candidates, link)
		count += candidate->verdict == verdict;
	return count;
}

/* Everything is parsed: is there something to ask and to decide? */
void transaction_prepared(struct transaction *t)
{
	unsigned changed = count_verdicts(t, CANDIDATE_CHANGED);

	if (count_verdicts(t, CANDIDATE_INVALID) > 0)
		outcome_end(t, OUTCOME_INVALID);
	else if (changed > 0)
		reserve(t);
	else if (t->options.dry_run && count_verdicts(t, CANDIDATE_SAME) > 0)
		outcome_end(t, OUTCOME_UNCHANGED);
	else if (count_verdicts(t, CANDIDATE_SAME) > 0 || (t->options.confirm_ms && !t->options.dry_run))
		decide(t);	/* same settings, other lines: explain must tell the truth about them */
	else if (count_verdicts(t, CANDIDATE_NO_FILES) == 0)
		outcome_end(t, OUTCOME_UNCHANGED);
	else
		outcome_end(t, OUTCOME_NO_FILES);
}

/* ---- writing */

static bool is_written(const struct candidate *candidate)
{
	return candidate->verdict == CANDIDATE_CHANGED || candidate->verdict == CANDIDATE_SAME;
}

static int make_room(struct transaction *t)
{
	unsigned count = 0;
	struct candidate *candidate;

	TAILQ_FOREACH(candidate, &t->candidates, link)
		count++;
	free(t->files);
	free(t->changes);
	t->files = calloc(count, sizeof *t->files);
	t->changes = calloc(count, sizeof *t->changes);
	t->count = 0;
	return t->files && t->changes ? 0 : -PRODD_E_NO_MEMORY;
}

static void write(struct transaction *t, unsigned file_count, void (*done)(struct store_write *))
{
	t->write = (struct store_write){
		.files = t->files, .file_count = file_count, .changes = t->changes, .change_count = t->count, .done = done,
	};
	store_write(t->config->store, &t->write);
}

static void reserve_done(struct store_write *write)
{
	struct transaction *t = container_of(write, struct transaction, write);

	if (write->outcome == STORE_NOT_WRITTEN)
		outcome_fail(t, &write->error);
	else if (t->directive)
		decide(t);
	else
		offer(t);
}

/* The numbers of the candidates are burnt durably before anybody hears of them. */
static void reserve(struct transaction *t)
{
	static const struct prodd_error no_memory = { PRODD_E_NO_MEMORY, "no memory for a transaction" };
	struct candidate *candidate;

	t->phase = PHASE_RESERVE;
	if (make_room(t) < 0) {
		outcome_fail(t, &no_memory);
		return;
	}
	TAILQ_FOREACH(candidate, &t->candidates, link) {
		struct store_change *change = &t->changes[t->count];

		if (candidate->verdict != CANDIDATE_CHANGED)
			continue;
		*change = (struct store_change){ .row = candidate->scope->row, .now = *candidate->scope->row };
		change->now.next = candidate->generation->record.number + 1;
		t->count++;
	}
	write(t, 0, reserve_done);
}

/* ---- the offer */

static int offer_answered(struct rollout *rollout, struct rollout_member *member, const struct prodd_message *answer)
{
	(void)rollout;
	return ballot_voted(member, answer);
}

static void offer_done(struct rollout *rollout)
{
	struct transaction *t = container_of(rollout, struct transaction, rollout);
	bool proceed = t->options.force || t->config->settings.proceed_over_silence;
	struct ballot_result result = { 0 };
	struct candidate *candidate;

	rollout_clear(rollout);
	TAILQ_FOREACH(candidate, &t->candidates, link)
		ballot_count(candidate, &result);
	if (result.rejected > 0)
		outcome_abort(t, OUTCOME_REJECTED);
	else if (result.silent > 0 && !proceed)
		outcome_abort(t, OUTCOME_NO_ANSWER);
	else if (t->options.dry_run)
		outcome_abort(t, OUTCOME_WOULD_COMMIT);
	else
		decide(t);
}

static void offer(struct transaction *t)
{
	struct candidate *candidate;
	struct instance *instance;

	t->phase = PHASE_OFFER;
	t->rollout.answered = offer_answered;
	t->rollout.done = offer_done;
	TAILQ_FOREACH(candidate, &t->candidates, link) {
		if (candidate->verdict != CANDIDATE_CHANGED)
			continue;
		TAILQ_FOREACH(instance, &candidate->scope->instances, in_scope)
			if (instance->subscribed)
				ballot_offer(candidate, &t->rollout, instance, t->answer_timeout_ms, false);
	}
	rollout_start(&t->rollout, t->answer_timeout_ms);
}

static struct candidate *candidate_of(struct transaction *t, const struct scope *scope)
{
	struct candidate *candidate;

	TAILQ_FOREACH(candidate, &t->candidates, link)
		if (candidate->scope == scope)
			return candidate;
	return NULL;
}

/* One that has nothing yet waits for the end, like the answer to its subscription. */
void transaction_instance_came(struct transaction *t, struct instance *instance)
{
	struct candidate *candidate = candidate_of(t, instance->scope);

	if (candidate && instance->subscribed && t->phase == PHASE_OFFER && candidate->verdict == CANDIDATE_CHANGED)
		ballot_offer(candidate, &t->rollout, instance, t->answer_timeout_ms, true);
}

void transaction_instance_left(struct transaction *t, struct instance *instance)
{
	struct candidate *candidate = candidate_of(t, instance->scope);

	if (candidate)
		ballot_left(candidate, instance);
}

/* ---- the decision */

static void go_live(struct transaction *t)
{
	struct candidate *candidate;

	TAILQ_FOREACH(candidate, &t->candidates, link)
		if (is_written(candidate))
			scope_set_live(candidate->scope, candidate->generation);
}

static void decide_done(struct store_write *write)
{
	struct transaction *t = container_of(write, struct transaction, write);

	if (write->outcome == STORE_NOT_WRITTEN) {
		t->error = write->error;
		outcome_abort(t, OUTCOME_FAILED);
		return;
	}
	go_live(t);
	commit(t);
}

static void put_file(struct transaction *t, unsigned index, const struct candidate *candidate)
{
	struct store_file *file = &t->files[index];
	const struct store_row *row = candidate->scope->row;

	memcpy(file->app, row->app, sizeof file->app);
	memcpy(file->environment, row->environment, sizeof file->environment);
	file->number = candidate->generation->record.number;
	file->content = prodd_buffer_slice(&candidate->generation->bytes);
}

static void decide(struct transaction *t)
{
	static const struct prodd_error no_memory = { PRODD_E_NO_MEMORY, "no memory for a transaction" };
	struct candidate *candidate;
	unsigned files = 0;

	t->phase = PHASE_DECIDE;
	if (t->options.confirm_ms)
		t->confirm_at_ms = clock_wall_ms() + t->options.confirm_ms;
	if (make_room(t) < 0) {
		t->error = no_memory;
		outcome_abort(t, OUTCOME_FAILED);
		return;
	}
	TAILQ_FOREACH(candidate, &t->candidates, link) {
		if (is_written(candidate))
			put_file(t, files++, candidate);
		t->count += outcome_row(t, candidate, &t->changes[t->count]);
	}
	write(t, files, decide_done);
}

/* ---- the commit */

static int commit_answered(struct rollout *rollout, struct rollout_member *member, const struct prodd_message *answer)
{
	(void)rollout;
	return ballot_confirmed(member, answer);
}

static void commit_done(struct rollout *rollout)
{
	struct transaction *t = container_of(rollout, struct transaction, rollout);
	bool changed = count_verdicts(t, CANDIDATE_CHANGED) > 0;

	rollout_clear(rollout);
	outcome_end(t, changed || t->options.confirm_ms ? OUTCOME_COMMITTED : OUTCOME_UNCHANGED);
}

/* Those who were asked hear "commit"; the others - directives, those who came since - get the generation itself. */
static void commit(struct transaction *t)
{
	struct candidate *candidate;
	struct instance *instance;

	t->phase = PHASE_COMMIT;
	t->rollout.answered = commit_answered;
	t->rollout.done = commit_done;
	TAILQ_FOREACH(candidate, &t->candidates, link) {
		if (candidate->verdict != CANDIDATE_CHANGED)
			continue;
		ballot_commit(candidate, &t->rollout);
		TAILQ_FOREACH(instance, &candidate->scope->instances, in_scope)
			if (instance->subscribed && !ballot_voter(candidate, instance))
				ballot_apply(candidate, &t->rollout, instance);
	}
	rollout_start(&t->rollout, t->answer_timeout_ms);
}

/* ---- beginning and joining */

static int set_up(struct transaction *t, const struct request *request, struct prodd_error *e)
{
	int r = rollout_init(&t->rollout, t->config->loop, e);

	if (r >= 0)
		r = preparation_init(t, e);
	if (r >= 0)
		r = t->directive ? directive_prepare(t, request, e) : linked_add_app(t, request->app, e);
	return r;
}

static struct transaction *transaction_new(struct config *config, struct request *request)
{
	struct transaction *t = calloc(1, sizeof *t);

	if (!t)
		return NULL;
	t->config = config;
	t->id = store_take_txn(config->store);
	t->options = request->options;
	t->directive = request_is_directive(request);
	t->tries = request->kind == REQUEST_TRY;
	t->answer_timeout_ms = config->settings.answer_timeout_ms;
	t->started_ms = request->asked_ms;
	t->parse.fd = -1;
	TAILQ_INIT(&t->candidates);
	TAILQ_INIT(&t->callers);
	TAILQ_INSERT_TAIL(&t->callers, request, link);
	LIST_INSERT_HEAD(&config->transactions, t, link);
	snprintf(t->who, sizeof t->who, "%s", request->who);
	snprintf(t->cause, sizeof t->cause, request->kind == REQUEST_RELOAD ? "reload by %s" : "%s", request->who);
	return t;
}

void transaction_start(struct config *config, struct request *request)
{
	static const struct prodd_error no_memory = { PRODD_E_NO_MEMORY, "no memory for a transaction" };
	struct transaction *t = transaction_new(config, request);
	struct prodd_error e;

	if (!t) {
		request_fail(request, "failed", &no_memory);
		return;
	}
	counters.transactions_started++;
	request->app->transaction = t;
	if (set_up(t, request, &e) < 0) {
		outcome_fail(t, &e);
		return;
	}
	preparation_start(t);
}

void transaction_join(struct transaction *t, struct request *request)
{
	if (request->collector)
		request->collector->joined = true;
	TAILQ_INSERT_TAIL(&t->callers, request, link);
}

bool transaction_has_sources(const struct transaction *t, const struct scope *scope, const char *sources)
{
	const struct candidate *candidate;

	if (t->directive || t->phase <= PHASE_WAIT || t->phase >= PHASE_COMMIT)
		return false;
	TAILQ_FOREACH(candidate, &t->candidates, link)
		if (candidate->scope == scope)
			return strcmp(candidate->sources, sources) == 0;
	return false;
}

void transaction_cancel(struct transaction *t)
{
	prodd_error_set(&t->error, PRODD_E_CLOSED, "prodd ends");
	t->outcome = OUTCOME_FAILED;
	t->read.queued = false;
	outcome_free(t);
}
