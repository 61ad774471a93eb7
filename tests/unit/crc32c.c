/* SPDX-License-Identifier: Apache-2.0 */
/* CRC-32C against the examples of RFC 3720, B.4, both ways, and the two against one another. */
#include "daemon/util/crc32c.h"

#include "tests/unit/suite.h"

typedef uint32_t crc_function(uint32_t crc, const void *bytes, size_t size);

static void check_examples(crc_function *crc)
{
	static const unsigned char read_command[48] = {
		0x01, 0xc0, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
		0x00, 0x00, 0x00, 0x00, 0x14, 0x00, 0x00, 0x00, 0x00, 0x00, 0x04, 0x00,
		0x00, 0x00, 0x00, 0x14, 0x00, 0x00, 0x00, 0x18, 0x28, 0x00, 0x00, 0x00,
		0x00, 0x00, 0x00, 0x00, 0x02, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
	};
	unsigned char bytes[32];

	memset(bytes, 0, sizeof bytes);
	ck_assert_uint_eq(crc(0, bytes, 32), 0x8a9136aa);
	memset(bytes, 0xff, sizeof bytes);
	ck_assert_uint_eq(crc(0, bytes, 32), 0x62a8ab43);
	for (unsigned i = 0; i < 32; i++)
		bytes[i] = (unsigned char)i;
	ck_assert_uint_eq(crc(0, bytes, 32), 0x46dd794e);
	for (unsigned i = 0; i < 32; i++)
		bytes[i] = (unsigned char)(31 - i);
	ck_assert_uint_eq(crc(0, bytes, 32), 0x113fdb5c);
	ck_assert_uint_eq(crc(0, read_command, 48), 0xd9963a56);
	ck_assert_uint_eq(crc(0, "123456789", 9), 0xe3069283);
	ck_assert_uint_eq(crc(0, "", 0), 0);
}

START_TEST(examples_of_the_standard_come_out)
{
	check_examples(crc32c);
	check_examples(crc32c_by_table);
	if (crc32c_has_instruction())
		check_examples(crc32c_by_instruction);
	else
		printf("this processor has no instruction for it\n");
}
END_TEST

/* Any length, any alignment, any cut. */
START_TEST(both_ways_agree_on_whatever_bytes_in_whatever_pieces)
{
	struct dice d = dice_start("crc32c");
	static unsigned char bytes[4096];

	for (size_t i = 0; i < sizeof bytes; i++)
		bytes[i] = (unsigned char)dice_next(&d);
	for (unsigned i = 0; i < 20000; i++) {
		unsigned from = dice_below(&d, 64), size = dice_below(&d, 1024),
			 cut = size ? dice_below(&d, size) : 0;
		uint32_t whole = crc32c_by_table(0, bytes + from, size);

		ck_assert_uint_eq(crc32c_by_table(crc32c_by_table(0, bytes + from, cut), bytes + from + cut,
						  size - cut),
				  whole);
		if (crc32c_has_instruction())
			ck_assert_uint_eq(crc32c_by_instruction(crc32c_by_instruction(0, bytes + from, cut),
								bytes + from + cut, size - cut),
					  whole);
	}
}
END_TEST

int main(void)
{
	Suite *s = suite_create("crc32c");
	TCase *c = tcase_create("crc32c");

	tcase_add_test(c, examples_of_the_standard_come_out);
	tcase_add_test(c, both_ways_agree_on_whatever_bytes_in_whatever_pieces);
	suite_add_tcase(s, c);
	return suite_run(s);
}
