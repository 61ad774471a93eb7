/* SPDX-License-Identifier: Apache-2.0 */
/* Sessions with peers that send too much, in pieces, or what is not theirs to send. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "daemon/util/clock.h"
#include "daemon/util/container.h"
#include "proto/limits.h"
#include "tests/unit/rig.h"

static struct rig rig;

static const struct wire_empty empty;

static void set_up(void)
{
	rig_init(&rig);
}

static void tear_down(void)
{
	rig_clear(&rig);
}

static struct account *account(void)
{
	return rig.accounts.by_uid;
}

/* ---- input */

static void hello_frame(struct prodd_buffer *b)
{
	struct wire_hello hello = { .protocol = 1, .client = { "test 1", 6 } };

	ck_assert_int_eq(prodd_frame_call(b, 1, WIRE_M_hello, &hello), 0);
}

START_TEST(a_byte_at_a_time_is_a_conversation)
{
	prodd_auto_buffer b = { 0 };
	int fd = rig_connect(&rig, false);

	hello_frame(&b);
	prodd_frame_call(&b, 2, WIRE_M_ping, &empty);
	for (size_t i = 0; i < b.size; i++) {
		rig_send(fd, b.at + i, 1);
		rig_run(&rig);
	}
	rig_expect(&rig, fd, 1, PRODD_OK);
	rig_expect(&rig, fd, 2, PRODD_OK);
	close(fd);
}
END_TEST

START_TEST(a_frame_cut_at_any_byte_is_waited_for)
{
	prodd_auto_buffer b = { 0 };
	size_t cut;

	hello_frame(&b);
	prodd_frame_call(&b, 2, WIRE_M_ping, &empty);
	for (cut = 1; cut < b.size; cut++) {
		int fd = rig_connect(&rig, false);

		rig_send(fd, b.at, cut);
		rig_run(&rig);
		rig_send(fd, b.at + cut, b.size - cut);
		rig_expect(&rig, fd, 1, PRODD_OK);
		rig_expect(&rig, fd, 2, PRODD_OK);
		close(fd);
	}
	for (cut = 1; cut < b.size; cut++) {
		int fd = rig_connect(&rig, false);

		rig_send(fd, b.at, cut);
		rig_run(&rig);
		close(fd);
	}
	rig_run(&rig);
	ck_assert_uint_eq(rig.host.count, 0);
	ck_assert_uint_eq(account()->bytes, 0);
}
END_TEST

static const struct {
	const char *bytes;
	size_t size;
	int code;
} bombs[] = {
	{ "\0\0\0\0", 4, PRODD_E_PROTOCOL },				/* length 0 */
	{ "\0\x04\0\x01", 4, PRODD_E_TOO_LARGE },			/* max + 1 */
	{ "\xff\xff\xff\xff", 4, PRODD_E_TOO_LARGE },
	{ "\x7f\xff\xff\xff", 4, PRODD_E_TOO_LARGE },
	{ "\0\0\0\x05\xdd\x04\0\0\0", 9, PRODD_E_PROTOCOL },		/* an array of 64 Mi values */
	{ "\0\0\0\x05\xdf\xff\xff\xff\xff", 9, PRODD_E_PROTOCOL },	/* a map */
	{ "\0\0\0\x05\xdb\xff\xff\xff\xff", 9, PRODD_E_PROTOCOL },	/* a string */
	{ "\0\0\0\x05\xc6\xff\xff\xff\xff", 9, PRODD_E_PROTOCOL },	/* bytes */
	{ "\0\0\0\x01\xc1", 5, PRODD_E_PROTOCOL },			/* the byte that is never used */
	{ "\0\0\0\x03\xc7\x01\x05", 7, PRODD_E_PROTOCOL },		/* an extension */
	{ "\0\0\0\x18\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\xc0",
	  28, PRODD_E_TOO_LARGE },					/* 23 deep */
	{ "\0\0\0\x01\x00", 5, PRODD_E_PROTOCOL },			/* no array */
	{ "\0\0\0\x01\x90", 5, PRODD_E_PROTOCOL },
	{ "\0\0\0\x02\x91\x07", 6, PRODD_E_PROTOCOL },			/* no such message */
	{ "\0\0\0\x05\x94\x01\x01\xc0\xc0", 9, PRODD_E_PROTOCOL },	/* an answer without a result */
	{ "\0\0\0\x06\x93\x02\xa1x\x80\xc0", 10, PRODD_E_PROTOCOL },	/* bytes behind the value */
};

