/* SPDX-License-Identifier: Apache-2.0 */
/* Forked workers are instances of their own; descriptors that the program closes, or takes, are noticed. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "client/handle.h"
#include "tests/unit/client_app.h"
#include "tests/unit/client_suite.h"

static struct peer peer;
static struct line line;
static struct app app;
static struct served one, two;

static void setup(void)
{
	peer_open(&peer);
	peer_listen(&peer);
	served_int(&one, "a", "int", 1, false);
	served_int(&two, "a", "int", 2, false);
}

static void teardown(void)
{
	if (app.p)
		app_free(&app);
	line_close(&line);
	peer_close(&peer);
	served_clear(&one);
	served_clear(&two);
}

static void run(int way)
{
	app_new(&app, &peer, (enum way)way);
	prodd_set_instance(app.p, "8080");
	app_start(&app);
	peer_accept(&peer, &line);
	line_greet(&line, NULL, "follows");
	ck_assert(prodd_slice_is(line_apply(&line, &one, 1).state, "applied"));
}

/* The parent's session works as before: nothing of it was ended, read or answered by a child. */
static void parent_is_untouched(struct served *s, uint64_t number)
{
	ck_assert(line_is_quiet(&line, 50));
	ck_assert(prodd_slice_is(line_offer(&line, s, number, number).verdict, "accept"));
	ck_assert(prodd_slice_is(line_commit(&line, number, number).state, "applied"));
	ck_assert_uint_eq(app_generation(&app), number);
}

static void reap(pid_t pid)
{
	int status;

	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0, "the child ended with %x", status);
}

/* ---- in the child: no assertions, an exit status */

static void child_needs(bool condition, int status)
{
	if (!condition)
		_exit(status);
}

/* Until `generation` is in use; with an own loop the child has its own. */
static void child_await(uint64_t generation)
{
	int64_t end = now_ms() + peer_patience_ms;
	struct prodd_error e;

	while (app_generation(&app) != generation) {
		struct pollfd fd = { .fd = prodd_fd(app.p), .events = POLLIN };

		poll(&fd, 1, 5);
		if (app.way == OWN_LOOP)
			prodd_dispatch(app.p, &e);
		child_needs(now_ms() < end, 20);
	}
}

static pid_t fork_child(int fd)
{
	pid_t pid = fork();

	if (pid != 0)
		return pid;
	child_needs(app_int(&app, "a") == 1, 10);	/* the first call; the snapshot is there */
	child_needs(app.way == WITH_THREAD || prodd_fd(app.p) == fd, 11);
	child_await(5);
	child_needs(app_int(&app, "a") == 2, 12);
	prodd_free(app.p);
	_exit(0);
}

START_TEST(a_forked_worker_is_an_instance_of_its_own)
{
	struct line child;
	char name[32];
	pid_t pid;

	run(_i);
	pid = fork_child(prodd_fd(app.p));
	ck_assert_int_gt(pid, 0);
	peer_accept(&peer, &child);
	line_greet(&child, NULL, "current");
	snprintf(name, sizeof name, "8080.%d", (int)pid);
	ck_assert_str_eq(child.instance, name);
	ck_assert_uint_eq(child.generation, 1);
	parent_is_untouched(&two, 2);
	ck_assert(prodd_slice_is(line_offer(&child, &two, 5, 5).verdict, "accept"));
	ck_assert(prodd_slice_is(line_commit(&child, 5, 5).state, "applied"));
	line_expect_end(&child);
	line_close(&child);
	reap(pid);
	parent_is_untouched(&one, 3);
}
END_TEST

START_TEST(a_child_that_never_calls_disturbs_nobody)
{
	pid_t pid;

	run(_i);
	pid = fork();
	if (pid == 0)
		_exit(0);
	reap(pid);
	parent_is_untouched(&two, 2);
	ck_assert(!peer_is_called(&peer, 50));
}
END_TEST

