/* SPDX-License-Identifier: Apache-2.0 */
/* A schema in code: what is sent for it, and what is refused. */
#include "client/declared.h"

#include "proto/codec.h"
#include "proto/cursor.h"
#include "proto/frame.h"
#include "proto/limits.h"
#include "tests/unit/client_suite.h"

static struct prodd_declared declared;
static struct prodd_error error;

static void teardown(void)
{
	prodd_declared_clear(&declared);
}

static int add(struct prodd_schema_key key)
{
	return prodd_declared_add(&declared, &key, 1, sizeof key, &error);
}

/* Key number `i` of the first part. */
static struct wire_schema_key sent(unsigned i)
{
	struct prodd_iter it = prodd_iter(prodd_declared_list(&declared, 0));
	struct wire_schema_key key;

	do
		ck_assert_int_eq(prodd_next(&it, &wire_record_schema_key, &key, &error), 1);
	while (i-- > 0);
	return key;
}

static int64_t int_of(struct prodd_slice value)
{
	struct prodd_cursor c = prodd_cursor(value);
	int64_t number = -1;

	ck_assert(prodd_cursor_int(&c, &number));
	return number;
}

START_TEST(texts_become_values_of_the_type)
{
	static const char *const levels[] = { "info", "warn", NULL };
	static const char *const hosts[] = { "a", "b", NULL };
	struct prodd_cursor c;
	uint32_t count;
	double real;

	ck_assert_int_eq(add((struct prodd_schema_key){ .key = "server.port",
							.type = "int",
							.def = "8080",
							.min = "1",
							.max = "65535",
							.restart = true,
							.help = "Port." }),
			 0);
	ck_assert_int_eq(add((struct prodd_schema_key){
				 .key = "t", .type = "duration", .def = "1.5s", .max = "1m" }),
			 0);
	ck_assert_int_eq(add((struct prodd_schema_key){ .key = "s", .type = "size", .def = "64KiB" }), 0);
	ck_assert_int_eq(add((struct prodd_schema_key){ .key = "f", .type = "float", .def = "-0.5" }), 0);
	ck_assert_int_eq(add((struct prodd_schema_key){ .key = "l", .type = "enum", .one_of = levels }), 0);
	ck_assert_int_eq(add((struct prodd_schema_key){ .key = "h",
							.type = "list",
							.def_list = hosts,
							.min_length = 1,
							.max_length = 9,
							.required = true }),
			 0);
	ck_assert_uint_eq(declared.part_count, 1);
	ck_assert(prodd_slice_is(sent(0).key, "server.port") && prodd_slice_is(sent(0).help, "Port."));
	ck_assert(sent(0).restart && !sent(0).required);
	ck_assert_int_eq(int_of(sent(0).def), 8080);
	ck_assert_int_eq(int_of(sent(0).min), 1);
	ck_assert_int_eq(int_of(sent(0).max), 65535);
	ck_assert_int_eq(int_of(sent(1).def), 1500000000);
	ck_assert_int_eq(int_of(sent(1).max), INT64_C(60000000000));
	ck_assert_int_eq(int_of(sent(2).def), 65536);
	c = prodd_cursor(sent(3).def);
	ck_assert(prodd_cursor_float(&c, &real) && real == -0.5);
	ck_assert_uint_eq(sent(4).one_of.count, 2);
	c = prodd_cursor(sent(5).def);
	ck_assert(prodd_cursor_array(&c, &count) && count == 2);
	ck_assert(sent(5).required && sent(5).min_length == 1 && sent(5).max_length == 9);
}
END_TEST

START_TEST(what_is_wrong_is_named)
{
	static const char *const list[] = { "a", NULL };
	static const struct prodd_schema_key wrong[] = {
		{ .key = NULL, .type = "int" },
		{ .key = "", .type = "int" },
		{ .key = ".a", .type = "int" },
		{ .key = "a..b", .type = "int" },
		{ .key = "a\xff", .type = "int" },
		{ .key = "a", .type = NULL },
		{ .key = "a", .type = "secret" },
		{ .key = "a", .type = "int", .def = "x" },
		{ .key = "a", .type = "int", .def = "9223372036854775808" },
		{ .key = "a", .type = "int", .min = "1.5" },
		{ .key = "a", .type = "string", .min = "1" },
		{ .key = "a", .type = "bool", .def = "yes" },
		{ .key = "a", .type = "duration", .def = "30" },
		{ .key = "a", .type = "size", .max = "1 MiB" },
		{ .key = "a", .type = "float", .def = "nan" },
		{ .key = "a", .type = "string", .def_list = list },
		{ .key = "a", .type = "list", .def = "a" },
		{ .key = "a", .type = "string", .help = "\xff" },
	};

	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		ck_assert_msg(add(wrong[i]) == -PRODD_E_USAGE, "number %zu passed", i);
		ck_assert_int_eq(error.code, PRODD_E_USAGE);
	}
	ck_assert_uint_eq(declared.key_count, 0);
	ck_assert_uint_eq(declared.bytes.size, 0);
}
END_TEST

