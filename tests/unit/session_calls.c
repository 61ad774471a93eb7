/* SPDX-License-Identifier: Apache-2.0 */
/* Calls in both directions: answers that come later, too late, again, or to nothing that was asked. */
#include <unistd.h>

#include "daemon/util/container.h"
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

/* ---- calls of a session */

START_TEST(answers_come_when_the_service_gives_them)
{
	struct wire_app_request params = { .app = { "mine", 4 } };
	struct wire_reports reports = { 0 };
	int fd = rig_greeted(&rig, false, NULL);

	rig_send_call(fd, 1, WIRE_M_confirm, &params);
	rig_send_call(fd, 2, WIRE_M_confirm, &params);
	rig_send_call(fd, 3, WIRE_M_ping, &empty);
	rig_expect(&rig, fd, 3, PRODD_OK);
	call_answer(rig.kept[1], &reports);
	rig_expect(&rig, fd, 2, PRODD_OK);
	call_answer(rig.kept[0], &reports);
	rig_expect(&rig, fd, 1, PRODD_OK);
	rig.kept_count = 0;
	close(fd);
}
END_TEST

START_TEST(a_call_outlives_its_session)
{
	struct wire_app_request params = { .app = { "mine", 4 } };
	struct wire_reports reports = { 0 };
	int fd = rig_greeted(&rig, false, NULL);

	rig_send_call(fd, 1, WIRE_M_confirm, &params);
	rig_run(&rig);
	ck_assert_ptr_eq(call_session(rig.kept[0]), rig.last);
	close(fd);
	rig_run(&rig);
	ck_assert_uint_eq(rig.host.count, 0);
	ck_assert_ptr_null(call_session(rig.kept[0]));
	call_answer(rig.kept[0], &reports);
	rig.kept_count = 0;
}
END_TEST

START_TEST(outstanding_calls_have_a_most)
{
	struct wire_app_request params = { .app = { "mine", 4 } };
	struct wire_reports reports = { 0 };
	int fd = rig_greeted(&rig, false, NULL);

	for (uint64_t id = 1; id <= rig.limits.calls; id++)
		rig_send_call(fd, id, WIRE_M_confirm, &params);
	rig_send_call(fd, 999, WIRE_M_confirm, &params);
	rig_expect(&rig, fd, 999, PRODD_E_OVER_LIMIT);
	ck_assert_uint_eq(rig.kept_count, rig.limits.calls);
	ck_assert_uint_eq(counters.calls_over_limit, 1);
	call_answer(rig.kept[0], &reports);
	rig.kept[0] = NULL;
	rig_expect(&rig, fd, 1, PRODD_OK);
	rig_send_call(fd, 1000, WIRE_M_confirm, &params);
	rig_run(&rig);
	ck_assert_uint_eq(rig.kept_count, rig.limits.calls + 1);
	close(fd);
}
END_TEST

/* ---- calls of the daemon */

struct waiting {
	struct outcall outcall;
	unsigned answers;
	unsigned ends;
};

static void answered(struct outcall *outcall, const struct prodd_message *answer)
{
	struct waiting *w = container_of(outcall, struct waiting, outcall);

	ck_assert_ptr_null(outcall->session);
	if (answer)
		w->answers++;
	else
		w->ends++;
}

static const struct wire_commit commit = { .txn = 1, .generation = 2 };
static const struct wire_applied applied = { .state = { "applied", 7 } };

static void ask(struct waiting *w)
{
	w->outcall.done = answered;
	ck_assert_int_eq(session_call(rig.last, &w->outcall, WIRE_M_config_commit, &commit, NULL, NULL), 0);
}

START_TEST(an_app_answers_the_daemon)
{
	struct waiting w[3] = { 0 };
	int fd = rig_greeted(&rig, false, "mine");

	for (int i = 0; i < 3; i++)
		ask(&w[i]);
	rig_send_answer(fd, w[2].outcall.id, &wire_record_applied, &applied);
	rig_send_answer(fd, w[0].outcall.id, &wire_record_applied, &applied);
	rig_run(&rig);
	ck_assert_uint_eq(w[0].answers, 1);
	ck_assert_uint_eq(w[1].answers, 0);
	ck_assert_uint_eq(w[2].answers, 1);
	close(fd);
	rig_run(&rig);
	ck_assert_uint_eq(w[1].ends, 1);
	ck_assert_uint_eq(w[0].ends + w[2].ends, 0);
}
END_TEST

