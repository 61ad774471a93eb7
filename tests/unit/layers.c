/* SPDX-License-Identifier: Apache-2.0 */
/* Files as they are found, in order; what is no file; what changes while it is read. */
#include "config.h"	/* _GNU_SOURCE */

#include "daemon/layers/layers.h"

#include <fcntl.h>
#include <ftw.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "proto/codec.h"
#include "tests/unit/suite.h"

static char top[64];

static void make_top(void)
{
	snprintf(top, sizeof top, "/tmp/prodd-layers.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(top));
	ck_assert_int_eq(chdir(top), 0);
	ck_assert_int_eq(mkdir("orders", 0755), 0);
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static void remove_top(void)
{
	if (chdir("/") == 0)
		nftw(top, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static void put(const char *path, const char *content)
{
	FILE *file = fopen(path, "w");

	ck_assert_ptr_nonnull(file);
	fputs(content, file);
	ck_assert_int_eq(fclose(file), 0);
}

static const struct layers_where orders = { .directory = "orders", .environment = "production" };

/* "LAYER NAME CONTENT" of each file, then "! PATH: TEXT" of each problem. */
static const char *read_as(const struct layers_where *where)
{
	static char text[20000];
	layers_auto layers = { 0 };
	struct prodd_error e;
	size_t length = 0;

	ck_assert_msg(layers_read_stable(where, &layers, &e) == 0, "%s", e.text);
	text[0] = '\0';
	for (size_t i = 0; i < layers.count; i++)
		length += (size_t)snprintf(text + length, sizeof text - length, "%s %s %.*s\n",
					   layers.files[i].layer, layers.files[i].name,
					   (int)layers.files[i].content.size, layers.files[i].content.at);
	for (size_t i = 0; i < layers.problem_count; i++)
		length += (size_t)snprintf(text + length, sizeof text - length, "! %s: %s\n",
					   layers.problems[i].path, layers.problems[i].text);
	return text;
}

START_TEST(layers_come_lowest_first)
{
	ck_assert_int_eq(mkdir("orders/conf.d", 0755), 0);
	put("orders/schema.conf", "s");
	put("orders/default.conf", "d");
	put("orders/production.conf", "p");
	put("orders/staging.conf", "no");
	put("orders/conf.d/b.conf", "b");
	put("orders/conf.d/a.conf", "a");
	put("orders/conf.d/B.conf", "B");
	put("orders/conf.d/10.conf", "10");
	put("orders/conf.d/9.conf", "9");
	ck_assert_str_eq(read_as(&orders),
			 "schema schema.conf s\ndefault default.conf d\nenvironment production.conf p\n"
			 "local conf.d/10.conf 10\nlocal conf.d/9.conf 9\nlocal conf.d/B.conf B\n"
			 "local conf.d/a.conf a\nlocal conf.d/b.conf b\n");
}
END_TEST

START_TEST(left_overs_are_no_layers)
{
	static const char *const names[] = {
		".hidden.conf", "a.conf~", "#a.conf#", "~a.conf", "#a.conf",	     ".a.conf.swp",
		"a.conf.bak",	"4913",	   "a.txt",    ".conf",	  "a.conf.dpkg-old",
	};
	char path[64];

	ck_assert_int_eq(mkdir("orders/conf.d", 0755), 0);
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		snprintf(path, sizeof path, "orders/conf.d/%s", names[i]);
		put(path, "x");
	}
	ck_assert_int_eq(symlink("nobody@nowhere.1", "orders/conf.d/.#a.conf"), 0);	/* a lock of emacs */
	put("orders/conf.d/a.conf", "a");
	ck_assert_str_eq(read_as(&orders), "local conf.d/a.conf a\n");
}
END_TEST

START_TEST(absence_has_two_kinds)
{
	const struct layers_where missing = { .directory = "nothing", .environment = "production" };
	const struct layers_where file = { .directory = "orders/default.conf", .environment = "production" };
	const struct layers_where bad = { .directory = "orders", .environment = "../production" };
	layers_auto layers = { 0 };
	struct prodd_error e;

	ck_assert_int_eq(layers_read(&missing, &layers, &e), 0);
	ck_assert_int_eq(layers.state, LAYERS_NO_DIRECTORY);
	ck_assert_int_eq(layers_read(&orders, &layers, &e), 0);
	ck_assert_int_eq(layers.state, LAYERS_NO_FILES);
	put("orders/default.conf", "");
	ck_assert_int_eq(layers_read(&orders, &layers, &e), 0);
	ck_assert_int_eq(layers.state, LAYERS_FOUND);
	layers_clear(&layers);
	ck_assert_int_eq(layers_read(&file, &layers, &e), -PRODD_E_IO);
	ck_assert_str_eq(e.text, "orders/default.conf: Not a directory");
	ck_assert_int_eq(layers_read(&bad, &layers, &e), -PRODD_E_USAGE);
}
END_TEST

START_TEST(what_is_no_file_is_named_and_not_waited_for)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX, .sun_path = "orders/conf.d/socket.conf" };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	ck_assert_int_eq(mkdir("orders/conf.d", 0755), 0);
	ck_assert_int_eq(mkfifo("orders/default.conf", 0644), 0);
	ck_assert_int_eq(mkdir("orders/conf.d/dir.conf", 0755), 0);
	ck_assert_int_eq(symlink("/dev/zero", "orders/conf.d/device.conf"), 0);
	ck_assert_int_eq(symlink("nowhere", "orders/conf.d/dangling.conf"), 0);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
	put("orders/conf.d/good.conf", "g");
	ck_assert_str_eq(read_as(&orders), "local conf.d/good.conf g\n"
			 "! orders/conf.d/dangling.conf: is a symbolic link that leads nowhere\n"
			 "! orders/default.conf: is a FIFO, not a file\n"
			 "! orders/conf.d/device.conf: is a device, not a file\n"
			 "! orders/conf.d/dir.conf: is a directory, not a file\n"
			 "! orders/conf.d/socket.conf: is a socket, not a file\n");
	close(fd);
}
END_TEST

START_TEST(links_are_followed_and_the_real_path_is_told)
{
	layers_auto layers = { 0 };
	struct prodd_error e;
	char real[128];

	ck_assert_int_eq(mkdir("orders/..2026", 0755), 0);
	put("orders/..2026/default.conf", "d");
	ck_assert_int_eq(symlink("..2026", "orders/..data"), 0);
	ck_assert_int_eq(symlink("..data/default.conf", "orders/default.conf"), 0);
	ck_assert_int_eq(layers_read_stable(&orders, &layers, &e), 0);
	ck_assert_uint_eq(layers.count, 1);
	snprintf(real, sizeof real, "%s/orders/..2026/default.conf", top);
	ck_assert_str_eq(layers.files[0].real, real);
	ck_assert_str_eq(layers.files[0].path, "orders/default.conf");
}
END_TEST

START_TEST(sizes_and_numbers_are_limited)
{
	char *big = malloc(LAYERS_FILE_MAX + 2), path[64];
	layers_auto layers = { 0 };

	memset(big, ' ', LAYERS_FILE_MAX + 1);
	big[LAYERS_FILE_MAX + 1] = '\0';
	ck_assert_int_eq(mkdir("orders/conf.d", 0755), 0);
	put("orders/conf.d/0.conf", big);
	ck_assert_str_eq(read_as(&orders),
			 "! orders/conf.d/0.conf: is too large: at most 1048576 bytes of a file are read\n");
	big[LAYERS_FILE_MAX] = '\0';
	put("orders/conf.d/0.conf", big);
	put("orders/conf.d/1.conf", "x");
	put("orders/conf.d/2.conf", "");
	ck_assert_int_eq(layers_read(&orders, &layers, NULL), 0);
	ck_assert_uint_eq(layers.count, 2);
	ck_assert_str_eq(layers.problems[0].path, "orders/conf.d/1.conf");
	ck_assert_str_eq(layers.problems[0].text,
			 "goes over the limit: all files together may have 1048576 bytes");
	layers_clear(&layers);
	put("orders/conf.d/0.conf", "");
	for (int i = 0; i < 300; i++) {
		snprintf(path, sizeof path, "orders/conf.d/n%d.conf", i);
		put(path, "");
	}
	ck_assert_int_eq(layers_read(&orders, &layers, NULL), 0);
	ck_assert_uint_eq(layers.count, LAYERS_FILES_MAX);
	ck_assert_str_eq(layers.problems[0].text, "holds too many files: at most 256 are read");
	free(big);
}
END_TEST

START_TEST(daemons_own_files)
{
	const struct layers_where where = { .conf = "etc/prodd.conf", .conf_d = "etc/conf.d" };
	const struct layers_where bare = { .conf = "etc/prodd.conf" };
	layers_auto layers = { 0 };

	ck_assert_int_eq(layers_read(&where, &layers, NULL), 0);
	ck_assert_int_eq(layers.state, LAYERS_NO_FILES);
	ck_assert_int_eq(mkdir("etc", 0755), 0);
	ck_assert_int_eq(mkdir("etc/conf.d", 0755), 0);
	put("etc/conf.d/orders.conf", "o");
	ck_assert_str_eq(read_as(&where), "local conf.d/orders.conf o\n");
	put("etc/prodd.conf", "p");
	ck_assert_str_eq(read_as(&where), "default prodd.conf p\nlocal conf.d/orders.conf o\n");
	ck_assert_str_eq(read_as(&bare), "default prodd.conf p\n");
}
END_TEST

static void hashes(char sources[LAYERS_HASH_SIZE], char looks[LAYERS_HASH_SIZE])
{
	layers_auto layers = { 0 };

	ck_assert_int_eq(layers_read_stable(&orders, &layers, NULL), 0);
	memcpy(sources, layers.hash, LAYERS_HASH_SIZE);
	ck_assert_int_eq(layers_stat(&orders, looks, NULL), 0);
}

START_TEST(hashes_tell_a_touch_from_a_change)
{
	const struct timespec past[2] = { { .tv_sec = 1000 }, { .tv_sec = 1000 } };
	char sources[3][LAYERS_HASH_SIZE], looks[3][LAYERS_HASH_SIZE];

	put("orders/default.conf", "d");
	put("orders/production.conf", "");
	hashes(sources[0], looks[0]);
	hashes(sources[1], looks[1]);
	ck_assert_str_eq(sources[0], sources[1]);
	ck_assert_str_eq(looks[0], looks[1]);
	ck_assert_int_eq(utimensat(AT_FDCWD, "orders/default.conf", past, 0), 0);
	hashes(sources[1], looks[1]);
	ck_assert_str_eq(sources[0], sources[1]);
	ck_assert_str_ne(looks[0], looks[1]);
	put("orders/default.conf", "e");
	hashes(sources[2], looks[2]);
	ck_assert_str_ne(sources[0], sources[2]);
	ck_assert_str_ne(looks[1], looks[2]);
	put("orders/default.conf", "");		/* the same contents in other places are another source set */
	put("orders/production.conf", "d");
	hashes(sources[1], looks[1]);
	ck_assert_str_ne(sources[0], sources[1]);
	ck_assert_int_eq(mkdir("orders/conf.d", 0755), 0);
	put("orders/conf.d/a.conf", "x");
	hashes(sources[0], looks[0]);
	ck_assert_int_eq(rename("orders/conf.d/a.conf", "orders/conf.d/b.conf"), 0);
	hashes(sources[1], looks[1]);
	ck_assert_str_ne(sources[0], sources[1]);
	ck_assert_str_ne(looks[0], looks[1]);
}
END_TEST

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * INT64_C(1000) + now.tv_nsec / 1000000;
}

