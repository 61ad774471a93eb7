/* SPDX-License-Identifier: Apache-2.0 */
/* What instances count, as one: sums, modes, conflicts, limits, and what is not believed. */
#include <math.h>

#include "daemon/core/counters.h"
#include "daemon/util/clock.h"
#include "tests/unit/metric_rig.h"

#define APP "orders"

static struct process one, two;

static void set_up(void)
{
	rig_set_up();
	process_start(&one, "1");
	process_start(&two, "2");
}

static void tear_down(void)
{
	rig_tear_down();
	process_free(&one);
	process_free(&two);
}

static void attach_both(void)
{
	process_attach(&one, APP);
	process_attach(&two, APP);
	rig_disk();
}

START_TEST(counters_are_sums_over_shards_instances_and_the_dead)
{
	_Atomic uint64_t *a = process_counter(&one, "served_total"),
			 *b = process_counter(&two, "served_total");

	*a = 3;
	*process_shard(&one, a, RIG_SHARDS - 1) = 4;
	*b = 10;
	attach_both();
	ck_assert_uint_eq(rig_count(APP, "served_total", NULL), 17);
	*a = 5;
	process_end(&one);
	ck_assert_uint_eq(rig_count(APP, "served_total", NULL), 19);
	ck_assert_uint_eq(counters.metric_segments_folded, 1);
	*a = 100;	/* nobody reads it any more */
	*b = 11;
	ck_assert_uint_eq(rig_count(APP, "served_total", NULL), 20);
}
END_TEST

START_TEST(a_series_is_there_before_its_first_increment_and_found_later)
{
	_Atomic uint64_t *late;

	attach_both();
	late = process_counter(&one, "late_total");
	ck_assert_uint_eq(rig_count(APP, "late_total", NULL), 0);	/* the walk itself looks */
	*late = 1;
	ck_assert_uint_eq(rig_count(APP, "late_total", NULL), 1);
}
END_TEST

START_TEST(what_is_not_plausible_changes_nothing)
{
	struct segment_family is =
		FAMILY(SEGMENT_HISTOGRAM, "took_seconds", .bucket_count = 1, .buckets = { 1.0 });
	_Atomic uint64_t *count = process_counter(&one, "served_total"),
			 *other = process_counter(&one, "other_total");
	_Atomic uint64_t *took = process_series(&one, process_family(&one, is), &is, NULL);
	_Atomic uint64_t *gauge = process_gauge(&one, "open", SEGMENT_LAST);
	struct metric_sample sample;

	*count = 7;
	*other = 1;
	took[0] = 2;
	took[2] = series_bits(1.5);
	process_set(gauge, 4, 1);
	attach_both();
	ck_assert_uint_eq(rig_count(APP, "served_total", NULL), 7);
	ck_assert_uint_eq(rig_count(APP, "took_seconds", NULL), 2);
	ck_assert_double_eq(rig_value(APP, "open", NULL), 4);

	*count = 6;
	ck_assert_uint_eq(rig_count(APP, "served_total", NULL), 7);
	ck_assert_uint_gt(counters.metric_readings_lower, 0);
	*count = UINT64_MAX;
	*process_shard(&one, count, 1) = UINT64_MAX;
	ck_assert_uint_eq(rig_count(APP, "served_total", NULL), 7);
	ck_assert_uint_gt(counters.metric_readings_wrong, 0);
	took[2] = series_bits(NAN);
	took[0] = 1;
	process_set(gauge, NAN, 2);
	ck_assert(rig_sample(APP, "took_seconds", NULL, &sample));
	ck_assert_uint_eq(sample.count, 2);
	ck_assert_double_eq(sample.value, 1.5);
	ck_assert_double_eq(rig_value(APP, "open", NULL), 4);
	took[2] = series_bits(-1.0);
	ck_assert_double_eq(rig_value(APP, "took_seconds", NULL), 1.5);
	ck_assert_uint_eq(rig_count(APP, "other_total", NULL), 1);
}
END_TEST

