/* SPDX-License-Identifier: Apache-2.0 */
#include "client/prodctl/moment.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>

static uint64_t clock_ms(clockid_t id)
{
	struct timespec now;

	clock_gettime(id, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

uint64_t moment_now_ms(void)
{
	return clock_ms(CLOCK_REALTIME);
}

int64_t moment_monotonic_ms(void)
{
	return (int64_t)clock_ms(CLOCK_MONOTONIC);
}

uint64_t moment_age_ms(uint64_t since_ms)
{
	uint64_t now = moment_now_ms();

	return now > since_ms ? now - since_ms : 0;
}

/* By `today` when the day is today, else by `other`. */
static struct moment format(uint64_t ms, const char *today, const char *other)
{
	time_t then = (time_t)(ms / 1000), now = time(NULL);
	struct moment m = { "" };
	struct tm tm, today_tm;

	if (!localtime_r(&then, &tm) || !localtime_r(&now, &today_tm)) {
		snprintf(m.text, sizeof m.text, "%" PRIu64 " ms", ms);
		return m;
	}
	if (tm.tm_year != today_tm.tm_year || tm.tm_yday != today_tm.tm_yday)
		today = other;
	if (strftime(m.text, sizeof m.text, today, &tm) == 0)
		snprintf(m.text, sizeof m.text, "%" PRIu64 " ms", ms);
	return m;
}

struct moment moment_full(uint64_t ms)
{
	return format(ms, "%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M:%S");
}

struct moment moment_time(uint64_t ms)
{
	return format(ms, "%H:%M:%S", "%Y-%m-%d %H:%M:%S");
}

struct moment moment_minute(uint64_t ms)
{
	return format(ms, "%H:%M", "%Y-%m-%d %H:%M");
}

struct moment moment_span(uint64_t ms)
{
	static const struct {
		uint64_t from_ms, unit_ms;
		const char *name;
	} units[] = {
		{172800000, 86400000, "d"},
		{7200000, 3600000, "h"},
		{120000, 60000, "min"},
		{10000, 1000, "s"},
	};
	struct moment m;

	for (size_t i = 0; i < sizeof units / sizeof *units; i++)
		if (ms >= units[i].from_ms) {
			snprintf(m.text, sizeof m.text, "%" PRIu64 " %s", ms / units[i].unit_ms,
				 units[i].name);
			return m;
		}
	if (ms >= 1000 && ms % 1000 < 100)
		snprintf(m.text, sizeof m.text, "%" PRIu64 " s", ms / 1000);
	else if (ms >= 1000)
		snprintf(m.text, sizeof m.text, "%" PRIu64 ".%" PRIu64 " s", ms / 1000, ms % 1000 / 100);
	else
		snprintf(m.text, sizeof m.text, "0.%02" PRIu64 " s", ms / 10);
	return m;
}