START_TEST(a_child_may_end_the_handle_that_it_inherits)
{
	pid_t pid;

	run(_i);
	pid = fork();
	if (pid == 0) {
		prodd_free(app.p);
		_exit(0);
	}
	reap(pid);
	parent_is_untouched(&two, 2);
	ck_assert(!peer_is_called(&peer, 50));
}
END_TEST

START_TEST(a_child_of_a_child_has_both_in_its_name)
{
	struct line child, grandchild;
	pid_t pid;
	char name[PRODD_INSTANCE_MAX + 1];

	run(_i);
	pid = fork();
	if (pid == 0) {
		pid_t inner;
		int status;

		app_int(&app, "a");
		child_await(5);
		inner = fork();
		if (inner == 0) {
			app_int(&app, "a");
			child_await(6);
			_exit(0);
		}
		child_needs(waitpid(inner, &status, 0) == inner && status == 0, 21);
		_exit(0);
	}
	peer_accept(&peer, &child);
	line_greet(&child, NULL, "current");
	line_apply(&child, &two, 5);
	peer_accept(&peer, &grandchild);
	line_greet(&grandchild, NULL, "current");
	snprintf(name, sizeof name, "8080.%d.", (int)pid);
	ck_assert_msg(strncmp(grandchild.instance, name, strlen(name)) == 0, "%s", grandchild.instance);
	line_apply(&grandchild, &one, 6);
	line_close(&grandchild);
	line_close(&child);
	reap(pid);
	parent_is_untouched(&two, 2);
}
END_TEST

/* A daemon's way of starting: everything but stdio is closed, and numbers are used again. */
START_TEST(a_child_that_closed_everything_is_an_instance_too)
{
	struct line child;
	pid_t pid;

	run(_i);
	pid = fork();
	if (pid == 0) {
		int foreign;

		closefrom(3);
		for (int i = 0; i < 8; i++) {
			foreign = open("/dev/null", O_RDWR);
			child_needs(foreign >= 0, 30);
		}
		app_int(&app, "a");
		child_await(5);
		for (int fd = 3; fd < 11; fd++)
			child_needs(fcntl(fd, F_GETFD) >= 0, 31);
		prodd_free(app.p);
		for (int fd = 3; fd < 11; fd++)
			child_needs(fcntl(fd, F_GETFD) >= 0, 32);
		_exit(0);
	}
	peer_accept(&peer, &child);
	line_greet(&child, NULL, "current");
	line_apply(&child, &two, 5);
	line_close(&child);
	reap(pid);
	parent_is_untouched(&two, 2);
}
END_TEST

enum { workers = 8, forkers = 2 };

static void *fork_workers(void *arg)
{
	for (int i = 0; i < workers; i++) {
		pid_t pid = fork();
		int status;

		if (pid == 0) {
			child_needs(app_int(&app, "a") > 0, 40);
			child_needs(prodd_state(app.p, NULL) != PRODD_STATE_OFF, 41);
			if (i % 2)
				prodd_free(app.p);
			_exit(0);
		}
		if (waitpid(pid, &status, 0) != pid || status != 0)
			abort();
	}
	return arg;
}

/* While reloads go on, so that forks meet the engine at any moment of its work. */
START_TEST(workers_are_forked_under_load)
{
	pthread_t threads[forkers];
	uint64_t number = 2;

	run(_i);
	for (int i = 0; i < forkers; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, fork_workers, NULL), 0);
	for (; number < 200; number++) {
		struct served *s = number % 2 ? &one : &two;

		line_offer(&line, s, number, number);
		line_commit(&line, number, number);
	}
	for (int i = 0; i < forkers; i++)
		pthread_join(threads[i], NULL);
	parent_is_untouched(&one, number);
}
END_TEST

/* ---- descriptors that the program closes */

/* The numbers of the library's descriptors. */
static int numbers_of(struct prodd *p, int numbers[4])
{
	numbers[0] = p->engine->poller.epoll;
	numbers[1] = p->engine->poller.wake;
	numbers[2] = p->engine->poller.timer;
	numbers[3] = p->engine->link.fd;
	return 4;
}

