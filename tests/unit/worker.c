/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A worker that answers, crashes, does not read, or talks nonsense: it is this
 * very program, started again under the name of what it is to do.
 */
#define _GNU_SOURCE
#include "daemon/core/worker.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "daemon/util/clock.h"
#include "daemon/util/container.h"
#include "tests/unit/suite.h"

/* ---- the worker's part, on descriptor 3 */

static void write_all(const void *bytes, size_t size)
{
	for (size_t at = 0; at < size;) {
		ssize_t n = write(3, (const char *)bytes + at, size - at);

		if (n <= 0)
			_exit(9);
		at += (size_t)n;
	}
}

static void say(const char *state)
{
	struct wire_ship_progress progress = { .state = prodd_slice(state) };
	prodd_auto_buffer b = { 0 };

	if (prodd_frame_note(&b, WIRE_M_ship_progress, &progress) < 0)
		_exit(6);
	write_all(b.at, b.size);
}

/* Says "more" for each note, answers each call; until the end. */
static void echo(void)
{
	unsigned char head[4];

	while (recv(3, head, 4, MSG_WAITALL) == 4) {
		size_t size = (size_t)head[1] << 16 | (size_t)head[2] << 8 | head[3];
		prodd_auto_buffer in = { 0 }, out = { 0 };
		struct prodd_message m;

		if (!prodd_buffer_extend(&in, size) || recv(3, in.at, size, MSG_WAITALL) != (ssize_t)size ||
		    prodd_message_open(prodd_buffer_slice(&in), &prodd_check_reply, &m, NULL) < 0)
			_exit(8);
		if (m.type == PRODD_CALL)
			prodd_frame_answer(&out, m.id, &wire_record_empty, &(struct wire_empty){ 0 });
		if (m.type == PRODD_CALL)
			write_all(out.at, out.size);
		else
			say("more");
	}
}

/* Descriptors 4, 5 and 6 are files of one byte, '4', '5' and '6'; there is no other. */
static void look_at_descriptors(void)
{
	for (int fd = 4; fd < 1024; fd++) {
		char byte = 0;

		if (fd <= 6 ? pread(fd, &byte, 1, 0) != 1 || byte != '0' + fd : fcntl(fd, F_GETFD) >= 0)
			say("wrong");
	}
	say("seen");
}

static void start_to_read(int number)
{
	(void)number;
}

static void be(const char *what)
{
	struct rlimit no_core = { 0, 0 };
	prodd_auto_buffer b = { 0 };
	sigset_t usr1;
	int got;

	setrlimit(RLIMIT_CORE, &no_core);
	if (strcmp(what, "worker-echo") == 0) {
		echo();
	} else if (strcmp(what, "worker-crash") == 0) {
		raise(SIGKILL);
	} else if (strcmp(what, "worker-status") == 0) {
		_exit(3);
	} else if (strcmp(what, "worker-last") == 0) {
		for (int i = 0; i < 500; i++)
			say("last");
		_exit(4);
	} else if (strcmp(what, "worker-deaf") == 0) {
		sigemptyset(&usr1);
		sigaddset(&usr1, SIGUSR1);
		signal(SIGUSR1, start_to_read);
		sigprocmask(SIG_BLOCK, &usr1, NULL);
		say("deaf");
		sigwait(&usr1, &got);
		echo();
	} else if (strcmp(what, "worker-close") == 0) {
		close(3), pause();
	} else if (strcmp(what, "worker-garbage") == 0) {
		write_all("HTTP/1.1 200 OK\r\n\r\n", 19), pause();
	} else if (strcmp(what, "worker-note") == 0) {
		prodd_frame_note(&b, WIRE_M_going_away, &(struct wire_going_away){ 0 });
		write_all(b.at, b.size), pause();
	} else if (strcmp(what, "worker-call") == 0) {
		prodd_frame_call(&b, 1, WIRE_M_ping, &(struct wire_empty){ 0 });
		write_all(b.at, b.size), pause();
	} else if (strcmp(what, "worker-descriptors") == 0) {
		look_at_descriptors(), pause();
	}
}

