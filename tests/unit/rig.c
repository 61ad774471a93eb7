/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "tests/unit/rig.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "daemon/util/clock.h"
#include "daemon/util/container.h"
#include "proto/limits.h"

/* ---- the service */

static int hello(struct service *service, struct session *session, const struct wire_hello *hello,
		 struct wire_welcome *ret, struct prodd_error *e)
{
	struct rig *rig = container_of(service, struct rig, service);

	rig->last = session;
	if (prodd_slice_is(hello->app, "forbidden"))
		return prodd_error_set(e, PRODD_E_NOT_PERMITTED, "not that name");
	if (rig->attach)
		session_attach(session, rig->attach);
	ret->app = hello->app;
	ret->instance = prodd_slice("1");
	ret->epoch = prodd_slice("e");
	return 0;
}

static int hello_command(struct service *service, struct session *session, const struct wire_hello *hello,
			 struct wire_welcome *ret, struct prodd_error *e)
{
	struct rig *rig = container_of(service, struct rig, service);

	(void)hello;
	(void)e;
	rig->last = session;
	ret->epoch = prodd_slice("e");
	return 0;
}

static bool may_use(struct service *service, const struct identity *who, struct prodd_slice app)
{
	(void)service;
	ck_assert_uint_eq(who->uid, getuid());
	return prodd_slice_is(app, "mine");
}

static void call(struct service *service, struct call *call, const void *params)
{
	struct rig *rig = container_of(service, struct rig, service);
	struct wire_schema schema = { .app = { "x", 1 }, .keys = rig->filler };
	struct prodd_error e;

	(void)params;
	rig->called++;
	if (call_method(call) == WIRE_M_config_schema) {
		call_answer(call, &schema);
	} else if (call_method(call) == WIRE_M_confirm || call_method(call) == WIRE_M_events) {
		ck_assert_uint_lt(rig->kept_count, RIG_CALLS);
		rig->kept[rig->kept_count++] = call;
	} else {
		prodd_error_set(&e, PRODD_E_NOT_FOUND, "nothing here");
		call_fail(call, &e);
	}
}

static const struct service_ops service_ops = {
	.hello = hello, .hello_command = hello_command, .may_use = may_use, .call = call,
};

/* ---- lifecycle */

void rig_init(struct rig *rig)
{
	struct prodd_error e;

	*rig = (struct rig){ .limits = session_limits_usual, .service.ops = &service_ops };
	counters = (struct counters){ 0 };
	ck_assert_int_eq(loop_init(&rig->loop, &e), 0);
	rig->host = (struct session_host){ .loop = &rig->loop, .accounts = &rig->accounts,
					   .service = &rig->service, .limits = &rig->limits };
}

void rig_clear(struct rig *rig)
{
	struct account *account, *next;

	session_host_clear(&rig->host);
	for (unsigned i = 0; i < rig->kept_count; i++)
		if (rig->kept[i])
			call_fail(rig->kept[i], &(struct prodd_error){ .code = PRODD_E_CLOSED });
	ck_assert_uint_eq(rig->host.count, 0);
	HASH_ITER(hh, rig->accounts.by_uid, account, next) {
		ck_assert_uint_eq(account->sessions, 0);
		ck_assert_uint_eq(account->bytes, 0);
	}
	accounts_clear(&rig->accounts);
	loop_clear(&rig->loop);
}

void rig_run(struct rig *rig)
{
	for (int i = 0; i < 30; i++)
		event_base_loop(rig->loop.base, EVLOOP_NONBLOCK);
}

static void stop(struct loop_timer *timer)
{
	loop_stop(timer->loop);
}

void rig_pass(struct rig *rig, unsigned ms)
{
	struct loop_timer end;
	struct prodd_error e;

	ck_assert_int_eq(loop_timer_init(&end, &rig->loop, stop, &e), 0);
	loop_timer_arm(&end, ms);
	ck_assert_int_eq(loop_run(&rig->loop, &e), 0);
	loop_timer_clear(&end);
}

