/* SPDX-License-Identifier: Apache-2.0 */
/* What a spool knows: how far each ring was read, what is durable, where the next segment begins, what is
 * forged. */
#include "tests/unit/spooling.h"
#include "tests/unit/suite.h"

enum { tokens_max = 4096, MiB = 1024 * 1024 };

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

/* ---- rings */

static uint64_t water_of(uint32_t number)
{
	uint8_t ring[16] = { (uint8_t)number, (uint8_t)(number >> 8) };

	return spool_writer_water(s.writer, ring, 1000);
}

START_TEST(each_ring_s_last_record_is_known)
{
	uint64_t ends[50];
	unsigned char *bytes;
	char path[256];
	size_t size;

	s.total.app_limit = 600 * 1024;
	for (unsigned round = 0; round < 6; round++) {
		spooling_open(&s);
		for (s.ring = 0; s.ring < 50; s.ring++) {
			if (round > 0)
				ck_assert_uint_eq(water_of(s.ring), ends[s.ring]);
			spooling_append_many(&s, 0, 3, 800);
			ends[s.ring] = s.end;
			ck_assert_uint_eq(water_of(s.ring), s.end);
		}
		ck_assert_uint_eq(water_of(1000), 0);
		spooling_close(&s);
	}
	ck_assert_uint_gt(spooling_segments(&s), 3);
	/* The last table damaged: what comes before it tells. */
	spooling_segment(&s, spooling_segments(&s) - 1, path);
	bytes = spooling_load(path, &size);
	bytes[SPOOL_HEAD + 5] ^= 1;
	spooling_store(path, bytes, size);
	free(bytes);
	spooling_open(&s);
	for (s.ring = 0; s.ring < 50; s.ring++)
		ck_assert_uint_eq(water_of(s.ring), ends[s.ring]);
	for (s.ring = 0; s.ring < 40; s.ring++) {
		uint8_t ring[16] = { (uint8_t)s.ring };

		spool_writer_forget(s.writer, ring, 1000);
	}
	ck_assert_uint_eq(water_of(0), 0);
	ck_assert_uint_eq(water_of(45), ends[45]);
}
END_TEST

START_TEST(over_its_limit_the_table_forgets_the_quietest_ring)
{
	spooling_open(&s);
	for (s.ring = 0; s.ring < SPOOL_WATERS_MAX + 10; s.ring++)
		if (spooling_append(&s, s.ring, 40, NULL) < 0)
			ck_abort_msg("ring %u", s.ring);
	for (unsigned ring = 0; ring < 10; ring++)
		ck_assert_uint_eq(water_of(ring), 0);
	ck_assert_uint_gt(water_of(10), 0);
	ck_assert_uint_eq(water_of(SPOOL_WATERS_MAX + 9), s.end);
	for (unsigned i = 0; i < 9; i++)	/* to the next segment, with a full table */
		spooling_append_many(&s, 5000 + i, 1, 1000000);
	spooling_close(&s);
	spooling_open(&s);
	ck_assert_uint_gt(water_of(10 + 1), 0);
	ck_assert_uint_eq(spool_writer_counts(s.writer)->quarantined, 0);
}
END_TEST

/* ---- policies */

START_TEST(what_is_not_synced_is_known)
{
	struct prodd_error e;

	spooling_open(&s);
	ck_assert_uint_eq(spool_writer_unsynced(s.writer), 0);
	spooling_append_many(&s, 0, 10, 1000);
	ck_assert_uint_gt(spool_writer_unsynced(s.writer), 10000);
	ck_assert_uint_eq(spool_writer_counts(s.writer)->synced, 0);
	ck_assert_int_eq(spool_writer_sync(s.writer, &e), 0);
	ck_assert_uint_eq(spool_writer_unsynced(s.writer), 0);
	ck_assert_uint_eq(spool_writer_counts(s.writer)->synced, 10);
	s.total.policy = SPOOL_NEVER;		/* policies may change under a writer */
	for (unsigned i = 0; i < 20; i++)
		spooling_append_many(&s, 10 + i, 1, 1000000);
	ck_assert_uint_gt(spool_writer_segments(s.writer), 2);
	ck_assert_uint_gt(spool_writer_unsynced(s.writer), 19000000);
	s.total.policy = SPOOL_ALWAYS;
	spooling_append_many(&s, 30, 1, 100);
	ck_assert_int_eq(spool_writer_sync(s.writer, &e), 0);
	ck_assert_uint_eq(spool_writer_counts(s.writer)->synced, 31);
	spooling_append_many(&s, 31, 1, 100);
	s.total.policy = SPOOL_NEVER;
	for (unsigned i = 0; i < 9; i++)
		spooling_append_many(&s, 32 + i, 1, 1000000);
	ck_assert_int_eq(spool_writer_sync(s.writer, &e), 0);
	ck_assert_uint_eq(spooling_read(&s, 0, tokens, tokens_max, NULL), 41);
	check_tokens(41, 0);
}
END_TEST

