/* SPDX-License-Identifier: Apache-2.0 */
/* The end of a file, torn and damaged at every place: what is cut and what counts. */
#include "daemon/ship/tail.h"

#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tests/unit/suite.h"

enum { lines = 6, file_max = 1 << 20 };

static char whole[file_max];
static size_t ends[lines + 1];		/* behind the line of that number */

static void make_lines(void)
{
	prodd_auto_buffer b = { 0 };
	struct origin origin = { .instance = prodd_slice("one"), .pid = 1 };

	for (unsigned number = 1; number <= lines; number++) {
		struct record record = { .time_ns = number, .level = RECORD_INFO,
					.message = { "a message", 9 } };

		ck_assert_int_eq(line_write(&b, LINE_JSON,
					    &(struct line){ prodd_slice("orders"), number, &origin,
							   &record }), 0);
		ends[number] = b.size;
	}
	memcpy(whole, b.at, b.size);
}

static struct tail tail_of(const char *bytes, size_t size, uint64_t cursor, uint64_t last, bool cut)
{
	int fd = memfd_create("tail", MFD_CLOEXEC);
	struct tail_wish wish = { LINE_JSON, cursor, last, cut };
	struct prodd_error e;
	struct tail tail;

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, bytes, size), (ssize_t)size);
	ck_assert_int_eq(tail_read(fd, size, &wish, &tail, &e), 0);
	close(fd);
	return tail;
}

START_TEST(cut_at_every_byte_the_last_whole_line_counts)
{
	for (size_t size = 0; size <= ends[lines]; size++) {
		struct tail tail = tail_of(whole, size, 0, UINT64_MAX, false);
		unsigned number = lines;

		while (ends[number] > size)
			number--;
		ck_assert_uint_eq(tail.number, number);
		ck_assert_uint_eq(tail.check, number);
		ck_assert_uint_eq(tail.end, ends[number]);
		ck_assert(!tail.damaged);
	}
}
END_TEST

/* Zeros from everywhere on, 40 of them, with the cursor at the second line. */
START_TEST(zeros_behind_the_cursor_end_what_counts)
{
	for (size_t at = ends[2]; at + 40 <= ends[lines]; at++) {
		char bytes[file_max];
		struct tail tail;
		unsigned number = 2;

		memcpy(bytes, whole, ends[lines]);
		memset(bytes + at, 0, 40);
		while (ends[number + 1] <= at)
			number++;
		tail = tail_of(bytes, ends[lines], 2, UINT64_MAX, false);
		ck_assert_uint_eq(tail.number, number);
		ck_assert_uint_eq(tail.end, ends[number]);
	}
}
END_TEST

START_TEST(zeros_before_the_cursor_are_old)
{
	char bytes[file_max];
	struct tail tail;

	memcpy(bytes, whole, ends[lines]);
	memset(bytes + ends[1], 0, 40);
	tail = tail_of(bytes, ends[lines], 4, UINT64_MAX, false);
	ck_assert_uint_eq(tail.number, lines);
	ck_assert_uint_eq(tail.end, ends[lines]);
	ck_assert(!tail.damaged);
}
END_TEST

START_TEST(without_a_cursor_zeros_are_told_or_cut_as_is_wished)
{
	char bytes[file_max];
	struct tail tail;

	memcpy(bytes, whole, ends[lines]);
	memset(bytes + ends[3], 0, 40);
	tail = tail_of(bytes, ends[lines], 0, UINT64_MAX, false);
	ck_assert(tail.damaged);
	ck_assert_uint_eq(tail.before, 3);
	ck_assert_uint_eq(tail.number, lines);
	ck_assert_uint_eq(tail.end, ends[lines]);
	tail = tail_of(bytes, ends[lines], 0, UINT64_MAX, true);
	ck_assert(!tail.damaged);
	ck_assert_uint_eq(tail.number, 3);
	ck_assert_uint_eq(tail.end, ends[3]);
	/* At the very end there is nothing to lose. */
	memcpy(bytes, whole, ends[lines]);
	memset(bytes + ends[lines - 1] + 3, 0, 40);
	tail = tail_of(bytes, ends[lines], 0, UINT64_MAX, false);
	ck_assert_uint_eq(tail.number, lines - 1);
	ck_assert_uint_eq(tail.end, ends[lines - 1]);
}
END_TEST

START_TEST(lines_of_others_and_a_later_life_are_no_damage)
{
	char bytes[file_max];
	size_t size = ends[lines];
	struct tail tail;

	memcpy(bytes, whole, size);
	size += (size_t)snprintf(bytes + size, file_max - size, "somebody else's\n");
	memcpy(bytes + size, whole, ends[2]);	/* numbers begin anew */
	size += ends[2];
	tail = tail_of(bytes, size, 0, 4, false);
	ck_assert_uint_eq(tail.number, 2);
	ck_assert_uint_eq(tail.check, 2);
	ck_assert_mem_eq(tail.check_time, "1970-01-01T00:00:00.000000002Z", DIGITS_TIME);
	ck_assert_uint_eq(tail.end, size);
	tail = tail_of(whole, ends[lines], 0, 4, false);
	ck_assert_uint_eq(tail.number, lines);
	ck_assert_uint_eq(tail.check, 4);
}
END_TEST

/* So long that the first window holds no whole line. */
START_TEST(a_long_line_is_found)
{
	static char bytes[file_max];
	size_t size = ends[2], long_line = 700000;
	struct tail tail;

	memcpy(bytes, whole, size);
	memcpy(bytes + size, whole + ends[2], ends[3] - ends[2] - 2);
	memset(bytes + size + (ends[3] - ends[2] - 2), ' ', long_line);
	size += ends[3] - ends[2] - 2 + long_line;
	memcpy(bytes + size, "}\n{\"time", 8);
	tail = tail_of(bytes, size + 8, 2, UINT64_MAX, false);
	ck_assert_uint_eq(tail.number, 3);
	ck_assert_uint_eq(tail.end, size + 2);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("file tail");
	TCase *c = tcase_create("tail");

	tcase_add_unchecked_fixture(c, make_lines, NULL);
	tcase_set_timeout(c, 60);
	tcase_add_test(c, cut_at_every_byte_the_last_whole_line_counts);
	tcase_add_test(c, zeros_behind_the_cursor_end_what_counts);
	tcase_add_test(c, zeros_before_the_cursor_are_old);
	tcase_add_test(c, without_a_cursor_zeros_are_told_or_cut_as_is_wished);
	tcase_add_test(c, lines_of_others_and_a_later_life_are_no_damage);
	tcase_add_test(c, a_long_line_is_found);
	suite_add_tcase(s, c);
	return suite_run(s);
}
