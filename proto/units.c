/* SPDX-License-Identifier: Apache-2.0 */
/*
 * All arithmetic is exact, in 64-bit integers.  A fraction counts only when
 * the unit's share of it is whole: "1.5s" is, "1.5ns" is not.
 */
#include "proto/units.h"

#include <inttypes.h>
#include <stdio.h>

enum { fraction_max = 9, durations = 7 };

struct unit {
	const char *name;
	int64_t size;
};

/* Falling. */
static const struct unit duration_units[durations] = {
	{ "d", INT64_C(86400000000000) }, { "h", INT64_C(3600000000000) }, { "m", INT64_C(60000000000) },
	{ "s", 1000000000 }, { "ms", 1000000 }, { "us", 1000 }, { "ns", 1 },
};

/* In the order in which equally short texts are preferred. */
static const struct unit size_units[] = {
	{ "TiB", INT64_C(1) << 40 }, { "GiB", 1 << 30 }, { "MiB", 1 << 20 }, { "KiB", 1 << 10 },
	{ "TB", INT64_C(1000000000000) }, { "GB", 1000000000 }, { "MB", 1000000 }, { "kB", 1000 },
	{ "", 1 }, { "B", 1 },
};

enum { sizes = sizeof size_units / sizeof *size_units };

/* ---- reading */

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static size_t digits_at(struct prodd_slice s)
{
	size_t n = 0;

	while (n < s.size && is_digit(s.at[n]))
		n++;
	return n;
}

static struct prodd_slice take(struct prodd_slice *s, size_t size)
{
	struct prodd_slice taken = { s->at, size };

	s->at += size;
	s->size -= size;
	return taken;
}

/* Digits and, after a point, up to nine more. */
static bool take_number(struct prodd_slice *s, struct prodd_slice *ret_whole,
			struct prodd_slice *ret_fraction)
{
	*ret_whole = take(s, digits_at(*s));
	*ret_fraction = (struct prodd_slice){ s->at, 0 };
	if (ret_whole->size == 0)
		return false;
	if (s->size == 0 || s->at[0] != '.')
		return true;
	take(s, 1);
	*ret_fraction = take(s, digits_at(*s));
	return ret_fraction->size > 0 && ret_fraction->size <= fraction_max;
}

/* The letters up to the next digit, as an index into `units`; -1: none of them. */
static int take_unit(struct prodd_slice *s, const struct unit *units, int count)
{
	struct prodd_slice name;
	size_t n = 0;

	while (n < s->size && !is_digit(s->at[n]))
		n++;
	name = take(s, n);
	for (int i = 0; i < count; i++)
		if (prodd_slice_is(name, units[i].name))
			return i;
	return -1;
}

static bool add_whole(int64_t *sum, struct prodd_slice digits, int64_t unit)
{
	int64_t value = 0;

	for (size_t i = 0; i < digits.size; i++) {
		int digit = digits.at[i] - '0';

		if (value > (INT64_MAX - digit) / 10)
			return false;
		value = value * 10 + digit;
	}
	if (value > (INT64_MAX - *sum) / unit)
		return false;
	*sum += value * unit;
	return true;
}

/* From the last digit to the first; when the sum is whole, so is every step on the way. */
static bool add_fraction(int64_t *sum, struct prodd_slice digits, int64_t unit)
{
	int64_t share = 0;

	for (size_t i = digits.size; i-- > 0;) {
		share += (digits.at[i] - '0') * unit;
		if (share % 10 != 0)
			return false;
		share /= 10;
	}
	if (share > INT64_MAX - *sum)
		return false;
	*sum += share;
	return true;
}

bool prodd_parse_duration(struct prodd_slice text, int64_t *ret_ns)
{
	int64_t sum = 0;
	int last = -1;

	if (text.size == 0)
		return false;
	while (text.size > 0) {
		struct prodd_slice whole, fraction;
		int unit;

		if (!take_number(&text, &whole, &fraction))
			return false;
		unit = take_unit(&text, duration_units, durations);
		if (unit <= last)
			return false;
		if (!add_whole(&sum, whole, duration_units[unit].size) ||
		    !add_fraction(&sum, fraction, duration_units[unit].size))
			return false;
		last = unit;
	}
	*ret_ns = sum;
	return true;
}

