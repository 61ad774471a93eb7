/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is declared reads back as it was, and room for overflow is always there.  A
 * hostile segment ends the reading and nothing else: it lies in memory of exactly
 * its size, so that a sanitizer sees a byte too many.
 */
#include "proto/shm/segment.h"

#include "tests/unit/families.h"
#include "tests/unit/suite.h"

enum { directory_size = 8192, cells = 256, shards = 4 };

static const uint8_t uuid[16] = "0123456789abcde";

struct fixture {
	struct segment s;
	unsigned char *memory;
	uint64_t size;
};

static void open_with(struct fixture *f, uint64_t directory, uint32_t cell_count)
{
	f->size = segment_size(directory, cell_count, shards);
	ck_assert_uint_gt(f->size, 0);
	ck_assert_int_eq(posix_memalign((void **)&f->memory, SEGMENT_HEAD, f->size), 0);
	memset(f->memory, 0, f->size);
	segment_make(&f->s, f->memory, directory, cell_count, shards, uuid, 4711, 12345);
}

static void open_small(struct fixture *f)
{
	open_with(f, directory_size, cells);
}

static void close_fixture(struct fixture *f)
{
	free(f->memory);
}

static const struct prodd_slice get_200[] = { { "GET", 3 }, { "200", 3 } };
static const struct prodd_slice odd[] = { { "", 0 }, { "\xc3\xa4\n\"\\", 5 } };

/* Three families and their series: cells 0, 1, 2; 3 to 7; 8 and 9. */
static void fill(struct segment *s)
{
	struct segment_family r = requests(), h = seconds(), g = depth();

	ck_assert_int_eq(segment_add_family(s, &r), 0);
	ck_assert_int_eq(segment_add_series(s, 0, &r, get_200), 0);
	ck_assert_int_eq(segment_add_family(s, &h), 1);
	ck_assert_int_eq(segment_add_family(s, &g), 2);
	ck_assert_int_eq(segment_add_series(s, 0, &r, odd), 1);
	ck_assert_int_eq(segment_add_series(s, 0, &r, NULL), 2);
	ck_assert_int_eq(segment_add_series(s, 1, &h, NULL), 3);
	ck_assert_int_eq(segment_add_series(s, 2, &g, NULL), 8);
}

struct reading {
	struct segment s;
	unsigned char copy[SEGMENT_ENTRY_MAX];
	struct segment_read read;
	struct prodd_error e;
};

static void attach(struct reading *r, const struct fixture *f)
{
	uint8_t found[16];

	ck_assert_msg(segment_attach(&r->s, f->memory, f->size, found, &r->e) == 0, "%s", r->e.text);
	ck_assert_mem_eq(found, uuid, sizeof uuid);
	ck_assert_uint_eq(r->s.made_ns, 12345);
}

/* The next entry is there; of a family, it is as `family`; of a series, it suits that. */
static void expect(struct reading *r, enum segment_kind kind, uint32_t number,
		   const struct segment_family *family)
{
	ck_assert_msg(segment_next(&r->s, r->copy, &r->read, &r->e) == 1, "%s", r->e.text);
	ck_assert_uint_eq(r->read.entry.kind, kind);
	ck_assert_uint_eq(r->read.entry.family, number);
	if (kind == SEGMENT_SERIES) {
		ck_assert(segment_suits(&r->read.entry, family));
		return;
	}
	ck_assert(segment_same(&r->read.family, family));
	ck_assert(prodd_slice_equal(r->read.family.name, family->name));
	ck_assert(prodd_slice_equal(r->read.family.help, family->help));
}

static void expect_series(struct reading *r, uint32_t number, const struct segment_family *family,
			  uint32_t cell, const struct prodd_slice *values)
{
	expect(r, SEGMENT_SERIES, number, family);
	ck_assert_uint_eq(r->read.entry.cell, cell);
	ck_assert_uint_eq(r->read.entry.labels, values ? family->label_count : 0);
	for (unsigned i = 0; i < r->read.entry.labels; i++)
		ck_assert(prodd_slice_equal(r->read.values[i], values[i]));
}

