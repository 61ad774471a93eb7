/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers as text: each reads back as itself, and no shorter text does. */
#include "daemon/metric/number.h"

#include <float.h>
#include <math.h>
#include <stdio.h>

#include "tests/unit/suite.h"

static char text[NUMBER_MAX + 1];

static const char *real(double value)
{
	memset(text, '#', sizeof text);
	text[number_real(text, value)] = '\0';
	return text;
}

static const char *bound(double value)
{
	text[number_bound(text, value)] = '\0';
	return text;
}

static const char *whole(uint64_t value)
{
	text[number_uint(text, value)] = '\0';
	return text;
}

START_TEST(whole_numbers_have_their_digits)
{
	char expected[32];

	ck_assert_str_eq(whole(0), "0");
	ck_assert_str_eq(whole(UINT64_MAX), "18446744073709551615");
	for (uint64_t power = 1; power <= UINT64_MAX / 10; power *= 10)
		for (uint64_t value = power - 1; value <= power + 1; value++) {
			snprintf(expected, sizeof expected, "%llu", (unsigned long long)value);
			ck_assert_str_eq(whole(value), expected);
		}
}
END_TEST

START_TEST(real_numbers_are_as_prometheus_writes_them)
{
	ck_assert_str_eq(real(0), "0");
	ck_assert_str_eq(real(1), "1");
	ck_assert_str_eq(real(9007199254740991.0), "9007199254740991");
	ck_assert_str_eq(real(-1), "-1");
	ck_assert_str_eq(real(-1500), "-1500");
	ck_assert_str_eq(real(0.1), "0.1");
	ck_assert_str_eq(real(0.0001), "0.0001");
	ck_assert_str_eq(real(0.00012), "0.00012");
	ck_assert_str_eq(real(0.00001), "1e-05");
	ck_assert_str_eq(real(123456.5), "123456.5");
	ck_assert_str_eq(real(1234567.25), "1.23456725e+06");
	ck_assert_str_eq(real(1e300), "1e+300");
	ck_assert_str_eq(real(5e-324), "5e-324");
	ck_assert_str_eq(real(DBL_MAX), "1.7976931348623157e+308");
	ck_assert_str_eq(real(DBL_MIN), "2.2250738585072014e-308");
	ck_assert_str_eq(real(9007199254740993.0), "9.007199254740992e+15");
	ck_assert_str_eq(real(2e-44), "2e-44");
	ck_assert_str_eq(real(NAN), "NaN");
	ck_assert_str_eq(real(INFINITY), "+Inf");
	ck_assert_str_eq(real(-INFINITY), "-Inf");
}
END_TEST

START_TEST(bounds_are_canonical)
{
	ck_assert_str_eq(bound(0), "0.0");
	ck_assert_str_eq(bound(1), "1.0");
	ck_assert_str_eq(bound(-5), "-5.0");
	ck_assert_str_eq(bound(2.5), "2.5");
	ck_assert_str_eq(bound(0.005), "0.005");
	ck_assert_str_eq(bound(100000), "100000.0");
	ck_assert_str_eq(bound(1000000), "1e+06");
	ck_assert_str_eq(bound(2500000), "2.5e+06");
	ck_assert_str_eq(bound(1e-5), "1e-05");
	ck_assert_str_eq(bound(INFINITY), "+Inf");
}
END_TEST

START_TEST(seconds_have_milliseconds)
{
	text[number_seconds(text, UINT64_C(1700000000009999999))] = '\0';
	ck_assert_str_eq(text, "1700000000.009");
}
END_TEST

static unsigned digits_of(const char *s)
{
	unsigned count = 0, zeros = 0;

	for (; *s && *s != 'e'; s++) {
		if (*s < '0' || *s > '9' || (*s == '0' && count == 0))
			continue;
		count++;
		zeros = *s == '0' ? zeros + 1 : 0;
	}
	return count - zeros;	/* those at the end of a whole number only hold its place */
}

/* The same double, in the fewest digits, and of those the nearest. */
static void check(double value)
{
	char plain[64];
	unsigned digits = 1;

	real(value);
	ck_assert_msg(strtod(text, NULL) == value, "%a became %s", value, text);
	for (; digits < 17; digits++) {
		snprintf(plain, sizeof plain, "%.*e", (int)digits - 1, value);
		if (strtod(plain, NULL) == value)
			break;
	}
	snprintf(plain, sizeof plain, "%.*e", (int)digits - 1, value);
	ck_assert_msg(digits_of(text) <= digits_of(plain) || strchr(text, 'e') == NULL, "%a became %s, not %s", value, text, plain);
	if (suite_under_valgrind())	/* its long doubles are doubles */
		return;
	if (strchr(text, 'e') && digits_of(text) == digits_of(plain) && digits < 17)
		ck_assert_msg(fabsl(strtold(text, NULL) - (long double)value) <= fabsl(strtold(plain, NULL) - (long double)value),
			      "%a became %s, and %s is nearer", value, text, plain);
}

START_TEST(any_double_reads_back_in_the_fewest_digits)
{
	struct dice dice = dice_start("number");
	int many = suite_under_valgrind() ? 2000 : 200000;
	double value;

	for (int i = 0; i < many; i++) {
		uint64_t bits = dice_next(&dice);

		memcpy(&value, &bits, sizeof value);
		if (isfinite(value) && value != 0)
			check(value);
	}
	for (int e = -1074; e < 1024; e++) {	/* the ends of binades, where the interval is uneven */
		check(ldexp(1, e));
		check(nextafter(ldexp(1, e), 0) > 0 ? nextafter(ldexp(1, e), 0) : ldexp(1, e));
		check(nextafter(ldexp(1, e), INFINITY));
	}
	for (int i = 1; i < many / 2; i++) {
		check(i / 1000.0);
		check(i * 1e9 / 7);
	}
}
END_TEST

int main(void)
{
	Suite *s = suite_create("number");
	TCase *t = tcase_create("number");

	tcase_set_timeout(t, 120);
	tcase_add_test(t, whole_numbers_have_their_digits);
	tcase_add_test(t, real_numbers_are_as_prometheus_writes_them);
	tcase_add_test(t, bounds_are_canonical);
	tcase_add_test(t, seconds_have_milliseconds);
	tcase_add_test(t, any_double_reads_back_in_the_fewest_digits);
	suite_add_tcase(s, t);
	return suite_run(s);
}
