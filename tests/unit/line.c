/* SPDX-License-Identifier: Apache-2.0 */
/* Reading a line's number back, and where a line goes in a buffer. What lines say:
 * tests/abi/lines_are_as_recorded and tests/integration/lines_say_what_was_put_in.py. */
#include "proto/shm/line.h"

#include "prodd/error.h"
#include "tests/unit/suite.h"

static const struct origin origin = { .instance = { "a \"8080\" \\", 10 }, .pid = 1 };
static const struct record record = { .time_ns = 1, .level = RECORD_INFO,
				     .message = { "\",\"seq\":7,\"", 11 } };

static struct prodd_slice write_one(struct prodd_buffer *b, enum line_format format, uint64_t number)
{
	struct line line = { prodd_slice("seq=4 x"), number, &origin, &record };

	prodd_buffer_reset(b);
	ck_assert_int_eq(line_write(b, format, &line), 0);
	return prodd_buffer_slice(b);
}

START_TEST(the_number_of_a_line_is_read_back)
{
	static const uint64_t numbers[] = { 0, 1, 10421, UINT64_MAX };
	prodd_auto_buffer b = { 0 };

	for (enum line_format format = LINE_JSON; format <= LINE_LOGFMT; format++)
		for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
			struct prodd_slice line = write_one(&b, format, numbers[i]);
			struct prodd_slice time;
			uint64_t number = 77;

			ck_assert(line_number(line, format, &number, &time));
			ck_assert_uint_eq(number, numbers[i]);
			ck_assert(prodd_slice_is(time, "1970-01-01T00:00:00.000000001Z"));
			line.size--;	/* without its newline */
			ck_assert(line_number(line, format, &number, NULL));
			ck_assert(!line_number(line, LINE_JSON + LINE_LOGFMT - format, &number, NULL));
		}
}
END_TEST

START_TEST(a_piece_of_a_line_has_no_number)
{
	prodd_auto_buffer b = { 0 };
	struct prodd_slice line = write_one(&b, LINE_JSON, 5);
	uint64_t number;

	for (size_t size = 0; size < line.size - 1; size++)
		ck_assert(!line_number((struct prodd_slice){ line.at, size }, LINE_JSON, &number, NULL));
	for (size_t from = 1; from < line.size; from++)
		ck_assert(!line_number((struct prodd_slice){ line.at + from, line.size - from }, LINE_JSON,
				       &number, NULL));
	ck_assert(!line_number((struct prodd_slice){ NULL, 0 }, LINE_LOGFMT, &number, NULL));
	ck_assert(!line_number(prodd_slice("{\"seq\":5}"), LINE_JSON, &number, NULL));
}
END_TEST

START_TEST(a_number_too_large_is_none)
{
	prodd_auto_buffer b = { 0 };
	struct prodd_slice line = write_one(&b, LINE_LOGFMT, UINT64_MAX);
	uint64_t number;

	for (size_t i = 0; i + 4 < line.size; i++)
		if (memcmp(b.at + i, "1615", 4) == 0)
			memcpy(b.at + i, "1616", 4);
	ck_assert(!line_number(line, LINE_LOGFMT, &number, NULL));
}
END_TEST

START_TEST(lines_follow_one_another_and_a_full_buffer_keeps_what_it_has)
{
	prodd_auto_buffer b = { .limit = 16384 };
	size_t size = write_one(&b, LINE_JSON, 1).size;
	struct line line = { prodd_slice("seq=4 x"), 1, &origin, &record };
	size_t before;
	int r;

	do {
		before = b.size;
		r = line_write(&b, LINE_JSON, &line);
	} while (r == 0);
	ck_assert_int_eq(r, -PRODD_E_TOO_LARGE);
	ck_assert_uint_eq(b.size, before);
	ck_assert_uint_ge(before, 2 * size);
	ck_assert_uint_eq(before % size, 0);
	ck_assert_mem_eq(b.at, b.at + size, size);
}
END_TEST

START_TEST(formats_have_names)
{
	enum line_format format = LINE_JSON;

	ck_assert(line_format_of(prodd_slice("logfmt"), &format) && format == LINE_LOGFMT);
	ck_assert(line_format_of(prodd_slice("json"), &format) && format == LINE_JSON);
	ck_assert(!line_format_of(prodd_slice("JSON"), &format));
	ck_assert(!line_format_of((struct prodd_slice){ NULL, 0 }, &format));
}
END_TEST

int main(void)
{
	Suite *s = suite_create("line");
	TCase *c = tcase_create("line");

	tcase_add_test(c, the_number_of_a_line_is_read_back);
	tcase_add_test(c, a_piece_of_a_line_has_no_number);
	tcase_add_test(c, a_number_too_large_is_none);
	tcase_add_test(c, lines_follow_one_another_and_a_full_buffer_keeps_what_it_has);
	tcase_add_test(c, formats_have_names);
	suite_add_tcase(s, c);
	return suite_run(s);
}
