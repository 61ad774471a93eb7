/* SPDX-License-Identifier: Apache-2.0 */
/* Longest match by hand; what a number is, is decided on the whole word. */
#include "config.h"	/* _GNU_SOURCE */

#include "daemon/parse/token.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include "proto/cursor.h"

enum {
	number_max = 400,	/* bytes of a number: more cannot be exact anyway */
	shown_max = 60,		/* bytes of it inside a sentence */
};

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_word_byte(char c)
{
	return is_letter(c) || is_digit(c) || (c != '\0' && strchr("_.+-*", c));
}

static struct prodd_slice take(struct tokens *t, size_t size)
{
	struct prodd_slice taken = { t->left.at, size };

	for (size_t i = 0; i < size; i++)
		t->line += t->left.at[i] == '\n';
	t->left.at += size;
	t->left.size -= size;
	return taken;
}

static bool begins(const struct tokens *t, const char *text)
{
	size_t size = strlen(text);

	return t->left.size >= size && memcmp(t->left.at, text, size) == 0;
}

/* ---- words */

/* The bytes behind an optional sign. */
static struct prodd_slice unsigned_part(struct prodd_slice s)
{
	size_t sign = s.size > 0 && (s.at[0] == '-' || s.at[0] == '+');

	return (struct prodd_slice){ s.at + sign, s.size - sign };
}

static size_t digits(struct prodd_slice s, size_t from, bool hex)
{
	size_t n = from;

	while (n < s.size &&
	       (is_digit(s.at[n]) || (hex && s.at[n] != '\0' && strchr("abcdefABCDEF", s.at[n]))))
		n++;
	return n - from;
}

static enum token_kind integer_kind(struct prodd_slice s)
{
	bool hex = s.size > 2 && s.at[0] == '0' && (s.at[1] | 0x20) == 'x';
	size_t begin = hex ? 2 : 0, n;
	struct prodd_slice rest;

	if (!hex)
		s = unsigned_part(s);
	n = digits(s, begin, hex);
	rest = (struct prodd_slice){ s.at + begin + n, s.size - begin - n };
	if (n == 0)
		return TOKEN_WORD;
	if (rest.size == 0)
		return TOKEN_INT;
	return prodd_slice_is(rest, "L") || prodd_slice_is(rest, "LL") ? TOKEN_INT64 : TOKEN_WORD;
}

static bool is_float(struct prodd_slice s)
{
	size_t whole, fraction = 0, at, n;
	bool point;

	s = unsigned_part(s);
	whole = digits(s, 0, false);
	at = whole;
	point = at < s.size && s.at[at] == '.';
	if (point) {
		fraction = digits(s, at + 1, false);
		at += 1 + fraction;
	}
	if (whole + fraction == 0)
		return false;
	if (at == s.size)
		return point;
	if ((s.at[at] | 0x20) != 'e')
		return false;
	at++;
	at += at < s.size && (s.at[at] == '-' || s.at[at] == '+');
	n = digits(s, at, false);
	return n > 0 && at + n == s.size;
}

static bool is_name(struct prodd_slice s)
{
	if (!is_letter(s.at[0]))
		return false;
	for (size_t i = 1; i < s.size; i++)
		if (!is_letter(s.at[i]) && !is_digit(s.at[i]) && s.at[i] != '_' && s.at[i] != '-')
			return false;
	return true;
}

static bool is_bool(struct prodd_slice s)
{
	return (s.size == 4 && strncasecmp(s.at, "true", 4) == 0) ||
	       (s.size == 5 && strncasecmp(s.at, "false", 5) == 0);
}

static enum token_kind word_kind(struct prodd_slice s)
{
	if (is_bool(s))
		return TOKEN_BOOL;
	if (is_name(s))
		return TOKEN_NAME;
	if (s.size > number_max)
		return TOKEN_WORD;
	return is_float(s) ? TOKEN_FLOAT : integer_kind(s);
}

/* ---- whole values */

static bool integer_fits(const struct token *t)
{
	char text[number_max + 1];
	long long number;
	bool hex;

	memcpy(text, t->text.at, t->text.size);
	text[t->text.size] = '\0';
	hex = text[0] == '0' && (text[1] | 0x20) == 'x';
	errno = 0;
	number = strtoll(text, NULL, hex ? 16 : 10);	/* stops at the L */
	return errno == 0 && (t->kind == TOKEN_INT64 || (number >= INT32_MIN && number <= INT32_MAX));
}

