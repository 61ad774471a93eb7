/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every single allocation fails once: parse_run() says so, or the process ends
 * by the hand of libconfig or regcomp(); but no other tree comes out than
 * without the failure, and nothing is called wrong that is right.
 */
#include "config.h"	/* _GNU_SOURCE */

#include <errno.h>
#include <stdatomic.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/parsing.h"

/* Which allocation fails, counted from now; negative: none. */
static atomic_long countdown = -1;

#if defined(__GLIBC__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
enum { can_fail = 1 };

#define EXPORT __attribute__((visibility("default")))

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *at, size_t size);
EXPORT void *malloc(size_t size);
EXPORT void *calloc(size_t count, size_t size);
EXPORT void *realloc(void *at, size_t size);

static bool fails_now(void)
{
	if (countdown < 0 || countdown-- > 0)
		return false;
	errno = ENOMEM;
	return true;
}

void *malloc(size_t size)
{
	return fails_now() ? NULL : __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
	return fails_now() ? NULL : __libc_calloc(count, size);
}

void *realloc(void *at, size_t size)
{
	return fails_now() ? NULL : __libc_realloc(at, size);
}
#else
enum { can_fail = 0 };
#endif

static const struct file files[] = {
	{ "schema.conf", "schema",
	  "keys = ( { key = \"a\"; type = \"string\"; default = \"x\"; pattern = \"^[a-z]*$\"; },\n"
	  "{ key = \"b.c\"; type = \"int\"; min = 1; max = 9; default = 3; help = \"h\"; },\n"
	  "{ key = \"d\"; type = \"enum\"; one_of = [ \"p\", \"q\" ]; },\n"
	  "{ key = \"e\"; type = \"list\"; } );" },
	{ "default.conf", "default", "a = \"abc\"; b: { c = 5; };\ne = [ \"one\", \"two\" ];\n" },
	{ "x.conf", "local", "d = \"q\"; a = \"def\" \"ghi\";\n" },
};

enum outcome { NOT_REACHED = 10, AS_EXPECTED, SAID_SO, OTHERWISE };

/* In a child, since libconfig may take the process with it. */
static enum outcome try_one(struct prodd_list list, const char *expected, long nth)
{
	struct wire_parse request = { .app = prodd_slice("orders"), .files = list };
	struct parse_result result;
	struct prodd_error e;
	bool reached;
	int r;

	countdown = nth;
	r = parse_run(&request, NULL, &result, &e);
	reached = countdown < 0;
	countdown = -1;
	if (r < 0)
		return r == -PRODD_E_NO_MEMORY ? SAID_SO : OTHERWISE;
	if (result.parsed.problems.count > 0 || strcmp(entries_text(result.parsed.entries), expected) != 0)
		return OTHERWISE;
	return reached ? AS_EXPECTED : NOT_REACHED;
}

START_TEST(failed_allocation_never_makes_another_tree)
{
	unsigned said = 0, crashed = 0;
	prodd_auto_buffer b = { 0 };
	struct prodd_list list = files_of(files, 3, &b);
	const char *expected;
	struct parsed p;

	p = run("orders", files, 3, none);
	ck_assert_str_eq(p.problems, "");
	expected = p.entries;
	for (long nth = 0;; nth++) {
		int status;
		pid_t child = fork();

		if (child == 0)
			_exit(try_one(list, expected, nth));
		ck_assert_int_eq(waitpid(child, &status, 0), child);
		ck_assert_msg(!WIFEXITED(status) || WEXITSTATUS(status) != OTHERWISE, "allocation %ld", nth);
		if (WIFEXITED(status) && WEXITSTATUS(status) == NOT_REACHED)
			break;
		said += WIFEXITED(status) && WEXITSTATUS(status) == SAID_SO;
		crashed += !WIFEXITED(status) || WEXITSTATUS(status) < NOT_REACHED;
	}
	printf("said so %u, ended by a library %u\n", said, crashed);
	ck_assert(!can_fail || said > 20);
	parse_result_clear(&p.result);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("parse_memory");
	TCase *t = tcase_create("parse_memory");

	tcase_set_timeout(t, 60);
	tcase_add_test(t, failed_allocation_never_makes_another_tree);
	suite_add_tcase(s, t);
	if (suite_under_valgrind()) {	/* it brings an allocator of its own */
		srunner_free(srunner_create(s));
		puts("skipped: under valgrind no allocation of this program's choice fails");
		return 77;
	}
	return suite_run(s);
}
