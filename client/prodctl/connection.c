/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One frame is looked at before the next is read; nothing is queued.  A long
 * wait is cut short by pings: a daemon that lives answers them at any time.
 */
#include "config.h"

#include "client/prodctl/connection.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "client/prodctl/interrupt.h"
#include "client/prodctl/json.h"
#include "client/prodctl/moment.h"
#include "proto/codec.h"
#include "proto/limits.h"

/* Silence after which the daemon is asked whether it lives, and after which it is given up. */
enum { ping_after_ms = 2000, give_up_ms = 6000 };

#define CLIENT "prodctl " PACKAGE_VERSION

static int interrupted(struct prodd_error *e)
{
	return prodd_error_set(e, PRODD_E_FAILED, "interrupted");
}

static int silent(struct connection *c, const char *what, struct prodd_error *e)
{
	return prodd_error_set(e, PRODD_E_TIMEOUT, "prodd at %s does not %s", c->place.path, what);
}

static int gone(struct connection *c, const char *why, struct prodd_error *e)
{
	if (*c->farewell)
		why = c->farewell;
	return prodd_error_set(e, PRODD_E_CLOSED, "prodd at %s closed the connection%s%s", c->place.path,
			       *why ? ": " : "", why);
}

/* What does not follow the protocol is the peer's fault, whatever the codec would call it in a request. */
static int misunderstood(struct connection *c, struct prodd_error *e)
{
	int code = e->code == PRODD_E_NO_MEMORY ? PRODD_E_NO_MEMORY : PRODD_E_PROTOCOL;
	char text[PRODD_ERROR_TEXT_MAX];

	memcpy(text, e->text, sizeof text);
	return prodd_error_set(e, code, "%s does not speak prodd's protocol: %s", c->place.path, text);
}

/* ---- bytes */

static int send_all(struct connection *c, struct prodd_slice bytes, int64_t deadline_ms,
		    struct prodd_error *e)
{
	while (bytes.size > 0) {
		ssize_t n = send(c->fd, bytes.at, bytes.size, MSG_NOSIGNAL);
		int ready;

		if (n >= 0) {
			bytes.at += n;
			bytes.size -= (size_t)n;
			continue;
		}
		if (errno != EAGAIN && errno != EINTR)
			return gone(c, errno == EPIPE ? "" : strerror(errno), e);
		ready = interrupt_poll(c->fd, POLLOUT, deadline_ms);
		if (ready <= 0)
			return ready < 0 ? interrupted(e) : silent(c, "read", e);
	}
	return 0;
}

/* Waits until bytes can be read. Returns 1, 0 at the deadline, or an error. */
static int receive(struct connection *c, int64_t deadline_ms, struct prodd_error *e)
{
	ssize_t n;
	int ready;

	do {
		ready = interrupt_poll(c->fd, POLLIN, deadline_ms);
		if (ready <= 0)
			return ready < 0 ? interrupted(e) : 0;
		n = recv(c->fd, c->chunk, sizeof c->chunk, 0);
	} while (n < 0 && (errno == EAGAIN || errno == EINTR));
	if (n == 0 || (n < 0 && errno == ECONNRESET))
		return gone(c, prodd_deframer_held(&c->deframer) ? "in the middle of a message" : "", e);
	if (n < 0)
		return gone(c, strerror(errno), e);
	c->unread = (struct prodd_slice){ c->chunk, (size_t)n };
	c->heard_ms = moment_monotonic_ms();
	return 1;
}

/* The next message. Returns 1, 0 at the deadline, or an error. */
static int next_message(struct connection *c, struct prodd_message *ret, int64_t deadline_ms,
			struct prodd_error *e)
{
	struct prodd_slice frame = { 0 };
	int r;

	while ((r = prodd_deframe(&c->deframer, &c->unread, &frame, e)) == 0) {
		r = receive(c, deadline_ms, e);
		if (r <= 0)
			return r;
	}
	if (r > 0)
		r = prodd_message_open(frame, &prodd_check_reply, ret, e);
	return r < 0 ? misunderstood(c, e) : 1;
}

/* ---- messages */

/* Decodes each element of each list, down to the last: what was not looked at may be anything. */
static int check_lists(const struct wire_record *type, const void *record, struct prodd_error *e)
{
	for (unsigned i = 0; i < type->count; i++) {
		const struct wire_field *field = &type->fields[i];
		union json_any element;
		struct prodd_iter it;
		int r;

		if (field->kind != WIRE_LIST)
			continue;
		it = prodd_iter(*(const struct prodd_list *)((const char *)record + field->offset));
		while ((r = prodd_next(&it, field->record, &element, e)) > 0) {
			r = check_lists(field->record, &element, e);
			if (r < 0)
				break;
		}
		if (r < 0)
			return r;
	}
	return 0;
}

static int decode(struct connection *c, const struct prodd_message *m, const struct wire_record *type,
		  void *ret, struct prodd_error *e)
{
	int r = prodd_message_decode(m, type, ret, e);

	if (r == 0)
		r = check_lists(type, ret, e);
	return r < 0 ? misunderstood(c, e) : 0;
}

/* A note that comes while something else is waited for. */
static void take_note(struct connection *c, const struct prodd_message *m)
{
	struct wire_going_away going;

	if (m->type == PRODD_NOTE && m->method == WIRE_M_going_away &&
	    prodd_message_decode(m, &wire_record_going_away, &going, NULL) == 0)
		snprintf(c->farewell, sizeof c->farewell, "%.*s", PRODD_SLICE(going.reason));
}

