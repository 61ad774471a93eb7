/* SPDX-License-Identifier: Apache-2.0 */
/* --help and --version, from the tables of verbs.h. */
#ifndef PRODCTL_HELP_H
#define PRODCTL_HELP_H

#include "client/prodctl/arguments.h"
#include "client/prodctl/text.h"

/* All verbs; those of a noun; or one verb with its options. Returns 0, the exit status. */
int help_print(struct text *to, const char *noun, const struct verb *verb);

/* Version, commit, date and features of prodctl. Returns 0, the exit status. */
int help_version(struct text *to, bool json);

/* One line under a wrong command: how the verb is used, or where to look. */
void help_usage_hint(const struct arguments *a, char *ret, size_t size);

#endif
