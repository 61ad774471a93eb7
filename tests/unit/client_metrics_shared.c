/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The daemon gets the segment, in every session anew; without a memfd it is told
 * what is new, and nothing twice.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/client_app.h"
#include "tests/unit/client_counts.h"
#include "tests/unit/client_suite.h"

static struct peer peer;
static struct line line;
static struct app app;
static const char *const labels[] = { "method" };
static bool wants_no_segment;		/* none may come */

static void setup(void)
{
	peer_open(&peer);
	peer_listen(&peer);
	line.fd = line.passed = -1;
	wants_no_segment = false;
}

static void teardown(void)
{
	if (app.p)
		app_free(&app);
	line_close(&line);
	peer_close(&peer);
}

/* The next call of that method; others of the library's are answered. */
static void await(enum wire_method method)
{
	for (line_receive(&line); line.m.method != method; line_receive(&line)) {
		ck_assert_int_eq(line.m.type, PRODD_CALL);
		ck_assert(!wants_no_segment || line.m.method != WIRE_M_segment_attach);
		line_refuse(&line, PRODD_E_UNSUPPORTED);
	}
}

static void connect_again(void)
{
	line_close(&line);
	peer_accept(&peer, &line);
	line_greet(&line, NULL, "none");
}

/* Takes the segment that is attached, as the daemon would. */
static void take_segment(struct segment *ret, uint8_t uuid[16])
{
	const int seals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL;
	struct wire_segment_attach attach;
	struct prodd_error e;
	struct stat st;
	void *at;

	await(WIRE_M_segment_attach);
	ck_assert_int_eq(prodd_message_decode(&line.m, &wire_record_segment_attach, &attach, &e), 0);
	ck_assert_int_ge(line.passed, 0);
	ck_assert_int_eq(fstat(line.passed, &st), 0);
	ck_assert_uint_eq((uint64_t)st.st_size, attach.size);
	ck_assert_int_eq(fcntl(line.passed, F_GET_SEALS), seals | (fcntl(line.passed, F_GET_SEALS) & 0x20));
	at = mmap(NULL, attach.size, PROT_READ | PROT_WRITE, MAP_SHARED, line.passed, 0);
	ck_assert_ptr_ne(at, MAP_FAILED);
	ck_assert_msg(segment_attach(ret, at, attach.size, uuid, &e) == 0, "%s", e.text);
	ck_assert_uint_eq(attach.segment.size, 16);
	ck_assert_mem_eq(attach.segment.at, uuid, 16);
	line_answer(&line, &wire_record_empty, &(struct wire_empty){ 0 });
}

static void release(struct segment *s)
{
	munmap(s->base, segment_size(s->directory_size, s->cells, s->shards));
}

static uint64_t total(const struct segment *s, uint32_t cell)
{
	uint64_t sum = 0;

	for (uint32_t shard = 0; shard < s->shards; shard++)
		sum += atomic_load(segment_cell(s, cell) + (uint64_t)shard * s->cells);
	return sum;
}

static void start(enum way way)
{
	app_new(&app, &peer, way);
	app_start(&app);
	peer_accept(&peer, &line);
	line_greet(&line, NULL, "none");
}

/* ---- a segment */

START_TEST(the_segment_comes_with_each_session)
{
	struct prodd_counter *c;
	struct segment first, second;
	uint8_t uuid[16], again[16];

	app_new(&app, &peer, (enum way)_i);
	c = prodd_counter(app.p, "a_total", "A.");
	prodd_add(c, 5);
	app_start(&app);
	peer_accept(&peer, &line);
	line_greet(&line, NULL, "none");
	take_segment(&first, uuid);
	ck_assert_uint_eq(total(&first, 0), 5);
	prodd_inc(c);
	ck_assert_uint_eq(total(&first, 0), 6);
	ck_assert(line_is_quiet(&line, 50));
	connect_again();
	take_segment(&second, again);
	ck_assert_mem_eq(uuid, again, 16);
	prodd_inc(c);
	ck_assert_uint_eq(total(&first, 0), 7);
	ck_assert_uint_eq(total(&second, 0), 7);
	ck_assert_uint_eq(atomic_load(&first.head->closed), 0);
	app_free(&app);
	ck_assert_uint_eq(atomic_load(&first.head->closed), 1);
	release(&first);
	release(&second);
}
END_TEST

START_TEST(what_is_declared_late_is_shared_at_once)
{
	struct segment s;
	uint8_t uuid[16];
	int64_t before;

	start((enum way)_i);
	ck_assert(line_is_quiet(&line, 50));
	before = now_ms();
	prodd_inc(prodd_counter(app.p, "late_total", ""));
	take_segment(&s, uuid);
	ck_assert_int_lt(now_ms() - before, PRODD_NET_MS / 2);
	ck_assert_uint_eq(total(&s, 0), 1);
	prodd_add(prodd_counter(app.p, "later_total", ""), 3);
	ck_assert_uint_eq(total(&s, 1), 3);
	release(&s);
}
END_TEST

