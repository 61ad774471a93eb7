/* SPDX-License-Identifier: Apache-2.0 */
/* Accounts: what is charged, what is refused, and room for others; and whose turn it is. */
#include "daemon/core/account.h"

#include "daemon/util/clock.h"
#include "daemon/util/container.h"
#include "tests/unit/suite.h"

START_TEST(bytes_are_charged_to_the_limit_and_given_back)
{
	struct accounts all = { .limits.bytes_per_uid = 1000 };
	struct account *a = account_open(&all, 7);

	ck_assert(account_charge(&all, a, 0));
	ck_assert(account_charge(&all, a, 600));
	ck_assert(!account_charge(&all, a, 401));
	ck_assert(!account_charge(&all, a, SIZE_MAX));
	ck_assert_uint_eq(a->bytes, 600);
	ck_assert(account_charge(&all, a, 400));
	ck_assert(!account_charge(&all, a, 1));
	account_discharge(&all, a, 1000);
	ck_assert_uint_eq(a->bytes, 0);
	ck_assert_uint_eq(a->bytes_max, 1000);
	ck_assert_uint_eq(a->refused, 3);
	accounts_clear(&all);
}
END_TEST

START_TEST(without_configuration_the_limits_are_those_of_the_manual)
{
	struct accounts all = { 0 };
	struct account *a = account_open(&all, 7);

	ck_assert(account_charge(&all, a, 16 * 1024 * 1024));
	ck_assert(!account_charge(&all, a, 1));
	for (int i = 1; i < 1024; i++) {
		ck_assert_int_eq(account_room(&all, 7), ACCOUNT_HAS_ROOM);
		account_open(&all, 7);
	}
	ck_assert_int_eq(account_room(&all, 7), ACCOUNT_FULL_UID);
	ck_assert_int_eq(account_room(&all, 8), ACCOUNT_HAS_ROOM);
	accounts_clear(&all);
}
END_TEST

/* Opens as many as there is room for. */
static unsigned fill(struct accounts *all, uid_t uid)
{
	unsigned n = 0;

	while (account_room(all, uid) == ACCOUNT_HAS_ROOM) {
		account_open(all, uid);
		n++;
	}
	return n;
}

START_TEST(no_uid_fills_the_daemon)
{
	struct accounts all = { .limits = { .sessions_per_uid = 1000, .sessions = 96 } };

	ck_assert_uint_eq(fill(&all, 1), 48);
	ck_assert_int_eq(account_room(&all, 1), ACCOUNT_FULL_DAEMON);
	ck_assert_uint_eq(fill(&all, 2), 24);
	ck_assert_uint_eq(fill(&all, 3), 12);
	for (uid_t uid = 10; uid < 14; uid++)
		ck_assert_uint_ge(fill(&all, uid), 1);
	ck_assert_uint_le(all.sessions, 96);
	accounts_clear(&all);
}
END_TEST

START_TEST(accounts_nobody_uses_are_forgotten_oldest_first)
{
	struct accounts all = { 0 };
	struct account *used = account_open(&all, 0);

	for (uid_t uid = 1; uid < 5000; uid++)
		account_close(&all, account_open(&all, uid));
	ck_assert_uint_le(HASH_COUNT(all.by_uid), ACCOUNTS_KEPT);
	ck_assert_ptr_eq(account_open(&all, 0), used);
	ck_assert_uint_eq(all.sessions, 2);
	accounts_clear(&all);
}
END_TEST

/* ---- turns */

struct worker {
	struct turn turn;
	struct turns *turns;
	unsigned wishes;	/* turns that it still wants */
	unsigned had;
	unsigned *order;	/* counts all turns of all workers */
	unsigned last;		/* when its last one was */
	uint64_t work_us;
};

static void work(struct turn *turn)
{
	struct worker *w = container_of(turn, struct worker, turn);
	uint64_t end = clock_monotonic_us() + w->work_us;

	w->had++;
	w->last = ++*w->order;
	while (clock_monotonic_us() < end)
		;
	if (--w->wishes > 0)
		turns_wish(w->turns, turn);
}

START_TEST(a_uid_with_many_sessions_waits_in_one_place)
{
	struct turn_queue queues[2] = { 0 };
	struct worker flood[100], polite;
	struct turns turns;
	struct prodd_error e;
	struct loop loop;
	unsigned order = 0;

	ck_assert_int_eq(loop_init(&loop, &e), 0);
	ck_assert_int_eq(turns_init(&turns, &loop, &e), 0);
	for (int i = 0; i < 100; i++) {
		flood[i] = (struct worker){ { .run = work, .queue = &queues[0] }, &turns, 50, 0, &order, 0, 0 };
		turns_wish(&turns, &flood[i].turn);
		turns_wish(&turns, &flood[i].turn);	/* once is enough */
	}
	polite = (struct worker){ { .run = work, .queue = &queues[1] }, &turns, 3, 0, &order, 0, 0 };
	turns_wish(&turns, &polite.turn);
	while (polite.wishes > 0)
		event_base_loop(loop.base, EVLOOP_NONBLOCK);
	ck_assert_uint_eq(polite.last, 6);	/* every other turn is its own */
	turns_cancel(&turns, &flood[0].turn);
	turns_cancel(&turns, &flood[0].turn);
	flood[0].had = 50;
	for (int i = 0; i < 1000; i++)
		event_base_loop(loop.base, EVLOOP_NONBLOCK);
	for (int i = 0; i < 100; i++)
		ck_assert_uint_eq(flood[i].had, 50);
	ck_assert(TAILQ_EMPTY(&turns.round));
	turns_clear(&turns);
	loop_clear(&loop);
}
END_TEST

static void note_fire(struct loop_timer *timer)
{
	loop_timer_disarm(timer);
}

START_TEST(the_loop_looks_at_other_things_between_turns)
{
	struct turn_queue queue = { 0 };
	struct worker busy;
	struct loop_timer timer;
	struct turns turns;
	struct prodd_error e;
	struct loop loop;
	unsigned order = 0;

	ck_assert_int_eq(loop_init(&loop, &e), 0);
	ck_assert_int_eq(turns_init(&turns, &loop, &e), 0);
	busy = (struct worker){ { .run = work, .queue = &queue }, &turns, 1000, 0, &order, 0, 500 };
	ck_assert_int_eq(loop_timer_init(&timer, &loop, note_fire, &e), 0);
	loop_timer_arm(&timer, 5);
	turns_wish(&turns, &busy.turn);
	while (loop_timer_armed(&timer))
		event_base_loop(loop.base, EVLOOP_ONCE);
	ck_assert_uint_lt(busy.had, 900);
	turns_cancel(&turns, &busy.turn);
	turns_clear(&turns);
	loop_timer_clear(&timer);
	loop_clear(&loop);
}
END_TEST

static Suite *account_suite(void)
{
	Suite *s = suite_create("account");
	TCase *tc = tcase_create("account");

	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, bytes_are_charged_to_the_limit_and_given_back);
	tcase_add_test(tc, without_configuration_the_limits_are_those_of_the_manual);
	tcase_add_test(tc, no_uid_fills_the_daemon);
	tcase_add_test(tc, accounts_nobody_uses_are_forgotten_oldest_first);
	tcase_add_test(tc, a_uid_with_many_sessions_waits_in_one_place);
	tcase_add_test(tc, the_loop_looks_at_other_things_between_turns);
	suite_add_tcase(s, tc);
	return s;
}

int main(void)
{
	return suite_run(account_suite());
}
