/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Errors are plain values with a bounded text.  Nothing here allocates, so an
 * error can always be made, also about a failed allocation.
 */
#include <prodd/error.h>

#include <stdio.h>
#include <string.h>

#include "proto/cursor.h"

struct code_row {
	int code;
	const char *word;
	int retryable;
	int exit_status;
	const char *meaning;
};

static const struct code_row code_rows[] = {
#define X(name, number, word, retryable, exit_status, text) \
	{ number, word, retryable, exit_status, text },
	PRODD_ERRORS(X)
#undef X
};

static const struct code_row *row_of(int code)
{
	for (size_t i = 0; i < sizeof code_rows / sizeof *code_rows; i++)
		if (code_rows[i].code == code)
			return &code_rows[i];
	return NULL;
}

static struct prodd_slice rest_of(const char *text, size_t from)
{
	return (struct prodd_slice){ text + from, strlen(text) - from };
}

/* Takes away what is left of a character that did not fit whole. */
static void cut_at_character(char *text)
{
	size_t start = strlen(text);

	for (int i = 0; i < 4 && start > 0 && ((unsigned char)text[start - 1] & 0xc0) == 0x80; i++)
		start--;
	if (start > 0 && (unsigned char)text[start - 1] >= 0xc0 &&
	    prodd_text_character(rest_of(text, start - 1)) == 0)
		text[start - 1] = '\0';
}

/* One line of UTF-8 without control characters, whatever a peer, a path or strerror put into it. */
static void flatten(char *text)
{
	size_t at = 0;

	while (text[at]) {
		unsigned char first = (unsigned char)text[at];
		unsigned length = prodd_text_character(rest_of(text, at));

		if (length == 0)
			text[at] = '?';
		else if (first < 0x20 || first == 0x7f)
			text[at] = ' ';
		else if (first == 0xc2 && (unsigned char)text[at + 1] < 0xa0)
			text[at] = text[at + 1] = ' ';
		at += length ? length : 1;
	}
}

int prodd_error_vset(struct prodd_error *e, int code, const char *format, va_list args)
{
	int length;

	if (!e)
		return -code;
	e->code = code;
	length = vsnprintf(e->text, sizeof e->text, format, args);
	if (length >= (int)sizeof e->text)
		cut_at_character(e->text);
	else if (length <= 0)
		snprintf(e->text, sizeof e->text, "%s", prodd_error_meaning(code));
	flatten(e->text);
	return -code;
}

int prodd_error_set(struct prodd_error *e, int code, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	prodd_error_vset(e, code, format, args);
	va_end(args);
	return -code;
}

int prodd_error_prefix(struct prodd_error *e, const char *format, ...)
{
	char context[PRODD_ERROR_TEXT_MAX];
	char inner[PRODD_ERROR_TEXT_MAX];
	va_list args;

	if (!e)
		return -PRODD_E_FAILED;
	va_start(args, format);
	vsnprintf(context, sizeof context, format, args);
	va_end(args);
	memcpy(inner, e->text, sizeof inner);
	return prodd_error_set(e, e->code, "%s: %s", context, inner);
}

const char *prodd_error_word(int code)
{
	const struct code_row *row = row_of(code);

	return row ? row->word : "unknown";
}

int prodd_error_code(const char *word, size_t length)
{
	for (size_t i = 0; i < sizeof code_rows / sizeof *code_rows; i++)
		if (strlen(code_rows[i].word) == length && memcmp(code_rows[i].word, word, length) == 0)
			return code_rows[i].code;
	return PRODD_E_FAILED;
}

int prodd_error_retryable(int code)
{
	const struct code_row *row = row_of(code);

	return row ? row->retryable : 0;
}

int prodd_error_exit(int code)
{
	const struct code_row *row = row_of(code);

	return row ? row->exit_status : 1;
}

const char *prodd_error_meaning(int code)
{
	const struct code_row *row = row_of(code);

	return row ? row->meaning : "unknown error";
}
