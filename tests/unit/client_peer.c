/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "tests/unit/client_peer.h"

#include <check.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "proto/limits.h"
#include "tests/unit/remove.h"

/* ---- the socket */

void peer_open(struct peer *p)
{
	*p = (struct peer){ .directory = "/tmp/prodd-peer.XXXXXX", .listener = -1 };
	ck_assert_ptr_nonnull(mkdtemp(p->directory));
	ck_assert_int_eq(chmod(p->directory, 0755), 0);
	snprintf(p->socket, sizeof p->socket, "%s/app.sock", p->directory);
	setenv("CACHE_DIRECTORY", p->directory, 1);
}

void peer_listen(struct peer *p)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	snprintf(address.sun_path, sizeof address.sun_path, "%s", p->socket);
	unlink(p->socket);
	p->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ck_assert_int_ge(p->listener, 0);
	ck_assert_int_eq(bind(p->listener, (struct sockaddr *)&address, sizeof address), 0);
	ck_assert_int_eq(chmod(p->socket, 0666), 0);
	ck_assert_int_eq(listen(p->listener, 64), 0);
}

void peer_deafen(struct peer *p)
{
	unlink(p->socket);
	if (p->listener >= 0)
		close(p->listener);
	p->listener = -1;
}

void peer_close(struct peer *p)
{
	peer_deafen(p);
	remove_tree(p->directory);
}

static bool is_ready(int fd, int within_ms)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };
	int r;

	do
		r = poll(&pfd, 1, within_ms);
	while (r < 0 && errno == EINTR);
	return r > 0;
}

bool peer_is_called(struct peer *p, int within_ms)
{
	return is_ready(p->listener, within_ms);
}

void peer_accept(struct peer *p, struct line *l)
{
	*l = (struct line){ .in.limit = PRODD_REPLY_MAX, .passed = -1, .ring = -1, .wake = -1,
			    .ring_refused = p->ring_refused };
	ck_assert_msg(peer_is_called(p, peer_patience_ms), "nobody connects");
	l->fd = accept4(p->listener, NULL, NULL, SOCK_CLOEXEC);
	ck_assert_int_ge(l->fd, 0);
}

static void keep(int *slot, int fd)
{
	if (*slot >= 0)
		close(*slot);
	*slot = fd;
}

void line_close(struct line *l)
{
	close(l->fd);
	l->fd = -1;
	keep(&l->passed, -1);
	keep(&l->ring, -1);
	keep(&l->wake, -1);
	prodd_deframer_clear(&l->in);
}

/* ---- messages */

static void keep_descriptor(struct line *l, struct msghdr *message)
{
	struct cmsghdr *c = CMSG_FIRSTHDR(message);

	if (!c)
		return;
	ck_assert_int_eq(c->cmsg_type, SCM_RIGHTS);
	keep(&l->passed, -1);
	memcpy(&l->passed, CMSG_DATA(c), sizeof l->passed);
}

/* 0 at the end. */
static ssize_t fill(struct line *l)
{
	_Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(int))];
	struct iovec bytes = { l->chunk, sizeof l->chunk };
	struct msghdr message = { .msg_iov = &bytes, .msg_iovlen = 1, .msg_control = control,
				  .msg_controllen = sizeof control };
	ssize_t size;

	ck_assert_msg(is_ready(l->fd, peer_patience_ms), "nothing comes");
	size = recvmsg(l->fd, &message, MSG_CMSG_CLOEXEC);
	if (size > 0)
		keep_descriptor(l, &message);
	if (size < 0 && errno == ECONNRESET)
		return 0;
	ck_assert_int_ge(size, 0);
	l->unread = (struct prodd_slice){ l->chunk, (size_t)size };
	return size;
}