/* ---- the daemon's part */

static struct loop loop;
static struct helper_program program;
static struct loop_timer deadline;

static struct watched {
	struct worker worker;
	unsigned starts, said, answers, ends, rooms;
	unsigned stop_at_ends;
	unsigned stop_at_said;
	unsigned notes_at_start;
	char state[16];			/* of the last progress */
	struct prodd_error why;		/* of the last end; code PRODD_OK: none */
	uint64_t again_ms;
	bool is_well;			/* it says so whenever it starts */
} w;

static struct watched *watched(struct worker *worker)
{
	return container_of(worker, struct watched, worker);
}

static void started(struct worker *worker)
{
	struct watched *me = watched(worker);

	me->starts++;
	if (me->is_well)
		worker_is_well(worker);
	for (unsigned i = 0; i < me->notes_at_start; i++)
		ck_assert(worker_note(worker, WIRE_M_ship_rotate, &(struct wire_empty){ 0 }));
}

static void message(struct worker *worker, const struct prodd_message *m)
{
	struct watched *me = watched(worker);
	struct wire_ship_progress progress;

	if (m->type == PRODD_ANSWER) {
		me->answers++;
		loop_stop(&loop);
		return;
	}
	ck_assert_int_eq(prodd_message_decode(m, &wire_record_ship_progress, &progress, NULL), 0);
	snprintf(me->state, sizeof me->state, "%.*s", PRODD_SLICE(progress.state));
	if (++me->said == me->stop_at_said)
		loop_stop(&loop);
}

static void has_room(struct worker *worker)
{
	watched(worker)->rooms++;
	loop_stop(&loop);
}

static void ended(struct worker *worker, const struct prodd_error *why, uint64_t again_ms)
{
	struct watched *me = watched(worker);

	ck_assert_int_eq(worker_pid(worker), 0);
	ck_assert(!worker_note(worker, WIRE_M_ship_rotate, &(struct wire_empty){ 0 }));
	me->ends++;
	me->why = why ? *why : (struct prodd_error){ 0 };
	me->again_ms = again_ms;
	if (me->ends == me->stop_at_ends)
		loop_stop(&loop);
}

static const struct worker_ops ops = { .started = started, .message = message, .has_room = has_room, .ended = ended };

static void too_late(struct loop_timer *timer)
{
	(void)timer;
	ck_abort_msg("nothing came within 20 s");
}

static void set_up(void)
{
	struct prodd_error e;
	char self[4096], *name;
	ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);

	ck_assert_int_gt(n, 0);
	self[n] = '\0';
	name = strrchr(self, '/');
	*name++ = '\0';
	ck_assert_int_eq(loop_init(&loop, &e), 0);
	ck_assert_int_eq(helper_program_open(&program, self, name, &e), 0);
	ck_assert_int_eq(loop_timer_init(&deadline, &loop, too_late, &e), 0);
	loop_timer_arm(&deadline, 20000);
	memset(&w, 0, sizeof w);
}

static void tear_down(void)
{
	worker_clear(&w.worker);
	worker_clear(&w.worker);
	helper_program_close(&program);
	loop_timer_clear(&deadline);
	loop_clear(&loop);
	ck_assert_int_lt(waitpid(-1, NULL, WNOHANG), 0);	/* nobody is left to be reaped */
	ck_assert_int_eq(errno, ECHILD);
}

static void begin_with(const char *what, const int *descriptors, unsigned count)
{
	struct prodd_error e;

	program.name = what;
	ck_assert_int_eq(worker_init(&w.worker, &ops, &loop, &program, descriptors, count, &e), 0);
	ck_assert_uint_eq(w.starts, 0);
}

static void begin(const char *what)
{
	begin_with(what, NULL, 0);
}

static void go_on(void)
{
	struct prodd_error e;

	ck_assert_int_eq(loop_run(&loop, &e), 0);
}