void rig_until(struct rig *rig, const uint64_t *what, uint64_t value)
{
	uint64_t end = clock_monotonic_ms() + 10000;

	while (*what != value) {
		ck_assert_uint_lt(clock_monotonic_ms(), end);
		event_base_loop(rig->loop.base, EVLOOP_ONCE);
	}
	rig_run(rig);
}

int rig_connect(struct rig *rig, bool is_operator)
{
	struct identity who;
	struct prodd_error e;
	int ends[2];

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends), 0);
	who = (struct identity){ .uid = getuid(), .gid = getgid(), .pid = getpid(), .pidfd = -1 };
	if (session_new(&rig->host, ends[0], &who, is_operator, &e) < 0) {
		close(ends[1]);
		return -1;
	}
	return ends[1];
}

int rig_greeted(struct rig *rig, bool is_operator, const char *app)
{
	struct wire_hello hello = { .protocol = 1, .client = prodd_slice("test 1"), .app = prodd_slice(app) };
	int fd = rig_connect(rig, is_operator);

	ck_assert_int_ge(fd, 0);
	rig_send_call(fd, 1000000, WIRE_M_hello, &hello);
	rig_expect(rig, fd, 1000000, PRODD_OK);
	return fd;
}

/* ---- a peer's part */

void rig_send(int fd, const void *bytes, size_t size)
{
	ck_assert_int_eq(send(fd, bytes, size, MSG_NOSIGNAL), (ssize_t)size);
}

void rig_send_call(int fd, uint64_t id, enum wire_method method, const void *params)
{
	prodd_auto_buffer b = { 0 };

	ck_assert_int_eq(prodd_frame_call(&b, id, method, params), 0);
	rig_send(fd, b.at, b.size);
}

void rig_send_answer(int fd, uint64_t id, const struct wire_record *type, const void *result)
{
	prodd_auto_buffer b = { 0 };

	ck_assert_int_eq(prodd_frame_answer(&b, id, type, result), 0);
	rig_send(fd, b.at, b.size);
}

/* Reads exactly `size` bytes, or nothing when the first is not there. */
static int read_exactly(int fd, char *to, size_t size, bool *ret_end)
{
	for (size_t at = 0; at < size;) {
		ssize_t n = recv(fd, to + at, size - at, 0);

		if (n < 0 && errno == EAGAIN && at > 0)
			continue;
		*ret_end = n == 0 || (n < 0 && errno == ECONNRESET);
		if (n <= 0)
			return -1;
		at += (size_t)n;
	}
	return 0;
}

bool rig_take(int fd, struct prodd_buffer *into, struct prodd_message *ret, bool *ret_end)
{
	struct prodd_error e;
	unsigned char head[4];
	size_t size;

	*ret_end = false;
	if (read_exactly(fd, (char *)head, sizeof head, ret_end) < 0)
		return false;
	size = (size_t)head[0] << 24 | (size_t)head[1] << 16 | (size_t)head[2] << 8 | head[3];
	prodd_buffer_clear(into);
	ck_assert_ptr_nonnull(prodd_buffer_extend(into, size));
	ck_assert_int_eq(read_exactly(fd, into->at, size, ret_end), 0);
	ck_assert_int_eq(prodd_message_open(prodd_buffer_slice(into), &prodd_check_reply, ret, &e), 0);
	return true;
}

void rig_expect(struct rig *rig, int fd, uint64_t id, int code)
{
	prodd_auto_buffer b = { 0 };
	struct prodd_message m;
	bool end;

	rig_run(rig);
	ck_assert(rig_take(fd, &b, &m, &end));
	ck_assert_int_eq(m.type, PRODD_ANSWER);
	ck_assert_uint_eq(m.id, id);
	ck_assert_msg(m.error.code == code, "%s", m.error.text);
}

void rig_expect_end(struct rig *rig, int fd)
{
	struct prodd_message m;
	prodd_auto_buffer b = { 0 };
	bool end = false;

	rig_run(rig);
	while (rig_take(fd, &b, &m, &end))
		;
	ck_assert(end);
}
