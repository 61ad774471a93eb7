/* SPDX-License-Identifier: Apache-2.0 */
/* Formats on disk against files that another program has made; cursors; which names are names. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/spool/apps.h"
#include "daemon/spool/cursor.h"
#include "daemon/util/file.h"
#include "tests/hex.h"
#include "tests/unit/spooling.h"
#include "tests/unit/suite.h"

static struct spooling s;

static void set_up(void)
{
	spooling_begin(&s);
}

static void tear_down(void)
{
	spooling_end(&s);
}

static void golden(const char *name, struct prodd_buffer *b)
{
	const char *srcdir = getenv("srcdir");
	char path[4096];

	snprintf(path, sizeof path, "%s/tests/abi/%s", srcdir ? srcdir : ".", name);
	hex_read(b, path);
}

static const unsigned char ring_0[16] = { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15 };

START_TEST(a_segment_is_written_as_recorded)
{
	struct spool_water waters[2] = { { .uid = 1000, .end = 0x10000 }, { .uid = 0, .end = 64 } };
	struct spool_head head = { .id = 3,
				   .follows = 1001,
				   .first = 1001001,
				   .supersedes = 2,
				   .from = 1001,
				   .made_ns = UINT64_C(1700000000123456789),
				   .salt = UINT64_C(0x0123456789abcdef) };
	static const char *const texts[2] = { "first", "the second, longer" };
	prodd_auto_buffer expected = { 0 }, made = { 0 }, origin = { 0 };

	memcpy(waters[0].ring, ring_0, 16);
	memset(waters[1].ring, 0xff, 16);
	for (unsigned i = 0; i < 16; i++)
		head.boot[i] = (uint8_t)(0xa0 + i);
	origin_pack(&origin, &(struct origin){ prodd_slice("8080"),
					       4711,
					       1000,
					       { (const char *)ring_0, 16 },
					       0x10040,
					       { NULL, 0 } });
	spool_head_write((unsigned char *)prodd_buffer_extend(&made, spool_records_at(2 * SPOOL_WATER)),
			 &head, waters, 2);
	for (unsigned i = 0; i < 2; i++) {
		struct spool_record record = { 1001001 + i, prodd_buffer_slice(&origin),
					       prodd_slice(texts[i]) };
		char *to =
			prodd_buffer_extend(&made, spool_record_size(record.origin.size, record.record.size));

		spool_record_write((unsigned char *)to, &record, spool_seed(head.salt));
	}
	memset(prodd_buffer_extend(&made, 32), 0, 32);
	golden("segment.hex", &expected);
	ck_assert_uint_eq(made.size, expected.size);
	for (size_t i = 0; i < made.size; i++)
		if (made.at[i] != expected.at[i])
			ck_abort_msg("byte %zu differs", i);
}
END_TEST

/* What version 1 has written is read for ever; a writer of today goes on in it. */
START_TEST(a_recorded_segment_is_read)
{
	prodd_auto_buffer segment = { 0 };
	struct spool_reader *reader;
	struct spool_record record;
	struct prodd_error e;
	char path[256];

	golden("segment.hex", &segment);
	snprintf(path, sizeof path, "%s/orders", s.top);
	ck_assert_int_eq(mkdir(path, 0700), 0);
	snprintf(path, sizeof path, "%s/orders/0000000000000003.seg", s.top);
	spooling_store(path, segment.at, segment.size);
	spooling_open(&s);
	ck_assert_int_eq(spool_reader_open(&reader, s.app, 0, &e), 0);
	ck_assert_int_eq(spool_reader_next(reader, UINT64_MAX, &record, &e), 1);
	ck_assert_uint_eq(record.number, 1001001);
	ck_assert(prodd_slice_is(record.record, "first"));
	ck_assert_int_eq(spool_reader_next(reader, UINT64_MAX, &record, &e), 1);
	ck_assert(prodd_slice_is(record.record, "the second, longer"));
	ck_assert_int_eq(spool_reader_next(reader, UINT64_MAX, &record, &e), 0);
	ck_assert_uint_eq(spool_writer_next(s.writer), 1001003 + SPOOL_JUMP);	/* of another boot */
	spool_reader_close(reader);
}
END_TEST

