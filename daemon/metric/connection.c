/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One connection: a request is read whole, its reply is made whole, and sent;
 * only then is the next one looked at.  Every state has a deadline, and
 * whoever passes it is cut off.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "daemon/core/counters.h"
#include "daemon/metric/http_parts.h"
#include "daemon/util/clock.h"
#include "daemon/util/container.h"

enum {
	idle_ms = 5 * 60 * 1000,	/* between requests, as Prometheus keeps its own */
	head_ms = 10 * 1000,		/* for a request, once it has begun */
	wait_ms = 10 * 1000,		/* for a place */
	make_ms = 30 * 1000,		/* for a reply */
	send_ms = 15 * 1000,		/* for all of it */
	send_bytes = 256 * 1024,	/* at a time */
	drain_max = 16,			/* reads of what nobody wants */
	text_max = 512,			/* of a reply's head */
};

static void enter(struct connection *c, enum connection_state state, uint64_t deadline_ms)
{
	c->state = state;
	c->since_ms = clock_monotonic_ms();
	loop_timer_arm(&c->deadline, deadline_ms);
}

void connection_free(struct connection *c)
{
	struct http *http = c->http;

	TAILQ_REMOVE(&http->connections, c, link);
	event_del(&c->readable);
	event_del(&c->writable);
	loop_timer_clear(&c->deadline);
	turns_cancel(&http->turns, &c->turn);
	scrape_clear(&c->scrape);
	prodd_buffer_clear(&c->head);
	close(c->fd);
	free(c);
	counters.http_closed++;
}

/* Ends it, and lets another have its place. */
static void end(struct connection *c)
{
	struct http *http = c->http;

	connection_free(c);
	http_give_place(http);
}

/* ---- sending */

static void read_on(struct connection *c);

/* What was sent to us and not read would make the kernel reset the connection, and the reply with it. */
static void drain(struct connection *c)
{
	shutdown(c->fd, SHUT_WR);
	for (int i = 0; i < drain_max && recv(c->fd, c->in, sizeof c->in, MSG_DONTWAIT) > 0; i++)
		;
}

static void reply_sent(struct connection *c)
{
	scrape_clear(&c->scrape);
	prodd_buffer_clear(&c->head);
	c->sent = 0;
	if (!c->keep) {
		drain(c);
		end(c);
		return;
	}
	http_give_place(c->http);
	read_on(c);
}

static size_t unsent(const struct connection *c)
{
	return c->head.size + c->scrape.body.size - c->sent;
}

