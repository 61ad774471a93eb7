/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The shortest decimal of a double, by the algorithm of Raffaello Giulietti,
 * "The Schubfach way to render doubles" (2020): the double and the ends of its
 * rounding interval are scaled by one power of ten, of which 126 bits suffice,
 * and of the few decimals inside the interval the shortest and nearest is
 * taken.  Names follow the paper.  The powers are made by plain long
 * arithmetic when the first is needed.
 */
#include "daemon/metric/number.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

enum {
	fraction_bits = 52,
	bias = 1075,		/* of the exponent, with the fraction as an integer */
	q_min = -1074,
	power_min = -292,	/* powers of ten that any double needs */
	power_max = 324,
	limbs = 35,		/* of 32 bits: 1120, and 10^324 has 1077 */
	fixed_min = -4,		/* exponents of ten that are written without an exponent: from here */
	fixed_max = 5,		/* to here */
	digits_max = 17,
};

/* ---- powers of ten: 126 bits of each, rounded up */

struct power {
	uint64_t high;		/* 63 bits */
	uint64_t low;		/* 63 bits */
};

static struct power powers[power_max - power_min + 1];
static bool powers_made;

/* Least significant first. */
struct natural {
	uint32_t limb[limbs];
};

static void multiply(struct natural *n, uint32_t by)
{
	uint64_t carry = 0;

	for (int i = 0; i < limbs; i++) {
		carry += (uint64_t)n->limb[i] * by;
		n->limb[i] = (uint32_t)carry;
		carry >>= 32;
	}
}

static void divide(struct natural *n, uint32_t by)
{
	uint64_t rest = 0;

	for (int i = limbs - 1; i >= 0; i--) {
		rest = rest << 32 | n->limb[i];
		n->limb[i] = (uint32_t)(rest / by);
		rest %= by;
	}
}

static unsigned bit(const struct natural *n, int at)
{
	return at < 0 ? 0 : n->limb[at / 32] >> at % 32 & 1;
}

/* The 126 most significant bits, and one more. */
static struct power top_of(const struct natural *n)
{
	struct power ret = { 0 };
	int at = limbs * 32 - 1;

	while (!bit(n, at))
		at--;
	for (int i = 0; i < 63; i++, at--)
		ret.high = ret.high << 1 | bit(n, at);
	for (int i = 0; i < 63; i++, at--)
		ret.low = ret.low << 1 | bit(n, at);
	ret.low++;
	ret.high += ret.low >> 63;
	ret.low &= UINT64_MAX >> 1;
	return ret;
}

/* Dividing again and again rounds as dividing at once does. */
static void make_powers(void)
{
	struct natural n = { { 1 } };

	for (int p = 0; p <= power_max; p++, multiply(&n, 10))
		powers[p - power_min] = top_of(&n);
	n = (struct natural){ .limb[limbs - 1] = UINT32_C(1) << 31 };
	for (int p = -1; p >= power_min; p--) {
		divide(&n, 10);
		powers[p - power_min] = top_of(&n);
	}
	powers_made = true;
}

/* ---- the shortest decimal */

struct decimal {
	uint64_t digits;
	int exponent;		/* value = digits * 10^exponent */
};

static int floor_log10_pow2(int e)
{
	return (int)((e * INT64_C(661971961083)) >> 41);
}

static int floor_log10_three_quarters_pow2(int e)
{
	return (int)((e * INT64_C(661971961083) - INT64_C(274743187321)) >> 41);
}

static int floor_log2_pow10(int e)
{
	return (int)((e * INT64_C(913124641741)) >> 38);
}

static uint64_t high_half(uint64_t a, uint64_t b)
{
	return (uint64_t)((unsigned __int128)a * b >> 64);
}

/* g * cp / 2^127, rounded to odd: the last bit says whether anything was cut off. */
static uint64_t scaled(struct power g, uint64_t cp)
{
	const uint64_t mask = UINT64_MAX >> 1;
	uint64_t x1 = high_half(g.low, cp), y0 = g.high * cp, y1 = high_half(g.high, cp);
	uint64_t z = (y0 >> 1) + x1;

	return (y1 + (z >> 63)) | ((z & mask) + mask) >> 63;
}

/* The double c * 2^q. */
static struct decimal shortest(uint64_t c, int q)
{
	bool regular = c != UINT64_C(1) << fraction_bits || q == q_min;
	int k = regular ? floor_log10_pow2(q) : floor_log10_three_quarters_pow2(q);
	int h = q + floor_log2_pow10(-k) + 2;
	struct power g = powers[-k - power_min];
	uint64_t out = c & 1;		/* an odd double is not the nearest one to the ends of its interval */
	uint64_t vb = scaled(g, c << 2 << h);
	uint64_t vbl = scaled(g, ((c << 2) - (regular ? 2 : 1)) << h);
	uint64_t vbr = scaled(g, ((c << 2) + 2) << h);
	uint64_t s = vb >> 2, t = s + 1;
	bool lower, upper;

