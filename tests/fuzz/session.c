/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A whole session over a socket pair, fed with arbitrary bytes; its service
 * answers every method, and asks back.  The rules that must hold whatever
 * comes: it says the same however the stream is cut, all it says is whole
 * messages, it keeps little, and nothing is left when it has gone.
 *
 * The first byte: 1 the operators' socket, 2 the service keeps its calls and
 * answers at the end, 4 nobody reads meanwhile.
 */
#define _GNU_SOURCE
#include <sys/socket.h>
#include <unistd.h>

#include "daemon/core/session.h"
#include "daemon/util/container.h"
#include "proto/limits.h"
#include "tests/fuzz/fuzz.h"

enum { calls_max = 256, asks_max = 3, kept_max = 512 * 1024 };

struct driver {
	struct service service;
	struct loop loop;
	struct accounts accounts;
	struct session_host host;
	struct peer peer;
	struct outcall asks[asks_max];
	unsigned asked;
	struct call *kept[calls_max];
	unsigned kept_count;
	bool keeps;
	bool gone;			/* the peer was told */
};

/* ---- the service */

static void answered(struct outcall *outcall, const struct prodd_message *answer)
{
	FUZZ_DEMAND(!outcall->session);
	FUZZ_DEMAND(!answer || answer->type == PRODD_ANSWER);
}

/* One question at the first calls that reach the service. */
static void ask_back(struct driver *d, struct session *session)
{
	struct wire_commit commit = { .txn = 1, .generation = 2 };

	if (d->asked == asks_max || d->peer.session != session)
		return;
	d->asks[d->asked].done = answered;
	session_call(session, &d->asks[d->asked], WIRE_M_config_commit, &commit, NULL, NULL);
	d->asked++;
}

static void peer_closed(struct peer *peer)
{
	struct driver *d = container_of(peer, struct driver, peer);

	FUZZ_DEMAND(!d->gone);
	d->gone = true;
	peer->session = NULL;
}

static int hello(struct service *service, struct session *session, const struct wire_hello *hello,
		 struct wire_welcome *ret, struct prodd_error *e)
{
	struct driver *d = container_of(service, struct driver, service);

	if (prodd_slice_is(hello->app, "refused"))
		return prodd_error_set(e, PRODD_E_NOT_PERMITTED, "not that name");
	d->peer.closed = peer_closed;
	session_attach(session, &d->peer);
	ret->app = hello->app;
	ret->environment = hello->environment;
	ret->epoch = prodd_slice("e");
	return 0;
}

static int hello_command(struct service *service, struct session *session, const struct wire_hello *hello,
			 struct wire_welcome *ret, struct prodd_error *e)
{
	(void)service;
	(void)session;
	(void)hello;
	(void)e;
	ret->epoch = prodd_slice("e");
	return 0;
}

static bool may_use(struct service *service, const struct identity *who, struct prodd_slice app)
{
	(void)service;
	(void)who;
	return prodd_slice_is(app, "mine");
}

static void answer(struct call *call)
{
	static const char zeros[4096];

	FUZZ_DEMAND(wire_methods[call_method(call)].result->size <= sizeof zeros);
	call_answer(call, zeros);
}

static void take_call(struct service *service, struct call *call, const void *params)
{
	struct driver *d = container_of(service, struct driver, service);

	(void)params;
	ask_back(d, call_session(call));
	if (d->keeps && d->kept_count < calls_max)
		d->kept[d->kept_count++] = call;
	else
		answer(call);
}

static const struct service_ops ops = {
	.hello = hello, .hello_command = hello_command, .may_use = may_use, .call = take_call,
};

/* ---- driving it */

static void turn(struct driver *d)
{
	for (int i = 0; i < 6; i++)
		FUZZ_DEMAND(event_base_loop(d->loop.base, EVLOOP_NONBLOCK) >= 0);
}

static void read_said(int fd, struct prodd_buffer *said)
{
	char piece[65536];
	ssize_t n;

	while ((n = recv(fd, piece, sizeof piece, MSG_DONTWAIT)) > 0)
		prodd_buffer_append(said, piece, (size_t)n);
}

/* Whole messages, each of which any peer takes. */
static void check_said(struct prodd_slice said)
{
	struct prodd_deframer deframer = { .limit = PRODD_REPLY_MAX };
	struct prodd_message m;
	struct prodd_slice frame;
	struct prodd_error e;
	int r;

	while ((r = prodd_deframe(&deframer, &said, &frame, &e)) > 0) {
		FUZZ_DEMAND(prodd_message_open(frame, &prodd_check_reply, &m, &e) == 0);
		FUZZ_DEMAND(m.type == PRODD_ANSWER || m.method != WIRE_NO_METHOD);
	}
	FUZZ_DEMAND(r == 0 && prodd_deframer_held(&deframer) == 0);
	prodd_deframer_clear(&deframer);
}

static void set_up(struct driver *d, unsigned flags, int *ret_fd)
{
	struct identity who = { .uid = 7, .gid = 7, .pid = 7, .pidfd = -1 };
	struct prodd_error e;
	int ends[2];

	*d = (struct driver){ .service.ops = &ops, .keeps = flags & 2 };
	FUZZ_DEMAND(loop_init(&d->loop, &e) == 0);
	d->host = (struct session_host){ .loop = &d->loop, .accounts = &d->accounts, .service = &d->service };
	FUZZ_DEMAND(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) == 0);
	FUZZ_DEMAND(session_new(&d->host, ends[0], &who, flags & 1, &e) == 0);
	*ret_fd = ends[1];
}

static void tear_down(struct driver *d, int fd)
{
	for (unsigned i = 0; i < d->kept_count; i++)
		answer(d->kept[i]);
	turn(d);
	close(fd);
	turn(d);
	FUZZ_DEMAND(d->host.count == 0);
	FUZZ_DEMAND(!d->peer.closed || d->gone);
	for (unsigned i = 0; i < asks_max; i++)
		FUZZ_DEMAND(!d->asks[i].session);
	FUZZ_DEMAND(d->accounts.bytes == 0 && d->accounts.sessions == 0);
	FUZZ_DEMAND(d->accounts.by_uid->bytes_max <= kept_max);
	session_host_clear(&d->host);
	accounts_clear(&d->accounts);
	loop_clear(&d->loop);
}

/* Feeds the stream in pieces of `step` bytes, and collects what the session says. */
static void converse(const uint8_t *data, size_t size, unsigned flags, size_t step, struct prodd_buffer *said)
{
	struct driver d;
	size_t at = 0;
	int fd;

	set_up(&d, flags, &fd);
	while (at < size) {
		size_t left = size - at;
		ssize_t n = send(fd, data + at, left < step ? left : step, MSG_NOSIGNAL);

		turn(&d);
		if (!(flags & 4) || n <= 0)
			read_said(fd, said);
		if (n > 0)
			at += (size_t)n;
		else if (d.host.count == 0)
			break;
	}
	turn(&d);
	read_said(fd, said);
	check_said(prodd_buffer_slice(said));
	tear_down(&d, fd);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	prodd_auto_buffer whole = { 0 }, cut = { 0 };

	if (size == 0)
		return 0;
	converse(data + 1, size - 1, data[0], size, &whole);
	converse(data + 1, size - 1, data[0], size / 5 + 3, &cut);
	FUZZ_DEMAND(prodd_slice_equal(prodd_buffer_slice(&whole), prodd_buffer_slice(&cut)));
	return 0;
}
