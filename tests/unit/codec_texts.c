/* SPDX-License-Identifier: Apache-2.0 */
/* What the codec's errors say, word by word, and the rules that only some kinds have. */
#include "proto/codec.h"

#include "tests/unit/suite.h"

#define BYTES(literal) (struct prodd_slice){ literal, sizeof literal - 1 }

union any_record {
	struct wire_reload reload;
	struct wire_change change;
	struct wire_config_entry entry;
	struct wire_schema_key key;
	struct wire_apply apply;
	struct wire_source_file file;
};

struct refusal {
	const struct wire_record *type;
	struct prodd_slice bytes;
	int code;
	const char *text;
};

static const struct refusal refusals[] = {
	{ &wire_record_reload, BYTES("\x81\xaatimeout_ms\xa1" "5"), PRODD_E_USAGE,
	  "reload.timeout_ms: expected an unsigned integer, got a string" },
	{ &wire_record_reload, BYTES("\x81\xaatimeout_ms\xff"), PRODD_E_USAGE,
	  "reload.timeout_ms: expected an unsigned integer, got a negative one" },
	{ &wire_record_reload, BYTES("\x81\xaatimeout_ms\xcb\x3f\xf0\0\0\0\0\0\0"), PRODD_E_USAGE,
	  "reload.timeout_ms: expected an unsigned integer, got a float" },
	{ &wire_record_reload, BYTES("\x81\xa5" "force\xc0"), PRODD_E_USAGE,
	  "reload.force: expected a bool, got nil" },
	{ &wire_record_reload, BYTES("\x81\xa5" "force\x01"), PRODD_E_USAGE,
	  "reload.force: expected a bool, got an integer" },
	{ &wire_record_reload, BYTES("\x81\xa3" "app\xc4\x01x"), PRODD_E_USAGE,
	  "reload.app: expected a string, got bytes" },
	{ &wire_record_reload, BYTES("\x81\xa3" "app\xa2\xc3("), PRODD_E_USAGE,
	  "reload.app: not text: expected valid UTF-8 without NUL" },
	{ &wire_record_reload, BYTES("\x81\xa3" "app\xa3" "a\0b"), PRODD_E_USAGE,
	  "reload.app: not text: expected valid UTF-8 without NUL" },
	{ &wire_record_reload, BYTES("\x82\xa3" "app\xa1" "a\xa3" "app\xa1" "b"), PRODD_E_USAGE,
	  "reload.app: comes twice" },
	{ &wire_record_change, BYTES("\x80"), PRODD_E_USAGE, "change.key: missing, expected a string" },
	{ &wire_record_change, BYTES("\x93\x01\x02\x03"), PRODD_E_PROTOCOL,
	  "change: expected a map, got an array" },
	{ &wire_record_change, BYTES("\xc0"), PRODD_E_PROTOCOL, "change: expected a map, got nil" },
	{ &wire_record_change, BYTES(""), PRODD_E_PROTOCOL, "change: expected a map, got damaged bytes" },
	{ &wire_record_change, BYTES("\x82\x01"), PRODD_E_PROTOCOL,
	  "change: expected a map, got damaged bytes" },
	{ &wire_record_change, BYTES("\x81\x01\x02"), PRODD_E_PROTOCOL,
	  "change: expected a string as key, got an integer" },
	{ &wire_record_change, BYTES("\x81\xc4\x03" "key\xa1" "k"), PRODD_E_PROTOCOL,
	  "change: expected a string as key, got bytes" },
	{ &wire_record_change, BYTES("\x81\xa3" "key\xa5" "abc"), PRODD_E_PROTOCOL,
	  "change.key: damaged bytes" },
	{ &wire_record_change, BYTES("\x81\xa3" "key\xc1"), PRODD_E_PROTOCOL, "change.key: damaged bytes" },
	{ &wire_record_change, BYTES("\x81\xa1?\xc1"), PRODD_E_PROTOCOL, "change.?: damaged bytes" },
	{ &wire_record_config_entry, BYTES("\x81\xa5value\x80"), PRODD_E_USAGE,
	  "config_entry.value: expected a scalar or an array of scalars, got a map" },
	{ &wire_record_config_entry, BYTES("\x81\xa5value\x91\x90"), PRODD_E_USAGE,
	  "config_entry.value: expected a scalar or an array of scalars, got an array in it" },
	{ &wire_record_config_entry, BYTES("\x81\xa5value\xa2" "a\0"), PRODD_E_USAGE,
	  "config_entry.value: not text: expected valid UTF-8 without NUL" },
	{ &wire_record_config_entry, BYTES("\x81\xa5value\x92\x01\xa1\xff"), PRODD_E_USAGE,
	  "config_entry.value: not text: expected valid UTF-8 without NUL" },
	{ &wire_record_schema_key, BYTES("\x81\xa6one_of\xa1x"), PRODD_E_USAGE,
	  "schema_key.one_of: expected an array of strings, got a string" },
	{ &wire_record_schema_key, BYTES("\x81\xa6one_of\x92\xa1x\x05"), PRODD_E_USAGE,
	  "schema_key.one_of: expected an array of strings, got an integer in it" },
	{ &wire_record_schema_key, BYTES("\x81\xa6one_of\x92\xa1x\xa1\0"), PRODD_E_USAGE,
	  "schema_key.one_of: not text: expected valid UTF-8 without NUL" },
	{ &wire_record_schema_key, BYTES("\x81\xa6one_of\x92\xa1x\xa2x"), PRODD_E_PROTOCOL,
	  "schema_key.one_of: damaged bytes" },
	{ &wire_record_apply, BYTES("\x81\xa7overlay\x93\x80\x80"), PRODD_E_PROTOCOL,
	  "apply.overlay: damaged bytes" },
	{ &wire_record_apply, BYTES("\x81\xa7overlay\x92\x80\x81\xc0"), PRODD_E_PROTOCOL,
	  "apply.overlay: damaged bytes" },
	{ &wire_record_apply, BYTES("\x81\xa7overlay\x80"), PRODD_E_USAGE,
	  "apply.overlay: expected an array of maps, got a map" },
	{ &wire_record_source_file, BYTES("\x81\xa7" "content\xa1x"), PRODD_E_USAGE,
	  "source_file.content: expected bytes, got a string" },
};

