/* SPDX-License-Identifier: Apache-2.0 */
/* Threads that count, look up and declare at the same time, and signals between: no increment is lost. */
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/time.h>

#include "tests/unit/client_counts.h"
#include "tests/unit/client_suite.h"

enum { threads = 6, rounds = 30000, series = 1600 };

static struct prodd *p;
static struct said said;
static const char *const labels[] = { "n" };

static void setup(void)
{
	said = (struct said){ 0 };
	p = prodd_new("orders");
	ck_assert_ptr_nonnull(p);
	ck_assert_int_eq(prodd_set_log(p, say_to, &said), 0);
}

static void teardown(void)
{
	prodd_free(p);
}

static pthread_barrier_t barrier;

static void run(void *(*body)(void *), unsigned count)
{
	pthread_t thread[threads];

	pthread_barrier_init(&barrier, NULL, count);
	for (size_t i = 0; i < count; i++)
		ck_assert_int_eq(pthread_create(&thread[i], NULL, body, (void *)i), 0);
	for (size_t i = 0; i < count; i++)
		ck_assert_int_eq(pthread_join(thread[i], NULL), 0);
	pthread_barrier_destroy(&barrier);
}

static void *increment(void *arg)
{
	struct prodd_counter *c = prodd_counter(p, "a_total", "A.");

	(void)arg;
	for (unsigned i = 0; i < rounds; i++)
		prodd_inc(c);
	return NULL;
}

START_TEST(no_increment_is_lost)
{
	run(increment, threads);
	ck_assert_uint_eq(counted(p, "a_total"), threads * rounds);
}
END_TEST

static atomic_uint arrived;

/* Two threads at a time meet the same new series: they wait for each other without sleeping. */
static void *look_up(void *arg)
{
	struct prodd_counter_family *f = prodd_counter_family(p, "b_total", "B.", labels, 1);
	char text[16];

	(void)arg;
	for (unsigned i = 0; i < series; i++) {
		snprintf(text, sizeof text, "%u", i);
		atomic_fetch_add(&arrived, 1);
		for (unsigned turns = 0; atomic_load(&arrived) < 2 * (i + 1); turns++)
			if (turns % 1000 == 999)
				sched_yield();
		prodd_inc(prodd_counter_with(f, text));
	}
	return NULL;
}

START_TEST(a_series_is_made_once)
{
	char text[16];

	run(look_up, 2);
	ck_assert_uint_eq(count_series(p), series);
	for (unsigned i = 0; i < series; i += series / 8) {
		const char *const values[counts_values_max] = { text };

		snprintf(text, sizeof text, "%u", i);
		ck_assert_uint_eq(count_of(p, "b_total", values, false).cells[0], 2);
	}
}
END_TEST

static void *observe(void *arg)
{
	struct prodd_histogram *h = prodd_histogram(p, "wait", "", NULL, 0);
	struct prodd_gauge *g = prodd_gauge(p, "depth", "", PRODD_GAUGE_SUM);

	(void)arg;
	pthread_barrier_wait(&barrier);
	for (unsigned i = 0; i < rounds * 4; i++) {
		prodd_observe(h, i % 8);
		prodd_gauge_add(g, 0.5);
	}
	return NULL;
}

START_TEST(sums_of_doubles_are_whole)
{
	const uint64_t each = threads * rounds * 4;
	struct count c;
	uint64_t all = 0;

	run(observe, threads);
	c = count_of(p, "wait", NULL, false);
	for (unsigned i = 0; i <= c.family.bucket_count; i++)
		all += c.cells[i];
	ck_assert_uint_eq(all, each);
	ck_assert_uint_eq((uint64_t)c.value, each / 8 * 28);
	ck_assert_uint_eq((uint64_t)(2 * count_of(p, "depth", NULL, false).value), each);
}
END_TEST

static void *declare(void *arg)
{
	size_t me = (size_t)arg;
	char name[32];

	for (unsigned i = 0; i < 100; i++) {
		snprintf(name, sizeof name, "c%u_total", (unsigned)(i + me) % 100);
		prodd_inc(prodd_counter(p, name, "C."));
		prodd_metric_unit(p, name, "");
	}
	return NULL;
}

START_TEST(a_name_is_declared_once)
{
	char name[32];

	run(declare, threads);
	ck_assert_uint_eq(count_series(p), 100);
	for (unsigned i = 0; i < 100; i++) {
		snprintf(name, sizeof name, "c%u_total", i);
		ck_assert_uint_eq(counted(p, name), threads);
	}
	ck_assert_uint_eq(said.lines, 0);
}
END_TEST

static void *go_over(void *arg)
{
	struct prodd_counter_family *f = prodd_counter_family(p, "d_total", "D.", labels, 1);
	size_t me = (size_t)arg;
	char text[16];

	for (unsigned i = 0; i < 500; i++) {
		snprintf(text, sizeof text, "%u", (unsigned)me * 500 + i);
		prodd_inc(prodd_counter_with(f, text));
	}
	return NULL;
}

START_TEST(the_limit_holds_for_all_threads_together)
{
	run(go_over, threads);
	ck_assert_uint_eq(count_series(p), 2001);
	ck_assert_uint_eq(count_of(p, "d_total", NULL, true).cells[0], threads * 500 - 2000);
}
END_TEST

static struct prodd_counter *interrupted;
static volatile sig_atomic_t signals;

static void on_alarm(int number)
{
	(void)number;
	signals++;
	prodd_inc(interrupted);
}

START_TEST(a_signal_handler_may_count)
{
	struct sigaction action = { .sa_handler = on_alarm, .sa_flags = SA_RESTART };
	struct itimerval every = { { 0, 50 }, { 0, 50 } }, never = { { 0 }, { 0 } };
	uint64_t counts = 0;

	interrupted = prodd_counter(p, "a_total", "A.");
	ck_assert_int_eq(sigaction(SIGALRM, &action, NULL), 0);
	ck_assert_int_eq(setitimer(ITIMER_REAL, &every, NULL), 0);
	while (signals < 200) {
		prodd_inc(interrupted);
		counts++;
	}
	ck_assert_int_eq(setitimer(ITIMER_REAL, &never, NULL), 0);
	ck_assert_uint_eq(counted(p, "a_total"), counts + (uint64_t)signals);
}
END_TEST

static void *choose(void *arg)
{
	unsigned *seen = arg;

	*seen = prodd_shard();
	return NULL;
}

START_TEST(threads_get_shards_by_turns)
{
	unsigned shard[8] = { 0 };
	pthread_t thread;

	for (int i = 0; i < 8; i++) {
		ck_assert_int_eq(pthread_create(&thread, NULL, choose, &shard[i]), 0);
		ck_assert_int_eq(pthread_join(thread, NULL), 0);
	}
	for (int i = 1; i < 8; i++)
		ck_assert_uint_eq(shard[i] % 64, (shard[i - 1] + 1) % 64);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("client_metrics_threads");
	TCase *tc = tcase_create("client_metrics_threads");

	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, no_increment_is_lost);
	tcase_add_test(tc, a_series_is_made_once);
	tcase_add_test(tc, sums_of_doubles_are_whole);
	tcase_add_test(tc, a_name_is_declared_once);
	tcase_add_test(tc, the_limit_holds_for_all_threads_together);
	tcase_add_test(tc, a_signal_handler_may_count);
	tcase_add_test(tc, threads_get_shards_by_turns);
	suite_add_tcase(s, tc);
	return client_suite_run(s);
}