START_TEST(a_bomb_gets_a_clear_error_and_ends_its_session_alone)
{
	int other = rig_greeted(&rig, false, NULL);
	int fd = rig_greeted(&rig, false, NULL);

	rig_send(fd, bombs[_i].bytes, bombs[_i].size);
	rig_expect(&rig, fd, 0, bombs[_i].code);
	rig_expect_end(&rig, fd);
	ck_assert_uint_lt(account()->bytes_max, 20000);
	ck_assert_uint_eq(counters.sessions_ended_protocol + counters.sessions_ended_too_large, 1);
	rig_send_call(other, 2, WIRE_M_ping, &empty);
	rig_expect(&rig, other, 2, PRODD_OK);
	close(fd);
	close(other);
}
END_TEST

/* A call of "ping" whose params hold a text of `size` bytes: unknown keys are skipped. */
static void send_long(int fd, uint32_t length)
{
	static const char head[] = "\x94\x00\x02\xa4" "ping\x81\xa1x\xdb";
	uint32_t text = length - (uint32_t)sizeof head + 1 - 4;
	char *frame = calloc(1, 4 + (size_t)length);
	size_t sent = 0;

	for (int i = 0; i < 4; i++) {
		frame[i] = (char)(length >> (24 - 8 * i));
		frame[4 + sizeof head - 1 + (size_t)i] = (char)(text >> (24 - 8 * i));
	}
	memcpy(frame + 4, head, sizeof head - 1);
	memset(frame + 4 + sizeof head - 1 + 4, 'x', text);
	for (int i = 0; i < 10000 && sent < 4 + (size_t)length; i++) {
		ssize_t n = send(fd, frame + sent, 4 + length - sent, MSG_NOSIGNAL);

		sent += n > 0 ? (size_t)n : 0;
		rig_run(&rig);
	}
	free(frame);
}

START_TEST(the_longest_frame_is_taken_and_one_byte_more_is_not)
{
	int fd = rig_greeted(&rig, false, NULL);

	send_long(fd, PRODD_FRAME_MAX);
	rig_expect(&rig, fd, 2, PRODD_OK);
	ck_assert_uint_ge(account()->bytes_max, PRODD_FRAME_MAX);
	ck_assert_uint_lt(account()->bytes, 10000);
	send_long(fd, PRODD_FRAME_MAX + 1);
	rig_expect(&rig, fd, 0, PRODD_E_TOO_LARGE);
	rig_expect_end(&rig, fd);
	ck_assert_uint_eq(counters.sessions_ended_too_large, 1);
	close(fd);
}
END_TEST

START_TEST(a_long_frame_leaves_nothing_behind_in_an_idle_session)
{
	int fd = rig_greeted(&rig, false, NULL);

	rig.limits.frames = 1;
	send_long(fd, PRODD_FRAME_MAX);
	rig_expect(&rig, fd, 2, PRODD_OK);
	ck_assert_uint_lt(account()->bytes, 5000);
	close(fd);
}
END_TEST

START_TEST(frames_that_are_never_finished_are_charged_until_the_uid_is_full)
{
	static char most[200000];
	int fds[64];
	unsigned n;

	memset(most, 'x', sizeof most);
	memcpy(most, "\0\x03\xff\xff\x94", 5);
	rig.accounts.limits.bytes_per_uid = 1024 * 1024;
	for (n = 0; n < 64 && counters.sessions_ended_memory + counters.connections_refused_uid == 0; n++) {
		fds[n] = rig_connect(&rig, false);
		if (fds[n] >= 0) {
			send(fds[n], most, sizeof most, MSG_NOSIGNAL);
			rig_run(&rig);
		}
	}
	ck_assert_uint_lt(n, 10);
	ck_assert_uint_eq(counters.sessions_ended_memory, 1);
	ck_assert_uint_le(account()->bytes_max, 1024 * 1024);
	ck_assert_uint_ge(account()->refused, 1);
	for (unsigned i = 0; i < n; i++)
		close(fds[i]);
}
END_TEST