static void write_for_ever(bool always_the_same)
{
	char page[8192];

	for (unsigned round = 0;; round++) {
		int fd = open("orders/default.conf", O_WRONLY);

		memset(page, always_the_same ? 'a' : 'a' + (int)(round % 26), sizeof page);
		if (fd < 0 || write(fd, page, sizeof page) < 0)
			_exit(1);
		close(fd);
	}
}

/* Reading while another process writes: busy, until it has stopped. */
START_TEST(files_being_written_are_busy)
{
	const unsigned enough =
		_i ? 3 : 20; /* the same bytes again are seen by their times only, tick by tick */
	int64_t deadline = now_ms() + 30000;
	unsigned busy = 0;
	struct prodd_error e;
	layers_auto layers = { 0 };
	pid_t writer;

	put("orders/default.conf", "");
	writer = fork();
	if (writer == 0)
		write_for_ever(_i);
	while (busy < enough && now_ms() < deadline) {
		int r;

		layers_clear(&layers);
		r = layers_read_stable(&orders, &layers, &e);
		ck_assert(r == 0 || r == -PRODD_E_BUSY);
		busy += r != 0;
	}
	kill(writer, SIGKILL);
	waitpid(writer, NULL, 0);
	ck_assert_uint_eq(busy, enough);
	ck_assert_str_eq(e.text, "orders/default.conf is being written");
	layers_clear(&layers);
	put("orders/default.conf", "x = 1;");	/* the writer was killed wherever it was */
	ck_assert_int_eq(layers_read_stable(&orders, &layers, NULL), 0);
	ck_assert_uint_eq(layers.files[0].content.size, 6);
}
END_TEST

