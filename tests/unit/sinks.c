/* SPDX-License-Identifier: Apache-2.0 */
/* The lists of prodd-ship: sinks are whole or named, compressors, names of rotated files and their order. */
#include "daemon/ship/sink.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "config.h"
#include "daemon/ship/rotated.h"
#include "tests/unit/suite.h"

/* ---- sinks */

START_TEST(a_sink_that_lacks_something_is_told_what)
{
	struct sink_ops ops = sink_file;
	const char *missing = NULL;

	ck_assert(sink_is_whole(&ops, &missing));
	ops.rotate = NULL;	/* one that need not be */
	ck_assert(sink_is_whole(&ops, &missing));
#define WITHOUT(member) \
	ops = sink_file; \
	ops.member = NULL; \
	ck_assert(!sink_is_whole(&ops, &missing)); \
	ck_assert_str_eq(missing, #member);
	WITHOUT(type)
	WITHOUT(open)
	WITHOUT(close)
	WITHOUT(begin)
	WITHOUT(end)
	WITHOUT(resume)
	WITHOUT(write)
	WITHOUT(sync)
#undef WITHOUT
}
END_TEST

START_TEST(sinks_have_names)
{
	const struct sink_ops *ops;
	struct prodd_error e;

	ck_assert_int_eq(sink_find(prodd_slice("stdout"), &ops, &e), 0);
	ck_assert_ptr_eq(ops, &sink_stdout);
	ck_assert_int_eq(sink_find(prodd_slice("fax"), &ops, &e), -PRODD_E_INVALID);
	ck_assert_str_eq(e.text, "unknown type \"fax\"");
}
END_TEST

/* ---- compressors */

START_TEST(what_a_build_has_not_is_said)
{
	const struct compressor *compressor = &compressor_gzip;
	struct prodd_error e;

	ck_assert_int_eq(compressor_find(prodd_slice("none"), &compressor, &e), 0);
	ck_assert_ptr_null(compressor);
#ifdef HAVE_ZSTD
	ck_assert_int_eq(compressor_find(prodd_slice("zstd"), &compressor, &e), 0);
	ck_assert_ptr_eq(compressor, &compressor_zstd);
#else
	ck_assert_int_eq(compressor_find(prodd_slice("zstd"), &compressor, &e), -PRODD_E_INVALID);
	ck_assert_str_eq(e.text, "compress \"zstd\" needs libzstd; this prodd was built without it");
#endif
}
END_TEST

static int memory_file(const void *bytes, size_t size)
{
	int fd = memfd_create("file", MFD_CLOEXEC);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, bytes, size), (ssize_t)size);
	lseek(fd, 0, SEEK_SET);
	return fd;
}

static void note_comes_back(const struct compressor *compressor)
{
	static char bytes[300000];
	char note[COMPRESSOR_NOTE_MAX];
	atomic_bool ending = false;
	int from = memory_file(bytes, sizeof bytes), to = memory_file("",
								      0), other = memory_file("no such file",
											      12);
	struct prodd_error e;

	ck_assert_int_eq(compressor->compress(from, to, "prodd seq=7", &ending, &e), 0);
	ck_assert_int_lt(lseek(to, 0, SEEK_END), 2000);
	ck_assert(compressor->note(to, note));
	ck_assert_str_eq(note, "prodd seq=7");
	ck_assert(!compressor->note(other, note));
	ck_assert_int_eq(ftruncate(to, 9), 0);
	ck_assert(!compressor->note(to, note));
	ending = true;
	lseek(from, 0, SEEK_SET);
	ck_assert_int_eq(compressor->compress(from, to, "", &ending, &e), -PRODD_E_CLOSED);
	close(from);
	close(to);
	close(other);
}

START_TEST(a_note_is_read_without_unpacking)
{
	note_comes_back(&compressor_gzip);
#ifdef HAVE_ZSTD
	note_comes_back(&compressor_zstd);
#endif
}
END_TEST

/* ---- rotated files */

