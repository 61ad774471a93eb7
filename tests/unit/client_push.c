/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Records that cannot go through a ring: over the socket where there is a session,
 * into a file where there was none, and from there over the socket of the next instance, once.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
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
	if (line.fd >= 0)
		line_close(&line);
	peer_close(&peer);
}

static void begin(void)
{
	app_start(&app);
	peer_accept(&peer, &line);
	line_greet(&line, NULL, "none");
}

/* Without a ring, by wish. */
static void run_without(int way)
{
	app_new(&app, &peer, (enum way)way);
	ck_assert_int_eq(prodd_set_log_ring(app.p, 0), 0);
	begin();
	ck_assert_int_eq(line.ring, -1);
}

/* Records "n" from `first` of what is pushed next; returns how many. */
static int take_push(int first, uint64_t dropped)
{
	struct wire_log_push push;
	struct prodd_error e;
	struct record record;
	int count = 0;

	line_receive(&line);
	ck_assert_int_eq(line.m.method, WIRE_M_log_push);
	ck_assert_int_eq(prodd_message_decode(&line.m, &wire_record_log_push, &push, &e), 0);
	ck_assert_uint_eq(push.dropped, dropped);
	while (next_pushed(&push.records, &record)) {
		ck_assert_int_eq(record_int(&record, "n"), first + count);
		count++;
	}
	return count;
}

static void accept_push(int count)
{
	line_answer(&line, &wire_record_log_pushed, &(struct wire_log_pushed){ .taken = (uint64_t)count });
}

static void log_some(int from, int to)
{
	for (int i = from; i < to; i++)
		ck_assert_int_eq(prodd_info(app.p, "record", prodd_int("n", i)), 0);
}

static void take_all(int from, int to)
{
	while (from < to) {
		int count = take_push(from, 0);

		ck_assert_int_gt(count, 0);
		accept_push(count);
		from += count;
	}
	ck_assert_int_eq(from, to);
}

/* ---- in a session */

START_TEST(without_a_ring_records_are_pushed)
{
	run_without(_i);
	log_some(0, 1);
	take_all(0, 1);
	log_some(1, 3000);
	take_all(1, 3000);
	ck_assert(line_is_quiet(&line, 30));
}
END_TEST

START_TEST(a_refused_ring_is_pushed)
{
	peer.ring_refused = PRODD_E_OVER_LIMIT;
	app_new(&app, &peer, (enum way)_i);
	begin();
	log_some(0, 100);
	take_all(0, 100);
	line_close(&line);
	log_some(100, 200);
	peer.ring_refused = 0;
	peer_accept(&peer, &line);
	line_greet(&line, NULL, "none");
	ck_assert_int_ge(line.ring, 0);		/* the next daemon takes it, with what is in it */
	ck_assert(line_is_quiet(&line, 30));
}
END_TEST

START_TEST(what_is_not_answered_is_pushed_again)
{
	int count;

	run_without(_i);
	log_some(0, 10);
	count = take_push(0, 0);
	ck_assert_int_gt(count, 0);
	line_close(&line);
	peer_accept(&peer, &line);
	line_greet(&line, NULL, "none");
	take_all(0, 10);
}
END_TEST

START_TEST(a_refusal_that_passes_is_tried_again)
{
	run_without(_i);
	log_some(0, 1);
	ck_assert_int_eq(take_push(0, 0), 1);
	line_refuse(&line, PRODD_E_OVER_LIMIT);
	if (!prodd_error_retryable(PRODD_E_OVER_LIMIT)) {
		log_some(1, 2);
		ck_assert_int_eq(take_push(1, 0), 1);
		return;
	}
	ck_assert_int_eq(take_push(0, 0), 1);
}
END_TEST

START_TEST(what_did_not_fit_is_told)
{
	int count = 0, taken, lost = 0;

	run_without(_i);
	log_some(0, 1);
	ck_assert_int_eq(take_push(0, 0), 1);	/* and is not answered yet */
	for (count = 1; prodd_info(app.p, "record", prodd_int("n", count)) == 0; count++)
		;
	lost = 1;
	while (prodd_info(app.p, "record", prodd_int("n", -1)) == 0)
		;
	lost++;
	accept_push(1);
	for (int from = 1; from < count; from += taken) {
		taken = take_push(from, lost);
		accept_push(taken);
		lost = 0;
	}
}
END_TEST

static void *sync_thread(void *arg)
{
	struct prodd_error e;

	*(int *)arg = prodd_log_sync(app.p, peer_patience_ms, &e);
	return NULL;
}

