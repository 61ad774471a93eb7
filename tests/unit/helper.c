/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs of a helper that answers, crashes, hangs, floods or talks nonsense: it
 * is this very program, started again under the name of what it is to do.
 */
#define _GNU_SOURCE
#include "daemon/core/helper.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "daemon/util/clock.h"
#include "daemon/util/container.h"
#include "proto/codec.h"
#include "proto/limits.h"
#include "tests/unit/suite.h"

/* ---- the helper's part, on descriptor 3 */

static void write_all(const void *bytes, size_t size)
{
	for (size_t at = 0; at < size;) {
		ssize_t n = write(3, (const char *)bytes + at, size - at);

		if (n <= 0)
			_exit(9);
		at += (size_t)n;
	}
}

static void read_request(struct prodd_message *ret, struct prodd_buffer *b)
{
	unsigned char head[4];
	size_t size;

	if (recv(3, head, 4, MSG_WAITALL) != 4)
		_exit(8);
	size = (size_t)head[0] << 24 | (size_t)head[1] << 16 | (size_t)head[2] << 8 | head[3];
	if (!prodd_buffer_extend(b, size) || recv(3, b->at, size, MSG_WAITALL) != (ssize_t)size)
		_exit(8);
	if (prodd_message_open(prodd_buffer_slice(b), &prodd_check_reply, ret, NULL) < 0)
		_exit(7);
}

/* `wrong` is added to the length that the frame announces. */
static void answer_with_length(size_t text, char wrong)
{
	static char file[4096];
	struct wire_problem problem = { .file = { file, sizeof file }, .text = { "x", 1 } };
	struct wire_parsed parsed = { .schema = true };
	prodd_auto_buffer b = { 0 }, list = { .limit = 16 * 1024 * 1024 };
	uint32_t count = 0;

	memset(file, 'f', sizeof file);
	while (list.size < text)
		prodd_encode_element(&list, &count, &wire_record_problem, &problem);
	parsed.problems = prodd_list(&list, count);
	if (prodd_frame_answer(&b, 1, &wire_record_parsed, &parsed) < 0)
		_exit(6);
	b.at[3] += wrong;
	write_all(b.at, b.size);
}

static void answer_with(size_t text)
{
	answer_with_length(text, 0);
}

/* Which of these a helper has besides 0, 1, 2 and 3. */
static bool has_other_descriptors(void)
{
	for (int fd = 4; fd < 1024; fd++)
		if (fcntl(fd, F_GETFD) >= 0)
			return true;
	return false;
}

static void be(const char *what)
{
	static const char garbage[] = "HTTP/1.1 200 OK\r\n\r\n";
	struct prodd_error error = { PRODD_E_UNSUPPORTED, "no such thing" };
	prodd_auto_buffer b = { 0 }, out = { 0 };
	struct prodd_message request;
	struct rlimit no_core = { 0, 0 };

	setrlimit(RLIMIT_CORE, &no_core);
	if (strcmp(what, "helper-deaf") == 0)
		_exit(0);
	read_request(&request, &b);
	if (strcmp(what, "helper-answer") == 0)
		answer_with(has_other_descriptors() ? 5 * 4096 : 0);
	else if (strcmp(what, "helper-large") == 0)
		answer_with(4000000);
	else if (strcmp(what, "helper-crash") == 0)
		raise(SIGKILL);
	else if (strcmp(what, "helper-status") == 0)
		answer_with(0), _exit(3);
	else if (strcmp(what, "helper-hang") == 0)
		pause();
	else if (strcmp(what, "helper-answer-and-hang") == 0)
		answer_with(0), pause();
	else if (strcmp(what, "helper-close-and-hang") == 0)
		close(3), pause();
	else if (strcmp(what, "helper-garbage") == 0)
		write_all(garbage, sizeof garbage - 1);
	else if (strcmp(what, "helper-half") == 0)
		write_all("\0\0\1\0\x94", 5);
	else if (strcmp(what, "helper-note") == 0)
		prodd_frame_note(&out, WIRE_M_going_away, &(struct wire_going_away){ 0 }), write_all(out.at, out.size);
	else if (strcmp(what, "helper-error") == 0)
		prodd_frame_error(&out, 1, &error), write_all(out.at, out.size);
	else if (strcmp(what, "helper-twice") == 0)
		answer_with(0), answer_with(0);
	else if (strcmp(what, "helper-length") == 0)
		answer_with_length(0, 1);
	else if (strcmp(what, "helper-flood") == 0)
		for (;;)
			write_all("\0\x7f\xff\xff" "flood flood flood", 20);
}