START_TEST(a_head_that_contradicts_itself_is_none)
{
	struct spool_head head = { .id = 3, .follows = 10, .first = 10 },
			  bad[] = { head, head, head, head, head }, ret;
	static unsigned char bytes[3 * SPOOL_PAGE];
	struct prodd_error e;

	spool_head_write(bytes, &head, NULL, 0);
	ck_assert_int_eq(spool_head_read(bytes, &ret, &e), 0);
	bad[0].id = 0;
	bad[1].first = 9;
	bad[2].supersedes = 3;
	bad[3].first = UINT64_MAX;
	bad[4].id = UINT64_MAX;
	for (unsigned i = 0; i < 5; i++) {
		spool_head_write(bytes, &bad[i], NULL, 0);
		ck_assert_int_eq(spool_head_read(bytes, &ret, &e), -PRODD_E_CORRUPT);
	}
	spool_head_write(bytes, &head, NULL, 0);
	bytes[8] = 2;
	ck_assert_int_eq(spool_head_read(bytes, &ret, &e), -PRODD_E_UNSUPPORTED);
}
END_TEST

/* ---- cursors */

START_TEST(a_cursor_is_written_as_recorded_and_read)
{
	prodd_auto_buffer expected = { 0 }, made = { 0 };
	struct prodd_error e;
	uint64_t number;

	golden("cursor.hex", &expected);
	ck_assert_int_eq(spool_cursor_read(s.directory, "local", &number, &e), SPOOL_CURSOR_ABSENT);
	ck_assert_uint_eq(number, 0);
	ck_assert_int_eq(spool_cursor_write(s.directory, "local", 7, &e), 0);
	ck_assert_int_eq(spool_cursor_write(s.directory, "local", 1001002, &e), 0);
	ck_assert_int_eq(file_read(s.directory, "local.cursor", 100, &made, &e), 0);
	ck_assert(prodd_slice_equal(prodd_buffer_slice(&made), prodd_buffer_slice(&expected)));
	ck_assert_int_eq(spool_cursor_read(s.directory, "local", &number, &e), SPOOL_CURSOR_GOOD);
	ck_assert_uint_eq(number, 1001002);
	spool_cursor_remove(s.directory, "local");
	spool_cursor_remove(s.directory, "local");
	ck_assert_int_eq(spool_cursor_read(s.directory, "local", &number, &e), SPOOL_CURSOR_ABSENT);
}
END_TEST

START_TEST(a_damaged_cursor_is_none)
{
	prodd_auto_buffer good = { 0 };
	char path[256], bytes[64] = { 0 };
	struct prodd_error e;
	uint64_t number;

	golden("cursor.hex", &good);
	memcpy(bytes, good.at, good.size);
	snprintf(path, sizeof path, "%s/local.cursor", s.top);
	for (size_t bit = 0; bit < good.size * 8; bit++) {
		bytes[bit / 8] ^= (char)(1 << bit % 8);
		spooling_store(path, bytes, good.size);
		bytes[bit / 8] ^= (char)(1 << bit % 8);
		ck_assert_int_eq(spool_cursor_read(s.directory, "local", &number, &e), SPOOL_CURSOR_DAMAGED);
		ck_assert_uint_eq(number, 0);
	}
	for (size_t size = 0; size <= sizeof bytes; size++) {
		spooling_store(path, bytes, size);
		ck_assert_int_eq(spool_cursor_read(s.directory, "local", &number, &e),
				 size == good.size ? SPOOL_CURSOR_GOOD : SPOOL_CURSOR_DAMAGED);
	}
	ck_assert_uint_eq(spool_cursors_highest(s.directory), 0);
	unlink(path);
	ck_assert_int_eq(symlink("/etc/passwd", path), 0);
	ck_assert_int_lt(spool_cursor_read(s.directory, "local", &number, &e), 0);
}
END_TEST

