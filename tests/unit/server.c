/* SPDX-License-Identifier: Apache-2.0 */
/* The listening sockets: modes, who may be there already, being out of descriptors, and the most of everything. */
#define _GNU_SOURCE
#include "daemon/core/server.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "daemon/util/clock.h"
#include "tests/unit/rig.h"

static struct rig rig;
static struct places places;
static struct server *server;
static char top[64];

static void set_up(void)
{
	struct prodd_error e;

	rig_init(&rig);
	snprintf(top, sizeof top, "/tmp/server-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(top));
	ck_assert_int_eq(places_init(&places, top, &e), 0);
	ck_assert_int_eq(places_make(&places, &e), 0);
}

static void tear_down(void)
{
	char command[128];

	server = server_free(server);
	ck_assert_ptr_null(server);
	places_clear(&places);
	rig_clear(&rig);
	snprintf(command, sizeof command, "rm -rf %s", top);
	ck_assert_int_eq(system(command), 0);
}

static int serve(struct prodd_error *e)
{
	return server_new(&server, &rig.host, &identity_kernel, &places, e);
}

static void must_serve(void)
{
	struct prodd_error e;

	ck_assert_msg(serve(&e) == 0, "%s", e.text);
}

static int reach(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	memcpy(address.sun_path, path, strlen(path));
	if (connect(fd, (struct sockaddr *)&address, sizeof address) == 0)
		return fd;
	close(fd);
	return -1;
}

static void pings(int fd)
{
	struct wire_hello hello = { .protocol = 1, .client = { "test 1", 6 } };

	rig_send_call(fd, 1, WIRE_M_hello, &hello);
	rig_expect(&rig, fd, 1, PRODD_OK);
}

static mode_t mode_of(const char *path)
{
	struct stat st;

	ck_assert_int_eq(lstat(path, &st), 0);
	ck_assert(S_ISSOCK(st.st_mode));
	return st.st_mode & 07777;
}

START_TEST(sockets_have_their_modes_whatever_the_umask)
{
	const struct group *operators = getgrnam(SERVER_OPERATORS);
	struct stat st;

	umask(_i ? 0077 : 0);
	must_serve();
	ck_assert_uint_eq(mode_of(places.app_socket), 0666);
	ck_assert_uint_eq(mode_of(places.ctl_socket), geteuid() == 0 ? 0660 : 0600);
	if (operators && geteuid() == 0) {
		ck_assert_int_eq(lstat(places.ctl_socket, &st), 0);
		ck_assert_uint_eq(st.st_gid, operators->gr_gid);
	}
}
END_TEST

START_TEST(which_socket_says_who_is_an_operator)
{
	int app, ctl;

	must_serve();
	app = reach(places.app_socket);
	pings(app);
	ck_assert(!session_is_operator(rig.last));
	ctl = reach(places.ctl_socket);
	pings(ctl);
	ck_assert(session_is_operator(rig.last));
	ck_assert_int_eq(session_identity(rig.last)->pid, getpid());
	ck_assert_uint_eq(counters.connections_accepted, 2);
	close(app);
	close(ctl);
}
END_TEST

START_TEST(a_dead_socket_is_replaced_and_the_end_removes_the_names)
{
	int fd;

	must_serve();
	server = server_free(server);
	ck_assert_int_lt(access(places.app_socket, F_OK), 0);
	ck_assert_int_lt(access(places.ctl_socket, F_OK), 0);
	fd = socket(AF_UNIX, SOCK_STREAM, 0);
	{
		struct sockaddr_un address = { .sun_family = AF_UNIX };

		memcpy(address.sun_path, places.app_socket, strlen(places.app_socket));
		ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
	}
	close(fd);
	must_serve();
	fd = reach(places.app_socket);
	pings(fd);
	close(fd);
}
END_TEST

START_TEST(a_living_socket_is_busy_and_names_its_pid)
{
	struct server *other = NULL;
	struct prodd_error e;
	char pid[32];
	int fd;

	must_serve();
	ck_assert_int_eq(server_new(&other, &rig.host, &identity_kernel, &places, &e), -PRODD_E_BUSY);
	ck_assert_ptr_null(other);
	snprintf(pid, sizeof pid, "pid %d", (int)getpid());
	ck_assert_ptr_nonnull(strstr(e.text, pid));
	fd = reach(places.app_socket);		/* and the living one lives */
	ck_assert_int_ge(fd, 0);
	pings(fd);
	close(fd);
}
END_TEST

START_TEST(what_is_no_socket_is_left_alone)
{
	struct prodd_error e;
	int fd = open(places.ctl_socket, O_CREAT | O_WRONLY, 0600);

	close(fd);
	ck_assert_int_eq(serve(&e), -PRODD_E_IO);
	ck_assert_int_eq(access(places.ctl_socket, F_OK), 0);
	unlink(places.ctl_socket);
	ck_assert_int_eq(symlink("/tmp", places.app_socket), 0);
	ck_assert_int_eq(serve(&e), -PRODD_E_IO);
	ck_assert_int_lt(access(places.ctl_socket, F_OK), 0);	/* the first one was taken back */
	unlink(places.app_socket);
	must_serve();
}
END_TEST

START_TEST(the_most_sessions_fit_the_descriptors)
{
	struct rlimit limit = { 200, 200 };
	int fds[200];
	unsigned n = 0, served = 0;

	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
	must_serve();
	ck_assert_uint_eq(rig.accounts.limits.sessions, (200 - 64) / 4);
	while (n < 60 && (fds[n] = reach(places.app_socket)) >= 0) {
		n++;
		rig_run(&rig);
	}
	served = rig.host.count;
	ck_assert_uint_eq(served, 17);		/* half, for others may come */
	ck_assert_uint_eq(counters.connections_refused_daemon, n - served);
	for (unsigned i = 0; i < n; i++)
		close(fds[i]);
}
END_TEST

static void take_descriptors(int *fds, unsigned *count, unsigned most)
{
	while (*count < most && (fds[*count] = open("/dev/null", O_RDONLY)) >= 0)
		(*count)++;
}

static int make_socket(void)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	ck_assert_int_ge(fd, 0);
	return fd;
}

