/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory that a peer shares: descriptors of every kind that must be refused,
 * each with the rule that it breaks, and what is kept and given back.
 */
#define _GNU_SOURCE
#include "daemon/core/mapping.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "tests/unit/suite.h"

#define SEALS (F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL)
#define PAGE 4096ul
#define SIZE (16 * PAGE)

static struct mappings mappings;
static unsigned descriptors_before;

static unsigned descriptors(void)
{
	DIR *d = opendir("/proc/self/fd");
	unsigned n = 0;

	ck_assert_ptr_nonnull(d);
	while (readdir(d))
		n++;
	closedir(d);
	return n;
}

static void set_up(void)
{
	mappings = (struct mappings){ 0 };
	descriptors_before = descriptors();
}

static void tear_down(void)
{
	ck_assert_ptr_null(mappings.by_inode);
	ck_assert_ptr_null(mappings.by_uid);
	ck_assert_uint_eq(descriptors(), descriptors_before);
}

static int new_memfd(unsigned flags, size_t size, int seals)
{
	int fd = memfd_create("ring", MFD_CLOEXEC | MFD_ALLOW_SEALING | flags);

	if (fd < 0)
		return -1;
	if (ftruncate(fd, (off_t)size) < 0 || (seals && fcntl(fd, F_ADD_SEALS, seals) < 0)) {
		close(fd);
		return -1;
	}
	return fd;
}

static int take(struct mapping *m, int fd, uid_t uid, struct prodd_error *e)
{
	return mapping_take(m, &mappings, fd, uid, SIZE, 4 * SIZE, e);
}

static void must_take(struct mapping *m, int fd, uid_t uid)
{
	struct prodd_error e;

	ck_assert_msg(take(m, fd, uid, &e) == 0, "%s", e.text);
}

static void must_refuse(int fd, int code, const char *says)
{
	struct mapping m = { 0 };
	struct prodd_error e;

	ck_assert_int_eq(take(&m, fd, 7, &e), -code);
	ck_assert_int_eq(e.code, code);
	ck_assert_msg(strstr(e.text, says) != NULL, "\"%s\" does not say \"%s\"", e.text, says);
	ck_assert_ptr_null(m.at);
	mapping_clear(&m);
}

/* ---- what is taken */

START_TEST(both_sides_see_what_either_writes)
{
	int fd = new_memfd(0, SIZE, SEALS), kept = dup(fd);
	struct mapping m = { .kind = &mappings };
	char *ours = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	must_take(&m, fd, 7);
	ck_assert_uint_eq(m.size, SIZE);
	ck_assert_ptr_eq(m.kind, &mappings);
	ck_assert_ptr_eq(mapping_find(&mappings, kept), &m);
	strcpy(ours, "hello");
	ck_assert_str_eq(m.at, "hello");
	strcpy((char *)m.at + PAGE, "back");
	ck_assert_str_eq(ours + PAGE, "back");
	ck_assert_int_lt(ftruncate(kept, PAGE), 0);
	mapping_clear(&m);
	mapping_clear(&m);
	ck_assert_ptr_null(mapping_find(&mappings, kept));
	munmap(ours, SIZE);
	close(kept);
}
END_TEST

static blkcnt_t pages_of(int fd)
{
	struct stat is;

	ck_assert_int_eq(fstat(fd, &is), 0);
	return is.st_blocks / (blkcnt_t)(PAGE / 512);
}

START_TEST(punching_gives_whole_pages_back_and_nothing_else)
{
	struct mapping m = { 0 };
	char *at;

	must_take(&m, new_memfd(0, SIZE, SEALS), 7);
	at = m.at;
	memset(at, 'x', SIZE);
	ck_assert_int_eq(pages_of(m.fd), 16);
	ck_assert_int_eq(mapping_punch(&m, 1, 2 * PAGE - 1), 0);
	ck_assert_int_eq(mapping_punch(&m, PAGE, PAGE), 0);
	ck_assert_int_eq(pages_of(m.fd), 16);
	ck_assert_int_eq(mapping_punch(&m, PAGE - 1, 4 * PAGE + 1), 0);
	ck_assert_int_eq(pages_of(m.fd), 13);
	ck_assert(at[PAGE - 1] == 'x' && at[PAGE] == 0 && at[4 * PAGE - 1] == 0 && at[4 * PAGE] == 'x');
	ck_assert_int_eq(mapping_punch(&m, 0, SIZE + 1), -PRODD_E_USAGE);
	ck_assert_int_eq(mapping_punch(&m, 2, 1), -PRODD_E_USAGE);
	ck_assert_int_eq(mapping_punch(&m, UINT64_MAX, UINT64_MAX), -PRODD_E_USAGE);
	ck_assert_int_eq(mapping_punch(&m, 0, SIZE), 0);
	ck_assert_int_eq(pages_of(m.fd), 0);
	mapping_clear(&m);
}
END_TEST