START_TEST(it_is_told_and_answers)
{
	w.notes_at_start = w.stop_at_said = 3;
	begin("worker-echo");
	go_on();
	ck_assert_uint_eq(w.starts, 1);
	ck_assert_str_eq(w.state, "more");
	ck_assert_int_gt(worker_pid(&w.worker), 0);
	ck_assert(worker_call(&w.worker, 7, WIRE_M_ping, &(struct wire_empty){ 0 }));
	go_on();
	ck_assert_uint_eq(w.answers, 1);
	ck_assert_uint_eq(w.ends, 0);
}
END_TEST

static const struct { const char *what; const char *says; } failures[] = {
	{ "worker-crash", "worker-crash: ended by signal 9" },
	{ "worker-status", "worker-status: ended with status 3" },
	{ "worker-leaves", "worker-leaves: it ended" },
	{ "worker-close", "worker-close: it closed its socket" },
	{ "worker-garbage", "worker-garbage: nonsense" },
	{ "worker-note", "worker-note: nonsense: \"going_away\" is no helper's note" },
	{ "worker-call", "worker-call: nonsense: a call" },
};

START_TEST(an_end_is_named_and_it_is_started_again)
{
	w.stop_at_ends = 2;
	begin(failures[_i].what);
	go_on();
	ck_assert_uint_eq(w.starts, 2);
	ck_assert_uint_eq(w.ends, 2);
	ck_assert_uint_ge(w.again_ms, 1);
	ck_assert_msg(strncmp(w.why.text, failures[_i].says, strlen(failures[_i].says)) == 0, "%s", w.why.text);
}
END_TEST

START_TEST(what_it_said_last_comes_before_its_end)
{
	w.stop_at_ends = 1;
	begin("worker-last");
	go_on();
	ck_assert_uint_eq(w.said, 500);
	ck_assert_ptr_nonnull(strstr(w.why.text, "status 4"));
}
END_TEST

START_TEST(a_program_that_cannot_be_started_is_tried_again)
{
	int real = program.fd;

	program.fd = open("/dev/null", O_PATH | O_CLOEXEC);
	w.stop_at_ends = 2;
	begin("worker-none");
	go_on();
	ck_assert_uint_eq(w.starts, 0);
	ck_assert_msg(strncmp(w.why.text, "worker-none: start: ", 20) == 0, "%s", w.why.text);
	helper_program_close(&program);
	program.fd = real;
}
END_TEST

START_TEST(each_end_doubles_the_longest_wait_until_it_is_well)
{
	uint64_t longest = 0;

	begin("worker-status");
	for (unsigned n = 1; n <= 4; n++) {
		w.stop_at_ends = n;
		go_on();
		ck_assert_uint_ge(w.again_ms, 1);
		ck_assert_uint_le(w.again_ms, WORKER_AGAIN_MIN_MS << (n - 1));
	}
	w.is_well = true;
	for (unsigned n = 5; n <= 20; n++) {
		w.stop_at_ends = n;
		go_on();
		ck_assert_uint_le(w.again_ms, WORKER_AGAIN_MIN_MS);
		longest = w.again_ms > longest ? w.again_ms : longest;
	}
	ck_assert_uint_gt(longest, WORKER_AGAIN_MIN_MS / 4);	/* all of 16 below it: once in 4 thousand million */
}
END_TEST

START_TEST(who_does_not_read_is_told_no_more_until_it_does)
{
	struct wire_ship_skip skip = { .app = { "app", 3 }, .number = 1 };
	unsigned taken = 0;

	w.stop_at_said = 1;
	begin("worker-deaf");
	go_on();
	while (worker_note(&w.worker, WIRE_M_ship_skip, &skip)) {
		taken++;
		ck_assert_uint_lt(taken, 1000000);
		event_base_loop(loop.base, EVLOOP_NONBLOCK);
	}
	ck_assert_uint_gt(taken, 10000);
	ck_assert_uint_le(w.worker.out.capacity, 2 * WORKER_OUT_MAX);
	ck_assert_uint_eq(w.rooms, 0);
	w.stop_at_said = 0;
	kill(worker_pid(&w.worker), SIGUSR1);
	go_on();
	ck_assert_uint_eq(w.rooms, 1);
	ck_assert(worker_note(&w.worker, WIRE_M_ship_skip, &skip));
	w.stop_at_said = taken + 2;	/* with the first one, "deaf" */
	go_on();
	ck_assert_uint_eq(w.ends, 0);
}
END_TEST

