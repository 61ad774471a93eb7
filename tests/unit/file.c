/* SPDX-License-Identifier: Apache-2.0 */
/* Files read and replaced whole, stamps, hashes, and the log's lines. */
#define _GNU_SOURCE
#include "daemon/util/file.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/util/hash.h"
#include "daemon/util/log.h"
#include "daemon/util/stamp.h"
#include "tests/unit/suite.h"

static char top[64];
static int dir = -1;

static void set_up(void)
{
	struct prodd_error e;

	snprintf(top, sizeof top, "/tmp/file-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(top));
	dir = file_make_directory(AT_FDCWD, top, 0700, &e);
	ck_assert_int_ge(dir, 0);
}

static void tear_down(void)
{
	char command[128];

	file_close(&dir);
	snprintf(command, sizeof command, "rm -rf %s", top);
	ck_assert_int_eq(system(command), 0);
}

static unsigned count_names(void)
{
	char command[128];
	unsigned count = 0;
	FILE *f;

	snprintf(command, sizeof command, "ls -A %s | wc -l", top);
	f = popen(command, "r");
	ck_assert_int_eq(fscanf(f, "%u", &count), 1);
	pclose(f);
	return count;
}

START_TEST(a_file_is_replaced_whole_and_leaves_nothing_beside)
{
	prodd_auto_buffer b = { 0 };
	struct prodd_error e;
	struct stat st;

	ck_assert_int_eq(file_replace(dir, "x", prodd_slice("one"), 0640, &e), 0);
	ck_assert_int_eq(file_replace(dir, "x", prodd_slice("two, longer"), 0600, &e), 0);
	ck_assert_int_eq(file_read(dir, "x", 100, &b, &e), 0);
	ck_assert(prodd_slice_is(prodd_buffer_slice(&b), "two, longer"));
	ck_assert_int_eq(fstatat(dir, "x", &st, 0), 0);
	ck_assert_uint_eq(st.st_mode & 07777, 0600);
	ck_assert_uint_eq(count_names(), 1);
}
END_TEST

START_TEST(a_replacement_that_fails_leaves_the_old_one)
{
	prodd_auto_buffer b = { 0 };
	struct prodd_error e;

	ck_assert_int_eq(file_replace(dir, "x", prodd_slice("old"), 0600, &e), 0);
	ck_assert_int_eq(mkdirat(dir, ".x.new", 0700), 0);	/* stands in the way */
	ck_assert_int_eq(file_replace(dir, "x", prodd_slice("new"), 0600, &e), -PRODD_E_IO);
	ck_assert_int_eq(file_read(dir, "x", 100, &b, &e), 0);
	ck_assert(prodd_slice_is(prodd_buffer_slice(&b), "old"));
}
END_TEST

START_TEST(reading_has_a_limit_to_the_byte)
{
	prodd_auto_buffer b = { 0 };
	struct prodd_error e;
	static char big[100000];

	memset(big, 'x', sizeof big);
	ck_assert_int_eq(file_replace(dir, "x", (struct prodd_slice){ big, sizeof big }, 0600, &e), 0);
	ck_assert_int_eq(file_read(dir, "x", sizeof big, &b, &e), 0);
	ck_assert_uint_eq(b.size, sizeof big);
	ck_assert_int_eq(file_read(dir, "x", sizeof big - 1, &b, &e), -PRODD_E_TOO_LARGE);
	ck_assert_uint_eq(b.size, sizeof big);			/* as before */
	ck_assert_int_eq(file_read(dir, "x", 0, &b, &e), -PRODD_E_TOO_LARGE);
	prodd_buffer_clear(&b);
	b.limit = sizeof big;
	ck_assert_int_eq(file_read(dir, "x", sizeof big, &b, &e), 0);
}
END_TEST

START_TEST(empty_files_and_those_of_proc_are_read)
{
	prodd_auto_buffer b = { 0 };
	struct prodd_error e;

	ck_assert_int_eq(file_replace(dir, "x", prodd_slice(""), 0600, &e), 0);
	ck_assert_int_eq(file_read(dir, "x", 0, &b, &e), 0);
	ck_assert_uint_eq(b.size, 0);
	ck_assert_int_eq(file_read(AT_FDCWD, "/proc/self/stat", 4096, &b, &e), 0);
	ck_assert_uint_gt(b.size, 50);
}
END_TEST

START_TEST(only_regular_files_are_read_and_no_link_is_followed)
{
	prodd_auto_buffer b = { 0 };
	struct prodd_error e;

	ck_assert_int_eq(file_read(dir, "none", 10, &b, &e), -PRODD_E_NOT_FOUND);
	ck_assert_int_eq(symlinkat("x", dir, "link"), 0);
	ck_assert_int_eq(file_replace(dir, "x", prodd_slice("x"), 0600, &e), 0);
	ck_assert_int_eq(file_read(dir, "link", 10, &b, &e), -PRODD_E_IO);
	ck_assert_int_eq(mkfifoat(dir, "fifo", 0600), 0);
	ck_assert_int_eq(file_read(dir, "fifo", 10, &b, &e), -PRODD_E_IO);	/* and it does not block */
	ck_assert_int_eq(file_read(dir, ".", 10, &b, &e), -PRODD_E_IO);
}
END_TEST

START_TEST(directories_are_made_with_their_parents)
{
	struct prodd_error e;
	auto_fd deep = file_make_directory(dir, "a/b//c/", 0700, &e);
	auto_fd again = file_make_directory(dir, "a/b/c", 0700, &e);

	ck_assert_int_ge(deep, 0);
	ck_assert_int_ge(again, 0);
	ck_assert_int_eq(symlinkat("a", dir, "link"), 0);
	ck_assert_int_eq(file_make_directory(dir, "link", 0700, &e), -PRODD_E_IO);
	ck_assert_int_eq(file_replace(dir, "x", prodd_slice("x"), 0600, &e), 0);
	ck_assert_int_eq(file_make_directory(dir, "x/y", 0700, &e), -PRODD_E_IO);
}
END_TEST

/* The vector is xxHash's own: XXH3_128bits of nothing, seed 0 (github.com/Cyan4973/xxHash, tests). */
START_TEST(a_hash_is_32_digits_and_the_same_everywhere)
{
	char text[HASH_TEXT_SIZE], other[HASH_TEXT_SIZE];

	hash_text((struct prodd_slice){ NULL, 0 }, text);
	ck_assert_str_eq(text, "99aa06d3014798d86001c324468d497f");
	hash_text(prodd_slice("a"), text);
	hash_text(prodd_slice("b"), other);
	ck_assert_uint_eq(strlen(text), 32);
	ck_assert_str_ne(text, other);
}
END_TEST

START_TEST(a_stamp_finds_every_changed_byte)
{
	struct wire_live in = { .epoch = { "e1", 2 }, .txn = 7 }, out;
	prodd_auto_buffer b = { 0 };
	struct prodd_error e;

	ck_assert_int_eq(stamp_seal(&b, "LIV", &wire_record_live, &in), 0);
	ck_assert_int_eq(stamp_open(prodd_buffer_slice(&b), "LIV", &wire_record_live, &out, &e), 0);
	ck_assert_uint_eq(out.txn, 7);
	ck_assert_int_eq(stamp_open(prodd_buffer_slice(&b), "GEN", &wire_record_live, &out, &e), -PRODD_E_CORRUPT);
	for (size_t i = 0; i < b.size; i++) {
		b.at[i] ^= 0x20;
		ck_assert_int_eq(stamp_open(prodd_buffer_slice(&b), "LIV", &wire_record_live, &out, &e),
				 -PRODD_E_CORRUPT);
		b.at[i] ^= 0x20;
	}
	for (size_t size = 0; size < b.size; size++)
		ck_assert_int_eq(stamp_open((struct prodd_slice){ b.at, size }, "LIV", &wire_record_live, &out, &e),
				 -PRODD_E_CORRUPT);
	b.at[11] = STAMP_VERSION + 1;
	ck_assert_int_eq(stamp_open(prodd_buffer_slice(&b), "LIV", &wire_record_live, &out, &e), -PRODD_E_CORRUPT);
	ck_assert_ptr_nonnull(strstr(e.text, "newer"));
}
END_TEST

/* ---- the log, on a pipe in place of stderr */

static int log_end, old_stderr;

static void log_to_pipe(enum log_level level)
{
	int ends[2];

	ck_assert_int_eq(pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
	old_stderr = dup(STDERR_FILENO);
	dup2(ends[1], STDERR_FILENO);
	close(ends[1]);
	log_end = ends[0];
	log_open("prog", level);
}

static const char *logged(void)
{
	static char text[100000];
	ssize_t n = read(log_end, text, sizeof text - 1);

	text[n > 0 ? n : 0] = '\0';
	return text;
}

static void log_back(void)
{
	dup2(old_stderr, STDERR_FILENO);
	close(old_stderr);
	close(log_end);
}

START_TEST(a_log_line_is_one_line_with_its_level)
{
	log_to_pipe(LOG_LEVEL_INFO);
	log_warn("two\nlines \x1b[31m and \xff bytes, \xc3\xa9 stays");
	ck_assert_str_eq(logged(), "<4>prog: two\\x0alines \\x1b[31m and \\xff bytes, \xc3\xa9 stays\n");
	log_debug("not this");
	ck_assert_str_eq(logged(), "");
	log_back();
}
END_TEST

START_TEST(a_reader_that_has_stopped_does_not_stop_us)
{
	unsigned n = 0;

	log_to_pipe(LOG_LEVEL_INFO);
	for (int i = 0; i < 100000; i++)
		log_info("line %d, with some text behind it to fill the pipe sooner", i);
	while (*logged())
		n++;
	ck_assert_uint_gt(n, 0);
	log_info("after");
	ck_assert_ptr_nonnull(strstr(logged(), "messages were dropped"));
	log_back();
}
END_TEST

static Suite *file_suite(void)
{
	Suite *s = suite_create("file");
	TCase *tc = tcase_create("file");

	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_test(tc, a_file_is_replaced_whole_and_leaves_nothing_beside);
	tcase_add_test(tc, a_replacement_that_fails_leaves_the_old_one);
	tcase_add_test(tc, reading_has_a_limit_to_the_byte);
	tcase_add_test(tc, empty_files_and_those_of_proc_are_read);
	tcase_add_test(tc, only_regular_files_are_read_and_no_link_is_followed);
	tcase_add_test(tc, directories_are_made_with_their_parents);
	tcase_add_test(tc, a_hash_is_32_digits_and_the_same_everywhere);
	tcase_add_test(tc, a_stamp_finds_every_changed_byte);
	tcase_add_test(tc, a_log_line_is_one_line_with_its_level);
	tcase_add_test(tc, a_reader_that_has_stopped_does_not_stop_us);
	suite_add_tcase(s, tc);
	return s;
}

int main(void)
{
	return suite_run(file_suite());
}
