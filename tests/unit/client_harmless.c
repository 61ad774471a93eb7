/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whatever the daemon does, the program keeps its last good configuration and
 * every call returns within its bound: away, stopped, speaking nonsense, half
 * closed, killed in the midst of a frame; and whatever the program does to
 * itself: dropping its rights, changing its root.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "client/settings.h"
#include "tests/unit/client_app.h"
#include "tests/unit/client_suite.h"

/* Figures count in a plain build only: sanitizers and valgrind slow everything down. */
enum { call_ms = 5, late_ms = 10 };

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
	if (line.fd > 0)
		line_close(&line);
	peer_close(&peer);
	served_clear(&one);
	served_clear(&two);
}

static bool is_plain(void)
{
	const char *plain = getenv("PRODD_PLAIN");

	return plain && strcmp(plain, "1") == 0 && !is_under_valgrind();
}

static void run(int way)
{
	app_new(&app, &peer, (enum way)way);
	app_start(&app);
	peer_accept(&peer, &line);
	line_greet(&line, NULL, "follows");
	ck_assert(prodd_slice_is(line_apply(&line, &one, 1).state, "applied"));
}

/* After whatever happened: the configuration is there, and the next session works. */
static void survives(void)
{
	ck_assert_int_eq(app_int(&app, "a"), 1);
	line_close(&line);
	peer_accept(&peer, &line);
	line_greet(&line, NULL, "current");
	ck_assert_uint_eq(line.generation, 1);
	ck_assert(prodd_slice_is(line_apply(&line, &two, 2).state, "applied"));
	ck_assert_int_eq(app_int(&app, "a"), 2);
}

/* ---- bounds */

/* The best of some tries counts: the machine may be busy with something else, but not each time. */
#define QUICK(call) do { \
		int64_t least = INT64_MAX; \
		for (int try = 0; try < 5 && least > call_ms; try++) { \
			int64_t start = now_ms(), took; \
			call; \
			took = now_ms() - start; \
			least = took < least ? took : least; \
		} \
		ck_assert_msg(!is_plain() || least <= call_ms, "%s took %d ms", #call, (int)least); \
	} while (0)

static void all_calls_are_quick(void)
{
	struct prodd_error e;
	char name[129];

	QUICK(prodd_config_unref(prodd_config(app.p)));
	QUICK(prodd_state(app.p, &e));
	QUICK(prodd_is_connected(app.p));
	QUICK(prodd_instance_name(app.p, name, sizeof name));
	QUICK(prodd_key(app.p, "a"));
	QUICK(prodd_fd(app.p));
	QUICK(prodd_dispatch(app.p, &e));
}

/* Waits are late by 10 ms at most, also in a handle that has nothing. */
static void waits_are_bounded(void)
{
	static const int timeouts[] = { 0, 1, 20, 100 };
	struct prodd_error e;

	for (size_t i = 0; i < sizeof timeouts / sizeof *timeouts; i++) {
		int64_t least = INT64_MAX;

		for (int try = 0; try < 5 && least > timeouts[i] + late_ms; try++) {
			int64_t start = now_ms(), took;

			ck_assert_int_lt(prodd_wait_config(app.p, timeouts[i], &e), 0);
			took = now_ms() - start;
			ck_assert_int_ge(took, timeouts[i] - 1);
			least = took < least ? took : least;
		}
		ck_assert_msg(!is_plain() || least <= timeouts[i] + late_ms, "a wait of %d ms took %d",
			      timeouts[i], (int)least);
	}
}

START_TEST(no_daemon)
{
	struct prodd_error e;
	char expected[160];

	peer_deafen(&peer);
	app_new(&app, &peer, (enum way)_i);
	app_start(&app);
	all_calls_are_quick();
	waits_are_bounded();
	ck_assert_int_eq(prodd_wait_config(app.p, 50, &e), -PRODD_E_NO_CONFIG);
	snprintf(expected, sizeof expected, "no daemon at %s and no cached configuration", peer.socket);
	ck_assert_str_eq(e.text, expected);
	ck_assert_int_eq(prodd_state(app.p, &e), PRODD_STATE_WAITING);
	ck_assert_int_eq(e.code, PRODD_E_UNREACHABLE);
	QUICK(prodd_close(app.p));
}
END_TEST

/* It listens, and that is all: a stopped daemon looks so. */
START_TEST(a_stopped_daemon)
{
	struct prodd_error e;

	app_new(&app, &peer, (enum way)_i);
	app_start(&app);
	all_calls_are_quick();
	waits_are_bounded();
	ck_assert_int_eq(prodd_wait_config(app.p, 20, &e), -PRODD_E_TIMEOUT);
	ck_assert(!prodd_is_connected(app.p));
	peer_accept(&peer, &line);
	line_greet(&line, NULL, "follows");
	ck_assert(prodd_slice_is(line_apply(&line, &one, 1).state, "applied"));
}
END_TEST

