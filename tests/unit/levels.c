/* SPDX-License-Identifier: Apache-2.0 */
/* Levels at run time: who is told what, and their end by command and by time. */
#define _GNU_SOURCE
#include "daemon/log/levels.h"

#include <stdio.h>
#include <unistd.h>

#include "tests/unit/rig.h"

static struct rig rig;
static struct events *events;
static struct levels levels;

static void set_up(void)
{
	struct prodd_error e;

	rig_init(&rig);
	ck_assert_int_eq(events_new(&events, &rig.loop, &e), 0);
	memset(&levels, 0, sizeof levels);
	ck_assert_int_eq(levels_init(&levels, &rig.loop, events, &e), 0);
	rig.host.handlers[WIRE_M_log_level] = &levels.log_level;
}

static void tear_down(void)
{
	session_host_clear(&rig.host);
	ck_assert(LIST_EMPTY(&levels.listeners));
	levels_clear(&levels);
	levels_clear(&levels);
	events = events_free(events);
	rig_clear(&rig);
}

/* A session of an app that logs. */
static int logger(const char *app)
{
	int fd = rig_greeted(&rig, false, app);

	levels_greet(&levels, rig.last);
	levels_greet(&levels, rig.last);
	return fd;
}

static void set(int fd, uint64_t id, const char *app, const char *target, const char *level, uint64_t for_ms, int code)
{
	struct wire_level_request params = { .app = prodd_slice(app), .target = prodd_slice(target),
					     .level = prodd_slice(level), .for_ms = for_ms };

	rig_send_call(fd, id, WIRE_M_log_level, &params);
	if (code)
		rig_expect(&rig, fd, id, code);
}

static void write_rows(struct prodd_list list, char *to, size_t size)
{
	struct prodd_iter it = prodd_iter(list);
	struct wire_level_row row;

	*to = '\0';
	while (prodd_next(&it, &wire_record_level_row, &row, NULL) > 0) {
		size_t at = strlen(to);

		snprintf(to + at, size - at, "%.*s=%.*s%s ", PRODD_SLICE(row.target), PRODD_SLICE(row.level),
			 row.left_ms ? "!" : "");
	}
}

/* The answer: the levels, written out, and who was told. */
static void expect_set(int fd, uint64_t id, const char *rows, uint64_t instances)
{
	prodd_auto_buffer b = { 0 };
	struct wire_levels_set result;
	struct prodd_message m;
	struct prodd_error e;
	char text[8192];
	bool end;

	rig_run(&rig);
	ck_assert(rig_take(fd, &b, &m, &end));
	ck_assert_uint_eq(m.id, id);
	ck_assert_msg(m.error.code == PRODD_OK, "%s", m.error.text);
	ck_assert_int_eq(prodd_message_decode(&m, &wire_record_levels_set, &result, &e), 0);
	write_rows(result.levels, text, sizeof text);
	ck_assert_str_eq(text, rows);
	ck_assert_uint_eq(result.instances, instances);
}

static void expect_note(int fd, const char *rows)
{
	prodd_auto_buffer b = { 0 };
	struct prodd_message m;
	struct wire_levels note;
	struct prodd_error e;
	char text[8192];
	bool end;

	rig_run(&rig);
	ck_assert(rig_take(fd, &b, &m, &end));
	ck_assert_int_eq(m.type, PRODD_NOTE);
	ck_assert_int_eq(m.method, WIRE_M_log_levels);
	ck_assert_int_eq(prodd_message_decode(&m, &wire_record_levels, &note, &e), 0);
	write_rows(note.levels, text, sizeof text);
	ck_assert_str_eq(text, rows);
}

static void expect_nothing(int fd)
{
	prodd_auto_buffer b = { 0 };
	struct prodd_message m;
	bool end;

	rig_run(&rig);
	ck_assert(!rig_take(fd, &b, &m, &end));
}

START_TEST(an_app_is_told_the_whole_list_at_once_and_at_each_change)
{
	int ops = rig_greeted(&rig, true, NULL), first = logger("mine"), other = logger("other"), late;

	expect_note(first, "");
	expect_note(other, "");
	set(ops, 1, "mine", "", "debug", 0, 0);
	expect_set(ops, 1, "=debug ", 1);
	expect_note(first, "=debug ");
	set(ops, 2, "mine", "db.pool", "trace", 600000, 0);
	expect_set(ops, 2, "=debug db.pool=trace! ", 1);
	expect_note(first, "=debug db.pool=trace! ");
	late = logger("mine");
	expect_note(late, "=debug db.pool=trace! ");
	set(ops, 3, "mine", "", "warn", 0, 0);
	expect_set(ops, 3, "=warn db.pool=trace! ", 2);
	expect_note(first, "=warn db.pool=trace! ");
	expect_note(late, "=warn db.pool=trace! ");
	expect_nothing(other);
	close(ops), close(first), close(other), close(late);
}
END_TEST

