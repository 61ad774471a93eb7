/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The two listening sockets.  Modes are set before the name appears (bind in
 * the directory under a temporary name, chmod of that, rename), nothing follows a symlink, a
 * reserve descriptor keeps EMFILE from spinning.
 */
#ifndef PRODD_CORE_SERVER_H
#define PRODD_CORE_SERVER_H

#include "daemon/core/places.h"
#include "daemon/core/session.h"

struct server;

/* Listens at both sockets. A socket that another prodd answers on is -PRODD_E_BUSY with its pid; a dead one is replaced.
 * app.sock is 0666; ctl.sock 0660 root:prodd-admin (the group when it exists), 0600 in user mode and for --dir of non-root. */
int server_new(struct server **ret, struct session_host *host, const struct identity_source *source,
	       const struct places *places, struct prodd_error *e);

/* Stops to accept and removes the sockets' names; sessions stay. NULL is allowed; returns NULL. */
struct server *server_free(struct server *server);

#endif
