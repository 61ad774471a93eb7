/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A spool whose system calls fail: each one of a life of the writer, in each
 * way.  What was acknowledged is there, once, in order; the writer goes on as
 * soon as the calls do.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>

#include "daemon/spool/segments.h"
#include "tests/unit/failing.h"
#include "tests/unit/spooling.h"
#include "tests/unit/suite.h"

enum { tokens_max = 4096, tries = 12 };

static struct spooling s;
static uint64_t tokens[tokens_max];
static uint64_t next_token;
static uint64_t acknowledged[tokens_max];
static unsigned acknowledged_count;
static uint64_t failed_syncs;

/* Each token until it is taken; the daemon, too, keeps what is not taken and comes again. */
static void append(unsigned count, size_t size)
{
	for (unsigned i = 0; i < count; i++)
		for (unsigned t = 0; t < tries; t++)
			if (spooling_append(&s, next_token + i, size, NULL) == 0)
				break;
	next_token += count;
}

static bool sync_spool(bool trusting)
{
	struct prodd_error e;

	for (unsigned t = 0; t < tries; t++)
		if (spool_writer_sync(s.writer, &e) == 0 || trusting)
			return true;
	return false;
}

static bool open_spool(void)
{
	struct prodd_error e;

	for (unsigned t = 0; t < tries; t++)
		if (spool_writer_open(&s.writer, s.directory, "orders", &s.total, &e) == 0)
			return true;
	return false;
}

static void close_spool(void)
{
	if (s.writer)
		failed_syncs += spool_writer_counts(s.writer)->failed_syncs;
	spooling_close(&s);
}

/* One life, and half another; `trusting`: takes a sync that failed for a good one. */
static void live(bool trusting)
{
	for (unsigned life = 0; life < 2; life++) {
		if (!open_spool())
			continue;
		for (unsigned batch = 0; batch < 8; batch++) {
			uint64_t from = next_token;

			append(1 + batch % 4, batch == 5 ? 40000 : 3000 + batch * 1000);
			if (!sync_spool(trusting))
				continue;
			for (uint64_t t = from; t < next_token; t++)
				acknowledged[acknowledged_count++] = t;
		}
		close_spool();
	}
}

/* How many of the acknowledged are not there. */
static unsigned missing(void)
{
	unsigned count = spooling_read(&s, 0, tokens, tokens_max, NULL), at = 0, found = 0;

	for (unsigned i = 0; i < acknowledged_count; i++) {
		while (at < count && tokens[at] < acknowledged[i])
			at++;
		found += at < count && tokens[at] == acknowledged[i];
	}
	for (unsigned i = 1; i < count; i++)
		ck_assert_uint_gt(tokens[i], tokens[i - 1]);
	return acknowledged_count - found;
}

/* A life with that fault; returns how many acknowledged records are missing in the end. */
static unsigned trial(struct failing fault, enum spool_policy policy, bool trusting)
{
	unsigned lost;

	spooling_begin(&s);
	s.total.policy = policy;
	s.total.full = SPOOL_BLOCK;
	s.total.app_limit = 800 * 1024;		/* segments of 100 KiB */
	next_token = acknowledged_count = 0;
	failed_syncs = 0;
	failing = fault;
	live(trusting);
	failing.calls = 0;
	spooling_open(&s);
	spooling_append_many(&s, next_token, 3, 100);
	acknowledged[acknowledged_count++] = next_token;
	spooling_close(&s);
	lost = missing();
	ck_assert_uint_eq(s.total.bytes, 0);
	spooling_end(&s);
	return lost;
}

/* For every k: `count` calls from the k-th on. */
static void every(unsigned calls, int why, unsigned count)
{
	unsigned k = 1, step = suite_under_valgrind() ? 7 : 1;

	for (;; k += step) {
		struct failing fault = { .calls = calls, .at = k, .count = count, .why = why };

		ck_assert_msg(trial(fault, SPOOL_ALWAYS, false) == 0,
			      "call %u (%x: %s): an acknowledged record is missing", k, calls, strerror(why));
		if (failing.failed == 0)
			break;
	}
	printf("%3x %-24s %u in a row: %u calls\n", calls, why ? strerror(why) : "cut short", count, k);
	ck_assert_uint_gt(k, 1);
}

