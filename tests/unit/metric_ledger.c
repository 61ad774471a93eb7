/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the ledger keeps: over restarts, over crashes between any two steps,
 * with damage, with a full disk, in another boot.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/core/counters.h"
#include "daemon/util/clock.h"
#include "daemon/util/file.h"
#include "tests/unit/metric_rig.h"

#define APP "orders"

static struct process one, two;

static void set_up(void)
{
	rig_set_up();
	process_start(&one, "1");
	process_start(&two, "2");
}

static void tear_down(void)
{
	rig_tear_down();
	process_free(&one);
	process_free(&two);
}

static const char *path_of(const char *name)
{
	static char path[200];

	snprintf(path, sizeof path, "%s/metric/%s", rig.state, name);
	return path;
}

static struct prodd_buffer content(void)
{
	struct prodd_buffer b = { .limit = BOOK_SIZE_MAX };
	struct prodd_error e;
	int r = file_read(AT_FDCWD, path_of(APP ".ledger"), BOOK_SIZE_MAX, &b, &e);

	ck_assert_msg(r == 0, "%s", e.text);
	return b;
}

static void put_content(const void *bytes, size_t size)
{
	int fd = open(path_of(APP ".ledger"), O_WRONLY | O_CREAT | O_TRUNC, 0600);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, bytes, size), (ssize_t)size);
	close(fd);
}

/* Files in STATE/metric whose name has `part`. */
static unsigned files(const char *part)
{
	char path[100];
	struct dirent *entry;
	unsigned count = 0;
	DIR *directory;

	snprintf(path, sizeof path, "%s/metric", rig.state);
	directory = opendir(path);
	ck_assert_ptr_nonnull(directory);
	while ((entry = readdir(directory)))
		count += entry->d_name[0] != '.' && strstr(entry->d_name, part) != NULL;
	closedir(directory);
	return count;
}

/* ---- restarts */

START_TEST(what_was_told_is_there_after_a_crash)
{
	struct segment_family is =
		FAMILY(SEGMENT_HISTOGRAM, "took_seconds", .bucket_count = 1, .buckets = { 1.0 });
	_Atomic uint64_t *a = process_counter(&one, "served_total"),
			 *b = process_counter(&two, "served_total");
	_Atomic uint64_t *took = process_series(&one, process_family(&one, is), &is, NULL);
	struct metric_sample before, after;

	*a = 3;
	*b = 4;
	took[0] = 5;
	took[2] = series_bits(2.5);
	process_attach(&one, APP);
	process_attach(&two, APP);
	rig_disk();
	ck_assert_uint_eq(rig_count(APP, "served_total", NULL), 7);
	ck_assert(rig_sample(APP, "took_seconds", NULL, &before));
	rig_crash();
	rig_start();
	ck_assert_uint_eq(rig_count(APP, "served_total", NULL), 7);	/* neither has come back */
	ck_assert(rig_sample(APP, "took_seconds", NULL, &after));
	ck_assert_uint_eq(after.count, 5);
	ck_assert_double_eq(after.value, 2.5);
	ck_assert_uint_eq(after.created_ns, before.created_ns);
	*a = 10;
	process_attach(&one, APP);
	ck_assert_uint_eq(rig_count(APP, "served_total", NULL), 14);
	attachment_end(attachment_find(rig_registry(APP), two.uuid));	/* its process has ended */
	metric_look(rig.metric);
	ck_assert_uint_eq(counters.metric_segments_folded, 1);
	ck_assert_uint_eq(rig_count(APP, "served_total", NULL), 14);
	rig_crash();
	rig_start();
	ck_assert_uint_eq(rig_count(APP, "served_total", NULL), 14);
}
END_TEST

START_TEST(an_orderly_end_reads_all_once_more)
{
	_Atomic uint64_t *a = process_counter(&one, "served_total");

	process_attach(&one, APP);
	rig_disk();
	*a = 3;		/* nobody asks */
	rig_stop();
	rig_start();
	ck_assert_uint_eq(rig_count(APP, "served_total", NULL), 3);
}
END_TEST

START_TEST(a_segment_counts_once_however_often_it_comes_back)
{
	_Atomic uint64_t *a = process_counter(&one, "served_total");

	process_attach(&one, APP);
	rig_disk();
	for (unsigned i = 1; i < 6; i++) {
		*a = i;
		ck_assert_uint_eq(rig_count(APP, "served_total", NULL), i);
		rig_crash();
		rig_start();
		ck_assert_uint_eq(rig_count(APP, "served_total", NULL), i);
		process_attach(&one, APP);
		ck_assert_uint_eq(rig_count(APP, "served_total", NULL), i);
	}
	process_end(&one);
	rig_disk();
	ck_assert_uint_eq(rig_count(APP, "served_total", NULL), 5);
	rig_crash();
	rig_start();
	ck_assert_uint_eq(rig_count(APP, "served_total", NULL), 5);
}
END_TEST