/* What is to be sent next, at most send_bytes. */
static ssize_t send_some(struct connection *c)
{
	size_t head = c->sent < c->head.size ? c->head.size - c->sent : 0;
	size_t body_at = c->sent - (c->head.size - head);
	size_t body = c->scrape.body.size - body_at;
	struct iovec parts[2] = {
		{ c->head.at + c->sent, head },
		{ c->scrape.body.at + body_at, body < send_bytes ? body : send_bytes },
	};
	struct msghdr message = { .msg_iov = head ? parts : parts + 1, .msg_iovlen = head ? 2 : 1 };

	return sendmsg(c->fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
}

static void send_on(struct connection *c)
{
	ssize_t n = unsent(c) > 0 ? send_some(c) : 0;

	if (n > 0)
		c->sent += (size_t)n;
	if (unsent(c) == 0) {
		reply_sent(c);
		return;
	}
	if ((n < 0 && errno != EAGAIN && errno != EINTR) || event_add(&c->writable, NULL) < 0)
		end(c);
}

static void may_write(evutil_socket_t fd, short what, void *arg)
{
	struct connection *c = arg;

	(void)fd;
	(void)what;
	loop_enter(c->http->loop);
	send_on(c);
}

/* ---- replies */

static const char *words_of(int status)
{
	switch (status) {
	case 200: return "OK";
	case 400: return "Bad Request";
	case 404: return "Not Found";
	case 405: return "Method Not Allowed";
	case 413: return "Content Too Large";
	case 431: return "Request Header Fields Too Large";
	case 505: return "HTTP Version Not Supported";
	default: return "Service Unavailable";
	}
}

/* The reply's head. `more`: further header lines. `length`: of the body, as GET would have it; -1: not known. */
static void put_head(struct connection *c, int status, const char *type, long long length, const char *more)
{
	char text[text_max], date[64] = "", size[48] = "";
	time_t now = (time_t)(clock_wall_ms() / 1000);
	struct tm tm;
	int n;

	strftime(date, sizeof date, "%a, %d %b %Y %H:%M:%S GMT", gmtime_r(&now, &tm));
	if (length >= 0)
		snprintf(size, sizeof size, "Content-Length: %lld\r\n", length);
	n = snprintf(text, sizeof text, "HTTP/1.1 %d %s\r\nDate: %s\r\nContent-Type: %s\r\n%s%sConnection: %s\r\n\r\n", status,
		     words_of(status), date, type, size, more, c->keep ? "keep-alive" : "close");
	prodd_buffer_append(&c->head, text, (size_t)n);
}

static void begin_sending(struct connection *c)
{
	enter(c, CONNECTION_SENDING, send_ms);
	if (c->head.failed)
		end(c);
	else
		send_on(c);
}

static void reply_text(struct connection *c, int status, struct prodd_slice text, const char *more)
{
	put_head(c, status, "text/plain; charset=utf-8", (long long)text.size, more);
	if (c->request.method != REQUEST_HEAD)
		prodd_buffer_append(&c->head, text.at, text.size);
	begin_sending(c);
}

static void reply_error(struct connection *c, int status, const char *text)
{
	counters.http_requests_refused++;
	reply_text(c, status, prodd_slice(text), status == 405 ? "Allow: GET, HEAD\r\n" : "");
}

static const char varies[] = "Vary: Accept, Accept-Encoding\r\n";

static enum text_format format_of(const struct connection *c)
{
	return c->request.openmetrics ? TEXT_OPENMETRICS : TEXT_PROMETHEUS;
}

static void scrape_failed(struct connection *c)
{
	counters.scrapes_failed++;
	scrape_clear(&c->scrape);
	reply_error(c, 503, "There are more metrics than fit into memory, or into a reply.\n");
}

static void scrape_made(struct connection *c)
{
	char more[128];

	counters.scrapes++;
	counters.scrape_bytes += c->scrape.body.size;
	snprintf(more, sizeof more, "%s%s", varies, c->scrape.gzip ? "Content-Encoding: gzip\r\n" : "");
	put_head(c, 200, text_type(format_of(c)), (long long)c->scrape.body.size, more);
	begin_sending(c);
}

/* A slice of the scrape. */
static void make_on(struct turn *turn)
{
	struct connection *c = container_of(turn, struct connection, turn);
	int r = scrape_step(&c->scrape);

	if (r > 0)
		turns_wish(&c->http->turns, &c->turn);
	else if (r == 0)
		scrape_made(c);
	else
		scrape_failed(c);
}

void connection_make(struct connection *c)
{
	struct prodd_error e;

	enter(c, CONNECTION_MAKING, make_ms);
	if (scrape_begin(&c->scrape, c->http->source, format_of(c), c->request.gzip, &e) < 0)
		scrape_failed(c);
	else
		turns_wish(&c->http->turns, &c->turn);
}

static void reply_metrics(struct connection *c)
{
	if (c->request.method == REQUEST_HEAD) {
		put_head(c, 200, text_type(format_of(c)), -1, varies);
		begin_sending(c);
		return;
	}
	enter(c, CONNECTION_WAITING, wait_ms);
	http_give_place(c->http);
}

static void reply_ready(struct connection *c)
{
	prodd_auto_buffer why = { .limit = 4096 };

	if (c->http->readiness->ready(c->http->readiness, &why))
		reply_text(c, 200, prodd_slice("ready\n"), "");
	else
		reply_text(c, 503, prodd_buffer_slice(&why), "");
}

static void reply(struct connection *c)
{
	const struct request *r = &c->request;

	if (r->method == REQUEST_OTHER)
		reply_error(c, 405, "Only GET and HEAD.\n");
	else if (prodd_slice_is(r->path, "/metrics"))
		reply_metrics(c);
	else if (prodd_slice_is(r->path, "/healthz"))
		reply_text(c, 200, prodd_slice("alive\n"), "");
	else if (prodd_slice_is(r->path, "/readyz"))
		reply_ready(c);
	else
		reply_error(c, 404, "Here are /metrics, /healthz and /readyz.\n");
}

/* ---- reading */

/* Looks at what has come. False: more is needed. */
static bool take_request(struct connection *c)
{
	int r = request_parse((struct prodd_slice){ c->in, c->in_size }, &c->request);
	static const char *const hints[] = { "It brings a body.\n", "The request is damaged, too long or of another version.\n" };

	if (r == 0)
		return false;
	event_del(&c->readable);	/* until this one is answered */
	c->keep = r > 0 && c->request.keep_alive;
	if (r > 0) {
		reply(c);
		return true;
	}
	c->in_size = 0;
	reply_error(c, -r, hints[r != -413]);
	return true;
}

/* The head of the request that was answered goes; what came behind it is looked at as the next one. */
static void read_on(struct connection *c)
{
	int used = request_parse((struct prodd_slice){ c->in, c->in_size }, &c->request);

	c->in_size -= (size_t)used;
	memmove(c->in, c->in + used, c->in_size);
	enter(c, CONNECTION_READING, c->in_size > 0 ? head_ms : idle_ms);
	if (event_add(&c->readable, NULL) < 0)
		end(c);
	else if (c->in_size > 0)
		event_active(&c->readable, EV_READ, 0);	/* not from here: a row of requests must not be a recursion */
}

static void may_read(evutil_socket_t fd, short what, void *arg)
{
	struct connection *c = arg;
	ssize_t n;

	(void)what;
	loop_enter(c->http->loop);
	n = recv(fd, c->in + c->in_size, sizeof c->in - c->in_size, MSG_DONTWAIT);
	if (n > 0 && c->in_size == 0)
		enter(c, CONNECTION_READING, head_ms);
	if (n > 0)
		c->in_size += (size_t)n;
	if (c->in_size > 0 && take_request(c))
		return;
	if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
		end(c);
}

/* ---- lifecycle */

static void passed(struct loop_timer *timer)
{
	struct connection *c = container_of(timer, struct connection, deadline);

	if (c->state == CONNECTION_WAITING) {
		c->keep = false;
		reply_error(c, 503, "Too many scrapes at a time.\n");
		return;
	}
	if (c->state != CONNECTION_READING || c->in_size > 0)
		counters.http_readers_cut++;
	end(c);
}

void connection_new(struct http *http, int fd, uid_t group)
{
	struct connection *c = calloc(1, sizeof *c);
	struct prodd_error e;

	counters.http_accepted++;
	if (!c) {
		counters.http_closed++;
		close(fd);
		return;
	}
	c->http = http;
	c->fd = fd;
	c->group = group;
	c->turn = (struct turn){ .run = make_on, .queue = &c->queue };
	TAILQ_INSERT_TAIL(&http->connections, c, link);
	event_assign(&c->readable, http->loop->base, fd, EV_READ | EV_PERSIST, may_read, c);
	event_assign(&c->writable, http->loop->base, fd, EV_WRITE, may_write, c);
	if (loop_timer_init(&c->deadline, http->loop, passed, &e) < 0 || event_add(&c->readable, NULL) < 0) {
		connection_free(c);
		return;
	}
	enter(c, CONNECTION_READING, head_ms);
}
