/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One way in for every value: read by a cursor, checked, packed again.  So
 * equal canonical values have equal bytes, however wide a sender packed them.
 */
#include "daemon/tree/value.h"

#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "proto/cursor.h"
#include "proto/units.h"

enum { shown_max = 80 };	/* bytes of a value inside a sentence */

static const struct {
	const char *name;
	const char *article;
} types[] = {
	[VALUE_NONE] = { "", "a value" },
#define X(id, name, article) [VALUE_##id] = { name, article },
	VALUE_TYPES(X)
#undef X
};

enum value_type value_type_of(struct prodd_slice name)
{
	for (int i = VALUE_NONE + 1; i < (int)(sizeof types / sizeof *types); i++)
		if (prodd_slice_is(name, types[i].name))
			return (enum value_type)i;
	return VALUE_NONE;
}

const char *value_type_name(enum value_type type)
{
	return types[type].name;
}

const char *value_type_article(enum value_type type)
{
	return types[type].article;
}

/* ---- literals */

static enum value_type take_scalar(struct prodd_cursor *c)
{
	struct prodd_slice text;
	int64_t number;
	double real;
	bool truth;

	switch (prodd_cursor_kind(c)) {
	case PRODD_KIND_BOOL:
		return prodd_cursor_bool(c, &truth) ? VALUE_BOOL : VALUE_NONE;
	case PRODD_KIND_INT:
		return prodd_cursor_int(c, &number) ? VALUE_INT : VALUE_NONE;
	case PRODD_KIND_FLOAT:
		return prodd_cursor_float(c, &real) && isfinite(real) ? VALUE_FLOAT : VALUE_NONE;
	case PRODD_KIND_STR:
		return prodd_cursor_str(c, &text) && prodd_is_text(text) ? VALUE_STRING : VALUE_NONE;
	default:
		return VALUE_NONE;
	}
}

enum value_type value_literal_type(struct prodd_slice value)
{
	struct prodd_cursor c = prodd_cursor(value);
	enum value_type type = VALUE_LIST;
	uint32_t count;

	if (!prodd_cursor_array(&c, &count)) {
		type = take_scalar(&c);
		return c.at == c.end ? type : VALUE_NONE;
	}
	for (; count > 0; count--)
		if (take_scalar(&c) == VALUE_NONE)
			return VALUE_NONE;
	return c.at == c.end ? type : VALUE_NONE;
}

/* Packs what is at the cursor anew. The cursor is on a scalar that take_scalar() accepted. */
static void repack_scalar(struct prodd_cursor *c, struct prodd_buffer *b)
{
	struct prodd_slice text;
	int64_t number;
	double real;
	bool truth;

	if (prodd_cursor_bool(c, &truth))
		prodd_pack_bool(b, truth);
	else if (prodd_cursor_int(c, &number))
		prodd_pack_int(b, number);
	else if (prodd_cursor_str(c, &text))
		prodd_pack_str(b, text);
	else if (prodd_cursor_float(c, &real))
		prodd_pack_float(b, real);
}

static void repack(struct prodd_slice literal, struct prodd_buffer *b)
{
	struct prodd_cursor c = prodd_cursor(literal);
	uint32_t count = 1;

	if (prodd_cursor_array(&c, &count))
		prodd_pack_array(b, count);
	for (; count > 0; count--)
		repack_scalar(&c, b);
}

bool value_is_below(struct prodd_slice a, struct prodd_slice b)
{
	struct prodd_cursor x = prodd_cursor(a), y = prodd_cursor(b);
	double real, other_real;
	int64_t number, other;

	if (prodd_cursor_int(&x, &number) && prodd_cursor_int(&y, &other))
		return number < other;
	x = prodd_cursor(a);
	y = prodd_cursor(b);
	return prodd_cursor_float(&x, &real) && prodd_cursor_float(&y, &other_real) && real < other_real;
}

/* ---- conversion */

static bool refuse(char why[VALUE_WHY_MAX], const char *format, ...) __attribute__((format(printf, 2, 3)));

static bool refuse(char why[VALUE_WHY_MAX], const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(why, VALUE_WHY_MAX, format, args);
	va_end(args);
	return false;
}

static const char *wanted(enum value_type type)
{
	if (type == VALUE_DURATION)
		return "a duration such as \"30s\"";
	if (type == VALUE_SIZE)
		return "a size such as \"64MiB\"";
	return types[type == VALUE_ENUM ? VALUE_STRING : type].article;
}

/* `expected an int, got the string "abc"` */
static bool refuse_kind(enum value_type type, struct prodd_slice literal, char why[VALUE_WHY_MAX])
{
	enum value_type is = value_literal_type(literal);
	struct prodd_cursor c = prodd_cursor(literal);
	struct prodd_slice text;
	char shown[shown_max];

	if (is == VALUE_NONE)
		return refuse(why, "expected %s, got something that is no value", wanted(type));
	if (is == VALUE_LIST)
		return refuse(why, "expected %s, got a list", wanted(type));
	if (prodd_cursor_str(&c, &text)) {
		text = prodd_text_cut(text, shown_max);
		return refuse(why, "expected %s, got the string \"%.*s\"", wanted(type), PRODD_SLICE(text));
	}
	value_text(literal, prodd_slice(types[is].name), shown, sizeof shown);
	return refuse(why, "expected %s, got the %s %s", wanted(type), types[is].name, shown);
}

