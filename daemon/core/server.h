/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The two listening sockets that speak prodd's wire, and who is let in.
 */
#ifndef PRODD_CORE_SERVER_H
#define PRODD_CORE_SERVER_H

#include "daemon/core/places.h"
#include "daemon/core/session.h"

#define SERVER_OPERATORS "prodd-admin"	/* group of ctl.sock */

struct server;

/*
 * Listens at both sockets. A socket that somebody listens on is -PRODD_E_BUSY with the pid; a dead one is replaced.
 * app.sock is 0666; ctl.sock 0660 root:prodd-admin (the group when it exists), 0600 in user mode and for --dir of
 * non-root.
 *
 * Raises RLIMIT_NOFILE to its most and lowers host->accounts->limits.sessions to what the descriptors allow.
 */
int server_new(struct server **ret, struct session_host *host, const struct identity_source *source,
	       const struct places *places, struct prodd_error *e);

/* Stops to accept and removes the sockets' names; sessions stay. NULL is allowed; returns NULL. */
struct server *server_free(struct server *server);

#endif