static bool float_fits(const struct token *t)
{
	char text[number_max + 1];

	memcpy(text, t->text.at, t->text.size);
	text[t->text.size] = '\0';
	return isfinite(strtod(text, NULL));
}

/* For libconfig the string would end there. */
static bool has_nul(struct prodd_slice s)
{
	for (size_t i = 0; i + 3 < s.size; i++) {
		if (s.at[i] != '\\')
			continue;
		if ((s.at[i + 1] | 0x20) == 'x' && s.at[i + 2] == '0' && s.at[i + 3] == '0')
			return true;
		i++;
	}
	return false;
}

bool token_is_whole(const struct token *token, char why[TOKEN_WHY_MAX])
{
	struct prodd_slice shown = prodd_text_cut(token->text, shown_max);

	switch (token->kind) {
	case TOKEN_INT:
		if (integer_fits(token))
			return true;
		snprintf(why, TOKEN_WHY_MAX,
			 "%.*s does not fit in 32 bits: write %.*sL, or a size or duration as a string",
			 PRODD_SLICE(shown), PRODD_SLICE(shown));
		return false;
	case TOKEN_INT64:
		if (integer_fits(token))
			return true;
		snprintf(why, TOKEN_WHY_MAX, "%.*s does not fit in 64 bits", PRODD_SLICE(shown));
		return false;
	case TOKEN_FLOAT:
		if (float_fits(token))
			return true;
		snprintf(why, TOKEN_WHY_MAX, "%.*s is too large for a float", PRODD_SLICE(shown));
		return false;
	case TOKEN_STRING:
		snprintf(why, TOKEN_WHY_MAX, "a string cannot hold \\x00");
		return !has_nul(token->text);
	default:
		return true;
	}
}

/* ---- the rest */

/* Bytes up to and with the end of a line, or of the text. */
static size_t line_size(struct prodd_slice s)
{
	const char *end = memchr(s.at, '\n', s.size);

	return end ? (size_t)(end - s.at) + 1 : s.size;
}

/* Skips white space and comments. False: a comment is open at the end; nothing of it was taken. */
static bool skip_space(struct tokens *t)
{
	while (t->left.size > 0) {
		if (strchr(" \t\n\r\f", t->left.at[0]) && t->left.at[0] != '\0') {
			take(t, 1);
		} else if (t->left.at[0] == '#' || begins(t, "//")) {
			take(t, line_size(t->left));
		} else if (begins(t, "/*")) {
			const char *end = memmem(t->left.at + 2, t->left.size - 2, "*/", 2);

			if (!end)
				return false;
			take(t, (size_t)(end - t->left.at) + 2);
		} else {
			break;
		}
	}
	return true;
}

/* A string with its quotes; 0: it has no end. */
static size_t string_size(struct prodd_slice s)
{
	for (size_t i = 1; i < s.size; i++) {
		if (s.at[i] == '"')
			return i + 1;
		if (s.at[i] == '\\')
			i++;
	}
	return 0;
}

static size_t word_size(struct prodd_slice s)
{
	size_t n = 0;

	while (n < s.size && is_word_byte(s.at[n]))
		n++;
	return n;
}

struct token token_next(struct tokens *t)
{
	struct token token = { .kind = TOKEN_END };
	bool closed = skip_space(t);
	size_t size;

	token.line = t->line;
	token.text = (struct prodd_slice){ t->left.at, 0 };
	if (t->left.size == 0)
		return token;
	size = word_size(t->left);
	if (!closed) {
		token.kind = TOKEN_OPEN_COMMENT;
		size = t->left.size;
	} else if (t->left.at[0] == '"') {
		size = string_size(t->left);
		token.kind = size ? TOKEN_STRING : TOKEN_OPEN_STRING;
		size = size ? size : t->left.size;
	} else if (size > 0) {
		token.kind = word_kind((struct prodd_slice){ t->left.at, size });
	} else {
		token.kind = t->left.at[0] != '\0' && strchr("=:,;{}[]()", t->left.at[0]) ? TOKEN_MARK
											  : TOKEN_OTHER;
		size = token.kind == TOKEN_MARK ? 1 : prodd_text_character(t->left);
		size = size ? size : 1;
	}
	token.text = take(t, size);
	return token;
}
