/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A spool on which anything may have happened: cut off at every byte, every bit
 * flipped, sectors zeroed, segments missing, doubled, renamed.  What must come
 * out is known without the code under test: records whose bytes are as they
 * were, in a segment of which a head is as it was; all of these, once, in
 * order, and nothing else.
 */
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "daemon/spool/scan.h"
#include "daemon/spool/segments.h"
#include "tests/unit/spooling.h"
#include "tests/unit/suite.h"

enum { files_max = 8, records_max = 4096, tokens_max = 8192 };

struct file {
	char path[256];
	unsigned char *bytes;	/* as written */
	size_t size;
	unsigned char *now;	/* as damaged; NULL: gone */
	size_t now_size;
	uint64_t records_at;
};

struct place {
	unsigned file;
	uint64_t token;
	uint64_t at;
	uint64_t size;		/* without the zeros behind it */
};

static struct spooling s;
static struct file files[files_max];
static struct place places[records_max];
static unsigned file_count, place_count;
static uint64_t tokens[tokens_max], next_token;

/* ---- the spool as it was */

static void remember(unsigned f)
{
	struct spool_record record;
	struct spool_scan scan;
	uint64_t damaged;
	struct prodd_error e;
	char *name = strrchr(files[f].path, '/') + 1;

	ck_assert_int_eq(spool_scan_open(&scan, s.app, name, &e), 0);
	files[f].records_at = scan.at;
	for (;;) {
		struct place *place = &places[place_count];

		place->at = scan.at;
		if (spool_scan_next(&scan, &record, &damaged, &e) != SPOOL_RECORD)
			break;
		place->file = f;
		place->token = spooling_token(&record);
		place->size = SPOOL_RECORD_HEAD + record.origin.size + record.record.size;
		ck_assert_uint_lt(++place_count, records_max);
	}
	spool_scan_clear(&scan);
}

/* `count` records of up to `size` bytes. Segments are of 64 KiB. */
static void make(unsigned count, unsigned size)
{
	struct dice d = { count };

	spooling_begin(&s);
	s.total.policy = SPOOL_NEVER;
	s.total.app_limit = 512 * 1024;
	spooling_open(&s);
	for (unsigned i = 0; i < count; i++)
		spooling_append_many(&s, i, 1, dice_below(&d, size));
	spooling_close(&s);
	s.total.app_limit = 0;
	file_count = spooling_segments(&s);
	ck_assert_uint_le(file_count, files_max);
	place_count = 0;
	for (unsigned f = 0; f < file_count; f++) {
		spooling_segment(&s, f, files[f].path);
		files[f].bytes = spooling_load(files[f].path, &files[f].size);
		files[f].now = malloc(files[f].size + 1);
		remember(f);
	}
	ck_assert_uint_eq(place_count, count);
	next_token = count;
}

static void restore(void)
{
	for (unsigned f = 0; f < file_count; f++) {
		if (!files[f].now)
			files[f].now = malloc(files[f].size + 1);
		memcpy(files[f].now, files[f].bytes, files[f].size);
		files[f].now_size = files[f].size;
	}
}

static void done(void)
{
	for (unsigned f = 0; f < file_count; f++) {
		free(files[f].bytes);
		free(files[f].now);
	}
	spooling_end(&s);
}

/* ---- what must come out */

static bool same(const struct file *f, uint64_t at, uint64_t size)
{
	return f->now && at + size <= f->now_size && memcmp(f->now + at, f->bytes + at, size) == 0;
}

static bool is_intact(const struct place *p)
{
	const struct file *f = &files[p->file];

	return same(f, p->at, p->size) &&
	       (same(f, 0, SPOOL_HEAD) || same(f, f->records_at - SPOOL_HEAD, SPOOL_HEAD));
}

static unsigned intact(void)
{
	unsigned count = 0;

	for (unsigned i = 0; i < place_count; i++)
		count += is_intact(&places[i]);
	return count;
}

static void put_files(void)
{
	char path[256];

	while (spooling_segments(&s) > 0) {
		spooling_segment(&s, 0, path);
		ck_assert_int_eq(unlink(path), 0);
	}
	for (unsigned f = 0; f < file_count; f++)
		if (files[f].now)
			spooling_store(files[f].path, files[f].now, files[f].now_size);
}

static void check_read(unsigned more, struct spool_reading_counts *ret_counts)
{
	unsigned got = spooling_read(&s, 0, tokens, tokens_max, ret_counts), at = 0;

	ck_assert_uint_eq(got, intact() + more);
	for (unsigned i = 0; i < place_count; i++)	/* an assertion of check's is a system call */
		if (is_intact(&places[i]) && tokens[at++] != places[i].token)
			ck_abort_msg("record %u is not there, or not in its place", i);
	for (unsigned i = 0; i < more; i++)
		ck_assert_uint_eq(tokens[at++], next_token + i);
}

