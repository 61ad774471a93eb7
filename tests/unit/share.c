/* SPDX-License-Identifier: Apache-2.0 */
/* A rate that several share: nobody gets less than an even part of it, and what is left over is not lost. */
#include "daemon/log/share.h"

#include "tests/unit/suite.h"

#define SECOND UINT64_C(1000000)

static unsigned take(struct shares *shares, struct share *share, unsigned wishes)
{
	unsigned taken = 0;

	while (wishes-- > 0)
		taken += shares_take(shares, share);
	return taken;
}

START_TEST(without_a_rate_all_pass)
{
	struct shares shares;
	struct share one = { 0 };

	shares_init(&shares, 0, 0);
	shares_enter(&shares, &one);
	shares_fill(&shares, SECOND);
	ck_assert_uint_eq(take(&shares, &one, 100000), 100000);
}
END_TEST

START_TEST(one_alone_has_the_burst_and_then_the_rate)
{
	struct shares shares;
	struct share one = { 0 };

	shares_init(&shares, 100, 500);
	shares_enter(&shares, &one);
	shares_fill(&shares, 7 * SECOND);
	ck_assert_uint_eq(take(&shares, &one, 1000), 500);
	for (unsigned tenth = 1; tenth <= 50; tenth++) {
		shares_fill(&shares, 7 * SECOND + tenth * SECOND / 10);
		ck_assert_uint_eq(take(&shares, &one, 1000), 10);
	}
	shares_fill(&shares, 3600 * SECOND);
	ck_assert_uint_le(take(&shares, &one, 10000), 1000);
}
END_TEST

START_TEST(a_burst_of_0_is_the_rate)
{
	struct shares shares;
	struct share one = { 0 };

	shares_init(&shares, 100, 0);
	shares_enter(&shares, &one);
	shares_fill(&shares, SECOND);
	ck_assert_uint_eq(take(&shares, &one, 1000), 100);
}
END_TEST

/* The greedy one comes first each time. */
START_TEST(greed_takes_nothing_from_an_even_part)
{
	struct shares shares;
	struct share greedy = { 0 }, modest = { 0 };
	unsigned got = 0, most = 0;

	shares_init(&shares, 100, 100);
	shares_enter(&shares, &greedy);
	shares_enter(&shares, &modest);
	shares_fill(&shares, SECOND);
	take(&shares, &greedy, 1000);
	for (unsigned i = 1; i <= 100; i++) {
		shares_fill(&shares, SECOND + i * SECOND / 10);
		most += take(&shares, &greedy, 1000);
		got += take(&shares, &modest, 4);
	}
	ck_assert_uint_eq(got, 400);
	ck_assert_uint_ge(most, 500);
	ck_assert_uint_le(most, 600);
}
END_TEST

START_TEST(what_one_leaves_is_for_the_others)
{
	struct shares shares;
	struct share busy = { 0 }, idle = { 0 };
	unsigned got = 0;

	shares_init(&shares, 100, 20);
	shares_enter(&shares, &busy);
	shares_enter(&shares, &idle);
	shares_fill(&shares, SECOND);
	take(&shares, &busy, 1000);
	for (unsigned i = 1; i <= 1000; i++) {
		shares_fill(&shares, SECOND + i * SECOND / 100);
		got += take(&shares, &busy, 10);
	}
	ck_assert_uint_ge(got, 950);
	ck_assert_uint_le(got, 1000);
	shares_leave(&shares, &idle);
	shares_leave(&shares, &idle);
	shares_leave(&shares, &busy);
	ck_assert_uint_eq(shares.count, 0);
}
END_TEST

/* However often it is filled, nothing is rounded away. */
START_TEST(small_steps_add_up)
{
	struct shares shares;
	struct share one = { 0 };
	unsigned got = 0;

	shares_init(&shares, 3, 1);
	shares_enter(&shares, &one);
	shares_fill(&shares, SECOND);
	got += take(&shares, &one, 10);
	for (uint64_t at = SECOND + 7; at <= 11 * SECOND; at += 7) {
		shares_fill(&shares, at);
		got += take(&shares, &one, 10);
	}
	ck_assert_uint_ge(got, 30);
	ck_assert_uint_le(got, 31);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("share");
	TCase *tc = tcase_create("share");

	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, without_a_rate_all_pass);
	tcase_add_test(tc, one_alone_has_the_burst_and_then_the_rate);
	tcase_add_test(tc, a_burst_of_0_is_the_rate);
	tcase_add_test(tc, greed_takes_nothing_from_an_even_part);
	tcase_add_test(tc, what_one_leaves_is_for_the_others);
	tcase_add_test(tc, small_steps_add_up);
	suite_add_tcase(s, tc);
	return suite_run(s);
}