START_TEST(a_daemon_whose_queue_is_full)
{
	struct prodd_error e;
	char expected[160];

	ck_assert_int_eq(listen(peer.listener, 0), 0);
	app_new(&app, &peer, (enum way)_i);
	app_start(&app);	/* takes the only place */
	ck_assert(peer_is_called(&peer, peer_patience_ms));
	{
		struct app other;

		app_new(&other, &peer, (enum way)_i);
		prodd_set_cache(other.p, NULL);
		app_start(&other);
		ck_assert_int_eq(prodd_wait_config(other.p, 50, &e), -PRODD_E_NO_CONFIG);
		snprintf(expected, sizeof expected,
			 "the daemon at %s accepts no connection and no cached configuration", peer.socket);
		ck_assert_str_eq(e.text, expected);
		app_free(&other);
	}
	all_calls_are_quick();
}
END_TEST

START_TEST(a_daemon_that_goes_away)
{
	run(_i);
	line_close(&line);
	peer_deafen(&peer);
	app_await_connected(&app, false);
	all_calls_are_quick();
	ck_assert_int_eq(app_int(&app, "a"), 1);
	ck_assert_int_eq(prodd_state(app.p, NULL), PRODD_STATE_APPLIED);
	peer_listen(&peer);
	survives();
}
END_TEST

/* It is tried at once, soon, and then ever less often. */
START_TEST(a_daemon_that_hangs_up_is_not_flooded)
{
	int calls = 0;
	int64_t end = now_ms() + 600;

	app_new(&app, &peer, (enum way)_i);
	prodd_set_reconnect(app.p, PRODD_RECONNECT_MS);
	app_start(&app);
	for (; now_ms() < end; calls++)
		if (peer_is_called(&peer, 100)) {
			peer_accept(&peer, &line);
			line_close(&line);
		}
	ck_assert_int_gt(calls, 3);
	ck_assert_int_lt(calls, 100);
}
END_TEST

START_TEST(half_closed)
{
	run(_i);
	ck_assert_int_eq(shutdown(line.fd, SHUT_WR), 0);
	line_expect_end(&line);
	survives();
}
END_TEST

START_TEST(half_closed_for_reading)
{
	struct wire_abort abort = { .txn = 1 };
	prodd_auto_buffer b = { 0 };

	run(_i);
	ck_assert_int_eq(shutdown(line.fd, SHUT_RD), 0);
	prodd_frame_call(&b, 1000, WIRE_M_ping, &abort); /* its answer meets EPIPE, and raises no signal */
	line_send(&line, prodd_buffer_slice(&b));
	app_await_connected(&app, false);
	survives();
}
END_TEST

/* ---- nonsense */

struct nonsense {
	const char *bytes;
	size_t size;
};

#define BYTES(text) { text, sizeof text - 1 }

static const struct nonsense nonsense[] = {
	BYTES("HTTP/1.1 400 Bad Request\r\n\r\n"),
	BYTES("\0\0\0\0"),
	BYTES("\xff\xff\xff\xff"),
	BYTES("\0\0\0\1\xc1"),
	BYTES("\0\0\0\5\xdd\4\0\0\0"),
	BYTES("\0\0\0\4\x93\2\xc0\x80"),
	BYTES("\0\0\0\5\x94\1\1\xc0\x80"),
	BYTES("\0\0\0\5\x94\1\x7f\xc0\x80"),
	BYTES("\0\0\0\21\x93\2\254config.abort\241x"),
};

START_TEST(nonsense_ends_the_session_only)
{
	run(_i % WAYS);
	line_send(&line, (struct prodd_slice){ nonsense[_i / WAYS].bytes, nonsense[_i / WAYS].size });
	line_expect_end(&line);
	survives();
}
END_TEST

START_TEST(nonsense_instead_of_a_welcome)
{
	struct prodd_error e;

	app_new(&app, &peer, (enum way)_i);
	app_start(&app);
	peer_accept(&peer, &line);
	line_send(&line, (struct prodd_slice){ nonsense[0].bytes, nonsense[0].size });
	line_expect_end(&line);
	ck_assert_int_eq(prodd_wait_config(app.p, 20, &e), -PRODD_E_NO_CONFIG);
	line_close(&line);
	peer_accept(&peer, &line);
	line_greet(&line, NULL, "follows");
	ck_assert(prodd_slice_is(line_apply(&line, &one, 1).state, "applied"));
}
END_TEST

