/* SPDX-License-Identifier: Apache-2.0 */
/* Checks an app's directory without a daemon: becomes the helper program prodd-parse. */
#ifndef PRODCTL_CHECK_FILES_H
#define PRODCTL_CHECK_FILES_H

#include <stdbool.h>

#include <prodd/error.h>

/*
 * Runs prodd-parse --check in place of this process; it prints, and its exit
 * status is the command's (0, 4 invalid, 1).  It is looked for in $PRODD_LIBEXEC,
 * for a tree that is not installed, else where make install put it.
 * `environment` may be NULL.  Returns only when that fails: -PRODD_E_IO.
 */
int check_files(const char *directory, const char *environment, bool json, struct prodd_error *e);

#endif