/* What is not on record may not be told: after a crash it would be missing. */
START_TEST(nothing_is_told_before_it_is_on_record)
{
	struct metric_sample sample;

	*process_counter(&one, "served_total") = 3;
	process_attach(&one, APP);
	ck_assert(!rig_sample(APP, "served_total", NULL, &sample));
	while (!rig_sample(APP, "served_total", NULL, &sample))
		ck_assert(rig_disk_step());
	ck_assert_uint_eq(files("ledger"), 1);
	ck_assert_uint_eq(sample.count, 3);
}
END_TEST

/* A process for which the book has no room is told of when the new book is there. */
START_TEST(who_is_not_on_record_does_not_count_yet)
{
	struct ledger *ledger = &rig_registry(APP)->ledger;

	*process_counter(&one, "served_total") = 3;
	*process_counter(&two, "served_total") = 4;
	process_attach(&one, APP);
	rig_disk();
	ledger->books[ledger->current].used = ledger->books[ledger->current].size;
	process_attach(&two, APP);
	ck_assert_uint_eq(rig_count(APP, "served_total", NULL), 3);
	process_end(&two);
	ck_assert_uint_eq(rig_count(APP, "served_total", NULL), 3);
	rig_disk();
	ck_assert_uint_eq(rig_count(APP, "served_total", NULL), 7);
	rig_crash();
	rig_start();
	ck_assert_uint_eq(rig_count(APP, "served_total", NULL), 7);
}
END_TEST

/*
 * A crash after each step of the disk thread, while counters go on, processes die and others come: what was
 * told is there afterwards, and what is still counted by somebody is not lost nor there twice.
 */
START_TEST(a_crash_between_any_two_steps_loses_nothing)
{
	for (unsigned crash = 0; crash < 30; crash++) {
		_Atomic uint64_t *cells[3];
		uint64_t truth = 0, told = 0;
		struct process all[3];
		struct metric_sample sample;

		rig_stop();
		unlink(path_of(APP ".ledger"));
		rig_start();
		for (unsigned i = 0; i < 3; i++) {
			process_start(&all[i], "x");
			cells[i] = process_counter(&all[i], "served_total");
		}
		for (unsigned step = 0; step < crash; step++) {
			unsigned i = step < 12 ? step / 4 : 1 + step / 4 % 2;	/* the first one dies */

			if (step % 4 == 0 && step < 12)
				process_attach(&all[i], APP);
			*cells[i] += step;
			truth += step;
			if (rig_sample(APP, "served_total", NULL, &sample)) {
				ck_assert_uint_ge(sample.count, told);
				told = sample.count;
			}
			if (step == 9)
				process_end(&all[0]);
			if (step == 11)
				ledger_tick(&rig_registry(APP)->ledger);
			rig_disk_step();
		}
		rig_crash();
		rig_start();
		if (told > 0)
			ck_assert_uint_ge(rig_count(APP, "served_total", NULL), told);
		for (unsigned i = 0; i < 3; i++)
			if (crash > 4 * i && !(i == 0 && crash > 9))
				process_attach(&all[i], APP);
		rig_disk();
		if (told > 0 && crash > 13)
			ck_assert_msg(rig_count(APP, "served_total", NULL) == truth,
				      "crash at %u: %llu, not %llu", crash,
				      (unsigned long long)rig_count(APP, "served_total", NULL),
				      (unsigned long long)truth);
		for (unsigned i = 0; i < 3; i++)
			if (attachment_find(rig_registry(APP), all[i].uuid)) {
				attachment_end(attachment_find(rig_registry(APP), all[i].uuid));
				metric_look(rig.metric);
			}
		for (unsigned i = 0; i < 3; i++)
			process_free(&all[i]);
	}
}
END_TEST

/* ---- other boots, damage, other versions */

START_TEST(another_boot_begins_at_zero)
{
	struct metric_sample before, after;
	struct prodd_buffer b;

	clock_test_set(UINT64_C(1700000000000));
	*process_counter(&one, "served_total") = 3;
	process_attach(&one, APP);
	rig_disk();
	ck_assert(rig_sample(APP, "served_total", NULL, &before));
	rig_stop();
	b = content();
	b.at[offsetof(struct book_head, boot)] ^= 1;
	put_content(b.at, b.size);
	prodd_buffer_clear(&b);
	clock_test_set(UINT64_C(1700000900000));
	rig_start();
	ck_assert(!rig_sample(APP, "served_total", NULL, &after));
	ck_assert_uint_eq(files("damaged"), 0);
	*process_counter(&two, "served_total") = 1;
	two.writer.head->made_ns = UINT64_C(1700000900000000000);
	process_attach(&two, APP);
	rig_disk();
	ck_assert(rig_sample(APP, "served_total", NULL, &after));
	ck_assert_uint_eq(after.count, 1);
	ck_assert_uint_gt(after.created_ns, before.created_ns);
}
END_TEST