static void expect_all(struct reading *r)
{
	struct segment_family q = requests(), h = seconds(), g = depth();

	expect(r, SEGMENT_FAMILY, 0, &q);
	expect_series(r, 0, &q, 0, get_200);
	expect(r, SEGMENT_FAMILY, 1, &h);
	expect(r, SEGMENT_FAMILY, 2, &g);
	expect_series(r, 0, &q, 1, odd);
	expect_series(r, 0, &q, 2, NULL);
	expect_series(r, 1, &h, 3, NULL);
	expect_series(r, 2, &g, 8, NULL);
	ck_assert_int_eq(segment_next(&r->s, r->copy, &r->read, &r->e), 0);
}

START_TEST(what_is_declared_reads_back)
{
	struct fixture f;
	struct reading r;

	open_small(&f);
	attach(&r, &f);
	ck_assert_int_eq(segment_next(&r.s, r.copy, &r.read, &r.e), 0);
	fill(&f.s);
	expect_all(&r);
	ck_assert_ptr_eq(segment_cell(&r.s, 3), segment_cell(&f.s, 3));
	ck_assert_uint_eq(segment_stride(&r.s), cells * 8);
	close_fixture(&f);
}
END_TEST

START_TEST(a_copy_has_the_directory_and_no_counts)
{
	struct fixture parent, child;
	struct segment_family more = counter("more_total");
	struct reading r;

	open_small(&parent);
	open_small(&child);
	fill(&parent.s);
	for (uint32_t i = 0; i < 10; i++)
		atomic_store(segment_cell(&parent.s, i), 7);
	segment_copy(&child.s, &parent.s);
	attach(&r, &child);
	expect_all(&r);
	for (uint32_t i = 0; i < 10; i++)
		ck_assert_uint_eq(atomic_load(segment_cell(&child.s, i)), 0);
	ck_assert_int_eq(segment_add_family(&child.s, &more), 3);
	ck_assert_int_eq(segment_add_series(&child.s, 3, &more, NULL), 10);
	expect(&r, SEGMENT_FAMILY, 3, &more);
	expect_series(&r, 3, &more, 10, NULL);
	close_fixture(&parent);
	close_fixture(&child);
}
END_TEST

/* Whatever ends first, directory or cells: every family's overflow series finds room. */
static void exhaust(uint64_t directory, uint32_t cell_count)
{
	struct segment_family family = requests(), other = seconds();
	struct fixture f;
	struct reading r;
	char text[24];
	unsigned added = 0;
	int64_t cell;

	open_with(&f, directory, cell_count);
	ck_assert_int_eq(segment_add_family(&f.s, &family), 0);
	ck_assert_int_eq(segment_add_family(&f.s, &other), 1);
	for (;;) {
		struct prodd_slice values[] = { { text, 0 }, { "x", 1 } };

		values[0].size = (size_t)snprintf(text, sizeof text, "%u", added);
		cell = segment_add_series(&f.s, 0, &family, values);
		if (cell < 0)
			break;
		ck_assert_int_eq(cell, added++);
	}
	ck_assert_int_eq(cell, -PRODD_E_OVER_LIMIT);
	ck_assert_int_eq(segment_add_family(&f.s, &other), -PRODD_E_OVER_LIMIT);
	ck_assert_int_eq(segment_add_series(&f.s, 0, &family, NULL), added);
	ck_assert_int_eq(segment_add_series(&f.s, 1, &other, NULL), added + 1);
	ck_assert_uint_gt(added, 20);
	attach(&r, &f);
	for (unsigned i = 0; i < added + 4; i++)
		ck_assert_int_eq(segment_next(&r.s, r.copy, &r.read, &r.e), 1);
	ck_assert_int_eq(segment_next(&r.s, r.copy, &r.read, &r.e), 0);
	close_fixture(&f);
}

START_TEST(room_for_overflow_is_kept)
{
	exhaust(4096, 4096);
	exhaust(65536, 64);
	for (uint64_t directory = 1400; directory < 1500; directory += 8)
		exhaust(directory, 4096);
	for (uint32_t cell_count = 40; cell_count < 50; cell_count++)
		exhaust(65536, cell_count);
}
END_TEST

