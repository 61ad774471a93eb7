/* SPDX-License-Identifier: Apache-2.0 */
/* The cached configuration: comes back as it was stored, and whatever else lies there is refused. */
#define _GNU_SOURCE
#include "client/cache.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "client/checksum.h"
#include "tests/unit/client_served.h"
#include "tests/unit/client_suite.h"
#include "tests/unit/remove.h"

static char directory[32];
static char path[128];
static struct prodd_cache cache;
static struct served entries;

static int try_store(void)
{
	struct wire_apply apply = { .epoch = prodd_slice("e"),
				    .generation = 7,
				    .hash = prodd_slice("h"),
				    .environment = prodd_slice("production"),
				    .snapshot = served_list(&entries) };
	prodd_auto_buffer file = { 0 };
	struct prodd_error e;

	ck_assert_int_eq(prodd_cache_encode(&cache, &apply, &file), 0);
	return file.size ? prodd_cache_write(&cache, prodd_buffer_slice(&file), &e) : 0;
}

static void store(void)
{
	ck_assert_int_eq(try_store(), 0);
}

static void setup(void)
{
	strcpy(directory, "/tmp/prodd-cache.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(directory));
	cache = (struct prodd_cache){ directory, "orders", NULL, 99 };
	snprintf(path, sizeof path, "%s/orders.config", directory);
	served_int(&entries, "a", "int", 1, false);
	served_string(&entries, "b", "string", "text");
	store();
}

static void teardown(void)
{
	remove_tree(directory);
	served_clear(&entries);
}

static int load(void)
{
	prodd_auto_buffer content = { 0 };
	struct wire_apply apply;
	struct prodd_error e = { 0 };
	int r = prodd_cache_load(&cache, &content, &apply, &e);

	if (r == 0)
		ck_assert(apply.generation == 7 && apply.snapshot.count == 2);
	else
		ck_assert(e.code == -r && e.text[0]);
	return r;
}

START_TEST(what_was_stored_is_loaded)
{
	struct stat st;

	ck_assert_int_eq(load(), 0);
	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert_uint_eq(st.st_mode & 07777, 0600);
}
END_TEST

START_TEST(without_directory_nothing_happens)
{
	cache.directory = NULL;
	ck_assert_int_eq(load(), -PRODD_E_NOT_FOUND);
	store();
}
END_TEST

START_TEST(other_surroundings_are_not_served)
{
	cache.fingerprint++;
	ck_assert_int_eq(load(), -PRODD_E_NOT_FOUND);
}
END_TEST

START_TEST(instances_by_name_have_files_of_their_own)
{
	cache.instance = "80/80";
	ck_assert_int_eq(load(), -PRODD_E_NOT_FOUND);
	store();
	ck_assert_int_eq(load(), 0);
	cache.instance = "../../8081";
	store();
	ck_assert_int_eq(load(), 0);
	snprintf(path, sizeof path, "%s/orders@.._.._8081.config", directory);
	ck_assert_int_eq(access(path, F_OK), 0);
}
END_TEST

START_TEST(a_missing_directory_is_made)
{
	char deep[160], above[128];
	struct stat st;

	snprintf(above, sizeof above, "%s/x", directory);
	snprintf(deep, sizeof deep, "%s/x/y", directory);
	cache.directory = deep;
	store();
	ck_assert_int_eq(load(), 0);
	ck_assert_int_eq(stat(above, &st), 0);
	ck_assert_uint_eq(st.st_mode & 07777, 0700);
}
END_TEST

START_TEST(a_directory_that_cannot_be_used_is_an_error)
{
	cache.directory = "/proc/self/no/such";
	ck_assert_int_eq(try_store(), -PRODD_E_IO);
	ck_assert_int_eq(load(), -PRODD_E_NOT_FOUND);
}
END_TEST

/* ---- hostile content */

static size_t read_file(char *bytes, size_t most)
{
	int fd = open(path, O_RDONLY);
	ssize_t size = read(fd, bytes, most);

	ck_assert(fd >= 0 && size > 0);
	close(fd);
	return (size_t)size;
}

static void write_file(const char *bytes, size_t size)
{
	int fd = open(path, O_WRONLY | O_TRUNC);

	ck_assert(fd >= 0 && write(fd, bytes, size) == (ssize_t)size);
	close(fd);
}

START_TEST(every_truncation_is_refused)
{
	char bytes[4096];
	size_t size = read_file(bytes, sizeof bytes);

	for (size_t n = 0; n < size; n++) {
		write_file(bytes, n);
		ck_assert_int_eq(load(), -PRODD_E_CORRUPT);
	}
	write_file(bytes, size);
	ck_assert_int_eq(load(), 0);
}
END_TEST

START_TEST(every_changed_byte_is_refused)
{
	char bytes[4096];
	size_t size = read_file(bytes, sizeof bytes);

	for (size_t n = 0; n < size; n++) {
		bytes[n] ^= 1;
		write_file(bytes, size);
		ck_assert(load() < 0);
		bytes[n] ^= 1;
	}
}
END_TEST

static void put(char *at, unsigned width, uint64_t value)
{
	while (width-- > 0) {
		at[width] = (char)value;
		value >>= 8;
	}
}

/* With a right checksum, as an attacker with the user's own rights could write it. */
static void write_content(const char *content, size_t size)
{
	char bytes[4096];

	read_file(bytes, sizeof bytes);
	memcpy(bytes + 32, content, size);
	put(bytes + 12, 4, size);
	put(bytes + 16, 8, prodd_checksum(PRODD_CHECKSUM_START, (struct prodd_slice){ content, size }));
	write_file(bytes, 32 + size);
}

START_TEST(hostile_content_is_refused)
{
	static const char huge_array[] = "\xdd\x04\x00\x00\x00";
	static const char wrong_record[] = "\x81\xa1x\x01";
	char nested[64];

	memset(nested, 0x91, sizeof nested);
	write_content(huge_array, 5);
	ck_assert_int_eq(load(), -PRODD_E_CORRUPT);
	write_content(nested, sizeof nested);
	ck_assert_int_eq(load(), -PRODD_E_CORRUPT);
	write_content(wrong_record, 4);
	ck_assert_int_eq(load(), -PRODD_E_CORRUPT);
	write_content("", 0);
	ck_assert_int_eq(load(), -PRODD_E_CORRUPT);
}
END_TEST

START_TEST(random_content_is_refused)
{
	struct dice d = dice_start("client_cache");
	char bytes[256];

	for (int n = 0; n < 2000; n++) {
		size_t size = 1 + dice_below(&d, sizeof bytes);

		for (size_t i = 0; i < size; i++)
			bytes[i] = (char)dice_next(&d);
		write_content(bytes, size);
		ck_assert(load() < 0);
	}
}
END_TEST

/* ---- hostile files */

START_TEST(links_and_special_files_are_not_followed)
{
	char other[160];

	snprintf(other, sizeof other, "%s/other", directory);
	ck_assert_int_eq(rename(path, other), 0);
	ck_assert_int_eq(symlink(other, path), 0);
	ck_assert_int_eq(load(), -PRODD_E_IO);
	store();
	ck_assert_int_eq(load(), 0);
	ck_assert_int_eq(unlink(path), 0);
	ck_assert_int_eq(mkfifo(path, 0600), 0);
	ck_assert_int_eq(load(), -PRODD_E_CORRUPT);
	ck_assert_int_eq(unlink(path), 0);
	ck_assert_int_eq(mkdir(path, 0700), 0);
	ck_assert_int_eq(load(), -PRODD_E_CORRUPT);
}
END_TEST

START_TEST(a_file_that_others_may_touch_is_refused)
{
	ck_assert_int_eq(chmod(path, 0620), 0);
	ck_assert_int_eq(load(), -PRODD_E_NOT_PERMITTED);
	ck_assert_int_eq(chmod(path, 0600), 0);
	ck_assert_int_eq(load(), 0);
	if (geteuid() == 0) {
		ck_assert_int_eq(chown(path, 65534, 65534), 0);
		ck_assert_int_eq(load(), -PRODD_E_NOT_PERMITTED);
	}
}
END_TEST

START_TEST(a_file_of_another_format_is_refused)
{
	char bytes[4096];
	size_t size = read_file(bytes, sizeof bytes);

	put(bytes + 8, 4, 2);
	write_file(bytes, size);
	ck_assert_int_eq(load(), -PRODD_E_CORRUPT);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("client: cache");
	TCase *tc = tcase_create("cache");

	suite_add_tcase(s, tc);
	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, what_was_stored_is_loaded);
	tcase_add_test(tc, without_directory_nothing_happens);
	tcase_add_test(tc, other_surroundings_are_not_served);
	tcase_add_test(tc, instances_by_name_have_files_of_their_own);
	tcase_add_test(tc, a_missing_directory_is_made);
	tcase_add_test(tc, a_directory_that_cannot_be_used_is_an_error);
	tcase_add_test(tc, every_truncation_is_refused);
	tcase_add_test(tc, every_changed_byte_is_refused);
	tcase_add_test(tc, hostile_content_is_refused);
	tcase_add_test(tc, random_content_is_refused);
	tcase_add_test(tc, links_and_special_files_are_not_followed);
	tcase_add_test(tc, a_file_that_others_may_touch_is_refused);
	tcase_add_test(tc, a_file_of_another_format_is_refused);
	return client_suite_run(s);
}
