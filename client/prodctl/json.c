/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Walks a record by its wire table; knows no record by name.  Lists were
 * checked when the answer came in (connection.c), so walking them cannot fail.
 */
#include "client/prodctl/json.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#include "client/prodctl/value.h"

static void append(struct prodd_buffer *b, const char *text)
{
	prodd_buffer_append(b, text, strlen(text));
}

/* Text is valid UTF-8 by then; what could act on a terminal or end a line in JavaScript is escaped. */
static void append_string(struct prodd_buffer *b, struct prodd_slice s)
{
	char escape[8];
	size_t clean = 0;

	append(b, "\"");
	while (clean < s.size) {
		unsigned char c = (unsigned char)s.at[clean];
		/* U+0080 to U+009F: control characters of two bytes */
		bool latin_control = c == 0xc2 && clean + 1 < s.size && (unsigned char)s.at[clean + 1] < 0xa0;

		if (c >= 0x20 && c != '"' && c != '\\' && c != 0x7f && !latin_control) {
			clean++;
			continue;
		}
		prodd_buffer_append(b, s.at, clean);
		if (c == '"' || c == '\\')
			snprintf(escape, sizeof escape, "\\%c", c);
		else
			snprintf(escape, sizeof escape, "\\u%04x",
				 latin_control ? (unsigned char)s.at[clean + 1] : (unsigned)c);
		append(b, escape);
		clean += latin_control ? 2 : 1;
		s.at += clean;
		s.size -= clean;
		clean = 0;
	}
	prodd_buffer_append(b, s.at, s.size);
	append(b, "\"");
}

static void append_uint(struct prodd_buffer *b, uint64_t number)
{
	char text[24];

	snprintf(text, sizeof text, "%" PRIu64, number);
	append(b, text);
}

static void append_int(struct prodd_buffer *b, int64_t number)
{
	char text[24];

	snprintf(text, sizeof text, "%" PRId64, number);
	append(b, text);
}

/* JSON has no infinity and no NaN. */
static void append_float(struct prodd_buffer *b, double number)
{
	char text[VALUE_FLOAT_MAX];

	if (!isfinite(number)) {
		append(b, "null");
		return;
	}
	value_format_float(number, text);
	append(b, text);
	if (!strpbrk(text, ".e"))
		append(b, ".0");
}

/* Bytes as hexadecimal digits. */
static void append_bytes(struct prodd_buffer *b, struct prodd_slice bytes)
{
	char digits[3];

	append(b, "\"");
	for (size_t i = 0; i < bytes.size; i++) {
		snprintf(digits, sizeof digits, "%02x", (unsigned char)bytes.at[i]);
		append(b, digits);
	}
	append(b, "\"");
}

static void append_scalar(struct prodd_buffer *b, struct prodd_cursor *c)
{
	struct prodd_slice s = { 0 };
	uint64_t large = 0;
	int64_t number;
	double real = 0;
	bool truth = false;

	switch (prodd_cursor_kind(c)) {
	case PRODD_KIND_BOOL:
		prodd_cursor_bool(c, &truth);
		append(b, truth ? "true" : "false");
		break;
	case PRODD_KIND_INT:
		if (prodd_cursor_int(c, &number))
			append_int(b, number);
		else if (prodd_cursor_uint(c, &large))
			append_uint(b, large);
		break;
	case PRODD_KIND_FLOAT:
		prodd_cursor_float(c, &real);
		append_float(b, real);
		break;
	case PRODD_KIND_STR:
		prodd_cursor_str(c, &s);
		append_string(b, s);
		break;
	case PRODD_KIND_BIN:
		prodd_cursor_bin(c, &s);
		append_bytes(b, s);
		break;
	default:
		prodd_cursor_skip(c, &s);
		append(b, "null");
	}
}