START_TEST(the_longest_entries_fit)
{
	static char name[SEGMENT_NAME_MAX + 1], value[SEGMENT_LABEL_VALUE_MAX], help[SEGMENT_HELP_MAX];
	static char labels[SEGMENT_LABELS_MAX][SEGMENT_NAME_MAX];
	struct segment_family family = { .type = SEGMENT_HISTOGRAM, .label_count = SEGMENT_LABELS_MAX };
	struct prodd_slice values[SEGMENT_LABELS_MAX];
	struct prodd_error e = { 0 };
	struct fixture f;
	struct reading r;

	memset(name, 'n', SEGMENT_NAME_MAX);
	name[SEGMENT_NAME_MAX - SEGMENT_UNIT_MAX - 1] = '_';
	memset(value, 'v', sizeof value);
	memset(help, 'h', sizeof help);
	family.name = prodd_slice(name);
	family.unit = (struct prodd_slice){ name + SEGMENT_NAME_MAX - SEGMENT_UNIT_MAX, SEGMENT_UNIT_MAX };
	family.help = (struct prodd_slice){ help, sizeof help };
	for (unsigned i = 0; i < SEGMENT_LABELS_MAX; i++) {
		memset(labels[i], 'a' + (int)i, SEGMENT_NAME_MAX);
		family.labels[i] = (struct prodd_slice){ labels[i], SEGMENT_NAME_MAX };
		values[i] = (struct prodd_slice){ value, sizeof value };
	}
	for (unsigned i = 0; i < SEGMENT_BUCKETS_MAX; i++)
		family.buckets[family.bucket_count++] = i;
	ck_assert_msg(segment_check_family(&family, &e) == 0, "%s", e.text);
	ck_assert_int_eq(segment_check_values(&family, values, &e), 0);
	open_small(&f);
	attach(&r, &f);
	ck_assert_int_eq(segment_add_family(&f.s, &family), 0);
	ck_assert_uint_eq(f.s.at, 3296);
	ck_assert_int_eq(segment_add_series(&f.s, 0, &family, values), 0);
	ck_assert_uint_eq(f.s.at, 3296 + 4152);
	expect(&r, SEGMENT_FAMILY, 0, &family);
	expect_series(&r, 0, &family, 0, values);
	close_fixture(&f);
}
END_TEST

/* ---- hostile segments */

START_TEST(sizes_that_are_not_allowed_have_none)
{
	static const struct {
		uint64_t directory;
		uint32_t cell_count, shard_count;
	} bad[] = {
		{ 0, 1, 1 },	    { 12, 1, 1 },	{ 4096, 0, 1 },
		{ 4096, 1, 0 },	    { 4096, 1, 3 },	{ 4096, 1, 128 },
		{ UINT64_MAX - 7, 1, 1 }, { 4096, UINT32_MAX, 64 }, { 4096, 1u << 17, 64 },
		{ SEGMENT_SIZE_MAX, 1, 1 },
	};

	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		ck_assert_uint_eq(segment_size(bad[i].directory, bad[i].cell_count, bad[i].shard_count), 0);
	ck_assert_uint_eq(segment_size(4096, 512, 1), 3 * 4096);
	ck_assert_uint_eq(segment_size(8, 512, 2), 4 * 4096);
}
END_TEST

static void head_is_refused(struct fixture *f, uint64_t size)
{
	struct segment s;
	struct prodd_error e = { 0 };
	uint8_t found[16];

	ck_assert_int_eq(segment_attach(&s, f->memory, size, found, &e), -PRODD_E_CORRUPT);
	ck_assert(e.text[0]);
}

START_TEST(a_head_with_any_other_number_is_refused)
{
	struct fixture f;

	open_small(&f);
	fill(&f.s);
	for (size_t at = 0; at < offsetof(struct segment_head, uuid); at++)
		for (unsigned bit = 0; bit < 8; bit++) {
			f.memory[at] ^= (unsigned char)(1u << bit);
			head_is_refused(&f, f.size);
			f.memory[at] ^= (unsigned char)(1u << bit);
		}
	head_is_refused(&f, 0);
	head_is_refused(&f, SEGMENT_HEAD);
	head_is_refused(&f, f.size - 8);
	head_is_refused(&f, f.size + 4096);
	close_fixture(&f);
}
END_TEST

