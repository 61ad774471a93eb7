/* SPDX-License-Identifier: Apache-2.0 */
/* Durations and sizes: what is read, what is refused, and that what is written reads back. */
#include "proto/units.h"

#include "tests/unit/suite.h"

#define COUNT(array) (int)(sizeof(array) / sizeof *(array))

struct example {
	const char *text;
	int64_t value;
};

static const struct example durations[] = {
	{ "0s", 0 },
	{ "0ns", 0 },
	{ "1ns", 1 },
	{ "10us", 10000 },
	{ "250ms", 250000000 },
	{ "1.5s", 1500000000 },
	{ "2s", 2000000000 },
	{ "1h30m", 5400000000000 },
	{ "7d", 604800000000000 },
	{ "1d2h3m4s5ms6us7ns", 93784005006007 },
	{ "0.000000001s", 1 },
	{ "1.000000001s", 1000000001 },
	{ "1.5d", 129600000000000 },
	{ "0.5h0.5m", 1830000000000 },
	{ "007s", 7000000000 },
	{ "90m", 5400000000000 },
	{ "9223372036854775807ns", INT64_MAX },
	{ "9223372036.854775807s", INT64_MAX },
	{ "106751d23h47m16s854ms775us807ns", INT64_MAX },
};

static const char *const no_durations[] = {
	"",
	" ",
	"5",
	"s",
	"1 s",
	" 1s",
	"1s ",
	"-1s",
	"+1s",
	"1.s",
	".5s",
	"1.5ns",
	"0.0001us",
	"1.1234567890s",
	"1m1h",
	"1s1s",
	"1h30",
	"1e3s",
	"1S",
	"1sec",
	"1min",
	"1w",
	"0x10s",
	"1,5s",
	"1..5s",
	"1.5.5s",
	"1\xc2\xb5s",
	"9223372036854775808ns",
	"9223372036.854775808s",
	"106751d23h47m16s854ms775us808ns",
	"106752d",
	"99999999999999999999999999ns",
	"292.5y",
};

static const struct example sizes[] = {
	{ "0", 0 },
	{ "512", 512 },
	{ "512B", 512 },
	{ "10kB", 10000 },
	{ "64MiB", 67108864 },
	{ "1KiB", 1024 },
	{ "1.5KiB", 1536 },
	{ "0.5KiB", 512 },
	{ "3GB", 3000000000 },
	{ "1TiB", 1099511627776 },
	{ "2TB", 2000000000000 },
	{ "1.25kB", 1250 },
	{ "0.001kB", 1 },
	{ "1.5MB", 1500000 },
	{ "9223372036854775807", INT64_MAX },
	{ "8388607TiB", INT64_MAX - ((INT64_C(1) << 40) - 1) },
};

static const char *const no_sizes[] = {
	"",	    "B",     "MiB",   "1 MiB", "-1",   "1K",	     "1k",
	"1M",	    "1KB",   "1mb",   "1.5",   "1.5B", "0.0001kB",   "0.1KiB",
	"1MiB1KiB", "1.MiB", ".5MiB", "1e6",   "0x10", "8388608TiB", "9223372036854775808",
	"1MiB ",    "1\0B",
};

START_TEST(durations_are_read)
{
	for (int i = 0; i < COUNT(durations); i++) {
		int64_t ns = -1;

		ck_assert_msg(prodd_parse_duration(prodd_slice(durations[i].text), &ns), "%s",
			      durations[i].text);
		ck_assert_int_eq(ns, durations[i].value);
	}
}
END_TEST

START_TEST(other_texts_are_no_durations)
{
	for (int i = 0; i < COUNT(no_durations); i++) {
		int64_t ns = -1;

		ck_assert_msg(!prodd_parse_duration(prodd_slice(no_durations[i]), &ns), "%s",
			      no_durations[i]);
		ck_assert_int_eq(ns, -1);
	}
}
END_TEST

START_TEST(sizes_are_read)
{
	for (int i = 0; i < COUNT(sizes); i++) {
		int64_t bytes = -1;

		ck_assert_msg(prodd_parse_size(prodd_slice(sizes[i].text), &bytes), "%s", sizes[i].text);
		ck_assert_int_eq(bytes, sizes[i].value);
	}
}
END_TEST