START_TEST(two_huge_counters_stay_at_the_end)
{
	_Atomic uint64_t *a = process_counter(&one, "served_total"),
			 *b = process_counter(&two, "served_total");
	struct process three;

	process_start(&three, "3");
	*a = *b = *process_counter(&three, "served_total") = INT64_MAX;
	attach_both();
	process_attach(&three, APP);
	ck_assert_uint_eq(rig_count(APP, "served_total", NULL), UINT64_MAX);
	process_end(&one);
	process_end(&three);
	ck_assert_uint_eq(rig_count(APP, "served_total", NULL), UINT64_MAX);
	process_free(&three);
}
END_TEST

START_TEST(a_histogram_counts_its_buckets)
{
	struct segment_family is =
		FAMILY(SEGMENT_HISTOGRAM, "took_seconds", .bucket_count = 2, .buckets = { 0.1, 1.0 });
	_Atomic uint64_t *a = process_series(&one, process_family(&one, is), &is, NULL);
	_Atomic uint64_t *b = process_series(&two, process_family(&two, is), &is, NULL);
	struct metric_sample sample;

	a[0] = 1;
	a[2] = 2;
	a[3] = series_bits(0.25);
	b[1] = 4;
	*process_shard(&two, b + 3, 2) = series_bits(2.5);
	attach_both();
	ck_assert(rig_sample(APP, "took_seconds", NULL, &sample));
	ck_assert_uint_eq(sample.count, 7);
	ck_assert_uint_eq(sample.bound_count, 2);
	ck_assert_uint_eq(sample.buckets[0], 1);
	ck_assert_uint_eq(sample.buckets[1], 4);
	ck_assert_uint_eq(sample.buckets[2], 2);
	ck_assert_double_eq(sample.value, 2.75);
}
END_TEST

/* 0.1 + 0.2 + 0.3 is not 0.3 + 0.2 + 0.1: folding changes the order. */
START_TEST(a_histograms_sum_does_not_sink_when_it_is_folded)
{
	struct segment_family is =
		FAMILY(SEGMENT_HISTOGRAM, "took_seconds", .bucket_count = 1, .buckets = { 1.0 });
	static const double values[] = { 0.1, 0.7, 1e15, 0.3, 1e-9, 0.2 };
	struct process all[6];
	double told = 0;

	for (unsigned i = 0; i < 6; i++) {
		process_start(&all[i], "x");
		process_series(&all[i], process_family(&all[i], is), &is, NULL)[2] = series_bits(values[i]);
		process_attach(&all[i], APP);
	}
	rig_disk();
	for (unsigned i = 0; i < 6; i++) {
		double now = rig_value(APP, "took_seconds", NULL);

		ck_assert_double_ge(now, told);
		told = now;
		process_end(&all[i]);
		rig_disk();
		process_free(&all[i]);
	}
	ck_assert_double_ge(rig_value(APP, "took_seconds", NULL), told);
}
END_TEST

/* ---- gauges */

static const struct { enum segment_mode mode; double told; } modes[] = {
	{ SEGMENT_LAST, 3 }, { SEGMENT_SUM, 8 }, { SEGMENT_MIN, 3 }, { SEGMENT_MAX, 5 },
};

START_TEST(gauges_become_one_by_their_mode)
{
	_Atomic uint64_t *a = process_gauge(&one, "open", modes[_i].mode);
	_Atomic uint64_t *b = process_gauge(&two, "open", modes[_i].mode);

	attach_both();
	ck_assert_double_eq(rig_value(APP, "open", NULL), 0);	/* nobody has set it */
	process_set(a, 5, 1000);
	ck_assert_double_eq(rig_value(APP, "open", NULL), 5);
	process_set(b, 3, 2000);
	ck_assert_double_eq(rig_value(APP, "open", NULL), modes[_i].told);
	process_end(&two);
	ck_assert_double_eq(rig_value(APP, "open", NULL), 5);
}
END_TEST

