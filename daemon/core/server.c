/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Accepting is bounded in each turn, and who has too many sessions is refused
 * before anything else is asked about it.  When no descriptor is left, a
 * reserve one is given up to turn away who waits, and the listeners rest: a
 * listener that cannot accept would spin.
 */
#define _GNU_SOURCE
#include "daemon/core/server.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "daemon/core/counters.h"
#include "daemon/core/socket.h"
#include "daemon/util/clock.h"
#include "daemon/util/container.h"
#include "daemon/util/file.h"
#include "daemon/util/log.h"

enum {
	backlog = 4096,		/* connections that wait; the kernel's somaxconn may be lower */
	accepts_max = 64,	/* in one turn */
	accepts_us = 1000,	/* time for them */
	rest_ms = 50,		/* without descriptors */
	kept_free = 64,		/* descriptors for files, helpers, the loop */
	per_session = 4,	/* socket and pidfd, and as many for what it shares (mapping.c) */
};

struct listener {
	struct server *server;	/* borrowed */
	int fd;			/* owned; -1: none */
	struct event *event;	/* owned */
	bool is_operator;
	char path[PLACES_SOCKET_MAX + 1];	/* empty: no name to remove */
};

struct server {
	struct session_host *host;		/* borrowed */
	const struct identity_source *source;	/* borrowed */
	struct listener app;
	struct listener ctl;
	int reserve;				/* owned; -1: given up */
	struct loop_timer rested;
};

/* ---- accepting */

static void take_reserve(struct server *server)
{
	if (server->reserve < 0)
		server->reserve = open("/dev/null", O_RDONLY | O_CLOEXEC);
}

static void rest(struct server *server)
{
	event_del(server->app.event);
	event_del(server->ctl.event);
	loop_timer_arm(&server->rested, rest_ms);
}

static void rested(struct loop_timer *timer)
{
	struct server *server = container_of(timer, struct server, rested);

	take_reserve(server);
	if (event_add(server->app.event, NULL) < 0 || event_add(server->ctl.event, NULL) < 0)
		rest(server);
}

/* Those who wait are turned away, so that they do not hang. */
static void turn_away(struct listener *listener)
{
	struct server *server = listener->server;

	counters.accept_no_descriptor++;
	file_close(&server->reserve);
	for (int i = 0; i < accepts_max; i++) {
		auto_fd fd = accept4(listener->fd, NULL, NULL, SOCK_CLOEXEC);

		if (fd < 0)
			break;
		counters.connections_accepted++;
		counters.connections_closed++;
	}
	take_reserve(server);
	rest(server);
}

static void begin_session(struct listener *listener, int fd)
{
	struct server *server = listener->server;
	struct identity who = { .pidfd = -1 };
	struct prodd_error e;

	counters.connections_accepted++;
	if (server->source->peercred(fd, &who) < 0 || session_refuse(server->host, who.uid)) {
		counters.connections_closed++;
		close(fd);
		return;
	}
	if (identity_read(fd, server->source, &who, &e) < 0) {
		counters.connections_closed++;
		close(fd);
	} else if (session_new(server->host, fd, &who, listener->is_operator, &e) == 0) {
		return;
	}
	log_debug("a connection was closed at once: %s", e.text);
}

/* False: enough for now. */
static bool accept_one(struct listener *listener)
{
	int fd = accept4(listener->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

	if (fd >= 0) {
		begin_session(listener, fd);
		return true;
	}
	if (errno == EINTR || errno == ECONNABORTED)
		return true;
	if (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS)
		turn_away(listener);
	return false;
}

static void may_accept(evutil_socket_t fd, short what, void *arg)
{
	struct listener *listener = arg;
	uint64_t end_us = clock_monotonic_us() + accepts_us;

	(void)fd;
	(void)what;
	loop_enter(listener->server->host->loop);
	for (int i = 0; i < accepts_max && accept_one(listener); i++)
		if (clock_monotonic_us() >= end_us)
			break;
}

/* ---- listening */

static int open_socket(struct listener *listener, const char *path, const struct places *places,
		       struct prodd_error *e)
{
	bool by_group = listener->is_operator && places->mode != PLACES_USER &&
			(geteuid() == 0 || places->mode == PLACES_SYSTEM);
	struct socket_access access = {
		.mode = !listener->is_operator ? 0666 : by_group ? 0660 : 0600,
		.group = by_group ? SERVER_OPERATORS : NULL,
	};
	int r = socket_listen(path, &access, backlog, &listener->fd, e);

	if (r == 0)
		strcpy(listener->path, path);
	return r;
}

static int listener_init(struct listener *listener, struct server *server, const char *path, bool is_operator,
			 const struct places *places, struct prodd_error *e)
{
	int r;

	listener->server = server;
	listener->is_operator = is_operator;
	r = open_socket(listener, path, places, e);
	if (r < 0)
		return r;
	listener->event = event_new(server->host->loop->base, listener->fd, EV_READ | EV_PERSIST, may_accept, listener);
	if (!listener->event || event_add(listener->event, NULL) < 0)
		return prodd_error_set(e, PRODD_E_NO_MEMORY, "%s", path);
	return 0;
}

static void listener_clear(struct listener *listener)
{
	if (listener->event)
		event_free(listener->event);
	file_close(&listener->fd);
	if (listener->path[0])
		unlink(listener->path);
}

/* ---- lifecycle */

/* As many sessions as there are descriptors for, and no more than configured. */
static void fit_to_descriptors(struct accounts *accounts)
{
	struct rlimit limit;
	rlim_t sessions;
	unsigned most = accounts->limits.sessions ? accounts->limits.sessions : ACCOUNTS_SESSIONS_MAX;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return;
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
	getrlimit(RLIMIT_NOFILE, &limit);
	sessions = limit.rlim_cur > kept_free + per_session ? (limit.rlim_cur - kept_free) / per_session : 1;
	if (sessions < most) {
		log_notice("at most %u sessions, because of the limit of %llu open files", (unsigned)sessions,
			   (unsigned long long)limit.rlim_cur);
		most = (unsigned)sessions;
	}
	accounts->limits.sessions = most;
}

int server_new(struct server **ret, struct session_host *host, const struct identity_source *source,
	       const struct places *places, struct prodd_error *e)
{
	struct server *server = calloc(1, sizeof *server);
	int r;

	if (!server)
		return prodd_error_set(e, PRODD_E_NO_MEMORY, "listening sockets");
	server->host = host;
	server->source = source;
	server->app.fd = server->ctl.fd = server->reserve = -1;
	fit_to_descriptors(host->accounts);
	r = loop_timer_init(&server->rested, host->loop, rested, e);
	if (r == 0)
		r = listener_init(&server->ctl, server, places->ctl_socket, true, places, e);
	if (r == 0)
		r = listener_init(&server->app, server, places->app_socket, false, places, e);
	take_reserve(server);
	if (r < 0)
		server_free(server);
	else
		*ret = server;
	return r;
}

struct server *server_free(struct server *server)
{
	if (!server)
		return NULL;
	listener_clear(&server->app);
	listener_clear(&server->ctl);
	loop_timer_clear(&server->rested);
	file_close(&server->reserve);
	free(server);
	return NULL;
}