START_TEST(one_inode_is_mapped_once)
{
	struct mapping m = { 0 };
	int fd = new_memfd(0, SIZE, SEALS), again = dup(fd), reopened;
	char path[64];

	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	reopened = open(path, O_RDWR | O_CLOEXEC);
	must_take(&m, fd, 7);
	must_refuse(again, PRODD_E_BUSY, "already");
	must_refuse(reopened, PRODD_E_BUSY, "already");
	mapping_clear(&m);
}
END_TEST

/* ---- what is refused */

START_TEST(seals_must_be_these)
{
	static const struct { int seals; const char *says; } rows[] = {
		{ 0, "not sealed" },
		{ F_SEAL_SHRINK | F_SEAL_GROW, "not sealed" },
		{ F_SEAL_SHRINK | F_SEAL_SEAL, "not sealed" },
		{ F_SEAL_GROW | F_SEAL_SEAL, "not sealed" },
		{ SEALS | F_SEAL_WRITE, "sealed against writing" },
		{ SEALS | F_SEAL_FUTURE_WRITE, "sealed against writing" },
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		must_refuse(new_memfd(0, SIZE, rows[i].seals), PRODD_E_USAGE, rows[i].says);
}
END_TEST

START_TEST(sizes_must_be_allowed_and_whole_pages)
{
	static const size_t wrong[] = { 0, PAGE, SIZE - PAGE, SIZE + 1, 4 * SIZE + PAGE, (size_t)1 << 40 };
	struct mapping m = { 0 };

	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
		must_refuse(new_memfd(0, wrong[i], SEALS), PRODD_E_USAGE, "a size of");
	must_take(&m, new_memfd(0, 4 * SIZE, SEALS), 7);
	mapping_clear(&m);
}
END_TEST

START_TEST(what_was_resized_has_the_size_that_it_has)
{
	int fd = new_memfd(0, SIZE, 0);
	struct mapping m = { 0 };

	ck_assert_int_eq(ftruncate(fd, 2 * SIZE), 0);
	ck_assert_int_eq(fcntl(fd, F_ADD_SEALS, SEALS), 0);
	must_take(&m, fd, 7);
	ck_assert_uint_eq(m.size, 2 * SIZE);
	mapping_clear(&m);
}
END_TEST

START_TEST(not_for_reading_or_writing_alone)
{
	static const int flags[] = { O_RDONLY, O_WRONLY };
	int fd = new_memfd(0, SIZE, SEALS);
	char path[64];

	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	for (int i = 0; i < 2; i++)
		must_refuse(open(path, flags[i] | O_CLOEXEC), PRODD_E_USAGE, "not open for reading and writing");
	must_refuse(open(path, O_PATH | O_CLOEXEC), PRODD_E_USAGE, "not of a memfd");
	close(fd);
}
END_TEST

START_TEST(huge_pages_are_refused)
{
	int fd = new_memfd(MFD_HUGETLB, 2 * 1024 * 1024, SEALS);
	struct mapping m = { 0 };
	struct prodd_error e;

	if (fd < 0) {
		puts("no memfd of huge pages here");
		return;
	}
	ck_assert_int_eq(mapping_take(&m, &mappings, fd, 7, PAGE, 1u << 30, &e), -PRODD_E_USAGE);
	ck_assert_ptr_nonnull(strstr(e.text, "not in ordinary pages"));
}
END_TEST

START_TEST(other_descriptors_are_refused)
{
	int pipes[2], sockets[2], directory = open(".", O_RDONLY | O_CLOEXEC), file, shm;
	char name[] = "mapping_XXXXXX", shm_name[] = "/dev/shm/prodd_mapping_XXXXXX";

	ck_assert_int_eq(pipe2(pipes, O_CLOEXEC), 0);
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets), 0);
	file = mkostemp(name, O_CLOEXEC);
	ck_assert_int_ge(file, 0);
	ck_assert_int_eq(ftruncate(file, SIZE), 0);
	unlink(name);
	for (int i = 0; i < 2; i++) {
		must_refuse(pipes[i], PRODD_E_USAGE, "not of a memfd");
		must_refuse(sockets[i], PRODD_E_USAGE, "not of a memfd");
	}
	must_refuse(directory, PRODD_E_USAGE, "not of a memfd");
	must_refuse(open("/dev/null", O_RDWR | O_CLOEXEC), PRODD_E_USAGE, "not of a memfd");
	must_refuse(open("/dev/zero", O_RDWR | O_CLOEXEC), PRODD_E_USAGE, "not of a memfd");
	must_refuse(eventfd(0, EFD_CLOEXEC), PRODD_E_USAGE, "not of a memfd");
	must_refuse((int)syscall(SYS_pidfd_open, getpid(), 0), PRODD_E_USAGE, "not of a memfd");
	must_refuse(file, PRODD_E_USAGE, "not");
	must_refuse(-1, PRODD_E_USAGE, "not of a memfd");
	shm = mkostemp(shm_name, O_CLOEXEC);
	if (shm >= 0) {
		unlink(shm_name);
		ck_assert_int_eq(ftruncate(shm, SIZE), 0);
		must_refuse(shm, PRODD_E_USAGE, "not sealed");
	}
}
END_TEST

