/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Frames to an instance stay in order, so whoever was sent an offer may be
 * sent its commit before it has answered: it reads the one before the other.
 */
#include "daemon/config/ballot.h"

#include <stdio.h>
#include <stdlib.h>

#include "daemon/core/counters.h"
#include "daemon/util/container.h"

static struct voter *voter_new(struct candidate *candidate, struct instance *instance)
{
	struct voter *voter = calloc(1, sizeof *voter);
	struct session *session = instance->peer.session;

	if (!voter)
		return NULL;
	voter->candidate = candidate;
	voter->instance = instance;
	voter->pid = session_identity(session)->pid;
	voter->state = INSTANCE_UNCONFIRMED;
	snprintf(voter->name, sizeof voter->name, "%s", instance->name);
	TAILQ_INSERT_TAIL(&candidate->voters, voter, link);
	return voter;
}

static struct voter *voter_of(struct rollout_member *member)
{
	return container_of(member, struct voter, member);
}

/* An instance that cannot be written down cannot be asked: it comes back by a new session and converges. */
static struct voter *enrol(struct candidate *candidate, struct instance *instance)
{
	struct voter *voter = voter_new(candidate, instance);

	if (!voter)
		session_end(instance->peer.session, 0);
	return voter;
}

/* ---- telling */

void ballot_offer(struct candidate *candidate, struct rollout *rollout, struct instance *instance,
		  uint64_t deadline_ms, bool joined)
{
	const struct wire_generation *record = &candidate->generation->record;
	struct overlay overlay;
	struct wire_offer offer;
	struct voter *voter;

	if (instance_overlay(instance, candidate->generation, &overlay, NULL) < 0 || overlay.problem_count > 0) {
		overlay_clear(&overlay);
		return;		/* refused alone; it hears of it after the decision */
	}
	voter = enrol(candidate, instance);
	if (voter) {
		voter->joined = joined;
		offer = (struct wire_offer){
			.txn = candidate->txn, .deadline_ms = deadline_ms, .epoch = record->epoch,
			.generation = record->number, .hash = record->hash, .environment = record->environment,
			.overlay = prodd_list(&overlay.entries, overlay.count),
		};
		rollout_add(rollout, &voter->member, instance->peer.session, WIRE_M_config_offer, &offer, "snapshot",
			    candidate->generation->snapshot);
		counters.offers_sent++;
	}
	overlay_clear(&overlay);
}

void ballot_apply(struct candidate *candidate, struct rollout *rollout, struct instance *instance)
{
	const struct wire_generation *record = &candidate->generation->record;
	struct overlay overlay;
	struct wire_apply apply;
	struct voter *voter;

	if (instance_overlay(instance, candidate->generation, &overlay, NULL) < 0 || overlay.problem_count > 0) {
		overlay_clear(&overlay);
		instance_serve(instance);	/* refuses it */
		return;
	}
	voter = enrol(candidate, instance);
	if (voter) {
		apply = (struct wire_apply){
			.epoch = record->epoch, .generation = record->number, .hash = record->hash,
			.environment = record->environment, .overlay = prodd_list(&overlay.entries, overlay.count),
		};
		instance->told = record->number;
		rollout_add(rollout, &voter->member, instance->peer.session, WIRE_M_config_apply, &apply, "snapshot",
			    candidate->generation->snapshot);
	}
	overlay_clear(&overlay);
}

void ballot_commit(struct candidate *candidate, struct rollout *rollout)
{
	struct wire_commit commit = { .txn = candidate->txn, .generation = candidate->generation->record.number };
	struct voter *voter;

	TAILQ_FOREACH(voter, &candidate->voters, link) {
		if (!voter->instance)
			continue;
		voter->instance->told = commit.generation;
		rollout_add(rollout, &voter->member, voter->instance->peer.session, WIRE_M_config_commit, &commit, NULL, NULL);
	}
}