START_TEST(asking_changes_nothing_and_tells_nobody)
{
	int ops = rig_greeted(&rig, true, NULL), app = logger("mine");

	expect_note(app, "");
	set(ops, 1, "mine", "", "", 0, 0);
	expect_set(ops, 1, "", 0);
	expect_nothing(app);
	ck_assert_uint_eq(levels.app_count, 0);
	close(ops), close(app);
}
END_TEST

START_TEST(own_ends_one_target_or_all)
{
	int ops = rig_greeted(&rig, true, NULL), app = logger("mine");

	expect_note(app, "");
	for (unsigned i = 0; i < 3; i++) {
		char target[8];

		snprintf(target, sizeof target, "t%u", i);
		set(ops, i + 1, "mine", target, "error", 0, 0);
		rig_expect(&rig, ops, i + 1, PRODD_OK);
	}
	set(ops, 4, "mine", "t1", "own", 0, 0);
	expect_set(ops, 4, "t0=error t2=error ", 1);
	set(ops, 5, "mine", "t1", "own", 0, 0);
	expect_set(ops, 5, "t0=error t2=error ", 1);
	set(ops, 6, "mine", "", "own", 0, 0);
	expect_set(ops, 6, "", 1);
	ck_assert_uint_eq(levels.app_count, 0);
	close(ops), close(app);
}
END_TEST

START_TEST(each_ends_when_its_time_is_over)
{
	int ops = rig_greeted(&rig, true, NULL), app = logger("mine");

	expect_note(app, "");
	set(ops, 1, "mine", "b", "debug", 60, 0);
	expect_set(ops, 1, "b=debug! ", 1);
	expect_note(app, "b=debug! ");
	set(ops, 2, "mine", "a", "trace", 20, 0);
	expect_set(ops, 2, "b=debug! a=trace! ", 1);
	expect_note(app, "b=debug! a=trace! ");
	while (levels.apps.lh_first && loop_timer_armed(&levels.expiry))
		event_base_loop(rig.loop.base, EVLOOP_ONCE);
	expect_note(app, "b=debug! ");
	expect_note(app, "");
	ck_assert_uint_eq(levels.app_count, 0);
	close(ops), close(app);
}
END_TEST

START_TEST(set_anew_the_old_time_counts_no_more)
{
	int ops = rig_greeted(&rig, true, NULL);

	set(ops, 1, "mine", "", "debug", 10, 0);
	expect_set(ops, 1, "=debug! ", 0);
	set(ops, 2, "mine", "", "debug", 0, 0);
	expect_set(ops, 2, "=debug ", 0);
	ck_assert(!loop_timer_armed(&levels.expiry));
	set(ops, 3, "mine", "", "debug", UINT64_MAX, 0);
	expect_set(ops, 3, "=debug! ", 0);
	close(ops);
}
END_TEST

START_TEST(limits_and_words)
{
	int ops = rig_greeted(&rig, true, NULL), own = rig_greeted(&rig, false, "mine");
	char name[16];

	set(ops, 1, "mine", "", "loud", 0, PRODD_E_USAGE);
	set(ops, 2, "", "", "debug", 0, PRODD_E_USAGE);
	set(own, 3, "other", "", "debug", 0, PRODD_E_NOT_PERMITTED);
	set(own, 4, "mine", "", "debug", 0, 0);
	expect_set(own, 4, "=debug ", 0);
	for (unsigned i = 1; i <= LEVELS_OF_APP_MAX; i++) {
		snprintf(name, sizeof name, "t%u", i);
		set(ops, 10 + i, "mine", name, "debug", 0, 0);
		rig_expect(&rig, ops, 10 + i, i < LEVELS_OF_APP_MAX ? PRODD_OK : PRODD_E_OVER_LIMIT);
	}
	for (unsigned i = 1; i <= LEVELS_APPS_MAX; i++) {
		snprintf(name, sizeof name, "app%u", i);
		set(ops, 1000 + i, name, "", "debug", 0, 0);
		rig_expect(&rig, ops, 1000 + i, i < LEVELS_APPS_MAX ? PRODD_OK : PRODD_E_OVER_LIMIT);
	}
	close(ops), close(own);
}
END_TEST

static Suite *levels_suite(void)
{
	Suite *s = suite_create("levels");
	TCase *tc = tcase_create("levels");

	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_test(tc, an_app_is_told_the_whole_list_at_once_and_at_each_change);
	tcase_add_test(tc, asking_changes_nothing_and_tells_nobody);
	tcase_add_test(tc, own_ends_one_target_or_all);
	tcase_add_test(tc, each_ends_when_its_time_is_over);
	tcase_add_test(tc, set_anew_the_old_time_counts_no_more);
	tcase_add_test(tc, limits_and_words);
	suite_add_tcase(s, tc);
	return s;
}

int main(void)
{
	return suite_run(levels_suite());
}
