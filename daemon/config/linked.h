/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Apps whose layers resolve to one real file are linked by it: when it
 * changes, they change together or not at all.
 */
#ifndef PRODD_CONFIG_LINKED_H
#define PRODD_CONFIG_LINKED_H

#include "daemon/config/transaction.h"

/* Makes a candidate of each active scope of a free app, or of one that runs already in `t`. */
int linked_add_app(struct transaction *t, struct app *app, struct prodd_error *e);

enum linked_result {
	LINKED_NONE,		/* all linked apps are in */
	LINKED_MORE,		/* some came in: their files are to be read */
	LINKED_BUSY,		/* one has a transaction that has asked its instances already: transaction_wake() tells */
};

/* Looks for apps that share a file which the transaction's candidates change. */
enum linked_result linked_gather(struct transaction *t);

#endif