START_TEST(any_call_may_fail)
{
	every(FAILING_ALL, EIO, 1);
	every(FAILING_ALL, EIO, 3);
}
END_TEST

START_TEST(the_disk_may_be_full_at_any_call)
{
	unsigned calls = FAILING_OPENAT | FAILING_PWRITE | FAILING_FALLOCATE | FAILING_RENAMEAT;

	every(calls, ENOSPC, 1);
	every(calls, ENOSPC, 5);
	every(FAILING_PWRITE, EDQUOT, 2);
}
END_TEST

START_TEST(any_write_may_be_cut_short)
{
	every(FAILING_PWRITE, 0, 1);
	every(FAILING_PWRITE, 0, 4);
	every(FAILING_PWRITE | FAILING_FTRUNCATE, EIO, 2);	/* what is left of it cannot be taken away */
}
END_TEST

START_TEST(without_fallocate_the_file_just_grows)
{
	struct failing fault = { FAILING_FALLOCATE, 1, 1000000, EOPNOTSUPP, 0, 0 };

	ck_assert_uint_eq(trial(fault, SPOOL_ALWAYS, false), 0);
	ck_assert_uint_gt(failing.failed, 5);
}
END_TEST

/* The pages are gone after a failed sync, and the next one on the same file would say it is well. */
START_TEST(a_failed_sync_is_made_good_by_a_segment_that_supersedes)
{
	every(FAILING_FDATASYNC, EIO, 1);
	every(FAILING_FDATASYNC, EIO, 2);
	every(FAILING_FDATASYNC, EIO, 5);
	every(FAILING_FDATASYNC, EIO, tries + 1);	/* longer than anybody waited */
	every(FAILING_FSYNC, EIO, 2);
}
END_TEST

/* The control: who trusts it, and keeps nothing, loses. */
START_TEST(who_trusts_a_failed_sync_loses)
{
	struct failing fault = { FAILING_FDATASYNC, 3, 1, EIO, 0, 0 };

	ck_assert_uint_gt(trial(fault, SPOOL_NEVER, true), 0);
}
END_TEST

static unsigned superseding(void)
{
	struct spool_segments list = { 0 };
	struct prodd_error e;
	unsigned count = 0;

	ck_assert_int_eq(spool_segments_read(&list, s.app, &e), 0);
	for (unsigned i = 0; i < list.count; i++)
		count += list.at[i].head.supersedes > 0;
	spool_segments_clear(&list);
	return count;
}

/* A disk that takes writes and no syncs, for long: memory and disk stay bounded, and it recovers. */
START_TEST(syncs_that_fail_for_long_fill_nothing)
{
	struct spool_reading_counts counts;
	struct prodd_error e;

	spooling_begin(&s);
	s.total.app_limit = 512 * 1024;
	spooling_open(&s);
	next_token = 0;
	append(5, 1000);
	ck_assert_int_eq(spool_writer_sync(s.writer, &e), 0);
	append(5, 1000);
	failing = (struct failing){ FAILING_FDATASYNC, 1, 1000000, EIO, 0, 0 };
	for (unsigned i = 0; i < 50; i++) {
		ck_assert_int_eq(spool_writer_sync(s.writer, &e), -PRODD_E_IO);
		if (i % 10 == 9)
			append(1, 1000);
	}
	ck_assert_uint_le(spool_writer_segments(s.writer), 3);
	ck_assert_uint_eq(spool_writer_counts(s.writer)->failed_syncs, 51);
	ck_assert_uint_gt(spool_writer_unsynced(s.writer), 9000);
	failing.calls = 0;
	ck_assert_int_eq(spool_writer_sync(s.writer, &e), 0);
	ck_assert_uint_eq(spool_writer_unsynced(s.writer), 0);
	ck_assert_uint_eq(spool_writer_counts(s.writer)->synced, spool_writer_next(s.writer) - 1);
	ck_assert_uint_eq(superseding(), 1);
	ck_assert_uint_eq(spooling_read(&s, 0, tokens, tokens_max, &counts), next_token);
	for (unsigned i = 0; i < next_token; i++)
		ck_assert_uint_eq(tokens[i], i);
	ck_assert_uint_eq(counts.missing, 0);
	spooling_end(&s);
}
END_TEST