START_TEST(gauges_of_the_dead_are_gone)
{
	struct metric_sample sample;

	process_set(process_gauge(&one, "open", SEGMENT_EACH), 5, 1000);
	process_set(process_gauge(&two, "open", SEGMENT_EACH), 3, 2000);
	attach_both();
	ck_assert_double_eq(rig_value(APP, "open", "instance=\"1\""), 5);
	ck_assert_double_eq(rig_value(APP, "open", "instance=\"2\""), 3);
	process_end(&one);
	ck_assert(!rig_sample(APP, "open", "instance=\"1\"", &sample));
	ck_assert_double_eq(rig_value(APP, "open", "instance=\"2\""), 3);
	process_end(&two);
	ck_assert(!rig_sample(APP, "open", "instance=\"2\"", &sample));
	metric_look(rig.metric);
	ck_assert_uint_eq(rig_registry(APP)->series, 0);	/* their places are free */
}
END_TEST

START_TEST(a_gauge_from_the_future_is_of_now)
{
	_Atomic uint64_t *a = process_gauge(&one, "open", SEGMENT_LAST),
			 *b = process_gauge(&two, "open", SEGMENT_LAST);

	process_set(a, 5, UINT64_MAX);
	process_set(b, 3, 1);
	attach_both();
	ck_assert_double_eq(rig_value(APP, "open", NULL), 5);
	process_set(a, INFINITY, UINT64_MAX);
	ck_assert_double_eq(rig_value(APP, "open", NULL), INFINITY);
}
END_TEST

START_TEST(gauges_of_a_process_that_lost_contact_fade)
{
	struct metric_sample sample;

	clock_test_set(100000);
	process_set(process_gauge(&one, "open", SEGMENT_LAST), 5, 1000);
	*process_counter(&one, "served_total") = 3;
	attach_both();
	ck_assert_double_eq(rig_value(APP, "open", NULL), 5);
	clock_test_set(100000 + ATTACHMENT_GAUGES_MS);
	ck_assert(!rig_sample(APP, "open", NULL, &sample));
	ck_assert_uint_eq(rig_count(APP, "served_total", NULL), 3);
}
END_TEST

/* ---- declarations */

static const struct segment_family others[] = {
	FAMILY(SEGMENT_GAUGE, "took_seconds"),
	FAMILY(SEGMENT_HISTOGRAM, "took_seconds", .bucket_count = 1, .buckets = { 2.0 }),
	FAMILY(SEGMENT_HISTOGRAM, "took_seconds", .bucket_count = 1, .buckets = { 1.0 },
	       .unit = { "seconds", 7 }),
	FAMILY(SEGMENT_HISTOGRAM, "took_seconds", .bucket_count = 1, .buckets = { 1.0 }, .label_count = 1,
	       .labels = { { "a", 1 } }),
	FAMILY(SEGMENT_GAUGE, "took_seconds_sum"),
};

START_TEST(the_first_declaration_holds_while_it_is_used)
{
	struct segment_family is =
		FAMILY(SEGMENT_HISTOGRAM, "took_seconds", .bucket_count = 1, .buckets = { 1.0 });
	_Atomic uint64_t *a = process_series(&one, process_family(&one, is), &is, NULL);
	const char *const values[] = { "x" };
	_Atomic uint64_t *b = process_series(&two, process_family(&two, others[_i]), &others[_i], values);
	_Atomic uint64_t *good = process_counter(&two, "served_total");
	char name[64];
	struct process three;
	struct metric_sample sample;

	snprintf(name, sizeof name, "%.*s", PRODD_SLICE(others[_i].name));
	a[0] = 1;
	*b = 5;
	*good = 6;
	attach_both();
	ck_assert_uint_eq(rig_count(APP, "took_seconds", NULL), 1);
	ck_assert_uint_eq(counters.metric_conflicts, 1);
	ck_assert_uint_eq(counters.metric_families_refused, 1);
	ck_assert_uint_eq(counters.metric_entries_refused, 1);
	ck_assert_ptr_nonnull(
		strstr(rig_registry(APP)->refusal, "instance 1 declared it first, instance 2 otherwise"));
	ck_assert_uint_eq(rig_count(APP, "served_total", NULL), 6);
	process_end(&one);
	process_end(&two);
	metric_look(rig.metric);
	process_start(&three, "3");
	*process_series(&three, process_family(&three, others[_i]), &others[_i], values) = 9;
	process_attach(&three, APP);
	rig_disk();
	ck_assert(rig_sample(APP, name, others[_i].label_count ? "a=\"x\"" : NULL, &sample));
	rig_stop();
	rig_start();
	rig_disk();
	ck_assert_uint_eq(counters.metric_ledgers_damaged, 0);
	ck_assert_uint_eq(rig_count(APP, "served_total", NULL), 6);
	process_free(&three);
}
END_TEST