START_TEST(sync_waits_until_all_is_pushed)
{
	pthread_t thread;
	struct wire_log_sync sync;
	struct prodd_error e;
	int result = 1;

	run_without(_i);
	log_some(0, 1);
	ck_assert_int_eq(take_push(0, 0), 1);
	ck_assert_int_eq(pthread_create(&thread, NULL, sync_thread, &result), 0);
	ck_assert(line_is_quiet(&line, 30));
	accept_push(1);
	line_receive(&line);
	ck_assert_int_eq(line.m.method, WIRE_M_log_sync);
	ck_assert_int_eq(prodd_message_decode(&line.m, &wire_record_log_sync, &sync, &e), 0);
	ck_assert(sync.ring.size == 0 && sync.end == 0);
	line_answer(&line, &wire_record_empty, &(struct wire_empty){ 0 });
	pthread_join(thread, NULL);
	ck_assert_int_eq(result, 0);
}
END_TEST

/* ---- no memory to share */

static void log_and_close(void)
{
	app_new(&app, &peer, WITH_THREAD);
	app_start(&app);
	if (prodd_rings_current(&app.p->log.rings)->region.fd >= 0)
		_exit(3);
	for (int i = 0; i < 10; i++)
		if (prodd_info(app.p, "record", prodd_int("n", i)) != 0)
			_exit(4);
	prodd_free(app.p);
}

/* ftruncate beyond the limit would end the process by SIGXFSZ. */
static void run_limited(void)
{
	const struct rlimit limit = { 4096, 4096 };

	setrlimit(RLIMIT_FSIZE, &limit);
	log_and_close();
}

static void run_without_memfd(void)
{
	struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_memfd_create, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = { sizeof filter / sizeof *filter, filter };

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) < 0)
		_exit(5);
	log_and_close();
}

/* The child's records come, and it ends well. */
static void serve_child(void (*run)(void))
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		run();
		_exit(0);
	}
	peer_accept(&peer, &line);
	line_greet(&line, NULL, "none");
	take_all(0, 10);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0, "the child ended with %x", status);
}

START_TEST(a_limit_on_files_ends_nobody)
{
	serve_child(run_limited);
}
END_TEST

START_TEST(without_memfd_records_are_pushed)
{
	if (suite_under_valgrind())
		return;
	serve_child(run_without_memfd);
}
END_TEST

/* ---- no daemon */

/* How many rest files there are; the name of one. */
static int rest_files(char name[PATH_MAX])
{
	DIR *d = opendir(peer.directory);
	struct dirent *entry;
	int count = 0;

	while ((entry = readdir(d)))
		if (strstr(entry->d_name, ".rest-")) {
			snprintf(name, PATH_MAX, "%s/%s", peer.directory, entry->d_name);
			count++;
		}
	closedir(d);
	return count;
}

/* The answer to the last batch has been taken, and the file is gone. */
static void await_no_rest(void)
{
	int64_t end = now_ms() + peer_patience_ms;
	char name[PATH_MAX];

	while (rest_files(name) > 0) {
		ck_assert_msg(now_ms() < end, "%s stays", name);
		usleep(1000);
	}
}

/* A whole life without a daemon. */
static void live_alone(int way, int from, int to)
{
	app_new(&app, &peer, (enum way)way);
	app_start(&app);
	log_some(from, to);
	app_free(&app);
}

START_TEST(what_no_daemon_took_is_sent_by_the_next)
{
	char name[PATH_MAX];
	struct stat st;
	int64_t start = now_ms();

	peer_deafen(&peer);
	live_alone(_i, 0, 5000);
	ck_assert_int_lt(now_ms() - start, 5000);
	ck_assert_int_eq(rest_files(name), 1);
	ck_assert_int_eq(stat(name, &st), 0);
	ck_assert_uint_eq(st.st_mode & 0777, 0600);
	peer_listen(&peer);
	app_new(&app, &peer, (enum way)_i);
	begin();
	take_all(0, 5000);
	prodd_info(app.p, "x");
	ck_assert(line_is_quiet(&line, 30));	/* that one goes through the ring */
	await_no_rest();
}
END_TEST

START_TEST(a_life_without_records_leaves_no_file)
{
	char name[PATH_MAX];

	peer_deafen(&peer);
	live_alone(_i, 0, 0);
	ck_assert_int_eq(rest_files(name), 0);
}
END_TEST

/* The one that sends holds a lock; when it dies in the midst, the next goes on behind what was answered. */
START_TEST(two_never_send_the_same)
{
	struct line second;
	struct app other;
	int first;

	peer_deafen(&peer);
	live_alone(_i, 0, 9000);
	peer_listen(&peer);
	app_new(&app, &peer, (enum way)_i);
	begin();
	first = take_push(0, 0);
	app_new(&other, &peer, (enum way)_i);
	app_start(&other);
	peer_accept(&peer, &second);
	line_greet(&second, NULL, "none");
	ck_assert(line_is_quiet(&second, 50));
	accept_push(first);
	ck_assert_int_gt(take_push(first, 0), 0);
	app_free(&app);				/* not answered */
	line_close(&line);
	line = second;
	line_close(&line);			/* a new session looks again */
	peer_accept(&peer, &line);
	line_greet(&line, NULL, "none");
	take_all(first, 9000);
	await_no_rest();
	app_free(&other);
}
END_TEST