START_TEST(errors_name_path_expectation_and_what_came)
{
	for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++) {
		const struct refusal *row = &refusals[i];
		struct prodd_cursor c = prodd_cursor(row->bytes);
		union any_record got;
		struct prodd_error e;

		ck_assert_uint_le(row->type->size, sizeof got);
		ck_assert_msg(prodd_decode(&c, row->type, &got, &e) == -row->code, "%s", row->text);
		ck_assert_str_eq(e.text, row->text);
		c = prodd_cursor(row->bytes);
		ck_assert_int_eq(prodd_decode(&c, row->type, &got, NULL), -row->code);
	}
}
END_TEST

START_TEST(a_long_unknown_key_is_shown_cut)
{
	char bytes[103] = "\x81\xd9\x60";
	struct prodd_cursor c;
	struct wire_change change;
	struct prodd_error e;

	memset(bytes + 3, 'k', 96);
	bytes[99] = (char)0xc1;
	c = prodd_cursor((struct prodd_slice){ bytes, 100 });
	ck_assert_int_eq(prodd_decode(&c, &wire_record_change, &change, &e), -PRODD_E_PROTOCOL);
	ck_assert_uint_eq(strlen(e.text), strlen("change.: damaged bytes") + 64);
}
END_TEST

START_TEST(numbers_reach_both_ends)
{
	struct prodd_cursor c = prodd_cursor(BYTES("\x81\xaatimeout_ms\xcf\xff\xff\xff\xff\xff\xff\xff\xff"));
	struct wire_reload reload;

	ck_assert_int_eq(prodd_decode(&c, &wire_record_reload, &reload, NULL), 0);
	ck_assert_uint_eq(reload.timeout_ms, UINT64_MAX);
	c = prodd_cursor(BYTES("\x81\xaatimeout_ms\xd3\0\0\0\0\0\0\0\x05"));
	ck_assert_int_eq(prodd_decode(&c, &wire_record_reload, &reload, NULL), 0);
	ck_assert_uint_eq(reload.timeout_ms, 5);
}
END_TEST

START_TEST(values_of_every_form_are_taken_encoded)
{
	static const struct prodd_slice values[] = {
		BYTES("\xc0"), BYTES("\xc2"), BYTES("\x05"), BYTES("\xcf\xff\xff\xff\xff\xff\xff\xff\xff"),
		BYTES("\xca\x3f\x80\0\0"), BYTES("\xa2hi"), BYTES("\xc4\x02\0\xff"), BYTES("\x90"),
		BYTES("\x94\xc0\xc3\xa1x\xc4\x01\0"),
	};

	for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
		prodd_auto_buffer b = { 0 };
		struct wire_config_entry entry;
		struct prodd_cursor c;

		prodd_buffer_append(&b, "\x83\xa3key\xa1k\xa4type\xa1t\xa5value", 20);
		prodd_buffer_append(&b, values[i].at, values[i].size);
		c = prodd_cursor(prodd_buffer_slice(&b));
		ck_assert_int_eq(prodd_decode(&c, &wire_record_config_entry, &entry, NULL), 0);
		ck_assert(prodd_slice_equal(entry.value, values[i]));
	}
}
END_TEST