START_TEST(prodds_own_names_are_not_for_apps)
{
	process_counter(&one, "prodd_served_total");
	attach_both();
	ck_assert_uint_eq(counters.metric_families_refused, 1);
	ck_assert_ptr_nonnull(strstr(rig_registry(APP)->refusal, "prodd's own"));
}
END_TEST

static bool is_shown_to_all(const char *name, const char *app)
{
	struct metric_walk *walk = metric_source_ops.begin(&rig.metric->source, (struct prodd_slice){ 0 });
	struct metric_family family;
	struct metric_sample sample;
	char labels[64];
	bool shown = false;

	snprintf(labels, sizeof labels, "app=\"%s\"", app);
	while (metric_source_ops.family(walk, &family))
		while (metric_source_ops.sample(walk, &sample))
			shown |= prodd_slice_is(family.name, name) && prodd_slice_is(sample.labels, labels);
	metric_source_ops.end(walk);
	return shown;
}

START_TEST(over_all_apps_a_name_has_one_type)
{
	struct process three;

	process_start(&three, "3");
	*process_counter(&one, "open_total") = 1;
	process_set(process_gauge(&two, "open", SEGMENT_LAST), 2, 1);
	*process_counter(&three, "open_total") = 3;
	process_attach(&two, "squatter~mallory");	/* it was here first */
	process_attach(&one, APP);
	process_attach(&three, "billing");
	rig_disk();
	ck_assert(is_shown_to_all("open_total", APP));
	ck_assert(is_shown_to_all("open_total", "billing"));
	ck_assert(!is_shown_to_all("open", "squatter~mallory"));
	ck_assert_double_eq(rig_value("squatter~mallory", "open", NULL), 2);
	ck_assert_uint_eq(counters.metric_families_hidden, 1);
	process_end(&three);
	process_free(&three);
}
END_TEST

/* ---- limits */

START_TEST(over_the_limit_sums_stay_right)
{
	struct segment_family is =
		FAMILY(SEGMENT_COUNTER, "served_total", .label_count = 1, .labels = { { "user", 4 } });
	uint64_t sum = 0, told = 0;
	char text[16];
	int64_t number;

	rig_stop();
	rig.series_max = 10;
	rig_start();
	number = process_family(&one, is);
	for (unsigned i = 0; i < 50; i++) {
		const char *const values[] = { text };

		snprintf(text, sizeof text, "%u", i);
		*process_series(&one, number, &is, values) = i;
		sum += i;
	}
	*process_series(&one, number, &is, NULL) = 1000;	/* the library's own overflow series */
	*process_counter(&one, "alone_total") = 7;		/* has no other series to count into */
	process_attach(&one, APP);
	rig_disk();
	for (unsigned i = 0; i < 10; i++) {
		snprintf(text, sizeof text, "user=\"%u\"", i);
		told += rig_count(APP, "served_total", text);
	}
	ck_assert_uint_eq(told + rig_count(APP, "served_total", "overflow=\"true\""), sum + 1000);
	ck_assert_uint_eq(counters.metric_series_overflowed, 41);
	ck_assert_uint_eq(rig_count(APP, "alone_total", NULL), 7);
	/* a higher limit changes nothing of what is in the sum already */
	rig_stop();
	rig.series_max = 100;
	rig_start();
	process_attach(&one, APP);
	told = rig_count(APP, "served_total", "overflow=\"true\"");
	for (unsigned i = 0; i < 50; i++) {
		struct metric_sample sample;

		snprintf(text, sizeof text, "user=\"%u\"", i);
		told += rig_sample(APP, "served_total", text, &sample) ? sample.count : 0;
	}
	ck_assert_uint_eq(told, sum + 1000);
}
END_TEST