static void send_offer_of(struct prodd_list snapshot, struct prodd_buffer *b)
{
	struct wire_offer offer = { .txn = 5,
				    .epoch = prodd_slice("e"),
				    .generation = 2,
				    .hash = prodd_slice("h"),
				    .snapshot = snapshot };

	ck_assert_int_eq(prodd_frame_call(b, 1000, WIRE_M_config_offer, &offer), 0);
}

START_TEST(killed_in_the_midst_of_a_frame)
{
	prodd_auto_buffer b = { 0 };

	run(_i % WAYS);
	send_offer_of(served_list(&two), &b);
	line_send(&line, (struct prodd_slice){ b.at, b.size * (size_t)(_i / WAYS + 1) / 8 });
	ck_assert(line_is_quiet(&line, 20));
	survives();
}
END_TEST

START_TEST(a_frame_that_comes_byte_by_byte)
{
	prodd_auto_buffer b = { 0 };

	run(_i);
	send_offer_of(served_list(&two), &b);
	for (size_t i = 0; i < b.size; i++)
		line_send(&line, (struct prodd_slice){ b.at + i, 1 });
	line_receive(&line);
	ck_assert_uint_eq(line.m.id, 1000);
	ck_assert_int_eq(line.m.error.code, PRODD_OK);
}
END_TEST

/* Decodes, but is no snapshot: answered with an error, and the session goes on. */
START_TEST(a_snapshot_that_is_none)
{
	struct served wrong = { 0 };
	prodd_auto_buffer b = { 0 };

	run(_i);
	served_int(&wrong, "b", "int", 1, false);
	served_int(&wrong, "a", "int", 1, false);
	send_offer_of(served_list(&wrong), &b);
	line_send(&line, prodd_buffer_slice(&b));
	line_receive(&line);
	ck_assert_int_eq(line.m.error.code, PRODD_E_PROTOCOL);
	ck_assert(prodd_slice_is(line_apply(&line, &two, 2).state, "applied"));
	served_clear(&wrong);
}
END_TEST

START_TEST(random_frames)
{
	struct dice d = dice_start("random_frames");
	struct served *last = &one;

	run(_i);
	for (int n = 0; n < (is_under_valgrind() ? 5 : 60); n++) {
		prodd_auto_buffer b = { 0 };
		uint32_t size = 1 + dice_below(&d, 200);

		prodd_buffer_append(&b, (char[]){ 0, 0, 0, (char)size }, 4);
		for (uint32_t i = 0; i < size; i++)
			prodd_buffer_append(&b, &(char){ (char)dice_next(&d) }, 1);
		line_send(&line, prodd_buffer_slice(&b));
		line_close(&line);
		peer_accept(&peer, &line);
		line_greet(&line, NULL, "follows");
		last = last == &one ? &two : &one;
		ck_assert(prodd_slice_is(line_apply(&line, last, (uint64_t)n + 2).state, "applied"));
	}
}
END_TEST

/* ---- what the program does to itself */

static bool is_root(void)
{
	return geteuid() == 0;
}

static void drop_rights(int way)
{
	run(way);
	ck_assert_int_eq(setgroups(0, NULL), 0);
	ck_assert_int_eq(setresgid(65534, 65534, 65534), 0);
	ck_assert_int_eq(setresuid(65534, 65534, 65534), 0);
	ck_assert(prodd_slice_is(line_apply(&line, &two, 2).state, "applied"));
	line_close(&line);
	peer_accept(&peer, &line);
	line_greet(&line, NULL, "current");
	ck_assert(prodd_slice_is(line_apply(&line, &one, 3).state, "applied"));
	ck_assert_int_eq(app_int(&app, "a"), 1);
	app_free(&app);
}

/* In a process of its own, as rights do not come back, and the peer's directory is to be removed with
 * them. */
START_TEST(rights_are_dropped)
{
	pid_t pid;
	int status;

	if (!is_root())
		return;
	pid = fork();
	if (pid == 0) {
		drop_rights(_i);
		_exit(0);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
}
END_TEST

START_TEST(the_root_is_changed)
{
	int root = open("/", O_RDONLY | O_CLOEXEC | O_DIRECTORY);

	if (!is_root())
		return;
	run(_i);
	ck_assert_int_eq(chroot(peer.directory), 0);
	ck_assert(prodd_slice_is(line_apply(&line, &two, 2).state, "applied"));
	line_close(&line);
	app_await_connected(&app, false);
	ck_assert_int_eq(app_int(&app, "a"), 2);
	all_calls_are_quick();
	app_free(&app);
	ck_assert_int_eq(fchdir(root), 0);
	ck_assert_int_eq(chroot("."), 0);
	close(root);
}
END_TEST

START_TEST(a_limit_of_files_is_met)
{
	struct served large = { 0 };
	char *text = calloc(1, 40000);

	memset(text, 'x', 39999);
	served_int(&large, "a", "int", 2, false);
	served_string(&large, "b", "string", text);
	run(_i);
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &(struct rlimit){ 30000, 30000 }), 0);
	ck_assert(prodd_slice_is(line_apply(&line, &large, 2).state, "applied"));
	ck_assert_int_eq(app_int(&app, "a"), 2);
	served_clear(&large);
	free(text);
}
END_TEST

