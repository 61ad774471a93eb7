/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who is connected, written down in the run directory, so that the next prodd
 * knows whom to wait for before it offers changed files.  Losing it costs a
 * wait or a vote, nothing else: it is not synced.
 */
#ifndef PRODD_CONFIG_RETURNS_H
#define PRODD_CONFIG_RETURNS_H

#include "daemon/config/config.h"

struct returns;

/* Reads what the last prodd wrote. Blocks: start-up only. */
int returns_new(struct returns **ret, struct config *config, struct prodd_error *e);
struct returns *returns_free(struct returns *returns);	/* NULL is allowed; returns NULL */

/* How many instances of the app the last prodd had. */
unsigned returns_count(const struct returns *returns, const char *app);

/* Was this one among them, and has not been taken off yet? Takes it off. */
bool returns_expected(struct returns *returns, const char *app, const char *instance);

/* Writes down who is connected now, soon. Not while the daemon ends. */
void returns_record(struct config *config);

#endif
