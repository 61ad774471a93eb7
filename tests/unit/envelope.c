/* SPDX-License-Identifier: Apache-2.0 */
/* Envelopes: the three shapes, and what is said of everything else. */
#include "proto/frame.h"

#include "tests/unit/suite.h"

#define BYTES(literal) (struct prodd_slice){ literal, sizeof literal - 1 }

static const struct {
	struct prodd_slice bytes;
	const char *text;
} misshapen[] = {
	{ BYTES("\xc0"), "envelope: not an array" },
	{ BYTES("\x80"), "envelope: not an array" },
	{ BYTES("\x90"), "envelope: the first element is not 0 (call), 1 (answer) or 2 (note)" },
	{ BYTES("\x94\x03\x01\xc0\xc0"),
	  "envelope: the first element is not 0 (call), 1 (answer) or 2 (note)" },
	{ BYTES("\x94\xff\x01\xc0\xc0"),
	  "envelope: the first element is not 0 (call), 1 (answer) or 2 (note)" },
	{ BYTES("\x94\xa1" "0\x01\xc0\xc0"),
	  "envelope: the first element is not 0 (call), 1 (answer) or 2 (note)" },
	{ BYTES("\x93\x00\x01\xa4ping"), "envelope: calls and answers have four elements" },
	{ BYTES("\x95\x00\x01\xa4ping\x80\x80"), "envelope: calls and answers have four elements" },
	{ BYTES("\x93\x01\x01\xc0"), "envelope: calls and answers have four elements" },
	{ BYTES("\x94\x02\x01\xa4ping\x80"), "envelope: a note has three elements" },
	{ BYTES("\x92\x02\xa4ping"), "envelope: a note has three elements" },
	{ BYTES("\x94\x00\xff\xa4ping\x80"), "envelope: the id is not an integer from 0 to 2^63-1" },
	{ BYTES("\x94\x00\xcf\x80\0\0\0\0\0\0\0\xa4ping\x80"),
	  "envelope: the id is not an integer from 0 to 2^63-1" },
	{ BYTES("\x94\x00\xa1" "1\xa4ping\x80"),
	  "envelope: the id is not an integer from 0 to 2^63-1" },
	{ BYTES("\x94\x00\xcb\0\0\0\0\0\0\0\0\xa4ping\x80"),
	  "envelope: the id is not an integer from 0 to 2^63-1" },
	{ BYTES("\x94\x01\xc0\xc0\x80"), "envelope: the id is not an integer from 0 to 2^63-1" },
	{ BYTES("\x94\x00\x01\x05\x80"), "envelope: the method is not a string" },
	{ BYTES("\x94\x00\x01\xc4\x04ping\x80"), "envelope: the method is not a string" },
	{ BYTES("\x94\x00\x01\xa2\xff\xff\x80"), "envelope: the method is not a string" },
	{ BYTES("\x94\x00\x01\xa4ping\x90"), "envelope: the params are not a map" },
	{ BYTES("\x94\x00\x01\xa4ping\xc0"), "envelope: the params are not a map" },
	{ BYTES("\x93\x02\xa4ping\x90"), "envelope: the params are not a map" },
	{ BYTES("\x94\x01\x01\xc0\xc0"), "envelope: the result is not a map" },
	{ BYTES("\x94\x01\x01\xc0\x05"), "envelope: the result is not a map" },
	{ BYTES("\x94\x01\x01\xa4" "busy\xc0"),
	  "envelope: the error is neither nil nor a map" },
	{ BYTES("\x94\x01\x01\x80\xc0"), "envelope: the error has no code" },
	{ BYTES("\x94\x01\x01\x81\xa4text\xa1x\xc0"), "envelope: the error has no code" },
	{ BYTES("\x94\x01\x01\x81\xa4" "code\x09\xc0"),
	  "envelope: the error's code or text is not a string" },
	{ BYTES("\x94\x01\x01\x81\xa4text\xc0\xc0"), "envelope: the error's code or text is not a string" },
	{ BYTES("\x94\x01\x01\x81\x01\xa4" "busy\xc0"),
	  "envelope: a key of the error is not a string" },
	{ BYTES("\x94\x01\x01\x81\xa4" "code\xa4" "busy\x80"),
	  "envelope: an error and a result" },
	{ BYTES("\x94\x01\x01\xc0\x80\xc0"), "byte 5: 1 bytes follow the value" },
	{ BYTES("\x94\x01\x01\xc0"), "byte 1: a container announces 4 values, but 3 bytes are left" },
	{ BYTES(""), "byte 0: the value is cut short" },
};

static int open(struct prodd_slice frame, struct prodd_message *m, struct prodd_error *e)
{
	return prodd_message_open(frame, &prodd_check_received, m, e);
}

START_TEST(wrong_shapes_are_named)
{
	for (size_t i = 0; i < sizeof misshapen / sizeof *misshapen; i++) {
		struct prodd_message m;
		struct prodd_error e = { 0 };

		ck_assert_msg(open(misshapen[i].bytes, &m, &e) == -PRODD_E_PROTOCOL, "%s", misshapen[i].text);
		ck_assert_str_eq(e.text, misshapen[i].text);
		ck_assert_int_eq(open(misshapen[i].bytes, &m, NULL), -PRODD_E_PROTOCOL);
	}
}
END_TEST