START_TEST(late_and_repeated_answers_are_counted_and_ignored)
{
	struct waiting w[2] = { 0 };
	int fd = rig_greeted(&rig, false, "mine");

	ask(&w[0]);
	ask(&w[1]);
	outcall_cancel(&w[1].outcall);
	outcall_cancel(&w[1].outcall);
	for (int i = 0; i < 2; i++) {
		rig_send_answer(fd, 1, &wire_record_applied, &applied);
		rig_send_answer(fd, 2, &wire_record_applied, &applied);
	}
	rig_run(&rig);
	ck_assert_uint_eq(w[0].answers, 1);
	ck_assert_uint_eq(w[1].answers + w[1].ends, 0);
	ck_assert_uint_eq(counters.answers_late, 3);
	ck_assert_uint_eq(rig.host.count, 1);
	close(fd);
}
END_TEST

START_TEST(too_many_late_answers_end_the_session)
{
	struct waiting w = { 0 };
	int fd;

	rig.limits.late_answers = 5;
	fd = rig_greeted(&rig, false, "mine");
	ask(&w);
	for (int i = 0; i < 6; i++)
		rig_send_answer(fd, w.outcall.id ? w.outcall.id : 1, &wire_record_applied, &applied);
	rig_run(&rig);
	ck_assert_uint_eq(rig.host.count, 1);
	rig_send_answer(fd, 1, &wire_record_applied, &applied);
	rig_expect_end(&rig, fd);
	ck_assert_uint_eq(counters.answers_late, 6);
	ck_assert_uint_eq(counters.sessions_ended_protocol, 1);
	close(fd);
}
END_TEST

static const uint64_t forged_ids[] = { 0, 2, 3, INT64_MAX };

START_TEST(a_forged_answer_ends_the_session)
{
	struct waiting w = { 0 };
	int fd = rig_greeted(&rig, false, "mine");

	ask(&w);
	rig_send_answer(fd, forged_ids[_i], &wire_record_applied, &applied);
	rig_expect_end(&rig, fd);
	ck_assert_uint_eq(w.answers, 0);
	ck_assert_uint_eq(w.ends, 1);
	ck_assert_uint_eq(counters.answers_forged, 1);
	close(fd);
}
END_TEST

START_TEST(a_shared_body_is_one_frame_with_its_head)
{
	static const struct wire_config_entry entry = { .key = { "x", 1 }, .type = { "int", 3 },
							.value = { "\x07", 1 } };
	struct wire_apply apply = { .epoch = { "e", 1 }, .generation = 3, .hash = { "h", 1 } }, got;
	prodd_auto_buffer list = { 0 }, b = { 0 };
	struct waiting w = { .outcall.done = answered };
	struct prodd_message m;
	struct shared *shared;
	struct prodd_error e;
	uint32_t count = 0;
	bool end;
	int fd = rig_greeted(&rig, false, "mine");

	for (int i = 0; i < 8000; i++)
		prodd_encode_element(&list, &count, &wire_record_config_entry, &entry);
	shared = shared_new(prodd_list(&list, count));
	ck_assert_int_eq(session_call(rig.last, &w.outcall, WIRE_M_config_apply, &apply, "snapshot", shared), 0);
	ck_assert_uint_eq(shared->references, 2);
	ck_assert_uint_lt(HASH_COUNT(rig.accounts.by_uid) ? rig.accounts.by_uid->bytes : 0, 10000);
	rig_run(&rig);
	ck_assert(rig_take(fd, &b, &m, &end));
	ck_assert_int_eq(prodd_message_decode(&m, &wire_record_apply, &got, &e), 0);
	ck_assert_uint_eq(got.snapshot.count, 8000);
	ck_assert_uint_eq(shared->references, 1);
	outcall_cancel(&w.outcall);
	shared_unref(shared);
	close(fd);
}
END_TEST

static Suite *calls_suite(void)
{
	Suite *s = suite_create("session_calls");
	TCase *tc = tcase_create("session_calls");

	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_test(tc, answers_come_when_the_service_gives_them);
	tcase_add_test(tc, a_call_outlives_its_session);
	tcase_add_test(tc, outstanding_calls_have_a_most);
	tcase_add_test(tc, an_app_answers_the_daemon);
	tcase_add_test(tc, late_and_repeated_answers_are_counted_and_ignored);
	tcase_add_test(tc, too_many_late_answers_end_the_session);
	tcase_add_loop_test(tc, a_forged_answer_ends_the_session, 0, sizeof forged_ids / sizeof *forged_ids);
	tcase_add_test(tc, a_shared_body_is_one_frame_with_its_head);
	suite_add_tcase(s, tc);
	return s;
}

int main(void)
{
	return suite_run(calls_suite());
}