static int too_long(const struct prodd_buffer *frame, struct prodd_error *e)
{
	if (frame->failed == -PRODD_E_NO_MEMORY)
		return prodd_error_set(e, PRODD_E_NO_MEMORY, "no memory for the request");
	return prodd_error_set(e, PRODD_E_USAGE, "an argument is too long");
}

static int send_call(struct connection *c, enum wire_method method, const void *params, int64_t deadline_ms,
		     struct prodd_error *e)
{
	prodd_auto_buffer frame = { 0 };

	if (prodd_frame_call(&frame, ++c->last_id, method, params) < 0 ||
	    frame.size > PRODD_FRAME_HEADER + PRODD_FRAME_MAX)
		return too_long(&frame, e);
	return send_all(c, prodd_buffer_slice(&frame), deadline_ms, e);
}

/* The wait was in vain so far: asks whether the daemon lives, or says that it does not. */
static int still_there(struct connection *c, uint64_t *ping, int64_t deadline_ms, struct prodd_error *e)
{
	int64_t now = moment_monotonic_ms();
	const struct wire_empty empty = { 0 };

	if (now >= deadline_ms || now - c->heard_ms >= give_up_ms)
		return silent(c, "answer", e);
	if (*ping != 0)
		return 0;
	*ping = c->last_id + 1;
	return send_call(c, WIRE_M_ping, &empty, deadline_ms, e);
}

static int64_t least(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

/* Waits for the answer `id`; pings when it takes long. */
static int await_answer(struct connection *c, uint64_t id, struct prodd_message *ret, int64_t deadline_ms,
			struct prodd_error *e)
{
	uint64_t ping = 0;
	int r;

	for (;;) {
		int64_t patience = c->heard_ms + (ping ? give_up_ms : ping_after_ms);

		r = next_message(c, ret, least(deadline_ms, patience), e);
		if (r < 0)
			return r;
		if (r == 1 && ret->type == PRODD_ANSWER && ret->id == id)
			return 0;
		if (r == 1)
			take_note(c, ret);
		if (r == 1 && ret->type == PRODD_ANSWER && ret->id == ping)
			ping = 0;
		if (r == 0 || moment_monotonic_ms() >= deadline_ms) {
			r = still_there(c, &ping, deadline_ms, e);
			if (r < 0)
				return r;
		}
	}
}

int connection_call(struct connection *c, enum wire_method method, const void *params, void *ret,
		    int64_t timeout_ms, struct prodd_error *e)
{
	int64_t deadline_ms = moment_monotonic_ms() + timeout_ms;
	struct prodd_message m;
	uint64_t id;
	int r;

	c->heard_ms = moment_monotonic_ms();
	r = send_call(c, method, params, deadline_ms, e);
	if (r < 0)
		return r;
	id = c->last_id;
	r = await_answer(c, id, &m, deadline_ms, e);
	if (r < 0)
		return r;
	if (m.error.code != PRODD_OK) {
		*e = m.error;
		return -e->code;
	}
	return decode(c, &m, wire_methods[method].result, ret, e);
}

int connection_note(struct connection *c, enum wire_method method, void *ret, struct prodd_error *e)
{
	struct prodd_message m;
	int r;

	for (;;) {
		r = next_message(c, &m, -1, e);
		if (r < 0)
			return r;
		if (m.type == PRODD_NOTE && m.method == method)
			return decode(c, &m, wire_methods[method].params, ret, e);
		take_note(c, &m);
	}
}

/* ---- the session */

static int say_hello(struct connection *c, int timeout_ms, struct prodd_error *e)
{
	const struct wire_hello hello = {
		.protocol = PRODD_PROTOCOL_VERSION, .protocol_min = PRODD_PROTOCOL_OLDEST,
		.client = prodd_slice(CLIENT),
	};
	struct wire_welcome welcome;
	int r = connection_call(c, WIRE_M_hello, &hello, &welcome, timeout_ms, e);

	if (r == -PRODD_E_TIMEOUT)
		return prodd_error_set(e, PRODD_E_UNREACHABLE, "no prodd at %s: no welcome within %d ms",
				       c->place.path, timeout_ms);
	if (r == -PRODD_E_CLOSED)
		return prodd_error_set(e, PRODD_E_UNREACHABLE,
				       "no prodd at %s: it closed the connection at once", c->place.path);
	if (r < 0)
		return r;
	snprintf(c->daemon, sizeof c->daemon, "%.*s", PRODD_SLICE(welcome.daemon));
	c->daemon_pid = welcome.pid;
	return 0;
}

int connection_open(struct connection *c, const char *socket, int timeout_ms, struct prodd_error *e)
{
	int r;

	c->deframer.limit = PRODD_REPLY_MAX;
	c->fd = place_connect(&c->place, socket, timeout_ms, e);
	if (c->fd < 0) {
		r = c->fd;
		c->fd = -1;
		return r;
	}
	return say_hello(c, timeout_ms, e);
}

void connection_close(struct connection *c)
{
	if (c->fd >= 0)
		close(c->fd);
	c->fd = -1;
	prodd_deframer_clear(&c->deframer);
}
