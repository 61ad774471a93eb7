/* SPDX-License-Identifier: Apache-2.0 */
/* What a program declares and counts is in the segment, as the daemon reads it; what it may not, nowhere. */
#include <math.h>

#include "client/clock.h"
#include "tests/unit/client_counts.h"
#include "tests/unit/client_suite.h"

static struct prodd *p;
static struct said said;

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

static uint64_t refused(void)
{
	return atomic_load(&p->metrics->segment.segment.head->refused);
}

static uint64_t not_a_number(void)
{
	return atomic_load(&p->metrics->segment.segment.head->not_a_number);
}

static const char *const method_code[] = { "method", "code" };
static const char *const get_200[counts_values_max] = { "GET", "200" };
static const char *const empty_ae[counts_values_max] = { "", "\xc3\xa4" };

/* ---- counting */

START_TEST(a_counter_counts_before_the_start)
{
	struct prodd_counter *c = prodd_counter(p, "orders_served_total", "Orders served.");

	ck_assert(count_of(p, "orders_served_total", NULL, false).found);
	ck_assert_uint_eq(counted(p, "orders_served_total"), 0);
	prodd_inc(c);
	prodd_add(c, 41);
	ck_assert_uint_eq(counted(p, "orders_served_total"), 42);
	ck_assert_ptr_eq(prodd_counter(p, "orders_served_total", "Other words."), c);
	ck_assert_uint_eq(said.lines, 0);
}
END_TEST

START_TEST(a_series_is_found_by_its_values)
{
	struct prodd_counter_family *f =
		prodd_counter_family(p, "requests_total", "Requests.", method_code, 2);
	struct prodd_counter *get = prodd_counter_with(f, "GET", "200");
	const char *const odd[] = { NULL, "\xc3\xa4" };

	ck_assert_ptr_eq(prodd_counter_with(f, "GET", "200"), get);
	ck_assert_ptr_ne(prodd_counter_with(f, "GET2", "00"), get);
	ck_assert_ptr_ne(prodd_counter_with(f, "200", "GET"), get);
	prodd_inc(get);
	prodd_add(prodd_counter_of(f, odd, 2), 7);
	ck_assert_ptr_eq(prodd_counter_with(f, "", "\xc3\xa4"), prodd_counter_of(f, odd, 2));
	ck_assert_uint_eq(count_of(p, "requests_total", get_200, false).cells[0], 1);
	ck_assert_uint_eq(count_of(p, "requests_total", empty_ae, false).cells[0], 7);
	ck_assert_uint_eq(count_series(p), 4);
	ck_assert_ptr_eq(prodd_counter_family(p, "requests_total", "", method_code, 2), f);
}
END_TEST

START_TEST(values_of_any_length_are_told_apart)
{
	struct prodd_counter_family *f = prodd_counter_family(p, "x_total", "", method_code, 1);
	char text[257] = "";
	struct prodd_counter *c[257];

	for (int i = 0; i <= 256; i++) {
		c[i] = prodd_counter_with(f, text);
		prodd_add(c[i], (uint64_t)i);
		if (i < 256)
			text[i] = 'x';
	}
	for (int i = 256; i >= 0; i--) {
		text[i] = '\0';
		ck_assert_ptr_eq(prodd_counter_with(f, text), c[i]);
		ck_assert_uint_eq(count_of(p, "x_total", (const char *const[4]){ text }, false).cells[0],
				  (uint64_t)i);
	}
}
END_TEST

START_TEST(a_gauge_has_a_value_and_a_time)
{
	struct prodd_gauge *g = prodd_gauge(p, "queue_depth", "Waiting.", PRODD_GAUGE_MAX);
	struct count c = count_of(p, "queue_depth", NULL, false);
	uint64_t before = (uint64_t)prodd_clock_ns();

	ck_assert(c.found && c.family.mode == SEGMENT_MAX && c.set_ns == 0);
	prodd_gauge_set(g, -1.5);
	prodd_gauge_add(g, 4);
	c = count_of(p, "queue_depth", NULL, false);
	ck_assert(c.value >= 2.5 && c.value <= 2.5);
	ck_assert_uint_ge(c.set_ns, before);
	ck_assert_uint_le(c.set_ns, (uint64_t)prodd_clock_ns());
}
END_TEST

