/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The schema that an app's code sends.  The last one counts until another
 * replaces it; one that contradicts the files makes its sender diverged and
 * does not count.  Files that are invalid without it are not its sender's
 * fault: it is tried when they are mended.
 */
#ifndef PRODD_CONFIG_DECLARED_H
#define PRODD_CONFIG_DECLARED_H

#include "daemon/config/transaction.h"

/* Adds the keys of one config.declare to what the instance declares. -PRODD_E_TOO_LARGE, -PRODD_E_USAGE, -PRODD_E_NO_MEMORY. */
int declared_collect(struct instance *instance, const struct wire_declare *declare, struct prodd_error *e);

/* Puts the instance's schema in force when it is new, and looks at the files with it. True: the instance is to wait for that. */
bool declared_try(struct config *config, struct instance *instance);

/* Is the instance to wait, because its schema is being tried, or is the next one? */
bool declared_pending(const struct instance *instance);

/* A transaction has ended: if it looked with a new schema, that is kept for good, or the one before comes back. */
void declared_ended(struct config *config, const struct transaction *t, struct app *app);

/* The try that was asked for could not begin, for want of memory. */
void declared_failed(struct app *app);

/* The next schema is tried, if one waits. */
void declared_next(struct config *config, struct app *app);

/* The sender has left before that. */
void declared_left(struct app *app, const struct instance *instance);

#endif
