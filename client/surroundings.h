/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the process was started with: sockets to try, cache directory,
 * environment, variables.  Read once, by prodd_start(), since another thread of
 * the program may change environ at any later time.
 */
#ifndef PRODD_CLIENT_SURROUNDINGS_H
#define PRODD_CLIENT_SURROUNDINGS_H

#include "client/messages.h"
#include "client/settings.h"

struct prodd_surroundings {
	char *sockets[2];		/* owned; in the order of trying; [1] NULL: only one */
	char *cache;			/* owned; directory, or NULL: none */
	char *environment;		/* owned; or NULL: not set */
	struct prodd_buffer variables;	/* LIST(variable) */
	uint32_t variable_count;
	uint64_t
		fingerprint; /* of app, environment and variables: what a cached configuration was made for */
};

/* Returns 0, -PRODD_E_NO_MEMORY or -PRODD_E_TOO_LARGE (a path of a socket). Says which variables cannot be
 * sent. */
int prodd_surroundings_read(struct prodd_surroundings *s, const struct prodd_settings *settings,
			    struct prodd_messages *messages, struct prodd_error *e);
void prodd_surroundings_clear(struct prodd_surroundings *s);

#endif
