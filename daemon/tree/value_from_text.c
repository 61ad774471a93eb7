/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Text of environment variables and command lines to values: first to the
 * literal that a file would hold, then by the same conversion as that.
 */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include "daemon/tree/value.h"
#include "proto/cursor.h"

enum { number_max = 64, shown_max = 80 };

static struct prodd_slice trim(struct prodd_slice s)
{
	while (s.size > 0 && strchr(" \t\r\n", s.at[0])) {
		s.at++;
		s.size--;
	}
	while (s.size > 0 && strchr(" \t\r\n", s.at[s.size - 1]))
		s.size--;
	return s;
}

/* ---- scalars: each packs and returns true, or does nothing */

static bool is_word(struct prodd_slice s, const char *word)
{
	return s.size == strlen(word) && strncasecmp(s.at, word, s.size) == 0;
}

static bool pack_bool(struct prodd_slice s, bool only_words_of_files, struct prodd_buffer *b)
{
	static const char *const words[][2] = {
		{ "false", "true" }, { "no", "yes" }, { "off", "on" }, { "0", "1" }
	};
	size_t count = only_words_of_files ? 1 : sizeof words / sizeof *words;

	for (size_t i = 0; i < count; i++)
		for (int truth = 0; truth < 2; truth++)
			if (is_word(s, words[i][truth])) {
				prodd_pack_bool(b, truth);
				return true;
			}
	return false;
}

/* Decimal or 0x..., with the sign and the L that a file may have. */
static bool pack_int(struct prodd_slice s, struct prodd_buffer *b)
{
	char text[number_max], *end;
	long long number;
	bool hex;

	if (s.size == 0 || s.size >= sizeof text)
		return false;
	memcpy(text, s.at, s.size);
	text[s.size] = '\0';
	hex = strncasecmp(text, "0x", 2) == 0;
	if (!hex && text[strspn(text, "+-")] == '\0')
		return false;
	if (strspn(text, hex ? "0123456789abcdefABCDEFxX" : "0123456789+-") < strcspn(text, "L"))
		return false;
	errno = 0;
	number = strtoll(text, &end, hex ? 16 : 10);
	if (errno != 0 || (*end && strcmp(end, "L") != 0 && strcmp(end, "LL") != 0))
		return false;
	prodd_pack_int(b, number);
	return true;
}

static bool pack_float(struct prodd_slice s, struct prodd_buffer *b)
{
	char text[number_max], *end;
	double real;

	if (s.size == 0 || s.size >= sizeof text)
		return false;
	memcpy(text, s.at, s.size);
	text[s.size] = '\0';
	if (strspn(text, "0123456789+-.eE") != s.size || !strpbrk(text, "0123456789"))
		return false;
	real = strtod(text, &end);
	if (*end || !isfinite(real))
		return false;
	prodd_pack_float(b, real);
	return true;
}

static int hex_digit(char c)
{
	const char *digits = "0123456789abcdef";
	const char *at = c ? strchr(digits, c | 0x20) : NULL;

	return at ? (int)(at - digits) : -1;
}

/* The character after a backslash, by libconfig's rules: an unknown one keeps the backslash. */
static size_t unescape(struct prodd_slice s, struct prodd_buffer *b)
{
	static const char from[] = "nrtf\\\"", to[] = "\n\r\t\f\\\"";
	const char *known = s.size > 1 && s.at[1] ? strchr(from, s.at[1]) : NULL;

	if (known) {
		prodd_buffer_append(b, &to[known - from], 1);
		return 2;
	}
	if (s.size > 3 && (s.at[1] | 0x20) == 'x' && hex_digit(s.at[2]) >= 0 && hex_digit(s.at[3]) >= 0) {
		prodd_buffer_append(b, &(char){ (char)(hex_digit(s.at[2]) * 16 + hex_digit(s.at[3])) }, 1);
		return 4;
	}
	prodd_buffer_append(b, s.at, 1);
	return 1;
}

static bool is_quoted(struct prodd_slice s)
{
	return s.size >= 2 && s.at[0] == '"' && s.at[s.size - 1] == '"';
}

static bool pack_text(struct prodd_slice s, struct prodd_buffer *b)
{
	if (!prodd_is_text(s))
		return false;
	prodd_pack_str(b, s);
	return true;
}

