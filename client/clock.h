/* SPDX-License-Identifier: Apache-2.0 */
/* The clock of all deadlines: CLOCK_MONOTONIC, in nanoseconds. */
#ifndef PRODD_CLIENT_CLOCK_H
#define PRODD_CLIENT_CLOCK_H

#include <stdint.h>
#include <time.h>

#define PRODD_NS_PER_MS INT64_C(1000000)
#define PRODD_NS_PER_S INT64_C(1000000000)
#define PRODD_NEVER INT64_MAX

static inline int64_t prodd_clock_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * PRODD_NS_PER_S + now.tv_nsec;
}

static inline struct timespec prodd_clock_timespec(int64_t at_ns)
{
	return (struct timespec){ .tv_sec = (time_t)(at_ns / PRODD_NS_PER_S),
				  .tv_nsec = (long)(at_ns % PRODD_NS_PER_S) };
}

/* A deadline `ms` from now; negative: never. */
static inline int64_t prodd_clock_after_ms(int64_t ms)
{
	return ms < 0 ? PRODD_NEVER : prodd_clock_ns() + ms * PRODD_NS_PER_MS;
}

/* Milliseconds until `at_ns`, rounded up, at most `most`. */
static inline int prodd_clock_ms_until(int64_t at_ns, int most)
{
	int64_t left = at_ns - prodd_clock_ns();

	if (left <= 0)
		return 0;
	return left / PRODD_NS_PER_MS >= most ? most : (int)((left + PRODD_NS_PER_MS - 1) / PRODD_NS_PER_MS);
}

#endif
