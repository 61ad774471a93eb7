/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who may use which app name.  Without a rule in an app: block: a process in
 * the system unit N.service or N@*.service, the user N, root, and the
 * daemon's own uid.  The overflow uid 65534 may use none.
 */
#ifndef PRODD_CONFIG_CLAIM_H
#define PRODD_CONFIG_CLAIM_H

#include "daemon/config/settings.h"
#include "daemon/core/identity.h"

/* May `who` use the name `app`? `own` is the daemon's uid. */
bool claim_allows(const struct settings *settings, const struct identity *who, uid_t own, const char *app);

/* The instance part of a unit: "8080" of "orders@8080.service"; "" when it has none. */
void claim_unit_instance(const char *unit, char *ret, size_t size);

/* The sentence for status: how to allow a claim that was separated. */
void claim_advice(const struct identity *who, const char *app, char *ret, size_t size);

#endif
