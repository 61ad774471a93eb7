/* SPDX-License-Identifier: Apache-2.0 */
/* Records on their way to the disk thread: what goes in comes out, in pieces and with numbers; and how processes end. */
#include "daemon/log/batch.h"

#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "daemon/log/death.h"
#include "tests/unit/suite.h"

static const struct origin origin = { .instance = { "8080", 4 }, .pid = 4711, .uid = 1000 };

static void fill(struct batch *batch, unsigned count)
{
	char text[32];

	for (unsigned i = 0; i < count; i++) {
		snprintf(text, sizeof text, "record %u", i);
		ck_assert(batch_add(batch, &origin, prodd_slice(text)));
	}
}

static void check(const struct spool_record *record, unsigned i)
{
	struct prodd_cursor c = prodd_cursor(record->origin);
	struct origin got;
	char text[32];

	snprintf(text, sizeof text, "record %u", i);
	ck_assert(prodd_slice_is(record->record, text));
	ck_assert(origin_take(&c, &got));
	ck_assert(prodd_slice_is(got.instance, "8080"));
	ck_assert_uint_eq(got.pid, 4711);
}

START_TEST(what_goes_in_comes_out_with_numbers)
{
	struct spool_record records[7];
	struct batch_at at = { 0 };
	struct batch batch;
	unsigned count, seen = 0;

	batch_init(&batch);
	fill(&batch, 1000);
	while ((count = batch_peek(&batch, &at, records, 7)) > 0) {
		for (unsigned i = 0; i < count; i++)
			check(&records[i], seen + i);
		batch_pass(&batch, &at, count - 1, 5000 + seen);	/* the last one is tried again */
		if (count == 1)
			batch_pass(&batch, &at, 1, 5000 + seen);
		seen += count == 1 ? 1 : count - 1;
	}
	ck_assert_uint_eq(seen, 1000);
	at = (struct batch_at){ 0 };
	for (seen = 0; batch_peek(&batch, &at, records, 1) > 0; batch_pass(&batch, &at, 1, records->number), seen++)
		ck_assert_uint_eq(records->number, 5000 + seen);
	ck_assert_uint_eq(seen, 1000);
	batch_clear(&batch);
}
END_TEST

START_TEST(too_much_is_refused_and_changes_nothing)
{
	static char large[1024 * 1024];
	struct spool_record record;
	struct batch_at at = { 0 };
	struct batch batch;
	unsigned count = 0;

	batch_init(&batch);
	fill(&batch, 1);
	while (batch_add(&batch, &origin, (struct prodd_slice){ large, sizeof large }))
		count++;
	ck_assert_uint_eq(count, 3);
	ck_assert_uint_eq(batch.count, 4);
	ck_assert(batch_add(&batch, &origin, prodd_slice("small")));
	ck_assert_uint_eq(batch_peek(&batch, &at, &record, 1), 1);
	check(&record, 0);
	batch_reset(&batch);
	ck_assert_uint_eq(batch.count, 0);
	fill(&batch, 3);
	batch_reset(&batch);
	ck_assert_uint_gt(batch.bytes.capacity, 1024 * 1024);
	batch_trim(&batch);
	ck_assert_uint_eq(batch.bytes.capacity, 0);
	fill(&batch, 3);
	batch_reset(&batch);
	batch_trim(&batch);
	ck_assert_uint_gt(batch.bytes.capacity, 0);
	batch_clear(&batch);
}
END_TEST

/* ---- deaths */

static int pidfd_of(pid_t pid)
{
	int fd = (int)syscall(SYS_pidfd_open, pid, 0);

	ck_assert_int_ge(fd, 0);
	return fd;
}

static void expect_death(int number, const char *word)
{
	char said[DEATH_WORD_MAX];
	unsigned long long started;
	pid_t pid = fork();
	siginfo_t info;
	int fd;

	if (pid == 0) {
		pause();
		_exit(99);
	}
	fd = pidfd_of(pid);
	started = death_started(pid);
	ck_assert_uint_gt(started, 0);
	ck_assert(!death_has_come(fd));
	kill(pid, number);
	ck_assert_int_eq(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
	ck_assert(death_has_come(fd));
	death_word(fd, pid, started, said);
	ck_assert_str_eq(said, word);
	death_word(-1, pid, started + 1, said);		/* another process of that number */
	ck_assert_str_eq(said, "unknown");
	waitpid(pid, NULL, 0);
	close(fd);
}

static void on_signal(int number)
{
	_exit(number == SIGUSR1 ? 3 : 4);
}

START_TEST(the_kernel_tells_how_a_process_ended)
{
	expect_death(SIGKILL, "SIGKILL");
	signal(SIGUSR1, on_signal);
	expect_death(SIGUSR1, "exit 3");
	signal(SIGUSR1, SIG_DFL);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("batch");
	TCase *tc = tcase_create("batch");

	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, what_goes_in_comes_out_with_numbers);
	tcase_add_test(tc, too_much_is_refused_and_changes_nothing);
	if (!suite_under_valgrind())	/* which knows no pidfd_open */
		tcase_add_test(tc, the_kernel_tells_how_a_process_ended);
	suite_add_tcase(s, tc);
	return suite_run(s);
}
