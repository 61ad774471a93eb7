/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who is let in, and whose scrape goes on.  When all places are taken, the
 * connection that has been idle longest makes room; a group (a uid, or all of
 * TCP) can hold neither all connections nor all replies.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "daemon/core/counters.h"
#include "daemon/core/socket.h"
#include "daemon/metric/http_parts.h"
#include "daemon/util/container.h"
#include "daemon/util/file.h"
#include "daemon/util/log.h"

enum {
	backlog = 1024,		/* connections that wait; the kernel's somaxconn may be lower */
	accepts_max = 64,	/* in one turn */
	port_max = 65535,
	rest_ms = 50,		/* without descriptors */
};

/* ---- places */

static unsigned connections_of(const struct http *http, uid_t group, unsigned *ret_all)
{
	struct connection *c;
	unsigned count = 0;

	*ret_all = 0;
	TAILQ_FOREACH(c, &http->connections, link) {
		count += c->group == group;
		++*ret_all;
	}
	return count;
}

/* Does it hold a reply? Short ones count too: one that does not read them has them for long. */
static bool holds_reply(const struct connection *c)
{
	return c->state == CONNECTION_MAKING || c->state == CONNECTION_SENDING;
}

bool http_has_place(const struct http *http, uid_t group)
{
	unsigned all = 0, own = 0;
	struct connection *c;

	TAILQ_FOREACH(c, &http->connections, link) {
		all += holds_reply(c);
		own += holds_reply(c) && c->group == group;
	}
	return all < HTTP_REPLIES_MAX && own < HTTP_GROUP_REPLIES_MAX;
}

void http_give_place(struct http *http)
{
	struct connection *c, *first;

	do {
		first = NULL;
		TAILQ_FOREACH(c, &http->connections, link)
			if (c->state == CONNECTION_WAITING && (!first || c->since_ms < first->since_ms) &&
			    http_has_place(http, c->group))
				first = c;
		if (first)
			connection_make(first);
	} while (first);
}

/* The one of the group (of all: HTTP_GROUP_TCP and `any`) that has been between requests longest. */
static struct connection *idlest(const struct http *http, uid_t group, bool any)
{
	struct connection *c, *ret = NULL;

	TAILQ_FOREACH(c, &http->connections, link)
		if (c->state == CONNECTION_READING && (any || c->group == group) && (!ret || c->since_ms < ret->since_ms))
			ret = c;
	return ret;
}

static bool make_room(struct http *http, uid_t group)
{
	struct connection *idle;
	unsigned all, own = connections_of(http, group, &all);

	if (own < HTTP_GROUP_MAX && all < HTTP_CONNECTIONS_MAX)
		return true;
	idle = idlest(http, group, own < HTTP_GROUP_MAX);
	counters.http_refused++;
	if (!idle)
		return false;
	connection_free(idle);
	return true;
}

/* ---- accepting */

static uid_t group_of(const struct http_listener *listener, int fd)
{
	struct ucred cred = { .uid = HTTP_GROUP_TCP };
	socklen_t size = sizeof cred;

	if (listener->unix_socket)
		getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &size);
	return cred.uid;
}

static void rest(struct http *http)
{
	counters.accept_no_descriptor++;
	if (http->local.fd >= 0)
		event_del(&http->local.event);
	if (http->tcp.fd >= 0)
		event_del(&http->tcp.event);
	loop_timer_arm(&http->rested, rest_ms);
}

static void rested(struct loop_timer *timer)
{
	struct http *http = container_of(timer, struct http, rested);

	if ((http->local.fd >= 0 && event_add(&http->local.event, NULL) < 0) ||
	    (http->tcp.fd >= 0 && event_add(&http->tcp.event, NULL) < 0))
		rest(http);
}

