/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Text on its way to a terminal, gathered and written in one go.  Whatever is
 * appended is escaped where it could act on a terminal (control characters,
 * changes of direction, bytes that are not UTF-8), so that no caller has to
 * think of where a text came from; line ends and colours have calls of their own.
 */
#ifndef PRODCTL_TEXT_H
#define PRODCTL_TEXT_H

#include <prodd/error.h>

#include "proto/buffer.h"

/* Most bytes of one screen: an answer has at most 8 MiB, escaping and alignment make more of it. */
#define TEXT_MAX (128u * 1024 * 1024)

enum colour { PLAIN, STRONG, GOOD, WARN, BAD };

struct text {
	struct prodd_buffer bytes;
	bool colour;		/* colours are written, else left out */
};

/* An empty text for `fd`: coloured when that is a terminal and NO_COLOR (no-color.org) is not set. */
struct text text_for(int fd);
void text_clear(struct text *t);

void text_printf(struct text *t, enum colour colour, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
void text_slice(struct text *t, enum colour colour, struct prodd_slice s);
void text_spaces(struct text *t, unsigned count);
void text_end_line(struct text *t);

/* Columns that an escaped text takes: one for each character. */
unsigned text_width(struct prodd_slice escaped);

/* Writes all to `fd` and empties it. Returns 0, -PRODD_E_IO or -PRODD_E_NO_MEMORY. */
int text_flush(struct text *t, int fd, struct prodd_error *e);

/* Writes `bytes` as they are. Returns 0 or -PRODD_E_IO. */
int text_write(int fd, struct prodd_slice bytes, struct prodd_error *e);

#endif
