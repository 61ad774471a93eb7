/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Metrics as text, beside files written by hand (tests/unit/exposition/):
 * escapes, order, suffixes, buckets, what is left out; in slices of any size.
 */
#include "daemon/metric/text.h"

#include <math.h>
#include <stdio.h>

#include "daemon/util/file.h"
#include "tests/unit/fake_source.h"
#include "tests/unit/suite.h"

#include <fcntl.h>

#define CREATED UINT64_C(1700000000250000000)

static const double seconds[] = { 0.005, 1, 2500000 };
static const uint64_t seconds_counts[] = { 1, 2, 0, 4 };
static const double degrees[] = { -10, 0 };
static const uint64_t degrees_counts[] = { 1, 0, 1 };
static const uint64_t one_count[] = { 3 };

static const struct metric_sample bare[] = { { .value = 1 } };
static const struct metric_sample temperatures[] = {
	{ FAKE_LABELS("app=\"orders\",room=\"a\\\"b\\\\c\\nd\""), .value = -12.5 },
	{ FAKE_LABELS("app=\"orders\",room=\"oven\""), .value = INFINITY },
	{ FAKE_LABELS("app=\"orders\",room=\"void\""), .value = NAN },
};
static const struct metric_sample counters[] = {
	{ FAKE_LABELS("app=\"billing\""), .count = UINT64_MAX },
	{ FAKE_LABELS("app=\"orders\",code=\"200\""), .count = 7, .created_ns = CREATED },
	{ FAKE_LABELS("app=\"orders\",code=\"500\""), .value = 0.1, .real = true, .created_ns = CREATED },
	{ FAKE_LABELS("app=\"orders\",code=\"bad\""), .value = NAN, .real = true, .created_ns = CREATED },
	{ FAKE_LABELS("app=\"orders\",code=\"worse\""), .value = -1, .real = true },
};
static const struct metric_sample histograms[] = {
	{ FAKE_LABELS("app=\"orders\""), .count = 7, .value = 3.25, .buckets = seconds_counts, .bounds = seconds,
	  .bound_count = 3, .created_ns = CREATED },
	{ .count = 3, .value = -1, .buckets = one_count },
};
static const struct metric_sample degree_histograms[] = {
	{ .count = 2, .value = -3, .buckets = degrees_counts, .bounds = degrees, .bound_count = 2 },
};

static const struct fake_family families[] = {
	{ FAKE(GAUGE, "bare", "", ""), bare, 1, NULL },
	{ FAKE(GAUGE, "empty", "", "A family without samples is not named."), NULL, 0, NULL },
	{ FAKE(HISTOGRAM, "frost_degrees", "degrees", "Below zero."), degree_histograms, 1, NULL },
	{ FAKE(HISTOGRAM, "request_seconds", "seconds", "How long."), histograms, 2, NULL },
	{ FAKE(COUNTER, "sent_bytes_total", "bytes", "A \"quoted\" word, a back\\slash,\na second line."), counters, 5, NULL },
	{ FAKE(GAUGE, "temperature", "celsius", "A unit that is not in the name."), temperatures, 3, NULL },
};

static struct fake_source source;

static void set_up(void)
{
	fake_source_init(&source, families, sizeof families / sizeof *families);
}

static void render(enum text_format format, unsigned lines, struct prodd_buffer *ret)
{
	struct text_writer writer;
	struct prodd_error e;

	ck_assert_int_eq(text_begin(&writer, &source.source, prodd_slice(""), format, &e), 0);
	while (text_step(&writer, ret, lines))
		;
	text_sync(&writer);
	text_end(&writer);
	text_end(&writer);
	ck_assert_int_eq(ret->failed, 0);
	ck_assert_uint_eq(source.walks, 0);
}

static void read_expected(const char *name, struct prodd_buffer *ret)
{
	const char *top = getenv("srcdir");
	struct prodd_error e;
	char path[4096];

	snprintf(path, sizeof path, "%s/tests/unit/exposition/%s", top ? top : ".", name);
	ck_assert_msg(file_read(AT_FDCWD, path, 65536, ret, &e) == 0, "%s", e.text);
}

static void compare(enum text_format format, unsigned lines, const char *name)
{
	prodd_auto_buffer got = { .limit = 0 }, expected = { .limit = 0 };

	render(format, lines, &got);
	read_expected(name, &expected);
	prodd_buffer_append(&got, "", 1);
	prodd_buffer_append(&expected, "", 1);
	ck_assert_str_eq(got.at, expected.at);
}

START_TEST(prometheus_text_is_as_written_by_hand)
{
	for (unsigned lines = 1; lines < 40; lines++)
		compare(TEXT_PROMETHEUS, lines, "prometheus.txt");
	ck_assert_uint_eq(source.syncs, 39);
}
END_TEST

START_TEST(openmetrics_text_is_as_written_by_hand)
{
	for (unsigned lines = 1; lines < 40; lines++)
		compare(TEXT_OPENMETRICS, lines, "openmetrics.txt");
}
END_TEST

START_TEST(nothing_is_an_empty_text_or_its_end)
{
	prodd_auto_buffer prometheus = { .limit = 0 }, openmetrics = { .limit = 0 };

	source.count = 0;
	render(TEXT_PROMETHEUS, 10, &prometheus);
	render(TEXT_OPENMETRICS, 10, &openmetrics);
	ck_assert_uint_eq(prometheus.size, 0);
	ck_assert(prodd_slice_is(prodd_buffer_slice(&openmetrics), "# EOF\n"));
}
END_TEST

START_TEST(a_step_writes_what_it_was_asked_for)
{
	prodd_auto_buffer text = { .limit = 0 };
	struct text_writer writer;
	struct prodd_error e;
	unsigned steps = 0;

	text_begin(&writer, &source.source, prodd_slice(""), TEXT_PROMETHEUS, &e);
	for (size_t before = 0; text_step(&writer, &text, 1); before = text.size, steps++)
		ck_assert_uint_le(text.size - before, 600);	/* a head, or a histogram */
	text_end(&writer);
	ck_assert_uint_ge(steps, 15);
}
END_TEST

START_TEST(no_memory_is_told)
{
	prodd_auto_buffer text = { .limit = 300 };
	struct text_writer writer;
	struct prodd_error e;

	source.no_memory = true;
	ck_assert_int_eq(text_begin(&writer, &source.source, prodd_slice(""), TEXT_PROMETHEUS, &e), -PRODD_E_NO_MEMORY);
	text_end(&writer);
	source.no_memory = false;
	ck_assert_int_eq(text_begin(&writer, &source.source, prodd_slice(""), TEXT_PROMETHEUS, &e), 0);
	while (text_step(&writer, &text, 1))
		;
	ck_assert_int_eq(text.failed, -PRODD_E_TOO_LARGE);
	text_end(&writer);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("text");
	TCase *t = tcase_create("text");

	tcase_add_checked_fixture(t, set_up, NULL);
	tcase_add_test(t, prometheus_text_is_as_written_by_hand);
	tcase_add_test(t, openmetrics_text_is_as_written_by_hand);
	tcase_add_test(t, nothing_is_an_empty_text_or_its_end);
	tcase_add_test(t, a_step_writes_what_it_was_asked_for);
	tcase_add_test(t, no_memory_is_told);
	suite_add_tcase(s, t);
	return suite_run(s);
}
