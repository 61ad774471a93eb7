/* SPDX-License-Identifier: Apache-2.0 */
/* Logging into a ring that the daemon, played by the test, has mapped. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define PRODD_TARGET "db.pool"

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

static void make(int way)
{
	app_new(&app, &peer, (enum way)way);
	ck_assert_int_eq(prodd_set_log_ring(app.p, RING_CAPACITY_MIN), 0);
}

static void begin(void)
{
	app_start(&app);
	peer_accept(&peer, &line);
	line_greet(&line, NULL, "none");
	reader_open(&reader, &line);
}

static void run(int way)
{
	make(way);
	begin();
}

static void await_reader(enum prodd_ring_reader who)
{
	int64_t end = now_ms() + peer_patience_ms;

	while (atomic_load(&prodd_rings_current(&app.p->log.rings)->reader) != who) {
		ck_assert_msg(now_ms() < end, "the ring has another reader");
		usleep(1000);
	}
}

static bool is_woken(void)
{
	uint64_t value;

	return read(line.wake, &value, sizeof value) == sizeof value;
}

/* ---- what is logged */

START_TEST(a_record_is_there_when_the_call_returns)
{
	uint64_t before, after;

	run(_i);
	ck_assert_uint_eq(reader.size, RING_HEAD + RING_CAPACITY_MIN);
	ck_assert_uint_eq(reader.identity.pid, (uint64_t)getpid());
	before = (uint64_t)time(NULL) * 1000000000u;
	ck_assert_int_eq(prodd_warn(app.p, "slow query", prodd_int("ms", 1200), prodd_str("table", "orders"),
				    prodd_str("password", "hunter2")), 0);
	after = ((uint64_t)time(NULL) + 1) * 1000000000u;
	reader_take(&reader);
	ck_assert(reader.record.time_ns >= before && reader.record.time_ns <= after);
	ck_assert_int_eq(reader.record.level, RECORD_WARN);
	ck_assert(prodd_slice_is(reader.record.target, "db.pool"));
	ck_assert(prodd_slice_is(reader.record.message, "slow query"));
	ck_assert(reader.record.thread.size > 0);
	ck_assert(reader.record.source.size > 13 && memcmp(reader.record.source.at, "client_log.c:", 13) == 0);
	ck_assert_int_eq(record_int(&reader.record, "ms"), 1200);
	ck_assert(record_has_text(&reader.record, "table", "orders"));
	ck_assert(record_has_text(&reader.record, "password", "[secret]"));
	reader_finds_nothing(&reader);
	ck_assert_ptr_null(memmem(reader.mapping, reader.size, "hunter2", 7));
}
END_TEST

START_TEST(without_fields_or_message_too)
{
	run(_i);
	ck_assert_int_eq(prodd_info(app.p, "only this"), 0);
	ck_assert_int_eq(prodd_log(app.p, PRODD_ERROR, NULL, NULL, NULL, 7), 0);
	reader_take(&reader);
	ck_assert_uint_eq(reader.record.field_count, 0);
	reader_take(&reader);
	ck_assert(prodd_slice_is(reader.record.target, "main") && reader.record.message.size == 0);
	ck_assert_uint_eq(reader.record.source.size, 0);
}
END_TEST

static int evaluated;

static int64_t evaluate(void)
{
	return ++evaluated;
}

static const char *evaluate_text(void)
{
	evaluated++;
	return "x";
}