static bool receive(struct line *l)
{
	struct prodd_slice frame;
	struct prodd_error e;
	int r;

	for (;;) {
		r = prodd_deframe(&l->in, &l->unread, &frame, &e);
		ck_assert_msg(r >= 0, "%s", e.text);
		if (r > 0)
			break;
		if (fill(l) == 0)
			return false;
	}
	r = prodd_message_open(frame, &prodd_check_received, &l->m, &e);
	ck_assert_msg(r == 0, "%s", e.text);
	return true;
}

void line_receive(struct line *l)
{
	ck_assert_msg(receive(l), "the connection ends");
}

bool line_is_quiet(struct line *l, int for_ms)
{
	return l->unread.size == 0 && !is_ready(l->fd, for_ms);
}

void line_expect_end(struct line *l)
{
	while (receive(l))
		;
}

void line_send(struct line *l, struct prodd_slice bytes)
{
	while (bytes.size > 0) {
		ssize_t size = send(l->fd, bytes.at, bytes.size, MSG_NOSIGNAL);

		ck_assert_int_gt(size, 0);
		bytes = (struct prodd_slice){ bytes.at + size, bytes.size - (size_t)size };
	}
}

void line_answer(struct line *l, const struct wire_record *type, const void *result)
{
	prodd_auto_buffer b = { 0 };

	ck_assert_int_eq(prodd_frame_answer(&b, l->m.id, type, result), 0);
	line_send(l, prodd_buffer_slice(&b));
}

void line_refuse(struct line *l, int code)
{
	prodd_auto_buffer b = { 0 };
	struct prodd_error why;

	prodd_error_set(&why, code, "no");
	ck_assert_int_eq(prodd_frame_error(&b, l->m.id, &why), 0);
	line_send(l, prodd_buffer_slice(&b));
}

static void send_with_descriptor(struct line *l, struct prodd_slice bytes, int fd)
{
	_Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof fd)] = { 0 };
	struct iovec piece = { (void *)(uintptr_t)bytes.at, bytes.size };
	struct msghdr message = { .msg_iov = &piece, .msg_iovlen = 1, .msg_control = control,
				  .msg_controllen = sizeof control };
	struct cmsghdr *c = CMSG_FIRSTHDR(&message);

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof fd);
	memcpy(CMSG_DATA(c), &fd, sizeof fd);
	ck_assert_int_eq(sendmsg(l->fd, &message, MSG_NOSIGNAL), (ssize_t)bytes.size);
}

static void decode(struct line *l, const struct wire_record *type, void *ret)
{
	struct prodd_error e;
	int r = prodd_message_decode(&l->m, type, ret, &e);

	ck_assert_msg(r == 0, "%s", e.text);
}

