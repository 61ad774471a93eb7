/* SPDX-License-Identifier: Apache-2.0 */
/* prodd's own metrics and the apps' as one: order, joined families, names that are not the apps' to use. */
#include "daemon/metric/merge.h"
#include "daemon/metric/own.h"
#include "daemon/metric/text.h"

#include "daemon/core/counters.h"
#include "tests/unit/fake_source.h"
#include "tests/unit/suite.h"

static const struct metric_sample one[] = { { .value = 1, .count = 1 } };
static const struct metric_sample app[] = { { FAKE_LABELS("app=\"orders\""), .value = 2, .count = 2 } };

static const struct fake_family own_families[] = {
	{ FAKE(GAUGE, "process_open_fds", "", ""), one, 1, NULL },
	{ FAKE(COUNTER, "process_runs_total", "", ""), one, 1, NULL },
	{ FAKE(COUNTER, "prodd_scrapes_total", "", ""), one, 1, NULL },
};
static const struct fake_family app_families[] = {
	{ FAKE(GAUGE, "a", "", ""), app, 1, NULL },
	{ FAKE(GAUGE, "process_open_fds", "", "another help"), app, 1, NULL },
	{ FAKE(GAUGE, "process_runs_total", "", ""), app, 1, NULL },	/* prodd's is a counter */
	{ FAKE(COUNTER, "prodd_", "", ""), app, 1, NULL },
	{ FAKE(COUNTER, "prodd_scrapes_total", "", ""), app, 1, NULL },
	{ FAKE(GAUGE, "z", "", ""), app, 1, NULL },
};

static struct fake_source own, apps;
static struct merge merge;

static void set_up(void)
{
	fake_source_init(&own, own_families, 3);
	fake_source_init(&apps, app_families, 6);
	merge_init(&merge, &own.source, &apps.source);
	counters.families_hidden = 0;
}

static void expect(struct prodd_slice of, const char *expected)
{
	prodd_auto_buffer text = { .limit = 0 };
	struct text_writer writer;
	struct prodd_error e;

	ck_assert_int_eq(text_begin(&writer, &merge.source, of, TEXT_PROMETHEUS, &e), 0);
	while (text_step(&writer, &text, 1))
		;
	text_sync(&writer);
	text_end(&writer);
	prodd_buffer_append(&text, "", 1);
	ck_assert_str_eq(text.at, expected);
	ck_assert_uint_eq(own.walks + apps.walks, 0);
}

START_TEST(families_come_once_and_sorted)
{
	expect(prodd_slice(""), "# TYPE a gauge\na{app=\"orders\"} 2\n"
				"# TYPE process_open_fds gauge\nprocess_open_fds 1\nprocess_open_fds{app=\"orders\"} 2\n"
				"# TYPE process_runs_total counter\nprocess_runs_total 1\n"
				"# TYPE prodd_scrapes_total counter\nprodd_scrapes_total 1\n"
				"# TYPE z gauge\nz{app=\"orders\"} 2\n");
	ck_assert_uint_eq(counters.families_hidden, 3);
	ck_assert_uint_eq(own.syncs, 1);
	ck_assert_uint_eq(apps.syncs, 1);
}
END_TEST

START_TEST(one_apps_metrics_come_alone)
{
	apps.count = 1;
	expect(prodd_slice("orders"), "# TYPE a gauge\na{app=\"orders\"} 2\n");
	ck_assert_uint_eq(own.begun, 0);
}
END_TEST

START_TEST(either_side_may_be_empty_or_absent)
{
	own.count = apps.count = 0;
	expect(prodd_slice(""), "");
	apps.count = 1;
	expect(prodd_slice(""), "# TYPE a gauge\na{app=\"orders\"} 2\n");
	own.count = 1;
	merge_init(&merge, &own.source, NULL);
	expect(prodd_slice(""), "# TYPE process_open_fds gauge\nprocess_open_fds 1\n");
}
END_TEST

START_TEST(no_memory_on_either_side_is_told)
{
	own.no_memory = true;
	ck_assert_ptr_null(merge.source.ops->begin(&merge.source, prodd_slice("")));
	own.no_memory = false;
	apps.no_memory = true;
	ck_assert_ptr_null(merge.source.ops->begin(&merge.source, prodd_slice("")));
	ck_assert_uint_eq(own.walks + apps.walks, 0);
}
END_TEST

/* ---- prodd's own */

static void gather(struct own_figures *figures, struct own_sheet *sheet)
{
	(void)figures;
	own_value(sheet, OWN_LOG_RING, (struct own_labels){ { prodd_slice("b") } }, 0.5);
	own_value(sheet, OWN_LOG_RING, (struct own_labels){ { prodd_slice("a") } }, 0.25);
	own_count(sheet, OWN_LOG_DROPPED, (struct own_labels){ { prodd_slice("x\"y\\z\n"), prodd_slice("rate") } }, 7);
}

START_TEST(handed_in_figures_get_their_labels)
{
	struct own_figures figures = { .gather = gather };
	prodd_auto_buffer text = { .limit = 0 };
	struct text_writer writer;
	struct loop loop = { 0 };
	struct prodd_error e;
	struct own real;

	own_init(&real, &loop);
	own_add(&real, &figures);
	ck_assert_int_eq(text_begin(&writer, &real.source, prodd_slice(""), TEXT_PROMETHEUS, &e), 0);
	while (text_step(&writer, &text, 10))
		;
	text_end(&writer);
	prodd_buffer_append(&text, "", 1);
	ck_assert_ptr_nonnull(strstr(text.at, "\nprodd_log_ring_fill_ratio{app=\"b\"} 0.5\nprodd_log_ring_fill_ratio{app=\"a\"} 0.25\n"));
	ck_assert_ptr_nonnull(strstr(text.at, "\nprodd_log_dropped_total{app=\"x\\\"y\\\\z\\n\",reason=\"rate\"} 7\n"));
	ck_assert_ptr_nonnull(strstr(text.at, "\nprodd_build_info{version=\""));
}
END_TEST

START_TEST(names_are_as_they_must_be)
{
	for (unsigned i = 0; i < own_row_count; i++) {
		const struct metric_family *f = &own_rows[i].family;
		bool total = f->name.size > 6 && memcmp(f->name.at + f->name.size - 6, "_total", 6) == 0;

		ck_assert_msg(total == (f->type == METRIC_COUNTER), "%.*s", PRODD_SLICE(f->name));
		ck_assert_msg(f->help.size > 0 && f->help.at[f->help.size - 1] == '.', "%.*s", PRODD_SLICE(f->name));
		for (unsigned k = 0; k < i; k++)
			ck_assert_msg(!prodd_slice_equal(f->name, own_rows[k].family.name), "%.*s", PRODD_SLICE(f->name));
	}
}
END_TEST

int main(void)
{
	Suite *s = suite_create("merge_sources");
	TCase *t = tcase_create("merge_sources");

	tcase_add_checked_fixture(t, set_up, NULL);
	tcase_add_test(t, families_come_once_and_sorted);
	tcase_add_test(t, one_apps_metrics_come_alone);
	tcase_add_test(t, either_side_may_be_empty_or_absent);
	tcase_add_test(t, no_memory_on_either_side_is_told);
	tcase_add_test(t, handed_in_figures_get_their_labels);
	tcase_add_test(t, names_are_as_they_must_be);
	suite_add_tcase(s, t);
	return suite_run(s);
}
