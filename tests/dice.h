/* SPDX-License-Identifier: Apache-2.0 */
/* Random numbers for tests, whose seed is printed and can be set: PRODD_TEST_SEED=number. */
#ifndef PRODD_TESTS_DICE_H
#define PRODD_TESTS_DICE_H

#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

/* splitmix64 (Steele, Lea, Flood 2014). */
struct dice {
	uint64_t state;
};

static inline uint64_t dice_next(struct dice *d)
{
	uint64_t z = d->state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

/* 0 .. below-1 */
static inline uint32_t dice_below(struct dice *d, uint32_t below)
{
	return (uint32_t)(dice_next(d) % below);
}

/* Starts from PRODD_TEST_SEED, or the clock; prints what repeats the run. */
static inline struct dice dice_start(const char *test)
{
	const char *given = getenv("PRODD_TEST_SEED");
	struct timespec now;
	uint64_t seed;

	clock_gettime(CLOCK_REALTIME, &now);
	seed = given ? strtoull(given, NULL, 0) : (uint64_t)now.tv_sec * 1000003u ^ (uint64_t)now.tv_nsec;
	printf("%s: PRODD_TEST_SEED=%" PRIu64 "\n", test, seed);
	fflush(stdout);
	return (struct dice){ seed };
}

#endif