/* Every byte of the head and the first records flipped, and the file cut: up again, and put aside. */
START_TEST(a_damaged_ledger_is_put_aside)
{
	struct prodd_buffer b;
	size_t used;

	*process_counter(&one, "served_total") = 3;
	process_attach(&one, APP);
	rig_disk();
	rig_count(APP, "served_total", NULL);
	rig_stop();
	b = content();
	used = ((struct book_head *)(void *)b.at)->used;
	for (size_t i = 0; i < used + 16; i++) {
		bool boot = i >= offsetof(struct book_head, boot) && i < offsetof(struct book_head, used);
		bool spare = i >= offsetof(struct book_head, used) + 8 && i < BOOK_HEAD;
		uint64_t damaged = counters.metric_ledgers_damaged;

		b.at[i] ^= (char)0x40;
		put_content(b.at, b.size);
		b.at[i] ^= (char)0x40;
		rig_start();
		if (counters.metric_ledgers_damaged == damaged && !boot && !spare)
			ck_assert_msg(rig_registry(APP)->ledger.foreign || i >= used - 24 || i >= BOOK_HEAD,
				      "byte %zu of %zu was not missed", i, used);
		rig_stop();
	}
	ck_assert_uint_gt(counters.metric_ledgers_damaged, used / 2);
	ck_assert_uint_gt(files("damaged"), 0);
	for (size_t size = 0; size < b.size; size += size < used ? 7 : 9973) {
		put_content(b.at, size);
		rig_start();
		ck_assert_ptr_null(rig.metric->registries);
		rig_stop();
	}
	prodd_buffer_clear(&b);
}
END_TEST

START_TEST(a_newer_ledger_is_left_alone)
{
	struct prodd_buffer b, after;

	*process_counter(&one, "served_total") = 3;
	process_attach(&one, APP);
	rig_disk();
	rig_stop();
	b = content();
	((struct book_head *)(void *)b.at)->version = BOOK_VERSION + 1;
	put_content(b.at, b.size);
	rig_start();
	process_attach(&one, APP);
	rig_disk();
	ck_assert_uint_eq(rig_count(APP, "served_total", NULL), 3);	/* told all the same */
	process_end(&one);
	ck_assert_uint_eq(rig_count(APP, "served_total", NULL), 3);
	rig_stop();
	after = content();
	ck_assert(prodd_slice_equal(prodd_buffer_slice(&b), prodd_buffer_slice(&after)));
	prodd_buffer_clear(&b);
	prodd_buffer_clear(&after);
}
END_TEST

/* ---- it cannot be written */

START_TEST(without_a_ledger_counters_are_told_and_it_is_tried_again)
{
	_Atomic uint64_t *a = process_counter(&one, "served_total");
	char path[100];

	clock_test_set(100000);
	snprintf(path, sizeof path, "%s/metric", rig.state);
	file_close(&rig.metric->directory);
	rig.metric->directory = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	*a = 3;
	process_attach(&one, APP);
	rig_disk();
	ck_assert(rig_registry(APP)->ledger.failing);
	ck_assert_uint_eq(rig_count(APP, "served_total", NULL), 3);
	process_end(&one);
	ck_assert_uint_eq(rig_count(APP, "served_total", NULL), 3);
	rig_registry(APP)->ledger.directory = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ledger_tick(&rig_registry(APP)->ledger);
	rig_disk();
	ck_assert(rig_registry(APP)->ledger.failing);	/* not yet time */
	clock_test_set(100000 + LEDGER_RETRY_MS);
	ledger_tick(&rig_registry(APP)->ledger);
	rig_disk();
	ck_assert(!rig_registry(APP)->ledger.failing);
	ck_assert_uint_eq(files("ledger"), 1);
	close(rig_registry(APP)->ledger.directory);
	rig_crash();
	rig_start();
	ck_assert_uint_eq(rig_count(APP, "served_total", NULL), 3);
}
END_TEST

