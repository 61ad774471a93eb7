/* SPDX-License-Identifier: Apache-2.0 */
/* Literals and texts to values, and values to text: each conversion and each refusal. */
#include "daemon/tree/value.h"

#include "tests/unit/literals.h"

/* `text` is the result as value_text() shows it; or the reason, after "!". */
struct row {
	enum value_type type;
	const char *from;
	const char *text;
};

static const struct row conversions[] = {
	{ VALUE_BOOL, "true", "true" },
	{ VALUE_BOOL, "1", "!expected a bool, got the int 1" },
	{ VALUE_BOOL, "\"true\"", "!expected a bool, got the string \"true\"" },
	{ VALUE_INT, "-9223372036854775808", "-9223372036854775808" },
	{ VALUE_INT, "0x1F", "31" },
	{ VALUE_INT, "\"abc\"", "!expected an int, got the string \"abc\"" },
	{ VALUE_INT, "1.5", "!expected an int, got the float 1.5" },
	{ VALUE_INT, "true", "!expected an int, got the bool true" },
	{ VALUE_INT, "[1]", "!expected an int, got a list" },
	{ VALUE_FLOAT, "0.1", "0.1" },
	{ VALUE_FLOAT, "3", "3" },
	{ VALUE_FLOAT, "1e300", "1e+300" },
	{ VALUE_FLOAT, "\"x\"", "!expected a float, got the string \"x\"" },
	{ VALUE_STRING, "\"a b\"", "\"a b\"" },
	{ VALUE_STRING, "\"\"", "\"\"" },
	{ VALUE_STRING, "abc", "abc" },
	{ VALUE_STRING, "5", "!expected a string, got the int 5" },
	{ VALUE_DURATION, "\"30s\"", "30s" },
	{ VALUE_DURATION, "\"1500ms\"", "1.5s" },
	{ VALUE_DURATION, "0", "0s" },
	{ VALUE_DURATION, "30", "!expected a duration such as \"30s\", got the int 30 without a unit" },
	{ VALUE_DURATION, "-1", "!a duration cannot be negative" },
	{ VALUE_DURATION, "\"fast\"", "!expected a duration such as \"30s\", got the string \"fast\"" },
	{ VALUE_DURATION, "1.5", "!expected a duration such as \"30s\", got the float 1.5" },
	{ VALUE_SIZE, "\"64MiB\"", "64MiB" },
	{ VALUE_SIZE, "512", "512" },
	{ VALUE_SIZE, "-1", "!a size cannot be negative" },
	{ VALUE_SIZE, "\"64 apples\"", "!expected a size such as \"64MiB\", got the string \"64 apples\"" },
	{ VALUE_ENUM, "\"debug\"", "debug" },
	{ VALUE_ENUM, "1", "!expected a string, got the int 1" },
	{ VALUE_LIST, "[1, 2]", "[1, 2]" },
	{ VALUE_LIST, "[]", "[]" },
	{ VALUE_LIST, "[\"a\", \"b c\", 1.5, true]", "[a, \"b c\", 1.5, true]" },
	{ VALUE_LIST, "\"a\"", "!expected a list, got the string \"a\"" },
};

static void check_row(const struct row *r, bool ok, struct prodd_buffer *value, const char *why)
{
	char text[256];

	if (r->text[0] == '!') {
		ck_assert_msg(!ok, "%s was taken", r->from);
		ck_assert_str_eq(why, r->text + 1);
		ck_assert_uint_eq(value->size, 0);
		return;
	}
	ck_assert_msg(ok, "%s: %s", r->from, why);
	value_text(prodd_buffer_slice(value), prodd_slice(value_type_name(r->type)), text, sizeof text);
	ck_assert_str_eq(text, r->text);
}

START_TEST(literals_are_converted_or_refused)
{
	const struct row *r = &conversions[_i];
	prodd_auto_buffer value = { 0 };
	char why[VALUE_WHY_MAX] = "";
	bool ok = value_convert(r->type, literal(r->from), &value, why);

	check_row(r, ok, &value, why);
}
END_TEST

