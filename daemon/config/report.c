/* SPDX-License-Identifier: Apache-2.0 */
/* Words and exit status are chosen here, once, for the command, --json and events alike. */
#define _GNU_SOURCE
#include "daemon/config/report.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>

#include "daemon/config/directive.h"
#include "daemon/config/outcome.h"
#include "daemon/util/file.h"
#include "daemon/util/log.h"

void report_problem_text(const struct wire_problem *p, char *text, size_t size)
{
	char place[PRODD_ERROR_TEXT_MAX] = "", key[300] = "";

	if (p->file.size && p->line)
		snprintf(place, sizeof place, "%.*s:%" PRIu64 ": ", PRODD_SLICE(p->file), p->line);
	else if (p->file.size)
		snprintf(place, sizeof place, "%.*s: ", PRODD_SLICE(p->file));
	if (p->key.size)
		snprintf(key, sizeof key, "%.*s: ", PRODD_SLICE(p->key));
	snprintf(text, size, "%s%s%.*s", place, key, PRODD_SLICE(p->text));
}

/* ---- instances */

/* The state of a process in proc(5)'s letters, as a word; "" when it cannot be read. */
static const char *process_word(pid_t pid)
{
	static const struct { char letter; const char *word; } words[] = {
		{ 'R', "running" }, { 'S', "sleeping" }, { 'D', "waiting for a disk" }, { 'T', "stopped" },
		{ 't', "stopped by a debugger" }, { 'Z', "a zombie" }, { 'X', "dead" },
	};
	prodd_auto_buffer stat = { .limit = 0 };
	char path[40];
	const char *end;

	snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
	if (pid <= 0 || file_read(AT_FDCWD, path, 4096, &stat, NULL) < 0 ||
	    prodd_buffer_append(&stat, "", 1) < 0)
		return "";
	end = strrchr(stat.at, ')');
	for (size_t i = 0; end && end[1] == ' ' && i < sizeof words / sizeof *words; i++)
		if (end[2] == words[i].letter)
			return words[i].word;
	return "";
}

static const char *vote_word(enum vote vote)
{
	static const char *const words[] = {
		[VOTE_NONE] = "", [VOTE_ACCEPTED] = "accepted", [VOTE_REJECTED] = "rejected",
		[VOTE_RESTART] = "restart", [VOTE_SILENT] = "silent", [VOTE_GONE] = "gone",
	};

	return words[vote];
}

/* Silence of one that came late is no answer, and no veto. */
static const char *answer_word(const struct voter *voter)
{
	return voter->joined && voter->vote == VOTE_SILENT ? "joined" : vote_word(voter->vote);
}

static const char *state_word(const struct transaction *t, const struct voter *voter)
{
	if (t->outcome != OUTCOME_COMMITTED)
		return voter->vote == VOTE_ACCEPTED || voter->vote == VOTE_RESTART ? "rolled_back"
										   : "unchanged";
	if (!voter->instance && !voter->confirmed)
		return "gone";
	return instance_state_word(voter->confirmed ? voter->state : INSTANCE_UNCONFIRMED);
}

static int encode_voter(const struct transaction *t, const struct voter *voter, struct prodd_buffer *b,
			uint32_t *count)
{
	struct wire_instance_report row = {
		.instance = prodd_slice(voter->name), .answer = prodd_slice(answer_word(voter)),
		.state = prodd_slice(state_word(t, voter)), .reason = prodd_slice(voter->reason),
		.kept = prodd_list(&voter->kept, voter->kept_count),
		.pid = voter->pid > 0 ? (uint64_t)voter->pid : 0, .heard_ms = voter->heard_ms,
	};

	if (voter->vote == VOTE_SILENT)
		row.process = prodd_slice(process_word(voter->pid));
	return prodd_encode_element(b, count, &wire_record_instance_report, &row);
}

