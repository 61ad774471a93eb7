/* SPDX-License-Identifier: Apache-2.0 */
/* Buffers: growth, the limit to the byte, and failures that stick until cleared. */
#include "proto/buffer.h"

#include <prodd/error.h>

#include "proto/limits.h"
#include "tests/unit/suite.h"

START_TEST(bytes_come_out_as_they_went_in)
{
	prodd_auto_buffer b = { 0 };

	for (int i = 0; i < 10000; i++) {
		char byte = (char)(i * 7);

		ck_assert_int_eq(prodd_buffer_append(&b, &byte, 1), 0);
	}
	ck_assert_uint_eq(b.size, 10000);
	for (int i = 0; i < 10000; i++)
		ck_assert_int_eq(b.at[i], (char)(i * 7));
	prodd_buffer_consume(&b, 9999);
	ck_assert_uint_eq(b.size, 1);
	ck_assert_int_eq(b.at[0], (char)(9999 * 7));
	prodd_buffer_consume(&b, 2);
	ck_assert_uint_eq(b.size, 0);
}
END_TEST

START_TEST(the_limit_is_exact_and_nothing_is_reserved_beyond_it)
{
	for (size_t limit = 1; limit < 2000; limit += 37) {
		prodd_auto_buffer b = { .limit = limit };

		for (size_t i = 0; i < limit; i++)
			ck_assert_int_eq(prodd_buffer_append(&b, "x", 1), 0);
		ck_assert_uint_le(b.capacity, limit);
		ck_assert_int_eq(prodd_buffer_append(&b, "x", 1), -PRODD_E_TOO_LARGE);
		ck_assert_uint_eq(b.size, limit);
	}
}
END_TEST

START_TEST(without_a_limit_the_longest_reply_is_the_limit)
{
	prodd_auto_buffer b = { 0 };

	ck_assert_ptr_nonnull(prodd_buffer_extend(&b, PRODD_REPLY_MAX));
	ck_assert_ptr_null(prodd_buffer_extend(&b, 1));
	ck_assert_int_eq(b.failed, -PRODD_E_TOO_LARGE);
}
END_TEST

START_TEST(a_limit_lowered_below_the_content_refuses)
{
	prodd_auto_buffer b = { .limit = 100 };

	ck_assert_int_eq(prodd_buffer_append(&b, "0123456789", 10), 0);
	b.limit = 5;
	ck_assert_int_eq(prodd_buffer_append(&b, "x", 1), -PRODD_E_TOO_LARGE);
}
END_TEST

START_TEST(a_failure_sticks_until_reset_or_clear)
{
	prodd_auto_buffer b = { .limit = 4 };

	ck_assert_int_eq(prodd_buffer_append(&b, "12345", 5), -PRODD_E_TOO_LARGE);
	ck_assert_int_eq(prodd_buffer_append(&b, "1", 1), -PRODD_E_TOO_LARGE);
	ck_assert_int_eq(prodd_buffer_append(&b, NULL, 0), -PRODD_E_TOO_LARGE);
	prodd_pack_uint(&b, 1);
	ck_assert_uint_eq(b.size, 0);
	prodd_buffer_reset(&b);
	ck_assert_int_eq(prodd_buffer_append(&b, "1234", 4), 0);
	prodd_pack_bool(&b, true);
	ck_assert_int_eq(b.failed, -PRODD_E_TOO_LARGE);
	prodd_buffer_clear(&b);
	ck_assert_ptr_null(b.at);
	ck_assert_uint_eq(b.limit, 4);
	ck_assert_int_eq(prodd_buffer_append(&b, "1234", 4), 0);
	prodd_buffer_clear(NULL);
}
END_TEST

START_TEST(values_are_packed_in_their_shortest_form)
{
	prodd_auto_buffer b = { 0 };
	static const unsigned char expected[] = {
		0xc0, 0xc3, 0xc2, 0x7f, 0xcc, 0x80, 0xff, 0xd0, 0x80, 0xcb, 0x3f, 0xf8, 0, 0, 0, 0, 0, 0,
		0xa2, 'h', 'i', 0xc4, 1, 0, 0x92, 0x81, 0xa0, 0xc4, 0,
	};

	prodd_pack_nil(&b);
	prodd_pack_bool(&b, true);
	prodd_pack_bool(&b, false);
	prodd_pack_uint(&b, 127);
	prodd_pack_uint(&b, 128);
	prodd_pack_int(&b, -1);
	prodd_pack_int(&b, -128);
	prodd_pack_float(&b, 1.5);
	prodd_pack_str(&b, prodd_slice("hi"));
	prodd_pack_bin(&b, (struct prodd_slice){ "", 1 });
	prodd_pack_array(&b, 2);
	prodd_pack_map(&b, 1);
	prodd_pack_str(&b, (struct prodd_slice){ NULL, 0 });
	prodd_pack_bin(&b, (struct prodd_slice){ NULL, 0 });
	ck_assert_uint_eq(b.size, sizeof expected);
	ck_assert_mem_eq(b.at, expected, sizeof expected);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("buffer");
	TCase *tc = tcase_create("buffer");

	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, bytes_come_out_as_they_went_in);
	tcase_add_test(tc, the_limit_is_exact_and_nothing_is_reserved_beyond_it);
	tcase_add_test(tc, without_a_limit_the_longest_reply_is_the_limit);
	tcase_add_test(tc, a_limit_lowered_below_the_content_refuses);
	tcase_add_test(tc, a_failure_sticks_until_reset_or_clear);
	tcase_add_test(tc, values_are_packed_in_their_shortest_form);
	suite_add_tcase(s, tc);
	return suite_run(s);
}