START_TEST(a_descriptor_that_the_program_closed_is_told)
{
	struct segment s;
	uint8_t uuid[16];

	app_new(&app, &peer, WITH_THREAD);
	prodd_inc(prodd_counter(app.p, "a_total", ""));
	app_start(&app);
	peer_accept(&peer, &line);
	line_greet(&line, NULL, "none");
	take_segment(&s, uuid);
	app_await_connected(&app, true);
	ck_assert_int_eq(close(app.p->metrics->segment.region.fd), 0);
	connect_again();
	ck_assert(line_is_quiet(&line, 100));
	prodd_inc(prodd_counter(app.p, "a_total", ""));
	ck_assert_uint_eq(total(&s, 0), 2);
	release(&s);
}
END_TEST

/* ---- pushes */

static void without_memfd(void)
{
	struct rlimit limit = { 65536, RLIM_INFINITY };

	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
	prodd_metric_unit(app.p, "wait_seconds", "seconds");
	prodd_counter(app.p, "a_total", "A.");
	limit.rlim_cur = RLIM_INFINITY;
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
	ck_assert_int_lt(app.p->metrics->segment.region.fd, 0);
}

struct pushed {
	unsigned families, series;
	uint64_t counter;		/* sum of what counters are added */
	double gauge;			/* the last one's value */
	unsigned gauges;
	uint64_t observations;
	double sum;
};

static void take_counts(struct pushed *p, const struct wire_push_series *series)
{
	struct prodd_cursor c = prodd_cursor(series->counts);
	uint32_t count;
	uint64_t value;
	double sum;

	ck_assert(prodd_cursor_array(&c, &count));
	while (count-- > 0) {
		ck_assert(prodd_cursor_uint(&c, &value));
		p->observations += value;
	}
	c = prodd_cursor(series->sum);
	ck_assert(prodd_cursor_float(&c, &sum));
	p->sum += sum;
}

static void take_series(struct pushed *p, const struct wire_push_family *family,
			const struct wire_push_series *series)
{
	struct prodd_cursor c = prodd_cursor(series->value);
	uint64_t value;

	p->series++;
	if (prodd_slice_is(family->type, "counter")) {
		ck_assert(prodd_cursor_uint(&c, &value));
		p->counter += value;
	} else if (prodd_slice_is(family->type, "gauge")) {
		ck_assert(prodd_cursor_float(&c, &p->gauge));
		ck_assert(prodd_slice_is(family->mode, "max"));
		p->gauges++;
	} else {
		ck_assert(prodd_slice_is(family->unit, "seconds"));
		take_counts(p, series);
	}
}

/* The push that is in line.m. */
static void take_push(struct pushed *p)
{
	struct wire_metric_push push;
	struct prodd_iter families;
	struct wire_push_family family;
	struct wire_push_series series;
	struct prodd_error e;

	ck_assert_msg(prodd_message_decode(&line.m, &wire_record_metric_push, &push, &e) == 0, "%s", e.text);
	for (families = prodd_iter(push.families);
	     prodd_next(&families, &wire_record_push_family, &family, &e) > 0; p->families++)
		for (struct prodd_iter it = prodd_iter(family.series);
		     prodd_next(&it, &wire_record_push_series, &series, &e) > 0;)
			take_series(p, &family, &series);
}

static void acknowledge(void)
{
	line_answer(&line, &wire_record_metric_pushed, &(struct wire_metric_pushed){ .taken = 1 });
}

/* The next push, acknowledged. */
static void pushed(struct pushed *p)
{
	await(WIRE_M_metric_push);
	take_push(p);
	acknowledge();
}

START_TEST(without_a_memfd_what_is_new_is_pushed)
{
	struct pushed p = { 0 };
	struct prodd_counter *c;
	struct prodd_gauge *g;
	struct prodd_histogram *h;

	app_new(&app, &peer, (enum way)_i);
	without_memfd();
	c = prodd_counter(app.p, "a_total", "A.");
	g = prodd_gauge(app.p, "depth", "", PRODD_GAUGE_MAX);
	h = prodd_histogram(app.p, "wait_seconds", "", NULL, 0);
	prodd_add(c, 5);
	app_start(&app);
	peer_accept(&peer, &line);
	line_greet(&line, NULL, "none");
	pushed(&p);
	ck_assert_uint_eq(p.counter, 5);
	ck_assert_uint_eq(p.series, 1);
	prodd_add(c, 2);
	prodd_gauge_set(g, 1.5);
	prodd_observe(h, 0.25);
	prodd_observe(h, 100);
	while (p.series < 4)
		pushed(&p);
	ck_assert_uint_eq(p.counter, 7);
	ck_assert(p.gauge >= 1.5 && p.gauge <= 1.5);
	ck_assert_uint_eq(p.observations, 2);
	ck_assert(p.sum >= 100.25 && p.sum <= 100.25);
	connect_again();
	pushed(&p);			/* the gauge alone: it was withdrawn */
	ck_assert_uint_eq(p.gauges, 2);
	ck_assert_uint_eq(p.series, 5);
}
END_TEST