START_TEST(several_files_are_sent_one_after_another)
{
	char name[PATH_MAX];
	int seen[3] = { 0 };

	peer_deafen(&peer);
	for (int i = 0; i < 3; i++)
		live_alone(_i, i * 10, i * 10 + 10);
	ck_assert_int_eq(rest_files(name), 3);
	peer_listen(&peer);
	app_new(&app, &peer, (enum way)_i);
	begin();
	for (int i = 0; i < 3; i++) {
		struct wire_log_push push;
		struct prodd_error e;
		struct record record;

		line_receive(&line);
		ck_assert_int_eq(prodd_message_decode(&line.m, &wire_record_log_push, &push, &e), 0);
		ck_assert(next_pushed(&push.records, &record));
		seen[record_int(&record, "n") / 10]++;
		accept_push(10);
	}
	ck_assert(seen[0] == 1 && seen[1] == 1 && seen[2] == 1);
	await_no_rest();
	ck_assert(line_is_quiet(&line, 30));
}
END_TEST

/* Every cut, and every byte changed: never a wrong record, never a hang, and the file does not stay for ever. */
START_TEST(a_damaged_file_is_given_up)
{
	char name[PATH_MAX], copy[4096];
	struct stat st;
	ssize_t size;
	int fd;

	peer_deafen(&peer);
	live_alone(WITH_THREAD, 0, 3);
	ck_assert_int_eq(rest_files(name), 1);
	fd = open(name, O_RDONLY | O_CLOEXEC);
	size = read(fd, copy, sizeof copy);
	close(fd);
	ck_assert_int_gt(size, 100);
	for (ssize_t at = 0; at < size; at += 3) {
		struct prodd_messages *messages = prodd_messages_new("orders");
		prodd_auto_buffer batch = { 0 };
		struct prodd_rest rest;
		struct prodd_slice pushed;
		struct record record;
		uint64_t dropped = 0;

		prodd_messages_redirect(messages, NULL, NULL);
		fd = open(name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
		copy[at] ^= 0x55;
		ck_assert_int_eq(write(fd, copy, at % 2 ? (size_t)at : (size_t)size), at % 2 ? at : size);
		copy[at] ^= 0x55;
		close(fd);
		prodd_rest_init(&rest, peer.directory, "orders", messages);
		for (int i = 0; i < 3 && prodd_rest_read(&rest, &batch, PRODD_PUSH_BYTES, &dropped); i++) {
			pushed = prodd_buffer_slice(&batch);
			while (next_pushed(&pushed, &record))
				ck_assert_int_lt(record_int(&record, "n"), 3);
			prodd_rest_passed(&rest);
			prodd_buffer_reset(&batch);
		}
		ck_assert(rest.done);
		prodd_rest_clear(&rest);
		prodd_messages_unref(messages);
		if (at >= 32)
			ck_assert(stat(name, &st) < 0);
	}
}
END_TEST

/* ---- close */

START_TEST(what_is_under_way_has_a_moment_at_the_end)
{
	char name[PATH_MAX];
	int64_t start;

	run_without(_i);
	log_some(0, 5);
	take_push(0, 0);			/* and is never answered */
	start = now_ms();
	app_free(&app);
	ck_assert_int_lt(now_ms() - start, 2000);
	ck_assert_int_eq(rest_files(name), 1);
	line_close(&line);
	app_new(&app, &peer, (enum way)_i);
	begin();
	take_all(0, 5);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("client: push");
	TCase *t = tcase_create("push");

	tcase_set_timeout(t, 60);
	tcase_add_checked_fixture(t, setup, teardown);
	suite_add_tcase(s, t);
	tcase_add_loop_test(t, without_a_ring_records_are_pushed, 0, WAYS);
	tcase_add_loop_test(t, a_refused_ring_is_pushed, 0, WAYS);
	tcase_add_loop_test(t, what_is_not_answered_is_pushed_again, 0, WAYS);
	tcase_add_loop_test(t, a_refusal_that_passes_is_tried_again, 0, 1);
	tcase_add_loop_test(t, what_did_not_fit_is_told, 0, WAYS);
	tcase_add_loop_test(t, sync_waits_until_all_is_pushed, 0, WAYS);
	tcase_add_test(t, a_limit_on_files_ends_nobody);
	if (!suite_is_emulated())
		tcase_add_test(t, without_memfd_records_are_pushed);
	tcase_add_loop_test(t, what_no_daemon_took_is_sent_by_the_next, 0, WAYS);
	tcase_add_loop_test(t, a_life_without_records_leaves_no_file, 0, WAYS);
	tcase_add_loop_test(t, two_never_send_the_same, 0, WAYS);
	tcase_add_loop_test(t, several_files_are_sent_one_after_another, 0, WAYS);
	tcase_add_test(t, a_damaged_file_is_given_up);
	tcase_add_loop_test(t, what_is_under_way_has_a_moment_at_the_end, 0, WAYS);
	return client_suite_run(s);
}