void ballot_abort(struct candidate *candidate, const char *reason)
{
	struct wire_abort abort = { .txn = candidate->txn, .reason = prodd_slice(reason) };
	struct voter *voter;

	TAILQ_FOREACH(voter, &candidate->voters, link)
		if (voter->instance)
			session_note(voter->instance->peer.session, WIRE_M_config_abort, &abort);
}

/* ---- hearing */

static void set_reason(struct voter *voter, struct prodd_slice reason)
{
	snprintf(voter->reason, sizeof voter->reason, "%.*s", PRODD_SLICE(reason));
}

/* An instance that answers a vote with an error has looked at the candidate and cannot use it. */
int ballot_voted(struct rollout_member *member, const struct prodd_message *answer)
{
	struct voter *voter = voter_of(member);
	struct wire_verdict verdict;
	struct prodd_error e;

	voter->vote = VOTE_REJECTED;
	if (answer->error.code) {
		set_reason(voter, prodd_slice(answer->error.text));
		return 0;
	}
	if (prodd_message_decode(answer, &wire_record_verdict, &verdict, &e) < 0) {
		set_reason(voter, prodd_slice(e.text));
		return 0;
	}
	set_reason(voter, verdict.reason);
	if (prodd_slice_is(verdict.verdict, "accept"))
		voter->vote = VOTE_ACCEPTED;
	else if (prodd_slice_is(verdict.verdict, "restart"))
		voter->vote = VOTE_RESTART;
	else if (!prodd_slice_is(verdict.verdict, "reject"))
		snprintf(voter->reason, sizeof voter->reason, "unknown verdict \"%.*s\"", PRODD_SLICE(verdict.verdict));
	return 0;
}

int ballot_confirmed(struct rollout_member *member, const struct prodd_message *answer)
{
	struct voter *voter = voter_of(member);
	struct wire_applied applied;
	struct prodd_error e;

	if (answer->error.code || prodd_message_decode(answer, &wire_record_applied, &applied, &e) < 0)
		applied = (struct wire_applied){ .state = prodd_slice("diverged"),
						 .reason = prodd_slice(answer->error.code ? answer->error.text : e.text) };
	voter->confirmed = true;
	set_reason(voter, applied.reason);
	prodd_buffer_reset(&voter->kept);
	prodd_buffer_append(&voter->kept, applied.kept.at, applied.kept.size);
	voter->kept_count = applied.kept.count;
	if (voter->instance) {
		instance_confirm(voter->instance, voter->candidate->generation->record.number, &applied);
		voter->state = voter->instance->state;
	}
	return 0;
}

/* What was said counts, also when the speaker has left since. */
static void mark_unanswered(struct voter *voter)
{
	if (voter->vote != VOTE_NONE)
		return;
	if (voter->member.outcome == ROLLOUT_GONE || !voter->instance) {
		voter->vote = VOTE_GONE;
	} else {
		voter->vote = VOTE_SILENT;
		voter->instance->silent = true;
		voter->heard_ms = session_heard_ms(voter->instance->peer.session);
	}
}

void ballot_count(struct candidate *candidate, struct ballot_result *result)
{
	struct voter *voter;

	TAILQ_FOREACH(voter, &candidate->voters, link) {
		mark_unanswered(voter);
		result->offered++;
		result->rejected += voter->vote == VOTE_REJECTED;
		result->silent += voter->vote == VOTE_SILENT && !voter->joined;
	}
}

/* ---- who is who */

struct voter *ballot_voter(struct candidate *candidate, const struct instance *instance)
{
	struct voter *voter;

	TAILQ_FOREACH(voter, &candidate->voters, link)
		if (voter->instance == instance)
			return voter;
	return NULL;
}

void ballot_left(struct candidate *candidate, const struct instance *instance)
{
	struct voter *voter = ballot_voter(candidate, instance);

	if (voter)
		voter->instance = NULL;
}

void ballot_clear(struct candidate *candidate)
{
	struct voter *voter;

	while ((voter = TAILQ_FIRST(&candidate->voters))) {
		TAILQ_REMOVE(&candidate->voters, voter, link);
		prodd_buffer_clear(&voter->kept);
		free(voter);
	}
}