/* ---- limits */

START_TEST(a_uid_has_its_most_bytes_and_others_have_theirs)
{
	struct mapping m[3] = { 0 }, other = { 0 };

	mappings.uid_max = 3 * SIZE;
	must_take(&m[0], new_memfd(0, SIZE, SEALS), 7);
	must_take(&m[1], new_memfd(0, SIZE, SEALS), 7);
	must_refuse(new_memfd(0, 2 * SIZE, SEALS), PRODD_E_OVER_LIMIT, "uid 7 has 2 pieces of 131072 bytes");
	must_take(&m[2], new_memfd(0, SIZE, SEALS), 7);
	must_refuse(new_memfd(0, SIZE, SEALS), PRODD_E_OVER_LIMIT, "uid 7");
	must_take(&other, new_memfd(0, 3 * SIZE, SEALS), 8);
	mapping_clear(&m[0]);
	must_take(&m[0], new_memfd(0, SIZE, SEALS), 7);
	for (int i = 0; i < 3; i++)
		mapping_clear(&m[i]);
	mapping_clear(&other);
	mappings.uid_max = SIZE / 2;
	must_refuse(new_memfd(0, SIZE, SEALS), PRODD_E_OVER_LIMIT, "uid 7 has 0 pieces");
}
END_TEST

START_TEST(a_uid_has_no_more_pieces_than_are_free)
{
	struct mapping m[8] = { 0 };
	int n = 0;

	mappings.count_max = 8;
	for (; n < 4; n++)
		must_take(&m[n], new_memfd(0, SIZE, SEALS), 7);
	must_refuse(new_memfd(0, SIZE, SEALS), PRODD_E_OVER_LIMIT, "uid 7 has 4 pieces");
	for (; n < 6; n++)
		must_take(&m[n], new_memfd(0, SIZE, SEALS), 8);
	for (; n < 7; n++)
		must_take(&m[n], new_memfd(0, SIZE, SEALS), 9);
	for (int i = 0; i < n; i++)
		mapping_clear(&m[i]);
}
END_TEST

START_TEST(the_most_fit_the_descriptors)
{
	struct rlimit limit;

	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
	limit.rlim_cur = 264;
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
	mappings_fit(&mappings);
	ck_assert_uint_eq(mappings.count_max, 50);
	limit.rlim_cur = 10;
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
	mappings_fit(&mappings);
	ck_assert_uint_eq(mappings.count_max, 1);
}
END_TEST

static Suite *mapping_suite(void)
{
	Suite *s = suite_create("mapping");
	TCase *tc = tcase_create("mapping");

	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_test(tc, both_sides_see_what_either_writes);
	tcase_add_test(tc, punching_gives_whole_pages_back_and_nothing_else);
	tcase_add_test(tc, one_inode_is_mapped_once);
	tcase_add_test(tc, seals_must_be_these);
	tcase_add_test(tc, sizes_must_be_allowed_and_whole_pages);
	tcase_add_test(tc, what_was_resized_has_the_size_that_it_has);
	tcase_add_test(tc, not_for_reading_or_writing_alone);
	tcase_add_test(tc, huge_pages_are_refused);
	tcase_add_test(tc, other_descriptors_are_refused);
	tcase_add_test(tc, a_uid_has_its_most_bytes_and_others_have_theirs);
	tcase_add_test(tc, a_uid_has_no_more_pieces_than_are_free);
	tcase_add_test(tc, the_most_fit_the_descriptors);
	suite_add_tcase(s, tc);
	return s;
}

int main(void)
{
	return suite_run(mapping_suite());
}
