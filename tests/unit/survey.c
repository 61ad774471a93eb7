/* SPDX-License-Identifier: Apache-2.0 */
/* Which directories and names decide what an app's files are: links, swaps, what is missing yet. */
#include "daemon/config/survey.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/remove.h"
#include "tests/unit/suite.h"

static char top[] = "/tmp/prodd-survey-XXXXXX";
static int fd;
static struct survey survey;

static const char *in(const char *name)
{
	static char paths[4][PATH_MAX];
	static unsigned turn;
	char *path = paths[turn++ % 4];

	snprintf(path, PATH_MAX, "%s/%s", top, name);
	return path;
}

static void make_directory(const char *name)
{
	ck_assert_int_eq(mkdir(in(name), 0755), 0);
}

static void make_file(const char *name)
{
	int file = open(in(name), O_CREAT | O_WRONLY, 0644);

	ck_assert_int_ge(file, 0);
	close(file);
}

static void make_link(const char *target, const char *name)
{
	ck_assert_int_eq(symlink(target, in(name)), 0);
}

static void set_up(void)
{
	strcpy(top + sizeof top - 7, "XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(top));
	fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	ck_assert_int_ge(fd, 0);
	make_directory("app");
}

static void tear_down(void)
{
	survey_clear(&survey);
	close(fd);
	remove_tree(top);
}

static void run(void)
{
	survey_clear(&survey);
	survey_run(&survey, fd, in("app"));
}

/* Does a name in a directory below `top` matter? */
static bool matters(const char *directory, const char *name)
{
	char wanted[PATH_MAX];
	const char *at;
	int length;

	snprintf(wanted, sizeof wanted, "%s%s%s/", top, *directory ? "/" : "", directory);
	for (unsigned i = 0; i < survey.count; i++) {
		at = survey_directory_of(&survey, survey.points[i].wd, &length);
		if (at && (size_t)length == strlen(wanted) && memcmp(at, wanted, (size_t)length) == 0)
			return survey_has(&survey, survey.points[i].wd, name);
	}
	return false;
}

START_TEST(the_directory_itself)
{
	make_file("app/default.conf");
	run();
	ck_assert(survey.complete);
	ck_assert(matters("app", "default.conf"));
	ck_assert(matters("app", "production.conf"));
	ck_assert(matters("app", "conf.d"));
	ck_assert(!matters("app", "default.conf~"));
	ck_assert(!matters("app", ".default.conf.swp"));
	ck_assert(matters("app", ""));
	/* A plain directory matters by itself alone. */
	ck_assert(!matters("", "app") && !matters("", "other"));
}
END_TEST

START_TEST(local_files)
{
	make_directory("app/conf.d");
	run();
	ck_assert(matters("app/conf.d", "10-local.conf"));
	ck_assert(!matters("app/conf.d", "README"));
}
END_TEST

START_TEST(a_chain_of_links)
{
	make_directory("a");
	make_directory("b");
	make_directory("c");
	make_file("c/real.conf");
	make_link("../a/one.conf", "app/default.conf");
	make_link("../b/two.conf", "a/one.conf");
	make_link(in("c/real.conf"), "b/two.conf");
	run();
	ck_assert(survey.complete);
	ck_assert(matters("a", "one.conf"));
	ck_assert(matters("b", "two.conf"));
	ck_assert(matters("c", "real.conf"));
	ck_assert(!matters("c", "other.conf"));
	ck_assert(matters("a", "") && matters("c", ""));
}
END_TEST

/* As Kubernetes mounts a ConfigMap. */
START_TEST(a_directory_that_is_swapped_behind_a_link)
{
	make_directory("app/..2026_01");
	make_file("app/..2026_01/default.conf");
	make_link("..2026_01", "app/..data");
	make_link("..data/default.conf", "app/default.conf");
	run();
	ck_assert(matters("app", "..data"));
	ck_assert(matters("app/..2026_01", "default.conf"));
	ck_assert(!matters("app/..2026_01", "other.conf"));
}
END_TEST

START_TEST(the_apps_directory_may_be_a_link)
{
	make_directory("elsewhere");
	ck_assert_int_eq(rmdir(in("app")), 0);
	make_link("elsewhere", "app");
	make_file("elsewhere/default.conf");
	run();
	ck_assert(matters("", "app"));
	ck_assert(matters("elsewhere", "default.conf"));
	ck_assert(matters("elsewhere", "blue.conf"));
}
END_TEST

START_TEST(a_target_that_is_missing_yet)
{
	make_link("../late/real.conf", "app/default.conf");
	run();
	ck_assert(matters("", "late"));
	make_directory("late");
	run();
	ck_assert(matters("late", "real.conf"));
}
END_TEST

START_TEST(a_directory_that_is_missing_yet)
{
	ck_assert_int_eq(rmdir(in("app")), 0);
	run();
	ck_assert(matters("", "app"));
	ck_assert(survey.complete);
}
END_TEST

START_TEST(links_that_go_round_end)
{
	make_link("b.conf", "app/a.conf");
	make_link("a.conf", "app/b.conf");
	make_link(".", "app/self.conf");
	run();
	ck_assert(matters("app", "a.conf"));
	ck_assert_uint_lt(survey.count, SURVEY_MAX);
}
END_TEST

START_TEST(more_than_the_most_is_said)
{
	char name[64], target[64];

	make_directory("far");
	for (unsigned i = 0; i < SURVEY_MAX + 10; i++) {
		snprintf(name, sizeof name, "app/%u.conf", i);
		snprintf(target, sizeof target, "../far/%u.conf", i);
		make_link(target, name);
	}
	run();
	ck_assert(!survey.complete);
	ck_assert_uint_le(survey.count, SURVEY_MAX);
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("survey");
	TCase *tc = tcase_create("survey");

	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_test(tc, the_directory_itself);
	tcase_add_test(tc, local_files);
	tcase_add_test(tc, a_chain_of_links);
	tcase_add_test(tc, a_directory_that_is_swapped_behind_a_link);
	tcase_add_test(tc, the_apps_directory_may_be_a_link);
	tcase_add_test(tc, a_target_that_is_missing_yet);
	tcase_add_test(tc, a_directory_that_is_missing_yet);
	tcase_add_test(tc, links_that_go_round_end);
	tcase_add_test(tc, more_than_the_most_is_said);
	suite_add_tcase(s, tc);
	return s;
}

int main(void)
{
	return suite_run(suite());
}