bool prodd_parse_size(struct prodd_slice text, int64_t *ret_bytes)
{
	struct prodd_slice whole, fraction;
	int64_t sum = 0;
	int unit;

	if (!take_number(&text, &whole, &fraction))
		return false;
	unit = take_unit(&text, size_units, sizes);
	if (unit < 0 || text.size > 0)
		return false;
	if (!add_whole(&sum, whole, size_units[unit].size) ||
	    !add_fraction(&sum, fraction, size_units[unit].size))
		return false;
	*ret_bytes = sum;
	return true;
}

/* ---- writing */

/* `value` in one unit, with a fraction when it is exact. Returns its length, 0 when it cannot be said so. */
static int format_last(uint64_t value, const struct unit *unit, char *text, size_t size)
{
	uint64_t whole = value / (uint64_t)unit->size;
	uint64_t rest = value % (uint64_t)unit->size;
	char fraction[1 + fraction_max + 1] = ".";
	int n = 0;

	if (whole == 0)
		return 0;
	for (; rest > 0 && n < fraction_max; n++) {
		rest *= 10;
		fraction[1 + n] = (char)('0' + rest / (uint64_t)unit->size);
		rest %= (uint64_t)unit->size;
	}
	if (rest > 0)
		return 0;
	fraction[1 + n] = '\0';
	return snprintf(text, size, "%" PRIu64 "%s%s", whole, n > 0 ? fraction : "", unit->name);
}

/* `value` in the units of the set `chosen`, a bit each, all of them needed. Returns its length or 0. */
static int format_units(uint64_t value, unsigned chosen, char *text, size_t size)
{
	int length = 0;

	for (int i = 0; i < durations; i++) {
		const struct unit *unit = &duration_units[i];
		uint64_t whole = value / (uint64_t)unit->size;

		if (!(chosen >> i & 1))
			continue;
		if (chosen >> (i + 1) == 0) {
			int last = format_last(value, unit, text + length, size - (size_t)length);

			return last > 0 ? length + last : 0;
		}
		if (whole == 0)
			return 0;
		length += snprintf(text + length, size - (size_t)length, "%" PRIu64 "%s", whole, unit->name);
		value %= (uint64_t)unit->size;
	}
	return 0;
}

static int point_in(const char *text)
{
	return strchr(text, '.') != NULL;
}

/* Keeps the shorter text; of equally short ones that without a point, then that which came first. */
static void keep_better(char *best, const char *text)
{
	size_t old = strlen(best), now = strlen(text);

	if (old == 0 || now < old || (now == old && point_in(text) < point_in(best)))
		memcpy(best, text, now + 1);
}

void prodd_format_duration(int64_t ns, char text[PRODD_UNITS_TEXT_MAX])
{
	uint64_t value = ns < 0 ? -(uint64_t)ns : (uint64_t)ns;
	char best[PRODD_UNITS_TEXT_MAX] = "";
	char trial[PRODD_UNITS_TEXT_MAX];

	for (unsigned chosen = 1; chosen < 1u << durations; chosen++)
		if (format_units(value, chosen, trial, sizeof trial) > 0)
			keep_better(best, trial);
	if (value == 0)
		strcpy(best, "0s");
	snprintf(text, PRODD_UNITS_TEXT_MAX, "%s%.46s", ns < 0 ? "-" : "", best);
}

void prodd_format_size(int64_t bytes, char text[PRODD_UNITS_TEXT_MAX])
{
	uint64_t value = bytes < 0 ? -(uint64_t)bytes : (uint64_t)bytes;
	char best[PRODD_UNITS_TEXT_MAX] = "";
	char trial[PRODD_UNITS_TEXT_MAX];

	for (int i = 0; i < sizes; i++)
		if (format_last(value, &size_units[i], trial, sizeof trial) > 0)
			keep_better(best, trial);
	if (value == 0)
		strcpy(best, "0");
	snprintf(text, PRODD_UNITS_TEXT_MAX, "%s%.46s", bytes < 0 ? "-" : "", best);
}
