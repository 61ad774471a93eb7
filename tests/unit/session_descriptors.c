/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Descriptors over a session: taken with the frame that attaches memory,
 * however its bytes arrive, given back with an answer; whatever else is sent is
 * closed and ends the session.  After each test no descriptor is left.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/util/clock.h"
#include "daemon/util/container.h"
#include "tests/unit/rig.h"

static struct rig rig;
static unsigned descriptors_before;

/* Takes what came, or leaves it to the call; answers at once, or later. */
static struct attaching {
	struct handler handler;
	int got;		/* -1: none came */
	unsigned calls;
	bool leaves;
	bool keeps;
	struct call *kept;
	int answer_with;	/* -1: none */
} attaching;

static void take_attach(struct handler *handler, struct call *call, const void *params)
{
	struct attaching *a = container_of(handler, struct attaching, handler);
	struct wire_ring_attached attached = { .head = 7 };

	(void)params;
	a->calls++;
	a->got = a->leaves ? -1 : call_take_fd(call);
	if (!a->leaves)
		ck_assert_int_eq(call_take_fd(call), -1);
	if (a->keeps)
		a->kept = call;
	else if (a->answer_with >= 0)
		call_answer_fd(call, &attached, a->answer_with);
	else
		call_answer(call, &attached);
}

static unsigned descriptors(void)
{
	DIR *d = opendir("/proc/self/fd");
	unsigned n = 0;

	ck_assert_ptr_nonnull(d);
	while (readdir(d))
		n++;
	closedir(d);
	return n;
}

static void set_up(void)
{
	descriptors_before = descriptors();
	rig_init(&rig);
	attaching = (struct attaching){ .handler.call = take_attach, .got = -1, .answer_with = -1 };
	rig.host.handlers[WIRE_M_ring_attach] = rig.host.handlers[WIRE_M_segment_attach] = &attaching.handler;
}

static void tear_down(void)
{
	if (attaching.got >= 0)
		close(attaching.got);
	rig_clear(&rig);
	ck_assert_uint_eq(descriptors(), descriptors_before);
}

/* ---- a peer's part */

/* The bytes with `count` times `fd` on the first of them. */
static void send_with(int to, const void *bytes, size_t size, int fd, unsigned count)
{
	_Alignas(struct cmsghdr) char control[CMSG_SPACE(253 * sizeof(int))] = { 0 };
	struct iovec part = { (void *)bytes, size };
	struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1, .msg_control = control,
				  .msg_controllen = CMSG_SPACE(count * sizeof fd) };
	struct cmsghdr *c = CMSG_FIRSTHDR(&message);

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(count * sizeof fd);
	for (unsigned i = 0; i < count; i++)
		memcpy(CMSG_DATA(c) + i * sizeof fd, &fd, sizeof fd);
	ck_assert_int_eq(sendmsg(to, &message, MSG_NOSIGNAL), (ssize_t)size);
}

static void encode_attach(struct prodd_buffer *b, uint64_t id)
{
	struct wire_ring_attach params = { .ring = { "0123456789abcdef", 16 }, .capacity = 65536 };

	ck_assert_int_eq(prodd_frame_call(b, id, WIRE_M_ring_attach, &params), 0);
}

static void encode_ping(struct prodd_buffer *b, uint64_t id)
{
	ck_assert_int_eq(prodd_frame_call(b, id, WIRE_M_ping, &(struct wire_empty){ 0 }), 0);
}

static int new_file(void)
{
	int fd = memfd_create("x", MFD_CLOEXEC);

	ck_assert_int_ge(fd, 0);
	return fd;
}

static bool same_file(int a, int b)
{
	struct stat x, y;

	return fstat(a, &x) == 0 && fstat(b, &y) == 0 && x.st_ino == y.st_ino && x.st_dev == y.st_dev;
}

static void expect_got(int file)
{
	ck_assert_int_ge(attaching.got, 0);
	ck_assert(same_file(attaching.got, file));
	ck_assert_int_eq(fcntl(attaching.got, F_GETFD), FD_CLOEXEC);
	close(attaching.got);
	attaching.got = -1;
}

/* ---- taken */

START_TEST(it_comes_with_its_frame_however_that_is_cut)
{
	prodd_auto_buffer b = { 0 };
	int fd = rig_greeted(&rig, false, "mine"), file = new_file();
	size_t cut = (size_t)_i + 1;

	encode_attach(&b, 1);
	if (cut > b.size)
		cut = b.size;
	send_with(fd, b.at, cut, file, 1);
	rig_run(&rig);
	if (cut < b.size) {
		ck_assert_uint_eq(attaching.calls, 0);
		rig_send(fd, b.at + cut, b.size - cut);
	}
	rig_expect(&rig, fd, 1, PRODD_OK);
	expect_got(file);
	close(file);
	close(fd);
}
END_TEST