START_TEST(a_push_without_an_answer_is_made_again)
{
	struct pushed p = { 0 };
	struct prodd_counter *c;

	app_new(&app, &peer, WITH_THREAD);
	without_memfd();
	c = prodd_counter(app.p, "a_total", "A.");
	prodd_add(c, 5);
	app_start(&app);
	peer_accept(&peer, &line);
	line_greet(&line, NULL, "none");
	await(WIRE_M_metric_push);
	prodd_add(c, 1);
	connect_again();
	pushed(&p);
	ck_assert_uint_eq(p.counter, 6);
	prodd_add(c, 1);
	pushed(&p);
	ck_assert_uint_eq(p.counter, 7);
	connect_again();
	prodd_add(c, 1);
	pushed(&p);
	ck_assert_uint_eq(p.counter, 8);
}
END_TEST

START_TEST(many_series_go_in_several_pushes)
{
	struct pushed p = { 0 };
	struct prodd_counter_family *f;
	char text[200];

	app_new(&app, &peer, WITH_THREAD);
	without_memfd();
	f = prodd_counter_family(app.p, "b_total", "B.", labels, 1);
	for (unsigned i = 0; i < 2100; i++) {
		snprintf(text, sizeof text, "%0150u", i);
		prodd_add(prodd_counter_with(f, text), i);
	}
	app_start(&app);
	peer_accept(&peer, &line);
	line_greet(&line, NULL, "none");
	while (p.series < 1999)
		pushed(&p);
	ck_assert_uint_eq(p.series, 1999);	/* with overflow, without b_total's 0 and a_total */
	ck_assert_uint_ge(p.families, 2);
	ck_assert_uint_eq(p.counter, 2099 * 2100 / 2);
}
END_TEST

START_TEST(what_was_counted_last_is_pushed_at_the_end)
{
	struct pushed p = { 0 };
	struct prodd_counter *c;

	app_new(&app, &peer, WITH_THREAD);
	without_memfd();
	c = prodd_counter(app.p, "a_total", "A.");
	prodd_add(c, 5);
	app_start(&app);
	peer_accept(&peer, &line);
	line_greet(&line, NULL, "none");
	await(WIRE_M_metric_push);
	take_push(&p);
	prodd_add(c, 2);
	app_free(&app);
	line_receive(&line);
	take_push(&p);
	ck_assert_uint_eq(p.counter, 7);
	line_expect_end(&line);
}
END_TEST

START_TEST(a_daemon_that_maps_nothing_is_pushed_to)
{
	struct pushed p = { 0 };

	app_new(&app, &peer, (enum way)_i);
	prodd_add(prodd_counter(app.p, "a_total", "A."), 5);
	app_start(&app);
	peer_accept(&peer, &line);
	line_greet(&line, NULL, "none");
	await(WIRE_M_segment_attach);
	line_refuse(&line, PRODD_E_OVER_LIMIT);
	pushed(&p);
	ck_assert_uint_eq(p.counter, 5);
	prodd_inc(prodd_counter(app.p, "a_total", "A."));
	connect_again();
	wants_no_segment = true;		/* what was pushed would count twice */
	await(WIRE_M_metric_push);
	take_push(&p);
	ck_assert_uint_eq(p.counter, 6);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("client_metrics_shared");
	TCase *tc = tcase_create("client_metrics_shared");

	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_loop_test(tc, the_segment_comes_with_each_session, 0, WAYS);
	tcase_add_loop_test(tc, what_is_declared_late_is_shared_at_once, 0, WAYS);
	tcase_add_test(tc, a_descriptor_that_the_program_closed_is_told);
	tcase_add_loop_test(tc, without_a_memfd_what_is_new_is_pushed, 0, WAYS);
	tcase_add_test(tc, a_push_without_an_answer_is_made_again);
	tcase_add_test(tc, many_series_go_in_several_pushes);
	tcase_add_test(tc, what_was_counted_last_is_pushed_at_the_end);
	tcase_add_loop_test(tc, a_daemon_that_maps_nothing_is_pushed_to, 0, WAYS);
	suite_add_tcase(s, tc);
	return client_suite_run(s);
}
