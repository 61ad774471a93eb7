/* SPDX-License-Identifier: Apache-2.0 */
/* Each rule of a schema with what it takes and what it refuses; and rules that meet. */
#include "daemon/tree/schema.h"

#include "proto/codec.h"
#include "tests/unit/literals.h"

struct declared {
	const char *type, *min, *max, *pattern;
	uint64_t min_length, max_length;
	const char *words[5];
};

static struct wire_schema_key row_of(const struct declared *d, const char *key)
{
	struct wire_schema_key row = { .key = prodd_slice(key), .type = prodd_slice(d->type) };
	uint32_t count = 0;

	row.min = d->min ? literal(d->min) : row.min;
	row.max = d->max ? literal(d->max) : row.max;
	row.pattern = prodd_slice(d->pattern);
	row.min_length = d->min_length;
	row.max_length = d->max_length;
	while (count < 5 && d->words[count])
		count++;
	if (count)
		row.one_of = words(count, d->words);
	return row;
}

struct row {
	struct declared rule;
	const char *takes, *refuses, *why;
};

static const struct row rows[] = {
	{ { .type = "bool" }, "true", "1", "expected a bool, got the int 1" },
	{ { .type = "int" }, "-5", "5.0", "expected an int, got the float 5" },
	{ { .type = "float" }, "5", "abc", "expected a float, got the string \"abc\"" },
	{ { .type = "string" }, "abc", "5", "expected a string, got the int 5" },
	{ { .type = "duration" },
	  "\"2s\"",
	  "2",
	  "expected a duration such as \"30s\", got the int 2 without a unit" },
	{ { .type = "size" },
	  "\"2kB\"",
	  "\"2s\"",
	  "expected a size such as \"64MiB\", got the string \"2s\"" },
	{ { .type = "list" }, "[1]", "1", "expected a list, got the int 1" },
	{ { .type = "enum", .words = { "a", "b" } }, "a", "c", "\"c\" is not one of a, b" },
	{ { .type = "int", .min = "1", .max = "500" }, "500", "700", "700 is not in 1..500" },
	{ { .type = "int", .min = "1", .max = "500" }, "1", "0", "0 is not in 1..500" },
	{ { .type = "int", .min = "1" }, "1", "0", "0 is below the minimum 1" },
	{ { .type = "int", .max = "5" }, "5", "6", "6 is above the maximum 5" },
	{ { .type = "float", .min = "0.5", .max = "1.5" }, "1", "1.6", "1.6 is not in 0.5..1.5" },
	{ { .type = "duration", .max = "\"30s\"" }, "\"30s\"", "\"31s\"", "31s is above the maximum 30s" },
	{ { .type = "duration", .min = "\"1ms\"" }, "\"1ms\"", "0", "0s is below the minimum 1ms" },
	{ { .type = "size", .min = "\"1KiB\"", .max = "\"1MiB\"" },
	  "1024",
	  "1023",
	  "1023 is not in 1KiB..1MiB" },
	{ { .type = "string", .min_length = 1 }, "a", "\"\"", "0 bytes, at least 1 is needed" },
	{ { .type = "string", .max_length = 2 }, "ab", "abc", "3 bytes, at most 2 are allowed" },
	{ { .type = "list", .min_length = 2 }, "[1, 2]", "[1]", "1 element, at least 2 are needed" },
	{ { .type = "list", .max_length = 1 }, "[1]", "[1, 2]", "2 elements, at most 1 is allowed" },
	{ { .type = "string", .pattern = "^[a-z]+$" },
	  "abc",
	  "\"a b\"",
	  "\"a b\" does not match the pattern ^[a-z]+$" },
	{ { .type = "string", .words = { "debug", "info", "warn", "error" } },
	  "info",
	  "verbose",
	  "\"verbose\" is not one of debug, info, warn, error" },
	{ { .type = "list", .words = { "a", "b" } },
	  "[\"a\", \"b\"]",
	  "[\"a\", \"c\"]",
	  "\"c\" is not one of a, b" },
	{ { .type = "list", .pattern = "^x" },
	  "[\"xa\"]",
	  "[\"ax\"]",
	  "\"ax\" does not match the pattern ^x" },
	{ { .type = "list", .pattern = "^1" }, "[]", "[1]", "element 1 is not a string" },
};