/* ---- the daemon's part */

struct test_run {
	struct helper_run run;
	bool done;
	bool answered;
	unsigned problems;
	struct prodd_buffer taken;
	struct prodd_error why;
};

static struct loop loop;
static struct helper_program program;
static struct test_run t;

static void done(struct helper_run *run, const struct prodd_message *answer, const struct prodd_error *why)
{
	struct test_run *test = container_of(run, struct test_run, run);
	struct wire_parsed parsed;
	struct prodd_error e;

	ck_assert(!test->done);
	ck_assert((answer != NULL) != (why != NULL));
	test->done = true;
	test->answered = answer != NULL;
	if (answer) {
		helper_run_take(run, &test->taken);
		ck_assert_int_eq(prodd_message_decode(answer, &wire_record_parsed, &parsed, &e), 0);
		test->problems = parsed.problems.count;
	} else {
		test->why = *why;
	}
	helper_run_clear(run);
	loop_stop(&loop);
}

static const struct helper_run_ops ops = { .done = done };

static void set_up(void)
{
	struct prodd_error e;
	char self[4096], *name;
	ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);

	ck_assert_int_gt(n, 0);
	self[n] = '\0';
	name = strrchr(self, '/');
	*name++ = '\0';
	ck_assert_int_ge(dup(STDERR_FILENO), 0);	/* as a parent might leave one open */
	ck_assert_int_eq(loop_init(&loop, &e), 0);
	ck_assert_int_eq(helper_program_open(&program, self, name, &e), 0);
	memset(&t, 0, sizeof t);
	t.run.ops = &ops;
}

static void tear_down(void)
{
	helper_run_clear(&t.run);
	helper_run_clear(&t.run);
	prodd_buffer_clear(&t.taken);
	helper_program_close(&program);
	helper_program_close(&program);
	loop_clear(&loop);
	ck_assert_int_lt(waitpid(-1, NULL, WNOHANG), 0);	/* nobody is left to be reaped */
	ck_assert_int_eq(errno, ECHILD);
}

static void start(const char *what, size_t request_size, uint64_t deadline_ms)
{
	static char content[1024 * 1024];
	struct wire_source_file file = { .name = { "n", 1 }, .path = { "p", 1 }, .layer = { "default", 7 },
					 .content = { content, sizeof content } };
	struct wire_parse parse = { .app = { "x", 1 } };
	prodd_auto_buffer b = { 0 }, list = { 0 };
	struct prodd_error e;
	uint32_t count = 0;

	while (list.size < request_size)
		prodd_encode_element(&list, &count, &wire_record_source_file, &file);
	parse.files = prodd_list(&list, count);
	ck_assert_int_eq(prodd_frame_call(&b, 1, WIRE_M_parse, &parse), 0);
	program.name = what;
	ck_assert_msg(helper_run_start(&t.run, &loop, &program, &b, deadline_ms, &e) == 0, "%s", e.text);
	ck_assert_ptr_null(b.at);
}

static void run(const char *what, size_t request_size, uint64_t deadline_ms)
{
	struct prodd_error e;

	start(what, request_size, deadline_ms);
	ck_assert(!t.done);
	ck_assert_int_eq(loop_run(&loop, &e), 0);
	ck_assert(t.done);
}

START_TEST(an_answer_is_taken_from_a_helper_with_four_descriptors)
{
	run("helper-answer", 0, 20000);
	ck_assert_msg(t.answered, "%s", t.why.text);
	ck_assert_uint_eq(t.problems, 0);
}
END_TEST

START_TEST(large_requests_and_answers_pass_without_holding_the_loop)
{
	run("helper-large", 6 * 1024 * 1024, 20000);
	ck_assert_msg(t.answered, "%s", t.why.text);
	ck_assert_uint_gt(t.problems, 900);
}
END_TEST