static int file_of(char byte, int at_number)
{
	int fd = memfd_create("x", MFD_CLOEXEC), placed;

	ck_assert_int_eq(write(fd, &byte, 1), 1);
	placed = dup3(fd, at_number, O_CLOEXEC);
	ck_assert_int_eq(placed, at_number);
	close(fd);
	return placed;
}

/* Each lies where another is to go. */
START_TEST(descriptors_are_handed_on_in_their_order)
{
	int fds[3];

	fds[0] = file_of('4', 6);
	fds[1] = file_of('5', 4);
	fds[2] = file_of('6', 5);
	w.stop_at_said = 1;
	begin_with("worker-descriptors", fds, 3);
	go_on();
	ck_assert_str_eq(w.state, "seen");
	for (int i = 0; i < 3; i++)
		close(fds[i]);
}
END_TEST

START_TEST(told_to_end_it_reads_the_rest_and_is_not_started_again)
{
	w.notes_at_start = 2000;
	w.stop_at_said = 1;
	w.stop_at_ends = 1;
	begin("worker-echo");
	go_on();
	worker_finish(&w.worker);
	worker_finish(&w.worker);
	ck_assert(!worker_note(&w.worker, WIRE_M_ship_rotate, &(struct wire_empty){ 0 }));
	go_on();
	ck_assert_uint_eq(w.said, 2000);
	ck_assert_uint_eq(w.ends, 1);
	ck_assert_int_eq(w.why.code, PRODD_OK);
	ck_assert_uint_eq(w.again_ms, 0);
	ck_assert_int_eq(event_base_loop(loop.base, EVLOOP_NONBLOCK), 0);
	ck_assert_uint_eq(w.starts, 1);
}
END_TEST

START_TEST(told_to_end_while_it_waits_nothing_comes)
{
	w.stop_at_ends = 1;
	begin("worker-status");
	go_on();
	worker_finish(&w.worker);
	ck_assert(!loop_timer_armed(&w.worker.timer));
}
END_TEST

START_TEST(cleared_it_is_killed_and_tells_nobody)
{
	w.stop_at_said = 1;
	begin("worker-deaf");
	go_on();
	worker_clear(&w.worker);
	ck_assert_uint_eq(w.ends, 0);
}
END_TEST

static Suite *worker_suite(void)
{
	Suite *s = suite_create("worker");
	TCase *tc = tcase_create("worker");

	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_test(tc, it_is_told_and_answers);
	tcase_add_loop_test(tc, an_end_is_named_and_it_is_started_again, 0, sizeof failures / sizeof *failures);
	tcase_add_test(tc, what_it_said_last_comes_before_its_end);
	tcase_add_test(tc, a_program_that_cannot_be_started_is_tried_again);
	tcase_add_test(tc, each_end_doubles_the_longest_wait_until_it_is_well);
	tcase_add_test(tc, who_does_not_read_is_told_no_more_until_it_does);
	tcase_add_test(tc, descriptors_are_handed_on_in_their_order);
	tcase_add_test(tc, told_to_end_it_reads_the_rest_and_is_not_started_again);
	tcase_add_test(tc, told_to_end_while_it_waits_nothing_comes);
	tcase_add_test(tc, cleared_it_is_killed_and_tells_nobody);
	suite_add_tcase(s, tc);
	return s;
}

int main(int argc, char **argv)
{
	if (argc > 0 && strncmp(argv[0], "worker-", 7) == 0) {
		be(argv[0]);
		return 0;
	}
	if (suite_under_valgrind()) {
		puts("valgrind cannot start a program from a descriptor");
		return 77;
	}
	for (int fd = 4; fd <= 6; fd++)		/* kept for descriptors_are_handed_on_in_their_order */
		dup3(STDIN_FILENO, fd, O_CLOEXEC);
	return suite_run(worker_suite());
}
