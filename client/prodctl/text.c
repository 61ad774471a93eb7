/* SPDX-License-Identifier: Apache-2.0 */
/* Nothing is written before text_flush: a failure on the way leaves no half screen. */
#include "config.h"

#include "client/prodctl/text.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static const char *const colours[] = {
	[PLAIN] = "", [STRONG] = "\033[1m", [GOOD] = "\033[32m", [WARN] = "\033[33m", [BAD] = "\033[1;31m",
};

struct text text_for(int fd)
{
	const char *no_color = getenv("NO_COLOR");
	const char *term = getenv("TERM");
	bool wanted = (!no_color || !*no_color) && term && strcmp(term, "dumb") != 0;

	return (struct text){ .bytes.limit = TEXT_MAX, .colour = wanted && isatty(fd) };
}

void text_clear(struct text *t)
{
	prodd_buffer_clear(&t->bytes);
}

/* The character at `s` by RFC 3629: its length, with its number; 0: not UTF-8. */
static size_t character_at(struct prodd_slice s, uint32_t *ret)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	const unsigned char *at = (const unsigned char *)s.at;
	size_t size = at[0] < 0x80   ? 1
		      : at[0] < 0xc2 ? 0
		      : at[0] < 0xe0 ? 2
		      : at[0] < 0xf0 ? 3
		      : at[0] < 0xf5 ? 4
				     : 0;
	uint32_t c = size == 1 ? at[0] : at[0] & (0x7fu >> size);

	if (size == 0 || size > s.size)
		return 0;
	for (size_t i = 1; i < size; i++) {
		if ((at[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (at[i] & 0x3f);
	}
	if (c < least[size] || c > 0x10ffff || (c >= 0xd800 && c < 0xe000))
		return 0;
	*ret = c;
	return size;
}

/* Controls of ASCII and Latin-1; marks that turn the direction of what follows (unicode.org/reports/tr9),
 * line and paragraph separators, and the byte order mark. */
static bool acts_on_terminal(uint32_t c)
{
	return c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0x200e || c == 0x200f ||
	       (c >= 0x2028 && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069) || c == 0xfeff;
}

static void append_escape(struct prodd_buffer *b, uint32_t c, bool byte)
{
	char escape[12];
	int length;

	if (!byte && (c == '\n' || c == '\t'))
		length = snprintf(escape, sizeof escape, "\\%c", c == '\n' ? 'n' : 't');
	else if (byte || c < 0x80)
		length = snprintf(escape, sizeof escape, "\\x%02x", (unsigned)c);
	else
		length = snprintf(escape, sizeof escape, "\\u%04x", (unsigned)c);
	prodd_buffer_append(b, escape, (size_t)length);
}

static void append_escaped(struct prodd_buffer *b, struct prodd_slice s)
{
	size_t clean = 0;

	while (clean < s.size) {
		uint32_t c = (unsigned char)s.at[clean];
		size_t size = character_at((struct prodd_slice){ s.at + clean, s.size - clean }, &c);

		if (size > 0 && !acts_on_terminal(c)) {
			clean += size;
			continue;
		}
		prodd_buffer_append(b, s.at, clean);
		append_escape(b, c, size == 0);
		clean += size > 0 ? size : 1;
		s.at += clean;
		s.size -= clean;
		clean = 0;
	}
	prodd_buffer_append(b, s.at, s.size);
}

void text_slice(struct text *t, enum colour colour, struct prodd_slice s)
{
	bool paint = t->colour && colour != PLAIN && s.size > 0;

	if (paint)
		prodd_buffer_append(&t->bytes, colours[colour], strlen(colours[colour]));
	append_escaped(&t->bytes, s);
	if (paint)
		prodd_buffer_append(&t->bytes, "\033[0m", 4);
}

void text_printf(struct text *t, enum colour colour, const char *format, ...)
{
	char *formatted = NULL;
	va_list args;
	int length;

	va_start(args, format);
	length = vasprintf(&formatted, format, args);
	va_end(args);
	if (length < 0) {
		t->bytes.failed = -PRODD_E_NO_MEMORY;
		return;
	}
	text_slice(t, colour, (struct prodd_slice){ formatted, (size_t)length });
	free(formatted);
}

void text_spaces(struct text *t, unsigned count)
{
	char *room = prodd_buffer_extend(&t->bytes, count);

	if (room)
		memset(room, ' ', count);
}

void text_end_line(struct text *t)
{
	prodd_buffer_append(&t->bytes, "\n", 1);
}

unsigned text_width(struct prodd_slice escaped)
{
	unsigned width = 0;

	for (size_t i = 0; i < escaped.size; i++)
		width += ((unsigned char)escaped.at[i] & 0xc0) != 0x80;
	return width;
}

int text_write(int fd, struct prodd_slice bytes, struct prodd_error *e)
{
	while (bytes.size > 0) {
		ssize_t n = write(fd, bytes.at, bytes.size);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return prodd_error_set(e, PRODD_E_IO, "cannot write the output: %s", strerror(errno));
		bytes.at += n;
		bytes.size -= (size_t)n;
	}
	return 0;
}

int text_flush(struct text *t, int fd, struct prodd_error *e)
{
	int r = t->bytes.failed;

	if (r < 0)
		prodd_error_set(e, -r, "cannot prepare the output");
	else
		r = text_write(fd, prodd_buffer_slice(&t->bytes), e);
	prodd_buffer_reset(&t->bytes);
	return r;
}