/* A record is lost between two that are not. */
static bool lost_between(void)
{
	unsigned state = 0;

	for (unsigned i = 0; i < place_count && state < 3; i++)
		if (is_intact(&places[i]) == (state % 2 == 0))
			state++;
	return state == 3;
}

/* Reads what is there; then a writer comes, and what it appends is read behind it. Every number is accounted
 * for. */
static void check(void)
{
	struct spool_reading_counts counts;

	check_read(0, &counts);
	spooling_open(&s);
	spooling_append_many(&s, next_token, 2, 100);
	spooling_close(&s);
	check_read(2, &counts);
	ck_assert_uint_eq(counts.records, intact() + 2);
	if (lost_between())
		ck_assert_uint_gt(counts.missing, 0);
	if (intact() == place_count)
		ck_assert_uint_eq(counts.missing, 0);
}

/* ---- damage */

/* Under valgrind everything takes thirty times as long. */
static unsigned stride(void)
{
	return suite_under_valgrind() ? 31 : 1;
}

START_TEST(cut_off_at_every_byte)
{
	for (unsigned f = 0; f < 2; f++) {
		make(150, 900);
		ck_assert_uint_eq(file_count, 2);
		/* Every byte of the heads and of the first and last records, and some between them. */
		for (size_t size = 0; size <= files[f].size; size += stride()) {
			bool near = size < 120 || (size > 4080 && size < 5200) || size + 700 > files[f].size;

			if (!near && size % 191)
				continue;
			restore();
			files[f].now_size = size;
			put_files();
			check();
		}
		done();
	}
}
END_TEST

static void flip_range(unsigned f, size_t from, size_t to)
{
	restore();
	put_files();
	for (size_t bit = from * 8; bit < to * 8; bit += stride()) {
		files[f].now[bit / 8] ^= (unsigned char)(1 << bit % 8);
		spooling_store(files[f].path, files[f].now, files[f].now_size);
		check_read(0, NULL);
		if (bit % 37 == 0) {
			check();
			put_files();
		}
		files[f].now[bit / 8] ^= (unsigned char)(1 << bit % 8);
	}
}

START_TEST(every_bit_of_a_range_flipped)
{
	make(60, 900);
	ck_assert_uint_eq(file_count, 1);
	flip_range(0, 0, 96 + 28);
	flip_range(0, 4096 - 8, 4096 + 96 + 700);
	flip_range(0, files[0].size - 500, files[0].size);
	done();
}
END_TEST

START_TEST(sectors_zeroed)
{
	struct dice d = dice_start("spool_damage");

	make(240, 2000);
	for (unsigned round = 0; round < 400 / stride(); round++) {
		restore();
		for (unsigned n = 1 + dice_below(&d, 6); n > 0; n--) {
			struct file *f = &files[dice_below(&d, file_count)];
			size_t at = dice_below(&d, (uint32_t)f->size) / 512 * 512;
			size_t left = f->size - at;

			memset(f->now + at, 0, left < 512 ? left : 512);
		}
		put_files();
		check();
	}
	done();
}
END_TEST

/* Garbage, zeros, bytes moved: anything at once. */
START_TEST(whatever_happens_at_once)
{
	struct dice d = dice_start("spool_damage");

	make(240, 2000);
	for (unsigned round = 0; round < 400 / stride(); round++) {
		restore();
		for (unsigned n = 1 + dice_below(&d, 8); n > 0; n--) {
			struct file *f = &files[dice_below(&d, file_count)];
			size_t at = dice_below(&d, (uint32_t)f->size), length = 1 + dice_below(&d, 3000);

			if (!f->now || at + length > f->now_size)
				continue;
			switch (dice_below(&d, 12)) {
			case 0:
				free(f->now);
				f->now = NULL;
				break;
			case 1:
				f->now_size = at;
				break;
			case 2:
				memmove(f->now + at, f->now,
					at < length ? at : length); /* heads and records again */
				break;
			case 3:
				f->now[at] ^= (unsigned char)(1 << dice_below(&d, 8));
				break;
			default:
				for (size_t i = 0; i < length; i++)
					f->now[at + i] = n % 2 ? (unsigned char)dice_next(&d) : 0;
			}
		}
		put_files();
		check();
	}
	done();
}
END_TEST

START_TEST(segments_missing)
{
	struct spool_reading_counts counts;

	make(600, 800);
	ck_assert_uint_ge(file_count, 3);
	for (unsigned mask = 1; mask < 1u << file_count; mask += stride()) {
		unsigned first = 0;

		restore();
		for (unsigned f = 0; f < file_count; f++)
			if (mask & 1u << f) {
				free(files[f].now);
				files[f].now = NULL;
			}
		put_files();
		check();
		if (mask == (1u << file_count) - 1)
			continue;
		/* From the first number on, every one is a record or missing, but for those behind the last
		 * that is known. */
		put_files();
		ck_assert_uint_eq(spooling_read(&s, 1, tokens, tokens_max, &counts), intact());
		for (unsigned f = file_count; f-- > 0 && !files[f].now;)
			for (unsigned i = 0; i < place_count; i++)
				first += places[i].file == f;
		ck_assert_uint_eq(counts.records + counts.missing, place_count - first);
	}
	done();
}
END_TEST

