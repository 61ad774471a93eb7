/* SPDX-License-Identifier: Apache-2.0 */
/* What may be declared, and what an error says about what may not. */
#include "proto/shm/family.h"

#include <math.h>

#include "tests/unit/families.h"
#include "tests/unit/suite.h"

/* ---- what may be declared */

static void refused(const struct segment_family *family, const char *why)
{
	struct prodd_error e = { 0 };

	ck_assert_int_eq(segment_check_family(family, &e), -PRODD_E_USAGE);
	ck_assert_str_eq(e.text, why);
}

START_TEST(names_and_kinds_are_checked)
{
	static const struct {
		unsigned type, mode;
		const char *name, *unit, *why;
	} bad[] = {
		{ 1, 0, "", "", "\"\": a name has letters, digits, _ and :, no digit first" },
		{ 1, 0, "1_total", "", "\"1_total\": a name has letters, digits, _ and :, no digit first" },
		{ 2, 0, "a-b", "", "\"a-b\": a name has letters, digits, _ and :, no digit first" },
		{ 2, 0, "a\xff", "", "\"a?\": a name has letters, digits, _ and :, no digit first" },
		{ 1, 0, "orders", "", "orders: the name of a counter must end with _total" },
		{ 1, 0, "_total", "", "_total: the name of a counter must end with _total" },
		{ 2, 0, "x_total", "", "x_total: only the name of a counter ends with _total" },
		{ 3, 0, "x_total", "", "x_total: only the name of a counter ends with _total" },
		{ 0, 0, "x", "", "x: there is no type 0" },
		{ 4, 0, "x", "", "x: there is no type 4" },
		{ 2, 5, "x", "", "x: there is no mode 5" },
		{ 1, 1, "x_total", "", "x_total: only a gauge has a mode" },
		{ 3, 2, "x", "", "x: only a gauge has a mode" },
		{ 1, 0, "x_total", "seconds",
		  "x_total: the name must have its unit \"seconds\" before _total" },
		{ 1, 0, "seconds_total", "seconds",
		  "seconds_total: the name must have its unit \"seconds\" before _total" },
		{ 2, 0, "x_total_bytes", "total",
		  "x_total_bytes: the name must have its unit \"total\" at its end" },
		{ 2, 0, "xbytes", "bytes", "xbytes: the name must have its unit \"bytes\" at its end" },
		{ 2, 0, "_bytes", "bytes", "_bytes: the name must have its unit \"bytes\" at its end" },
	};

	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct segment_family family = {
			.type = bad[i].type,
			.mode = bad[i].mode,
			.name = prodd_slice(bad[i].name),
			.unit = prodd_slice(bad[i].unit),
		};

		refused(&family, bad[i].why);
	}
}
END_TEST

START_TEST(good_names_pass)
{
	static const struct {
		unsigned type, mode;
		const char *name, *unit;
	} good[] = {
		{ 1, 0, "a_total", "" },       { 1, 0, ":x:Y9_total", "" },	    { 2, 4, "_", "" },
		{ 3, 0, "x_seconds", "seconds" }, { 1, 0, "x_bytes_total", "bytes" }, { 2, 1, "x_count", "" },
	};
	struct prodd_error e = { 0 };

	for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
		struct segment_family family = {
			.type = good[i].type,
			.mode = good[i].mode,
			.name = prodd_slice(good[i].name),
			.unit = prodd_slice(good[i].unit),
		};

		ck_assert_msg(segment_check_family(&family, &e) == 0, "%s", e.text);
	}
}
END_TEST

#define SHAPE "a name has letters, digits and _, no digit first, and at most 128 bytes"

START_TEST(labels_are_checked)
{
	static const struct {
		const char *label, *why;
	} bad[] = {
		{ "", "requests_total: label \"\": " SHAPE },
		{ "a:b", "requests_total: label \"a:b\": " SHAPE },
		{ "9", "requests_total: label \"9\": " SHAPE },
		{ "le", "requests_total: label \"le\": that name is prodd's to give" },
		{ "app", "requests_total: label \"app\": that name is prodd's to give" },
		{ "instance", "requests_total: label \"instance\": that name is prodd's to give" },
		{ "overflow", "requests_total: label \"overflow\": that name is prodd's to give" },
		{ "__name__", "requests_total: label \"__name__\": that name is prodd's to give" },
		{ "method", "requests_total: label \"method\" is there twice" },
	};
	struct segment_family family = requests();

	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		family.labels[1] = prodd_slice(bad[i].label);
		refused(&family, bad[i].why);
	}
	family.label_count = SEGMENT_LABELS_MAX + 1;
	refused(&family, "requests_total: 17 labels, of at most 16");
}
END_TEST

START_TEST(lengths_are_checked)
{
	static char text[1000];
	struct segment_family family = { .type = SEGMENT_GAUGE, .name = { text, SEGMENT_NAME_MAX + 1 } };
	struct prodd_error e;

	memset(text, 'x', sizeof text);
	ck_assert_int_eq(segment_check_family(&family, &e), -PRODD_E_USAGE);
	ck_assert_ptr_nonnull(strstr(e.text, "x...: the name is over 128 bytes"));
	family.name = prodd_slice("x");
	family.help = (struct prodd_slice){ text, SEGMENT_HELP_MAX + 1 };
	refused(&family, "x: the help is not text of at most 512 bytes");
	family.help = prodd_slice("\xff");
	refused(&family, "x: the help is not text of at most 512 bytes");
	family = requests();
	family.labels[1] = (struct prodd_slice){ text, SEGMENT_NAME_MAX + 1 };
	ck_assert_int_eq(segment_check_family(&family, &e), -PRODD_E_USAGE);
}
END_TEST

