/* SPDX-License-Identifier: Apache-2.0 */
/* Doubles in cells, as their bits. */
#ifndef PRODD_CLIENT_METRIC_VALUE_H
#define PRODD_CLIENT_METRIC_VALUE_H

#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

static inline uint64_t prodd_bits_of(double value)
{
	uint64_t bits;

	memcpy(&bits, &value, sizeof bits);
	return bits;
}

static inline double prodd_double_of(uint64_t bits)
{
	double value;

	memcpy(&value, &bits, sizeof value);
	return value;
}

/* Adds to the double in `cell`. Lock-free; false: the sum is no number, or infinite, and nothing is added. */
static inline bool prodd_value_add(uint64_t *cell, double value)
{
	uint64_t before = __atomic_load_n(cell, __ATOMIC_RELAXED);
	double sum;

	do {
		sum = prodd_double_of(before) + value;
		if (!isfinite(sum))
			return false;
	} while (!__atomic_compare_exchange_n(cell, &before, prodd_bits_of(sum), true, __ATOMIC_RELAXED,
					      __ATOMIC_RELAXED));
	return true;
}

#endif