START_TEST(rule_takes_and_refuses)
{
	const struct row *r = &rows[_i];
	struct wire_schema_key declared = row_of(&r->rule, "a.key");
	prodd_auto_buffer value = { 0 };
	char why[VALUE_WHY_MAX];
	struct rule_mistakes mistakes;
	struct rule *rule = NULL;

	ck_assert_int_eq(rule_new(&rule, &declared, false, &mistakes), 0);
	ck_assert_int_eq(rule_check(rule, literal(r->takes), &value, why), 0);
	ck_assert_uint_gt(value.size, 0);
	prodd_buffer_reset(&value);
	ck_assert_int_eq(rule_check(rule, literal(r->refuses), &value, why), -PRODD_E_INVALID);
	ck_assert_str_eq(why, r->why);
	ck_assert_uint_eq(value.size, 0);
	rule_free(rule);
}
END_TEST

START_TEST(text_for_a_rule_is_checked_too)
{
	static const struct declared declared = { .type = "list", .words = { "1", "b" } };
	struct wire_schema_key row = row_of(&declared, "k");
	struct prodd_slice none = { NULL, 0 };
	prodd_auto_buffer value = { 0 };
	char why[VALUE_WHY_MAX];
	struct rule_mistakes mistakes;
	struct rule *rule = NULL;

	ck_assert_int_eq(rule_new(&rule, &row, false, &mistakes), 0);
	ck_assert_int_eq(rule_parse_text(rule, none, prodd_slice("1,b"), VALUE_FROM_VARIABLE, &value, why),
			 0);
	ck_assert(prodd_slice_equal(prodd_buffer_slice(&value), literal("[\"1\", b]")));
	ck_assert_int_eq(rule_parse_text(rule, none, prodd_slice("1,c"), VALUE_FROM_VARIABLE, &value, why),
			 -PRODD_E_INVALID);
	ck_assert_str_eq(why, "\"c\" is not one of 1, b");
	rule_free(rule);
}
END_TEST

/* ---- declarations that cannot be */

struct mistake {
	struct declared rule;
	const char *key, *def, *attribute, *text;
};

static const struct mistake refused[] = {
	{ { .type = "secret" }, "k", NULL, "type", "type \"secret\" is not supported yet" },
	{ { .type = "strng" }, "k", NULL, "type", "unknown type \"strng\"; did you mean \"string\"?" },
	{ { .type = "colour" },
	  "k",
	  NULL,
	  "type",
	  "unknown type \"colour\": expected bool, int, float, string, "
	  "duration, size, enum or list" },
	{ { .type = "int" },
	  "a..b",
	  NULL,
	  "key",
	  "\"a..b\" cannot be a key: letters, digits, _ and -, parts joined by "
	  "dots, at most 255 bytes and 16 parts" },
	{ { .type = "int" },
	  "a.*.b",
	  NULL,
	  "key",
	  "\"a.*.b\" cannot be a key: letters, digits, _ and -, parts joined "
	  "by dots, at most 255 bytes and 16 parts" },
	{ { .type = "int", .min = "1", .max = "5" }, "k", "6", "default", "6 is not in 1..5" },
	{ { .type = "int" }, "k", "abc", "default", "expected an int, got the string \"abc\"" },
	{ { .type = "int", .min = "5", .max = "1" }, "k", NULL, "min", "5 is greater than max 1" },
	{ { .type = "int", .min = "x" }, "k", NULL, "min", "expected an int, got the string \"x\"" },
	{ { .type = "string", .min = "1" }, "k", NULL, "min", "has no meaning for a string" },
	{ { .type = "bool", .max = "1" }, "k", NULL, "max", "has no meaning for a bool" },
	{ { .type = "int", .min_length = 1 }, "k", NULL, "min_length", "has no meaning for an int" },
	{ { .type = "int", .max_length = 1 }, "k", NULL, "max_length", "has no meaning for an int" },
	{ { .type = "string", .min_length = 3, .max_length = 2 },
	  "k",
	  NULL,
	  "min_length",
	  "3 is greater than max_length 2" },
	{ { .type = "int", .pattern = "a" }, "k", NULL, "pattern", "has no meaning for an int" },
	{ { .type = "string", .pattern = "a(" }, "k", NULL, "pattern", "Unmatched ( or \\(" },
	{ { .type = "string", .pattern = "(a)\\1" },
	  "k",
	  NULL,
	  "pattern",
	  "references back such as \\1 are not supported" },
	{ { .type = "string", .pattern = "(a{100}){100}" },
	  "k",
	  NULL,
	  "pattern",
	  "its repetitions multiply to more than 1000" },
	{ { .type = "enum" }, "k", NULL, "one_of", "an enum needs the list of its words" },
	{ { .type = "int", .words = { "a" } }, "k", NULL, "one_of", "has no meaning for an int" },
	{ { .type = "enum", .words = { "a", "b" } }, "k", "c", "default", "\"c\" is not one of a, b" },
};

