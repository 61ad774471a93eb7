/* SPDX-License-Identifier: Apache-2.0 */
/* Who a peer is: the kernel's word, each fallback forced, and which cgroups name a unit. */
#define _GNU_SOURCE
#include "daemon/core/identity.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "daemon/core/user.h"
#include "tests/unit/suite.h"

/* ---- cgroups */

static const struct { const char *path; const char *unit; } cgroups[] = {
	{ "/system.slice/orders.service", "orders.service" },
	{ "/system.slice/system-orders.slice/orders@8080.service", "orders@8080.service" },
	{ "/prod.slice/prod-web.slice/orders.service", "orders.service" },
	{ "/system.slice/orders.service/payload", NULL },		/* delegated: whoever has it makes it */
	{ "/system.slice/orders.service/", NULL },
	{ "/system.slice/docker-1234.scope", NULL },
	{ "/system.slice/docker-1234.scope/system.slice/orders.service", NULL },
	{ "/system.slice", NULL },
	{ "/orders.service", "orders.service" },
	{ "/init.scope", NULL },
	{ "/", NULL },
	{ "", NULL },
	{ "system.slice/orders.service", NULL },
	{ "/user.slice/user-1000.slice/user@1000.service", NULL },
	{ "/user.slice/user-1000.slice/user@1000.service/app.slice/orders.service", NULL },
	{ "/user.slice/orders.service", NULL },
	{ "/machine.slice/systemd-nspawn@x.service/system.slice/orders.service", NULL },
	{ "/../system.slice/orders.service", NULL },
	{ "/system.slice/.service", NULL },
	{ "/.slice/orders.service", NULL },
	{ "/system.slice//orders.service", NULL },
};

START_TEST(only_services_directly_in_slices_of_the_system_are_units)
{
	char unit[IDENTITY_UNIT_MAX];
	int r = identity_unit_of_cgroup(cgroups[_i].path, unit, sizeof unit);

	if (cgroups[_i].unit) {
		ck_assert_int_eq(r, 0);
		ck_assert_str_eq(unit, cgroups[_i].unit);
	} else {
		ck_assert_int_lt(r, 0);
		ck_assert_str_eq(unit, "");
	}
}
END_TEST

START_TEST(a_unit_that_does_not_fit_is_none)
{
	char path[400] = "/system.slice/", unit[IDENTITY_UNIT_MAX];

	memset(path + 14, 'x', 300);
	memcpy(path + 314, ".service", 9);
	ck_assert_int_lt(identity_unit_of_cgroup(path, unit, sizeof unit), 0);
	ck_assert_str_eq(unit, "");
}
END_TEST

/* ---- a source that a test sets */

static struct {
	int cred_error;
	uid_t uid;
	pid_t pid;
	int peerpidfd_error;
	int open_pidfd_error;
	unsigned long long start_times[2];
	int start_time_error;
	unsigned start_time_calls;
	int unit_error;
	bool ended;		/* the process that the pidfd is of */
	unsigned by_number;	/* look-ups by open_pidfd */
} fake;

static int fake_peercred(int fd, struct identity *ret)
{
	(void)fd;
	ret->uid = fake.uid;
	ret->gid = fake.uid;
	ret->pid = fake.pid;
	return fake.cred_error;
}

/* A pidfd is readable once its process has ended; so is /dev/null, and the read end of a silent pipe is not. */
static int make_pidfd(void)
{
	int ends[2];

	if (fake.ended)
		return open("/dev/null", O_RDONLY | O_CLOEXEC);
	ck_assert_int_eq(pipe2(ends, O_CLOEXEC), 0);
	fcntl(ends[1], F_DUPFD_CLOEXEC, 100);	/* keeps it open */
	close(ends[1]);
	return ends[0];
}

static int fake_peerpidfd(int fd)
{
	(void)fd;
	return fake.peerpidfd_error ? fake.peerpidfd_error : make_pidfd();
}

static int fake_open_pidfd(pid_t pid)
{
	ck_assert_int_eq(pid, fake.pid);
	fake.by_number++;
	return fake.open_pidfd_error ? fake.open_pidfd_error : make_pidfd();
}

