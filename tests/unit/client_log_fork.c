/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Logging and fork: a child has a ring of its own where its parent's was, with nothing in
 * it; neither ever writes into the other's.  Also for children that are made without fork handlers.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "client/handle.h"
#include "tests/unit/client_app.h"
#include "tests/unit/client_ring.h"
#include "tests/unit/client_suite.h"

static struct peer peer;
static struct line line;
static struct app app;
static struct reader reader;

static void setup(void)
{
	peer_open(&peer);
	peer_listen(&peer);
	line.fd = line.passed = line.ring = line.wake = -1;
}

static void teardown(void)
{
	if (app.p)
		app_free(&app);
	reader_close(&reader);
	if (line.fd >= 0)
		line_close(&line);
	peer_close(&peer);
}

static void run(int way)
{
	app_new(&app, &peer, (enum way)way);
	prodd_set_instance(app.p, "8080");
	app_start(&app);
	peer_accept(&peer, &line);
	line_greet(&line, NULL, "none");
	reader_open(&reader, &line);
}

static void reap(pid_t pid)
{
	int status;

	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0, "the child ended with %x", status);
}

static void end(pid_t pid)
{
	int status;

	kill(pid, SIGKILL);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_msg(WIFSIGNALED(status), "the child ended with %x", status);
}

/* ---- in the child: no assertions, an exit status */

static void child_needs(bool condition, int status)
{
	if (!condition)
		_exit(status);
}

/* With an own loop it dispatches. Until the parent has seen enough and kills it. */
static void child_serves(void)
{
	int64_t end = now_ms() + peer_patience_ms;
	struct prodd_error e;

	while (now_ms() < end) {
		usleep(1000);
		if (app.way == OWN_LOOP)
			prodd_dispatch(app.p, &e);
	}
	_exit(20);
}

static void child_logs(int number, int count)
{
	for (int i = 0; i < count; i++)
		child_needs(prodd_info(app.p, "child", prodd_int("child", number), prodd_int("n", i)) == 0, 30);
}

/* ---- */

static void take_child(struct reader *r, struct line *l, int number, int count)
{
	reader_open(r, l);
	for (int i = 0; i < count; i++) {
		reader_take(r);
		ck_assert_int_eq(record_int(&r->record, "child"), number);
		ck_assert_int_eq(record_int(&r->record, "n"), i);
	}
	reader_finds_nothing(r);
}

START_TEST(a_child_logs_into_a_ring_of_its_own)
{
	struct reader *child_reader = calloc(1, sizeof *child_reader);
	struct line child;
	struct stat ours, its;
	pid_t pid;

	run(_i);
	ck_assert_int_eq(prodd_info(app.p, "before the fork", prodd_int("n", 1)), 0);
	pid = fork();
	if (pid == 0) {
		child_logs(1, 100);
		child_serves();
	}
	ck_assert_int_eq(prodd_info(app.p, "behind the fork", prodd_int("n", 2)), 0);
	peer_accept(&peer, &child);
	line_greet(&child, NULL, "none");
	ck_assert(fstat(line.ring, &ours) == 0 && fstat(child.ring, &its) == 0 && ours.st_ino != its.st_ino);
	take_child(child_reader, &child, 1, 100);
	ck_assert(memcmp(child_reader->identity.uuid, reader.identity.uuid, 16) != 0);
	ck_assert_uint_eq(child_reader->identity.pid, (uint64_t)pid);
	reader_take(&reader);
	ck_assert_int_eq(record_int(&reader.record, "n"), 1);
	reader_take(&reader);
	ck_assert_int_eq(record_int(&reader.record, "n"), 2);
	reader_finds_nothing(&reader);
	line_close(&child);
	end(pid);
	reader_close(child_reader);
	free(child_reader);
}
END_TEST

enum { workers = 4, each = 2000 };

START_TEST(four_workers_log_at_once)
{
	struct reader *child_reader = calloc(1, sizeof *child_reader);
	struct line lines[workers];
	pid_t pids[workers];
	bool seen[workers] = { false };

	run(_i);
	for (int i = 0; i < workers; i++) {
		pids[i] = fork();
		if (pids[i] == 0) {
			child_logs(i, each);
			child_serves();
		}
	}
	for (int i = 0; i < workers; i++) {
		int number;

		peer_accept(&peer, &lines[i]);
		line_greet(&lines[i], NULL, "none");
		for (number = 0; number < workers; number++)
			if (strncmp(lines[i].instance, "8080.", 5) == 0 && atoi(lines[i].instance + 5) == pids[number])
				break;
		ck_assert_int_lt(number, workers);
		ck_assert(!seen[number]);
		seen[number] = true;
		reader_open(child_reader, &lines[i]);
		for (int n = 0; n < each;) {
			uint64_t end, skipped = 0;
			uint32_t length;

			if (ring_next(&child_reader->ring, &child_reader->reading, child_reader->copy,
				      sizeof child_reader->copy, &length, &end, false, &skipped) != RING_FOUND_RECORD) {
				usleep(1000);
				continue;
			}
			ck_assert(record_open((struct prodd_slice){ (char *)child_reader->copy, length },
					      &child_reader->record, NULL));
			ck_assert_int_eq(record_int(&child_reader->record, "child"), number);
			ck_assert_int_eq(record_int(&child_reader->record, "n"), n++);
		}
		reader_close(child_reader);
	}
	for (int i = 0; i < workers; i++)
		line_close(&lines[i]);
	for (int i = 0; i < workers; i++)
		end(pids[i]);
	reader_finds_nothing(&reader);
	free(child_reader);
}
END_TEST

