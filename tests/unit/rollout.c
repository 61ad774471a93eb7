/* SPDX-License-Identifier: Apache-2.0 */
/* Rollouts over sessions: who answered, who failed, who left, who was silent, who came later. */
#include "daemon/core/rollout.h"

#include <stdlib.h>
#include <unistd.h>

#include "daemon/util/container.h"
#include "tests/unit/rig.h"

enum { members = 4 };

struct test_rollout {
	struct rollout rollout;
	struct rollout_member members[members + 1];
	int fds[members];
	struct session *sessions[members];
	uint64_t done;
	unsigned answers;
	bool refuse;		/* the next answer */
	bool clear_when_done;
	struct test_rollout **freed_when_done;
	struct loop_timer joining;	/* fires between the last answer and what it settles */
	bool join;
};

static struct rig rig;
static struct test_rollout *t;

static const struct wire_commit commit = { .txn = 1, .generation = 2 };
static const struct wire_applied applied = { .state = { "applied", 7 } };

static int answered(struct rollout *rollout, struct rollout_member *member, const struct prodd_message *answer)
{
	struct test_rollout *test = container_of(rollout, struct test_rollout, rollout);

	ck_assert_ptr_nonnull(answer);
	ck_assert_ptr_eq(member->rollout, rollout);
	test->answers++;
	if (test->join && test->answers == members - 1)
		loop_timer_soon(&test->joining);
	return test->refuse || answer->error.code ? -PRODD_E_INVALID : 0;
}

static void done(struct rollout *rollout)
{
	struct test_rollout *test = container_of(rollout, struct test_rollout, rollout);

	test->done++;
	if (test->clear_when_done)
		rollout_clear(rollout);
	if (test->freed_when_done) {
		rollout_clear(rollout);
		*test->freed_when_done = NULL;
		free(test);
	}
}

static void send_all(void)
{
	for (int i = 0; i < members; i++)
		rollout_add(&t->rollout, &t->members[i], t->sessions[i], WIRE_M_config_commit, &commit, NULL, NULL);
}

static void set_up(void)
{
	struct prodd_error e;

	rig_init(&rig);
	t = calloc(1, sizeof *t);
	t->rollout.answered = answered;
	t->rollout.done = done;
	ck_assert_int_eq(rollout_init(&t->rollout, &rig.loop, &e), 0);
	for (int i = 0; i < members; i++) {
		t->fds[i] = rig_greeted(&rig, false, "mine");
		t->sessions[i] = rig.last;
	}
}

static void tear_down(void)
{
	if (t) {
		rollout_clear(&t->rollout);
		rollout_clear(&t->rollout);
		for (int i = 0; i < members; i++)
			if (t->fds[i] >= 0)
				close(t->fds[i]);
		free(t);
	}
	rig_clear(&rig);
}

static void answer(int i)
{
	rig_send_answer(t->fds[i], t->members[i].outcall.id, &wire_record_applied, &applied);
	rig_run(&rig);
}

static void answer_error(int i)
{
	struct prodd_error e = { PRODD_E_FAILED, "no" };
	prodd_auto_buffer b = { 0 };

	prodd_frame_error(&b, t->members[i].outcall.id, &e);
	rig_send(t->fds[i], b.at, b.size);
	rig_run(&rig);
}

static void leave(int i)
{
	close(t->fds[i]);
	t->fds[i] = -1;
	rig_run(&rig);
}

START_TEST(all_answer)
{
	send_all();
	rollout_start(&t->rollout, 60000);
	for (int i = 0; i < members; i++) {
		ck_assert_uint_eq(t->done, 0);
		answer(i);
	}
	ck_assert_uint_eq(t->done, 1);
	ck_assert(!loop_timer_armed(&t->rollout.deadline));
	for (int i = 0; i < members; i++)
		ck_assert_int_eq(t->members[i].outcome, ROLLOUT_ANSWERED);
}
END_TEST

START_TEST(each_member_has_its_outcome)
{
	send_all();
	rollout_start(&t->rollout, 60);
	answer(0);
	answer_error(1);
	leave(2);
	ck_assert_uint_eq(t->done, 0);
	rig_until(&rig, &t->done, 1);
	ck_assert_int_eq(t->members[0].outcome, ROLLOUT_ANSWERED);
	ck_assert_int_eq(t->members[1].outcome, ROLLOUT_FAILED);
	ck_assert_int_eq(t->members[2].outcome, ROLLOUT_GONE);
	ck_assert_int_eq(t->members[3].outcome, ROLLOUT_SILENT);
	ck_assert_uint_gt(t->members[0].elapsed_us, 0);
	answer(3);		/* late: nobody hears it */
	ck_assert_uint_eq(t->answers, 2);
	ck_assert_uint_eq(t->done, 1);
}
END_TEST

