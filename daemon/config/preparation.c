/* SPDX-License-Identifier: Apache-2.0 */
/*
 * All that comes before anybody is asked: files are read on the disk thread,
 * compared, parsed by the helper, one scope after another.  A watchdog ends
 * what is stuck; nothing has happened by then.
 */
#include "daemon/config/preparation.h"

#include "daemon/config/directive.h"
#include "daemon/config/linked.h"
#include "daemon/config/outcome.h"
#include "daemon/config/watch.h"
#include "daemon/core/counters.h"
#include "daemon/util/container.h"
#include "daemon/util/log.h"

#define READ_RETRY_MS 50		/* files that change while they are read settle soon, or not at all */
#define READ_TRIES 60			/* 3 s */
#define PARSE_MS 10000			/* prodd-parse limits itself to 2 s of processor time */
#define WATCHDOG_MS 30000		/* for all that comes before the offer */

static void read_files(struct transaction *t);
static void parse_next(struct transaction *t);

/* ---- reading */

static void read_run(struct disk_job *job)
{
	struct transaction *t = container_of(job, struct transaction, read);
	struct candidate *candidate;

	if (t->directive) {
		directive_make(t);
		return;
	}
	TAILQ_FOREACH(candidate, &t->candidates, link)
		candidate_read(candidate);
}

static struct candidate *first_unread(struct transaction *t)
{
	struct candidate *candidate;

	TAILQ_FOREACH(candidate, &t->candidates, link)
		if (candidate->read_result < 0)
			return candidate;
	return NULL;
}

static bool is_command(const struct transaction *t)
{
	const struct request *caller;

	TAILQ_FOREACH(caller, &t->callers, link)
		if (caller->kind != REQUEST_LOOK)
			return true;
	return false;
}

static void compare(struct transaction *t)
{
	struct candidate *candidate;
	bool asked = is_command(t), fresh = false;

	TAILQ_FOREACH(candidate, &t->candidates, link) {
		candidate_compare(candidate, asked);
		fresh = fresh || candidate->verdict == CANDIDATE_OPEN;
	}
	/* Files that were bad before come along when those of a linked app are new. */
	TAILQ_FOREACH(candidate, &t->candidates, link)
		if (fresh && candidate->verdict == CANDIDATE_KNOWN_BAD)
			candidate->verdict = CANDIDATE_OPEN;
}

/* What was read while somebody wrote may be half of something. Asked after the reading, and once more after the parsing:
 * an event is queued before the writer's call returns, and after the bytes are there. */
static int end_read(struct transaction *t, struct prodd_error *e)
{
	struct candidate *candidate;
	bool asked = is_command(t);
	int r = 0;

	TAILQ_FOREACH(candidate, &t->candidates, link)
		if (r == 0)
			r = watch_end_read(candidate->scope->app, asked, e);
	return r;
}

/* Before the comparison: what was refused once is offered again when a command asks. */
static void join_waiting(struct transaction *t)
{
	struct candidate *candidate;

	if (!t->directive)
		TAILQ_FOREACH(candidate, &t->candidates, link)
			request_join_all(candidate->scope->app);
}

static void put_off(struct transaction *t, const struct prodd_error *why)
{
	if (why->code == PRODD_E_BUSY && ++t->read_tries < READ_TRIES)
		loop_timer_arm(&t->retry, READ_RETRY_MS);
	else
		outcome_fail(t, why);
}

static void read_done(struct disk_job *job)
{
	struct transaction *t = container_of(job, struct transaction, read);
	struct candidate *unread;
	struct prodd_error e;

	if (t->dissolved) {
		outcome_free(t);
		return;
	}
	unread = first_unread(t);
	if (t->directive && !unread) {
		making_end(&t->making, TAILQ_FIRST(&t->candidates));
		transaction_prepared(t);
		return;
	}
	if (unread || end_read(t, &e) < 0) {
		put_off(t, unread ? &unread->error : &e);
		return;
	}
	t->phase = PHASE_PARSE;
	join_waiting(t);
	compare(t);
	switch (linked_gather(t)) {
	case LINKED_NONE:
		parse_next(t);
		break;
	case LINKED_MORE:
		read_files(t);
		break;
	case LINKED_BUSY:
		t->phase = PHASE_WAIT;
		break;
	}
}

