/* SPDX-License-Identifier: Apache-2.0 */
/* Errors: the list is consistent, texts stay inside their bounds, one line, UTF-8, and never empty. */
#include <prodd/error.h>

#include <string.h>

#include "proto/cursor.h"
#include "tests/unit/suite.h"

static const int codes[] = {
#define X(name, number, word, retryable, exit_status, text) PRODD_E_##name,
	PRODD_ERRORS(X)
#undef X
};

enum { code_count = sizeof codes / sizeof *codes };

START_TEST(every_code_has_a_word_of_its_own)
{
	for (int i = 0; i < code_count; i++) {
		const char *word = prodd_error_word(codes[i]);

		ck_assert_int_gt(codes[i], 0);
		ck_assert_int_eq(prodd_error_code(word, strlen(word)), codes[i]);
		ck_assert_int_ne(prodd_error_exit(codes[i]), 0);
		ck_assert_str_ne(prodd_error_meaning(codes[i]), "");
		for (int j = 0; j < i; j++)
			ck_assert_int_ne(codes[i], codes[j]);
	}
}
END_TEST

START_TEST(what_is_not_in_the_list_is_a_plain_failure)
{
	ck_assert_str_eq(prodd_error_word(4711), "unknown");
	ck_assert_int_eq(prodd_error_code("of_a_later_version", 18), PRODD_E_FAILED);
	ck_assert_int_eq(prodd_error_code("bus", 3), PRODD_E_FAILED);
	ck_assert_int_eq(prodd_error_code("busyy", 5), PRODD_E_FAILED);
	ck_assert_int_eq(prodd_error_retryable(4711), 0);
	ck_assert_int_eq(prodd_error_exit(4711), 1);
	ck_assert_str_eq(prodd_error_meaning(4711), "unknown error");
}
END_TEST

START_TEST(context_goes_before_the_text)
{
	struct prodd_error e;

	ck_assert_int_eq(prodd_error_set(&e, PRODD_E_IO, "%s", "No such file"), -PRODD_E_IO);
	ck_assert_int_eq(prodd_error_prefix(&e, "open %s", "/a"), -PRODD_E_IO);
	ck_assert_int_eq(e.code, PRODD_E_IO);
	ck_assert_str_eq(e.text, "open /a: No such file");
	ck_assert_int_eq(prodd_error_set(NULL, PRODD_E_IO, "x"), -PRODD_E_IO);
}
END_TEST

START_TEST(an_empty_text_becomes_the_meaning)
{
	struct prodd_error e;

	prodd_error_set(&e, PRODD_E_BUSY, "%s", "");
	ck_assert_str_eq(e.text, prodd_error_meaning(PRODD_E_BUSY));
}
END_TEST

/* A character of 2, 3 and 4 bytes at every distance from the end. */
START_TEST(a_long_text_is_cut_between_characters)
{
	static const char *const characters[] = { "\xc3\xa4", "\xe2\x82\xac", "\xf0\x9f\x90\xa7" };

	for (int c = 0; c < 3; c++) {
		for (int ascii = PRODD_ERROR_TEXT_MAX - 8; ascii < PRODD_ERROR_TEXT_MAX + 4; ascii++) {
			char text[2 * PRODD_ERROR_TEXT_MAX];
			struct prodd_error e;
			size_t length;

			memset(text, 'x', (size_t)ascii);
			strcpy(text + ascii, characters[c]);
			prodd_error_set(&e, PRODD_E_IO, "%s", text);
			length = strlen(e.text);
			ck_assert(prodd_is_text((struct prodd_slice){ e.text, length }));
			ck_assert_mem_eq(e.text, text, length);
			if (strlen(text) < PRODD_ERROR_TEXT_MAX)
				ck_assert_str_eq(e.text, text);
			else
				ck_assert_uint_ge(length, PRODD_ERROR_TEXT_MAX - 4);
		}
	}
}
END_TEST

START_TEST(prefixes_pile_up_inside_the_bound)
{
	struct prodd_error e;

	prodd_error_set(&e, PRODD_E_IO, "\xf0\x9f\x90\xa7");
	for (int i = 0; i < 100; i++)
		prodd_error_prefix(&e, "\xe2\x82\xac%d", i);
	ck_assert_uint_lt(strlen(e.text), PRODD_ERROR_TEXT_MAX);
	ck_assert(prodd_is_text(prodd_slice(e.text)));
	ck_assert_mem_eq(e.text, "\xe2\x82\xac" "99: ", 7);
}
END_TEST

START_TEST(a_text_is_one_line_of_utf8_without_control_characters)
{
	struct prodd_error e;

	prodd_error_set(&e, PRODD_E_IO, "a\nb\tc\x1b[31m\x7f");
	ck_assert_str_eq(e.text, "a b c [31m ");
	prodd_error_set(&e, PRODD_E_IO, "a\xff\xc3(\xe2\x82z\xc2\x9b" "b");
	ck_assert_str_eq(e.text, "a\?\?(\?\?z  b");
	for (int filler = 0; filler < 8; filler++) {
		char text[2 * PRODD_ERROR_TEXT_MAX];

		memset(text, 0x80 + filler, sizeof text - 1);
		text[sizeof text - 1] = '\0';
		prodd_error_set(&e, PRODD_E_IO, "%s", text);
		ck_assert_uint_ge(strlen(e.text), PRODD_ERROR_TEXT_MAX - 5);
		ck_assert(prodd_is_text(prodd_slice(e.text)));
	}
}
END_TEST

int main(void)
{
	Suite *s = suite_create("error");
	TCase *tc = tcase_create("error");

	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, every_code_has_a_word_of_its_own);
	tcase_add_test(tc, what_is_not_in_the_list_is_a_plain_failure);
	tcase_add_test(tc, context_goes_before_the_text);
	tcase_add_test(tc, an_empty_text_becomes_the_meaning);
	tcase_add_test(tc, a_long_text_is_cut_between_characters);
	tcase_add_test(tc, prefixes_pile_up_inside_the_bound);
	tcase_add_test(tc, a_text_is_one_line_of_utf8_without_control_characters);
	suite_add_tcase(s, tc);
	return suite_run(s);
}