static void append_value(struct prodd_buffer *b, struct prodd_slice value)
{
	struct prodd_cursor c = prodd_cursor(value);
	uint32_t count;

	if (value.size == 0) {
		append(b, "null");
	} else if (!prodd_cursor_array(&c, &count)) {
		append_scalar(b, &c);
	} else {
		append(b, "[");
		for (uint32_t i = 0; i < count && c.at < c.end; i++) {
			append(b, i > 0 ? "," : "");
			append_scalar(b, &c);
		}
		append(b, "]");
	}
}

static void append_members(struct prodd_buffer *b, const struct wire_record *type, const void *record,
			   bool comma);

static void append_list(struct prodd_buffer *b, const struct wire_record *type, struct prodd_list list)
{
	struct prodd_iter it = prodd_iter(list);
	union json_any element;
	bool first = true;

	append(b, "[");
	while (prodd_next(&it, type, &element, NULL) > 0) {
		append(b, first ? "{" : ",{");
		append_members(b, type, &element, false);
		append(b, "}");
		first = false;
	}
	append(b, "]");
}

static void append_texts(struct prodd_buffer *b, struct prodd_list list)
{
	struct prodd_iter it = prodd_iter(list);
	struct prodd_slice s;
	bool first = true;

	append(b, "[");
	while (prodd_next_text(&it, &s)) {
		append(b, first ? "" : ",");
		append_string(b, s);
		first = false;
	}
	append(b, "]");
}

static void append_field(struct prodd_buffer *b, const struct wire_field *field, const void *at)
{
	switch (field->kind) {
	case WIRE_BOOL:
		append(b, *(const bool *)at ? "true" : "false");
		break;
	case WIRE_UINT:
		append_uint(b, *(const uint64_t *)at);
		break;
	case WIRE_INT:
		append_int(b, *(const int64_t *)at);
		break;
	case WIRE_STR:
		append_string(b, *(const struct prodd_slice *)at);
		break;
	case WIRE_BIN:
		append_bytes(b, *(const struct prodd_slice *)at);
		break;
	case WIRE_VALUE:
		append_value(b, *(const struct prodd_slice *)at);
		break;
	case WIRE_LIST:
		append_list(b, field->record, *(const struct prodd_list *)at);
		break;
	case WIRE_STRS:
		append_texts(b, *(const struct prodd_list *)at);
		break;
	}
}

static void append_name(struct prodd_buffer *b, const char *name, bool comma)
{
	append(b, comma ? "," : "");
	append_string(b, prodd_slice(name));
	append(b, ":");
}

/* "schema" is the number of this format; the flag of that name is "has_schema" here. */
static const char *name_of(const struct wire_field *field)
{
	return strcmp(field->name, "schema") == 0 ? "has_schema" : field->name;
}

static void append_members(struct prodd_buffer *b, const struct wire_record *type, const void *record,
			   bool comma)
{
	for (unsigned i = 0; i < type->count; i++) {
		append_name(b, name_of(&type->fields[i]), comma || i > 0);
		append_field(b, &type->fields[i], (const char *)record + type->fields[i].offset);
	}
}

void json_begin(struct prodd_buffer *b)
{
	append(b, "{\"schema\":");
	append_uint(b, JSON_SCHEMA);
}

void json_member(struct prodd_buffer *b, const char *name, struct prodd_slice text)
{
	append_name(b, name, true);
	append_string(b, text);
}

void json_end(struct prodd_buffer *b)
{
	append(b, "}\n");
}

int json_record(struct prodd_buffer *b, const struct wire_record *type, const void *record)
{
	json_begin(b);
	append_members(b, type, record, true);
	json_end(b);
	return b->failed;
}

int json_error(struct prodd_buffer *b, const struct prodd_error *error)
{
	json_begin(b);
	append_name(b, "error", true);
	append(b, "{\"code\":");
	append_string(b, prodd_slice(prodd_error_word(error->code)));
	append(b, ",\"text\":");
	append_string(b, prodd_slice(error->text));
	append(b, ",\"exit\":");
	append_uint(b, (uint64_t)prodd_error_exit(error->code));
	append(b, "}");
	json_end(b);
	return b->failed;
}