START_TEST(below_the_level_nothing_is_evaluated)
{
	evaluated = 0;
	run(_i);
	ck_assert_int_eq(prodd_debug(app.p, evaluate_text(), prodd_int("n", evaluate())), 0);
	ck_assert_int_eq(evaluated, 0);
	ck_assert_int_eq(prodd_set_level(app.p, "db", PRODD_DEBUG), 0);
	ck_assert_int_eq(prodd_debug(app.p, evaluate_text(), prodd_int("n", evaluate())), 0);
	ck_assert_int_eq(evaluated, 2);
	reader_take(&reader);
	ck_assert_int_eq(reader.record.level, RECORD_DEBUG);
	ck_assert_int_eq(prodd_log(app.p, PRODD_DEBUG, &(struct prodd_site){ "http", NULL }, "not this", NULL, 0), 0);
	ck_assert_int_eq(prodd_log(app.p, PRODD_OFF, NULL, "nor this", NULL, 0), 0);
	reader_finds_nothing(&reader);
	ck_assert_int_eq(prodd_set_level(app.p, NULL, PRODD_OFF), 0);
	ck_assert_int_eq(prodd_set_level(app.p, "db", PRODD_OFF), 0);
	ck_assert_int_eq(prodd_error(app.p, evaluate_text()), 0);
	ck_assert_int_eq(evaluated, 2);
}
END_TEST

static void send_levels(const char *target, const char *level)
{
	prodd_auto_buffer b = { 0 }, rows = { 0 };
	struct wire_levels levels = { 0 };
	uint32_t count = 0;

	if (level)
		prodd_encode_element(&rows, &count, &wire_record_level_row,
				     &(struct wire_level_row){ .target = prodd_slice(target), .level = prodd_slice(level) });
	levels.levels = prodd_list(&rows, count);
	ck_assert_int_eq(prodd_frame_note(&b, WIRE_M_log_levels, &levels), 0);
	line_send(&line, prodd_buffer_slice(&b));
}

static void await_threshold(int level)
{
	int64_t end = now_ms() + peer_patience_ms;

	while (__atomic_load_n(&app.p->threshold.level, __ATOMIC_RELAXED) != level) {
		ck_assert_msg(now_ms() < end, "the threshold stays");
		usleep(1000);
	}
}

START_TEST(levels_come_from_the_daemon)
{
	run(_i);
	send_levels("db", "trace");
	await_threshold(PRODD_TRACE);
	ck_assert_int_eq(prodd_trace(app.p, "seen"), 0);
	ck_assert_int_eq(prodd_log(app.p, PRODD_TRACE, &(struct prodd_site){ "http", NULL }, "unseen", NULL, 0), 0);
	reader_take(&reader);
	ck_assert(prodd_slice_is(reader.record.message, "seen"));
	reader_finds_nothing(&reader);
	send_levels("", NULL);
	await_threshold(PRODD_INFO);
	ck_assert_int_eq(prodd_trace(app.p, "unseen"), 0);
	reader_finds_nothing(&reader);
}
END_TEST

/* ---- system calls */

/* Kills whoever makes one, but to end. */
static void forbid_system_calls(void)
{
	struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_exit_group, 1, 0),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = { sizeof filter / sizeof *filter, filter };

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) < 0)
		_exit(5);
}

