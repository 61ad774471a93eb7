/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SIGKILL between any two instructions: a child counts, is read, folds and
 * renews, while this program steps through it and looks, every so many instructions, at the
 * ledger as the next prodd would find it. Whatever had been told then must be in it.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include "daemon/util/file.h"
#include "tests/unit/metric_rig.h"

#define APP "orders"
#define ROUNDS 6u
#define PARTS 4u
#define STEP_MAX 100u		/* instructions between two looks at the ledger */

/* Written by the child before it tells anybody, that is, when a walk has ended. */
struct told {
	_Atomic uint64_t count;
	_Atomic uint64_t counted;	/* by all processes: no ledger can have more */
	_Atomic uint64_t stepped;	/* the child is in a part that is stepped through */
	_Atomic uint64_t finished;
};

static struct told *told;
static uint64_t lag;			/* of the control: what is told is this much more */
static struct dice dice;

/* ---- the child */

/* One part of its work in so many is stepped through, for a step takes long. */
static void part_begins(void)
{
	if (dice_below(&dice, PARTS) > 0)
		return;
	told->stepped = 1;
	raise(SIGSTOP);
}

static void part_ends(void)
{
	told->stepped = 0;
}

static void read_out(void)
{
	struct metric_sample sample;

	if (rig_sample(APP, "served_total", NULL, &sample))
		told->count = sample.count + lag;
}

static void add(_Atomic uint64_t *cell, uint64_t n)
{
	told->counted += n;
	*cell += n;
}

static void work(void)
{
	struct process all[ROUNDS];
	_Atomic uint64_t *cells[ROUNDS];

	for (unsigned i = 0; i < ROUNDS; i++) {
		process_start(&all[i], "x");
		cells[i] = process_counter(&all[i], "served_total");
		process_counter(&all[i], "other_total");
		process_attach(&all[i], APP);
		for (unsigned j = 0; j < 6; j++) {
			add(cells[i], 1 + i);
			if (i > 0)
				add(cells[i - 1], 1);
			part_begins();
			read_out();
			rig_disk_step();
			part_ends();
		}
		if (i < 2)
			continue;
		part_begins();
		process_end(&all[i - 2]);
		ledger_tick(&rig_registry(APP)->ledger);
		part_ends();
	}
	told->finished = 1;
}

/* ---- the parent */

static const char *ledger_path(void)
{
	static char path[200];

	snprintf(path, sizeof path, "%s/metric/%s.ledger", rig.state, APP);
	return path;
}

/* What the next prodd finds: all that is folded, and all that was read last. -1: no ledger; -2: damaged. */
static int64_t found(void)
{
	prodd_auto_buffer bytes = { .limit = BOOK_SIZE_MAX };
	struct prodd_error e = { 0 };
	struct book_entry entry;
	uint64_t at = BOOK_HEAD;
	struct book book;
	int64_t sum = 0;
	int r;

	if (file_read(AT_FDCWD, ledger_path(), BOOK_SIZE_MAX, &bytes, &e) < 0)
		return -1;
	r = book_open(&book, bytes.at, bytes.size, &e);
	while (r >= 0 && (r = book_next(&book, &at, &entry, &e)) > 0)
		if (entry.record.kind == BOOK_SERIES || entry.record.kind == BOOK_READING)
			sum += (int64_t)entry.cells[0];
	if (r < 0)
		printf("damaged: %s\n", e.text);
	return r < 0 ? -2 : sum;
}

/* `told` is looked at first: the ledger may have gone on since, and the child stands still. */
static bool holds(unsigned look)
{
	int64_t least = (int64_t)told->count, most = (int64_t)told->counted, sum = found();
	bool good = sum != -2 && sum <= most && (least == 0 || sum >= least);

	if (!good)
		printf("at look %u: %lld in the ledger, %lld told, %lld counted\n", look, (long long)sum,
		       (long long)least, (long long)most);
	return good;
}

/* False: the child has ended. */
static bool step(pid_t child, unsigned instructions)
{
	int status;

	while (instructions-- > 0)
		if (ptrace(PTRACE_SINGLESTEP, child, NULL, NULL) < 0 || waitpid(child, &status, 0) < 0 ||
		    !WIFSTOPPED(status))
			return false;
	return true;
}

/* Both on one processor: a step is a switch there and back. */
static void share_a_processor(void)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(sched_getcpu(), &set);
	sched_setaffinity(0, sizeof set, &set);
}

/* -1: this may not be traced here. */
static pid_t start(void)
{
	pid_t child;
	int status;

	share_a_processor();
	child = fork();
	if (child == 0) {
		if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) < 0)
			_exit(77);
		raise(SIGSTOP);
		work();
		_exit(0);
	}
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	return WIFSTOPPED(status) ? child : -1;
}

/* Runs it to the next part that is stepped through. False: it has ended. */
static bool go_on(pid_t child)
{
	int status;

	return ptrace(PTRACE_CONT, child, NULL, NULL) == 0 && waitpid(child, &status, 0) == child &&
	       WIFSTOPPED(status);
}

/* Steps of another length each time, so that all places come up. */
static bool run_child(void)
{
	pid_t child = start();
	bool good = true;
	unsigned look = 0;

	if (child < 0)
		return true;
	while (good && go_on(child))
		while (good && told->stepped && step(child, 1 + dice_below(&dice, STEP_MAX)))
			good = holds(look++);
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	printf("%u looks, %s\n", look, told->finished ? "to the end" : "ended");
	return good;
}

static void set_up(void)
{
	rig_set_up();
	told = mmap(NULL, sizeof *told, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ck_assert_ptr_ne(told, MAP_FAILED);
	lag = 0;
}

static void tear_down(void)
{
	munmap(told, sizeof *told);
	rig_tear_down();
}

/* Sanitizers and valgrind make thousands of instructions of one. */
static bool may_step(void)
{
	const char *plain = getenv("PRODD_PLAIN");

	return !suite_under_valgrind() && (!plain || *plain == '1');
}

START_TEST(what_was_told_is_in_the_ledger_at_every_instruction)
{
	dice = dice_start("ledger_steps");
	if (may_step())
		ck_assert(run_child());
}
END_TEST

START_TEST(what_was_never_stored_is_missed)
{
	dice = dice_start("ledger_steps");
	lag = 1;
	if (may_step())
		ck_assert(!run_child() || !told->finished);
}
END_TEST

static Suite *steps_suite(void)
{
	Suite *s = suite_create("ledger_steps");
	TCase *tc = tcase_create("ledger_steps");

	tcase_set_timeout(tc, 100);
	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_test(tc, what_was_told_is_in_the_ledger_at_every_instruction);
	tcase_add_test(tc, what_was_never_stored_is_missed);
	suite_add_tcase(s, tc);
	return s;
}

int main(void)
{
	return suite_run(steps_suite());
}