START_TEST(nobody_is_done_in_a_later_turn)
{
	rollout_start(&t->rollout, 60000);
	ck_assert_uint_eq(t->done, 0);
	rig_run(&rig);
	ck_assert_uint_eq(t->done, 1);
}
END_TEST

START_TEST(it_is_not_done_before_it_is_started)
{
	send_all();
	for (int i = 0; i < members; i++)
		answer(i);
	ck_assert_uint_eq(t->done, 0);
	rollout_start(&t->rollout, 60000);
	ck_assert_uint_eq(t->done, 0);
	rig_run(&rig);
	ck_assert_uint_eq(t->done, 1);
}
END_TEST

static void join(struct loop_timer *timer)
{
	struct test_rollout *test = container_of(timer, struct test_rollout, joining);

	ck_assert_uint_eq(test->rollout.waiting, 0);
	ck_assert_uint_eq(test->done, 0);
	rollout_add(&test->rollout, &test->members[3], test->sessions[3], WIRE_M_config_commit, &commit, NULL, NULL);
}

START_TEST(a_joiner_is_waited_for_until_the_very_end)
{
	struct prodd_error e;

	ck_assert_int_eq(loop_timer_init(&t->joining, &rig.loop, join, &e), 0);
	t->join = true;
	for (int i = 0; i < members - 1; i++)
		rollout_add(&t->rollout, &t->members[i], t->sessions[i], WIRE_M_config_commit, &commit, NULL, NULL);
	rollout_start(&t->rollout, 60000);
	for (int i = 0; i < members - 1; i++)
		answer(i);
	ck_assert_uint_eq(t->done, 0);
	answer(3);
	ck_assert_uint_eq(t->done, 1);
	ck_assert_int_eq(t->members[3].outcome, ROLLOUT_ANSWERED);
	loop_timer_clear(&t->joining);
}
END_TEST

START_TEST(a_session_that_is_ending_counts_as_gone)
{
	session_end(t->sessions[1], 5000);
	send_all();
	rollout_start(&t->rollout, 60000);
	ck_assert_int_eq(t->members[1].outcome, ROLLOUT_GONE);
	ck_assert_uint_eq(t->rollout.waiting, members - 1);
}
END_TEST

START_TEST(the_owner_may_go_inside_done)
{
	int fds[members];

	memcpy(fds, t->fds, sizeof fds);
	t->freed_when_done = &t;
	send_all();
	rollout_start(&t->rollout, 60000);
	for (int i = 0; i < members; i++)
		rig_send_answer(t->fds[i], t->members[i].outcall.id, &wire_record_applied, &applied);
	rig_run(&rig);
	ck_assert_ptr_null(t);
	for (int i = 0; i < members; i++)
		close(fds[i]);
}
END_TEST

START_TEST(members_go_from_round_to_round)
{
	t->clear_when_done = true;
	for (unsigned round = 1; round < 5; round++) {
		send_all();
		rollout_start(&t->rollout, 60000);
		for (int i = 0; i < members; i++)
			answer(i);
		ck_assert_uint_eq(t->done, round);
		ck_assert_ptr_null(t->members[0].rollout);
	}
	/* And from the middle of one into the next: the commit of an offer that was not answered. */
	send_all();
	send_all();
	ck_assert_uint_eq(t->rollout.waiting, members);
	rollout_start(&t->rollout, 60000);
	for (int i = 0; i < members; i++)
		answer(i);
	ck_assert_uint_eq(t->done, 5);
}
END_TEST

START_TEST(cleared_it_hears_nothing)
{
	send_all();
	rollout_start(&t->rollout, 10);
	rollout_clear(&t->rollout);
	rig_send_answer(t->fds[0], 1, &wire_record_applied, &applied);
	leave(1);
	rig_run(&rig);
	ck_assert_uint_eq(t->answers + t->done, 0);
	ck_assert_uint_eq(counters.answers_late, 1);
	rollout_clear(&(struct rollout){ 0 });
}
END_TEST

static Suite *rollout_suite(void)
{
	Suite *s = suite_create("rollout");
	TCase *tc = tcase_create("rollout");

	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_test(tc, all_answer);
	tcase_add_test(tc, each_member_has_its_outcome);
	tcase_add_test(tc, nobody_is_done_in_a_later_turn);
	tcase_add_test(tc, it_is_not_done_before_it_is_started);
	tcase_add_test(tc, a_joiner_is_waited_for_until_the_very_end);
	tcase_add_test(tc, a_session_that_is_ending_counts_as_gone);
	tcase_add_test(tc, the_owner_may_go_inside_done);
	tcase_add_test(tc, members_go_from_round_to_round);
	tcase_add_test(tc, cleared_it_hears_nothing);
	suite_add_tcase(s, tc);
	return s;
}

int main(void)
{
	return suite_run(rollout_suite());
}
