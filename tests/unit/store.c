/* SPDX-License-Identifier: Apache-2.0 */
/* The state on disk: what survives, what a failed write leaves, and what is refused to be read. */
#define _GNU_SOURCE
#include "daemon/config/store.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/util/clock.h"
#include "daemon/util/container.h"
#include "daemon/util/file.h"
#include "daemon/util/stamp.h"
#include "tests/unit/remove.h"
#include "tests/unit/suite.h"

static char state[] = "/tmp/prodd-store-XXXXXX";
static struct loop loop;
static struct disk *disk;
static struct store *store;
static struct prodd_error e;
static unsigned ended;

static void open_store(void)
{
	ck_assert_int_eq(store_open(&store, disk, state, 3, &e), 0);
}

static void reopen(void)
{
	store = store_free(store);
	open_store();
}

static void set_up(void)
{
	strcpy(state + sizeof state - 7, "XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(state));
	ck_assert_int_eq(loop_init(&loop, &e), 0);
	ck_assert_int_eq(disk_new(&disk, &loop, &e), 0);
	open_store();
	ended = 0;
}

static void tear_down(void)
{
	disk = disk_free(disk);
	store = store_free(store);
	loop_clear(&loop);
	remove_tree(state);
}

static const char *path_of(const char *name)
{
	static char path[200];

	snprintf(path, sizeof path, "%s/config/%s", state, name);
	return path;
}

/* ---- writing */

static void count_end(struct store_write *write)
{
	(void)write;
	ended++;
}

static void wait_for(unsigned ends)
{
	while (ended < ends)
		event_base_loop(loop.base, EVLOOP_ONCE);
}

/* Writes a generation of orders, development, and makes it live. */
static enum store_outcome go_live(uint64_t number, struct store_row *row)
{
	struct store_file file = { .app = "orders", .environment = "development", .number = number,
				   .content = prodd_slice("content") };
	struct store_change change = { .row = row, .now = *row };
	struct store_write write = { .files = &file, .file_count = 1, .changes = &change, .change_count = 1,
				     .done = count_end };

	change.now.previous = row->generation;
	change.now.generation = number;
	change.now.next = number + 1;
	store_write(store, &write);
	wait_for(ended + 1);
	return write.outcome;
}

static struct store_row *orders(void)
{
	struct store_row *row = store_row(store, "orders", "development", true);

	ck_assert_ptr_nonnull(row);
	return row;
}

static bool exists(const char *name)
{
	return access(path_of(name), F_OK) == 0;
}

/* ---- what survives */

START_TEST(the_epoch_is_durable_before_anything_is_served)
{
	char epoch[33];

	snprintf(epoch, sizeof epoch, "%s", store_epoch(store));
	ck_assert_uint_eq(strlen(epoch), 32);
	ck_assert(exists("live"));
	reopen();
	ck_assert_str_eq(store_epoch(store), epoch);
}
END_TEST

START_TEST(rows_and_generations_come_back)
{
	prodd_auto_buffer bytes = { .limit = 0 };
	struct store_row *row = orders();

	ck_assert_uint_eq(row->next, 1);
	ck_assert_int_eq(go_live(1, row), STORE_WRITTEN);
	ck_assert_int_eq(go_live(2, row), STORE_WRITTEN);
	reopen();
	row = store_row(store, "orders", "development", false);
	ck_assert_ptr_nonnull(row);
	ck_assert_uint_eq(row->generation, 2);
	ck_assert_uint_eq(row->previous, 1);
	ck_assert_uint_eq(row->next, 3);
	ck_assert_int_eq(store_read_generation(store, row, 2, &bytes, &e), 0);
	ck_assert(prodd_slice_is(prodd_buffer_slice(&bytes), "content"));
	ck_assert_ptr_null(store_row(store, "orders", "production", false));
	ck_assert_ptr_null(store_row(store, "order", "development", false));
}
END_TEST

START_TEST(numbers_of_transactions_go_on)
{
	uint64_t txn = store_take_txn(store);

	ck_assert_int_eq(go_live(1, orders()), STORE_WRITTEN);
	reopen();
	ck_assert_uint_gt(store_take_txn(store), txn);
}
END_TEST

START_TEST(a_schema_from_code_comes_back)
{
	prodd_auto_buffer bytes = { .limit = 0 };
	struct store_file file = { .app = "orders", .content = prodd_slice("schema") };
	struct store_write write = { .files = &file, .file_count = 1, .done = count_end };

	store_write(store, &write);
	wait_for(1);
	ck_assert_int_eq(write.outcome, STORE_WRITTEN);
	reopen();
	ck_assert_int_eq(store_read_declared(store, "orders", &bytes, &e), 0);
	ck_assert(prodd_slice_is(prodd_buffer_slice(&bytes), "schema"));
	ck_assert_int_eq(store_read_declared(store, "billing", &bytes, &e), -PRODD_E_NOT_FOUND);
}
END_TEST

/* ---- generations that are kept */

START_TEST(older_generations_go_but_not_the_one_to_fall_back_to)
{
	struct store_row *row = orders();
	uint64_t numbers[10];

	for (uint64_t n = 1; n <= 6; n++) {
		row->fallback = n > 2 ? 2 : 0;
		ck_assert_int_eq(go_live(n, row), STORE_WRITTEN);
	}
	ck_assert_uint_eq(store_list_generations(store, row, numbers, 10), 4);
	ck_assert_uint_eq(numbers[0], 6);
	ck_assert_uint_eq(numbers[1], 5);
	ck_assert_uint_eq(numbers[2], 4);
	ck_assert_uint_eq(numbers[3], 2);
}
END_TEST

START_TEST(what_was_written_and_never_decided_is_no_generation)
{
	prodd_auto_buffer bytes = { .limit = 0 };
	struct store_row *row = orders();
	struct store_file file = { .app = "orders", .environment = "development", .number = 2,
				   .content = prodd_slice("undecided") };
	struct store_write write = { .files = &file, .file_count = 1, .done = count_end };
	uint64_t numbers[10];

	ck_assert_int_eq(go_live(1, row), STORE_WRITTEN);
	store_write(store, &write);
	wait_for(2);
	ck_assert(exists("orders/development/2.gen"));
	ck_assert_uint_eq(store_list_generations(store, row, numbers, 10), 1);
	ck_assert_int_eq(store_read_generation(store, row, 2, &bytes, &e), -PRODD_E_NOT_FOUND);
	ck_assert_int_eq(go_live(3, row), STORE_WRITTEN);
	ck_assert(!exists("orders/development/2.gen"));
	ck_assert_uint_eq(store_list_generations(store, row, numbers, 10), 2);
}
END_TEST

/* ---- writes that fail */

START_TEST(a_generation_that_cannot_be_written_changes_nothing)
{
	struct store_row *row = orders();
	int fd;

	ck_assert_int_eq(go_live(1, row), STORE_WRITTEN);
	remove_tree(path_of("orders"));
	fd = open(path_of("orders"), O_CREAT | O_WRONLY, 0600);		/* where a directory would be */
	ck_assert_int_ge(fd, 0);
	close(fd);
	ck_assert_int_eq(go_live(2, row), STORE_NOT_WRITTEN);
	ck_assert_uint_eq(row->generation, 1);
	reopen();
	ck_assert_uint_eq(store_row(store, "orders", "development", false)->generation, 1);
}
END_TEST

static void a_table_that_fails(const char *obstacle)
{
	struct store_row *row = orders();

	ck_assert_int_eq(go_live(1, row), STORE_WRITTEN);
	ck_assert_int_eq(mkdir(path_of("kept"), 0700), 0);
	if (strcmp(obstacle, "live") == 0) {
		char to[200];

		snprintf(to, sizeof to, "%s/config/kept/live", state);
		ck_assert_int_eq(rename(path_of("live"), to), 0);
	}
	ck_assert_int_eq(mkdir(path_of(obstacle), 0700), 0);
	ck_assert_int_eq(go_live(2, row), STORE_NOT_WRITTEN);
	ck_assert_uint_eq(row->generation, 1);
	ck_assert_uint_eq(row->next, 2);
	ck_assert_int_eq(rmdir(path_of(obstacle)), 0);
	ck_assert_int_eq(go_live(3, row), STORE_WRITTEN);
	reopen();
	ck_assert_uint_eq(store_row(store, "orders", "development", false)->generation, 3);
}

START_TEST(a_table_that_cannot_be_written_leaves_the_old_one)
{
	a_table_that_fails("live.new");
}
END_TEST

START_TEST(a_table_that_cannot_be_put_in_place_leaves_the_old_one)
{
	a_table_that_fails("live");
}
END_TEST

/* Two writes at once; the first one cannot write its file. */
START_TEST(a_change_that_failed_is_not_carried_by_the_next_table)
{
	struct store_row *a = orders(), *b = store_row(store, "billing", "development", true);
	struct store_file bad = { .app = "none/such", .environment = "development", .number = 1 };
	struct store_file good = { .app = "billing", .environment = "development", .number = 1 };
	struct store_change first = { .row = a, .now = *a }, second = { .row = b, .now = *b };
	struct store_write one = { .files = &bad, .file_count = 1, .changes = &first, .change_count = 1,
				   .done = count_end };
	struct store_write two = { .files = &good, .file_count = 1, .changes = &second, .change_count = 1,
				   .done = count_end };
	int fd = open(path_of("none"), O_CREAT | O_WRONLY, 0600);

	ck_assert_int_ge(fd, 0);
	close(fd);
	first.now.generation = second.now.generation = 1;
	store_write(store, &one);
	store_write(store, &two);
	wait_for(2);
	ck_assert_int_eq(one.outcome, STORE_NOT_WRITTEN);
	ck_assert_int_eq(two.outcome, STORE_WRITTEN);
	reopen();
	ck_assert_uint_eq(orders()->generation, 0);
	ck_assert_uint_eq(store_row(store, "billing", "development", false)->generation, 1);
}
END_TEST

START_TEST(several_rows_change_together)
{
	struct store_row *rows[] = { orders(), store_row(store, "orders", "blue", true),
				     store_row(store, "billing", "development", true) };
	struct store_change changes[3];
	struct store_write write = { .changes = changes, .change_count = 3, .done = count_end };

	for (int i = 0; i < 3; i++) {
		changes[i] = (struct store_change){ .row = rows[i], .now = *rows[i] };
		changes[i].now.generation = 7 + (uint64_t)i;
	}
	store_write(store, &write);
	ck_assert_uint_eq(rows[0]->generation, 0);		/* not before it is durable */
	wait_for(1);
	reopen();
	ck_assert_uint_eq(orders()->generation, 7);
	ck_assert_uint_eq(store_row(store, "orders", "blue", false)->generation, 8);
	ck_assert_uint_eq(store_row(store, "billing", "development", false)->generation, 9);
}
END_TEST

/* ---- tables of other boots, other versions, and none at all */

/* Puts a table with one row of orders in place. */
static void put_table(const char *boot, uint64_t confirm_boot_ms)
{
	struct wire_live_row row = {
		.app = prodd_slice("orders"), .environment = prodd_slice("development"), .generation = 4,
		.next = 3, .fallback = 2, .boot = prodd_slice(boot), .confirm_boot_ms = confirm_boot_ms,
	};
	prodd_auto_buffer rows = { .limit = 0 };
	prodd_auto_buffer bytes = { .limit = 0 };
	struct wire_live table = { .epoch = prodd_slice("e"), .txn = 5 };
	uint32_t count = 0;

	prodd_encode_element(&rows, &count, &wire_record_live_row, &row);
	table.rows = prodd_list(&rows, count);
	ck_assert_int_eq(stamp_seal(&bytes, "LIV", &wire_record_live, &table), 0);
	ck_assert_int_eq(file_write_synced(AT_FDCWD, path_of("live"), prodd_buffer_slice(&bytes), 0600, &e),
			 0);
}

START_TEST(a_confirmation_of_another_boot_counts_as_expired)
{
	put_table("00000000-0000-0000-0000-000000000000", clock_boot_ms() + 1000000);
	reopen();
	ck_assert_uint_eq(orders()->fallback, 2);
	ck_assert_uint_eq(orders()->confirm_boot_ms, 0);
	ck_assert_uint_eq(orders()->next, 5);		/* never one that was live */
}
END_TEST

START_TEST(a_confirmation_of_this_boot_keeps_its_time)
{
	struct store_row *row = orders();
	uint64_t due = clock_boot_ms() + 1000000;

	row->fallback = 1;
	row->confirm_boot_ms = due;
	ck_assert_int_eq(go_live(2, row), STORE_WRITTEN);
	reopen();
	ck_assert_uint_eq(orders()->fallback, 1);
	ck_assert_uint_eq(orders()->confirm_boot_ms, due);
}
END_TEST

/* The table is not read, the store says why, and the file is still there as it was. */
static void expect_refused(const char *word)
{
	prodd_auto_buffer before = { .limit = 0 };
	prodd_auto_buffer after = { .limit = 0 };
	struct store *other = NULL;

	ck_assert_int_eq(file_read(AT_FDCWD, path_of("live"), 1000000, &before, &e), 0);
	ck_assert_int_eq(store_open(&other, disk, state, 3, &e), -PRODD_E_CORRUPT);
	ck_assert_ptr_null(other);
	ck_assert_msg(strstr(e.text, word) && strstr(e.text, "config/live"), "%s", e.text);
	ck_assert_int_eq(file_read(AT_FDCWD, path_of("live"), 1000000, &after, &e), 0);
	ck_assert(prodd_slice_equal(prodd_buffer_slice(&before), prodd_buffer_slice(&after)));
}

static void patch(off_t at, const char *bytes, size_t size)
{
	int fd = open(path_of("live"), O_WRONLY);

	ck_assert_int_eq(pwrite(fd, bytes, size, at), (ssize_t)size);
	close(fd);
}

START_TEST(a_table_of_a_newer_version_is_left_alone)
{
	patch(8, "\0\0\0\2", 4);
	expect_refused("newer");
}
END_TEST

START_TEST(a_damaged_table_is_left_alone)
{
	struct stat st;

	ck_assert_int_eq(go_live(1, orders()), STORE_WRITTEN);
	ck_assert_int_eq(stat(path_of("live"), &st), 0);
	patch(st.st_size - 3, "\xff", 1);
	expect_refused("checksum");
}
END_TEST

START_TEST(a_table_that_is_cut_off_is_left_alone)
{
	struct stat st;

	ck_assert_int_eq(go_live(1, orders()), STORE_WRITTEN);
	ck_assert_int_eq(stat(path_of("live"), &st), 0);
	for (off_t size = 0; size < st.st_size; size += 7) {
		ck_assert_int_eq(truncate(path_of("live"), size), 0);
		expect_refused("");
		ck_assert_int_eq(truncate(path_of("live"), st.st_size), 0);
	}
}
END_TEST

START_TEST(a_file_of_another_kind_is_left_alone)
{
	patch(5, "GEN", 3);
	expect_refused("kind");
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("store");
	TCase *tc = tcase_create("store");

	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_test(tc, the_epoch_is_durable_before_anything_is_served);
	tcase_add_test(tc, rows_and_generations_come_back);
	tcase_add_test(tc, numbers_of_transactions_go_on);
	tcase_add_test(tc, a_schema_from_code_comes_back);
	tcase_add_test(tc, older_generations_go_but_not_the_one_to_fall_back_to);
	tcase_add_test(tc, what_was_written_and_never_decided_is_no_generation);
	tcase_add_test(tc, a_generation_that_cannot_be_written_changes_nothing);
	tcase_add_test(tc, a_table_that_cannot_be_written_leaves_the_old_one);
	tcase_add_test(tc, a_table_that_cannot_be_put_in_place_leaves_the_old_one);
	tcase_add_test(tc, a_change_that_failed_is_not_carried_by_the_next_table);
	tcase_add_test(tc, several_rows_change_together);
	tcase_add_test(tc, a_confirmation_of_another_boot_counts_as_expired);
	tcase_add_test(tc, a_confirmation_of_this_boot_keeps_its_time);
	tcase_add_test(tc, a_table_of_a_newer_version_is_left_alone);
	tcase_add_test(tc, a_damaged_table_is_left_alone);
	tcase_add_test(tc, a_table_that_is_cut_off_is_left_alone);
	tcase_add_test(tc, a_file_of_another_kind_is_left_alone);
	suite_add_tcase(s, tc);
	return s;
}

int main(void)
{
	return suite_run(suite());
}
