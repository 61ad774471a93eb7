/* SPDX-License-Identifier: Apache-2.0 */
/* Times and spans as people say them: "14:03:20", "2026-11-25 14:03:20", "12 d", "41 min", "0.04 s". */
#ifndef PRODCTL_MOMENT_H
#define PRODCTL_MOMENT_H

#include <stdint.h>

#define MOMENT_TEXT_MAX 40

struct moment {
	char text[MOMENT_TEXT_MAX];
};

/* Now, in milliseconds: since 1970, and on a clock that only goes forward. */
uint64_t moment_now_ms(void);
int64_t moment_monotonic_ms(void);

/* Local date and time of `ms` since 1970. */
struct moment moment_full(uint64_t ms);

/* The time alone, to the second or to the minute, with the date when that is not today's. */
struct moment moment_time(uint64_t ms);
struct moment moment_minute(uint64_t ms);

/* A span in its largest unit, rounded down; under ten seconds with tenths, under one with hundredths. */
struct moment moment_span(uint64_t ms);

/* The time from `since_ms` until now; 0 when that is to come. */
uint64_t moment_age_ms(uint64_t since_ms);

#endif