/* A reader at work while a sync fails and the pages go. */
START_TEST(a_reader_gets_superseded_records_once)
{
	struct failing fault = { FAILING_FDATASYNC, 1, 1, EIO, 0, 0 };
	struct spool_reader *reader;
	struct spool_record record;
	struct prodd_error e;
	uint64_t seen = 0;

	for (unsigned before = 0; before <= 10; before++) {
		spooling_begin(&s);
		spooling_open(&s);
		next_token = seen = 0;
		append(4, 1000);
		ck_assert_int_eq(spool_writer_sync(s.writer, &e), 0);
		append(6, 1000);
		ck_assert_int_eq(spool_reader_open(&reader, s.app, 0, &e), 0);
		while (seen < before && spool_reader_next(reader, 10, &record, &e) == 1)
			ck_assert_uint_eq(spooling_token(&record), seen++);
		failing = fault;
		ck_assert_int_eq(spool_writer_sync(s.writer, &e), 0);
		failing.calls = 0;
		append(2, 1000);
		while (spool_reader_next(reader, 12, &record, &e) == 1)
			ck_assert_uint_eq(spooling_token(&record), seen++);
		ck_assert_uint_eq(seen, 12);
		ck_assert_uint_eq(spool_reader_counts(reader)->missing, 0);
		spool_reader_close(reader);
		spooling_end(&s);
	}
}
END_TEST

/* The reader: a place that cannot be read twice is read at the third time; one that never can is passed over.
 */
START_TEST(reading_may_fail_too)
{
	struct spool_reader *reader;
	struct spool_record record;
	struct prodd_error e;

	spooling_begin(&s);
	spooling_open(&s);
	next_token = 0;
	append(300, 3000);
	for (unsigned k = 1; k < 12; k++) {
		uint64_t seen = 0;
		int r;

		ck_assert_int_eq(spool_reader_open(&reader, s.app, 0, &e), 0);
		failing = (struct failing){ FAILING_PREAD | FAILING_OPENAT, k, 2, EIO, 0, 0 };
		while ((r = spool_reader_next(reader, 300, &record, &e)) != 0)
			if (r > 0)
				ck_assert_uint_eq(spooling_token(&record), seen++);
		ck_assert_uint_eq(seen, 300);
		ck_assert_uint_eq(spool_reader_counts(reader)->quarantined_bytes, 0);
		spool_reader_close(reader);
	}
	ck_assert_int_eq(spool_reader_open(&reader, s.app, 0, &e), 0);
	failing = (struct failing){ FAILING_PREAD, 4, 1000000, EIO, 0, 0 };
	for (unsigned i = 0; i < 10; i++)
		while (spool_reader_next(reader, 300, &record, &e) != 0)
			;
	failing.calls = 0;
	ck_assert_uint_gt(spool_reader_counts(reader)->records, 0);
	ck_assert_uint_lt(spool_reader_counts(reader)->records, 300);
	spool_reader_close(reader);
	spooling_end(&s);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("spool_faults");
	TCase *c = tcase_create("faults");

	tcase_set_timeout(c, 200);
	tcase_add_test(c, any_call_may_fail);
	tcase_add_test(c, the_disk_may_be_full_at_any_call);
	tcase_add_test(c, any_write_may_be_cut_short);
	tcase_add_test(c, without_fallocate_the_file_just_grows);
	tcase_add_test(c, a_failed_sync_is_made_good_by_a_segment_that_supersedes);
	tcase_add_test(c, who_trusts_a_failed_sync_loses);
	tcase_add_test(c, syncs_that_fail_for_long_fill_nothing);
	tcase_add_test(c, a_reader_gets_superseded_records_once);
	tcase_add_test(c, reading_may_fail_too);
	suite_add_tcase(suite, c);
	return suite_run(suite);
}
