/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The transaction: one change of the live configuration of one app, or of
 * several that share a changed file.
 *
 *	read -> parse -> reserve a number -> offer -> decide -> commit
 *
 * Before the decision (the table of live generations, replaced by one rename)
 * no instance uses the candidate; after it none can undo it.  A directive (an
 * override, a rollback, an expiry) has no files to read and nobody to ask: it
 * goes from the start to the decision.
 */
#ifndef PRODD_CONFIG_TRANSACTION_H
#define PRODD_CONFIG_TRANSACTION_H

#include "daemon/config/ballot.h"
#include "daemon/config/config.h"
#include "daemon/config/making.h"
#include "daemon/config/request.h"

enum transaction_phase {
	PHASE_READ, PHASE_WAIT, PHASE_PARSE, PHASE_RESERVE, PHASE_OFFER, PHASE_DECIDE, PHASE_COMMIT, PHASE_ABORT, PHASE_DONE,
};

enum transaction_outcome {
	OUTCOME_NONE, OUTCOME_COMMITTED, OUTCOME_UNCHANGED, OUTCOME_INVALID, OUTCOME_REJECTED, OUTCOME_NO_ANSWER,
	OUTCOME_WOULD_COMMIT, OUTCOME_NO_FILES, OUTCOME_FAILED,
};

struct transaction {
	uint64_t id;
	struct config *config;			/* borrowed */
	enum transaction_phase phase;
	enum transaction_outcome outcome;
	struct request_options options;
	bool directive;
	bool tries;				/* looks with the schema that an app tries */
	char cause[256];			/* as the history tells it */
	char who[128];
	struct prodd_error error;		/* of FAILED */
	TAILQ_HEAD(, candidate) candidates;
	TAILQ_HEAD(, request) callers;		/* owned: told of the outcome */
	struct disk_job read;			/* or the making */
	struct directive *directive_work;	/* owned; NULL: files are read */
	unsigned read_tries;
	struct loop_timer retry;		/* next try of a read */
	struct loop_timer watchdog;		/* ends one that is stuck before it is decided */
	struct helper_run parse;
	struct candidate *parsing;		/* borrowed; NULL: none */
	struct making making;			/* of its generation, or the directive's */
	struct rollout rollout;
	struct store_write write;
	struct store_file *files;		/* owned, for the write */
	struct store_change *changes;
	unsigned count;				/* of both */
	uint64_t answer_timeout_ms;
	uint64_t started_ms;
	uint64_t elapsed_ms;
	uint64_t confirm_at_ms;			/* wall clock; 0: none */
	bool dissolved;				/* another one took its work; freed when the disk thread lets go */
	LIST_ENTRY(transaction) link;
};

/* Starts the transaction of a request whose app is free. Takes the request, also on failure: it is answered. */
void transaction_start(struct config *config, struct request *request);

/* Every candidate has its verdict: goes on to the offer, or ends. */
void transaction_prepared(struct transaction *t);

/* Adds a caller. Takes the request. */
void transaction_join(struct transaction *transaction, struct request *request);

/* Are these files (hash of a scope's sources) the ones that it works on? */
bool transaction_has_sources(const struct transaction *transaction, const struct scope *scope, const char *sources);

/* An instance has subscribed, or has left. */
void transaction_instance_came(struct transaction *transaction, struct instance *instance);
void transaction_instance_left(struct transaction *transaction, struct instance *instance);

/* An app that it may have waited for is free. */
void transaction_wake(struct transaction *transaction);

const char *transaction_phase_word(enum transaction_phase phase);

/* At shutdown: forgets one that is under way; callers are told. The disk thread must have ended. */
void transaction_cancel(struct transaction *transaction);

#endif