/* The first record reads the thread's name. Returns how the child ended. */
static int log_in_child(bool asks)
{
	pid_t pid = fork();
	int status = 0;

	if (pid == 0) {
		int failed = prodd_info(app.p, "warm") != 0;

		forbid_system_calls();
		for (int i = 0; i < 200; i++)
			failed += prodd_info(app.p, "record", prodd_int("n", i), prodd_str("customer", "alice")) != 0;
		if (asks)
			failed += getppid() == 0;
		_exit(failed > 0);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	return status;
}

START_TEST(in_the_common_case_there_is_no_system_call)
{
	const char *plain = getenv("PRODD_PLAIN");

	if ((plain && strcmp(plain, "0") == 0) || suite_under_valgrind())
		return;
	run(_i);
	ck_assert_int_eq(log_in_child(false), 0);
	ck_assert(WIFSIGNALED(log_in_child(true)));
}
END_TEST

/* ---- who sleeps is woken, once */

START_TEST(a_sleeping_reader_is_woken_once)
{
	run(_i);
	await_reader(PRODD_READ_BY_DAEMON);
	prodd_info(app.p, "nobody sleeps");
	ck_assert(!is_woken());
	reader_take(&reader);
	ck_assert(ring_sleep(&reader.ring, &reader.reading));
	prodd_info(app.p, "first");
	prodd_info(app.p, "second");
	ck_assert(is_woken());
	ck_assert(!is_woken());
}
END_TEST

/* ---- a full ring */

static int fill_up(void)
{
	int count = 0, r;

	while ((r = prodd_info(app.p, "fill", prodd_int("n", count))) == 0)
		count++;
	ck_assert_int_eq(r, -PRODD_E_OVER_LIMIT);
	return count;
}

START_TEST(a_full_ring_drops_the_newest_and_counts)
{
	int count;

	run(_i);
	count = fill_up();
	ck_assert_int_ge(count, 500);
	ck_assert_int_eq(prodd_info(app.p, "fill"), -PRODD_E_OVER_LIMIT);
	ck_assert_uint_ge(reader.ring.head->dropped[RING_DROP_FULL], 2);
	for (int i = 0; i < count; i++) {
		reader_take(&reader);
		ck_assert_int_eq(record_int(&reader.record, "n"), i);
	}
	reader_finds_nothing(&reader);
	ring_release(&reader.ring, reader.reading.at);
	ck_assert_int_eq(prodd_info(app.p, "again"), 0);
}
END_TEST

static void *release_soon(void *arg)
{
	(void)arg;
	usleep(20000);
	reader_take(&reader);
	ring_release(&reader.ring, reader.reading.at);
	return NULL;
}

START_TEST(a_full_ring_can_be_waited_for)
{
	pthread_t consumer;
	int64_t start = 0;
	int r;

	make(_i);
	ck_assert_int_eq(prodd_set_log_blocking(app.p, 500), 0);
	begin();
	while ((r = prodd_info(app.p, "fill", prodd_int("n", 1))) == 0)
		start = now_ms();
	ck_assert_int_eq(r, -PRODD_E_TIMEOUT);
	ck_assert_int_ge(now_ms() - start, 490);
	ck_assert_int_lt(now_ms() - start, 3000);
	ck_assert_uint_eq(reader.ring.head->dropped[RING_DROP_BLOCKED], 1);
	ck_assert_int_eq(pthread_create(&consumer, NULL, release_soon, NULL), 0);
	ck_assert_int_eq(prodd_info(app.p, "x"), 0);
	pthread_join(consumer, NULL);
}
END_TEST

START_TEST(a_record_over_an_eighth_of_the_ring_is_refused)
{
	static char text[RING_CAPACITY_MIN / 8];

	run(_i);
	memset(text, 'x', sizeof text);
	ck_assert_int_eq(prodd_info(app.p, "big", prodd_text("t", text, sizeof text - 200)), 0);
	ck_assert_int_eq(prodd_info(app.p, "big", prodd_text("t", text, sizeof text)), -PRODD_E_TOO_LARGE);
	ck_assert_uint_eq(reader.ring.head->dropped[RING_DROP_TOO_LARGE], 1);
}
END_TEST

/* ---- before and after */

START_TEST(before_the_start_and_after_the_end_it_is_closed)
{
	make(_i);
	ck_assert_int_eq(prodd_info(app.p, "x"), -PRODD_E_CLOSED);
	begin();
	ck_assert_int_eq(prodd_set_log_ring(app.p, 65536), -PRODD_E_USAGE);
	await_reader(PRODD_READ_BY_DAEMON);
	ck_assert_int_eq(prodd_info(app.p, "last"), 0);
	ring_sleep(&reader.ring, &reader.reading);
	ck_assert_uint_eq(reader.ring.head->closed, 0);
	if (app.way == OWN_LOOP) {
		atomic_store(&app.stop, true);
		pthread_join(app.pump, NULL);
		app.pump = 0;
	}
	ck_assert_int_eq(prodd_close(app.p), 0);
	ck_assert_int_eq(prodd_info(app.p, "x"), -PRODD_E_CLOSED);
	ck_assert_uint_eq(reader.ring.head->closed, 1);
	ck_assert(is_woken());
	reader_take(&reader);
	ck_assert(prodd_slice_is(reader.record.message, "last"));
	reader_finds_nothing(&reader);
}
END_TEST

START_TEST(settings_are_checked)
{
	struct prodd *p = prodd_new("orders");
	char long_target[PRODD_LEVEL_TARGET_MAX + 2];

	memset(long_target, 't', sizeof long_target);
	long_target[sizeof long_target - 1] = '\0';
	ck_assert_int_eq(prodd_set_log_ring(p, 65535), -PRODD_E_USAGE);
	ck_assert_int_eq(prodd_set_log_ring(p, 65536 * 3), -PRODD_E_USAGE);
	ck_assert_int_eq(prodd_set_log_ring(p, 2 * RING_CAPACITY_MAX), -PRODD_E_USAGE);
	ck_assert_int_eq(prodd_set_log_ring(p, RING_CAPACITY_MAX), 0);
	ck_assert_int_eq(prodd_set_log_blocking(p, -1), -PRODD_E_USAGE);
	ck_assert_int_eq(prodd_set_level(p, long_target, PRODD_INFO), -PRODD_E_USAGE);
	ck_assert_int_eq(prodd_set_level(p, "db", (enum prodd_level)7), -PRODD_E_USAGE);
	ck_assert_int_eq(prodd_set_level(p, "db", PRODD_DEBUG), 0);
	prodd_free(p);
}
END_TEST

/* ---- sessions */

START_TEST(a_new_session_has_the_same_ring)
{
	struct stat first, second;
	uint8_t uuid[16];

	run(_i);
	ck_assert_int_eq(prodd_info(app.p, "one"), 0);
	reader_take(&reader);
	memcpy(uuid, reader.identity.uuid, 16);
	ck_assert_int_eq(fstat(line.ring, &first), 0);
	line_close(&line);
	app_await_connected(&app, false);
	ck_assert_int_eq(prodd_info(app.p, "two"), 0);
	reader_take(&reader);		/* whoever has it mapped goes on */
	ring_release(&reader.ring, reader.reading.at);
	ck_assert_int_eq(prodd_info(app.p, "three"), 0);
	reader_close(&reader);
	peer_accept(&peer, &line);
	line_greet(&line, NULL, "none");
	reader_open(&reader, &line);
	ck_assert_int_eq(fstat(line.ring, &second), 0);
	ck_assert(first.st_ino == second.st_ino && memcmp(reader.identity.uuid, uuid, 16) == 0);
	reader_take(&reader);
	ck_assert(prodd_slice_is(reader.record.message, "three"));
	await_reader(PRODD_READ_BY_DAEMON);
	ring_sleep(&reader.ring, &reader.reading);
	prodd_info(app.p, "four");
	ck_assert(is_woken());
}
END_TEST

static void close_memfd(void)
{
	int fd = prodd_region_fd(&prodd_rings_current(&app.p->log.rings)->region);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_ge(fcntl(fd, F_GETFD), 0);
	ck_assert(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	ck_assert_int_eq(dup3(peer.listener, fd, O_CLOEXEC), fd);	/* another file has the number now */
}

/* The daemon that has the old one mapped reads it to its end; a new one is made. */
START_TEST(a_memfd_that_was_closed_is_replaced)
{
	struct reader second = { 0 };

	run(_i);
	await_reader(PRODD_READ_BY_DAEMON);
	close_memfd();
	prodd_info(app.p, "old ring");
	line_close(&line);
	peer_accept(&peer, &line);
	line_greet(&line, NULL, "none");
	reader_open(&second, &line);
	ck_assert(memcmp(second.identity.uuid, reader.identity.uuid, 16) != 0);
	ck_assert_uint_eq(reader.ring.head->closed, 1);
	await_reader(PRODD_READ_BY_DAEMON);
	prodd_info(app.p, "new ring");
	reader_take(&reader);
	ck_assert(prodd_slice_is(reader.record.message, "old ring"));
	reader_finds_nothing(&reader);
	reader_take(&second);
	ck_assert(prodd_slice_is(second.record.message, "new ring"));
	reader_close(&second);
}
END_TEST

/* A producer that stopped in the midst: here, one that the test plays. */
START_TEST(a_ring_that_is_held_up_for_long_is_left)
{
	struct reader second = { 0 };
	uint64_t position;

	run(_i);
	await_reader(PRODD_READ_BY_DAEMON);
	ck_assert_ptr_nonnull(ring_reserve(&reader.ring, 100, &position));
	prodd_info(app.p, "behind it");
	ck_assert(line_is_quiet(&line, 1000));
	for (line_receive(&line); line.m.method != WIRE_M_ring_attach; line_receive(&line))
		;
	line_take_ring(&line);
	await_reader(PRODD_READ_BY_DAEMON);
	reader_open(&second, &line);
	prodd_info(app.p, "elsewhere");
	reader_take(&second);
	ck_assert(prodd_slice_is(second.record.message, "elsewhere"));
	ring_publish(&reader.ring, position, 100);
	reader_close(&second);
}
END_TEST

/* ---- until it is durable */

static void *sync_thread(void *arg)
{
	struct prodd_error e = { 0 };
	int r = prodd_log_sync(app.p, peer_patience_ms, &e);

	*(int *)arg = r;
	return NULL;
}

static void take_sync(uint64_t end)
{
	struct wire_log_sync sync;
	struct prodd_error e;

	line_receive(&line);
	ck_assert_int_eq(line.m.method, WIRE_M_log_sync);
	ck_assert_int_eq(prodd_message_decode(&line.m, &wire_record_log_sync, &sync, &e), 0);
	ck_assert(sync.ring.size == 16 && memcmp(sync.ring.at, reader.identity.uuid, 16) == 0);
	ck_assert_uint_eq(sync.end, end);
}

START_TEST(sync_returns_when_the_daemon_says_so)
{
	pthread_t thread;
	int result = 1;

	run(_i);
	await_reader(PRODD_READ_BY_DAEMON);
	prodd_info(app.p, "x");
	ck_assert_int_eq(pthread_create(&thread, NULL, sync_thread, &result), 0);
	take_sync(reader.ring.head->tail);
	ck_assert_int_eq(result, 1);
	line_answer(&line, &wire_record_empty, &(struct wire_empty){ 0 });
	pthread_join(thread, NULL);
	ck_assert_int_eq(result, 0);
	ck_assert_int_eq(pthread_create(&thread, NULL, sync_thread, &result), 0);
	take_sync(reader.ring.head->tail);
	line_refuse(&line, PRODD_E_IO);
	pthread_join(thread, NULL);
	ck_assert_int_eq(result, -PRODD_E_IO);
}
END_TEST

START_TEST(sync_is_asked_again_in_the_next_session)
{
	pthread_t thread;
	int result = 1;

	run(_i);
	await_reader(PRODD_READ_BY_DAEMON);
	prodd_info(app.p, "x");
	ck_assert_int_eq(pthread_create(&thread, NULL, sync_thread, &result), 0);
	take_sync(reader.ring.head->tail);
	line_close(&line);
	peer_accept(&peer, &line);
	line_greet(&line, NULL, "none");
	take_sync(reader.ring.head->tail);
	line_answer(&line, &wire_record_empty, &(struct wire_empty){ 0 });
	pthread_join(thread, NULL);
	ck_assert_int_eq(result, 0);
}
END_TEST

START_TEST(sync_ends_in_time)
{
	struct prodd_error e;
	int64_t start;

	run(_i);
	await_reader(PRODD_READ_BY_DAEMON);
	prodd_info(app.p, "x");
	start = now_ms();
	ck_assert_int_eq(prodd_log_sync(app.p, 100, &e), -PRODD_E_TIMEOUT);
	ck_assert_int_ge(now_ms() - start, 95);
	peer_deafen(&peer);
	line_close(&line);
	app_await_connected(&app, false);
	ck_assert_int_eq(prodd_log_sync(app.p, 50, &e), -PRODD_E_CLOSED);
	ck_assert_ptr_nonnull(strstr(e.text, "no daemon"));
	ck_assert_int_lt(now_ms() - start, 2000);
}
END_TEST

/* ---- many threads */

enum { threads = 4 };

static int each;		/* records of a thread */

static void *log_many(void *arg)
{
	for (int i = 0; i < each; i++)
		while (prodd_info(app.p, "many", prodd_int("t", (intptr_t)arg), prodd_int("n", i)) != 0)
			sched_yield();
	return NULL;
}

START_TEST(threads_keep_their_order)
{
	pthread_t ids[threads];
	int next[threads] = { 0 }, total = 0;

	each = suite_under_valgrind() ? 500 : 20000;
	run(_i);
	/* ThreadSanitizer knows memory by its address: both sides have to use the same. */
	reader.ring = prodd_rings_current(&app.p->log.rings)->ring;
	ck_assert(ring_attach(&reader.ring, 0, &reader.reading));
	for (intptr_t t = 0; t < threads; t++)
		ck_assert_int_eq(pthread_create(&ids[t], NULL, log_many, (void *)t), 0);
	while (total < threads * each) {
		uint64_t end, skipped = 0;
		uint32_t length;
		int64_t t;

		if (ring_next(&reader.ring, &reader.reading, reader.copy, sizeof reader.copy, &length, &end, false,
			      &skipped) != RING_FOUND_RECORD) {
			ring_release(&reader.ring, reader.reading.at);
			sched_yield();
			continue;
		}
		if (!record_open((struct prodd_slice){ (char *)reader.copy, length }, &reader.record, NULL))
			ck_abort_msg("no record");
		t = record_int(&reader.record, "t");
		if (t < 0 || t >= threads || record_int(&reader.record, "n") != next[t])
			ck_abort_msg("out of order");
		next[t]++;
		total++;
	}
	for (int t = 0; t < threads; t++)
		pthread_join(ids[t], NULL);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("client: log");
	TCase *t = tcase_create("log");

	tcase_set_timeout(t, 60);
	tcase_add_checked_fixture(t, setup, teardown);
	suite_add_tcase(s, t);
	tcase_add_loop_test(t, a_record_is_there_when_the_call_returns, 0, WAYS);
	tcase_add_loop_test(t, without_fields_or_message_too, 0, WAYS);
	tcase_add_loop_test(t, below_the_level_nothing_is_evaluated, 0, WAYS);
	tcase_add_loop_test(t, levels_come_from_the_daemon, 0, WAYS);
	if (!suite_is_emulated())
		tcase_add_loop_test(t, in_the_common_case_there_is_no_system_call, 0, WAYS);
	tcase_add_loop_test(t, a_sleeping_reader_is_woken_once, 0, WAYS);
	tcase_add_loop_test(t, a_full_ring_drops_the_newest_and_counts, 0, WAYS);
	tcase_add_loop_test(t, a_full_ring_can_be_waited_for, 0, WAYS);
	tcase_add_loop_test(t, a_record_over_an_eighth_of_the_ring_is_refused, 0, WAYS);
	tcase_add_loop_test(t, before_the_start_and_after_the_end_it_is_closed, 0, WAYS);
	tcase_add_test(t, settings_are_checked);
	tcase_add_loop_test(t, a_new_session_has_the_same_ring, 0, WAYS);
	tcase_add_loop_test(t, a_memfd_that_was_closed_is_replaced, 0, WAYS);
	tcase_add_loop_test(t, a_ring_that_is_held_up_for_long_is_left, 0, 1);
	tcase_add_loop_test(t, sync_returns_when_the_daemon_says_so, 0, WAYS);
	tcase_add_loop_test(t, sync_is_asked_again_in_the_next_session, 0, WAYS);
	tcase_add_loop_test(t, sync_ends_in_time, 0, WAYS);
	tcase_add_loop_test(t, threads_keep_their_order, 0, WAYS);
	return client_suite_run(s);
}
