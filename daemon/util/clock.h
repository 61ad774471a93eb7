/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The one place where time is read.  Deadlines are on the monotonic clock;
 * a unit test drives it by clock_test_set().
 */
#ifndef PRODD_UTIL_CLOCK_H
#define PRODD_UTIL_CLOCK_H

#include <stdint.h>

uint64_t clock_monotonic_ms(void);	/* CLOCK_MONOTONIC; or the test's time */
uint64_t clock_monotonic_us(void);
uint64_t clock_boot_ms(void);		/* CLOCK_BOOTTIME: counts suspend, starts anew at each boot */
uint64_t clock_wall_ms(void);		/* since 1970 (UTC); for people, never for deadlines */

/* Unit tests: all clocks stand at `ms` until the next call; 0 gives the real ones back. */
void clock_test_set(uint64_t ms);

#endif