static int make_directory(char path[])
{
	ck_assert_ptr_nonnull(mkdtemp(path));
	return open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static void touch(int directory, const char *name)
{
	int fd = openat(directory, name, O_WRONLY | O_CREAT, 0600);

	ck_assert_int_ge(fd, 0);
	close(fd);
}

START_TEST(rotated_files_are_known_by_their_names_and_in_order)
{
	static const char *const ours[] = {
		"a.jsonl.20260101T000000Z", "a.jsonl.20260101T000000Z.2.gz", "a.jsonl.20260101T000000Z.10",
		"a.jsonl.20260101T000000Z.10.gz", "a.jsonl.20260101T000000Z.10.gz.tmp",
		"a.jsonl.20260102T000000Z.gz",
	};
	static const char *const others[] = {
		"a.jsonl", "a.jsonl.", "a.jsonl.1", "a.jsonl.20260101T000000", "a.jsonl.20260101T000000Z.",
		"a.jsonl.gz", "a.jsonl.20260101T000000Z.01", "a.jsonl.20260101T000000Z.bz2",
		"a.jsonl.20260101T000000Z.1x", "b.jsonl.20260101T000000Z", "a.jsonl.2026-101T000000Z",
		"a.jsonl.20260101T000000Z.99999999999", "a.jsonl.20260101T000000Z.gz.gz",
		"a.jsonl.20260101T000000Zgz",
	};
	char path[] = "rotated-XXXXXX", name[NAME_MAX + 1];
	int directory = make_directory(path);
	struct rotated *all = NULL;
	struct prodd_error e;
	unsigned count;

	ck_assert_int_eq(rotated_name(directory, "a.jsonl", 1767225600, name, &e), 0);
	ck_assert_str_eq(name, "a.jsonl.20260101T000000Z");
	for (size_t i = 0; i < sizeof others / sizeof *others; i++)
		touch(directory, others[i]);
	for (size_t i = sizeof ours / sizeof *ours; i-- > 0;)
		touch(directory, ours[i]);
	ck_assert_int_eq(rotated_list(directory, "a.jsonl", &all, &count, &e), 0);
	ck_assert_uint_eq(count, sizeof ours / sizeof *ours);
	for (unsigned i = 0; i < count; i++)
		ck_assert_str_eq(all[i].name, ours[i]);
	ck_assert(all[4].unfinished && !all[3].unfinished && all[3].compressor == &compressor_gzip &&
		  !all[2].compressor);
	ck_assert_uint_eq(all[3].number, 10);
	free(all);
	/* An earlier second, the same, and a later one. */
	ck_assert_int_eq(rotated_name(directory, "a.jsonl", 1767225600, name, &e), 0);
	ck_assert_str_eq(name, "a.jsonl.20260102T000000Z.1");
	ck_assert_int_eq(rotated_name(directory, "a.jsonl", 1767312000, name, &e), 0);
	ck_assert_str_eq(name, "a.jsonl.20260102T000000Z.1");
	ck_assert_int_eq(rotated_name(directory, "a.jsonl", 1767312001, name, &e), 0);
	ck_assert_str_eq(name, "a.jsonl.20260102T000001Z");
	for (size_t i = 0; i < sizeof others / sizeof *others; i++)
		unlinkat(directory, others[i], 0);
	for (size_t i = 0; i < sizeof ours / sizeof *ours; i++)
		unlinkat(directory, ours[i], 0);
	close(directory);
	ck_assert_int_eq(rmdir(path), 0);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("sinks");
	TCase *c = tcase_create("sinks");

	tcase_add_test(c, a_sink_that_lacks_something_is_told_what);
	tcase_add_test(c, sinks_have_names);
	tcase_add_test(c, what_a_build_has_not_is_said);
	tcase_add_test(c, a_note_is_read_without_unpacking);
	tcase_add_test(c, rotated_files_are_known_by_their_names_and_in_order);
	suite_add_tcase(s, c);
	return suite_run(s);
}