/* ---- many threads */

enum { threads = 32 };

static void *use_everything(void *arg)
{
	struct prodd_key key = prodd_key(app.p, "a");
	struct prodd_error e;
	char name[129];

	while (!atomic_load((atomic_bool *)arg)) {
		prodd_auto_config const struct prodd_config *c = prodd_config(app.p);
		int64_t a = prodd_config_int(c, "a");

		if (a != prodd_key_int(c, key) || (a != 1 && a != 2))
			abort();
		prodd_config_unref(prodd_config_ref(c));
		prodd_config_int(c, "unknown");
		if (prodd_config_string(c, "a")[0] !=
		    (char)('0' + a)) /* its text is made by who asks first */
			abort();
		prodd_state(app.p, &e);
		prodd_is_connected(app.p);
		prodd_instance_name(app.p, name, sizeof name);
		prodd_fd(app.p);
		prodd_dispatch(app.p, &e);
		if (prodd_wait_config(app.p, 10, &e) < 0)
			abort();
	}
	return NULL;
}

START_TEST(thirty_two_threads_read_while_it_changes)
{
	pthread_t readers[threads];
	atomic_bool done = false;

	run(_i);
	for (int i = 0; i < threads; i++)
		ck_assert_int_eq(pthread_create(&readers[i], NULL, use_everything, &done), 0);
	for (uint64_t n = 2; n < (is_under_valgrind() ? 10 : 60); n++) {
		struct served *s = n % 2 ? &one : &two;

		line_offer(&line, s, n, n);
		line_commit(&line, n, n);
		if (n % 20 == 0) {
			line_close(&line);
			peer_accept(&peer, &line);
			line_greet(&line, NULL, "current");
		}
	}
	atomic_store(&done, true);
	for (int i = 0; i < threads; i++)
		pthread_join(readers[i], NULL);
}
END_TEST

START_TEST(all_signals_stay_the_programs)
{
	sigset_t mask;

	run(_i);
	ck_assert_int_eq(pthread_sigmask(SIG_SETMASK, NULL, &mask), 0);
	ck_assert(!sigismember(&mask, SIGTERM) && !sigismember(&mask, SIGUSR1));
}
END_TEST

int main(void)
{
	Suite *s = suite_create("client: harmless");
	TCase *tc = tcase_create("harmless");

	suite_add_tcase(s, tc);
	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_loop_test(tc, no_daemon, 0, WAYS);
	tcase_add_loop_test(tc, a_stopped_daemon, 0, WAYS);
	tcase_add_loop_test(tc, a_daemon_whose_queue_is_full, 0, WAYS);
	tcase_add_loop_test(tc, a_daemon_that_goes_away, 0, WAYS);
	tcase_add_loop_test(tc, a_daemon_that_hangs_up_is_not_flooded, 0, WAYS);
	tcase_add_loop_test(tc, half_closed, 0, WAYS);
	tcase_add_loop_test(tc, half_closed_for_reading, 0, WAYS);
	tcase_add_loop_test(tc, nonsense_ends_the_session_only, 0,
			    WAYS * (int)(sizeof nonsense / sizeof *nonsense));
	tcase_add_loop_test(tc, nonsense_instead_of_a_welcome, 0, WAYS);
	tcase_add_loop_test(tc, killed_in_the_midst_of_a_frame, 0, 7 * WAYS);
	tcase_add_loop_test(tc, a_frame_that_comes_byte_by_byte, 0, WAYS);
	tcase_add_loop_test(tc, a_snapshot_that_is_none, 0, WAYS);
	tcase_add_loop_test(tc, random_frames, 0, WAYS);
	tcase_add_loop_test(tc, rights_are_dropped, 0, WAYS);
	tcase_add_loop_test(tc, the_root_is_changed, 0, WAYS);
	tcase_add_loop_test(tc, a_limit_of_files_is_met, 0, WAYS);
	tcase_add_loop_test(tc, thirty_two_threads_read_while_it_changes, 0, WAYS);
	tcase_add_loop_test(tc, all_signals_stay_the_programs, 0, WAYS);
	return client_suite_run(s);
}