/* Reads to the end or the first error; what is given out must be in bounds and in order. */
static int read_on(struct fixture *f, unsigned *ret_entries)
{
	struct reading r;
	uint8_t found[16];
	uint32_t next_cell = 0;
	int result;

	*ret_entries = 0;
	if (segment_attach(&r.s, f->memory, f->size, found, &r.e) < 0)
		return -PRODD_E_CORRUPT;
	while ((result = segment_next(&r.s, r.copy, &r.read, &r.e)) > 0) {
		++*ret_entries;
		if (r.read.entry.kind == SEGMENT_FAMILY)
			continue;
		ck_assert_uint_eq(r.read.entry.cell, next_cell);
		next_cell += r.read.entry.count;
		ck_assert_uint_le(next_cell, cells);
	}
	return result;
}

START_TEST(every_byte_of_the_directory_may_be_anything)
{
	struct dice d = dice_start("segment");
	unsigned entries, whole = 0, damaged = 0;
	struct fixture f;
	uint64_t used;

	open_small(&f);
	fill(&f.s);
	used = f.s.at;
	for (uint64_t at = 0; at < used; at++)
		for (unsigned i = 0; i < 24; i++) {
			unsigned char *byte = f.memory + SEGMENT_HEAD + at, before = *byte;

			*byte = i < 8 ? (unsigned char)(before ^ 1u << i) : (unsigned char)dice_next(&d);
			if (read_on(&f, &entries) < 0)
				damaged++;
			else
				whole++;
			*byte = before;
		}
	ck_assert_uint_gt(damaged, 1000);
	ck_assert_uint_gt(whole, 1000);	/* a letter of the help */
	ck_assert_int_eq(read_on(&f, &entries), 0);
	ck_assert_uint_eq(entries, 8);
	close_fixture(&f);
}
END_TEST

static uint32_t size_at(const struct fixture *f, uint64_t at)
{
	uint32_t size;

	memcpy(&size, f->memory + SEGMENT_HEAD + at, sizeof size);
	return size;
}

START_TEST(the_published_size_may_be_anything)
{
	static const uint64_t bad[] = { 4, 8, 16, directory_size + 8, UINT64_C(1) << 32, UINT64_MAX - 7,
					UINT64_MAX };
	unsigned entries;
	struct fixture f;

	open_small(&f);
	fill(&f.s);
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		atomic_store(&f.s.head->used, bad[i]);
		ck_assert_int_eq(read_on(&f, &entries), -PRODD_E_CORRUPT);
		ck_assert_uint_eq(entries, 0);
	}
	atomic_store(&f.s.head->used, directory_size);	/* a hole behind what is there */
	ck_assert_int_eq(read_on(&f, &entries), -PRODD_E_CORRUPT);
	ck_assert_uint_eq(entries, 8);
	for (uint64_t used = 0, border = 0, whole = 0; used <= f.s.at; used += 8) {
		if (used > 0 && used == border + size_at(&f, border)) {
			border = used;
			whole++;
		}
		atomic_store(&f.s.head->used, used);
		ck_assert_int_eq(read_on(&f, &entries), used == border ? 0 : -PRODD_E_CORRUPT);
		ck_assert_uint_eq(entries, whole);
	}
	close_fixture(&f);
}
END_TEST

START_TEST(a_size_that_shrinks_is_damage)
{
	struct fixture f;
	struct reading r;

	open_small(&f);
	fill(&f.s);
	attach(&r, &f);
	expect_all(&r);
	atomic_store(&f.s.head->used, 8);
	ck_assert_int_eq(segment_next(&r.s, r.copy, &r.read, &r.e), -PRODD_E_CORRUPT);
	close_fixture(&f);
}
END_TEST