/* ---- a sink whose allowance is used up */

START_TEST(a_reader_may_jump_a_segment)
{
	struct spool_reader *reader;
	struct spool_record record;
	struct prodd_error e;
	uint64_t next, behind;

	s.total.app_limit = MiB;
	spooling_open(&s);
	for (unsigned i = 0; i < 300; i++)
		spooling_append_many(&s, i, 1, 2000);
	ck_assert_int_eq(spool_reader_open(&reader, s.app, 1, &e), 0);
	ck_assert_int_eq(spool_reader_next(reader, 300, &record, &e), 1);
	behind = spool_reader_behind(reader);
	ck_assert_uint_gt(behind, 550000);
	next = spool_reader_next_segment(reader);
	ck_assert_uint_gt(next, 2);
	ck_assert_uint_lt(next, 100);
	spool_reader_skip(reader, next);
	ck_assert_uint_eq(spool_reader_counts(reader)->missing, next - 2);
	ck_assert_int_eq(spool_reader_next(reader, 300, &record, &e), 1);
	ck_assert_uint_eq(record.number, next);
	ck_assert_uint_eq(spooling_token(&record), next - 1);
	ck_assert_uint_lt(spool_reader_behind(reader), behind - 100000);
	while (spool_reader_next(reader, 300, &record, &e) == 1)
		next++;
	ck_assert_uint_eq(next, 300);
	ck_assert_uint_eq(spool_reader_behind(reader), 0);
	ck_assert_uint_eq(spool_reader_next_segment(reader), 0);
	ck_assert_uint_eq(spool_reader_counts(reader)->repeated, 0);
	spool_reader_close(reader);
}
END_TEST

/* ---- forged records */

/* A record in whose bytes a record of the spool stands, made with the given salt; its own head is then
 * damaged. Returns how many records are read. */
static unsigned forge(uint64_t salt_difference)
{
	unsigned char inner[512] = { 0 };
	struct spool_record forged = { .number = 2 }, outer;
	struct prodd_error e;
	struct spool_head head;
	uint64_t first;
	unsigned taken, count;
	size_t size;
	unsigned char *bytes;
	char path[256], *text;

	s.total.policy = SPOOL_NEVER;
	spooling_open(&s);
	spooling_append_many(&s, 0, 1, 100);
	spooling_segment(&s, 0, path);
	bytes = spooling_load(path, &size);
	ck_assert_int_eq(spool_head_read(bytes, &head, &e), 0);
	free(bytes);
	text = spooling_text(77, 200, &forged.record.size);
	forged.record.at = text;
	for (size_t shift = 0; shift < 8; shift++) {	/* one of the eight stands at a multiple of 8 */
		outer = (struct spool_record){ .origin = prodd_slice("x"),
					       .record = { (char *)inner, sizeof inner } };
		memset(inner, 0, sizeof inner);
		spool_record_write(inner + shift, &forged, spool_seed(head.salt + salt_difference));
		ck_assert_int_eq(spool_writer_append(s.writer, &outer, 1, &first, &taken, &e), 0);
	}
	spooling_close(&s);
	bytes = spooling_load(path, &size);
	for (size_t at = spool_records_at(0); at + 16 < size; at += 8) { /* the number in each outer head */
		uint64_t whole;

		if (spool_record_head_intact(bytes + at, spool_seed(head.salt), &whole) && whole > 512 &&
		    bytes[at + 4] == 1)
			bytes[at + 15] ^= 0x40;
	}
	spooling_store(path, bytes, size);
	free(bytes);
	free(text);
	count = spooling_read(&s, 0, tokens, tokens_max, NULL);
	tear_down();
	set_up();
	return count;
}

START_TEST(bytes_in_a_record_never_pass_for_a_record)
{
	ck_assert_uint_eq(forge(0), 2);		/* the control: who knew the salt could */
	ck_assert_uint_eq(forge(1), 1);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("spool_rings");
	TCase *c = tcase_create("rings");

	tcase_add_checked_fixture(c, set_up, tear_down);
	tcase_set_timeout(c, 200);
	tcase_add_test(c, each_ring_s_last_record_is_known);
	tcase_add_test(c, over_its_limit_the_table_forgets_the_quietest_ring);
	tcase_add_test(c, what_is_not_synced_is_known);
	tcase_add_test(c, a_reader_may_jump_a_segment);
	tcase_add_test(c, bytes_in_a_record_never_pass_for_a_record);
	suite_add_tcase(suite, c);
	return suite_run(suite);
}