/* Instances whose own variables break the candidate: nobody asked them. */
static int encode_refused(const struct candidate *c, struct prodd_buffer *b, uint32_t *count)
{
	struct instance *instance;
	struct wire_instance_report row;

	TAILQ_FOREACH(instance, &c->scope->instances, in_scope) {
		if (!instance->subscribed || instance->state != INSTANCE_REFUSED)
			continue;
		row = (struct wire_instance_report){
			.instance = prodd_slice(instance->name), .state = prodd_slice("refused"),
			.reason = prodd_slice(instance->reason),
		};
		prodd_encode_element(b, count, &wire_record_instance_report, &row);
	}
	return b->failed;
}

/* ---- exit status */

static unsigned exit_of_commit(const struct candidate *c)
{
	const struct instance *instance;
	const struct voter *voter;
	unsigned worst = 0;

	TAILQ_FOREACH(voter, &c->voters, link) {
		if (!voter->confirmed && !voter->instance)
			continue;	/* gone: it converges when it comes back */
		if (!voter->confirmed || voter->state == INSTANCE_DIVERGED)
			return PRODD_E_UNCONFIRMED;
		if (voter->state == INSTANCE_RESTART || voter->kept_count > 0)
			worst = 3;
	}
	TAILQ_FOREACH(instance, &c->scope->instances, in_scope)
		if (instance->state == INSTANCE_REFUSED)
			return PRODD_E_UNCONFIRMED;
	return worst;
}

static unsigned exit_of(const struct transaction *t, const struct candidate *c)
{
	switch (t->outcome) {
	case OUTCOME_COMMITTED:
		return c->verdict == CANDIDATE_CHANGED ? exit_of_commit(c) : 0;
	case OUTCOME_UNCHANGED:
	case OUTCOME_WOULD_COMMIT:
		return 0;
	case OUTCOME_INVALID:
		return PRODD_E_INVALID;
	case OUTCOME_REJECTED:
		return PRODD_E_REJECTED;
	case OUTCOME_NO_ANSWER:
		return PRODD_E_NO_ANSWER;
	default:
		return t->error.code == PRODD_E_BUSY ? PRODD_E_BUSY : 1;
	}
}

/* ---- the row */

static struct prodd_list linked_apps(const struct transaction *t, const struct candidate *c,
				     struct prodd_buffer *b)
{
	const struct candidate *other, *last = c;
	uint32_t count = 0;

	TAILQ_FOREACH(other, &t->candidates, link) {
		if (other->scope->app == c->scope->app || other->scope->app == last->scope->app)
			continue;
		prodd_pack_str(b, prodd_slice(other->scope->app->name));
		last = other;
		count++;
	}
	return prodd_list(b, count);
}

static const char *row_word(const struct transaction *t, const struct candidate *c)
{
	if (t->outcome == OUTCOME_COMMITTED && c->verdict != CANDIDATE_CHANGED)
		return "unchanged";
	return outcome_word(t->outcome);
}

/* A failure's text, or what else a person should know. */
static const char *note_of(const struct transaction *t, const struct candidate *c)
{
	if (t->outcome == OUTCOME_FAILED)
		return t->error.text;
	if (t->outcome == OUTCOME_UNCHANGED && c->verdict == CANDIDATE_KNOWN_BAD)
		return c->scope->differs_why;
	if (t->outcome == OUTCOME_COMMITTED && t->options.confirm_ms && !c->scope->row->fallback)
		return "no generation was live before: there is none to roll back to, and nothing to confirm";
	return "";
}

static uint64_t confirm_at(const struct transaction *t, const struct candidate *c)
{
	return t->options.confirm_ms && c->scope->row->fallback ? t->confirm_at_ms : 0;
}

