/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The schema that an app's code sends.  The last one counts until another
 * replaces it; one that contradicts the files makes its sender diverged and
 * does not count.
 */
#ifndef PRODD_CONFIG_DECLARED_H
#define PRODD_CONFIG_DECLARED_H

#include "daemon/config/transaction.h"

/* Adds the keys of one config.declare to what the instance declares. -PRODD_E_TOO_LARGE, -PRODD_E_USAGE, -PRODD_E_NO_MEMORY. */
int declared_collect(struct instance *instance, const struct wire_declare *declare, struct prodd_error *e);

/* Puts the instance's schema in force when it is new, and looks at the files with it. True: the instance is to wait for that. */
bool declared_try(struct config *config, struct instance *instance);

/* A transaction that looked with a new schema has ended: keeps it for good, or goes back. */
void declared_ended(struct config *config, const struct transaction *t, struct app *app);

/* The sender has left before that. */
void declared_left(struct app *app, const struct instance *instance);

#endif