START_TEST(declaration_is_refused)
{
	const struct mistake *m = &refused[_i];
	struct wire_schema_key declared = row_of(&m->rule, m->key);
	struct rule_mistakes mistakes;
	struct rule *rule = NULL;

	declared.def = m->def ? literal(m->def) : declared.def;
	ck_assert_int_eq(rule_new(&rule, &declared, false, &mistakes), -PRODD_E_INVALID);
	ck_assert_uint_eq(mistakes.count, 1);
	ck_assert_str_eq(mistakes.at[0].attribute, m->attribute);
	ck_assert_str_eq(mistakes.at[0].text, m->text);
	ck_assert_ptr_null(rule);
}
END_TEST

START_TEST(all_mistakes_come_at_once)
{
	static const struct declared declared = {
		.type = "int", .pattern = "(", .min_length = 5, .words = { "a" }
	};
	struct wire_schema_key row = row_of(&declared, "9");
	struct rule_mistakes mistakes;
	struct rule *rule = NULL;

	row.def = literal("abc");
	ck_assert_int_eq(rule_new(&rule, &row, false, &mistakes), -PRODD_E_INVALID);
	ck_assert_uint_eq(mistakes.count, 6);	/* key, min_length, pattern twice, one_of, default */
}
END_TEST

START_TEST(brackets_in_patterns_are_no_repetitions)
{
	static const struct declared declared = { .type = "string", .pattern = "^[]{1000}\\\\1]{2}\\{9999$" };
	struct wire_schema_key row = row_of(&declared, "k");
	struct rule_mistakes mistakes;
	struct rule *rule = NULL;

	ck_assert_int_eq(rule_new(&rule, &row, false, &mistakes), 0);
	rule_free(rule);
}
END_TEST

/* ---- schemas */

static int add(struct schema *schema, const struct declared *d, const char *key, const char *origin,
	       struct prodd_error *e)
{
	struct wire_schema_key row = row_of(d, key);

	row.origin = prodd_slice(origin);
	return schema_add(schema, &row, e);
}

static const char *why_not(struct schema *schema, const struct declared *d, const char *key,
			   const char *origin)
{
	static struct prodd_error e;

	ck_assert_int_eq(add(schema, d, key, origin, &e), -PRODD_E_INVALID);
	return e.text;
}

START_TEST(both_declarations_hold)
{
	static const struct declared first = { .type = "int", .min = "1", .max = "500" },
				     second = { .type = "int", .min = "10", .max = "1000" };
	struct wire_schema_key row;
	struct schema *schema = NULL;
	const struct rule *rule;
	prodd_auto_buffer value = { 0 };
	char why[VALUE_WHY_MAX];

	ck_assert_int_eq(schema_new(&schema), 0);
	ck_assert_int_eq(add(schema, &first, "k", "schema.conf:9", NULL), 0);
	row = row_of(&second, "k");
	row.required = row.restart = true;
	row.def = literal("20");
	row.help = prodd_slice("Help.");
	ck_assert_int_eq(schema_add(schema, &row, NULL), 0);
	ck_assert_uint_eq(schema_count(schema), 1);
	rule = schema_find(schema, prodd_slice("k"));
	ck_assert_int_eq(rule_check(rule, literal("5"), &value, why), -PRODD_E_INVALID);
	ck_assert_str_eq(why, "5 is not in 10..500");
	ck_assert(rule->row.required && rule->row.restart && prodd_slice_is(rule->row.help, "Help."));
	ck_assert(prodd_slice_equal(rule->row.def, literal("20")));
	ck_assert(prodd_slice_is(rule->row.origin, "schema.conf:9"));
	schema_free(schema);
}
END_TEST

START_TEST(lengths_and_words_narrow_too)
{
	static const struct declared first = { .type = "string",
					       .min_length = 1,
					       .max_length = 9,
					       .words = { "a", "bb", "ccc" } },
				     second = { .type = "string",
						.min_length = 2,
						.words = { "ccc", "bb", "d" } };
	struct schema *schema = NULL;
	const struct rule *rule;
	char why[VALUE_WHY_MAX];
	prodd_auto_buffer value = { 0 };

	ck_assert_int_eq(schema_new(&schema), 0);
	ck_assert_int_eq(add(schema, &first, "k", "a", NULL), 0);
	ck_assert_int_eq(add(schema, &second, "k", "b", NULL), 0);
	rule = schema_find(schema, prodd_slice("k"));
	ck_assert_uint_eq(rule->row.min_length, 2);
	ck_assert_uint_eq(rule->row.max_length, 9);
	ck_assert_int_eq(rule_check(rule, literal("dd"), &value, why), -PRODD_E_INVALID);
	ck_assert_str_eq(why, "\"dd\" is not one of bb, ccc");
	schema_free(schema);
}
END_TEST