START_TEST(what_is_no_number_is_refused_and_counted)
{
	struct prodd_gauge *g = prodd_gauge(p, "depth", "", PRODD_GAUGE_LAST);
	struct prodd_histogram *h = prodd_histogram(p, "wait", "", NULL, 0);

	prodd_gauge_set(g, NAN);
	prodd_gauge_add(g, NAN);
	ck_assert_uint_eq(count_of(p, "depth", NULL, false).set_ns, 0);
	prodd_observe(h, NAN);
	ck_assert_uint_eq(not_a_number(), 3);
	prodd_gauge_set(g, INFINITY);
	prodd_gauge_add(g, -INFINITY);
	ck_assert(isinf(count_of(p, "depth", NULL, false).value));
	prodd_observe(h, INFINITY);
	prodd_observe(h, -INFINITY);
	ck_assert_uint_eq(not_a_number(), 6);
	ck_assert_uint_eq(count_of(p, "wait", NULL, false).cells[0], 0);
	ck_assert_uint_eq(count_of(p, "wait", NULL, false).cells[11], 0);
	prodd_observe(h, 1.5e308);
	prodd_observe(h, 1.5e308);
	ck_assert_uint_eq(not_a_number(), 7);
	ck_assert_uint_eq(count_of(p, "wait", NULL, false).cells[11], 1);
}
END_TEST

START_TEST(an_observation_goes_into_the_first_bucket_that_holds_it)
{
	static const double bounds[] = { -1, 0, 0.5, 1e9 };
	static const struct {
		double value;
		unsigned bucket;
	} cases[] = {
		{ -1.5, 0 }, { -1, 0 },	  { -0.999, 1 }, { -0.0, 1 }, { 0, 1 },
		{ 5e-324, 2 }, { 0.5, 2 }, { 0.51, 3 },	 { 1e9, 3 },  { 1.1e9, 4 },
	};

	for (unsigned count = 1; count <= 4; count++) {
		char name[] = "h0";
		struct prodd_histogram *h;

		name[1] = (char)('0' + count);
		h = prodd_histogram(p, name, "", bounds, count);
		for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
			unsigned bucket = cases[i].bucket < count ? cases[i].bucket : count;
			uint64_t before = count_of(p, name, NULL, false).cells[bucket];

			prodd_observe(h, cases[i].value);
			ck_assert_msg(count_of(p, name, NULL, false).cells[bucket] == before + 1, "%g of %u",
				      cases[i].value, count);
		}
	}
}
END_TEST

START_TEST(a_histogram_sums_what_it_observes)
{
	struct prodd_histogram *h = prodd_histogram(p, "request_seconds", "", NULL, 0);
	struct count c;
	uint64_t all = 0;

	for (int i = 0; i < 100; i++)
		prodd_observe(h, i / 8.0);
	c = count_of(p, "request_seconds", NULL, false);
	ck_assert_uint_eq(c.family.bucket_count, 11);
	ck_assert(c.family.buckets[0] >= .005 && c.family.buckets[10] <= 10);
	for (unsigned i = 0; i <= c.family.bucket_count; i++)
		all += c.cells[i];
	ck_assert_uint_eq(all, 100);
	ck_assert(c.value >= 4950 / 8.0 && c.value <= 4950 / 8.0);
	ck_assert_uint_eq(c.cells[0], 1);
	ck_assert_uint_eq(c.cells[10], 40);	/* 5.125 to 10 */
	ck_assert_uint_eq(c.cells[11], 19);
}
END_TEST

START_TEST(a_unit_is_named_before_the_declaration)
{
	ck_assert_int_eq(prodd_metric_unit(p, "wait_seconds", "seconds"), 0);
	ck_assert_int_eq(prodd_metric_unit(p, "wait_seconds", "seconds"), 0);
	ck_assert_int_eq(prodd_metric_unit(p, "wait_seconds", "ms"), -PRODD_E_USAGE);
	prodd_observe(prodd_histogram(p, "wait_seconds", "", NULL, 0), 1);
	ck_assert_int_eq(prodd_metric_unit(p, "wait_seconds", "seconds"), 0);
	ck_assert_uint_eq(count_of(p, "wait_seconds", NULL, false).family.unit.size, 7);
	prodd_counter(p, "late_bytes_total", "");
	ck_assert_int_eq(prodd_metric_unit(p, "late_bytes_total", "bytes"), -PRODD_E_USAGE);
	ck_assert_int_eq(prodd_metric_unit(p, NULL, "bytes"), -PRODD_E_USAGE);
	ck_assert_int_eq(prodd_metric_unit(p, "x", "a_unit_of_more_than_thirty_two_bytes"), -PRODD_E_USAGE);
	ck_assert_uint_eq(said.lines, 0);
	ck_assert_int_eq(prodd_metric_unit(p, "wrong_total", "bytes"), 0);
	prodd_inc(prodd_counter(p, "wrong_total", ""));
	ck_assert_str_eq(said.last, "a metric counts into nothing: wrong_total: the name must have its unit "
				    "\"bytes\" before _total");
}
END_TEST

/* ---- what may not be */

