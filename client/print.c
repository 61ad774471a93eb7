/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers are written as in the C locale, whichever the program has chosen. */
#define _GNU_SOURCE
#include "client/print.h"

#include <float.h>
#include <inttypes.h>
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "proto/units.h"

static bool is_bare(struct prodd_slice text, bool in_list)
{
	for (size_t i = 0; i < text.size; i++) {
		unsigned char c = (unsigned char)text.at[i];

		if (c <= ' ' || c == 0x7f || c == '"' || c == '\'' || (in_list && strchr(",[]", c)))
			return false;
	}
	return text.size > 0;
}

static void append_escaped(struct prodd_buffer *b, char character)
{
	unsigned char c = (unsigned char)character;
	char hex[8];

	if (c == '"' || c == '\\')
		prodd_buffer_append(b, (char[]){ '\\', character }, 2);
	else if (c == '\n' || c == '\t')
		prodd_buffer_append(b, c == '\n' ? "\\n" : "\\t", 2);
	else if (c < 0x20 || c == 0x7f)
		prodd_buffer_append(b, hex, (size_t)snprintf(hex, sizeof hex, "\\x%02x", c));
	else
		prodd_buffer_append(b, &character, 1);
}

static void print_string(struct prodd_buffer *b, struct prodd_slice text, bool in_list)
{
	if (is_bare(text, in_list)) {
		prodd_buffer_append(b, text.at, text.size);
		return;
	}
	prodd_buffer_append(b, "\"", 1);
	for (size_t i = 0; i < text.size; i++)
		append_escaped(b, text.at[i]);
	prodd_buffer_append(b, "\"", 1);
}

/* The shortest decimal that reads back as the same float. Fifteen digits are exact in any normal one, and
 * "%g" leaves out the zeros at their end. */
static void format_float(double value, char *text, size_t size)
{
	locale_t c = newlocale(LC_ALL_MASK, "C", (locale_t)0);
	locale_t before = c ? uselocale(c) : (locale_t)0;

	for (int digits = fabs(value) >= DBL_MIN ? DBL_DIG : 1; digits <= 17; digits++) {
		snprintf(text, size, "%.*g", digits, value);
		if (strtod(text, NULL) == value)
			break;
	}
	if (c) {
		uselocale(before);
		freelocale(c);
	}
}

static void print_number(struct prodd_buffer *b, const struct prodd_value *v)
{
	char text[PRODD_UNITS_TEXT_MAX];

	if (v->kind == PRODD_VALUE_FLOAT)
		format_float(v->real, text, sizeof text);
	else if (v->type == PRODD_TYPE_DURATION)
		prodd_format_duration(v->integer, text);
	else if (v->type == PRODD_TYPE_SIZE)
		prodd_format_size(v->integer, text);
	else
		snprintf(text, sizeof text, "%" PRId64, v->integer);
	prodd_buffer_append(b, text, strlen(text));
}

static void print_scalar(struct prodd_buffer *b, const struct prodd_value *v, bool in_list)
{
	if (v->kind == PRODD_VALUE_STRING)
		print_string(b, prodd_slice(v->string), in_list);
	else if (v->kind == PRODD_VALUE_BOOL)
		prodd_buffer_append(b, v->boolean ? "true" : "false", v->boolean ? 4 : 5);
	else if (v->kind == PRODD_VALUE_INT || v->kind == PRODD_VALUE_FLOAT)
		print_number(b, v);
}

void prodd_print_value(struct prodd_buffer *b, const struct prodd_value *v)
{
	if (v->kind != PRODD_VALUE_LIST) {
		print_scalar(b, v, false);
		return;
	}
	prodd_buffer_append(b, "[", 1);
	for (uint32_t i = 0; i < v->count; i++) {
		prodd_buffer_append(b, ", ", i > 0 ? 2 : 0);
		print_scalar(b, &v->elements[i], true);
	}
	prodd_buffer_append(b, "]", 1);
}