START_TEST(frames_before_it_and_after_it_change_nothing)
{
	prodd_auto_buffer before = { 0 }, with = { 0 };
	int fd = rig_greeted(&rig, false, "mine"), file = new_file();

	for (uint64_t id = 1; id <= 150; id++)		/* more than a turn handles */
		encode_ping(&before, id);
	encode_attach(&with, 151);
	encode_ping(&with, 152);
	rig_send(fd, before.at, before.size - 3);	/* a frame is under way when it comes */
	rig_send(fd, before.at + before.size - 3, 3);
	send_with(fd, with.at, with.size, file, 1);
	for (uint64_t id = 1; id <= 152; id++)
		rig_expect(&rig, fd, id, PRODD_OK);
	ck_assert_uint_eq(attaching.calls, 1);
	expect_got(file);
	close(file);
	close(fd);
}
END_TEST

START_TEST(four_in_a_session_and_a_fifth_ends_it)
{
	int fd = rig_greeted(&rig, false, "mine"), file = new_file();

	for (uint64_t id = 1; id <= 5; id++) {
		prodd_auto_buffer b = { 0 };

		encode_attach(&b, id);
		send_with(fd, b.at, b.size, file, 1);
		if (id == 5)
			break;
		rig_expect(&rig, fd, id, PRODD_OK);
		expect_got(file);
	}
	rig_expect_end(&rig, fd);
	ck_assert_uint_eq(attaching.calls, 4);
	ck_assert_uint_eq(counters.sessions_ended_descriptors, 1);
	close(file);
	close(fd);
}
END_TEST

START_TEST(without_one_the_call_has_none)
{
	prodd_auto_buffer b = { 0 };
	int fd = rig_greeted(&rig, false, "mine");

	encode_attach(&b, 1);
	rig_send(fd, b.at, b.size);
	rig_expect(&rig, fd, 1, PRODD_OK);
	ck_assert_uint_eq(attaching.calls, 1);
	ck_assert_int_eq(attaching.got, -1);
	close(fd);
}
END_TEST

START_TEST(what_the_handler_leaves_is_closed)
{
	prodd_auto_buffer b = { 0 };
	int fd = rig_greeted(&rig, false, "mine"), file = new_file();

	attaching.leaves = attaching.keeps = true;
	encode_attach(&b, 1);
	send_with(fd, b.at, b.size, file, 1);
	rig_run(&rig);
	ck_assert_ptr_nonnull(attaching.kept);
	close(fd);
	rig_run(&rig);
	ck_assert_ptr_null(call_session(attaching.kept));
	call_answer_fd(attaching.kept, &(struct wire_ring_attached){ 0 }, file);
	close(file);
}
END_TEST

START_TEST(without_a_handler_it_is_closed)
{
	prodd_auto_buffer b = { 0 };
	int fd = rig_greeted(&rig, false, "mine"), file = new_file();

	rig.host.handlers[WIRE_M_ring_attach] = NULL;
	encode_attach(&b, 1);
	send_with(fd, b.at, b.size, file, 1);
	rig_expect(&rig, fd, 1, PRODD_E_NOT_FOUND);
	ck_assert_uint_eq(rig.host.count, 1);
	close(file);
	close(fd);
}
END_TEST

START_TEST(with_params_that_do_not_fit_it_is_closed)
{
	static const char wrong[] = "\0\0\0\x10\x94\0\3\xab" "ring.attach\x80";	/* params without a member */
	int fd = rig_greeted(&rig, false, "mine"), file = new_file();

	send_with(fd, wrong, sizeof wrong - 1, file, 1);
	rig_expect(&rig, fd, 3, PRODD_E_USAGE);
	ck_assert_uint_eq(attaching.calls, 0);
	ck_assert_uint_eq(rig.host.count, 1);
	close(file);
	close(fd);
}
END_TEST

/* ---- refused */

enum with { PING, PING_HALF, TWO, MOST, HALF_TWICE, GARBAGE, LATE, NOTE, WITH_COUNT };

