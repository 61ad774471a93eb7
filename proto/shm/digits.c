/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two digits at a time from a table; no printf but for doubles that need more
 * than fifteen digits or an exponent.
 */
#include "proto/shm/digits.h"

#include <stdio.h>
#include <stdlib.h>

static const char pairs[] =
	"00010203040506070809101112131415161718192021222324252627282930313233343536373839"
	"40414243444546474849505152535455565758596061626364656667686970717273747576777879"
	"8081828384858687888990919293949596979899";

static char *put_pair(char *to, unsigned value)
{
	memcpy(to, pairs + 2 * value, 2);
	return to + 2;
}

char *digits_uint(char *to, uint64_t value)
{
	char text[DIGITS_INT_MAX], *at = text + sizeof text;
	size_t size;

	while (value >= 100) {
		at -= 2;
		memcpy(at, pairs + 2 * (value % 100), 2);
		value /= 100;
	}
	if (value >= 10) {
		at -= 2;
		memcpy(at, pairs + 2 * value, 2);
	} else {
		*--at = (char)('0' + value);
	}
	size = (size_t)(text + sizeof text - at);
	memcpy(to, at, size);
	return to + size;
}

char *digits_int(char *to, int64_t value)
{
	if (value >= 0)
		return digits_uint(to, (uint64_t)value);
	*to++ = '-';
	return digits_uint(to, -(uint64_t)value);
}

/* ---- time */

/* Days since 1970 to a date of the Gregorian calendar, by counting in years that begin with March: Howard
 * Hinnant, "chrono-Compatible Low-Level Date Algorithms", civil_from_days. */
static char *put_date(char *to, uint32_t days)
{
	uint32_t shifted = days + 719468;	/* since 0000-03-01 */
	uint32_t era = shifted / 146097;
	uint32_t day_of_era = shifted % 146097;
	uint32_t year_of_era = (day_of_era - day_of_era / 1460 +
				day_of_era / 36524 - day_of_era / 146096) / 365;
	uint32_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
	uint32_t shifted_month = (5 * day_of_year + 2) / 153;
	uint32_t month = shifted_month < 10 ? shifted_month + 3 : shifted_month - 9;
	uint32_t year = year_of_era + era * 400 + (month <= 2);

	to = put_pair(put_pair(to, year / 100), year % 100);
	*to++ = '-';
	to = put_pair(to, month);
	*to++ = '-';
	return put_pair(to, day_of_year - (153 * shifted_month + 2) / 5 + 1);
}

char *digits_time(char *to, uint64_t time_ns)
{
	uint64_t seconds = time_ns / 1000000000;
	uint32_t ns = (uint32_t)(time_ns % 1000000000);
	uint32_t of_day = (uint32_t)(seconds % 86400);

	to = put_date(to, (uint32_t)(seconds / 86400));
	*to++ = 'T';
	to = put_pair(to, of_day / 3600);
	*to++ = ':';
	to = put_pair(to, of_day / 60 % 60);
	*to++ = ':';
	to = put_pair(to, of_day % 60);
	*to++ = '.';
	*to++ = (char)('0' + ns / 100000000);
	to = put_pair(to, ns / 1000000 % 100);
	to = put_pair(to, ns / 10000 % 100);
	to = put_pair(to, ns / 100 % 100);
	to = put_pair(to, ns % 100);
	*to++ = 'Z';
	return to;
}

/* ---- doubles */

enum { decimals_max = 15 };

/*
 * value = m / 10^d with m below 2^53: both are exact doubles, so the division rounds as a reader of the
 * decimal does (W. D. Clinger, "How to Read Floating Point Numbers Accurately"). The first d for which this
 * holds has the fewest digits.
 */
static char *put_decimal(char *to, double value)
{
	static const double powers[] = { 1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11,
					 1e12, 1e13, 1e14, 1e15 };
	static const uint64_t whole[] = { 1, 10, 100, 1000, 10000, 100000, 1000000, 10000000, 100000000,
					  1000000000, 10000000000, 100000000000, 1000000000000,
					  10000000000000, 100000000000000, 1000000000000000 };

	for (unsigned d = 0; d <= decimals_max; d++) {
		double scaled = value * powers[d];
		uint64_t m;
		char *end;

		if (scaled >= 9007199254740992.0)
			return NULL;
		m = (uint64_t)(scaled + 0.5);
		if ((double)m / powers[d] != value)
			continue;
		to = digits_uint(to, m / whole[d]);
		*to++ = '.';
		if (d == 0) {
			*to++ = '0';
			return to;
		}
		/* The digits behind the point, zeros in front: those of 10^d + rest without its 1. */
		end = digits_uint(to, whole[d] + m % whole[d]);
		memmove(to, to + 1, (size_t)(end - to) - 1);
		return end - 1;
	}
	return NULL;
}

/* Puts a point where the locale has something else, and one where a whole number has none. */
static char *put_printed(char *to, const char *text)
{
	bool marked = false;

	for (; *text; text++) {
		bool digit = *text >= '0' && *text <= '9';

		if (digit || *text == 'e' || *text == '-' || *text == '+')
			*to++ = *text;
		else if (!marked)
			*to++ = '.';
		marked |= !digit && *text != '-' && *text != '+';
	}
	if (!marked) {
		*to++ = '.';
		*to++ = '0';
	}
	return to;
}

char *digits_double(char *to, double value)
{
	double size = value < 0 ? -value : value;
	char text[64];
	char *end;

	if (__builtin_signbit(value))
		*to++ = '-';
	if (size == 0 || (size >= 1e-5 && size < 9e15)) {
		end = put_decimal(to, size);
		if (end)
			return end;
	}
	/* Denormal numbers have less than 15 digits. */
	for (int precision = size < 2.3e-308 ? 1 : 15; precision <= 17; precision++) {
		snprintf(text, sizeof text, "%.*g", precision, size);
		if (strtod(text, NULL) == size)
			break;
	}
	return put_printed(to, text);
}

/* ---- bytes */

char *digits_hex(char *to, struct prodd_slice bytes)
{
	static const char hex[] = "0123456789abcdef";

	for (size_t i = 0; i < bytes.size; i++) {
		unsigned char byte = (unsigned char)bytes.at[i];

		*to++ = hex[byte >> 4];
		*to++ = hex[byte & 15];
	}
	return to;
}

char *digits_base64(char *to, struct prodd_slice bytes)
{
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const unsigned char *at = (const unsigned char *)bytes.at;

	for (size_t i = 0; i < bytes.size; i += 3) {
		size_t left = bytes.size - i;
		uint32_t three = (uint32_t)at[i] << 16 | (left > 1 ? (uint32_t)at[i + 1] << 8 : 0) |
				 (left > 2 ? at[i + 2] : 0);

		*to++ = letters[three >> 18];
		*to++ = letters[three >> 12 & 63];
		*to++ = left > 1 ? letters[three >> 6 & 63] : '=';
		*to++ = left > 2 ? letters[three & 63] : '=';
	}
	return to;
}