/* An entry of a series, after a family of counters, made by hand. */
static void series_is_refused(uint32_t family, uint32_t cell, uint32_t count, const char *why)
{
	struct segment_entry entry = { .size = sizeof entry, .kind = SEGMENT_SERIES, .type = SEGMENT_COUNTER,
				       .family = family, .cell = cell, .count = count };
	struct segment_family q = requests();
	struct fixture f;
	struct reading r;

	open_small(&f);
	ck_assert_int_eq(segment_add_family(&f.s, &q), 0);
	ck_assert_int_eq(segment_add_series(&f.s, 0, &q, get_200), 0);
	memcpy(f.memory + SEGMENT_HEAD + f.s.at, &entry, sizeof entry);
	atomic_store(&f.s.head->used, f.s.at + sizeof entry);
	attach(&r, &f);
	expect(&r, SEGMENT_FAMILY, 0, &q);
	expect_series(&r, 0, &q, 0, get_200);
	ck_assert_int_eq(segment_next(&r.s, r.copy, &r.read, &r.e), -PRODD_E_CORRUPT);
	ck_assert_str_eq(r.e.text, why);
	close_fixture(&f);
}

START_TEST(cells_are_the_next_ones)
{
	static const char cells_why[] = "segment of metrics: a series has cells that are not the next ones";

	series_is_refused(0, 0, 1, cells_why);		/* another's */
	series_is_refused(0, 2, 1, cells_why);		/* a gap */
	series_is_refused(0, 1, 0, cells_why);
	series_is_refused(0, 1, 67, cells_why);
	series_is_refused(0, UINT32_MAX, 1, cells_why);
	series_is_refused(0, 1, UINT32_MAX, cells_why);
	series_is_refused(1, 1, 1, "segment of metrics: a series has numbers out of range");
	series_is_refused(UINT32_MAX, 1, 1, "segment of metrics: a series has numbers out of range");
}
END_TEST

START_TEST(cells_end_with_the_shard)
{
	struct segment_family h = seconds();
	struct fixture f;
	unsigned entries;

	open_with(&f, directory_size, 12);
	ck_assert_int_eq(segment_add_family(&f.s, &h), 0);
	ck_assert_int_eq(segment_add_series(&f.s, 0, &h, NULL), 0);
	ck_assert_int_eq(segment_add_series(&f.s, 0, &h, get_200), 5);
	f.s.next_cell = 5;		/* a third that goes three cells too far */
	ck_assert_int_eq(segment_add_series(&f.s, 0, &h, get_200), 5);
	memcpy(f.memory + SEGMENT_HEAD + f.s.at - sizeof(struct segment_entry) +
		       offsetof(struct segment_entry, cell),
	       &(uint32_t){ 10 }, 4);
	ck_assert_int_eq(read_on(&f, &entries), -PRODD_E_CORRUPT);
	ck_assert_uint_eq(entries, 3);
	close_fixture(&f);
}
END_TEST

START_TEST(a_series_suits_its_family)
{
	struct segment_entry entry = { .type = SEGMENT_HISTOGRAM, .labels = 0, .count = 5 };
	struct segment_family h = seconds();

	ck_assert(segment_suits(&entry, &h));
	entry.count = 4;
	ck_assert(!segment_suits(&entry, &h));
	entry.count = 5;
	entry.labels = 1;
	ck_assert(!segment_suits(&entry, &h));
	entry.labels = 0;
	entry.mode = 1;
	ck_assert(!segment_suits(&entry, &h));
	entry.mode = 0;
	entry.type = SEGMENT_COUNTER;
	ck_assert(!segment_suits(&entry, &h));
}
END_TEST

int main(void)
{
	Suite *s = suite_create("segment");
	TCase *tc = tcase_create("segment");

	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, what_is_declared_reads_back);
	tcase_add_test(tc, a_copy_has_the_directory_and_no_counts);
	tcase_add_test(tc, room_for_overflow_is_kept);
	tcase_add_test(tc, the_longest_entries_fit);
	tcase_add_test(tc, sizes_that_are_not_allowed_have_none);
	tcase_add_test(tc, a_head_with_any_other_number_is_refused);
	tcase_add_test(tc, every_byte_of_the_directory_may_be_anything);
	tcase_add_test(tc, the_published_size_may_be_anything);
	tcase_add_test(tc, a_size_that_shrinks_is_damage);
	tcase_add_test(tc, cells_are_the_next_ones);
	tcase_add_test(tc, cells_end_with_the_shard);
	tcase_add_test(tc, a_series_suits_its_family);
	suite_add_tcase(s, tc);
	return suite_run(s);
}
