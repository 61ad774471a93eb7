/* SPDX-License-Identifier: Apache-2.0 */
/* Four clocks of the kernel, and one that a test holds still. */
#include "daemon/util/clock.h"

#include <time.h>

static uint64_t test_ms;	/* 0: the real clocks */

static uint64_t read_us(clockid_t clock)
{
	struct timespec now;

	if (test_ms)
		return test_ms * 1000;
	clock_gettime(clock, &now);
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

uint64_t clock_monotonic_us(void)
{
	return read_us(CLOCK_MONOTONIC);
}

uint64_t clock_monotonic_ms(void)
{
	return read_us(CLOCK_MONOTONIC) / 1000;
}

uint64_t clock_boot_ms(void)
{
	return read_us(CLOCK_BOOTTIME) / 1000;
}

uint64_t clock_wall_ms(void)
{
	return read_us(CLOCK_REALTIME) / 1000;
}

void clock_test_set(uint64_t ms)
{
	test_ms = ms;
}