static void comes_back(void)
{
	line_expect_end(&line);
	line_close(&line);
	peer_accept(&peer, &line);
	line_greet(&line, NULL, "current");
	ck_assert_uint_eq(line.generation, 1);
	ck_assert(prodd_slice_is(line_apply(&line, &two, 2).state, "applied"));
	ck_assert_int_eq(app_int(&app, "a"), 2);
}

START_TEST(closed_descriptors_are_made_anew)
{
	int numbers[4];

	run(_i);
	for (int i = numbers_of(app.p, numbers); i-- > 0;)
		close(numbers[i]);
	comes_back();
	if (_i == OWN_LOOP)
		ck_assert_int_eq(prodd_fd(app.p), numbers[0]);
}
END_TEST

START_TEST(each_single_closed_descriptor_is_noticed)
{
	int numbers[4];

	run(_i / 4);
	numbers_of(app.p, numbers);
	close(numbers[_i % 4]);
	comes_back();
}
END_TEST

/* What is put there, a file, must stay as it is: nothing of the session's may be written to it. */
START_TEST(foreign_descriptors_are_left_alone)
{
	int numbers[4], file = memfd_create("foreign", MFD_CLOEXEC);

	run(_i);
	for (int i = numbers_of(app.p, numbers); i-- > 0;)
		ck_assert_int_eq(dup2(file, numbers[i]), numbers[i]);
	comes_back();
	app_free(&app);
	for (int i = 0; i < 4; i++)
		ck_assert_int_eq(fcntl(numbers[i], F_GETFD), 0);
	ck_assert_int_eq(lseek(file, 0, SEEK_END), 0);
}
END_TEST

/* The program's own epoll in the place of ours: its events are its own. */
START_TEST(a_foreign_epoll_is_not_asked)
{
	int numbers[4], ends[2], own = epoll_create1(EPOLL_CLOEXEC);
	struct epoll_event event = { .events = EPOLLIN | EPOLLET };

	ck_assert_int_eq(pipe(ends), 0);
	ck_assert_int_eq(epoll_ctl(own, EPOLL_CTL_ADD, ends[0], &event), 0);
	run(_i);
	numbers_of(app.p, numbers);
	ck_assert_int_eq(dup2(own, numbers[0]), numbers[0]);
	ck_assert_int_eq(write(ends[1], "x", 1), 1);
	comes_back();
	ck_assert_int_eq(epoll_wait(own, &event, 1, 0), 1);
}
END_TEST

int main(void)
{
#ifdef __SANITIZE_THREAD__
	puts("skipped: ThreadSanitizer knows no threads in forked processes, and counts the closing of "
	     "others' "
	     "descriptors as a race");
	return 77;
#endif
	if (is_under_valgrind()) {
		puts("skipped: a forked process leaves behind what other threads held, a leak to valgrind");
		return 77;
	}
	Suite *s = suite_create("client: fork and closed descriptors");
	TCase *tc = tcase_create("fork");

	suite_add_tcase(s, tc);
	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_loop_test(tc, a_forked_worker_is_an_instance_of_its_own, 0, WAYS);
	tcase_add_loop_test(tc, a_child_that_never_calls_disturbs_nobody, 0, WAYS);
	tcase_add_loop_test(tc, a_child_may_end_the_handle_that_it_inherits, 0, WAYS);
	tcase_add_loop_test(tc, a_child_of_a_child_has_both_in_its_name, 0, WAYS);
	tcase_add_loop_test(tc, a_child_that_closed_everything_is_an_instance_too, 0, WAYS);
	tcase_add_loop_test(tc, workers_are_forked_under_load, 0, WAYS);
	tcase_add_loop_test(tc, closed_descriptors_are_made_anew, 0, WAYS);
	tcase_add_loop_test(tc, each_single_closed_descriptor_is_noticed, 0, 4 * WAYS);
	tcase_add_loop_test(tc, foreign_descriptors_are_left_alone, 0, WAYS);
	tcase_add_loop_test(tc, a_foreign_epoll_is_not_asked, 0, WAYS);
	return client_suite_run(s);
}
