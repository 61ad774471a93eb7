/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Handles are good in a forked child, and count for it, from 0: in memory of its own, at
 * the same addresses, with the same series in the same cells.
 */
#include <pthread.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/client_app.h"
#include "tests/unit/client_counts.h"
#include "tests/unit/client_suite.h"

static struct prodd *p;
static struct said said;
static const char *const labels[] = { "n" };
static const char *const one[counts_values_max] = { "1" };
static const char *const two[counts_values_max] = { "2" };

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

/* In the child: no assertions, an exit status. */
static void needs(bool condition, int status)
{
	if (!condition)
		_exit(status);
}

static void reap(pid_t pid)
{
	int status;

	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0, "the child ended with %x", status);
}

static void read_uuid(uint8_t uuid[16])
{
	memcpy(uuid, p->metrics->segment.segment.head->uuid, 16);
}

struct handles {
	struct prodd_counter *plain, *one, *overflow;
	struct prodd_counter_family *family;
	struct prodd_gauge *gauge;
	struct prodd_histogram *histogram;
	uint8_t uuid[16];
};

static struct handles declare(void)
{
	struct handles h = { .plain = prodd_counter(p, "a_total", "A.") };

	h.family = prodd_counter_family(p, "b_total", "B.", labels, 1);
	h.one = prodd_counter_with(h.family, "1");
	h.overflow = prodd_counter_with(h.family, "\xff");
	h.gauge = prodd_gauge(p, "depth", "", PRODD_GAUGE_LAST);
	h.histogram = prodd_histogram(p, "wait", "", NULL, 0);
	read_uuid(h.uuid);
	return h;
}

static void count_all(const struct handles *h, uint64_t n)
{
	prodd_add(h->plain, n);
	prodd_add(h->one, n);
	prodd_add(h->overflow, n);
	prodd_gauge_set(h->gauge, (double)n);
	prodd_observe(h->histogram, (double)n);
}

static bool has_all(uint64_t n)
{
	return counted(p, "a_total") == n && count_of(p, "b_total", one, false).cells[0] == n &&
	       count_of(p, "b_total", NULL, true).cells[0] == n &&
	       (uint64_t)count_of(p, "depth", NULL, false).value == n &&
	       (uint64_t)count_of(p, "wait", NULL, false).value == n;
}

/* Before any call of the library's: increments are none. */
static void be_child(const struct handles *h, uint64_t n)
{
	uint8_t uuid[16];

	needs(has_all(0), 10);
	count_all(h, n);
	needs(has_all(n), 11);
	read_uuid(uuid);
	needs(memcmp(uuid, h->uuid, 16) != 0, 12);
	needs(prodd_counter(p, "a_total", "") == h->plain, 13);
	needs(prodd_counter_with(h->family, "1") == h->one, 14);
	needs(prodd_counter_with(h->family, "\xfe") == h->overflow, 15);
	prodd_add(prodd_counter_with(h->family, "2"), n);
	prodd_inc(prodd_counter(p, "new_total", ""));
	needs(count_of(p, "b_total", two, false).cells[0] == n && counted(p, "new_total") == 1, 16);
	needs(has_all(n), 17);
}

/* A child of the child. */
static void have_child(struct handles h)
{
	int status = -1;
	pid_t pid;

	read_uuid(h.uuid);
	pid = fork();
	if (pid == 0) {
		needs(counted(p, "new_total") == 0 && count_series(p) == 7, 18);
		be_child(&h, 9);
		_exit(0);
	}
	needs(waitpid(pid, &status, 0) == pid && status == 0, 19);
}

START_TEST(four_workers_count_each_for_itself)
{
	struct handles h = declare();
	pid_t pids[4];

	count_all(&h, 100);
	for (unsigned i = 0; i < 4; i++) {
		pids[i] = fork();
		if (pids[i] > 0)
			continue;
		be_child(&h, i + 1);
		if (i == 3)
			have_child(h);
		prodd_free(p);
		_exit(0);
	}
	for (int i = 0; i < 4; i++)
		reap(pids[i]);
	ck_assert(has_all(100));
	ck_assert_uint_eq(count_series(p), 5);
	ck_assert_uint_eq(atomic_load(&p->metrics->segment.segment.head->closed), 0);
}
END_TEST

START_TEST(a_child_has_the_limit_too)
{
	struct prodd_counter_family *f = prodd_counter_family(p, "b_total", "B.", labels, 1);
	char text[16];
	pid_t pid;

	for (unsigned i = 0; i < 1999; i++) {
		snprintf(text, sizeof text, "%u", i);
		prodd_inc(prodd_counter_with(f, text));
	}
	pid = fork();
	if (pid == 0) {
		prodd_inc(prodd_counter_with(f, "x"));
		prodd_inc(prodd_counter_with(f, "y"));
		prodd_inc(prodd_counter_with(f, "77"));
		needs(count_series(p) == 2001, 10);
		needs(count_of(p, "b_total", NULL, true).cells[0] == 1, 11);
		needs(prodd_counter_with(f, "1998") != NULL && said.lines == 1, 12);
		_exit(0);
	}
	reap(pid);
	ck_assert_uint_eq(count_series(p), 1999);
}
END_TEST