START_TEST(a_bad_name_is_told_once_and_counts_nowhere)
{
	static const char *const many[17] = { "a" };
	static const double bounds[65];
	struct prodd_counter *c = prodd_counter(p, "orders", "Orders.");

	ck_assert_ptr_nonnull(c);
	prodd_inc(c);
	ck_assert_ptr_eq(prodd_counter(p, "orders", "Orders."), c);
	ck_assert_uint_eq(said.lines, 1);
	ck_assert_str_eq(said.last,
			 "a metric counts into nothing: orders: the name of a counter must end with _total");
	prodd_gauge_set(prodd_gauge(p, "a b", "", PRODD_GAUGE_LAST), 1);
	prodd_gauge_add(prodd_gauge(p, NULL, NULL, PRODD_GAUGE_LAST), 1);
	prodd_observe(prodd_histogram(p, "c d", "", NULL, 0), 1);
	prodd_inc(prodd_counter_with(prodd_counter_family(p, "x", "", method_code, 2), "a"));
	prodd_gauge_set(prodd_gauge_with(prodd_gauge_family(p, "x-", "", 9, method_code, 2), "a"), 1);
	prodd_observe(prodd_histogram_with(prodd_histogram_family(p, "h", "", NULL, 0, many, 17), "a"), NAN);
	prodd_observe(prodd_histogram(p, "h", "", bounds, 65), 1);
	ck_assert_str_eq(said.last, "a metric counts into nothing: h: 65 buckets, of at most 64");
	prodd_observe(prodd_histogram_with(prodd_histogram_family(p, "i", "", NULL, 9, NULL, 9), "a"), 1);
	ck_assert_str_eq(said.last, "metric i counts into nothing: 1 values for 0 labels");
	ck_assert_uint_eq(count_series(p), 0);
}
END_TEST

START_TEST(a_conflict_is_told_with_both_places)
{
	struct prodd_counter_family *f =
		prodd_counter_family(p, "requests_total", "Requests.", method_code, 2);
	struct prodd_counter *dead = prodd_counter(p, "requests_total", "All requests.");

	ck_assert_uint_eq(said.lines, 1);
	ck_assert_msg(strstr(said.last, "metric requests_total counts into nothing: it is a counter "
					"(\"All requests.\"), declared at ") == said.last, "%s", said.last);
	ck_assert_msg(strstr(said.last, "; before, it was a counter with labels method, code "
					"(\"Requests.\"), declared at "), "%s", said.last);
	prodd_inc(dead);
	prodd_inc(prodd_counter_with(f, "GET", "200"));
	ck_assert_uint_eq(count_of(p, "requests_total", get_200, false).cells[0], 1);
	ck_assert_uint_eq(count_series(p), 1);
}
END_TEST

START_TEST(places_are_those_of_the_callers)
{
	char *one, *two;

	prodd_gauge(p, "depth", "", PRODD_GAUGE_LAST);
	prodd_gauge(p, "depth", "", PRODD_GAUGE_SUM);
	one = strstr(said.last, "declared at ");
	ck_assert_ptr_nonnull(one);
	two = strstr(one + 1, "declared at ");
	ck_assert_ptr_nonnull(two);
	ck_assert_ptr_nonnull(strstr(one, "client_metrics+0x"));
	ck_assert_ptr_nonnull(strstr(two, "client_metrics+0x"));
	ck_assert(strncmp(one, two, strcspn(one, ";")) != 0);
}
END_TEST

START_TEST(conflicts_of_every_kind_are_found)
{
	static const double bounds[] = { 1, 2 };

	prodd_histogram(p, "wait", "", bounds, 2);
	prodd_histogram(p, "wait", "", bounds, 1);
	ck_assert_uint_eq(said.lines, 1);
	prodd_gauge(p, "wait", "", PRODD_GAUGE_LAST);
	ck_assert_uint_eq(said.lines, 2);
	prodd_gauge(p, "wait_count", "Of all.", PRODD_GAUGE_LAST);
	ck_assert_uint_eq(said.lines, 3);
	ck_assert_ptr_nonnull(
		strstr(said.last, "; \"wait\", whose samples have the same names, is a histogram"));
	prodd_gauge(p, "depth", "", PRODD_GAUGE_LAST);
	prodd_gauge(p, "depth", "", PRODD_GAUGE_EACH);
	ck_assert_uint_eq(said.lines, 4);
	ck_assert_uint_eq(count_series(p), 2);
}
END_TEST

START_TEST(a_wrong_number_of_values_counts_nowhere)
{
	struct prodd_counter_family *f = prodd_counter_family(p, "requests_total", "", method_code, 2);

	prodd_inc(prodd_counter_with(f, "GET"));
	prodd_inc(prodd_counter_with(f, "GET"));
	ck_assert_uint_eq(said.lines, 1);
	ck_assert_str_eq(said.last, "metric requests_total counts into nothing: 1 values for 2 labels");
	ck_assert_uint_eq(count_series(p), 0);
}
END_TEST