static const struct { const char *what; uint64_t deadline_ms; const char *says; } failures[] = {
	{ "helper-crash", 20000, "signal 9" },
	{ "helper-status", 20000, "status 3" },
	{ "helper-deaf", 20000, "without an answer" },
	{ "helper-silent", 20000, "without an answer" },
	{ "helper-hang", 100, "within 100 ms" },
	{ "helper-answer-and-hang", 100, "within 100 ms" },
	{ "helper-close-and-hang", 100, "within 100 ms" },
	{ "helper-garbage", 20000, "nonsense" },
	{ "helper-half", 20000, "nonsense" },
	{ "helper-length", 20000, "nonsense" },
	{ "helper-note", 20000, "nonsense" },
	{ "helper-twice", 20000, "nonsense" },
	{ "helper-error", 20000, "no such thing" },
	{ "helper-flood", 20000, "answered more than" },
};

START_TEST(whatever_else_it_does_is_an_error_that_names_it)
{
	run(failures[_i].what, 0, failures[_i].deadline_ms);
	ck_assert(!t.answered);
	ck_assert_msg(strstr(t.why.text, failures[_i].says) != NULL, "%s", t.why.text);
	ck_assert_msg(strncmp(t.why.text, "helper-", 7) == 0, "%s", t.why.text);
}
END_TEST

START_TEST(a_large_request_to_a_deaf_helper_ends)
{
	run("helper-deaf", 6 * 1024 * 1024, 20000);
	ck_assert(!t.answered);
}
END_TEST

START_TEST(cleared_it_is_killed_and_reaped_and_tells_nobody)
{
	start("helper-hang", 0, 20000);
	helper_run_clear(&t.run);
	ck_assert(!t.done);
}
END_TEST

/* From here on pidfd_open(2) is not known, as before Linux 5.3. */
static void forget_pidfds(void)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_pidfd_open, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog filter = { sizeof code / sizeof *code, code };

	ck_assert_int_eq(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
	ck_assert_int_eq(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter), 0);
	ck_assert_int_lt(syscall(SYS_pidfd_open, getpid(), 0), 0);
}

START_TEST(without_pidfds_the_end_is_found_too)
{
	forget_pidfds();
	run("helper-answer", 0, 20000);
	ck_assert(t.answered);
	t.done = false;
	run("helper-hang", 0, 100);
	ck_assert(!t.answered);
	t.done = false;
	run("helper-crash", 0, 20000);
	ck_assert_ptr_nonnull(strstr(t.why.text, "signal 9"));
}
END_TEST

START_TEST(a_program_that_is_not_there_is_named)
{
	struct helper_program none;
	struct prodd_error e;

	ck_assert_int_eq(helper_program_open(&none, "/nowhere", "prodd-parse", &e), -PRODD_E_IO);
	ck_assert_ptr_nonnull(strstr(e.text, "/nowhere/prodd-parse"));
	ck_assert_int_eq(none.fd, -1);
}
END_TEST

static Suite *helper_suite(void)
{
	Suite *s = suite_create("helper");
	TCase *tc = tcase_create("helper");

	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_test(tc, an_answer_is_taken_from_a_helper_with_four_descriptors);
	tcase_add_test(tc, large_requests_and_answers_pass_without_holding_the_loop);
	tcase_add_loop_test(tc, whatever_else_it_does_is_an_error_that_names_it, 0, sizeof failures / sizeof *failures);
	tcase_add_test(tc, a_large_request_to_a_deaf_helper_ends);
	tcase_add_test(tc, cleared_it_is_killed_and_reaped_and_tells_nobody);
	tcase_add_test(tc, without_pidfds_the_end_is_found_too);
	tcase_add_test(tc, a_program_that_is_not_there_is_named);
	suite_add_tcase(s, tc);
	return s;
}

int main(int argc, char **argv)
{
	if (argc > 0 && strncmp(argv[0], "helper-", 7) == 0) {
		be(argv[0]);
		return 0;
	}
	if (suite_under_valgrind()) {
		puts("valgrind cannot start a program from a descriptor");
		return 77;
	}
	return suite_run(helper_suite());
}
