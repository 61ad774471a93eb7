/* SPDX-License-Identifier: Apache-2.0 */
/* Where things are in each mode, what is refused, and the lock. */
#define _GNU_SOURCE
#include "daemon/core/places.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/suite.h"

static char top[64];

static void set_up(void)
{
	static const char *const variables[] = {
		"RUNTIME_DIRECTORY", "STATE_DIRECTORY", "CONFIGURATION_DIRECTORY", "XDG_RUNTIME_DIR",
		"XDG_CONFIG_HOME", "XDG_STATE_HOME",
	};

	for (size_t i = 0; i < sizeof variables / sizeof *variables; i++)
		unsetenv(variables[i]);
	setenv("HOME", "/home/somebody", 1);
	snprintf(top, sizeof top, "/tmp/places-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(top));
}

static void tear_down(void)
{
	char command[128];

	snprintf(command, sizeof command, "rm -rf %s", top);
	ck_assert_int_eq(system(command), 0);
}

/* The rest of the test runs as another user when this one is root. */
static void drop_root(void)
{
	if (geteuid() == 0) {
		ck_assert_int_eq(chown(top, 12345, 12345), 0);
		ck_assert_int_eq(seteuid(12345), 0);
	}
}

static void regain_root(void)
{
	if (getuid() == 0)
		ck_assert_int_eq(seteuid(0), 0);
}

START_TEST(a_directory_holds_everything)
{
	struct places p;
	struct prodd_error e;

	ck_assert_int_eq(places_init(&p, "/some/where//", &e), 0);
	ck_assert_int_eq(p.mode, PLACES_DIRECTORY);
	ck_assert_str_eq(p.conf, "/some/where/prodd.conf");
	ck_assert_str_eq(p.conf_d, "/some/where/conf.d");
	ck_assert_str_eq(p.apps, "/some/where/apps");
	ck_assert_str_eq(p.run, "/some/where/run");
	ck_assert_str_eq(p.app_socket, "/some/where/run/app.sock");
	ck_assert_str_eq(p.ctl_socket, "/some/where/run/ctl.sock");
	ck_assert_str_eq(p.state, "/some/where/state");
	ck_assert_str_eq(p.log, "/some/where/log");
	places_clear(&p);
	places_clear(&p);
}
END_TEST

START_TEST(a_relative_directory_is_made_absolute)
{
	struct places p;
	struct prodd_error e;

	ck_assert_int_eq(chdir(top), 0);
	ck_assert_int_eq(places_init(&p, "d", &e), 0);
	ck_assert_int_eq(p.run[0], '/');
	ck_assert_ptr_nonnull(strstr(p.run, "/d/run"));
	places_clear(&p);
}
END_TEST

START_TEST(root_is_the_system)
{
	struct places p;
	struct prodd_error e;

	if (geteuid() != 0)
		return;
	ck_assert_int_eq(places_init(&p, NULL, &e), 0);
	ck_assert_int_eq(p.mode, PLACES_SYSTEM);
	ck_assert_str_eq(p.conf, "/etc/prodd/prodd.conf");
	ck_assert_str_eq(p.app_socket, "/run/prodd/app.sock");
	ck_assert_str_eq(p.state, "/var/lib/prodd");
	ck_assert_str_eq(p.log, "/var/log/prodd");
	places_clear(&p);
}
END_TEST

START_TEST(systemd_names_the_directories)
{
	struct places p;
	struct prodd_error e;

	drop_root();
	setenv("RUNTIME_DIRECTORY", "/run/p:/run/other", 1);
	setenv("STATE_DIRECTORY", "/var/lib/p", 1);
	setenv("LOGS_DIRECTORY", "/var/log/p", 1);
	setenv("CONFIGURATION_DIRECTORY", "/etc/p", 1);
	ck_assert_int_eq(places_init(&p, NULL, &e), 0);
	ck_assert_int_eq(p.mode, PLACES_SYSTEM);
	ck_assert_str_eq(p.ctl_socket, "/run/p/ctl.sock");
	ck_assert_str_eq(p.state, "/var/lib/p");
	ck_assert_str_eq(p.log, "/var/log/p");
	ck_assert_str_eq(p.apps, "/etc/p/apps");
	places_clear(&p);
	regain_root();
}
END_TEST

START_TEST(a_user_has_places_of_its_own)
{
	struct places p;
	struct prodd_error e;

	drop_root();
	setenv("XDG_RUNTIME_DIR", "/run/user/1", 1);
	ck_assert_int_eq(places_init(&p, NULL, &e), 0);
	ck_assert_int_eq(p.mode, PLACES_USER);
	ck_assert_str_eq(p.app_socket, "/run/user/1/prodd/app.sock");
	ck_assert_str_eq(p.conf, "/home/somebody/.config/prodd/prodd.conf");
	ck_assert_str_eq(p.state, "/home/somebody/.local/state/prodd");
	ck_assert_str_eq(p.log, "/home/somebody/.local/state/prodd/log");
	places_clear(&p);
	setenv("XDG_CONFIG_HOME", "/c", 1);
	setenv("XDG_STATE_HOME", "/s", 1);
	setenv("RUNTIME_DIRECTORY", "/run/user/1/prodd", 1);	/* a unit of the user's manager */
	ck_assert_int_eq(places_init(&p, NULL, &e), 0);
	ck_assert_int_eq(p.mode, PLACES_USER);
	ck_assert_str_eq(p.apps, "/c/prodd/apps");
	ck_assert_str_eq(p.state, "/s/prodd");
	places_clear(&p);
	regain_root();
}
END_TEST

START_TEST(a_user_without_a_run_directory_is_told_of_dir)
{
	struct places p;
	struct prodd_error e;

	drop_root();
	ck_assert_int_eq(places_init(&p, NULL, &e), -PRODD_E_USAGE);
	ck_assert_ptr_nonnull(strstr(e.text, "--dir"));
	ck_assert_ptr_nonnull(strstr(e.text, "XDG_RUNTIME_DIR"));
	regain_root();
}
END_TEST

START_TEST(a_long_socket_path_is_refused_with_its_length)
{
	char directory[200] = "/";
	struct places p;
	struct prodd_error e;

	memset(directory + 1, 'x', sizeof directory - 2);
	directory[107 - strlen("/run/http.sock")] = '\0';
	ck_assert_int_eq(places_init(&p, directory, &e), 0);
	ck_assert_uint_eq(strlen(p.http_socket), 107);
	places_clear(&p);
	memset(directory + 1, 'x', sizeof directory - 2);
	directory[108 - strlen("/run/http.sock")] = '\0';
	ck_assert_int_eq(places_init(&p, directory, &e), -PRODD_E_USAGE);
	ck_assert_ptr_nonnull(strstr(e.text, "108"));
	ck_assert_ptr_nonnull(strstr(e.text, "107"));
}
END_TEST

static mode_t mode_of(const char *path)
{
	struct stat st;

	ck_assert_int_eq(lstat(path, &st), 0);
	return st.st_mode & 07777;
}

START_TEST(directories_are_made_with_their_modes_whatever_the_umask)
{
	struct places p;
	struct prodd_error e;
	char directory[128];

	umask(_i ? 0077 : 0);
	snprintf(directory, sizeof directory, "%s/deep/down", top);
	ck_assert_int_eq(places_init(&p, directory, &e), 0);
	ck_assert_msg(places_make(&p, &e) == 0, "%s", e.text);
	ck_assert_uint_eq(mode_of(p.run), 0755);
	ck_assert_uint_eq(mode_of(p.state), 0700);
	places_clear(&p);
}
END_TEST

START_TEST(one_prodd_has_a_directory)
{
	struct places p, other;
	struct prodd_error e;
	char pid[32];

	ck_assert_int_eq(places_init(&p, top, &e), 0);
	ck_assert_int_eq(places_make(&p, &e), 0);
	ck_assert_int_eq(places_init(&other, top, &e), 0);
	ck_assert_int_eq(places_make(&other, &e), -PRODD_E_BUSY);
	snprintf(pid, sizeof pid, "pid %d", (int)getpid());
	ck_assert_ptr_nonnull(strstr(e.text, pid));
	places_clear(&p);
	ck_assert_msg(places_make(&other, &e) == 0, "%s", e.text);
	places_clear(&other);
}
END_TEST

START_TEST(links_and_directories_of_others_are_refused)
{
	struct places p;
	struct prodd_error e;
	char path[128];

	ck_assert_int_eq(places_init(&p, top, &e), 0);
	snprintf(path, sizeof path, "%s/elsewhere", top);
	ck_assert_int_eq(mkdir(path, 0700), 0);
	ck_assert_int_eq(symlink(path, p.run), 0);
	ck_assert_int_eq(places_make(&p, &e), -PRODD_E_IO);
	ck_assert_int_eq(unlink(p.run), 0);
	ck_assert_int_eq(mkdir(p.run, 0755), 0);
	if (geteuid() == 0) {
		ck_assert_int_eq(chown(p.run, 12345, 12345), 0);
		ck_assert_int_eq(places_make(&p, &e), -PRODD_E_IO);
		ck_assert_ptr_nonnull(strstr(e.text, "12345"));
	}
	places_clear(&p);
}
END_TEST

static Suite *places_suite(void)
{
	Suite *s = suite_create("places");
	TCase *tc = tcase_create("places");

	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_test(tc, a_directory_holds_everything);
	tcase_add_test(tc, a_relative_directory_is_made_absolute);
	tcase_add_test(tc, root_is_the_system);
	tcase_add_test(tc, systemd_names_the_directories);
	tcase_add_test(tc, a_user_has_places_of_its_own);
	tcase_add_test(tc, a_user_without_a_run_directory_is_told_of_dir);
	tcase_add_test(tc, a_long_socket_path_is_refused_with_its_length);
	tcase_add_loop_test(tc, directories_are_made_with_their_modes_whatever_the_umask, 0, 2);
	tcase_add_test(tc, one_prodd_has_a_directory);
	tcase_add_test(tc, links_and_directories_of_others_are_refused);
	suite_add_tcase(s, tc);
	return s;
}

int main(void)
{
	return suite_run(places_suite());
}