START_TEST(buckets_are_checked)
{
	static const double bad[][2] = { { 1, 1 },   { 2, 1 },	      { 0, NAN },
					 { NAN, 0 }, { 0, INFINITY }, { -INFINITY, 0 } };
	struct segment_family family = seconds();
	char why[128];

	family.bucket_count = 2;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		memcpy(family.buckets, bad[i], sizeof bad[i]);
		snprintf(why, sizeof why, "request_seconds: bucket %d: bounds are finite and ascending",
			 isfinite(bad[i][0]) ? 2 : 1);
		refused(&family, why);
	}
	family.bucket_count = SEGMENT_BUCKETS_MAX + 1;
	refused(&family, "request_seconds: 65 buckets, of at most 64");
	family = depth();
	family.bucket_count = 1;
	refused(&family, "queue_depth: only a histogram has buckets");
}
END_TEST

START_TEST(values_are_checked)
{
	static char text[SEGMENT_LABEL_VALUE_MAX + 1];
	struct segment_family family = requests();
	struct prodd_slice values[2] = { { "GET", 3 }, { "\xc3", 1 } };
	struct prodd_error e;

	ck_assert_int_eq(segment_check_values(&family, values, &e), -PRODD_E_USAGE);
	ck_assert_str_eq(e.text, "requests_total: label \"code\": a value is text of at most 256 bytes");
	memset(text, 'x', sizeof text);
	values[1] = (struct prodd_slice){ text, sizeof text };
	ck_assert_int_eq(segment_check_values(&family, values, &e), -PRODD_E_USAGE);
	values[1].size--;
	ck_assert_int_eq(segment_check_values(&family, values, &e), 0);
	values[0] = (struct prodd_slice){ "a\0b", 3 };
	ck_assert_int_eq(segment_check_values(&family, values, &e), -PRODD_E_USAGE);
	ck_assert_str_eq(e.text, "requests_total: label \"method\": a value is text of at most 256 bytes");
}
END_TEST

START_TEST(families_clash_by_the_names_of_their_samples)
{
	static const struct {
		unsigned type;
		const char *name;
		unsigned other_type;
		const char *other;
		bool clash;
	} pairs[] = {
		{ 1, "x_total", 2, "x", true },	       { 1, "x_total", 3, "x", true },
		{ 3, "x", 2, "x_count", true },	       { 3, "x", 2, "x_sum", true },
		{ 3, "x", 2, "x_bucket", true },       { 3, "x", 2, "x_created", true },
		{ 3, "x", 1, "x_count_total", true },  { 1, "x_total", 2, "x_created", true },
		{ 1, "x_total", 2, "x_count", false }, { 1, "x_total", 1, "y_total", false },
		{ 2, "x", 2, "x_count", false },       { 3, "x", 3, "x_y", false },
		{ 2, "ab", 2, "b", false },	       { 3, "x", 3, "x_count_count", false },
	};

	for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
		struct segment_family a = { .type = pairs[i].type, .name = prodd_slice(pairs[i].name) };
		struct segment_family b = { .type = pairs[i].other_type,
					    .name = prodd_slice(pairs[i].other) };

		ck_assert_msg(segment_clash(&a, &b) == pairs[i].clash, "%s, %s", a.name.at, b.name.at);
		ck_assert_msg(segment_clash(&b, &a) == pairs[i].clash, "%s, %s", b.name.at, a.name.at);
	}
}
END_TEST

START_TEST(a_difference_of_any_kind_is_seen)
{
	struct segment_family a = seconds(), b;

	b = a;
	b.help = prodd_slice("another");
	ck_assert(segment_same(&a, &b));
	b = a;
	b.unit = prodd_slice("");
	ck_assert(!segment_same(&a, &b));
	b = a;
	b.buckets[1] = 1;
	ck_assert(!segment_same(&a, &b));
	b = a;
	b.bucket_count = 2;
	ck_assert(!segment_same(&a, &b));
	b = a;
	b.type = SEGMENT_GAUGE;
	ck_assert(!segment_same(&a, &b));
	a = depth();
	b = a;
	b.mode = SEGMENT_MAX;
	ck_assert(!segment_same(&a, &b));
	a = requests();
	b = a;
	b.labels[1] = prodd_slice("status");
	ck_assert(!segment_same(&a, &b));
	b = a;
	b.label_count = 1;
	ck_assert(!segment_same(&a, &b));
}
END_TEST

int main(void)
{
	Suite *s = suite_create("family");
	TCase *tc = tcase_create("family");

	tcase_add_test(tc, names_and_kinds_are_checked);
	tcase_add_test(tc, good_names_pass);
	tcase_add_test(tc, labels_are_checked);
	tcase_add_test(tc, lengths_are_checked);
	tcase_add_test(tc, buckets_are_checked);
	tcase_add_test(tc, values_are_checked);
	tcase_add_test(tc, families_clash_by_the_names_of_their_samples);
	tcase_add_test(tc, a_difference_of_any_kind_is_seen);
	suite_add_tcase(s, tc);
	return suite_run(s);
}