static void send_refused(int fd, int file, enum with with)
{
	prodd_auto_buffer attach = { 0 }, ping = { 0 }, note = { 0 };

	encode_attach(&attach, 1);
	encode_ping(&ping, 2);
	prodd_frame_note(&note, WIRE_M_going_away, &(struct wire_going_away){ 0 });
	switch (with) {
	case PING:		/* no frame that takes it */
		send_with(fd, ping.at, ping.size, file, 1);
		break;
	case PING_HALF:		/* one is begun, but is another */
		send_with(fd, ping.at, 5, file, 1);
		rig_run(&rig);
		rig_send(fd, ping.at + 5, ping.size - 5);
		rig_send(fd, attach.at, attach.size);
		break;
	case TWO:
		send_with(fd, attach.at, attach.size, file, 2);
		break;
	case MOST:
		send_with(fd, attach.at, attach.size, file, 253);
		break;
	case HALF_TWICE:	/* another, before the frame of the first is whole */
		send_with(fd, attach.at, 5, file, 1);
		rig_run(&rig);
		send_with(fd, attach.at + 5, attach.size - 5, file, 1);
		break;
	case GARBAGE:
		send_with(fd, "\0\0\0\4abcd", 8, file, 1);
		break;
	case LATE:		/* on the frame behind it */
		rig_send(fd, attach.at, attach.size);
		rig_run(&rig);
		send_with(fd, ping.at, ping.size, file, 1);
		break;
	case NOTE:
		send_with(fd, note.at, note.size, file, 1);
		break;
	default:
		break;
	}
}

START_TEST(whatever_else_brings_one_ends_the_session)
{
	int fd = rig_greeted(&rig, false, "mine"), file = new_file();
	bool of_protocol = _i == GARBAGE;

	send_refused(fd, file, (enum with)_i);
	rig_expect_end(&rig, fd);
	ck_assert_uint_eq(counters.sessions_ended_descriptors, of_protocol ? 0 : 1);
	ck_assert_uint_eq(counters.sessions_ended_protocol, of_protocol ? 1 : 0);
	ck_assert_uint_eq(attaching.calls, _i == LATE ? 1 : 0);
	close(file);
	close(fd);
}
END_TEST

/* A TCP socket with bytes that its peer will never read, and whose close waits for that. */
static int lingering_socket(int *ret_peer, unsigned seconds)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct linger linger = { 1, (int)seconds };
	socklen_t size = sizeof address;
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	static const char bytes[65536];

	ck_assert_int_eq(bind(listener, (struct sockaddr *)&address, size), 0);
	ck_assert_int_eq(listen(listener, 1), 0);
	ck_assert_int_eq(getsockname(listener, (struct sockaddr *)&address, &size), 0);
	ck_assert_int_eq(connect(fd, (struct sockaddr *)&address, size), 0);
	*ret_peer = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	ck_assert_int_ge(*ret_peer, 0);
	close(listener);
	while (send(fd, bytes, sizeof bytes, MSG_DONTWAIT) > 0)
		;
	ck_assert_int_eq(setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger), 0);
	return fd;
}

static uint64_t ms_of_close(int fd)
{
	uint64_t before = clock_monotonic_ms();

	close(fd);
	return clock_monotonic_ms() - before;
}

START_TEST(what_is_no_memfd_ends_it_and_its_close_waits_for_nobody)
{
	prodd_auto_buffer b = { 0 };
	int fd = rig_greeted(&rig, false, "mine"), peer, other, lingering = lingering_socket(&peer, 1);
	uint64_t before;

	ck_assert_uint_ge(ms_of_close(lingering), 900);		/* as it would be */
	lingering = lingering_socket(&other, 10);
	encode_attach(&b, 1);
	send_with(fd, b.at, 5, lingering, 3);
	close(lingering);					/* prodd has the last ones */
	before = clock_monotonic_ms();
	rig_expect_end(&rig, fd);
	ck_assert_uint_lt(clock_monotonic_ms() - before, 5000);
	ck_assert_uint_eq(counters.sessions_ended_descriptors, 1);
	close(fd);
	fd = rig_greeted(&rig, false, "mine");
	lingering = open("/dev/null", O_RDWR | O_CLOEXEC);
	send_with(fd, b.at, 5, lingering, 1);
	rig_expect_end(&rig, fd);
	ck_assert_uint_eq(counters.sessions_ended_descriptors, 2);
	close(lingering), close(peer), close(other), close(fd);
}
END_TEST

START_TEST(before_hello_and_from_a_command_they_end_it_too)
{
	prodd_auto_buffer b = { 0 };
	int fd = _i == 0 ? rig_connect(&rig, false) : rig_greeted(&rig, _i == 1, NULL), file = new_file();

	encode_attach(&b, 1);
	send_with(fd, b.at, b.size, file, 1);
	rig_expect_end(&rig, fd);
	ck_assert_uint_eq(counters.sessions_ended_descriptors, 1);
	ck_assert_uint_eq(attaching.calls, 0);
	close(file);
	close(fd);
}
END_TEST

