/* SPDX-License-Identifier: Apache-2.0 */
/* What a spool does at its limits, after a boot, beside a newer version, under each policy; what rings it
 * knows. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/spool/segments.h"
#include "tests/unit/spooling.h"
#include "tests/unit/suite.h"

enum { tokens_max = 100000, MiB = 1024 * 1024 };

static struct spooling s;
static uint64_t tokens[tokens_max];

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
		if (tokens[i] != first + i)
			ck_abort_msg("record %u is %llu, not %llu", i, (unsigned long long)tokens[i],
				     (unsigned long long)first + i);
}

/* ---- limits */

START_TEST(the_oldest_are_dropped_and_counted)
{
	struct spool_reading_counts counts;
	unsigned kept;

	s.total.app_limit = MiB;
	spooling_open(&s);
	for (unsigned i = 0; i < 3000; i++) {
		spooling_append_many(&s, i, 1, 2000);
		if (spool_writer_bytes(s.writer) > s.total.app_limit)
			ck_abort_msg("over the limit");
		if (i == 1000)
			spool_writer_passed(s.writer, 501);
	}
	kept = spooling_read(&s, 1, tokens, tokens_max, &counts);
	check_tokens(kept, 3000 - kept);
	ck_assert_uint_gt(kept, 300);
	ck_assert_uint_eq(counts.missing, 3000 - kept);
	ck_assert_uint_eq(spool_writer_oldest(s.writer), 3001 - kept);
	ck_assert_uint_le(spool_writer_counts(s.writer)->dropped_oldest, 3000 - kept);
	ck_assert_uint_gt(spool_writer_counts(s.writer)->dropped_oldest,
			  3000 - kept - 200); /* those passed are no loss */
	ck_assert_uint_eq(spool_writer_counts(s.writer)->dropped_newest, 0);
}
END_TEST

START_TEST(the_newest_are_dropped_one_by_one_and_counted)
{
	uint64_t number, kept;

	s.total.app_limit = MiB;
	s.total.full = SPOOL_DROP_NEWEST;
	spooling_open(&s);
	for (unsigned i = 0; i < 1000; i++)
		ck_assert_int_eq(spooling_append(&s, i, 2000, NULL), 0);
	kept = spool_writer_counts(s.writer)->records;
	ck_assert_uint_gt(kept, 300);
	ck_assert_uint_eq(spool_writer_counts(s.writer)->dropped_newest, 1000 - kept);
	ck_assert_uint_eq(spool_writer_next(s.writer), kept + 1);	/* they have no numbers */
	ck_assert_uint_eq(spooling_read(&s, 0, tokens, tokens_max, NULL), kept);
	check_tokens((unsigned)kept, 0);
	spool_writer_passed(s.writer, kept);
	ck_assert_int_eq(spooling_append(&s, 1000, 2000, &number), 0);
	ck_assert_uint_eq(number, kept + 1);
}
END_TEST

START_TEST(blocking_loses_nothing_and_goes_on)
{
	unsigned token = 0, seen = 0;

	s.total.app_limit = MiB;
	s.total.full = SPOOL_BLOCK;
	spooling_open(&s);
	for (unsigned round = 0; round < 10; round++) {
		while (spooling_append(&s, token, 2000, NULL) == 0)
			token++;
		ck_assert_int_eq(spooling_append(&s, token, 2000, NULL), -PRODD_E_OVER_LIMIT);
		ck_assert_uint_le(spool_writer_bytes(s.writer), s.total.app_limit);
		ck_assert_uint_eq(spooling_read(&s, seen + 1, tokens, tokens_max, NULL), token - seen);
		check_tokens(token - seen, seen);
		seen = token;
		spool_writer_passed(s.writer, seen);
	}
	ck_assert_uint_eq(spool_writer_counts(s.writer)->dropped_newest +
				  spool_writer_counts(s.writer)->dropped_oldest,
			  0);
}
END_TEST