static int fake_start_time(pid_t pid, unsigned long long *ret)
{
	ck_assert_int_eq(pid, fake.pid);
	*ret = fake.start_times[fake.start_time_calls++ % 2];
	return fake.start_time_error;
}

static int fake_unit(pid_t pid, char *ret, size_t size)
{
	ck_assert_int_eq(pid, fake.pid);
	if (fake.unit_error == 0)
		snprintf(ret, size, "orders.service");
	return fake.unit_error;
}

static const struct identity_source source = {
	fake_peercred, fake_peerpidfd, fake_open_pidfd, fake_start_time, fake_unit,
};

static void set_up(void)
{
	memset(&fake, 0, sizeof fake);
	fake.uid = 4242424;
	fake.pid = 77;
}

static void tear_down(void)
{
	users_clear();
}

static void read_it(struct identity *who)
{
	struct prodd_error e;

	ck_assert_int_eq(identity_read(3, &source, who, &e), 0);
	ck_assert_uint_eq(who->uid, 4242424);
	ck_assert_str_eq(who->user, "4242424");		/* no name: its number */
}

START_TEST(a_pidfd_of_the_socket_gives_the_unit)
{
	struct identity who;

	read_it(&who);
	ck_assert_str_eq(who.unit, "orders.service");
	ck_assert_int_ge(who.pidfd, 0);
	ck_assert_uint_eq(fake.by_number, 0);
	identity_clear(&who);
	ck_assert_int_eq(who.pidfd, -1);
	identity_clear(&who);
}
END_TEST

START_TEST(a_process_that_has_ended_has_no_unit)
{
	struct identity who;

	fake.ended = true;
	read_it(&who);
	ck_assert_str_eq(who.unit, "");
	identity_clear(&who);
}
END_TEST

static const int unsupported[] = { -ENOPROTOOPT, -EINVAL };

START_TEST(without_SO_PEERPIDFD_the_number_is_opened_and_checked)
{
	struct identity who;

	fake.peerpidfd_error = unsupported[_i];
	read_it(&who);
	ck_assert_str_eq(who.unit, "orders.service");
	ck_assert_int_ge(who.pidfd, 0);
	ck_assert_uint_eq(fake.by_number, 1);
	ck_assert_uint_eq(fake.start_time_calls, 2);
	identity_clear(&who);
}
END_TEST

START_TEST(a_number_in_other_hands_gives_nothing)
{
	struct identity who;

	fake.peerpidfd_error = -ENOPROTOOPT;
	fake.start_times[1] = 1;
	read_it(&who);
	ck_assert_str_eq(who.unit, "");
	ck_assert_int_eq(who.pidfd, -1);
}
END_TEST

START_TEST(without_any_pidfd_the_start_time_alone_decides)
{
	struct identity who;

	fake.peerpidfd_error = -ENOPROTOOPT;
	fake.open_pidfd_error = -ENOSYS;
	read_it(&who);
	ck_assert_str_eq(who.unit, "orders.service");
	ck_assert_int_eq(who.pidfd, -1);
	fake.start_times[1] = 1;
	read_it(&who);
	ck_assert_str_eq(who.unit, "");
}
END_TEST

START_TEST(without_proc_there_is_no_unit)
{
	struct identity who;

	fake.peerpidfd_error = -ENOPROTOOPT;
	fake.start_time_error = -ESRCH;
	read_it(&who);
	ck_assert_str_eq(who.unit, "");
	ck_assert_int_eq(who.pidfd, -1);
	fake.peerpidfd_error = 0;
	fake.unit_error = -ESRCH;
	read_it(&who);
	ck_assert_str_eq(who.unit, "");
	identity_clear(&who);
}
END_TEST

START_TEST(a_peer_that_has_ended_is_not_looked_up_by_number)
{
	struct identity who;

	fake.peerpidfd_error = -ESRCH;
	read_it(&who);
	ck_assert_str_eq(who.unit, "");
	ck_assert_uint_eq(fake.by_number, 0);
	ck_assert_uint_eq(fake.start_time_calls, 0);
}
END_TEST