START_TEST(a_uids_separate_names_are_few_and_small)
{
	struct segment_family is = FAMILY(SEGMENT_GAUGE, "open", .label_count = 1, .labels = { { "a", 1 } });
	struct prodd_error e = { 0 };
	struct registry *registry = NULL;
	char text[SEGMENT_LABEL_VALUE_MAX + 1];
	struct family *family;
	unsigned series = 0;

	for (unsigned i = 0; i < TENANT_APPS_MAX; i++) {
		snprintf(text, sizeof text, "app%u~eve", i);
		registry = metric_registry(rig.metric, text, 1000, &e);
		ck_assert_ptr_nonnull(registry);
		if (registry_declare(registry, &is, "1", &family, &e) < 0) {
			ck_assert_int_eq(e.code, PRODD_E_OVER_LIMIT);	/* the bytes are used up */
			continue;
		}
		for (unsigned j = 0; j < 2000; j++) {
			struct prodd_slice value = { text, SEGMENT_LABEL_VALUE_MAX };
			struct series *made;

			memset(text, 'x', sizeof text);
			snprintf(text, sizeof text, "%0*u", (int)SEGMENT_LABEL_VALUE_MAX, j);
			made = registry_series(registry, family, &value, 1, 1);
			series += made && made != family->overflow;
		}
	}
	ck_assert_ptr_null(metric_registry(rig.metric, "more~eve", 1000, &e));
	ck_assert_int_eq(e.code, PRODD_E_OVER_LIMIT);
	ck_assert_ptr_nonnull(metric_registry(rig.metric, "more~adam", 1001, &e));
	ck_assert_uint_le(series, TENANT_BYTES_MAX / SEGMENT_LABEL_VALUE_MAX / 2);
	ck_assert_uint_gt(series, 1000);
}
END_TEST

START_TEST(a_damaged_directory_is_read_no_further)
{
	_Atomic uint64_t *good = process_counter(&one, "served_total");
	uint64_t at = one.writer.at;

	*process_counter(&one, "later_total") = 1;
	*good = 3;
	memset(one.writer.base + one.writer.directory_at + at, 0xff, 16);
	*process_counter(&two, "other_total") = 4;
	attach_both();
	ck_assert_uint_eq(rig_count(APP, "served_total", NULL), 3);
	ck_assert_uint_eq(counters.metric_directories_damaged, 1);
	*good = 5;
	ck_assert_uint_eq(rig_count(APP, "served_total", NULL), 5);
	ck_assert_uint_eq(counters.metric_directories_damaged, 1);
	process_end(&one);
	ck_assert_uint_eq(rig_count(APP, "served_total", NULL), 5);
	ck_assert_uint_eq(rig_count(APP, "other_total", NULL), 4);
}
END_TEST

static Suite *registry_suite(void)
{
	Suite *s = suite_create("metric_registry");
	TCase *tc = tcase_create("metric_registry");

	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_test(tc, counters_are_sums_over_shards_instances_and_the_dead);
	tcase_add_test(tc, a_series_is_there_before_its_first_increment_and_found_later);
	tcase_add_test(tc, what_is_not_plausible_changes_nothing);
	tcase_add_test(tc, two_huge_counters_stay_at_the_end);
	tcase_add_test(tc, a_histogram_counts_its_buckets);
	tcase_add_test(tc, a_histograms_sum_does_not_sink_when_it_is_folded);
	tcase_add_loop_test(tc, gauges_become_one_by_their_mode, 0, 4);
	tcase_add_test(tc, gauges_of_the_dead_are_gone);
	tcase_add_test(tc, a_gauge_from_the_future_is_of_now);
	tcase_add_test(tc, gauges_of_a_process_that_lost_contact_fade);
	tcase_add_loop_test(tc, the_first_declaration_holds_while_it_is_used, 0, 5);
	tcase_add_test(tc, prodds_own_names_are_not_for_apps);
	tcase_add_test(tc, over_all_apps_a_name_has_one_type);
	tcase_add_test(tc, over_the_limit_sums_stay_right);
	tcase_add_test(tc, a_uids_separate_names_are_few_and_small);
	tcase_add_test(tc, a_damaged_directory_is_read_no_further);
	suite_add_tcase(s, tc);
	return s;
}

int main(void)
{
	return suite_run(registry_suite());
}
