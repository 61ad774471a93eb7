/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A window at the end of the file is read, and a larger one, until the line of
 * the cursor is in it.  Then line by line, forward.  After a host's crash a
 * file may be long enough and yet have zeros where a page was never written:
 * from there on nothing counts, unless the cursor's line comes later.
 */
#include "daemon/ship/tail.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

/* The widest window: more than is ever written between two syncs, and than the longest line. */
enum { first_window = 64 << 10, last_window = 16 << 20, growth = 8 };

struct walk {
	const struct tail_wish *wish;
	struct tail tail;
	bool reached;			/* a line at or below the cursor was seen */
	uint64_t damage;		/* where zeros begin; UINT64_MAX: nowhere */
	struct tail before;		/* what was known there */
};

static void take_line(struct walk *w, struct prodd_slice line, uint64_t at)
{
	struct prodd_slice time;
	uint64_t number;

	if (memchr(line.at, 0, line.size)) {
		if (w->damage == UINT64_MAX)
			w->before = w->tail;
		w->damage = w->damage < at ? w->damage : at;
		return;
	}
	if (!line_number(line, w->wish->format, &number, &time))
		return;
	if (number <= w->wish->cursor) {
		w->reached = true;
		w->damage = UINT64_MAX;		/* an old one: all up to here was synced */
	}
	w->tail.number = number;
	if (number <= w->wish->last) {
		w->tail.check = number;
		memcpy(w->tail.check_time, time.at, sizeof w->tail.check_time);
	}
}

static void walk_lines(struct walk *w, const char *window, size_t size, uint64_t at)
{
	const char *line = window, *end = window + size;

	if (at > 0) {		/* begins inside a line */
		const char *newline = memchr(line, '\n', size);

		line = newline ? newline + 1 : end;
	}
	while (line < end) {
		const char *newline = memchr(line, '\n', (size_t)(end - line));
		uint64_t position = at + (uint64_t)(line - window);

		if (!newline) {
			w->tail.end = position;
			return;
		}
		take_line(w, (struct prodd_slice){ line, (size_t)(newline + 1 - line) }, position);
		line = newline + 1;
	}
	w->tail.end = at + size;
}

static int read_window(int fd, char *to, size_t size, uint64_t at, struct prodd_error *e)
{
	for (size_t got = 0; got < size;) {
		ssize_t n = pread(fd, to + got, size - got, (off_t)(at + got));

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return prodd_error_set(e, PRODD_E_IO, "read its end: %s",
					       n < 0 ? strerror(errno) : "it shrinks");
		got += (size_t)n;
	}
	return 0;
}

/* Without a cursor the damage may be old, and lines behind it are worth more than a clean end. */
static void judge(struct walk *w, struct tail *ret)
{
	bool nothing_behind = w->before.number == w->tail.number;

	*ret = w->tail;
	if (w->damage == UINT64_MAX)
		return;
	if (w->wish->cut || w->wish->cursor > 0 || nothing_behind) {
		*ret = w->before;
		ret->end = w->damage;
	} else {
		ret->damaged = true;
		ret->before = w->before.number;
	}
}

int tail_read(int fd, uint64_t size, const struct tail_wish *wish, struct tail *ret, struct prodd_error *e)
{
	size_t window = first_window;
	int r;

	for (;;) {
		struct walk w = { .wish = wish, .damage = UINT64_MAX };
		size_t part = size < window ? (size_t)size : window;
		char *bytes = malloc(part ? part : 1);

		if (!bytes)
			return prodd_error_set(e, PRODD_E_NO_MEMORY, "read its end");
		r = read_window(fd, bytes, part, size - part, e);
		if (r == 0)
			walk_lines(&w, bytes, part, size - part);
		free(bytes);
		if (r < 0)
			return r;
		if (w.reached || part == size || window >= last_window) {
			judge(&w, ret);
			return 0;
		}
		window = window * growth < last_window ? window * growth : last_window;
	}
}
