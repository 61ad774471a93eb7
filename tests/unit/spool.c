/* SPDX-License-Identifier: Apache-2.0 */
/* Writer and reader of a spool that nothing befalls: order, numbers, waters, segments, limits, boots,
 * policies. */
#include <unistd.h>

#include "tests/unit/spooling.h"
#include "tests/unit/suite.h"

static struct spooling s;
static uint64_t tokens[100000];

static void set_up(void)
{
	spooling_begin(&s);
}

static void tear_down(void)
{
	spooling_end(&s);
}

static void check_tokens(unsigned count, uint64_t first)
{
	for (unsigned i = 0; i < count; i++)
		ck_assert_uint_eq(tokens[i], first + i);
}

START_TEST(what_is_appended_is_read_in_order)
{
	struct spool_reading_counts counts;

	spooling_open(&s);
	spooling_append_many(&s, 0, 1, 0);
	spooling_append_many(&s, 1, 999, 100);
	spooling_append_many(&s, 1000, 100, 1000);
	ck_assert_uint_eq(spooling_read(&s, 0, tokens, 100000, &counts), 1100);
	check_tokens(1100, 0);
	ck_assert_uint_eq(counts.records, 1100);
	ck_assert_uint_eq(counts.missing + counts.repeated + counts.quarantined_places + counts.bad_segments,
			  0);
	ck_assert_uint_eq(spool_writer_next(s.writer), 1101);
	ck_assert_uint_eq(spooling_read(&s, 501, tokens, 100000, &counts), 600);
	check_tokens(600, 500);
}
END_TEST

START_TEST(a_writer_that_comes_again_goes_on_behind_the_last_record)
{
	spooling_open(&s);
	for (unsigned i = 0; i < 50; i++) {
		spooling_append_many(&s, i * 10, 10, 200);
		spooling_close(&s);
		spooling_open(&s);
	}
	ck_assert_uint_eq(spool_writer_segments(s.writer), 1);
	ck_assert_uint_eq(spool_writer_next(s.writer), 501);
	ck_assert_uint_eq(spooling_read(&s, 0, tokens, 100000, NULL), 500);
	check_tokens(500, 0);
}
END_TEST

START_TEST(many_segments_and_large_records)
{
	struct spool_reading_counts counts;

	s.total.app_limit = 400 * 1024 * 1024;
	spooling_open(&s);
	for (unsigned i = 0; i < 40; i++) {
		spooling_append_many(&s, i * 3, 2, 300000);
		spooling_append_many(&s, i * 3 + 2, 1, 1024 * 1024);
	}
	ck_assert_uint_gt(spool_writer_segments(s.writer), 7);
	ck_assert_uint_eq(spooling_read(&s, 0, tokens, 100000, &counts), 120);
	check_tokens(120, 0);
	ck_assert_uint_eq(counts.missing, 0);
	spool_writer_passed(s.writer, 60);
	ck_assert_uint_gt(spool_writer_oldest(s.writer), 40);
	ck_assert_uint_le(spool_writer_oldest(s.writer), 61);
	ck_assert_uint_eq(spooling_read(&s, 61, tokens, 100000, &counts), 60);
	check_tokens(60, 60);
	ck_assert_uint_eq(counts.missing, 0);
	spool_writer_passed(s.writer, 120);
	ck_assert_uint_eq(spool_writer_segments(s.writer), 1);
}
END_TEST

/* A reader beside the writer sees each record once, as soon as it is told of it and not before. */
START_TEST(a_reader_follows_its_writer)
{
	struct dice d = dice_start("spool");
	uint64_t token = 0, seen = 0;
	struct spool_reader *reader;
	struct spool_record record;
	struct prodd_error e;

	s.total.app_limit = 8 * 1024 * 1024;
	s.total.full = SPOOL_BLOCK;
	spooling_open(&s);
	ck_assert_int_eq(spool_reader_open(&reader, s.app, 0, &e), 0);
	for (unsigned i = 0; i < 400; i++) {
		unsigned count = 1 + dice_below(&d, 20);
		uint64_t last = spool_writer_next(s.writer) - 1 + dice_below(&d, count + 1);

		spooling_append_many(&s, token, count, dice_below(&d, 20000));
		token += count;
		if (dice_below(&d, 4) == 0)
			ck_assert_int_eq(spool_writer_sync(s.writer, &e), 0);
		while (spool_reader_next(reader, last, &record, &e) == 1)
			ck_assert_uint_eq(spooling_token(&record), seen++);
		ck_assert_uint_eq(seen, last);
		if (dice_below(&d, 8) == 0)
			spool_writer_passed(s.writer, seen);
	}
	while (spool_reader_next(reader, token, &record, &e) == 1)
		ck_assert_uint_eq(spooling_token(&record), seen++);
	ck_assert_uint_eq(seen, token);
	ck_assert_uint_eq(spool_reader_behind(reader), 0);
	ck_assert_uint_eq(spool_reader_counts(reader)->records, token);
	ck_assert_uint_eq(spool_reader_counts(reader)->missing, 0);
	ck_assert_uint_eq(spool_reader_counts(reader)->quarantined_bytes, 0);
	spool_reader_close(reader);
}
END_TEST

/* Somebody copies the segment that is being written; whatever the copy is called, reader and writer go on. */
START_TEST(a_copy_beside_the_live_segment_misleads_nobody)
{
	static const char *const names[] = { "0000000000000000", "0000000000000009", "7fffffffffffffff",
					     "ffffffffffffffff" };
	uint64_t token = 0, seen = 0;
	struct spool_reader *reader;
	struct spool_record record;
	struct prodd_error e;
	char path[256], copy[256];

	spooling_open(&s);
	spooling_append_many(&s, token++, 1, 100);
	ck_assert_int_eq(spool_reader_open(&reader, s.app, 0, &e), 0);
	for (unsigned i = 0; i < 40; i++) {
		size_t size;
		unsigned char *bytes;

		spooling_segment(&s, 0, path);
		bytes = spooling_load(path, &size);
		snprintf(copy, sizeof copy, "%.100s/orders/%s.seg", s.top, names[i % 4]);
		spooling_store(copy, bytes + (i / 4 % 2 ? 100 : 0), size - 100);
		free(bytes);
		spooling_append_many(&s, token, 3, 1000);
		token += 3;
		while (spool_reader_next(reader, token + 1, &record, &e) ==
		       1) /* to the very end, and beyond */
			ck_assert_uint_eq(spooling_token(&record), seen++);
		ck_assert_uint_eq(seen, token);
		unlink(copy);
		if (i % 10 == 9) {
			spooling_close(&s);
			spooling_open(&s);
		}
	}
	ck_assert_uint_eq(spool_reader_counts(reader)->missing, 0);
	spool_reader_close(reader);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("spool");
	TCase *c = tcase_create("spool");

	tcase_add_checked_fixture(c, set_up, tear_down);
	tcase_set_timeout(c, 200);
	tcase_add_test(c, what_is_appended_is_read_in_order);
	tcase_add_test(c, a_writer_that_comes_again_goes_on_behind_the_last_record);
	tcase_add_test(c, many_segments_and_large_records);
	tcase_add_test(c, a_reader_follows_its_writer);
	tcase_add_test(c, a_copy_beside_the_live_segment_misleads_nobody);
	suite_add_tcase(suite, c);
	return suite_run(suite);
}
