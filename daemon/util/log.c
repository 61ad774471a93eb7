/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One write for each line.  A reader of stderr that has stopped must not stop
 * the loop: a line that would wait is dropped, and the next that gets through
 * says how many there were.
 */
#include "daemon/util/log.h"

#include <poll.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "proto/cursor.h"

enum { line_max = 2048 };	/* bytes; below PIPE_BUF, so that lines of several threads never mix */

static const char *log_program = "prodd";
static enum log_level log_highest = LOG_LEVEL_INFO;
static bool log_prefixed = true;
static atomic_uint log_dropped;

void log_open(const char *program, enum log_level level)
{
	log_program = program;
	log_highest = level;
	log_prefixed = !isatty(STDERR_FILENO);
}

/* Copies text with control characters and damaged UTF-8 as \xNN. Returns the bytes written. */
static size_t escape(char *to, size_t room, const char *text)
{
	struct prodd_slice left = { text, strlen(text) };
	size_t at = 0;

	while (left.size > 0 && at + 5 < room) {
		unsigned char first = (unsigned char)*left.at;
		unsigned length = prodd_text_character(left);
		bool plain = length > 0 && first >= 0x20 && first != 0x7f &&
			     !(first == 0xc2 && (unsigned char)left.at[1] < 0xa0);

		if (!plain) {
			length = 1;
			at += (size_t)snprintf(to + at, room - at, "\\x%02x", first);
		} else {
			memcpy(to + at, left.at, length);
			at += length;
		}
		left.at += length;
		left.size -= length;
	}
	return at;
}

static bool would_wait(void)
{
	struct pollfd out = { .fd = STDERR_FILENO, .events = POLLOUT };

	return poll(&out, 1, 0) == 0;
}

static void write_line(enum log_level level, const char *text)
{
	char line[line_max];
	int head = snprintf(line, sizeof line, log_prefixed ? "<%2$d>%1$s: " : "%1$s: ", log_program, (int)level);
	size_t size = (size_t)head + escape(line + head, sizeof line - (size_t)head - 1, text);

	line[size++] = '\n';
	if (would_wait() || write(STDERR_FILENO, line, size) < 0)
		atomic_fetch_add(&log_dropped, 1);
}

void log_line(enum log_level level, const char *format, ...)
{
	char text[line_max];
	unsigned dropped;
	va_list args;

	if (level > log_highest)
		return;
	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	dropped = atomic_load(&log_dropped);
	if (dropped && !would_wait()) {
		char note[64];

		atomic_fetch_sub(&log_dropped, dropped);
		snprintf(note, sizeof note, "%u messages were dropped: stderr was full", dropped);
		write_line(LOG_LEVEL_WARN, note);
	}
	write_line(level, text);
}