START_TEST(segments_doubled_and_renamed)
{
	static const char *const names[] = { "0000000000000000.seg", "0000000000000077.seg",
					     "ffffffffffffffff.seg", "7fffffffffffffff.seg",
					     "0000000000000002.sex" };
	struct spool_reading_counts counts;
	char path[256], other[256];

	make(600, 800);
	for (unsigned f = 0; f < file_count; f++)
		for (unsigned n = 0; n < sizeof names / sizeof *names; n++) {
			snprintf(path, sizeof path, "%.120s/orders/%s", s.top, names[n]);
			restore();
			put_files();
			spooling_store(path, files[f].bytes, files[f].size);
			check();
			put_files();
			spooling_store(path, files[f].bytes + 500, 9000);	/* garbage */
			check();
			unlink(path);
			put_files();	/* renamed only */
			ck_assert_int_eq(rename(files[f].path, path), 0);
			if (n > 0 && n < 4) {
				check_read(0, &counts);
				ck_assert_uint_eq(
					counts.missing + counts.repeated + counts.quarantined_places, 0);
			}
			unlink(path);
		}
	restore();
	put_files();
	snprintf(path, sizeof path, "%.120s/orders/x", s.top);
	snprintf(other, sizeof other, "%s", files[0].path);
	for (unsigned f = 1; f < file_count; f++) {	/* names in a circle */
		ck_assert_int_eq(rename(other, path), 0);
		ck_assert_int_eq(rename(files[f].path, other), 0);
		ck_assert_int_eq(rename(path, files[f].path), 0);
	}
	check();
	done();
}
END_TEST

/* It may have been shipped: whoever has seen it must not take another one for it. */
START_TEST(a_number_whose_record_is_damaged_is_not_given_again)
{
	const struct place *last;

	make(60, 900);
	last = &places[place_count - 1];
	for (unsigned i = 0; i < last->size; i += 97) {
		restore();
		files[0].now[last->at + i] ^= 1;
		put_files();
		spooling_open(&s);
		ck_assert_uint_gt(spool_writer_next(s.writer), 60);
		ck_assert_uint_gt(spool_writer_counts(s.writer)->quarantined, 0);
		spooling_append_many(&s, next_token, 1, 100);
		ck_assert_uint_eq(spool_writer_segments(s.writer),
				  2); /* the damage is left to be looked at */
		spooling_close(&s);
	}
	done();
}
END_TEST

/* ---- time */

static double now_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Eight full segments in which every head of a record is damaged: each byte is looked at, and once. */
START_TEST(the_worst_damage_takes_no_two_seconds)
{
	struct spool_reading_counts counts;
	double begin;
	char path[256];

	spooling_begin(&s);
	s.total.policy = SPOOL_NEVER;
	spooling_open(&s);
	for (unsigned i = 0; i < 64; i++)
		spooling_append_many(&s, i, 1, 1000000);
	spooling_close(&s);
	for (unsigned f = 0; f < spooling_segments(&s); f++) {
		size_t size;
		unsigned char *bytes;

		spooling_segment(&s, f, path);
		bytes = spooling_load(path, &size);
		for (size_t at = 4192; at < size; at += 8)
			bytes[at + 2] ^= 0x01;	/* each 8 bytes: a length of 64 KiB or so */
		spooling_store(path, bytes, size);
		free(bytes);
	}
	begin = now_s();
	spooling_open(&s);
	spooling_append_many(&s, 64, 1, 100);
	ck_assert_uint_eq(spooling_read(&s, 0, tokens, tokens_max, &counts), 1);
	printf("%.3f s for %llu MB of damage\n", now_s() - begin,
	       (unsigned long long)(counts.quarantined_bytes / 1000000));
	ck_assert_uint_gt(counts.quarantined_bytes, 60000000);
	if (getenv("PRODD_PLAIN") && strcmp(getenv("PRODD_PLAIN"), "1") == 0)
		ck_assert(now_s() - begin < 2);
	spooling_end(&s);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("spool_damage");
	TCase *c = tcase_create("damage");

	tcase_set_timeout(c, 200);
	tcase_add_test(c, cut_off_at_every_byte);
	tcase_add_test(c, every_bit_of_a_range_flipped);
	tcase_add_test(c, sectors_zeroed);
	tcase_add_test(c, whatever_happens_at_once);
	tcase_add_test(c, segments_missing);
	tcase_add_test(c, segments_doubled_and_renamed);
	tcase_add_test(c, a_number_whose_record_is_damaged_is_not_given_again);
	tcase_add_test(c, the_worst_damage_takes_no_two_seconds);
	suite_add_tcase(suite, c);
	return suite_run(suite);
}