static void read_files(struct transaction *t)
{
	struct candidate *candidate;

	if (t->directive)
		making_begin(&t->making, TAILQ_FIRST(&t->candidates), t->cause);
	TAILQ_FOREACH(candidate, &t->candidates, link) {
		candidate_reset(candidate);
		watch_begin_read(candidate->scope->app);
	}
	t->phase = PHASE_READ;
	counters.reads_of_sources += !t->directive;
	t->read = (struct disk_job){ .run = read_run, .done = read_done };
	disk_submit(t->config->disk, &t->read);
}

static void retry_fired(struct loop_timer *timer)
{
	read_files(container_of(timer, struct transaction, retry));
}

void transaction_wake(struct transaction *t)
{
	if (t->phase == PHASE_WAIT)
		read_files(t);
}

/* ---- parsing, one scope after another */

static void make_run(struct disk_job *job)
{
	making_from_answer(&container_of(job, struct transaction, read)->making);
}

static void make_done(struct disk_job *job)
{
	struct transaction *t = container_of(job, struct transaction, read);

	if (t->dissolved) {
		outcome_free(t);
		return;
	}
	making_end(&t->making, t->parsing);
	t->parsing = NULL;
	parse_next(t);
}

static void parse_done(struct helper_run *run, const struct prodd_message *answer, const struct prodd_error *why)
{
	struct transaction *t = container_of(run, struct transaction, parse);

	if (why)
		counters.helper_failures++;
	making_begin(&t->making, t->parsing, t->cause);
	making_take_answer(&t->making, answer, why);
	t->read = (struct disk_job){ .run = make_run, .done = make_done };
	disk_submit(t->config->disk, &t->read);
}

static const struct helper_run_ops parse_ops = { .done = parse_done };

static struct candidate *first_open(struct transaction *t)
{
	struct candidate *candidate;

	TAILQ_FOREACH(candidate, &t->candidates, link)
		if (candidate->verdict == CANDIDATE_OPEN)
			return candidate;
	return NULL;
}

static void parse_next(struct transaction *t)
{
	struct candidate *candidate = first_open(t);
	struct prodd_buffer request = { .limit = PRODD_REPLY_MAX };
	struct prodd_error e;
	int r;

	if (!candidate && end_read(t, &e) < 0) {
		put_off(t, &e);
		return;
	}
	if (!candidate) {
		loop_timer_disarm(&t->watchdog);
		transaction_prepared(t);
		return;
	}
	helper_run_clear(&t->parse);
	t->parse.ops = &parse_ops;
	t->parsing = candidate;
	r = candidate_request(candidate, &request, &e);
	if (r >= 0) {
		counters.helper_runs++;
		r = helper_run_start(&t->parse, t->config->loop, t->config->parser, &request, PARSE_MS, &e);
	}
	prodd_buffer_clear(&request);
	if (r < 0)
		outcome_fail(t, &e);
}

/* ---- beginning */

static void watchdog_fired(struct loop_timer *timer)
{
	struct transaction *t = container_of(timer, struct transaction, watchdog);
	struct prodd_error e;

	prodd_error_set(&e, PRODD_E_TIMEOUT, "ended by the watchdog after %u s, %s", WATCHDOG_MS / 1000,
			transaction_phase_word(t->phase));
	log_error("%s: %s", TAILQ_FIRST(&t->candidates)->scope->app->name, e.text);
	outcome_fail(t, &e);
}

int preparation_init(struct transaction *t, struct prodd_error *e)
{
	int r = loop_timer_init(&t->retry, t->config->loop, retry_fired, e);

	return r < 0 ? r : loop_timer_init(&t->watchdog, t->config->loop, watchdog_fired, e);
}

void preparation_start(struct transaction *t)
{
	loop_timer_arm(&t->watchdog, WATCHDOG_MS);
	read_files(t);
}
