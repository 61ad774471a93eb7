/* SPDX-License-Identifier: Apache-2.0 */
/* The first half of a transaction: read, compare, gather linked apps, parse. */
#ifndef PRODD_CONFIG_PREPARATION_H
#define PRODD_CONFIG_PREPARATION_H

#include "daemon/config/transaction.h"

int preparation_init(struct transaction *t, struct prodd_error *e);

/* Ends in transaction_prepared(), or in a failure. */
void preparation_start(struct transaction *t);

#endif
