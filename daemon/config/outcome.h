/* SPDX-License-Identifier: Apache-2.0 */
/* How a transaction ends: what is remembered, who is told, what happens next. */
#ifndef PRODD_CONFIG_OUTCOME_H
#define PRODD_CONFIG_OUTCOME_H

#include "daemon/config/transaction.h"

const char *outcome_word(enum transaction_outcome outcome);

/* The row of a candidate's scope as the decision makes it. 1 with *ret filled; 0 when the row stays as it is. */
unsigned outcome_row(const struct transaction *t, const struct candidate *candidate, struct store_change *ret);

/* Ends it before the decision: instances that know the candidate are told; what was rejected is remembered durably. */
void outcome_abort(struct transaction *t, enum transaction_outcome outcome);

/* Ends it: remembers, reports, frees it, and lets the apps go on. */
void outcome_end(struct transaction *t, enum transaction_outcome outcome);

/* As outcome_end() with FAILED, and the reason. */
void outcome_fail(struct transaction *t, const struct prodd_error *why);

/* Sends the reports to the callers, and frees these. */
void outcome_report(struct transaction *t);

/* Frees it, or marks it for the disk thread to let go of it first. Callers that are left are failed. */
void outcome_free(struct transaction *t);

#endif
