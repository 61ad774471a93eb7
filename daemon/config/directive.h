/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Changes that come from a command or a deadline instead of files: overrides,
 * rollbacks, expiries.  They are checked when they are set up, and committed
 * without asking the instances.
 */
#ifndef PRODD_CONFIG_DIRECTIVE_H
#define PRODD_CONFIG_DIRECTIVE_H

#include "daemon/config/transaction.h"

struct directive;

/* Makes the one candidate. -PRODD_E_NOT_FOUND: no live generation, no such override; -PRODD_E_NO_MEMORY. */
int directive_prepare(struct transaction *t, const struct request *request, struct prodd_error *e);

/* Disk thread: makes the candidate's generation, or its problems; or read_result says why its base cannot be read. */
void directive_make(struct transaction *t);

/* The wish behind it. Only of a directive that was prepared. */
enum request_kind directive_kind(const struct transaction *t);

/* The generation returned to; 0: none. */
uint64_t directive_returns_to(const struct transaction *t);

void directive_clear(struct transaction *t);

#endif