START_TEST(names_of_sinks_stay_in_their_directory)
{
	static const char *const bad[] = {
		"", ".", "..", "../x", "x/y", "X", "1x", "-x", "x.y", "x y", "x\n"
	};
	char longest[70];
	struct prodd_error e;
	uint64_t number;

	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		ck_assert_int_eq(spool_cursor_write(s.directory, bad[i], 1, &e), -PRODD_E_INVALID);
		ck_assert_int_eq(spool_cursor_read(s.directory, bad[i], &number, &e), -PRODD_E_INVALID);
	}
	memset(longest, 'x', sizeof longest);
	longest[64] = '\0';
	ck_assert(!spool_is_sink(longest));
	longest[63] = '\0';
	ck_assert_int_eq(spool_cursor_write(s.directory, longest, 1, &e), 0);
	ck_assert_int_eq(spool_cursor_read(s.directory, longest, &number, &e), SPOOL_CURSOR_GOOD);
}
END_TEST

START_TEST(numbers_go_on_behind_every_cursor)
{
	struct prodd_error e;

	spooling_open(&s);
	spooling_append_many(&s, 0, 10, 100);
	spooling_close(&s);
	ck_assert_int_eq(spool_cursor_write(s.app, "local", 10, &e), 0);
	spooling_open(&s);
	ck_assert_uint_eq(spool_writer_next(s.writer), 11);
	spooling_close(&s);
	ck_assert_int_eq(spool_cursor_write(s.app, "other", 5000, &e), 0);
	spooling_open(&s);
	ck_assert_uint_gt(spool_writer_next(s.writer), 5000);
}
END_TEST

/* ---- apps */

START_TEST(only_names_of_apps_are_listed)
{
	static const char *const names[] = {
		"orders", "a",	     "legacy~alice", "x-y_z9~Dr.Who", "legacy~", "~alice",
		"Orders", ".hidden", "..x",	     "a b",	      "a\nb",	 "9a",
		"x~y~z",  "x~-rf",   "x~.x",	     "caf\303\251",
	};
	struct spool_apps apps;
	struct prodd_error e;
	char path[256];

	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		ck_assert_int_eq(mkdirat(s.directory, names[i], 0700), 0);
	ck_assert_int_eq(symlinkat("orders", s.directory, "link"), 0);
	snprintf(path, sizeof path, "%s/file", s.top);
	spooling_store(path, "", 0);
	ck_assert_int_eq(spool_apps_read(&apps, s.directory, &e), 0);
	ck_assert_uint_eq(apps.count, 4);
	ck_assert_str_eq(apps.names[0], "a");
	ck_assert_str_eq(apps.names[1], "legacy~alice");
	ck_assert_str_eq(apps.names[2], "orders");
	ck_assert_str_eq(apps.names[3], "x-y_z9~Dr.Who");
	ck_assert_uint_eq(apps.refused, 14);
	spool_apps_clear(&apps);
	ck_assert_int_eq(spool_writer_open(&s.writer, s.directory, "../x", &s.total, &e), -PRODD_E_INVALID);
	s.writer = NULL;
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("spool_format");
	TCase *c = tcase_create("format");

	tcase_add_checked_fixture(c, set_up, tear_down);
	tcase_set_timeout(c, 200);
	tcase_add_test(c, a_segment_is_written_as_recorded);
	tcase_add_test(c, a_recorded_segment_is_read);
	tcase_add_test(c, a_head_that_contradicts_itself_is_none);
	tcase_add_test(c, a_cursor_is_written_as_recorded_and_read);
	tcase_add_test(c, a_damaged_cursor_is_none);
	tcase_add_test(c, names_of_sinks_stay_in_their_directory);
	tcase_add_test(c, numbers_go_on_behind_every_cursor);
	tcase_add_test(c, only_names_of_apps_are_listed);
	suite_add_tcase(suite, c);
	return suite_run(suite);
}