int report_encode(const struct transaction *t, const struct candidate *c, struct prodd_buffer *rows,
		  uint32_t *count)
{
	prodd_auto_buffer instances = { .limit = 0 };
	prodd_auto_buffer linked = { .limit = 0 };
	uint32_t instance_count = 0;
	const struct voter *voter;
	struct wire_report row = {
		.app = prodd_slice(c->scope->app->name),
		.environment = prodd_slice(scope_label(c->scope)),
		.outcome = prodd_slice(row_word(t, c)),
		.exit = exit_of(t, c),
		.from = c->before ? c->before->record.number : 0,
		.to = c->generation ? c->generation->record.number : 0,
		.elapsed_ms = t->elapsed_ms,
		.timeout_ms = t->answer_timeout_ms,
		.confirm_at = confirm_at(t, c),
		.changes = prodd_list(&c->changes, c->change_count),
		.problems = prodd_list(&c->problem_rows, c->problem_count),
		.note = prodd_slice(note_of(t, c)),
	};

	TAILQ_FOREACH(voter, &c->voters, link)
		encode_voter(t, voter, &instances, &instance_count);
	if (t->outcome == OUTCOME_COMMITTED)
		encode_refused(c, &instances, &instance_count);
	row.instances = prodd_list(&instances, instance_count);
	row.linked = linked_apps(t, c, &linked);
	return prodd_encode_element(rows, count, &wire_record_report, &row);
}

/* ---- events */

/* What an operator did, or a deadline, beside the generation that came of it. */
static void event_directive(const struct transaction *t, const char *app)
{
	static const enum event_kind kinds[] = {
		[REQUEST_SET] = EVENT_OVERRIDE_SET, [REQUEST_UNSET] = EVENT_OVERRIDE_ENDED,
		[REQUEST_EXPIRE] = EVENT_OVERRIDE_ENDED, [REQUEST_ROLLBACK] = EVENT_ROLLED_BACK,
		[REQUEST_FALL_BACK] = EVENT_ROLLED_BACK,
	};

	events_add(t->config->events, kinds[directive_kind(t)], app, "", "%s", t->cause);
}

static void event_committed(const struct transaction *t, const struct candidate *c)
{
	const char *app = c->scope->app->name;
	const struct voter *voter;

	events_add(t->config->events, EVENT_COMMITTED, app, "",
		   "generation %" PRIu64 " -> %" PRIu64 " (%u keys, %s): %s",
		   c->before ? c->before->record.number : 0, c->generation->record.number, c->change_count,
		   c->scope->row->environment, t->cause);
	if (t->directive)
		event_directive(t, app);
	TAILQ_FOREACH(voter, &c->voters, link)
		if (voter->confirmed && (voter->kept_count > 0 || voter->state == INSTANCE_RESTART))
			events_add(t->config->events, EVENT_RESTART_NEEDED, app, voter->name,
				   "generation %" PRIu64 " needs a restart %s", c->generation->record.number,
				   voter->reason);
}

static void event_invalid(const struct transaction *t, const struct candidate *c)
{
	const char *app = c->scope->app->name;

	events_add(t->config->events, EVENT_INVALID, app, "", "%s (%s)", c->scope->differs_why, t->cause);
	if (c->before && strcmp(t->cause, CONFIG_CAUSE_START) == 0) {
		events_add(t->config->events, EVENT_LAST_GOOD, app, "",
			   "started from last good generation %" PRIu64 ": %s", c->before->record.number,
			   c->scope->differs_why);
		log_warn("%s: started from last good generation %" PRIu64 ": %s", app,
			 c->before->record.number, c->scope->differs_why);
	}
}

static void event_one(const struct transaction *t, const struct candidate *c)
{
	const char *app = c->scope->app->name;

	if (t->outcome == OUTCOME_COMMITTED && c->verdict == CANDIDATE_CHANGED)
		event_committed(t, c);
	else if (t->outcome == OUTCOME_INVALID && c->verdict == CANDIDATE_INVALID)
		event_invalid(t, c);
	else if (t->outcome == OUTCOME_REJECTED)
		events_add(t->config->events, EVENT_REJECTED, app, "", "%s", c->scope->differs_why);
	else if (t->outcome == OUTCOME_NO_ANSWER)
		events_add(t->config->events, EVENT_NO_ANSWER, app, "", "%s", c->scope->differs_why);
	else if (t->outcome == OUTCOME_FAILED)
		events_add(t->config->events, EVENT_FAILED, app, "", "%s", t->error.text);
}

void report_events(const struct transaction *t)
{
	const struct candidate *c;

	if (t->options.dry_run)
		return;
	TAILQ_FOREACH(c, &t->candidates, link)
		event_one(t, c);
}