static bool convert_units(enum value_type type, struct prodd_slice literal, struct prodd_buffer *b,
			  char why[VALUE_WHY_MAX])
{
	struct prodd_cursor c = prodd_cursor(literal);
	struct prodd_slice text;
	int64_t number;

	if (prodd_cursor_int(&c, &number)) {
		if (number < 0)
			return refuse(why, "%s cannot be negative", types[type].article);
		if (type == VALUE_DURATION && number != 0)
			return refuse(why, "expected %s, got the int %" PRId64 " without a unit",
				      wanted(type), number);
	} else if (!prodd_cursor_str(&c, &text) ||
		   !(type == VALUE_DURATION ? prodd_parse_duration(text, &number)
					    : prodd_parse_size(text, &number))) {
		return refuse_kind(type, literal, why);
	}
	prodd_pack_int(b, number);
	return true;
}

bool value_convert(enum value_type type, struct prodd_slice literal, struct prodd_buffer *ret,
		   char why[VALUE_WHY_MAX])
{
	enum value_type is = value_literal_type(literal);
	struct prodd_cursor c = prodd_cursor(literal);
	double real;

	if (is == VALUE_NONE)
		return refuse_kind(type, literal, why);
	if (literal.size > VALUE_SIZE_MAX)
		return refuse(why, "the value has %zu bytes, at most %u are allowed", literal.size,
			      VALUE_SIZE_MAX);
	if (type == VALUE_DURATION || type == VALUE_SIZE)
		return convert_units(type, literal, ret, why);
	if (type == VALUE_FLOAT && (is == VALUE_INT || is == VALUE_FLOAT)) {
		prodd_cursor_float(&c, &real);
		prodd_pack_float(ret, real);
		return true;
	}
	if (type != VALUE_NONE && is != (type == VALUE_ENUM ? VALUE_STRING : type))
		return refuse_kind(type, literal, why);
	repack(literal, ret);
	return true;
}

/* ---- text for people */

struct out {
	char *text;
	size_t size;	/* of the memory */
	size_t length;
	bool full;
};

static void put(struct out *o, const char *bytes, size_t size)
{
	if (o->full || size >= o->size - o->length) {
		o->full = true;
		return;
	}
	memcpy(o->text + o->length, bytes, size);
	o->length += size;
}

static void put_text(struct out *o, const char *text)
{
	put(o, text, strlen(text));
}

static bool is_bare(struct prodd_slice s, bool in_list)
{
	for (size_t i = 0; i < s.size; i++) {
		unsigned char c = (unsigned char)s.at[i];

		if (c <= ' ' || c == 0x7f || c == '"' || c == '\'' || (in_list && strchr(",[]", c)))
			return false;
	}
	return s.size > 0;
}

static void put_quoted(struct out *o, struct prodd_slice s)
{
	unsigned step;
	char hex[8];

	put_text(o, "\"");
	for (; s.size > 0; s.at += step, s.size -= step) {
		unsigned char c = (unsigned char)s.at[0];

		step = prodd_text_character(s);
		step = step ? step : 1;
		if (c == '"' || c == '\\') {
			put(o, (char[]){ '\\', (char)c }, 2);
		} else if (c == '\n' || c == '\t') {
			put_text(o, c == '\n' ? "\\n" : "\\t");
		} else if (c < 0x20 || c == 0x7f) {
			snprintf(hex, sizeof hex, "\\x%02x", c);
			put_text(o, hex);
		} else {
			put(o, s.at, step);
		}
	}
	put_text(o, "\"");
}

static void put_string(struct out *o, struct prodd_slice s, bool in_list)
{
	unsigned step;

	if (!is_bare(s, in_list)) {
		put_quoted(o, s);
		return;
	}
	for (; s.size > 0; s.at += step, s.size -= step) {	/* by characters: a cut is between two */
		step = prodd_text_character(s);
		step = step ? step : 1;
		put(o, s.at, step);
	}
}

/* The shortest decimal that reads back as the same number. */
static void put_float(struct out *o, double real)
{
	char text[40];

	for (int digits = 1; digits <= 17; digits++) {
		snprintf(text, sizeof text, "%.*g", digits, real);
		if (strtod(text, NULL) == real)
			break;
	}
	put_text(o, text);
}

static void put_int(struct out *o, int64_t number, enum value_type type)
{
	char text[PRODD_UNITS_TEXT_MAX];

	if (type == VALUE_DURATION)
		prodd_format_duration(number, text);
	else if (type == VALUE_SIZE)
		prodd_format_size(number, text);
	else
		snprintf(text, sizeof text, "%" PRId64, number);
	put_text(o, text);
}

static bool put_scalar(struct out *o, struct prodd_cursor *c, enum value_type type, bool in_list)
{
	struct prodd_slice text;
	int64_t number;
	double real;
	bool truth;

	if (prodd_cursor_bool(c, &truth))
		put_text(o, truth ? "true" : "false");
	else if (prodd_cursor_int(c, &number))
		put_int(o, number, type);
	else if (prodd_cursor_str(c, &text))
		put_string(o, text, in_list);
	else if (prodd_cursor_float(c, &real))
		put_float(o, real);
	else
		return false;
	return true;
}

size_t value_text(struct prodd_slice value, struct prodd_slice type, char *text, size_t size)
{
	struct prodd_cursor c = prodd_cursor(value);
	struct out o = { .text = text, .size = size };
	uint32_t count;

	if (size == 0)
		return 0;
	if (!prodd_cursor_array(&c, &count)) {
		put_scalar(&o, &c, value_type_of(type), false);
	} else {
		put_text(&o, "[");
		for (uint32_t i = 0; i < count && !o.full; i++) {
			put_text(&o, i ? ", " : "");
			if (!put_scalar(&o, &c, VALUE_NONE, true))
				break;
		}
		put_text(&o, "]");
	}
	text[o.length] = '\0';
	return o.length;
}
