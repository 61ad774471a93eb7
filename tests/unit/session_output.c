/* SPDX-License-Identifier: Apache-2.0 */
/* Sessions with peers that do not read what they are sent, or read it slowly. */
#define _GNU_SOURCE
#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

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

/* Requests of which none of the answers is read, until prodd takes no more. */
static unsigned send_until_full(int fd, enum wire_method method, const void *params, unsigned most)
{
	prodd_auto_buffer b = { 0 };
	unsigned refused = 0, n = 0;

	ck_assert_int_eq(prodd_frame_call(&b, 5, method, params), 0);
	while (n < most && refused < 200) {
		if (send(fd, b.at, b.size, MSG_NOSIGNAL) == (ssize_t)b.size) {
			n++;
			refused = 0;
		} else if (errno == EPIPE) {
			break;
		} else {
			refused++;
		}
		event_base_loop(rig.loop.base, EVLOOP_NONBLOCK);
	}
	rig_run(&rig);
	return n;
}

static unsigned read_all(int fd, unsigned most)
{
	prodd_auto_buffer b = { 0 };
	struct prodd_message m;
	unsigned n = 0, nothing = 0;
	bool end;

	while (n < most && nothing < 1000) {
		if (rig_take(fd, &b, &m, &end))
			n++, nothing = 0;
		else
			nothing++;
		rig_run(&rig);
	}
	return n;
}

START_TEST(who_does_not_read_is_not_read_from)
{
	int fd = rig_greeted(&rig, false, NULL);
	unsigned sent = send_until_full(fd, WIRE_M_ping, &empty, 1000000);

	ck_assert_uint_gt(sent, 1000);
	ck_assert_uint_lt(sent, 1000000);
	ck_assert_uint_ge(counters.reads_paused, 1);
	ck_assert_uint_eq(rig.host.count, 1);
	ck_assert_uint_le(account()->bytes_max, 256 * 1024);
	ck_assert_uint_eq(read_all(fd, sent), sent);
	rig_run(&rig);
	ck_assert_uint_lt(account()->bytes, 5000);
	rig_send_call(fd, 9, WIRE_M_ping, &empty);
	rig_expect(&rig, fd, 9, PRODD_OK);
	close(fd);
}
END_TEST

START_TEST(ten_thousand_requests_are_answered_whenever_they_are_read)
{
	int fd = rig_greeted(&rig, false, NULL);
	prodd_auto_buffer b = { 0 };
	size_t sent = 0;
	unsigned read = 0;

	for (unsigned i = 0; i < 10000; i++)
		prodd_frame_call(&b, i, WIRE_M_ping, &empty);
	while (sent < b.size) {
		ssize_t n = send(fd, b.at + sent, b.size - sent, MSG_NOSIGNAL);

		sent += n > 0 ? (size_t)n : 0;
		rig_run(&rig);
		if (n < 0)
			read += read_all(fd, 100);
	}
	ck_assert_uint_eq(read + read_all(fd, 10000 - read), 10000);
	ck_assert_uint_le(account()->bytes_max, 256 * 1024);
	close(fd);
}
END_TEST

/* Lets a config.schema be answered with about `size` bytes. */
static void fill_answers(struct prodd_buffer *b, size_t size)
{
	static char help[1000];
	struct wire_schema_key key = { .key = { "x", 1 }, .type = { "int", 3 }, .help = { help, sizeof help } };
	uint32_t count = 0;

	memset(help, 'h', sizeof help);
	while (b->size < size)
		prodd_encode_element(b, &count, &wire_record_schema_key, &key);
	rig.filler = prodd_list(b, count);
}

START_TEST(large_answers_wait_one_at_a_time)
{
	struct wire_app_request params = { .app = { "x", 1 } };
	prodd_auto_buffer requests = { 0 }, filler = { 0 };
	int fd = rig_greeted(&rig, true, NULL);

	fill_answers(&filler, 50000);
	for (uint64_t id = 1; id <= 400; id++)
		prodd_frame_call(&requests, id, WIRE_M_config_schema, &params);
	rig_send(fd, requests.at, requests.size);
	rig_run(&rig);
	ck_assert_uint_le(account()->bytes_max, rig.limits.output_soft + 4 * filler.size);
	ck_assert_uint_eq(read_all(fd, 400), 400);
	ck_assert_uint_le(account()->bytes_max, rig.limits.output_soft + 4 * filler.size);
	close(fd);
}
END_TEST