static void connect_it(int fd)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	memcpy(address.sun_path, places.app_socket, strlen(places.app_socket));
	ck_assert_int_eq(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
}

START_TEST(without_descriptors_who_waits_is_turned_away_and_the_listeners_rest)
{
	struct rlimit limit = { 256, 256 };
	int hogs[256], waiting[10], late = make_socket(), fd;
	unsigned count = 0, turns = 0;
	uint64_t end;
	char byte;

	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
	must_serve();
	for (int i = 0; i < 10; i++)
		connect_it(waiting[i] = make_socket());
	take_descriptors(hogs, &count, 256);
	end = clock_monotonic_ms() + 40;	/* they rest for 50 ms */
	rig_run(&rig);
	ck_assert_uint_eq(counters.accept_no_descriptor, 1);
	for (int i = 0; i < 10; i++)
		ck_assert_int_eq(recv(waiting[i], &byte, 1, 0), 0);	/* closed, not left hanging */
	connect_it(late);
	while (clock_monotonic_ms() < end) {
		event_base_loop(rig.loop.base, EVLOOP_NONBLOCK);
		turns++;
	}
	ck_assert_uint_gt(turns, 10);
	ck_assert_uint_eq(counters.accept_no_descriptor, 1);
	rig_until(&rig, &counters.accept_no_descriptor, 2);		/* its turn comes */
	ck_assert_int_eq(recv(late, &byte, 1, 0), 0);
	for (unsigned i = 0; i < count; i++)
		close(hogs[i]);
	fd = reach(places.app_socket);
	ck_assert_int_ge(fd, 0);
	rig_until(&rig, &counters.connections_accepted, 12);
	pings(fd);
	close(fd);
	close(late);
	for (int i = 0; i < 10; i++)
		close(waiting[i]);
}
END_TEST

static Suite *server_suite(void)
{
	Suite *s = suite_create("server");
	TCase *tc = tcase_create("server");

	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_loop_test(tc, sockets_have_their_modes_whatever_the_umask, 0, 2);
	tcase_add_test(tc, which_socket_says_who_is_an_operator);
	tcase_add_test(tc, a_dead_socket_is_replaced_and_the_end_removes_the_names);
	tcase_add_test(tc, a_living_socket_is_busy_and_names_its_pid);
	tcase_add_test(tc, what_is_no_socket_is_left_alone);
	if (!suite_under_valgrind())	/* it does not let go of descriptors */
		tcase_add_test(tc, the_most_sessions_fit_the_descriptors);
	if (!suite_under_valgrind())
		tcase_add_test(tc, without_descriptors_who_waits_is_turned_away_and_the_listeners_rest);
	suite_add_tcase(s, tc);
	return s;
}

int main(void)
{
	return suite_run(server_suite());
}
