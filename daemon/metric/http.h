/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Metrics over HTTP/1.1: /metrics, /healthz and /readyz, at a Unix socket and
 * at one TCP address.  The little of HTTP that this takes is written here and
 * not libevent's evhttp, which has no most of connections and no most of what
 * it keeps for a reader.
 */
#ifndef PRODD_METRIC_HTTP_H
#define PRODD_METRIC_HTTP_H

#include "daemon/core/loop.h"
#include "daemon/metric/sample.h"
#include "proto/buffer.h"
#include <prodd/error.h>

#define HTTP_CONNECTIONS_MAX 64		/* in all */
#define HTTP_GROUP_MAX 32		/* of one uid at the Unix socket; of all at the TCP address */
#define HTTP_REPLIES_MAX 8		/* scrapes made or being sent at a time; others wait */
#define HTTP_GROUP_REPLIES_MAX 2	/* of one group */

/* Whether prodd can serve, handed in by who knows; embedded. */
struct http_readiness {
	/* False: it cannot, and lines that say why were appended to `why`. May not block. */
	bool (*ready)(struct http_readiness *readiness, struct prodd_buffer *why);
};

struct http;

/*
 * Listens at `path` (NULL: not), 0666, by the rules of daemon/core/socket.h, and at `listen`, as "127.0.0.1:9099" or "[::1]:9099"
 * ("" or NULL: not). Borrows loop, source and readiness. -PRODD_E_IO, -PRODD_E_BUSY, -PRODD_E_INVALID: not an address;
 * -PRODD_E_NO_MEMORY.
 */
int http_new(struct http **ret, struct loop *loop, struct metric_source *source,
	     struct http_readiness *readiness, const char *path, const char *listen, struct prodd_error *e);

/* Ends all connections and removes the socket's name. NULL is allowed; returns NULL. */
struct http *http_free(struct http *http);

#endif
