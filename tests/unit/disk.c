/* SPDX-License-Identifier: Apache-2.0 */
/* The disk thread and the loop: order, hand-over, the end; timers and the watch over long turns. */
#include "daemon/core/disk.h"

#include <pthread.h>
#include <stdlib.h>

#include "daemon/core/counters.h"
#include "daemon/util/clock.h"
#include "daemon/util/container.h"
#include "tests/unit/suite.h"

struct work {
	struct disk_job job;
	struct disk *disk;
	unsigned number;
	unsigned result;		/* made on the thread, read on the loop */
	pthread_t loop_thread;
	bool again;
};

static struct loop loop;
static unsigned runs, dones;

static void run(struct disk_job *job)
{
	struct work *w = container_of(job, struct work, job);

	ck_assert(!pthread_equal(pthread_self(), w->loop_thread));
	ck_assert_uint_eq(w->number, runs);
	runs++;
	w->result = w->number * 3;
}

static void done(struct disk_job *job)
{
	struct work *w = container_of(job, struct work, job);

	ck_assert(pthread_equal(pthread_self(), w->loop_thread));
	ck_assert(!job->queued);
	ck_assert_uint_eq(w->number, dones);
	ck_assert_uint_eq(w->result, w->number * 3);
	dones++;
	if (w->again) {
		w->again = false;
		w->number = 1000;
		disk_submit(w->disk, job);
	} else if (w->number == 1000) {
		loop_stop(&loop);
	}
}

/* The last one is submitted again, once. */
static void count_done(struct disk_job *job)
{
	struct work *w = container_of(job, struct work, job);

	dones++;
	if (!w->again)
		return;
	w->again = false;
	w->number = 100;
	disk_submit(w->disk, job);
}

static void set_up(void)
{
	struct prodd_error e;

	counters = (struct counters){ 0 };
	runs = dones = 0;
	ck_assert_int_eq(loop_init(&loop, &e), 0);
}

static void tear_down(void)
{
	loop_clear(&loop);
}

START_TEST(jobs_run_and_end_in_the_order_they_came)
{
	static struct work works[1000];
	struct prodd_error e;
	struct disk *disk;

	ck_assert_int_eq(disk_new(&disk, &loop, &e), 0);
	for (unsigned i = 0; i < 1000; i++) {
		works[i] = (struct work){ { .run = run, .done = done }, disk, i, 0, pthread_self(), i == 999 };
		disk_submit(disk, &works[i].job);
	}
	ck_assert_int_eq(loop_run(&loop, &e), 0);
	ck_assert_uint_eq(dones, 1001);
	ck_assert_ptr_null(disk_free(disk));
}
END_TEST

START_TEST(the_end_runs_what_is_queued_and_tells_nobody)
{
	static struct work works[100];
	struct prodd_error e;
	struct disk *disk;

	ck_assert_int_eq(disk_new(&disk, &loop, &e), 0);
	for (unsigned i = 0; i < 100; i++) {
		works[i] = (struct work){ { .run = run, .done = done }, disk, i, 0, pthread_self(), false };
		disk_submit(disk, &works[i].job);
	}
	disk_free(disk);
	ck_assert_uint_eq(runs, 100);
	ck_assert_uint_eq(dones, 0);
	ck_assert_ptr_null(disk_free(NULL));
}
END_TEST

START_TEST(finishing_calls_every_done_also_of_what_they_submit)
{
	static struct work works[1000];
	struct prodd_error e;
	struct disk *disk;

	ck_assert_int_eq(disk_new(&disk, &loop, &e), 0);
	disk_finish(disk);
	for (unsigned i = 0; i < 1000; i++) {
		works[i] = (struct work){ { .run = run, .done = done }, disk, i, 0, pthread_self(), i == 999 };
		disk_submit(disk, &works[i].job);
	}
	disk_finish(disk);
	ck_assert_uint_eq(dones, 1001);
	disk_finish(NULL);
	disk_free(disk);
}
END_TEST

START_TEST(the_end_may_wait_for_all_that_is_queued)
{
	static struct work works[100];
	struct prodd_error e;
	struct disk *disk;

	ck_assert_int_eq(disk_new(&disk, &loop, &e), 0);
	for (unsigned i = 0; i < 100; i++) {
		works[i] = (struct work){ { .run = run, .done = count_done }, disk, i, 0, pthread_self(), i == 99 };
		disk_submit(disk, &works[i].job);
	}
	disk_finish(disk);
	ck_assert_uint_eq(dones, 101);
	disk_finish(disk);
	disk_finish(NULL);
	disk_free(disk);
}
END_TEST

/* ---- the loop */

