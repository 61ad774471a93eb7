/* SPDX-License-Identifier: Apache-2.0 */
/* The apps that have a spool: directories in STATE/spool with an app's name. Whatever else lies there is left
 * alone. */
#ifndef PRODD_SPOOL_APPS_H
#define PRODD_SPOOL_APPS_H

#include <stdbool.h>

#include <prodd/error.h>

#define SPOOL_APP_SIZE 128	/* longest name, with the final NUL */
#define SPOOL_APPS_MAX 4096u

/* A name as a session has it: [a-z][a-z0-9_-]{0,62}, alone or with "~" and a user's name ([A-Za-z0-9_.-], not
 * begun with a dot or a dash). */
bool spool_is_app(const char *name);

struct spool_apps {
	char (*names)[SPOOL_APP_SIZE];	/* owned; sorted */
	unsigned count;
	unsigned refused;		/* directory entries that are none, or over SPOOL_APPS_MAX */
};

/* -PRODD_E_IO, -PRODD_E_NO_MEMORY. */
int spool_apps_read(struct spool_apps *ret, int directory, struct prodd_error *e);
void spool_apps_clear(struct spool_apps *apps);

#endif
