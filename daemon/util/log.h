/* SPDX-License-Identifier: Apache-2.0 */
/*
 * prodd's own messages: one line each on stderr, with the syslog level as
 * "<N>" prefix when stderr is not a terminal (sd-daemon(3)).  Never through
 * prodd's own services. Control characters are escaped. Any thread.
 */
#ifndef PRODD_UTIL_LOG_H
#define PRODD_UTIL_LOG_H

#include <prodd/error.h>

enum log_level {
	LOG_LEVEL_ERROR = 3,
	LOG_LEVEL_WARN = 4,
	LOG_LEVEL_NOTICE = 5,
	LOG_LEVEL_INFO = 6,
	LOG_LEVEL_DEBUG = 7,
};

/* The name that begins each line ("prodd", "prodd-parse") and the highest level printed. Before threads start. */
void log_open(const char *program, enum log_level level);

void log_line(enum log_level level, const char *format, ...) __attribute__((format(printf, 2, 3)));

#define log_error(...) log_line(LOG_LEVEL_ERROR, __VA_ARGS__)
#define log_warn(...) log_line(LOG_LEVEL_WARN, __VA_ARGS__)
#define log_notice(...) log_line(LOG_LEVEL_NOTICE, __VA_ARGS__)
#define log_info(...) log_line(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_debug(...) log_line(LOG_LEVEL_DEBUG, __VA_ARGS__)

#endif
