/* SPDX-License-Identifier: Apache-2.0 */
/* The daemon as a whole: puts the parts together, runs them, takes them apart in order. */
#ifndef PRODD_DAEMON_H
#define PRODD_DAEMON_H

#include <prodd/error.h>

struct daemon;

/* `directory`: of --dir, or NULL. Reads prodd.conf. -PRODD_E_INVALID, and what is wrong is on stderr; others as *e says. */
int daemon_new(struct daemon **ret, const char *directory, struct prodd_error *e);

/* Serves until SIGTERM or SIGINT. */
int daemon_run(struct daemon *daemon, struct prodd_error *e);

/* Checks prodd.conf and every app's files, prints what is wrong. Returns 0 or -PRODD_E_INVALID and others. */
int daemon_check(const char *directory, struct prodd_error *e);

/* NULL is allowed; returns NULL. */
struct daemon *daemon_free(struct daemon *daemon);

#endif