/* So that the error can be answered to it. */
START_TEST(the_call_at_fault_is_named_when_it_can_be)
{
	struct prodd_message m;

	ck_assert_int_lt(open(BYTES("\x94\x00\x07\xa4ping\xc0"), &m, NULL), 0);
	ck_assert_uint_eq(m.id, 7);
	ck_assert_int_lt(open(BYTES("\x94\x01\x07\xc0\xc0"), &m, NULL), 0);
	ck_assert_uint_eq(m.id, 0);
	ck_assert_int_lt(open(BYTES("\x94\x00\xcf\xff\xff\xff\xff\xff\xff\xff\xff\xa4ping\x80"), &m, NULL),
			 0);
	ck_assert_uint_eq(m.id, 0);
	ck_assert_int_lt(open(BYTES("\x94\x00\x07\xa4ping\xc1"), &m, NULL), 0);
	ck_assert_uint_eq(m.id, 0);
}
END_TEST

START_TEST(an_unknown_method_is_no_error)
{
	struct prodd_message m;
	struct prodd_error e;

	ck_assert_int_eq(open(BYTES("\x94\x00\x07\xa8" "no.such!\x81\xa1" "a\x90"), &m, &e), 0);
	ck_assert_int_eq(m.type, PRODD_CALL);
	ck_assert_int_eq(m.method, WIRE_NO_METHOD);
	ck_assert_uint_eq(m.id, 7);
	ck_assert(prodd_slice_is(m.name, "no.such!"));
	ck_assert_uint_eq(m.params.size, 4);
	ck_assert_int_eq(open(BYTES("\x93\x02\xa0\x80"), &m, &e), 0);
	ck_assert_int_eq(m.type, PRODD_NOTE);
	ck_assert_int_eq(m.method, WIRE_NO_METHOD);
}
END_TEST

START_TEST(numbers_may_stand_in_any_form)
{
	struct prodd_message m;
	struct prodd_error e;

	ck_assert_int_eq(
		open(BYTES("\xdc\0\x04\xd0\x00\xcf\x7f\xff\xff\xff\xff\xff\xff\xff\xd9\x04ping\xde\0\0"), &m,
		     &e),
		0);
	ck_assert_int_eq(m.type, PRODD_CALL);
	ck_assert_uint_eq(m.id, INT64_MAX);
	ck_assert_int_eq(m.method, WIRE_M_ping);
}
END_TEST

START_TEST(errors_of_later_versions_are_understood)
{
	struct prodd_message m;
	struct prodd_error e;

	ck_assert_int_eq(open(BYTES("\x94\x01\x01\x83\xa4" "code\xa6strang\xa4" "more\x91\x05\xa4text\xa2hm\xc0"),
			      &m, &e),
			 0);
	ck_assert_int_eq(m.error.code, PRODD_E_FAILED);
	ck_assert_str_eq(m.error.text, "hm");
	ck_assert_int_eq(open(BYTES("\x94\x01\x01\x81\xa4" "code\xa4" "busy\xc0"), &m, &e), 0);
	ck_assert_int_eq(m.error.code, PRODD_E_BUSY);
	ck_assert_str_eq(m.error.text, prodd_error_meaning(PRODD_E_BUSY));
}
END_TEST

START_TEST(a_peers_long_or_dirty_text_is_tamed)
{
	prodd_auto_buffer b = { 0 };
	char text[2000];
	struct prodd_message m;
	struct prodd_error e;

	memset(text, '\n', sizeof text);
	text[0] = (char)0xff;
	prodd_buffer_append(&b, "\x94\x01\x01\x82\xa4" "code\xa2io\xa4text", 17);
	prodd_pack_str(&b, (struct prodd_slice){ text, sizeof text });
	prodd_pack_nil(&b);
	ck_assert_int_eq(open(prodd_buffer_slice(&b), &m, &e), 0);
	ck_assert_int_eq(m.error.code, PRODD_E_IO);
	ck_assert_uint_eq(strlen(m.error.text), PRODD_ERROR_TEXT_MAX - 1);
	ck_assert_mem_eq(m.error.text, "?   ", 4);
}
END_TEST

START_TEST(a_record_ends_with_its_params)
{
	struct prodd_message m = { .params = BYTES("\x80\xc0") };
	struct wire_empty empty;
	struct prodd_error e;

	ck_assert_int_eq(prodd_message_decode(&m, &wire_record_empty, &empty, &e), -PRODD_E_PROTOCOL);
	ck_assert_str_eq(e.text, "empty: bytes follow the record");
	m.params.size = 1;
	ck_assert_int_eq(prodd_message_decode(&m, &wire_record_empty, &empty, &e), 0);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("envelope");
	TCase *tc = tcase_create("envelope");

	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, wrong_shapes_are_named);
	tcase_add_test(tc, the_call_at_fault_is_named_when_it_can_be);
	tcase_add_test(tc, an_unknown_method_is_no_error);
	tcase_add_test(tc, numbers_may_stand_in_any_form);
	tcase_add_test(tc, errors_of_later_versions_are_understood);
	tcase_add_test(tc, a_peers_long_or_dirty_text_is_tamed);
	tcase_add_test(tc, a_record_ends_with_its_params);
	suite_add_tcase(s, tc);
	return suite_run(s);
}