static const struct row variables[] = {
	{ VALUE_BOOL, "true", "true" }, { VALUE_BOOL, "FALSE", "false" }, { VALUE_BOOL, "yes", "true" },
	{ VALUE_BOOL, "no", "false" }, { VALUE_BOOL, "On", "true" }, { VALUE_BOOL, "off", "false" },
	{ VALUE_BOOL, "1", "true" }, { VALUE_BOOL, "0", "false" }, { VALUE_BOOL, " true ", "true" },
	{ VALUE_BOOL, "maybe", "!expected a bool, got \"maybe\"" },
	{ VALUE_INT, "42", "42" }, { VALUE_INT, "+42", "42" }, { VALUE_INT, "-42", "-42" },
	{ VALUE_INT, "3000000000", "3000000000" }, { VALUE_INT, "0xff", "255" }, { VALUE_INT, "5L", "5" },
	{ VALUE_INT, "", "!expected an int, got \"\"" },
	{ VALUE_INT, "1x", "!expected an int, got \"1x\"" },
	{ VALUE_INT, "1-2", "!expected an int, got \"1-2\"" },
	{ VALUE_INT, "9223372036854775808", "!expected an int, got \"9223372036854775808\"" },
	{ VALUE_FLOAT, "2.5", "2.5" }, { VALUE_FLOAT, "2", "2" }, { VALUE_FLOAT, "-1e-3", "-0.001" },
	{ VALUE_FLOAT, "nan", "!expected a float, got \"nan\"" },
	{ VALUE_FLOAT, "1e999", "!expected a float, got \"1e999\"" },
	{ VALUE_STRING, "bare words", "\"bare words\"" }, { VALUE_STRING, "", "\"\"" },
	{ VALUE_STRING, "\"quoted\"", "\"\\\"quoted\\\"\"" },
	{ VALUE_DURATION, "1m30s", "90s" },
	{ VALUE_DURATION, "30", "!expected a duration such as \"30s\", got the string \"30\"" },
	{ VALUE_SIZE, "4096", "4KiB" }, { VALUE_SIZE, "1GiB", "1GiB" },
	{ VALUE_ENUM, "info", "info" },
	{ VALUE_LIST, "a,b", "[a, b]" }, { VALUE_LIST, "[a, b]", "[a, b]" }, { VALUE_LIST, "1, 2", "[1, 2]" },
	{ VALUE_LIST, "", "[]" }, { VALUE_LIST, "[]", "[]" }, { VALUE_LIST, "\"a,b\",c", "[\"a,b\", c]" },
	{ VALUE_LIST, "a,", "[a]" },
	{ VALUE_LIST, "a,,b", "!expected a list, got \"a,,b\"" },
};

START_TEST(variables_are_converted_or_refused)
{
	const struct row *r = &variables[_i];
	struct prodd_slice none = { NULL, 0 };
	prodd_auto_buffer value = { 0 };
	char why[VALUE_WHY_MAX] = "";
	bool ok = value_from_text(r->type, none, prodd_slice(r->from), VALUE_FROM_VARIABLE, &value, why);

	check_row(r, ok, &value, why);
}
END_TEST

static const struct row typed[] = {
	{ VALUE_STRING, "bare", "bare" }, { VALUE_STRING, "\"a\\\"b\"", "\"a\\\"b\"" },
	{ VALUE_STRING, "\"\\x41\\n\\q\"", "\"A\\n\\\\q\"" },
	{ VALUE_DURATION, "\"5s\"", "5s" }, { VALUE_DURATION, "5s", "5s" },
	{ VALUE_SIZE, "\"5kB\"", "5kB" },
	{ VALUE_STRING, "\"\\xff\"", "!expected a string, got \"\"\\xff\"\"" },
};

START_TEST(typed_texts_lose_their_quotes)
{
	const struct row *r = &typed[_i];
	struct prodd_slice none = { NULL, 0 };
	prodd_auto_buffer value = { 0 };
	char why[VALUE_WHY_MAX] = "";
	bool ok = value_from_text(r->type, none, prodd_slice(r->from), VALUE_FROM_TYPED, &value, why);

	check_row(r, ok, &value, why);
}
END_TEST

START_TEST(list_of_strings_stays_one)
{
	prodd_auto_buffer value = { 0 };
	char why[VALUE_WHY_MAX];

	ck_assert(value_from_text(VALUE_LIST, literal("[\"x\"]"), prodd_slice("1,true"), VALUE_FROM_VARIABLE,
				  &value, why));
	ck_assert(prodd_slice_equal(prodd_buffer_slice(&value), literal("[\"1\", \"true\"]")));
}
END_TEST