START_TEST(files_are_encoded_for_the_parser)
{
	layers_auto layers = { 0 };
	prodd_auto_buffer b = { 0 };
	struct wire_source_file row;
	struct prodd_iter it;
	uint32_t count = 0;

	put("orders/default.conf", "a\0b");
	ck_assert_int_eq(layers_read_stable(&orders, &layers, NULL), 0);
	ck_assert_int_eq(layers_encode(&layers, &b, &count), 0);
	it = prodd_iter(prodd_list(&b, count));
	ck_assert_int_eq(prodd_next(&it, &wire_record_source_file, &row, NULL), 1);
	ck_assert(prodd_slice_is(row.name, "default.conf") &&
		  prodd_slice_is(row.path, "orders/default.conf"));
	ck_assert(prodd_slice_is(row.layer, "default") && prodd_slice_is(row.content, "a"));
}
END_TEST

int main(void)
{
	Suite *s = suite_create("layers");
	TCase *t = tcase_create("layers");

	tcase_set_timeout(t, 60);
	tcase_add_checked_fixture(t, make_top, remove_top);
	tcase_add_test(t, layers_come_lowest_first);
	tcase_add_test(t, left_overs_are_no_layers);
	tcase_add_test(t, absence_has_two_kinds);
	tcase_add_test(t, what_is_no_file_is_named_and_not_waited_for);
	tcase_add_test(t, links_are_followed_and_the_real_path_is_told);
	tcase_add_test(t, sizes_and_numbers_are_limited);
	tcase_add_test(t, daemons_own_files);
	tcase_add_test(t, hashes_tell_a_touch_from_a_change);
	tcase_add_loop_test(t, files_being_written_are_busy, 0, 2);
	tcase_add_test(t, files_are_encoded_for_the_parser);
	suite_add_tcase(s, t);
	return suite_run(s);
}
