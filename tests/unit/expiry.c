/* SPDX-License-Identifier: Apache-2.0 */
/* When the next override or confirmation ends: by which clock, and how long prodd sleeps until then. */
#include "daemon/config/expiry.h"

#include <stdio.h>

#include "daemon/config/config.h"
#include "daemon/util/clock.h"
#include "tests/unit/suite.h"

#define NOW_MS 1000000000000ull		/* where all clocks stand */
#define NEVER UINT64_MAX

static struct loop loop;
static struct config config;
static struct app app;
static struct scope scopes[2];
static struct store_row rows[2];
static struct prodd_error e;

static void set_up(void)
{
	ck_assert_int_eq(loop_init(&loop, &e), 0);
	memset(&config, 0, sizeof config);
	memset(&app, 0, sizeof app);
	memset(scopes, 0, sizeof scopes);
	memset(rows, 0, sizeof rows);
	config.loop = &loop;
	ck_assert_int_eq(expiry_init(&config, &e), 0);
	snprintf(app.name, sizeof app.name, "orders");
	app.config = &config;
	LIST_INIT(&app.scopes);
	HASH_ADD_STR(config.apps, name, &app);
	for (int i = 0; i < 2; i++) {
		scopes[i].app = &app;
		scopes[i].row = &rows[i];
		LIST_INSERT_HEAD(&app.scopes, &scopes[i], link);
	}
	clock_test_set(NOW_MS);
}

static void tear_down(void)
{
	clock_test_set(0);
	for (int i = 0; i < 2; i++)
		generation_unref(scopes[i].live);
	HASH_CLEAR(hh, config.apps);
	loop_timer_clear(&config.expiry);
	loop_clear(&loop);
}

/* Makes a generation live whose overrides end then; 0: one that does not end. */
static void live(unsigned scope, const uint64_t *ends, unsigned count)
{
	prodd_auto_buffer overrides = { .limit = 0 };
	problems_auto problems = { 0 };
	uint32_t rows_made = 0;
	char key[16];
	struct wire_generation draft = { .epoch = prodd_slice("e"), .app = prodd_slice("orders"),
					 .environment = prodd_slice("blue"), .number = 1,
					 .hash = prodd_slice("") };

	for (unsigned i = 0; i < count; i++) {
		struct wire_override override;

		snprintf(key, sizeof key, "k%u", i);
		override = (struct wire_override){ .key = prodd_slice(key), .text = prodd_slice("1"),
						   .expires_ms = ends[i] };
		prodd_encode_element(&overrides, &rows_made, &wire_record_override, &override);
	}
	draft.overrides = prodd_list(&overrides, rows_made);
	ck_assert_int_eq(generation_make(draft, &scopes[scope].live, &problems, &e), 0);
	rows[scope].generation = 1;
}

/* How long the timer is set for; NEVER: it is not. */
static uint64_t planned(void)
{
	struct timeval due, now, left;

	expiry_plan(&config);
	if (!loop_timer_armed(&config.expiry))
		return NEVER;
	event_pending(&config.expiry.event, EV_TIMEOUT, &due);
	evutil_gettimeofday(&now, NULL);
	evutil_timersub(&due, &now, &left);
	return left.tv_sec < 0 ? 0 : (uint64_t)left.tv_sec * 1000 + (uint64_t)left.tv_usec / 1000;
}

static void expect(uint64_t ms)
{
	uint64_t found = planned();

	if (ms == NEVER)
		ck_assert_uint_eq(found, NEVER);
	else
		ck_assert_msg(found <= ms + 5 && found + 2000 >= ms, "%lu instead of %lu", found, ms);
}

START_TEST(nothing_ends)
{
	expect(NEVER);
	live(0, (uint64_t[]){ 0 }, 1);
	expect(NEVER);
}
END_TEST

START_TEST(the_first_of_all_counts)
{
	live(0, (uint64_t[]){ NOW_MS + 40000, 0, NOW_MS + 20000 }, 3);
	expect(20000);
	live(1, (uint64_t[]){ NOW_MS + 10000 }, 1);
	expect(10000);
}
END_TEST

START_TEST(what_is_over_is_due_at_once)
{
	live(0, (uint64_t[]){ NOW_MS - 1 }, 1);
	expect(0);
}
END_TEST

START_TEST(a_long_sleep_is_cut_so_that_a_step_of_the_clock_is_seen)
{
	live(0, (uint64_t[]){ NOW_MS + 86400000 }, 1);
	expect(60000);
}
END_TEST

START_TEST(a_confirmation_ends_by_the_boot_clock)
{
	live(0, NULL, 0);
	rows[0].fallback = 7;
	rows[0].confirm_boot_ms = NOW_MS + 30000;
	expect(30000);
	rows[0].confirm_boot_ms = 0;		/* of another boot */
	expect(0);
	rows[0].fallback = 0;
	expect(NEVER);
}
END_TEST

START_TEST(an_end_that_failed_waits_for_its_next_try)
{
	live(0, (uint64_t[]){ NOW_MS - 1 }, 1);
	scopes[0].no_end_before_ms = NOW_MS + 30000;
	expect(30000);
	clock_test_set(NOW_MS + 30000);
	expect(0);
}
END_TEST

START_TEST(a_busy_app_is_planned_again_when_it_is_free)
{
	live(0, (uint64_t[]){ NOW_MS - 1 }, 1);
	app.confirming = true;
	expect(NEVER);
	app.confirming = false;
	expect(0);
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("expiry");
	TCase *tc = tcase_create("expiry");

	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_test(tc, nothing_ends);
	tcase_add_test(tc, the_first_of_all_counts);
	tcase_add_test(tc, what_is_over_is_due_at_once);
	tcase_add_test(tc, a_long_sleep_is_cut_so_that_a_step_of_the_clock_is_seen);
	tcase_add_test(tc, a_confirmation_ends_by_the_boot_clock);
	tcase_add_test(tc, an_end_that_failed_waits_for_its_next_try);
	tcase_add_test(tc, a_busy_app_is_planned_again_when_it_is_free);
	suite_add_tcase(s, tc);
	return s;
}

int main(void)
{
	if (suite_under_valgrind()) {
		puts("skipped: under valgrind timers are over before they are looked at");
		return 77;
	}
	return suite_run(suite());
}
