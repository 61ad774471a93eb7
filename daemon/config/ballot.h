/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The instances' part in a transaction: who was offered what, what each said,
 * and what each did after the decision.
 */
#ifndef PRODD_CONFIG_BALLOT_H
#define PRODD_CONFIG_BALLOT_H

#include "daemon/config/candidate.h"
#include "daemon/core/rollout.h"

enum vote { VOTE_NONE, VOTE_ACCEPTED, VOTE_REJECTED, VOTE_RESTART, VOTE_SILENT, VOTE_GONE };

/* One instance in one transaction. Outlives the instance. */
struct voter {
	struct rollout_member member;
	struct candidate *candidate;	/* borrowed */
	struct instance *instance;	/* borrowed; NULL once it has left */
	char name[APP_NAME_MAX];
	enum vote vote;
	bool joined;			/* came during the transaction: its silence is no veto */
	bool confirmed;			/* has answered the commit */
	enum instance_state state;	/* as it answered the commit */
	char reason[512];
	struct prodd_buffer kept;	/* LIST of kept_key */
	uint32_t kept_count;
	pid_t pid;
	uint64_t heard_ms;		/* when its silence was found: since the last byte from it */
	TAILQ_ENTRY(voter) link;
};

/* What the ballot of a transaction says. */
struct ballot_result {
	unsigned offered;
	unsigned rejected;
	unsigned silent;		/* without joiners */
};

/* Offers the candidate to an instance of its scope; one whose own variables break the candidate is passed over. */
void ballot_offer(struct candidate *candidate, struct rollout *rollout, struct instance *instance,
		  uint64_t deadline_ms, bool joined);

/* Tells an instance what is decided already, without an offer before: config.apply; or config.refused, when its own variables
 * break it. */
void ballot_apply(struct candidate *candidate, struct rollout *rollout, struct instance *instance);

/* Tells all who know the candidate that it is live. */
void ballot_commit(struct candidate *candidate, struct rollout *rollout);

/* Tells all who know the candidate that it is not. */
void ballot_abort(struct candidate *candidate, const char *reason);

/* Answers, for the rollouts of offers and of commits. As rollout.answered. */
int ballot_voted(struct rollout_member *member, const struct prodd_message *answer);
int ballot_confirmed(struct rollout_member *member, const struct prodd_message *answer);

/* Counts the votes when nobody is waited for any more; marks the silent and the gone. */
void ballot_count(struct candidate *candidate, struct ballot_result *result);

struct voter *ballot_voter(struct candidate *candidate, const struct instance *instance);	/* NULL: none */
void ballot_left(struct candidate *candidate, const struct instance *instance);
void ballot_clear(struct candidate *candidate);		/* members must not be under way */

#endif