START_TEST(who_floods_pays_for_all)
{
	struct spool_writer *quiet, *flood;
	struct spool_record record = { .origin = prodd_slice("x") };
	struct prodd_error e;
	uint64_t first;
	unsigned taken;
	char *text = spooling_text(0, 5000, &record.record.size);

	record.record.at = text;
	s.total.limit = 2 * MiB;
	ck_assert_int_eq(spool_writer_open(&quiet, s.directory, "quiet", &s.total, &e), 0);
	ck_assert_int_eq(spool_writer_open(&flood, s.directory, "flood", &s.total, &e), 0);
	for (unsigned i = 0; i < 4000; i++) {
		if (spool_writer_append(flood, &record, 1, &first, &taken, &e) < 0 ||
		    s.total.bytes > s.total.limit ||
		    (i % 20 == 0 && spool_writer_append(quiet, &record, 1, &first, &taken, &e) < 0))
			ck_abort_msg("%u: %s", i, e.text);
	}
	ck_assert_uint_eq(s.total.bytes, spool_writer_bytes(quiet) + spool_writer_bytes(flood));
	ck_assert_uint_gt(spool_writer_counts(flood)->dropped_oldest, 3000);
	ck_assert_uint_eq(spool_writer_counts(quiet)->dropped_oldest, 0);
	ck_assert_uint_eq(spool_writer_oldest(quiet), 1);
	spool_writer_close(flood);
	spool_writer_close(quiet);
	free(text);
}
END_TEST

START_TEST(what_never_fits_is_dropped_alone)
{
	struct spool_record records[3] = { { .origin = prodd_slice("x") } };
	struct prodd_error e;
	uint64_t first;
	unsigned taken;
	char *small = spooling_text(1, 100, &records[0].record.size);
	char *large = malloc(SPOOL_BODY_MAX + 1);

	memset(large, 'x', SPOOL_BODY_MAX + 1);
	records[0].record.at = small;
	records[1] = records[2] = records[0];
	records[1].record = (struct prodd_slice){ large, SPOOL_BODY_MAX + 1 };
	s.total.full = SPOOL_BLOCK;
	spooling_open(&s);
	ck_assert_int_eq(spool_writer_append(s.writer, records, 3, &first, &taken, &e), 0);
	ck_assert_uint_eq(taken, 2); /* and not further: whoever counts numbers must know which has none */
	ck_assert_uint_eq(spool_writer_next(s.writer), 2);
	ck_assert_int_eq(spool_writer_append(s.writer, records + 2, 1, &first, &taken, &e), 0);
	ck_assert_uint_eq(first, 2);
	ck_assert_uint_eq(spool_writer_counts(s.writer)->dropped_newest, 1);
	s.total.app_limit = 64 * 1024;
	records[1].record.size = 80 * 1024;
	ck_assert_int_eq(spool_writer_append(s.writer, records + 1, 1, &first, &taken, &e), 0);
	ck_assert_uint_eq(spool_writer_counts(s.writer)->dropped_newest, 2);
	free(small);
	free(large);
}
END_TEST

START_TEST(a_part_of_the_disk_is_kept_free)
{
	s.total.keep_free_percent = 100;
	s.total.full = SPOOL_BLOCK;
	spooling_open(&s);
	ck_assert_int_eq(spooling_append(&s, 0, 100, NULL), -PRODD_E_OVER_LIMIT);
	s.total.full = SPOOL_DROP_NEWEST;
	ck_assert_int_eq(spooling_append(&s, 0, 100, NULL), 0);
	ck_assert_uint_eq(spool_writer_counts(s.writer)->dropped_newest, 1);
	s.total.keep_free_percent = 1;
	ck_assert_int_eq(spooling_append(&s, 0, 100, NULL), 0);
	ck_assert_uint_eq(spool_writer_counts(s.writer)->records, 1);
	s.total.keep_free_percent = 100;	/* what is preallocated is there */
	ck_assert_int_eq(spooling_append(&s, 1, 100, NULL), 0);
	ck_assert_uint_eq(spool_writer_counts(s.writer)->records, 2);
}
END_TEST

/* ---- a disk that fills and empties */