static bool pack_quoted(struct prodd_slice s, struct prodd_buffer *b)
{
	struct prodd_slice inner = { s.at + 1, s.size - 2 };
	prodd_auto_buffer plain = { 0 };
	size_t step;

	for (; inner.size > 0; inner.at += step, inner.size -= step) {
		step = 1;
		if (inner.at[0] == '\\')
			step = unescape(inner, &plain);
		else
			prodd_buffer_append(&plain, inner.at, 1);
	}
	if (plain.failed) {
		b->failed = plain.failed;
		return true;
	}
	return pack_text(prodd_buffer_slice(&plain), b);
}

/* Whatever the text looks like. */
static bool pack_guess(struct prodd_slice s, bool strings, struct prodd_buffer *b)
{
	if (is_quoted(s))
		return pack_quoted(s, b);
	if (!strings && (pack_bool(s, true, b) || pack_int(s, b) || pack_float(s, b)))
		return true;
	return pack_text(s, b);
}

/* ---- lists */

static bool all_strings(struct prodd_slice like)
{
	struct prodd_cursor c = prodd_cursor(like);
	struct prodd_slice text;
	uint32_t count;

	if (!prodd_cursor_array(&c, &count) || count == 0)
		return false;
	for (; count > 0; count--)
		if (!prodd_cursor_str(&c, &text))
			return false;
	return true;
}

/* The bytes up to the next comma that is not inside quotes. */
static size_t element_size(struct prodd_slice s)
{
	bool quoted = false;

	for (size_t i = 0; i < s.size; i++) {
		if (quoted && s.at[i] == '\\')
			i++;
		else if (s.at[i] == '"')
			quoted = !quoted;
		else if (s.at[i] == ',' && !quoted)
			return i;
	}
	return s.size;
}

static bool pack_list(struct prodd_slice s, bool strings, struct prodd_buffer *b)
{
	prodd_auto_buffer elements = { 0 };
	uint32_t count = 0;

	s = trim(s);
	if (s.size >= 2 && s.at[0] == '[' && s.at[s.size - 1] == ']')
		s = trim((struct prodd_slice){ s.at + 1, s.size - 2 });
	while (s.size > 0) {
		size_t size = element_size(s);
		struct prodd_slice element = trim((struct prodd_slice){ s.at, size });

		if (element.size == 0 || !pack_guess(element, strings, &elements))
			return false;
		count++;
		size += size < s.size;
		s = trim((struct prodd_slice){ s.at + size, s.size - size });
	}
	prodd_pack_array(b, count);
	prodd_buffer_append(b, elements.at, elements.size);
	if (elements.failed)
		b->failed = elements.failed;
	return true;
}

/* ---- by type */

static bool looks_like_list(struct prodd_slice s)
{
	s = trim(s);
	return s.size >= 2 && s.at[0] == '[' && s.at[s.size - 1] == ']';
}

static bool pack_literal(enum value_type type, struct prodd_slice like, struct prodd_slice text,
			 enum value_text_from from, struct prodd_buffer *b)
{
	struct prodd_slice bare = trim(text);

	switch (type) {
	case VALUE_BOOL:
		return pack_bool(bare, false, b);
	case VALUE_INT:
		return pack_int(bare, b);
	case VALUE_FLOAT:
		return pack_float(bare, b);
	case VALUE_SIZE:
		if (pack_int(bare, b))
			return true;
		break;
	case VALUE_LIST:
		return pack_list(text, all_strings(like), b);
	case VALUE_NONE:
		return looks_like_list(text) ? pack_list(text, false, b) : pack_guess(text, false, b);
	case VALUE_DURATION:
		break;
	default:
		bare = text;	/* strings and words keep their spaces */
	}
	return from == VALUE_FROM_TYPED && is_quoted(bare) ? pack_quoted(bare, b) : pack_text(bare, b);
}

bool value_from_text(enum value_type type, struct prodd_slice like, struct prodd_slice text,
		     enum value_text_from from, struct prodd_buffer *ret, char why[VALUE_WHY_MAX])
{
	prodd_auto_buffer literal = { 0 };
	struct prodd_slice shown = prodd_text_cut(text, shown_max);

	if (!prodd_is_text(text)) {
		snprintf(why, VALUE_WHY_MAX, "the value is not valid UTF-8");
		return false;
	}
	if (!pack_literal(type, like, text, from, &literal)) {
		snprintf(why, VALUE_WHY_MAX, "expected %s, got \"%.*s\"", value_type_article(type),
			 PRODD_SLICE(shown));
		return false;
	}
	if (literal.failed) {
		ret->failed = literal.failed;
		return true;
	}
	return value_convert(type, prodd_buffer_slice(&literal), ret, why);
}