START_TEST(one_that_waits_for_its_frame_is_closed_with_the_session)
{
	prodd_auto_buffer b = { 0 };
	int fd = rig_greeted(&rig, false, "mine"), file = new_file();

	encode_attach(&b, 1);
	send_with(fd, b.at, 6, file, 1);
	rig_run(&rig);
	close(fd);
	rig_run(&rig);
	ck_assert_uint_eq(rig.host.count, 0);
	close(file);
}
END_TEST

/* ---- given back */

/* Reads one byte; returns the descriptor that came with it, or -1. */
static int take_byte(int fd, char *ret)
{
	_Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(int))];
	struct iovec part = { ret, 1 };
	struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1, .msg_control = control,
				  .msg_controllen = sizeof control };
	struct cmsghdr *c;
	int got;

	for (int tries = 0; recvmsg(fd, &message, 0) != 1; tries++) {
		ck_assert_int_lt(tries, 100);
		rig_run(&rig);
	}
	c = CMSG_FIRSTHDR(&message);
	if (!c)
		return -1;
	memcpy(&got, CMSG_DATA(c), sizeof got);
	return got;
}

/* Returns the bytes of the frame; *ret_fd is what came with the first of them. */
static size_t skip_frame(int fd, int *ret_fd)
{
	unsigned char head[4];
	size_t size;
	char byte;

	for (int i = 0; i < 4; i++) {
		int got = take_byte(fd, (char *)&head[i]);

		if (i == 0)
			*ret_fd = got;
		else
			ck_assert_int_eq(got, -1);
	}
	size = (size_t)head[1] << 16 | (size_t)head[2] << 8 | head[3];
	for (size_t i = 0; i < size; i++)
		ck_assert_int_eq(take_byte(fd, &byte), -1);
	return size;
}

START_TEST(an_answer_brings_one_with_its_first_byte)
{
	prodd_auto_buffer b = { 0 };
	int fd = rig_greeted(&rig, false, "mine"), file = new_file(), got = -1;

	attaching.answer_with = file;
	for (uint64_t id = 1; id <= 40; id++)
		encode_ping(&b, id);
	encode_attach(&b, 41);
	encode_ping(&b, 42);
	encode_attach(&b, 43);
	rig_send(fd, b.at, b.size);
	rig_run(&rig);
	for (uint64_t id = 1; id <= 43; id++) {
		ck_assert_uint_gt(skip_frame(fd, &got), 3);
		ck_assert(id == 41 || id == 43 ? got >= 0 && same_file(got, file) : got == -1);
		if (got >= 0)
			close(got);
	}
	close(file);
	close(fd);
}
END_TEST

START_TEST(an_answer_that_nobody_reads_keeps_none)
{
	prodd_auto_buffer b = { 0 };
	int fd = rig_greeted(&rig, false, "mine"), file = new_file();

	attaching.answer_with = file;
	encode_attach(&b, 1);
	rig_send(fd, b.at, b.size);
	rig_run(&rig);
	close(file);
	close(fd);
	rig_run(&rig);
	ck_assert_uint_eq(rig.host.count, 0);
}
END_TEST

static Suite *descriptors_suite(void)
{
	Suite *s = suite_create("session_descriptors");
	TCase *tc = tcase_create("session_descriptors");

	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_loop_test(tc, it_comes_with_its_frame_however_that_is_cut, 0, 64);
	tcase_add_test(tc, frames_before_it_and_after_it_change_nothing);
	tcase_add_test(tc, four_in_a_session_and_a_fifth_ends_it);
	tcase_add_test(tc, without_one_the_call_has_none);
	tcase_add_test(tc, what_the_handler_leaves_is_closed);
	tcase_add_test(tc, without_a_handler_it_is_closed);
	tcase_add_test(tc, with_params_that_do_not_fit_it_is_closed);
	tcase_add_loop_test(tc, whatever_else_brings_one_ends_the_session, 0, WITH_COUNT);
	tcase_add_test(tc, what_is_no_memfd_ends_it_and_its_close_waits_for_nobody);
	tcase_add_loop_test(tc, before_hello_and_from_a_command_they_end_it_too, 0, 3);
	tcase_add_test(tc, one_that_waits_for_its_frame_is_closed_with_the_session);
	tcase_add_test(tc, an_answer_brings_one_with_its_first_byte);
	tcase_add_test(tc, an_answer_that_nobody_reads_keeps_none);
	suite_add_tcase(s, tc);
	return s;
}

int main(void)
{
	return suite_run(descriptors_suite());
}