START_TEST(both_patterns_hold_also_when_stored)
{
	static const struct declared first = { .type = "string", .pattern = "^a" },
				     second = { .type = "string", .pattern = "z$" };
	struct schema *schema = NULL, *stored = NULL;
	prodd_auto_buffer keys = { 0 };
	prodd_auto_buffer value = { 0 };
	char why[VALUE_WHY_MAX];
	uint32_t count = 0;

	ck_assert_int_eq(schema_new(&schema), 0);
	ck_assert_int_eq(add(schema, &first, "k", "a", NULL), 0);
	ck_assert_int_eq(add(schema, &second, "k", "b", NULL), 0);
	ck_assert_int_eq(add(schema, &second, "k", "c", NULL), 0);
	ck_assert_int_eq(schema_encode(schema, &keys, &count), 0);
	ck_assert_uint_eq(count, 2);
	ck_assert_int_eq(schema_new(&stored), 0);
	ck_assert_int_eq(schema_add_list(stored, prodd_list(&keys, count), NULL), 0);
	ck_assert_uint_eq(schema_count(stored), 1);
	ck_assert_int_eq(rule_check(schema_at(stored, 0), literal("az"), &value, why), 0);
	ck_assert_int_eq(rule_check(schema_at(stored, 0), literal("ab"), &value, why), -PRODD_E_INVALID);
	ck_assert_int_eq(rule_check(schema_at(stored, 0), literal("bz"), &value, why), -PRODD_E_INVALID);
	schema_free(schema);
	schema_free(stored);
}
END_TEST

START_TEST(declarations_that_cannot_meet_name_both_places)
{
	static const struct declared an_int = { .type = "int", .min = "5" },
				     text = { .type = "string", .words = { "a" } },
				     small = { .type = "int", .max = "4" },
				     other = { .type = "string", .words = { "b" } };
	struct wire_schema_key row = row_of(&small, "d");
	struct schema *schema = NULL;
	struct prodd_error e;

	ck_assert_int_eq(schema_new(&schema), 0);
	ck_assert_int_eq(add(schema, &an_int, "k", "schema.conf:9", NULL), 0);
	ck_assert_int_eq(add(schema, &text, "w", "schema.conf:12", NULL), 0);
	ck_assert_str_eq(why_not(schema, &text, "k", "code of orders/1"),
			 "k: int in schema.conf:9, but string in code of orders/1");
	ck_assert_str_eq(
		why_not(schema, &small, "k", "code of orders/1"),
		"k: schema.conf:9 and code of orders/1 together allow nothing: 5 is greater than max 4");
	ck_assert_str_eq(why_not(schema, &other, "w", "code"),
			 "w: schema.conf:12 and code together allow nothing: they have no word in common");
	row.def = literal("3");
	row.origin = prodd_slice("code");
	ck_assert_int_eq(schema_add(schema, &row, NULL), 0);
	ck_assert_int_eq(add(schema, &an_int, "d", "schema.conf:7", &e), -PRODD_E_INVALID);
	ck_assert_int_eq(schema_find(schema, prodd_slice("k"))->type, VALUE_INT);
	schema_free(schema);
}
END_TEST

START_TEST(default_of_one_must_obey_the_other)
{
	static const struct declared wide = { .type = "int" }, narrow = { .type = "int", .min = "10" },
				     a = { .type = "string" }, b = { .type = "string", .pattern = "^b" };
	struct wire_schema_key row = row_of(&wide, "k"), text = row_of(&a, "t");
	struct schema *schema = NULL;

	row.def = literal("5");
	row.origin = prodd_slice("schema.conf:3");
	text.def = literal("x");
	ck_assert_int_eq(schema_new(&schema), 0);
	ck_assert_int_eq(schema_add(schema, &row, NULL), 0);
	ck_assert_int_eq(schema_add(schema, &text, NULL), 0);
	ck_assert_str_eq(
		why_not(schema, &narrow, "k", "code"),
		"k: the default of schema.conf:3 breaks the rule of code: 5 is below the minimum 10");
	ck_assert_str_eq(why_not(schema, &b, "t", "code"),
			 "t: the default of another declaration breaks the rule of "
			 "code: \"x\" does not match the pattern ^b");
	schema_free(schema);
}
END_TEST