/* clone(2) by its number, as some programs fork: no handler runs. */
START_TEST(a_child_without_fork_handlers_too)
{
	struct reader *child_reader = calloc(1, sizeof *child_reader);
	struct line child;
	pid_t pid;

	if (suite_under_valgrind())
		return;
	run(_i);
	ck_assert_int_eq(prodd_info(app.p, "before", prodd_int("n", 1)), 0);
	pid = (pid_t)syscall(SYS_clone, SIGCHLD, NULL, NULL, NULL, NULL);
	if (pid == 0) {
		child_logs(1, 10);
		child_serves();
	}
	peer_accept(&peer, &child);
	line_greet(&child, NULL, "none");
	take_child(child_reader, &child, 1, 10);
	line_close(&child);
	end(pid);
	reader_take(&reader);
	reader_finds_nothing(&reader);
	reader_close(child_reader);
	free(child_reader);
}
END_TEST

/* It never logs, and ends the handle: nothing of the parent's is closed. */
START_TEST(a_child_that_only_ends_leaves_the_ring_alone)
{
	pid_t pid;

	run(_i);
	pid = fork();
	if (pid == 0) {
		prodd_free(app.p);
		_exit(0);
	}
	reap(pid);
	ck_assert_uint_eq(reader.ring.head->closed, 0);
	ck_assert_int_eq(prodd_info(app.p, "x"), 0);
	reader_take(&reader);
}
END_TEST

static int memfds(void)
{
	DIR *d = opendir("/proc/self/fd");
	struct dirent *entry;
	char target[64];
	int count = 0;

	while ((entry = readdir(d))) {
		ssize_t size = readlinkat(dirfd(d), entry->d_name, target, sizeof target - 1);

		if (size > 0 && (target[size] = '\0', strstr(target, "prodd-ring")))
			count += 1 + 1000 * !(fcntl(atoi(entry->d_name), F_GETFD) & FD_CLOEXEC);
	}
	closedir(d);
	return count;
}

START_TEST(a_child_has_one_memfd_and_exec_closes_it)
{
	pid_t pid;

	run(_i);
	close(line.ring);		/* the daemon's copy */
	line.ring = -1;
	ck_assert_int_eq(memfds(), 1);
	pid = fork();
	if (pid == 0) {
		child_needs(memfds() == 1, 40);
		child_needs(prodd_info(app.p, "x") == 0, 41);
		child_needs(memfds() == 1, 42);
		execl("/bin/sh", "sh", "-c", "for f in /proc/self/fd/*; do readlink $f; done | grep -q prodd-ring && exit 43; exit 0",
		      NULL);
		_exit(44);
	}
	reap(pid);
}
END_TEST

/* Threads log while the program forks: the child begins with an empty ring all the same. */
static atomic_bool stop;

static void *log_on(void *arg)
{
	(void)arg;
	while (!atomic_load(&stop))
		prodd_info(app.p, "busy");
	return NULL;
}

START_TEST(threads_that_log_do_not_disturb_a_fork)
{
	pthread_t thread;

	atomic_store(&stop, false);
	run(_i);
	ck_assert_int_eq(pthread_create(&thread, NULL, log_on, NULL), 0);
	for (int i = 0; i < 50; i++) {
		pid_t pid = fork();

		if (pid == 0) {
			struct prodd_ring_out *out = prodd_rings_current(&app.p->log.rings);

			child_needs(ring_fill(&out->ring) == 0 && out->region.pid == getpid(), 50);
			child_needs(prodd_info(app.p, "child") == 0, 51);
			child_needs(ring_fill(&out->ring) > 0, 52);
			_exit(0);
		}
		reap(pid);
	}
	atomic_store(&stop, true);
	pthread_join(thread, NULL);
}
END_TEST

int main(void)
{
	if (is_under_valgrind()) {
		puts("skipped: a forked process leaves behind what other threads held, a leak to valgrind");
		return 77;
	}

	Suite *s = suite_create("client: log, fork");
	TCase *t = tcase_create("fork");

	tcase_set_timeout(t, 60);
	tcase_add_checked_fixture(t, setup, teardown);
	suite_add_tcase(s, t);
	tcase_add_loop_test(t, a_child_logs_into_a_ring_of_its_own, 0, WAYS);
	tcase_add_loop_test(t, four_workers_log_at_once, 0, WAYS);
	tcase_add_loop_test(t, a_child_without_fork_handlers_too, 0, WAYS);
	tcase_add_loop_test(t, a_child_that_only_ends_leaves_the_ring_alone, 0, WAYS);
	tcase_add_loop_test(t, a_child_has_one_memfd_and_exec_closes_it, 0, WAYS);
	tcase_add_loop_test(t, threads_that_log_do_not_disturb_a_fork, 0, WAYS);
	return client_suite_run(s);
}