START_TEST(notes_to_one_who_does_not_read_end_the_session_at_the_hard_limit)
{
	static char reason[500];
	struct wire_abort abort = { .txn = 1, .reason = { reason, sizeof reason } };
	unsigned n = 0;
	int fd, r;

	memset(reason, 'x', sizeof reason);
	fd = rig_greeted(&rig, false, "mine");
	do {
		r = session_note(rig.last, WIRE_M_config_abort, &abort);
		event_base_loop(rig.loop.base, EVLOOP_NONBLOCK);
	} while (r == 0 && ++n < 100000);
	ck_assert_int_eq(r, -PRODD_E_OVER_LIMIT);
	ck_assert_uint_eq(counters.sessions_ended_output, 1);
	ck_assert_uint_le(account()->bytes_max, rig.limits.output_hard * 5 / 2);
	rig_run(&rig);
	ck_assert_uint_eq(rig.host.count, 0);
	ck_assert_uint_eq(account()->bytes, 0);
	close(fd);
}
END_TEST

static void forget_answer(struct outcall *outcall, const struct prodd_message *answer)
{
	(void)outcall;
	(void)answer;
}

START_TEST(shared_bodies_have_a_most)
{
	static char body[300000];
	struct wire_apply apply = { .epoch = { "e", 1 }, .generation = 3, .hash = { "h", 1 } };
	struct shared *shared = shared_new((struct prodd_list){ body, sizeof body, 1 });
	struct outcall calls[20] = { 0 };
	unsigned n;
	int r = 0, fd = rig_greeted(&rig, false, "mine");

	for (n = 0; n < 20 && r == 0; n++) {
		calls[n].done = forget_answer;
		r = session_call(rig.last, &calls[n], WIRE_M_config_apply, &apply, "snapshot", shared);
		event_base_loop(rig.loop.base, EVLOOP_NONBLOCK);
	}
	ck_assert_int_eq(r, -PRODD_E_OVER_LIMIT);
	ck_assert_uint_ge(n, rig.limits.shared + 1);
	ck_assert_uint_le(n, rig.limits.shared + 2);	/* the kernel has taken some of the first */
	for (unsigned i = 0; i < 20; i++)
		outcall_cancel(&calls[i]);
	rig_run(&rig);
	ck_assert_uint_eq(shared->references, 1);
	shared_unref(shared);
	close(fd);
}
END_TEST

START_TEST(who_reads_nothing_for_too_long_is_cut)
{
	int fd;

	rig.limits.stall_ms = 50;
	fd = rig_greeted(&rig, false, NULL);
	send_until_full(fd, WIRE_M_ping, &empty, 1000000);
	rig_until(&rig, &counters.connections_closed, 1);
	ck_assert_uint_eq(counters.sessions_ended_output, 1);
	close(fd);
}
END_TEST

START_TEST(who_reads_slowly_is_not_cut)
{
	static char some[100000];
	struct wire_app_request params = { .app = { "x", 1 } };
	prodd_auto_buffer filler = { 0 };
	int fd;

	rig.limits.stall_ms = 400;
	fd = rig_greeted(&rig, true, NULL);
	fill_answers(&filler, 1000000);
	rig_send_call(fd, 1, WIRE_M_config_schema, &params);
	for (int i = 0; i < 8; i++) {
		rig_pass(&rig, 100);
		ck_assert_int_gt(recv(fd, some, sizeof some, 0), 0);
	}
	ck_assert_uint_eq(counters.sessions_ended_output, 0);
	ck_assert_uint_eq(rig.host.count, 1);
	close(fd);
}
END_TEST

static Suite *output_suite(void)
{
	Suite *s = suite_create("session_output");
	TCase *tc = tcase_create("session_output");

	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_test(tc, who_does_not_read_is_not_read_from);
	tcase_add_test(tc, ten_thousand_requests_are_answered_whenever_they_are_read);
	tcase_add_test(tc, large_answers_wait_one_at_a_time);
	tcase_add_test(tc, notes_to_one_who_does_not_read_end_the_session_at_the_hard_limit);
	tcase_add_test(tc, shared_bodies_have_a_most);
	tcase_add_test(tc, who_reads_nothing_for_too_long_is_cut);
	tcase_add_test(tc, who_reads_slowly_is_not_cut);
	suite_add_tcase(s, tc);
	return s;
}

int main(void)
{
	return suite_run(output_suite());
}