void line_take_ring(struct line *l)
{
	struct wire_ring_attached attached = { .sync = prodd_slice("interval") };
	prodd_auto_buffer b = { 0 };

	ck_assert_int_eq(l->m.method, WIRE_M_ring_attach);
	if (l->ring_refused) {
		line_refuse(l, l->ring_refused);
		return;
	}
	ck_assert_int_ge(l->passed, 0);
	keep(&l->ring, l->passed);
	l->passed = -1;
	keep(&l->wake, eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
	ck_assert_int_eq(prodd_frame_answer(&b, l->m.id, &wire_record_ring_attached, &attached), 0);
	send_with_descriptor(l, prodd_buffer_slice(&b), l->wake);
}

/* ---- the beginning */

static void take_hello(struct line *l, const char *instance)
{
	struct wire_hello hello;
	struct wire_welcome welcome = { .protocol = 1, .daemon = prodd_slice("0.0.0"), .pid = 1,
					.epoch = prodd_slice("e"), .environment = prodd_slice("production"),
					.served = true };

	line_receive(l);
	ck_assert_int_eq(l->m.method, WIRE_M_hello);
	decode(l, &wire_record_hello, &hello);
	snprintf(l->instance, sizeof l->instance, "%.*s", PRODD_SLICE(hello.instance));
	snprintf(l->app, sizeof l->app, "%.*s", PRODD_SLICE(hello.app));
	l->variables = hello.variables.count;
	if (!instance)
		instance = l->instance[0] ? l->instance : "1";
	welcome.app = hello.app;
	welcome.instance = prodd_slice(instance);
	line_answer(l, &wire_record_welcome, &welcome);
}

void line_greet(struct line *l, const char *instance, const char *state)
{
	struct wire_subscribed subscribed = { .state = prodd_slice(state) };
	struct wire_subscribe subscribe;
	struct wire_declare declare;

	take_hello(l, instance);
	line_receive(l);
	for (; l->m.method == WIRE_M_ring_attach; line_receive(l))
		line_take_ring(l);
	for (l->declared = 0; l->m.method == WIRE_M_config_declare; line_receive(l)) {
		decode(l, &wire_record_declare, &declare);
		l->declared += declare.keys.count;
		line_answer(l, &wire_record_empty, &(struct wire_empty){ 0 });
	}
	ck_assert_int_eq(l->m.method, WIRE_M_config_subscribe);
	decode(l, &wire_record_subscribe, &subscribe);
	l->generation = subscribe.generation;
	line_answer(l, &wire_record_subscribed, &subscribed);
}

/* ---- calls */

static void call(struct line *l, enum wire_method method, const void *params)
{
	prodd_auto_buffer b = { 0 };

	ck_assert_int_eq(prodd_frame_call(&b, ++l->last_id, method, params), 0);
	line_send(l, prodd_buffer_slice(&b));
	line_receive(l);
	ck_assert_int_eq(l->m.type, PRODD_ANSWER);
	ck_assert_uint_eq(l->m.id, l->last_id);
}

/* "hNUMBER", as served_config makes it. */
static struct prodd_slice hash_of(uint64_t number, char text[24])
{
	snprintf(text, 24, "h%llu", (unsigned long long)number);
	return prodd_slice(text);
}

struct wire_applied line_apply(struct line *l, const struct served *s, uint64_t number)
{
	char hash[24];
	struct wire_apply apply = { .epoch = prodd_slice("e"),
				    .generation = number,
				    .hash = hash_of(number, hash),
				    .environment = prodd_slice("production"),
				    .snapshot = served_list(s) };
	struct wire_applied applied;

	call(l, WIRE_M_config_apply, &apply);
	decode(l, &wire_record_applied, &applied);
	return applied;
}

struct wire_verdict line_offer(struct line *l, const struct served *s, uint64_t txn, uint64_t number)
{
	char hash[24];
	struct wire_offer offer = { .txn = txn,
				    .deadline_ms = 5000,
				    .epoch = prodd_slice("e"),
				    .generation = number,
				    .hash = hash_of(number, hash),
				    .environment = prodd_slice("production"),
				    .snapshot = served_list(s) };
	struct wire_verdict verdict;

	call(l, WIRE_M_config_offer, &offer);
	decode(l, &wire_record_verdict, &verdict);
	return verdict;
}

struct wire_applied line_commit(struct line *l, uint64_t txn, uint64_t number)
{
	struct wire_commit commit = { .txn = txn, .generation = number };
	struct wire_applied applied;

	call(l, WIRE_M_config_commit, &commit);
	decode(l, &wire_record_applied, &applied);
	return applied;
}

int line_commit_fails(struct line *l, uint64_t txn, uint64_t number)
{
	struct wire_commit commit = { .txn = txn, .generation = number };

	call(l, WIRE_M_config_commit, &commit);
	return l->m.error.code;
}

void line_abort(struct line *l, uint64_t txn)
{
	struct wire_abort abort = { .txn = txn, .reason = prodd_slice("another instance rejected it") };
	prodd_auto_buffer b = { 0 };

	ck_assert_int_eq(prodd_frame_note(&b, WIRE_M_config_abort, &abort), 0);
	line_send(l, prodd_buffer_slice(&b));
}