/* ---- forks at any moment */

static atomic_bool stop;

static void *declare_on(void *arg)
{
	struct prodd_counter_family *f = prodd_counter_family(p, "b_total", "B.", labels, 1);
	char text[32];

	(void)arg;
	for (unsigned i = 0; !atomic_load(&stop); i++) {
		snprintf(text, sizeof text, "%u", i / 100 % 1900);
		prodd_inc(prodd_counter_with(f, text));
		snprintf(text, sizeof text, "c%u_total", i % 50);
		prodd_inc(prodd_counter(p, text, "C."));
	}
	return NULL;
}

/* Whatever was half done: what is declared is whole, each once, and more can be. */
static void child_of_any_moment(void)
{
	struct prodd_counter_family *f;
	unsigned before;

	alarm(8);
	f = prodd_counter_family(p, "b_total", "B.", labels, 1);
	needs(f != NULL, 10);
	before = count_series(p);
	needs(count_of(p, "b_total", one, false).cells[0] == 0, 11);
	prodd_inc(prodd_counter_with(f, "1"));
	prodd_inc(prodd_counter_with(f, "of the child"));
	needs(count_of(p, "b_total", one, false).cells[0] == 1, 12);
	needs(count_series(p) >= before + 1 && count_series(p) <= before + 2, 13);
	_exit(0);
}

START_TEST(a_fork_at_any_moment_leaves_all_whole)
{
	pthread_t threads[2];

	for (int i = 0; i < 2; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, declare_on, NULL), 0);
	for (int i = 0; i < 40; i++) {
		pid_t pid = fork();

		if (pid == 0)
			child_of_any_moment();
		reap(pid);
	}
	atomic_store(&stop, true);
	for (int i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
}
END_TEST

/* ---- with a daemon */

static void take_segment(struct line *line, struct segment *ret, uint8_t uuid[16])
{
	struct wire_segment_attach attach;
	struct prodd_error e;
	void *at;

	for (line_receive(line); line->m.method != WIRE_M_segment_attach; line_receive(line))
		line_refuse(line, PRODD_E_UNSUPPORTED);
	ck_assert_int_eq(prodd_message_decode(&line->m, &wire_record_segment_attach, &attach, &e), 0);
	ck_assert_int_ge(line->passed, 0);
	at = mmap(NULL, attach.size, PROT_READ | PROT_WRITE, MAP_SHARED, line->passed, 0);
	ck_assert_ptr_ne(at, MAP_FAILED);
	ck_assert_int_eq(segment_attach(ret, at, attach.size, uuid, &e), 0);
	line_answer(line, &wire_record_empty, &(struct wire_empty){ 0 });
}

static uint64_t total(const struct segment *s, uint32_t cell)
{
	uint64_t sum = 0;

	for (uint32_t shard = 0; shard < s->shards; shard++)
		sum += atomic_load(segment_cell(s, cell) + (uint64_t)shard * s->cells);
	return sum;
}

START_TEST(a_child_shares_a_segment_of_its_own)
{
	struct segment parents, childs;
	uint8_t uuid[16], childs_uuid[16];
	struct line line, child;
	struct peer peer;
	struct app app;
	struct prodd_counter *c;
	pid_t pid;

	peer_open(&peer);
	peer_listen(&peer);
	app_new(&app, &peer, WITH_THREAD);
	c = prodd_counter(app.p, "a_total", "A.");
	prodd_add(c, 5);
	app_start(&app);
	peer_accept(&peer, &line);
	line_greet(&line, NULL, "none");
	take_segment(&line, &parents, uuid);
	pid = fork();
	if (pid == 0) {
		prodd_inc(c);
		prodd_is_connected(app.p);	/* any call */
		pause();
	}
	peer_accept(&peer, &child);
	line_greet(&child, NULL, "none");
	take_segment(&child, &childs, childs_uuid);
	ck_assert_mem_ne(uuid, childs_uuid, 16);
	ck_assert_uint_eq(childs.head->pid, (uint64_t)pid);
	ck_assert_int_eq(kill(pid, SIGKILL), 0);
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
	line_expect_end(&child);
	ck_assert_uint_eq(total(&childs, 0), 1);
	line_close(&child);
	prodd_inc(c);
	ck_assert_uint_eq(counted(app.p, "a_total"), 6);
	app_free(&app);
	ck_assert_uint_eq(atomic_load(&parents.head->closed), 1);
	line_close(&line);
	peer_close(&peer);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("metrics_fork");
	TCase *tc = tcase_create("metrics_fork");

	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, four_workers_count_each_for_itself);
	tcase_add_test(tc, a_child_has_the_limit_too);
	tcase_add_test(tc, a_fork_at_any_moment_leaves_all_whole);
	tcase_add_test(tc, a_child_shares_a_segment_of_its_own);
	suite_add_tcase(s, tc);
	return client_suite_run(s);
}