START_TEST(after_an_error_none_is_added)
{
	struct prodd_schema_key keys[3] = { { .key = "b", .type = "int" }, { .key = "c", .type = "int" },
					    { .key = "d", .type = "number" } };

	ck_assert_int_eq(add((struct prodd_schema_key){ .key = "a", .type = "int" }), 0);
	ck_assert_int_eq(prodd_declared_add(&declared, keys, 3, sizeof *keys, &error), -PRODD_E_USAGE);
	ck_assert_uint_eq(declared.key_count, 1);
	ck_assert_uint_eq(prodd_declared_list(&declared, 0).count, 1);
	ck_assert_int_eq(prodd_declared_add(&declared, keys, 2, sizeof *keys, &error), 0);
	ck_assert(prodd_slice_is(sent(2).key, "c"));
}
END_TEST

/* The struct may grow in a later version: an older program's is shorter. */
START_TEST(a_shorter_struct_of_an_older_program_is_read)
{
	struct older {
		const char *key, *type, *def;
	} older[2] = { { "a", "int", "1" }, { "b", "int", "2" } };

	ck_assert_int_eq(prodd_declared_add(&declared, (const struct prodd_schema_key *)(const void *)older,
					    2, sizeof *older, &error),
			 0);
	ck_assert(prodd_slice_is(sent(1).key, "b"));
	ck_assert_int_eq(int_of(sent(1).def), 2);
}
END_TEST

/* As the daemon would look at it. */
static void fits_a_frame(struct prodd_list keys)
{
	struct wire_declare declare = { .keys = keys, .more = true };
	prodd_auto_buffer frame = { 0 };
	struct prodd_message m;

	ck_assert_int_eq(prodd_frame_call(&frame, 1000, WIRE_M_config_declare, &declare), 0);
	ck_assert_uint_le(frame.size, PRODD_FRAME_HEADER + PRODD_FRAME_MAX);
	ck_assert_msg(prodd_message_open((struct prodd_slice){ frame.at + PRODD_FRAME_HEADER,
							       frame.size - PRODD_FRAME_HEADER },
					 &prodd_check_received, &m, &error) == 0, "%s", error.text);
	ck_assert_msg(prodd_message_decode(&m, &wire_record_declare, &declare, &error) == 0, "%s",
		      error.text);
}

START_TEST(a_large_schema_comes_in_parts_that_fit_a_frame)
{
	static struct prodd_schema_key keys[PRODD_SETTINGS_MAX];
	static char names[PRODD_SETTINGS_MAX][16];
	uint32_t total = 0;

	for (int i = 0; i < (int)PRODD_SETTINGS_MAX; i++) {
		snprintf(names[i], sizeof names[i], "key%d", i);
		keys[i] = (struct prodd_schema_key){
			.key = names[i],
			.type = "int",
			.def = "1",
			.min = "0",
			.help = "A sentence of some length, as people write them."
		};
	}
	ck_assert_int_eq(prodd_declared_add(&declared, keys, PRODD_SETTINGS_MAX, sizeof *keys, &error), 0);
	ck_assert_uint_gt(declared.part_count, 1);
	for (size_t i = 0; i < declared.part_count; i++) {
		struct prodd_list list = prodd_declared_list(&declared, i);

		fits_a_frame(list);
		total += list.count;
	}
	ck_assert_uint_eq(total, PRODD_SETTINGS_MAX);
	ck_assert_int_eq(add((struct prodd_schema_key){ .key = "one.more", .type = "int" }),
			 -PRODD_E_TOO_LARGE);
}
END_TEST

/* One key has hundreds of values here: it is their number that counts. */
START_TEST(keys_of_many_values_come_in_parts_too)
{
	static const char *words[251];
	uint32_t total = 0;
	char name[16];

	for (int i = 0; i < 250; i++)
		words[i] = "w";
	for (int i = 0; i < 40; i++) {
		snprintf(name, sizeof name, "key%d", i);
		ck_assert_int_eq(
			add((struct prodd_schema_key){ .key = name, .type = "enum", .one_of = words }), 0);
	}
	for (size_t i = 0; i < declared.part_count; i++) {
		fits_a_frame(prodd_declared_list(&declared, i));
		total += prodd_declared_list(&declared, i).count;
	}
	ck_assert_uint_eq(total, 40);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("client: schema in code");
	TCase *tc = tcase_create("declared");

	suite_add_tcase(s, tc);
	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, NULL, teardown);
	tcase_add_test(tc, texts_become_values_of_the_type);
	tcase_add_test(tc, what_is_wrong_is_named);
	tcase_add_test(tc, after_an_error_none_is_added);
	tcase_add_test(tc, a_shorter_struct_of_an_older_program_is_read);
	tcase_add_test(tc, a_large_schema_comes_in_parts_that_fit_a_frame);
	tcase_add_test(tc, keys_of_many_values_come_in_parts_too);
	return client_suite_run(s);
}