struct alarm {
	struct loop_timer timer;
	unsigned fired;
	uint64_t at_ms;
	uint64_t busy_us;
	bool stop;
};

static void fired(struct loop_timer *timer)
{
	struct alarm *a = container_of(timer, struct alarm, timer);
	uint64_t end = clock_monotonic_us() + a->busy_us;

	a->fired++;
	a->at_ms = clock_monotonic_ms();
	while (clock_monotonic_us() < end)
		;
	if (a->stop)
		loop_stop(&loop);
}

static void make(struct alarm *a)
{
	struct prodd_error e;

	ck_assert_int_eq(loop_timer_init(&a->timer, &loop, fired, &e), 0);
}

START_TEST(timers_fire_once_for_each_arming_and_not_before_their_time)
{
	struct alarm a = { 0 }, never = { 0 }, last = { .stop = true };
	uint64_t start = clock_monotonic_ms();
	struct prodd_error e;

	make(&a);
	make(&never);
	make(&last);
	loop_timer_arm(&a.timer, 1);
	loop_timer_arm(&a.timer, 20);	/* anew */
	loop_timer_arm(&never.timer, 10);
	ck_assert(loop_timer_armed(&never.timer));
	loop_timer_disarm(&never.timer);
	ck_assert(!loop_timer_armed(&never.timer));
	loop_timer_arm(&last.timer, 40);
	ck_assert_int_eq(loop_run(&loop, &e), 0);
	ck_assert_uint_eq(a.fired, 1);
	ck_assert_uint_ge(a.at_ms - start, 19);
	ck_assert_uint_eq(never.fired, 0);
	ck_assert(!loop_timer_armed(&a.timer));
	loop_timer_clear(&a.timer);
	loop_timer_clear(&a.timer);
	loop_timer_clear(&never.timer);
	loop_timer_clear(&last.timer);
	loop_timer_clear(&(struct loop_timer){ 0 });
}
END_TEST

START_TEST(soon_is_in_this_turn)
{
	struct alarm a = { .stop = true };
	struct prodd_error e;

	make(&a);
	loop_timer_arm(&a.timer, 60000);
	loop_timer_soon(&a.timer);
	loop_timer_soon(&a.timer);
	ck_assert_int_eq(loop_run(&loop, &e), 0);
	ck_assert_uint_eq(a.fired, 1);
	ck_assert(!loop_timer_armed(&a.timer));
	loop_timer_clear(&a.timer);
}
END_TEST

START_TEST(long_turns_are_counted_and_long_waits_are_not)
{
	struct alarm quick = { 0 }, slow = { .busy_us = 12000 }, last = { .stop = true };
	struct prodd_error e;

	make(&quick);
	make(&slow);
	make(&last);
	loop_timer_arm(&quick.timer, 30);
	loop_timer_arm(&slow.timer, 60);
	loop_timer_arm(&last.timer, 120);
	ck_assert_int_eq(loop_run(&loop, &e), 0);
	ck_assert_uint_eq(counters.loop_turns_long, 1);
	ck_assert_uint_ge(loop.longest_turn_us, 12000);
	loop_timer_clear(&quick.timer);
	loop_timer_clear(&slow.timer);
	loop_timer_clear(&last.timer);
}
END_TEST

START_TEST(a_test_drives_the_clocks)
{
	clock_test_set(5000);
	ck_assert_uint_eq(clock_monotonic_ms(), 5000);
	ck_assert_uint_eq(clock_monotonic_us(), 5000000);
	ck_assert_uint_eq(clock_boot_ms(), 5000);
	ck_assert_uint_eq(clock_wall_ms(), 5000);
	clock_test_set(0);
	ck_assert_uint_gt(clock_wall_ms(), 1500000000000);
}
END_TEST

static Suite *disk_suite(void)
{
	Suite *s = suite_create("disk");
	TCase *tc = tcase_create("disk");

	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_test(tc, jobs_run_and_end_in_the_order_they_came);
	tcase_add_test(tc, the_end_runs_what_is_queued_and_tells_nobody);
	tcase_add_test(tc, finishing_calls_every_done_also_of_what_they_submit);
	tcase_add_test(tc, the_end_may_wait_for_all_that_is_queued);
	tcase_add_test(tc, timers_fire_once_for_each_arming_and_not_before_their_time);
	tcase_add_test(tc, soon_is_in_this_turn);
	tcase_add_test(tc, long_turns_are_counted_and_long_waits_are_not);
	tcase_add_test(tc, a_test_drives_the_clocks);
	suite_add_tcase(s, tc);
	return s;
}

int main(void)
{
	return suite_run(disk_suite());
}
