/* SPDX-License-Identifier: Apache-2.0 */
/* Levels: of the program and of operators, by target, the longest that covers it; changed while others read. */
#define _GNU_SOURCE
#include "client/level.h"

#include "proto/codec.h"
#include "tests/unit/client_suite.h"

static struct prodd_threshold threshold;
static struct prodd_levels levels;

static void setup(void)
{
	prodd_levels_init(&levels, &threshold);
}

static void teardown(void)
{
	prodd_levels_clear(&levels);
}

static void own(const char *target, int level)
{
	ck_assert_int_eq(prodd_levels_own(&levels, prodd_slice(target), level), 0);
}

/* "db debug, db.pool error": all that operators have set. */
static int operators(const char *rows)
{
	prodd_auto_buffer b = { 0 };
	uint32_t count = 0;
	struct prodd_error e;
	char copy[8192], *row, *rest = copy;

	snprintf(copy, sizeof copy, "%s", rows);
	while ((row = strsep(&rest, ",")) && *row) {
		char *space = strchr(row, ' ');
		struct wire_level_row wire = { .target = { row, (size_t)(space - row) }, .level = prodd_slice(space + 1) };

		prodd_encode_element(&b, &count, &wire_record_level_row, &wire);
	}
	return prodd_levels_operators(&levels, prodd_list(&b, count), &e);
}

/* What a record of the target needs at least. */
static int least(const char *target)
{
	int level = PRODD_TRACE;

	while (level < PRODD_OFF && !(level >= threshold.level && prodd_levels_pass(&levels, target, level)))
		level++;
	return level;
}

START_TEST(info_is_usual)
{
	ck_assert_int_eq(threshold.level, PRODD_INFO);
	ck_assert_int_eq(least("main"), PRODD_INFO);
	ck_assert_int_eq(least(NULL), PRODD_INFO);
	own("", PRODD_WARN);
	ck_assert_int_eq(least(NULL), PRODD_WARN);
	ck_assert_int_eq(threshold.level, PRODD_WARN);
}
END_TEST

START_TEST(the_longest_target_that_covers_counts)
{
	own("db", PRODD_DEBUG);
	own("db.pool", PRODD_ERROR);
	ck_assert_int_eq(threshold.level, PRODD_DEBUG);
	ck_assert_int_eq(least("db"), PRODD_DEBUG);
	ck_assert_int_eq(least("db.query"), PRODD_DEBUG);
	ck_assert_int_eq(least("db.pool"), PRODD_ERROR);
	ck_assert_int_eq(least("db.pool.idle"), PRODD_ERROR);
	ck_assert_int_eq(least("db.pools"), PRODD_DEBUG);
	ck_assert_int_eq(least("dbx"), PRODD_INFO);
	ck_assert_int_eq(least(NULL), PRODD_INFO);
	own("main", PRODD_TRACE);
	ck_assert_int_eq(least(NULL), PRODD_TRACE);
	own("db.pool", PRODD_OFF);
	ck_assert_int_eq(least("db.pool"), PRODD_OFF);
}
END_TEST

START_TEST(operators_come_first)
{
	own("db", PRODD_DEBUG);
	ck_assert_int_eq(operators("db error"), 0);
	ck_assert_int_eq(least("db.pool"), PRODD_ERROR);
	ck_assert_int_eq(least("http"), PRODD_INFO);
	ck_assert_int_eq(operators(" trace,http warn"), 0);
	ck_assert_int_eq(least("db.pool"), PRODD_TRACE);
	ck_assert_int_eq(least("http"), PRODD_WARN);
	ck_assert_int_eq(threshold.level, PRODD_TRACE);
	ck_assert_int_eq(operators(""), 0);
	ck_assert_int_eq(least("db.pool"), PRODD_DEBUG);
	ck_assert_int_eq(least("http"), PRODD_INFO);
	ck_assert_int_eq(threshold.level, PRODD_DEBUG);
}
END_TEST

START_TEST(an_operator_for_all_decides_alone)
{
	own("db", PRODD_TRACE);
	ck_assert_int_eq(operators(" error"), 0);
	ck_assert_int_eq(threshold.level, PRODD_ERROR);
	ck_assert(!atomic_load(&levels.by_target));
	ck_assert_int_eq(least("db"), PRODD_ERROR);
}
END_TEST

START_TEST(what_is_no_level_changes_nothing)
{
	ck_assert_int_eq(operators("db error"), 0);
	ck_assert_int_eq(operators("db debug,x loud"), -PRODD_E_USAGE);
	ck_assert_int_eq(least("db"), PRODD_ERROR);
}
END_TEST

START_TEST(rows_have_a_limit)
{
	char name[16];

	for (int i = 0; i < PRODD_LEVEL_ROWS_MAX; i++) {
		snprintf(name, sizeof name, "t%d", i);
		own(name, PRODD_WARN);
	}
	ck_assert_int_eq(prodd_levels_own(&levels, prodd_slice("one.more"), PRODD_WARN), -PRODD_E_OVER_LIMIT);
	own("t7", PRODD_TRACE);
	ck_assert_int_eq(least("t7"), PRODD_TRACE);
	ck_assert_int_eq(least("t8"), PRODD_WARN);
	ck_assert_int_eq(least("one.more"), PRODD_INFO);
}
END_TEST

static atomic_bool stop;

/* Both tables let errors pass, and no trace. */
static void *read_levels(void *arg)
{
	(void)arg;
	while (!atomic_load(&stop))
		if (!prodd_levels_pass(&levels, "db.pool", PRODD_ERROR) || prodd_levels_pass(&levels, "db", PRODD_TRACE))
			return &stop;
	return NULL;
}

START_TEST(readers_see_one_table_or_the_other)
{
	pthread_t readers[2];
	void *failed;

	own("db", PRODD_DEBUG);
	for (int i = 0; i < 2; i++)
		ck_assert_int_eq(pthread_create(&readers[i], NULL, read_levels, NULL), 0);
	for (int i = 0; i < 2000; i++) {
		own("db.pool", i % 2 ? PRODD_WARN : PRODD_DEBUG);
		if (operators(i % 3 ? "db warn" : "") != 0)
			ck_abort();
	}
	atomic_store(&stop, true);
	for (int i = 0; i < 2; i++) {
		pthread_join(readers[i], &failed);
		ck_assert_ptr_null(failed);
	}
}
END_TEST

int main(void)
{
	Suite *s = suite_create("client: levels");
	TCase *t = tcase_create("levels");

	tcase_set_timeout(t, 60);
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, info_is_usual);
	tcase_add_test(t, the_longest_target_that_covers_counts);
	tcase_add_test(t, operators_come_first);
	tcase_add_test(t, an_operator_for_all_decides_alone);
	tcase_add_test(t, what_is_no_level_changes_nothing);
	tcase_add_test(t, rows_have_a_limit);
	tcase_add_test(t, readers_see_one_table_or_the_other);
	suite_add_tcase(s, t);
	return client_suite_run(s);
}