START_TEST(a_peer_of_a_foreign_pid_namespace_is_its_uid)
{
	struct identity who;

	fake.pid = 0;
	read_it(&who);
	ck_assert_int_eq(who.pid, 0);
	ck_assert_str_eq(who.unit, "");
	ck_assert_int_eq(who.pidfd, -1);
}
END_TEST

START_TEST(without_credentials_there_is_no_peer)
{
	struct identity who;
	struct prodd_error e;

	fake.cred_error = -EBADF;
	ck_assert_int_eq(identity_read(3, &source, &who, &e), -PRODD_E_IO);
	ck_assert_int_eq(who.pidfd, -1);
}
END_TEST

START_TEST(the_overflow_id_is_nobody)
{
	struct identity who = { .uid = 65534, .gid = 0 };

	ck_assert(identity_is_nobody(&who));
	ck_assert(!identity_in_group(&who, "root"));
	who.uid = (uid_t)-1;
	ck_assert(identity_is_nobody(&who));
	who.uid = 0;
	ck_assert(!identity_is_nobody(&who));
}
END_TEST

START_TEST(groups_are_primary_or_by_the_database)
{
	struct identity who = { .uid = 4242424, .gid = 0, .user = "4242424" };
	const struct group *group;

	ck_assert(identity_in_group(&who, "root"));
	ck_assert(!identity_in_group(&who, "no-such-group"));
	who.gid = 4242424;
	ck_assert(!identity_in_group(&who, "root"));
	setgrent();
	while ((group = getgrent()))
		if (group->gr_mem[0]) {
			snprintf(who.user, sizeof who.user, "%s", group->gr_mem[0]);
			ck_assert(identity_in_group(&who, group->gr_name));
			break;
		}
	endgrent();
}
END_TEST

/* ---- the kernel itself */

START_TEST(the_kernel_tells_of_this_process)
{
	struct identity who;
	struct prodd_error e;
	unsigned long long start;
	int ends[2];

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
	ck_assert_int_eq(identity_read(ends[0], &identity_kernel, &who, &e), 0);
	ck_assert_uint_eq(who.uid, getuid());
	ck_assert_uint_eq(who.gid, getgid());
	ck_assert_int_eq(who.pid, getpid());
	if (who.pidfd >= 0)
		ck_assert(fcntl(who.pidfd, F_GETFD) & FD_CLOEXEC);
	identity_clear(&who);
	ck_assert_int_eq(identity_kernel.start_time(getpid(), &start), 0);
	ck_assert_uint_gt(start, 0);
	ck_assert_int_lt(identity_kernel.start_time(0x3fffffff, &start), 0);
	close(ends[0]);
	close(ends[1]);
}
END_TEST

static Suite *identity_suite(void)
{
	Suite *s = suite_create("identity");
	TCase *tc = tcase_create("identity");

	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_loop_test(tc, only_services_directly_in_slices_of_the_system_are_units, 0,
			    sizeof cgroups / sizeof *cgroups);
	tcase_add_test(tc, a_unit_that_does_not_fit_is_none);
	tcase_add_test(tc, a_pidfd_of_the_socket_gives_the_unit);
	tcase_add_test(tc, a_process_that_has_ended_has_no_unit);
	tcase_add_loop_test(tc, without_SO_PEERPIDFD_the_number_is_opened_and_checked, 0, 2);
	tcase_add_test(tc, a_number_in_other_hands_gives_nothing);
	tcase_add_test(tc, without_any_pidfd_the_start_time_alone_decides);
	tcase_add_test(tc, without_proc_there_is_no_unit);
	tcase_add_test(tc, a_peer_that_has_ended_is_not_looked_up_by_number);
	tcase_add_test(tc, a_peer_of_a_foreign_pid_namespace_is_its_uid);
	tcase_add_test(tc, without_credentials_there_is_no_peer);
	tcase_add_test(tc, the_overflow_id_is_nobody);
	tcase_add_test(tc, groups_are_primary_or_by_the_database);
	tcase_add_test(tc, the_kernel_tells_of_this_process);
	suite_add_tcase(s, tc);
	return s;
}

int main(void)
{
	return suite_run(identity_suite());
}