START_TEST(other_texts_are_no_sizes)
{
	for (int i = 0; i < COUNT(no_sizes); i++) {
		int64_t bytes = -1;
		struct prodd_slice text = prodd_slice(no_sizes[i]);

		if (prodd_slice_is(text, "1"))
			text.size = 3;		/* with its NUL inside */
		ck_assert_msg(!prodd_parse_size(text, &bytes), "%s", no_sizes[i]);
		ck_assert_int_eq(bytes, -1);
	}
}
END_TEST

START_TEST(texts_are_those_a_person_would_write)
{
	static const struct example said[] = {
		{ "0s", 0 },
		{ "2s", 2000000000 },
		{ "1.5s", 1500000000 },
		{ "250ms", 250000000 },
		{ "100ms", 100000000 },
		{ "90s", 90000000000 },
		{ "1m", 60000000000 },
		{ "90m", 5400000000000 },
		{ "7d", 604800000000000 },
		{ "1h1ns", 3600000000001 },
		{ "10us", 10000 },
		{ "-2s", -2000000000 },
	};
	static const struct example weighed[] = {
		{ "0", 0 },	  { "512", 512 },	    { "64MiB", 67108864 }, { "10kB", 10000 },
		{ "1KiB", 1024 }, { "64KiB", 65536 },	    { "3GB", 3000000000 }, { "1kB", 1000 },
		{ "1500", 1500 }, { "1.5GiB", 1610612736 }, { "-1KiB", -1024 },
	};
	char text[PRODD_UNITS_TEXT_MAX];

	for (int i = 0; i < COUNT(said); i++) {
		prodd_format_duration(said[i].value, text);
		ck_assert_str_eq(text, said[i].text);
	}
	for (int i = 0; i < COUNT(weighed); i++) {
		prodd_format_size(weighed[i].value, text);
		ck_assert_str_eq(text, weighed[i].text);
	}
}
END_TEST

/* Numbers of every magnitude, round ones among them. */
static int64_t some_number(struct dice *d)
{
	static const int64_t round[] = { 1, 60, 1000, 1024, 1000000, 1048576, 3600000000000, 86400000000000 };
	int64_t number = (int64_t)(dice_next(d) >> (1 + dice_below(d, 63)));
	int64_t factor = round[dice_below(d, 8)];

	return dice_below(d, 2) && number < INT64_MAX / factor ? number * factor : number;
}

START_TEST(what_is_written_reads_back)
{
	struct dice d = dice_start("units");

	for (int i = 0; i < 4000; i++) {
		int64_t number = i == 0 ? INT64_MAX : some_number(&d);
		char text[PRODD_UNITS_TEXT_MAX];
		int64_t back = -1;

		prodd_format_duration(number, text);
		ck_assert_msg(prodd_parse_duration(prodd_slice(text), &back) && back == number, "%s", text);
		prodd_format_size(number, text);
		ck_assert_msg(prodd_parse_size(prodd_slice(text), &back) && back == number, "%s", text);
	}
}
END_TEST

START_TEST(the_lowest_number_fits)
{
	char text[PRODD_UNITS_TEXT_MAX];

	prodd_format_duration(INT64_MIN, text);
	ck_assert_str_eq(text, "-9223372036854775808ns");
	prodd_format_size(INT64_MIN, text);
	ck_assert_str_eq(text, "-8388608TiB");
}
END_TEST

int main(void)
{
	Suite *s = suite_create("units");
	TCase *tc = tcase_create("units");

	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, durations_are_read);
	tcase_add_test(tc, other_texts_are_no_durations);
	tcase_add_test(tc, sizes_are_read);
	tcase_add_test(tc, other_texts_are_no_sizes);
	tcase_add_test(tc, texts_are_those_a_person_would_write);
	tcase_add_test(tc, what_is_written_reads_back);
	tcase_add_test(tc, the_lowest_number_fits);
	suite_add_tcase(s, tc);
	return suite_run(s);
}