START_TEST(width_of_packing_does_not_matter)
{
	static const char wide[] = "\xd3\0\0\0\0\0\0\0\x05", narrow_float[] = "\xca\x3f\x80\0\0";
	prodd_auto_buffer value = { 0 };
	char why[VALUE_WHY_MAX];

	ck_assert(value_convert(VALUE_INT, (struct prodd_slice){ wide, 9 }, &value, why));
	ck_assert(prodd_slice_equal(prodd_buffer_slice(&value), literal("5")));
	prodd_buffer_reset(&value);
	ck_assert(value_convert(VALUE_FLOAT, (struct prodd_slice){ narrow_float, 5 }, &value, why));
	ck_assert(prodd_slice_equal(prodd_buffer_slice(&value), literal("1.0")));
}
END_TEST

static const struct prodd_slice no_literals[] = {
	{ "", 0 },
	{ "\xc0", 1 },
	{ "\x81\x01\x02", 3 },
	{ "\x91\x90", 2 },
	{ "\x01\x01", 2 },
	{ "\xa2"
	  "a",
	  2 },
	{ "\xa1\xff", 2 },
	{ "\xa1\0", 2 },
	{ "\xc4\x01x", 3 },
	{ "\xcf\xff\xff\xff\xff\xff\xff\xff\xff", 9 },
	{ "\xcb\x7f\xf0\0\0\0\0\0\0", 9 },
	{ "\xcb\x7f\xf8\0\0\0\0\0\0", 9 },
	{ "\x92\x01", 2 },
	{ "\x91\xc0", 2 },
};

START_TEST(damaged_bytes_are_no_literal)
{
	prodd_auto_buffer value = { 0 };
	char why[VALUE_WHY_MAX];

	ck_assert_int_eq(value_literal_type(no_literals[_i]), VALUE_NONE);
	for (int type = VALUE_NONE; type <= VALUE_LIST; type++)
		ck_assert(!value_convert((enum value_type)type, no_literals[_i], &value, why));
	ck_assert_uint_eq(value.size, 0);
}
END_TEST

START_TEST(text_is_cut_between_characters)
{
	char text[8];

	ck_assert_uint_eq(
		value_text(literal("\"aaaaa\xc3\xa9\xc3\xa9\""), prodd_slice("string"), text, sizeof text),
		7);
	ck_assert_str_eq(text, "aaaaa\xc3\xa9");
	ck_assert_uint_eq(
		value_text(literal("\"aaaaaa\xc3\xa9\xc3\xa9\""), prodd_slice("string"), text, sizeof text),
		6);
	ck_assert_str_eq(text, "aaaaaa");
	ck_assert_uint_eq(value_text((struct prodd_slice){ NULL, 0 }, prodd_slice("int"), text, sizeof text),
			  0);
	ck_assert_str_eq(text, "");
}
END_TEST

START_TEST(value_over_the_limit_is_refused)
{
	prodd_auto_buffer big = { 0 };
	prodd_auto_buffer value = { 0 };
	char why[VALUE_WHY_MAX];
	char *text = calloc(1, VALUE_SIZE_MAX + 1);

	memset(text, 'a', VALUE_SIZE_MAX);
	prodd_pack_str(&big, prodd_slice(text));
	free(text);
	ck_assert(!value_convert(VALUE_STRING, prodd_buffer_slice(&big), &value, why));
	ck_assert_str_eq(why, "the value has 65541 bytes, at most 65536 are allowed");
}
END_TEST

#define COUNT(rows) (int)(sizeof rows / sizeof *rows)

int main(void)
{
	Suite *s = suite_create("value");
	TCase *t = tcase_create("value");

	tcase_set_timeout(t, 60);
	tcase_add_loop_test(t, literals_are_converted_or_refused, 0, COUNT(conversions));
	tcase_add_loop_test(t, variables_are_converted_or_refused, 0, COUNT(variables));
	tcase_add_loop_test(t, typed_texts_lose_their_quotes, 0, COUNT(typed));
	tcase_add_test(t, list_of_strings_stays_one);
	tcase_add_test(t, width_of_packing_does_not_matter);
	tcase_add_loop_test(t, damaged_bytes_are_no_literal, 0, COUNT(no_literals));
	tcase_add_test(t, text_is_cut_between_characters);
	tcase_add_test(t, value_over_the_limit_is_refused);
	suite_add_tcase(s, t);
	return suite_run(s);
}