START_TEST(a_turn_handles_a_bounded_number_of_frames)
{
	prodd_auto_buffer b = { .limit = 0 };
	int fd = rig_greeted(&rig, false, NULL);
	uint64_t before;

	rig.limits.frames = 10;
	for (uint64_t id = 1; id <= 100; id++)
		prodd_frame_call(&b, id, WIRE_M_ping, &empty);
	rig_send(fd, b.at, b.size);
	before = counters.calls_received;
	event_base_loop(rig.loop.base, EVLOOP_NONBLOCK);
	/* The budget of turns.h lets a session have several turns when nobody else waits. */
	ck_assert_uint_ge(counters.calls_received - before, 10);
	rig_run(&rig);
	ck_assert_uint_eq(counters.calls_received - before, 100);
	for (uint64_t id = 1; id <= 100; id++)
		rig_expect(&rig, fd, id, PRODD_OK);
	ck_assert_uint_lt(account()->bytes, 5000);
	close(fd);
}
END_TEST

/* ---- descriptors */

static unsigned count_descriptors(void)
{
	unsigned count = 0;

	for (int fd = 0; fd < 1024; fd++)
		count += fcntl(fd, F_GETFD) >= 0;
	return count;
}

static void send_descriptors(int fd, int count)
{
	_Alignas(struct cmsghdr) char control[CMSG_SPACE(253 * sizeof(int))] = { 0 };
	struct iovec iov = { "\0", 1 };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control,
			    .msg_controllen = CMSG_SPACE((size_t)count * sizeof(int)) };
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);
	int null = open("/dev/null", O_RDONLY);

	*c = (struct cmsghdr){ .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS,
			       .cmsg_len = CMSG_LEN((size_t)count * sizeof(int)) };
	for (int i = 0; i < count; i++)
		memcpy(CMSG_DATA(c) + (size_t)i * sizeof(int), &null, sizeof(int));
	ck_assert_int_eq(sendmsg(fd, &m, MSG_NOSIGNAL), 1);
	close(null);
}

START_TEST(descriptors_are_closed_and_end_the_session)
{
	unsigned before = count_descriptors();
	int fd = _i % 2 ? rig_greeted(&rig, false, NULL) : rig_connect(&rig, false);

	send_descriptors(fd, _i < 2 ? 1 : 253);
	rig_expect(&rig, fd, 0, PRODD_E_PROTOCOL);
	rig_expect_end(&rig, fd);
	ck_assert_uint_eq(counters.sessions_ended_descriptors, 1);
	close(fd);
	ck_assert_uint_le(count_descriptors(), before + 4);	/* the loop's own */
	ck_assert_uint_eq(rig.host.count, 0);
}
END_TEST

/* ---- accounts */

START_TEST(sessions_have_a_most_per_uid)
{
	int fds[11];

	rig.accounts.limits.sessions_per_uid = 10;
	for (int i = 0; i < 10; i++)
		ck_assert_int_ge(fds[i] = rig_connect(&rig, false), 0);
	ck_assert_int_lt(rig_connect(&rig, false), 0);
	ck_assert_uint_eq(counters.connections_refused_uid, 1);
	close(fds[0]);
	rig_run(&rig);
	ck_assert_int_ge(fds[10] = rig_connect(&rig, false), 0);
	for (int i = 1; i <= 10; i++)
		close(fds[i]);
}
END_TEST

static Suite *limits_suite(void)
{
	Suite *s = suite_create("session_limits");
	TCase *tc = tcase_create("session_limits");

	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_test(tc, a_byte_at_a_time_is_a_conversation);
	tcase_add_test(tc, a_frame_cut_at_any_byte_is_waited_for);
	tcase_add_loop_test(tc, a_bomb_gets_a_clear_error_and_ends_its_session_alone, 0, sizeof bombs / sizeof *bombs);
	tcase_add_test(tc, the_longest_frame_is_taken_and_one_byte_more_is_not);
	tcase_add_test(tc, a_long_frame_leaves_nothing_behind_in_an_idle_session);
	tcase_add_test(tc, frames_that_are_never_finished_are_charged_until_the_uid_is_full);
	tcase_add_test(tc, a_turn_handles_a_bounded_number_of_frames);
	tcase_add_loop_test(tc, descriptors_are_closed_and_end_the_session, 0, 4);
	tcase_add_test(tc, sessions_have_a_most_per_uid);
	suite_add_tcase(s, tc);
	return s;
}

int main(void)
{
	return suite_run(limits_suite());
}
