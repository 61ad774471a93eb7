/* SPDX-License-Identifier: Apache-2.0 */
#include "client/prodctl/value.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "proto/cursor.h"
#include "proto/units.h"

void value_format_float(double number, char text[VALUE_FLOAT_MAX])
{
	for (int digits = 1; digits <= 17; digits++) {
		snprintf(text, VALUE_FLOAT_MAX, "%.*g", digits, number);
		if (strtod(text, NULL) == number)
			break;
	}
}

static void append(struct prodd_buffer *b, const char *text)
{
	prodd_buffer_append(b, text, strlen(text));
}

static bool needs_quotes(struct prodd_slice s)
{
	for (size_t i = 0; i < s.size; i++)
		if ((unsigned char)s.at[i] <= ' ' || s.at[i] == 0x7f || s.at[i] == '"')
			return true;
	return s.size == 0;
}

/* In quotes as a file would have it. */
static void append_quoted(struct prodd_buffer *b, struct prodd_slice s)
{
	append(b, "\"");
	for (size_t i = 0; i < s.size; i++) {
		char escape[8] = { s.at[i] };

		if (s.at[i] == '"' || s.at[i] == '\\')
			snprintf(escape, sizeof escape, "\\%c", s.at[i]);
		else if (s.at[i] == '\n' || s.at[i] == '\t')
			snprintf(escape, sizeof escape, "\\%c", s.at[i] == '\n' ? 'n' : 't');
		else if ((unsigned char)s.at[i] < ' ' || s.at[i] == 0x7f)
			snprintf(escape, sizeof escape, "\\x%02x", (unsigned char)s.at[i]);
		append(b, escape);
	}
	append(b, "\"");
}

static void append_int(struct prodd_buffer *b, struct prodd_cursor *c, struct prodd_slice type)
{
	char text[PRODD_UNITS_TEXT_MAX];
	uint64_t large = 0;
	int64_t number;

	if (!prodd_cursor_int(c, &number)) {
		prodd_cursor_uint(c, &large);
		snprintf(text, sizeof text, "%" PRIu64, large);
	} else if (prodd_slice_is(type, "duration")) {
		prodd_format_duration(number, text);
	} else if (prodd_slice_is(type, "size")) {
		prodd_format_size(number, text);
	} else {
		snprintf(text, sizeof text, "%" PRId64, number);
	}
	append(b, text);
}

static void append_scalar(struct prodd_buffer *b, struct prodd_cursor *c, struct prodd_slice type, bool bare)
{
	char text[VALUE_FLOAT_MAX];
	struct prodd_slice s;
	double number = 0;
	bool truth = false;

	switch (prodd_cursor_kind(c)) {
	case PRODD_KIND_BOOL:
		prodd_cursor_bool(c, &truth);
		append(b, truth ? "true" : "false");
		break;
	case PRODD_KIND_INT:
		append_int(b, c, type);
		break;
	case PRODD_KIND_FLOAT:
		prodd_cursor_float(c, &number);
		value_format_float(number, text);
		append(b, text);
		break;
	case PRODD_KIND_STR:
		prodd_cursor_str(c, &s);
		if (!bare && needs_quotes(s))
			append_quoted(b, s);
		else
			prodd_buffer_append(b, s.at, s.size);
		break;
	default:
		prodd_cursor_skip(c, &s);
		append(b, "(nothing)");
	}
}

int value_append(struct prodd_buffer *b, struct prodd_slice value, struct prodd_slice type, bool bare)
{
	struct prodd_cursor c = prodd_cursor(value);
	uint32_t count;

	if (!prodd_cursor_array(&c, &count)) {
		append_scalar(b, &c, type, bare);
		return b->failed;
	}
	append(b, "[");
	for (uint32_t i = 0; i < count && c.at < c.end; i++) {
		append(b, i > 0 ? ", " : "");
		append_scalar(b, &c, type, false);
	}
	append(b, "]");
	return b->failed;
}
