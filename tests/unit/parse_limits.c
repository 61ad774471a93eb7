/* SPDX-License-Identifier: Apache-2.0 */
/* As many settings as are allowed, in time; more of them, in words. */
#include <time.h>

#include "tests/unit/parsing.h"

/* Of the processor: whoever else is busy does not count. */
static double seconds_for(const struct file *files, size_t size, const char **problems, uint32_t *entries)
{
	struct timespec before, after;
	struct parsed p;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &before);
	p = run("orders", files, size, none);
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &after);
	*problems = p.problems;
	*entries = p.result.parsed.entries.count;
	parse_result_clear(&p.result);
	return (double)(after.tv_sec - before.tv_sec) + (double)(after.tv_nsec - before.tv_nsec) / 1e9;
}

START_TEST(five_thousand_settings_take_no_second)
{
	prodd_auto_buffer flat = { 0 };
	prodd_auto_buffer schema = { 0 };
	prodd_auto_buffer lost = { 0 };
	struct file files[2];
	const char *problems;
	uint32_t entries;
	double seconds;

	trees_print(&schema, "keys = (\n");
	for (int i = 0; i < 5000; i++) {
		trees_print(&flat, "setting_number_%05d = %d;\n", i, i);
		trees_print(&lost, "settinj_namber_%05d = %d;\n", i, i);
		trees_print(&schema,
			    "%s{ key = \"setting_number_%05d\"; type = \"int\"; default = 1; max = 9999; }\n",
			    i ? "," : "", i);
	}
	trees_print(&schema, ");\n");
	prodd_buffer_append(&flat, "", 1);
	prodd_buffer_append(&lost, "", 1);
	prodd_buffer_append(&schema, "", 1);
	files[0] = (struct file){ "schema.conf", "schema", schema.at };
	files[1] = (struct file){ "default.conf", "default", flat.at };
	seconds = seconds_for(files, 2, &problems, &entries);
	printf("5,000 settings in one flat group with a schema: %.3f s\n", seconds);
	ck_assert_str_eq(problems, "");
	ck_assert_uint_eq(entries, 5000);
#ifndef __SANITIZE_ADDRESS__
	ck_assert_double_lt(seconds, 0.5);
#endif
	files[1].content = lost.at;
	literals_reset();
	seconds = seconds_for(files, 2, &problems, &entries);
	printf("the same, all misspelt: %.3f s\n", seconds);
	ck_assert_ptr_nonnull(strstr(problems, "settinj_namber_00000: unknown key; did you mean "
					       "\"setting_number_00000\"?"));
#ifndef __SANITIZE_ADDRESS__
	ck_assert_double_lt(seconds, 1.5);
#endif
}
END_TEST

START_TEST(snapshot_over_its_limit_is_a_problem)
{
	prodd_auto_buffer big = { .limit = 4 << 20 };
	struct file files[30];
	char names[30][24];
	struct parsed p;

	trees_print(&big, "XX: { a = \"");
	for (int i = 0; i < 60; i++)
		trees_print(&big, "%01000d", 0);
	trees_print(&big, "\"; };\n");
	prodd_buffer_append(&big, "", 1);
	for (int i = 0; i < 20; i++) {
		char *copy = strdup(big.at);

		copy[1] = (char)('a' + i);
		snprintf(names[i], sizeof names[i], "%d.conf", i);
		files[i] = (struct file){ names[i], "local", copy };
	}
	p = run("orders", files, 20, none);
	ck_assert_ptr_nonnull(strstr(p.problems, "all settings together have 1200"));
	parse_result_clear(&p.result);
	for (int i = 0; i < 20; i++)
		free((char *)files[i].content);
}
END_TEST

START_TEST(answer_over_its_limit_is_a_problem)
{
	prodd_auto_buffer many = { 0 };
	struct file files[10];
	struct parsed p;

	for (int i = 0; i < 4000; i++)
		trees_print(&many, "s%d=1;", i);
	prodd_buffer_append(&many, "", 1);
	for (int i = 0; i < 10; i++)
		files[i] = (struct file){ "x.conf", "local", many.at };
	p = RUN("orders", files);
	ck_assert_str_eq(p.problems,
			 "too many settings in too many files: their origins do not fit in one answer\n");
	parse_result_clear(&p.result);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("parse_limits");
	TCase *t = tcase_create("parse_limits");

	if (suite_under_valgrind()) {
		suite_add_tcase(s, t);
		srunner_free(srunner_create(s));
		puts("skipped: its figures do not count under valgrind");
		return 77;
	}
	tcase_set_timeout(t, 60);
	tcase_add_test(t, five_thousand_settings_take_no_second);
	tcase_add_test(t, snapshot_over_its_limit_is_a_problem);
	tcase_add_test(t, answer_over_its_limit_is_a_problem);
	suite_add_tcase(s, t);
	return suite_run(s);
}
