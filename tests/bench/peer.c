/* SPDX-License-Identifier: Apache-2.0 */
/* Blocking, one frame after another; what was read beyond an answer waits in peer->rest. */
#include "tests/bench/peer.h"

#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "proto/limits.h"
#include "tests/bench/bench.h"

void peer_open(struct peer *peer, const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	memset(peer, 0, sizeof *peer);
	peer->in.limit = PRODD_REPLY_MAX;
	strncpy(address.sun_path, path, sizeof address.sun_path - 1);
	peer->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (peer->fd < 0 || connect(peer->fd, (struct sockaddr *)&address, sizeof address) < 0)
		die(path);
}

void peer_close(struct peer *peer)
{
	close(peer->fd);
	prodd_deframer_clear(&peer->in);
}

static void send_buffer(struct peer *peer, struct prodd_buffer *b)
{
	for (size_t at = 0; at < b->size;) {
		ssize_t n = send(peer->fd, b->at + at, b->size - at, MSG_NOSIGNAL);

		if (n < 0)
			die("send");
		at += (size_t)n;
	}
	prodd_buffer_clear(b);
}

void peer_send(struct peer *peer, enum wire_method method, const void *params)
{
	struct prodd_buffer b = { .limit = 0 };

	prodd_frame_call(&b, ++peer->id, method, params);
	send_buffer(peer, &b);
}

/* The daemon's calls: yes to all. */
static void react(struct peer *peer, const struct prodd_message *m)
{
	static const struct wire_applied applied = { .state = { "applied", 7 } };
	static const struct wire_verdict verdict = { .verdict = { "accept", 6 } };
	struct prodd_buffer b = { .limit = 0 };

	if (m->type != PRODD_CALL)
		return;
	if (m->method == WIRE_M_config_offer) {
		prodd_frame_answer(&b, m->id, &wire_record_verdict, &verdict);
	} else {
		peer->applied += m->method == WIRE_M_config_apply;
		if (m->method == WIRE_M_config_commit) {
			peer->committed_ns = now_ns();
			peer->commits++;
		}
		prodd_frame_answer(&b, m->id, &wire_record_applied, &applied);
	}
	send_buffer(peer, &b);
}

static int next_message(struct peer *peer, struct prodd_message *ret)
{
	struct prodd_slice frame;
	struct prodd_error e;
	int r = prodd_deframe(&peer->in, &peer->rest, &frame, &e);

	if (r < 0 || (r > 0 && prodd_message_open(frame, &prodd_check_reply, ret, &e) < 0))
		die(e.text);
	return r;
}

static void read_more(struct peer *peer)
{
	ssize_t n = read(peer->fd, peer->bytes, sizeof peer->bytes);

	if (n <= 0)
		die("the daemon has hung up");
	peer->rest = (struct prodd_slice){ peer->bytes, (size_t)n };
}

void peer_answer(struct peer *peer, struct prodd_message *ret)
{
	for (;;) {
		while (next_message(peer, ret) > 0) {
			if (ret->type == PRODD_ANSWER && ret->id == peer->id)
				return;
			react(peer, ret);
		}
		read_more(peer);
	}
}

void peer_handle(struct peer *peer)
{
	struct prodd_message m;

	if (peer->rest.size == 0)
		read_more(peer);
	while (next_message(peer, &m) > 0)
		react(peer, &m);
}

void peer_greet(struct peer *peer, const char *app, const char *instance)
{
	struct wire_hello hello = { .protocol = 1, .client = prodd_slice("bench"), .app = prodd_slice(app),
				    .instance = prodd_slice(instance) };
	static const struct wire_subscribe nothing;
	struct prodd_message m;

	peer_send(peer, WIRE_M_hello, &hello);
	peer_answer(peer, &m);
	if (m.error.code)
		die(m.error.text);
	if (!app)
		return;
	peer_send(peer, WIRE_M_config_subscribe, &nothing);
	peer_answer(peer, &m);
}