START_TEST(a_ledger_grows)
{
	struct segment_family is =
		FAMILY(SEGMENT_COUNTER, "served_total", .label_count = 1, .labels = { { "a", 1 } });
	int64_t number = process_family(&one, is);
	char text[200];
	uint64_t size;
	struct prodd_buffer b;

	process_attach(&one, APP);
	rig_disk();
	size = rig_registry(APP)->ledger.books[rig_registry(APP)->ledger.current].size;
	for (unsigned i = 0; i < 2000; i++) {
		const char *const values[] = { text };

		if (i % 250 == 0)
			rig_disk_step();
		snprintf(text, sizeof text, "%0190u", i);
		if (one.writer.directory_size - one.writer.at < 512)
			break;
		*process_series(&one, number, &is, values) = 1;
		metric_look(rig.metric);
	}
	for (unsigned i = 0; i < 2000; i++)
		registry_series(rig_registry(APP), rig_registry(APP)->families[0],
				&(struct prodd_slice){ text,
						       (size_t)snprintf(text, sizeof text, "%0180u", i) },
				1, 1);
	ledger_renew(&rig_registry(APP)->ledger);
	rig_disk();
	ck_assert_uint_gt(rig_registry(APP)->ledger.books[rig_registry(APP)->ledger.current].size, size);
	snprintf(text, sizeof text, "a=\"%0190u\"", 100);
	ck_assert_uint_eq(rig_count(APP, "served_total", text), 1);
	rig_crash();
	rig_start();
	ck_assert_uint_eq(rig_count(APP, "served_total", text), 1);
	b = content();
	ck_assert_uint_gt(b.size, size);
	prodd_buffer_clear(&b);
}
END_TEST

/* More than a slice: counters go on, processes die and others come between two slices, and then prodd is
 * killed. */
START_TEST(a_book_is_filled_in_slices)
{
	struct segment_family is =
		FAMILY(SEGMENT_COUNTER, "served_total", .label_count = 1, .labels = { { "a", 1 } });
	int64_t number = process_family(&one, is);
	_Atomic uint64_t *cells[1200], *late;
	char text[16];
	uint64_t sum = 0;

	for (unsigned i = 0; i < 1200; i++) {
		const char *const values[] = { text };

		snprintf(text, sizeof text, "%u", i);
		cells[i] = process_series(&one, number, &is, values);
		*cells[i] = i;
	}
	*process_counter(&two, "other_total") = 5;
	process_attach(&one, APP);
	process_attach(&two, APP);
	for (unsigned i = 0; i < 10; i++)
		metric_look(rig.metric);
	rig_disk();
	ledger_renew(&rig_registry(APP)->ledger);
	while (rig_registry(APP)->ledger.stage != LEDGER_FILLS)
		ck_assert(rig_disk_step());
	late = process_counter(&one, "late_total");
	for (unsigned i = 0; i < 1200; i++)
		*cells[i] += 1;
	process_end(&two);
	ck_assert_uint_eq(rig_count(APP, "other_total", NULL), 5);
	for (unsigned turns = 0; turns < (unsigned)_i; turns++) {
		*late += 1;
		rig_count(APP, "served_total", "a=\"7\"");
		if (!rig_turn())
			rig_disk_step();
	}
	for (unsigned i = 0; i < 1200; i++) {
		snprintf(text, sizeof text, "a=\"%u\"", i);
		sum += rig_count(APP, "served_total", text);
	}
	ck_assert_uint_eq(sum, 1200 * 1199 / 2 + 1200);
	rig_crash();
	rig_start();
	for (unsigned i = 0; i < 1200; i++) {
		snprintf(text, sizeof text, "a=\"%u\"", i);
		sum -= rig_count(APP, "served_total", text);
	}
	ck_assert_uint_eq(sum, 0);
	ck_assert_uint_eq(rig_count(APP, "other_total", NULL), 5);
	ck_assert_uint_eq(counters.metric_ledgers_damaged, 0);
}
END_TEST

static Suite *ledger_suite(void)
{
	Suite *s = suite_create("metric_ledger");
	TCase *tc = tcase_create("metric_ledger");

	tcase_set_timeout(tc, 120);
	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_test(tc, what_was_told_is_there_after_a_crash);
	tcase_add_test(tc, an_orderly_end_reads_all_once_more);
	tcase_add_test(tc, a_segment_counts_once_however_often_it_comes_back);
	tcase_add_test(tc, nothing_is_told_before_it_is_on_record);
	tcase_add_test(tc, who_is_not_on_record_does_not_count_yet);
	tcase_add_test(tc, a_crash_between_any_two_steps_loses_nothing);
	tcase_add_test(tc, another_boot_begins_at_zero);
	tcase_add_test(tc, a_damaged_ledger_is_put_aside);
	tcase_add_test(tc, a_newer_ledger_is_left_alone);
	tcase_add_test(tc, without_a_ledger_counters_are_told_and_it_is_tried_again);
	tcase_add_test(tc, a_ledger_grows);
	tcase_add_loop_test(tc, a_book_is_filled_in_slices, 0, 8);
	suite_add_tcase(s, tc);
	return s;
}

int main(void)
{
	return suite_run(ledger_suite());
}