	if (s >= 10) {
		uint64_t s10 = s / 10 * 10, t10 = s10 + 10;

		lower = vbl + out <= s10 << 2;
		upper = (t10 << 2) + out <= vbr;
		if (lower != upper)
			return (struct decimal){ lower ? s10 : t10, k };
	}
	lower = vbl + out <= s << 2;
	upper = (t << 2) + out <= vbr;
	if (lower == upper) {
		int64_t side = (int64_t)(vb - ((s + t) << 1));

		lower = side < 0 || (side == 0 && (s & 1) == 0);
	}
	return (struct decimal){ lower ? s : t, k };
}

/* `value` is finite and above 0. */
static struct decimal decimal_of(double value)
{
	struct decimal d;
	uint64_t bits;
	int exponent;

	memcpy(&bits, &value, sizeof bits);
	exponent = (int)(bits >> fraction_bits);
	bits &= (UINT64_C(1) << fraction_bits) - 1;
	d = exponent > 0 ? shortest(bits | UINT64_C(1) << fraction_bits, exponent - bias) : shortest(bits, q_min);
	for (; d.digits % 10 == 0; d.exponent++)
		d.digits /= 10;
	return d;
}

/* ---- text */

static const char pairs[] =
	"0001020304050607080910111213141516171819202122232425262728293031323334353637383940414243444546474849"
	"5051525354555657585960616263646566676869707172737475767778798081828384858687888990919293949596979899";

unsigned number_uint(char *to, uint64_t value)
{
	char text[20];
	unsigned at = sizeof text;

	for (; value >= 100; value /= 100)
		memcpy(text + (at -= 2), pairs + value % 100 * 2, 2);
	if (value >= 10)
		memcpy(text + (at -= 2), pairs + value * 2, 2);
	else
		text[--at] = (char)('0' + value);
	memcpy(to, text + at, sizeof text - at);
	return (unsigned)sizeof text - at;
}

static unsigned put(char *to, const char *text)
{
	unsigned size = (unsigned)strlen(text);

	memcpy(to, text, size);
	return size;
}

/* "1.5e+06" */
static unsigned put_exponent(char *to, const char *digits, unsigned count, int exponent)
{
	unsigned size = 0, magnitude = (unsigned)(exponent < 0 ? -exponent : exponent);

	to[size++] = digits[0];
	if (count > 1) {
		to[size++] = '.';
		memcpy(to + size, digits + 1, count - 1);
		size += count - 1;
	}
	to[size++] = 'e';
	to[size++] = exponent < 0 ? '-' : '+';
	if (magnitude < 10)
		to[size++] = '0';
	return size + number_uint(to + size, magnitude);
}

/* "0.0015", "12.5", "1500"; `point`: digits before the point, negative when zeros are to come behind it. */
static unsigned put_fixed(char *to, const char *digits, unsigned count, int point)
{
	unsigned size = 0, whole = point > 0 ? (unsigned)point : 0;

	if (whole >= count) {
		memcpy(to, digits, count);
		memset(to + count, '0', whole - count);
		return whole;
	}
	if (whole > 0)
		memcpy(to, digits, whole);
	else
		to[0] = '0';
	size = whole > 0 ? whole : 1;
	to[size++] = '.';
	for (int i = point; i < 0; i++)
		to[size++] = '0';
	memcpy(to + size, digits + whole, count - whole);
	return size + count - whole;
}

/* As Go's 'g'. *ret_whole: no point and no exponent was written. */
static unsigned put_shortest(char *to, double value, bool *ret_whole)
{
	char digits[20];
	unsigned count, sign = value < 0;
	struct decimal d;
	int exponent;

	if (!powers_made)
		make_powers();
	d = decimal_of(sign ? -value : value);
	count = number_uint(digits, d.digits);
	exponent = (int)count + d.exponent - 1;
	*ret_whole = d.exponent >= 0 && exponent <= fixed_max;
	if (sign)
		to[0] = '-';
	if (exponent < fixed_min || exponent > fixed_max)
		return sign + put_exponent(to + sign, digits, count, exponent);
	return sign + put_fixed(to + sign, digits, count, exponent + 1);
}

static unsigned put_special(char *to, double value)
{
	return put(to, isnan(value) ? "NaN" : value > 0 ? "+Inf" : "-Inf");
}

unsigned number_real(char *to, double value)
{
	const double whole_max = (double)(UINT64_C(1) << 53);
	bool whole;

	if (!isfinite(value))
		return put_special(to, value);
	if (value >= 0 && value < whole_max && value == (double)(uint64_t)value)
		return number_uint(to, (uint64_t)value);
	return put_shortest(to, value, &whole);
}

unsigned number_bound(char *to, double value)
{
	bool whole = true;
	unsigned size;

	if (!isfinite(value))
		return put_special(to, value);
	size = value == 0 ? put(to, "0") : put_shortest(to, value, &whole);
	return whole ? size + put(to + size, ".0") : size;
}

unsigned number_seconds(char *to, uint64_t ns)
{
	unsigned ms = (unsigned)(ns / 1000000 % 1000), size = number_uint(to, ns / 1000000000);

	to[size++] = '.';
	to[size++] = (char)('0' + ms / 100);
	memcpy(to + size, pairs + ms % 100 * 2, 2);
	return size + 2;
}
