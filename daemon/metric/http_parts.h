/* SPDX-License-Identifier: Apache-2.0 */
/* What the parts of the HTTP server know of one another: http.c lets in and shares out, connection.c serves one. */
#ifndef PRODD_METRIC_HTTP_PARTS_H
#define PRODD_METRIC_HTTP_PARTS_H

#include <sys/queue.h>
#include <sys/types.h>

#include "daemon/core/turns.h"
#include "daemon/metric/http.h"
#include "daemon/metric/request.h"
#include "daemon/metric/scrape.h"

#define HTTP_GROUP_TCP ((uid_t)-1)

enum connection_state {
	CONNECTION_READING,	/* between requests, or in one's head */
	CONNECTION_WAITING,	/* for a place among the scrapes */
	CONNECTION_MAKING,	/* the reply */
	CONNECTION_SENDING,	/* the reply */
};

struct connection {
	struct http *http;		/* borrowed */
	int fd;				/* owned */
	uid_t group;			/* uid of the peer; HTTP_GROUP_TCP */
	enum connection_state state;
	uint64_t since_ms;		/* in this state */
	struct event readable;
	struct event writable;
	struct loop_timer deadline;	/* of the state */
	struct turn turn;		/* for slices of the scrape */
	struct turn_queue queue;
	struct request request;
	bool keep;			/* after this reply */
	struct scrape scrape;
	struct prodd_buffer head;	/* of the reply, and the body of a short one */
	size_t sent;			/* of head and the scrape's body */
	size_t in_size;
	char in[REQUEST_HEAD_MAX];
	TAILQ_ENTRY(connection) link;	/* in http->connections, oldest first */
};

TAILQ_HEAD(connection_list, connection);

struct http_listener {
	struct http *http;		/* borrowed */
	int fd;				/* owned; -1: none */
	bool unix_socket;
	struct event event;
};

struct http {
	struct loop *loop;		/* borrowed, as the next two */
	struct metric_source *source;
	struct http_readiness *readiness;
	struct turns turns;
	struct http_listener local;
	struct http_listener tcp;
	struct loop_timer rested;	/* accepts again, after it had no descriptor left */
	struct connection_list connections;
	char path[108];			/* name to remove; empty: none */
};

/* Takes fd. Not made: closed. */
void connection_new(struct http *http, int fd, uid_t group);
void connection_free(struct connection *c);

/* A scrape that waited has its place now. */
void connection_make(struct connection *c);

/* Is there a place for another scrape of this group? */
bool http_has_place(const struct http *http, uid_t group);

/* A place is free: whoever has waited longest and may, goes on. */
void http_give_place(struct http *http);

#endif