static void fill(const char *path, size_t size)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	ck_assert_int_ge(fd, 0);
	posix_fallocate(fd, 0, (off_t)size);
	close(fd);
}

START_TEST(a_disk_fills_and_empties)
{
	char filler[256];
	unsigned token = 0, kept;

	/* In a mount namespace of this test's own: it goes with the process. */
	if (unshare(CLONE_NEWNS) < 0 || mount("none", "/", "none", MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount("spool-test", s.top, "tmpfs", MS_NOSUID | MS_NODEV, "size=4m") < 0) {
		printf("a_disk_fills_and_empties: not here: mount: %s\n", strerror(errno));
		return;
	}
	close(s.directory);
	s.directory = open(s.top, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	snprintf(filler, sizeof filler, "%s/filler", s.top);
	s.total.full = SPOOL_BLOCK;
	s.total.app_limit = 8 * MiB;	/* more than there is; segments of 1 MiB */
	spooling_open(&s);
	for (unsigned round = 0; round < 20; round++) {
		fill(filler, round % 2 ? 3 * MiB : MiB);
		while (spooling_append(&s, token, 3000, NULL) == 0)
			token++;
		unlink(filler);
		for (unsigned i = 0; i < 20; i++)	/* at once, when there is room again */
			ck_assert_int_eq(spooling_append(&s, token++, 3000, NULL), 0);
		ck_assert_uint_eq(spooling_read(&s, 0, tokens, tokens_max, NULL),
				  token - (spool_writer_oldest(s.writer) - 1));
		check_tokens(20, spool_writer_oldest(s.writer) - 1);
		spool_writer_passed(s.writer, token);
	}
	s.total.full = SPOOL_DROP_OLDEST;
	fill(filler, 2 * MiB);
	for (unsigned i = 0; i < 1000; i++)
		ck_assert_int_eq(spooling_append(&s, token++, 3000, NULL), 0);
	kept = spooling_read(&s, 0, tokens, tokens_max, NULL);
	check_tokens(kept, token - kept);
	ck_assert_uint_gt(spool_writer_counts(s.writer)->dropped_oldest, 0);
	spooling_close(&s);
	close(s.app);
	close(s.directory);
	s.app = s.directory = -1;
	ck_assert_int_eq(umount2(s.top, MNT_DETACH), 0);
}
END_TEST

/* ---- boots and versions */

static void change_head(unsigned i, void (*change)(struct spool_head *head, unsigned char *bytes))
{
	static unsigned char fresh[3 * SPOOL_PAGE];
	struct spool_head head;
	struct prodd_error e;
	unsigned char *bytes;
	char path[256];
	size_t size;

	spooling_segment(&s, i, path);
	bytes = spooling_load(path, &size);
	ck_assert_int_eq(spool_head_read(bytes, &head, &e), 0);
	ck_assert_uint_eq(head.table_size, 0);
	change(&head, bytes);
	spool_head_write(fresh, &head, NULL, 0);
	memcpy(bytes, fresh, SPOOL_HEAD);
	memcpy(bytes + SPOOL_PAGE, fresh, SPOOL_HEAD);
	spooling_store(path, bytes, size);
	free(bytes);
}

static void of_another_boot(struct spool_head *head, unsigned char *bytes)
{
	(void)bytes;
	head->boot[3] ^= 1;
}

START_TEST(numbers_jump_after_a_boot)
{
	uint8_t ring[16] = { 1 };
	struct spool_reading_counts counts;
	struct spool_reader *reader;
	struct spool_record record;
	struct prodd_error e;

	for (unsigned never = 0; never < 2; never++) {
		uint64_t jump = never ? SPOOL_JUMP_NEVER : SPOOL_JUMP;

		s.total.policy = SPOOL_INTERVAL;
		spooling_open(&s);
		spooling_append_many(&s, 0, 10, 100);
		ck_assert_uint_eq(spool_writer_water(s.writer, ring, 1000), s.end);
		spooling_close(&s);
		change_head(0, of_another_boot);
		s.total.policy = never ? SPOOL_NEVER : SPOOL_INTERVAL;
		for (unsigned again = 0; again < 3; again++) {	/* as long as nothing is appended, once */
			spooling_open(&s);
			ck_assert_uint_eq(spool_writer_next(s.writer), 11 + jump);
			ck_assert_uint_eq(spool_writer_water(s.writer, ring, 1000), 0);
			spooling_close(&s);
		}
		spooling_open(&s);
		spooling_append_many(&s, 10, 10, 100);
		ck_assert_uint_eq(spool_writer_next(s.writer), 21 + jump);
		spooling_close(&s);
		spooling_open(&s);
		ck_assert_uint_eq(spool_writer_next(s.writer), 21 + jump);
		ck_assert_uint_eq(spooling_read(&s, 1, tokens, tokens_max, &counts), 20);
		check_tokens(20, 0);
		ck_assert_uint_eq(counts.missing, 0);		/* a jump is no loss */
		ck_assert_int_eq(spool_reader_open(&reader, s.app, 11, &e), 0);
		ck_assert_int_eq(spool_reader_next(reader, 10 + jump, &record, &e), 0);	/* not told of */
		ck_assert_int_eq(spool_reader_next(reader, 11 + jump, &record, &e), 1);
		ck_assert_uint_eq(record.number, 11 + jump);
		ck_assert_int_eq(spool_reader_next(reader, 11 + jump, &record, &e), 0);
		spool_reader_close(reader);
		spooling_end(&s);
		spooling_begin(&s);
	}
}
END_TEST

START_TEST(a_newer_version_is_left_alone)
{
	struct spool_reading_counts counts;
	unsigned char *bytes, *after;
	char path[256], newer[256];
	size_t size, size_after;

	spooling_open(&s);
	spooling_append_many(&s, 0, 10, 100);
	spooling_close(&s);
	spooling_segment(&s, 0, path);
	bytes = spooling_load(path, &size);
	bytes[8] = bytes[SPOOL_PAGE + 8] = 9;
	snprintf(newer, sizeof newer, "%s/orders/0000000000000007.seg", s.top);
	spooling_store(newer, bytes, size);
	s.total.app_limit = 10 * 64 * 1024;
	spooling_open(&s);
	ck_assert_uint_eq(spool_writer_next(s.writer), 11 + SPOOL_JUMP_NEVER);
	for (unsigned i = 0; i < 1000; i++)
		spooling_append_many(&s, 10 + i, 1, 1000);
	ck_assert_uint_gt(spool_writer_counts(s.writer)->dropped_oldest, 100);
	spool_writer_passed(s.writer, spool_writer_next(s.writer));
	ck_assert_uint_eq(spool_writer_segments(s.writer), 2);
	after = spooling_load(newer, &size_after);
	ck_assert_uint_eq(size, size_after);
	ck_assert_mem_eq(bytes, after, size);
	ck_assert_uint_gt(spooling_read(&s, 0, tokens, tokens_max, &counts), 0);
	ck_assert_uint_eq(counts.bad_segments, 1);
	ck_assert_uint_eq(counts.quarantined_bytes, 0);
	free(bytes);
	free(after);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("spool_limits");
	TCase *c = tcase_create("limits");

	tcase_add_checked_fixture(c, set_up, tear_down);
	tcase_set_timeout(c, 200);
	tcase_add_test(c, the_oldest_are_dropped_and_counted);
	tcase_add_test(c, the_newest_are_dropped_one_by_one_and_counted);
	tcase_add_test(c, blocking_loses_nothing_and_goes_on);
	tcase_add_test(c, who_floods_pays_for_all);
	tcase_add_test(c, what_never_fits_is_dropped_alone);
	tcase_add_test(c, a_part_of_the_disk_is_kept_free);
	tcase_add_test(c, a_disk_fills_and_empties);
	tcase_add_test(c, numbers_jump_after_a_boot);
	tcase_add_test(c, a_newer_version_is_left_alone);
	suite_add_tcase(suite, c);
	return suite_run(suite);
}