START_TEST(key_is_no_group)
{
	static const struct declared d = { .type = "int" };
	struct schema *schema = NULL;

	ck_assert_int_eq(schema_new(&schema), 0);
	ck_assert_int_eq(add(schema, &d, "a.b", "", NULL), 0);
	ck_assert_int_eq(add(schema, &d, "a-b", "", NULL), 0);
	ck_assert_int_eq(add(schema, &d, "a0", "", NULL), 0);
	ck_assert_str_eq(why_not(schema, &d, "a", ""), "a: is a group of other keys and cannot be a key too");
	ck_assert_str_eq(why_not(schema, &d, "a.b.c", ""),
			 "a.b.c: \"a.b\" is a key and cannot be a group too");
	ck_assert(schema_is_group(schema, prodd_slice("a")));
	ck_assert(!schema_is_group(schema, prodd_slice("a.b")));
	ck_assert(!schema_is_group(schema, prodd_slice("")));
	schema_free(schema);
}
END_TEST

START_TEST(keys_are_found_and_sorted)
{
	static const struct declared d = { .type = "int" };
	struct dice dice = dice_start("schema");
	struct schema *schema = NULL;
	prodd_auto_buffer keys = { 0 };
	uint32_t count = 0;
	char name[32];

	ck_assert_int_eq(schema_new(&schema), 0);
	for (int i = 0; i < 300; i++) {
		snprintf(name, sizeof name, "k%u.v", dice_below(&dice, 400));
		ck_assert_int_eq(add(schema, &d, name, "", NULL), 0);
		ck_assert_ptr_nonnull(schema_find(schema, prodd_slice(name)));
	}
	for (size_t i = 1; i < schema_count(schema); i++)
		ck_assert_int_lt(
			prodd_slice_compare(schema_at(schema, i - 1)->row.key, schema_at(schema, i)->row.key),
			0);
	ck_assert_ptr_null(schema_find(schema, prodd_slice("k1")));
	ck_assert_ptr_null(schema_find(NULL, prodd_slice("k1")));
	ck_assert_int_eq(schema_encode(schema, &keys, &count), 0);
	ck_assert_uint_eq(count, schema_count(schema));
	schema_free(schema);
}
END_TEST

START_TEST(star_stands_for_one_part)
{
	static const struct declared d = { .type = "string" };
	struct wire_schema_key row = row_of(&d, "app.*.unit");
	char nearest[PRODD_KEY_MAX + 1];
	struct schema *schema = NULL;

	ck_assert_int_eq(schema_new(&schema), 0);
	ck_assert_int_eq(schema_add_pattern(schema, &row, NULL), 0);
	ck_assert_int_eq(schema_add(schema, &row, NULL), -PRODD_E_INVALID);
	ck_assert_ptr_nonnull(schema_find(schema, prodd_slice("app.orders.unit")));
	ck_assert_ptr_null(schema_find(schema, prodd_slice("app.orders.user")));
	ck_assert_ptr_null(schema_find(schema, prodd_slice("app.unit")));
	ck_assert_ptr_null(schema_find(schema, prodd_slice("app.a.b.unit")));
	ck_assert(schema_is_group(schema, prodd_slice("app")));
	ck_assert(schema_is_group(schema, prodd_slice("app.orders")));
	ck_assert(!schema_is_group(schema, prodd_slice("app.orders.unit")));
	ck_assert(schema_nearest(schema, prodd_slice("app.orders.unti"), NULL, nearest));
	ck_assert_str_eq(nearest, "app.orders.unit");
	schema_free(schema);
}
END_TEST

#define COUNT(table) (int)(sizeof table / sizeof *table)

int main(void)
{
	Suite *s = suite_create("schema");
	TCase *t = tcase_create("schema");

	tcase_set_timeout(t, 60);
	tcase_add_loop_test(t, rule_takes_and_refuses, 0, COUNT(rows));
	tcase_add_test(t, text_for_a_rule_is_checked_too);
	tcase_add_loop_test(t, declaration_is_refused, 0, COUNT(refused));
	tcase_add_test(t, all_mistakes_come_at_once);
	tcase_add_test(t, brackets_in_patterns_are_no_repetitions);
	tcase_add_test(t, both_declarations_hold);
	tcase_add_test(t, lengths_and_words_narrow_too);
	tcase_add_test(t, both_patterns_hold_also_when_stored);
	tcase_add_test(t, declarations_that_cannot_meet_name_both_places);
	tcase_add_test(t, default_of_one_must_obey_the_other);
	tcase_add_test(t, key_is_no_group);
	tcase_add_test(t, keys_are_found_and_sorted);
	tcase_add_test(t, star_stands_for_one_part);
	suite_add_tcase(s, t);
	return suite_run(s);
}