/* False: enough for now. */
static bool accept_one(struct http_listener *listener)
{
	int fd = accept4(listener->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	uid_t group;

	if (fd < 0) {
		if (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS)
			rest(listener->http);
		return errno == EINTR || errno == ECONNABORTED;
	}
	group = group_of(listener, fd);
	if (make_room(listener->http, group))
		connection_new(listener->http, fd, group);
	else
		close(fd);
	return true;
}

static void may_accept(evutil_socket_t fd, short what, void *arg)
{
	struct http_listener *listener = arg;

	(void)fd;
	(void)what;
	loop_enter(listener->http->loop);
	for (int i = 0; i < accepts_max && accept_one(listener); i++)
		;
}

/* ---- listening */

static int not_an_address(const char *listen, struct prodd_error *e)
{
	return prodd_error_set(e, PRODD_E_INVALID,
			       "metrics.listen: \"%s\" is no address and port as \"127.0.0.1:9099\" or \"[::1]:9099\"", listen);
}

/* getaddrinfo(3) would take 99999 for 34463. */
static bool is_port(const char *text)
{
	char *end;
	unsigned long port = strtoul(text, &end, 10);

	return *text >= '0' && *text <= '9' && !*end && port > 0 && port <= port_max;
}

/* Cuts "[::1]:9099" into its parts. */
static int split(const char *listen, char *host, size_t host_size, const char **ret_port, struct prodd_error *e)
{
	const char *colon = strrchr(listen, ':'), *begin = listen, *end = colon;

	if (!colon || colon == listen || !colon[1])
		return not_an_address(listen, e);
	if (*listen == '[' && colon[-1] == ']') {
		begin = listen + 1;
		end = colon - 1;
	} else if (memchr(listen, ':', (size_t)(colon - listen))) {
		return not_an_address(listen, e);
	}
	if (!is_port(colon + 1))
		return not_an_address(listen, e);
	if ((size_t)snprintf(host, host_size, "%.*s", (int)(end - begin), begin) >= host_size)
		return not_an_address(listen, e);
	*ret_port = colon + 1;
	return 0;
}

static int listen_tcp(const char *where, int *ret, struct prodd_error *e)
{
	const struct addrinfo hints = { .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM,
					.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE };
	struct addrinfo *info;
	char host[256];
	const char *port = NULL;
	auto_fd fd = -1;
	int on = 1, r = split(where, host, sizeof host, &port, e);

	if (r < 0)
		return r;
	if (getaddrinfo(host, port, &hints, &info) != 0)
		return not_an_address(where, e);
	fd = socket(info->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd >= 0)
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
	r = fd < 0 || bind(fd, info->ai_addr, info->ai_addrlen) < 0 || listen(fd, backlog) < 0 ? -errno : 0;
	freeaddrinfo(info);
	if (r < 0)
		return prodd_error_set(e, r == -EADDRINUSE ? PRODD_E_BUSY : PRODD_E_IO, "metrics.listen: %s: %s", where,
				       strerror(-r));
	*ret = fd;
	fd = -1;	/* given to the listener */
	return 0;
}

static int begin_accepting(struct http_listener *listener, struct prodd_error *e)
{
	event_assign(&listener->event, listener->http->loop->base, listener->fd, EV_READ | EV_PERSIST, may_accept, listener);
	return event_add(&listener->event, NULL) < 0 ? prodd_error_set(e, PRODD_E_NO_MEMORY, "a socket for metrics") : 0;
}

static int set_up(struct http *http, const char *path, const char *listen, struct prodd_error *e)
{
	const struct socket_access access = { .mode = 0666 };
	int r = turns_init(&http->turns, http->loop, e);

	if (r == 0)
		r = loop_timer_init(&http->rested, http->loop, rested, e);
	if (r == 0 && path)
		r = socket_listen(path, &access, backlog, &http->local.fd, e);
	if (r == 0 && path) {
		strcpy(http->path, path);
		r = begin_accepting(&http->local, e);
	}
	if (r == 0 && listen && *listen)
		r = listen_tcp(listen, &http->tcp.fd, e);
	if (r == 0 && http->tcp.fd >= 0) {
		log_notice("metrics at http://%s/metrics", listen);
		r = begin_accepting(&http->tcp, e);
	}
	return r;
}

int http_new(struct http **ret, struct loop *loop, struct metric_source *source,
	     struct http_readiness *readiness, const char *path, const char *listen, struct prodd_error *e)
{
	struct http *http = calloc(1, sizeof *http);
	int r;

	if (!http)
		return prodd_error_set(e, PRODD_E_NO_MEMORY, "sockets for metrics");
	http->loop = loop;
	http->source = source;
	http->readiness = readiness;
	http->local = (struct http_listener){ .http = http, .fd = -1, .unix_socket = true };
	http->tcp = (struct http_listener){ .http = http, .fd = -1 };
	TAILQ_INIT(&http->connections);
	r = set_up(http, path, listen, e);
	if (r < 0)
		http_free(http);
	else
		*ret = http;
	return r;
}

static void listener_clear(struct http_listener *listener)
{
	if (listener->fd >= 0 && event_initialized(&listener->event))
		event_del(&listener->event);
	file_close(&listener->fd);
}

struct http *http_free(struct http *http)
{
	struct connection *c;

	if (!http)
		return NULL;
	while ((c = TAILQ_FIRST(&http->connections)) != NULL)
		connection_free(c);
	listener_clear(&http->local);
	listener_clear(&http->tcp);
	if (http->path[0])
		unlink(http->path);
	loop_timer_clear(&http->rested);
	turns_clear(&http->turns);
	free(http);
	return NULL;
}