START_TEST(a_list_is_verified_as_it_is_walked)
{
	struct prodd_cursor c = prodd_cursor(BYTES("\x81\xa5rules\x93\x82\xa3key\xa1k\xa4type\xa1t\x05\x80"));
	struct prodd_list list = { (const char *)c.at + 8, 16, 3 };
	struct prodd_iter it = prodd_iter(list);
	struct wire_config_entry entry;
	struct prodd_error e;

	ck_assert_int_eq(prodd_next(&it, &wire_record_config_entry, &entry, &e), 1);
	ck_assert(prodd_slice_is(entry.key, "k"));
	ck_assert_int_eq(prodd_next(&it, &wire_record_config_entry, &entry, &e), -PRODD_E_PROTOCOL);
	ck_assert_str_eq(e.text, "config_entry: expected a map, got an integer");
	ck_assert_int_eq(prodd_next(&it, &wire_record_config_entry, &entry, &e), 0);
	it = prodd_iter((struct prodd_list){ NULL, 0, 0 });
	ck_assert_int_eq(prodd_next(&it, &wire_record_config_entry, &entry, &e), 0);
}
END_TEST

START_TEST(texts_are_walked)
{
	struct prodd_iter it = prodd_iter((struct prodd_list){ "\xa1" "a\xa0\xa2" "bc", 6, 3 });
	struct prodd_slice text;

	ck_assert(prodd_next_text(&it, &text) && prodd_slice_is(text, "a"));
	ck_assert(prodd_next_text(&it, &text) && prodd_slice_is(text, ""));
	ck_assert(prodd_next_text(&it, &text) && prodd_slice_is(text, "bc"));
	ck_assert(!prodd_next_text(&it, &text));
	it = prodd_iter((struct prodd_list){ NULL, 0, 0 });
	ck_assert(!prodd_next_text(&it, &text));
}
END_TEST

/* The table's own rules, which the codec relies on. */
START_TEST(the_schema_is_sound)
{
	for (int i = 0; wire_records[i]; i++) {
		const struct wire_record *type = wire_records[i];

		ck_assert_uint_le(type->count, 64);
		for (unsigned f = 0; f < type->count; f++) {
			const struct wire_field *field = &type->fields[f];
			bool sized = field->kind != WIRE_BOOL && field->kind != WIRE_UINT &&
				     field->kind != WIRE_INT;

			ck_assert_msg(sized == (field->max > 0), "%s.%s has a wrong max", type->name,
				      field->name);
			ck_assert_msg((field->kind == WIRE_LIST) == (field->record != NULL), "%s.%s",
				      type->name, field->name);
			ck_assert_msg(field->since[0] && field->help[0], "%s.%s lacks since or help",
				      type->name, field->name);
			ck_assert_msg(!(field->must && field->kind == WIRE_VALUE), "%s.%s", type->name,
				      field->name);
			for (unsigned g = 0; g < f; g++)
				ck_assert_str_ne(field->name, type->fields[g].name);
		}
		for (int j = 0; j < i; j++)
			ck_assert_str_ne(type->name, wire_records[j]->name);
	}
	for (int m = WIRE_NO_METHOD + 1; m < WIRE_METHOD_COUNT; m++)
		ck_assert_int_eq(wire_method_of(prodd_slice(wire_methods[m].name)), m);
	ck_assert_int_eq(wire_method_of(prodd_slice("no.such")), WIRE_NO_METHOD);
	ck_assert_int_eq(wire_method_of(prodd_slice("")), WIRE_NO_METHOD);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("codec texts");
	TCase *tc = tcase_create("codec texts");

	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, errors_name_path_expectation_and_what_came);
	tcase_add_test(tc, a_long_unknown_key_is_shown_cut);
	tcase_add_test(tc, numbers_reach_both_ends);
	tcase_add_test(tc, values_of_every_form_are_taken_encoded);
	tcase_add_test(tc, a_list_is_verified_as_it_is_walked);
	tcase_add_test(tc, texts_are_walked);
	tcase_add_test(tc, the_schema_is_sound);
	suite_add_tcase(s, tc);
	return suite_run(s);
}