/* ---- limits */

START_TEST(series_over_the_limit_add_to_overflow)
{
	struct prodd_counter_family *f = prodd_counter_family(p, "requests_total", "", method_code, 1);
	struct prodd_counter_family *g = prodd_counter_family(p, "others_total", "", method_code, 1);
	char text[16];

	for (unsigned i = 0; i < 2500; i++) {
		snprintf(text, sizeof text, "user%u", i);
		prodd_add(prodd_counter_with(f, text), i);
	}
	ck_assert_uint_eq(counted_in_all(p, "requests_total"), 2499 * 2500 / 2);
	ck_assert_uint_eq(count_of(p, "requests_total", NULL, true).cells[0], (2000 + 2499) * 500 / 2);
	ck_assert_uint_eq(refused(), 500);
	ck_assert_uint_eq(said.lines, 1);
	ck_assert_str_eq(said.last, "metric requests_total: a series counts as overflow=\"true\": there are "
				    "2000 series already");
	prodd_inc(prodd_counter_with(g, "x"));
	ck_assert_uint_eq(count_of(p, "others_total", NULL, true).cells[0], 1);
	prodd_inc(prodd_counter(p, "alone_total", ""));
	ck_assert_str_eq(said.last,
			 "metric alone_total: a series counts into nothing: there are 2000 series already");
	ck_assert_uint_eq(count_series(p), 2002);
}
END_TEST

START_TEST(a_value_that_is_no_label_adds_to_overflow)
{
	struct prodd_gauge_family *f =
		prodd_gauge_family(p, "depth", "", PRODD_GAUGE_LAST, method_code, 1);
	char text[300];

	memset(text, 'x', sizeof text);
	text[257] = '\0';
	prodd_gauge_set(prodd_gauge_with(f, text), 5);
	ck_assert_ptr_eq(prodd_gauge_with(f, "\xff"), prodd_gauge_with(f, text));
	ck_assert(count_of(p, "depth", NULL, true).value >= 5);
	ck_assert_uint_eq(refused(), 3);
	ck_assert_uint_eq(said.lines, 1);
	ck_assert_str_eq(said.last, "metric depth: a series counts as overflow=\"true\": depth: label "
				    "\"method\": a value is text of at most 256 bytes");
}
END_TEST

START_TEST(full_memory_adds_to_overflow)
{
	struct prodd_histogram_family *f;
	double bounds[64];
	char text[257];
	unsigned i;

	for (i = 0; i < 64; i++)
		bounds[i] = i;
	f = prodd_histogram_family(p, "big", "", bounds, 64, method_code, 1);
	for (i = 0; i < 1500; i++) {
		snprintf(text, sizeof text, "%u", i);
		prodd_observe(prodd_histogram_with(f, text), 1.5);
	}
	ck_assert_uint_eq(refused() + count_series(p), 1500 + 1);
	ck_assert_uint_eq(count_of(p, "big", NULL, true).cells[2], refused());
	ck_assert_str_eq(said.last,
			 "metric big: a series counts as overflow=\"true\": memory for metrics is full");
	prodd_histogram(p, "more", "", bounds, 64);
	ck_assert_str_eq(said.last, "metric more counts into nothing: there are too many");
}
END_TEST

int main(void)
{
	Suite *s = suite_create("client_metrics");
	TCase *tc = tcase_create("client_metrics");

	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, a_counter_counts_before_the_start);
	tcase_add_test(tc, a_series_is_found_by_its_values);
	tcase_add_test(tc, values_of_any_length_are_told_apart);
	tcase_add_test(tc, a_gauge_has_a_value_and_a_time);
	tcase_add_test(tc, what_is_no_number_is_refused_and_counted);
	tcase_add_test(tc, an_observation_goes_into_the_first_bucket_that_holds_it);
	tcase_add_test(tc, a_histogram_sums_what_it_observes);
	tcase_add_test(tc, a_unit_is_named_before_the_declaration);
	tcase_add_test(tc, a_bad_name_is_told_once_and_counts_nowhere);
	tcase_add_test(tc, a_conflict_is_told_with_both_places);
	if (!suite_is_emulated())
		tcase_add_test(tc, places_are_those_of_the_callers);
	tcase_add_test(tc, conflicts_of_every_kind_are_found);
	tcase_add_test(tc, a_wrong_number_of_values_counts_nowhere);
	tcase_add_test(tc, series_over_the_limit_add_to_overflow);
	tcase_add_test(tc, a_value_that_is_no_label_adds_to_overflow);
	tcase_add_test(tc, full_memory_adds_to_overflow);
	suite_add_tcase(s, tc);
	return client_suite_run(s);
}
