/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The text of a value is made once, with the value, so that a getter can hand
 * it out for as long as the snapshot lives.  Numbers are read and written as
 * in the C locale, whichever the program has chosen.
 */
#define _GNU_SOURCE	/* strtod_l */
#include "client/value.h"

#include <errno.h>
#include <inttypes.h>
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "client/print.h"
#include "proto/cursor.h"
#include "proto/units.h"

static const char *const words[] = {
#define X(NAME, word) [PRODD_TYPE_##NAME] = word,
	PRODD_TYPES(X)
#undef X
};

enum prodd_type prodd_type_of(struct prodd_slice word)
{
	for (unsigned i = PRODD_TYPE_OTHER + 1; i < sizeof words / sizeof *words; i++)
		if (prodd_slice_is(word, words[i]))
			return (enum prodd_type)i;
	return PRODD_TYPE_OTHER;
}

const char *prodd_type_word(enum prodd_type type)
{
	return words[type];
}

/* ---- texts */

/* The shortest decimal that reads back as the same float. */
static void format_float(double value, char *text, size_t size)
{
	locale_t c = newlocale(LC_ALL_MASK, "C", (locale_t)0);
	locale_t before = c ? uselocale(c) : (locale_t)0;

	for (int digits = 1; digits <= 17; digits++) {
		snprintf(text, size, "%.*g", digits, value);
		if (strtod(text, NULL) == value)
			break;
	}
	if (c) {
		uselocale(before);
		freelocale(c);
	}
}

static const char *text_of_scalar(const struct prodd_value *v, struct prodd_arena *arena)
{
	char text[PRODD_UNITS_TEXT_MAX];

	if (v->kind == PRODD_VALUE_BOOL)
		return v->boolean ? "true" : "false";
	if (v->kind == PRODD_VALUE_FLOAT)
		format_float(v->real, text, sizeof text);
	else if (v->type == PRODD_TYPE_DURATION)
		prodd_format_duration(v->integer, text);
	else if (v->type == PRODD_TYPE_SIZE)
		prodd_format_size(v->integer, text);
	else
		snprintf(text, sizeof text, "%" PRId64, v->integer);
	return prodd_arena_text(arena, prodd_slice(text));
}

static const char *text_of_list(const struct prodd_value *v, struct prodd_arena *arena)
{
	prodd_auto_buffer text = { 0 };

	prodd_buffer_append(&text, "[", 1);
	for (uint32_t i = 0; i < v->count; i++) {
		const struct prodd_value *element = &v->elements[i];

		prodd_buffer_append(&text, ", ", i > 0 ? 2 : 0);
		if (element->kind == PRODD_VALUE_STRING)
			prodd_print_string(&text, prodd_slice(element->text), true);
		else
			prodd_buffer_append(&text, element->text, strlen(element->text));
	}
	prodd_buffer_append(&text, "]", 1);
	return text.failed ? NULL : prodd_arena_text(arena, prodd_buffer_slice(&text));
}

/* ---- making */

static int no_memory(struct prodd_error *e)
{
	return prodd_error_set(e, PRODD_E_NO_MEMORY, "a value of the configuration");
}

static int read_scalar(struct prodd_value *v, struct prodd_cursor *c, struct prodd_arena *arena,
		       struct prodd_error *e)
{
	struct prodd_slice text;

	v->text = "";
	switch (prodd_cursor_kind(c)) {
	case PRODD_KIND_NIL:
		prodd_cursor_nil(c);
		v->kind = PRODD_VALUE_UNSET;
		return 0;
	case PRODD_KIND_STR:
		prodd_cursor_str(c, &text);
		v->kind = PRODD_VALUE_STRING;
		v->text = prodd_arena_text(arena, text);
		return v->text ? 0 : no_memory(e);
	case PRODD_KIND_BOOL:
		v->kind = PRODD_VALUE_BOOL;
		prodd_cursor_bool(c, &v->boolean);
		break;
	case PRODD_KIND_FLOAT:
		v->kind = PRODD_VALUE_FLOAT;
		prodd_cursor_float(c, &v->real);
		break;
	default:
		v->kind = PRODD_VALUE_INT;
		if (!prodd_cursor_int(c, &v->integer))
			return prodd_error_set(e, PRODD_E_PROTOCOL,
					       "a setting is neither bool, number nor string");
	}
	v->text = text_of_scalar(v, arena);
	return v->text ? 0 : no_memory(e);
}

static int read_list(struct prodd_value *v, struct prodd_cursor *c, struct prodd_arena *arena,
		     struct prodd_error *e)
{
	struct prodd_value *elements;

	prodd_cursor_array(c, &v->count);
	elements = prodd_arena_take(arena, v->count * sizeof *elements);
	if (!elements)
		return no_memory(e);
	for (uint32_t i = 0; i < v->count; i++) {
		int r = read_scalar(&elements[i], c, arena, e);

		if (r < 0)
			return r;
	}
	v->kind = PRODD_VALUE_LIST;
	v->elements = elements;
	v->text = text_of_list(v, arena);
	return v->text ? 0 : no_memory(e);
}

int prodd_value_read(struct prodd_value *v, enum prodd_type type, struct prodd_slice encoded,
		     struct prodd_arena *arena, struct prodd_error *e)
{
	struct prodd_cursor c = prodd_cursor(encoded);

	*v = (struct prodd_value){ .kind = PRODD_VALUE_UNSET, .type = (unsigned char)type, .text = "" };
	if (encoded.size == 0)
		return 0;
	return prodd_cursor_kind(&c) == PRODD_KIND_ARRAY ? read_list(v, &c, arena, e)
							 : read_scalar(v, &c, arena, e);
}

bool prodd_value_copy(struct prodd_value *ret, const struct prodd_value *v, struct prodd_arena *arena)
{
	struct prodd_value *elements;

	*ret = *v;
	ret->text = prodd_arena_text(arena, prodd_slice(v->text));
	if (!ret->text || v->kind != PRODD_VALUE_LIST)
		return ret->text;
	elements = prodd_arena_take(arena, v->count * sizeof *elements);
	if (!elements)
		return false;
	ret->elements = elements;
	for (uint32_t i = 0; i < v->count; i++)
		if (!prodd_value_copy(&elements[i], &v->elements[i], arena))
			return false;
	return true;
}

static bool same_scalar(const struct prodd_value *a, const struct prodd_value *b)
{
	switch (a->kind) {
	case PRODD_VALUE_BOOL:
		return a->boolean == b->boolean;
	case PRODD_VALUE_INT:
		return a->integer == b->integer;
	case PRODD_VALUE_FLOAT:
		return memcmp(&a->real, &b->real, sizeof a->real) == 0;
	default:
		return strcmp(a->text, b->text) == 0;
	}
}

bool prodd_value_equal(const struct prodd_value *a, const struct prodd_value *b)
{
	if (a->kind != b->kind || a->type != b->type)
		return false;
	if (a->kind != PRODD_VALUE_LIST)
		return same_scalar(a, b);
	if (a->count != b->count)
		return false;
	for (uint32_t i = 0; i < a->count; i++)
		if (!prodd_value_equal(&a->elements[i], &b->elements[i]))
			return false;
	return true;
}

/* ---- conversions */

bool prodd_text_int(const char *text, int64_t *ret)
{
	const char *digits = *text == '-' ? text + 1 : text;
	char *end;
	long long value;

	if (*digits < '0' || *digits > '9')
		return false;
	errno = 0;
	value = strtoll(text, &end, 10);
	if (*end || errno)
		return false;
	*ret = value;
	return true;
}

bool prodd_text_float(const char *text, double *ret)
{
	locale_t c;
	char *end;
	double value;

	if (!*text || strspn(text, "0123456789+-.eE") != strlen(text))
		return false;
	c = newlocale(LC_ALL_MASK, "C", (locale_t)0);
	if (!c)
		return false;
	value = strtod_l(text, &end, c);
	freelocale(c);
	if (*end || !isfinite(value))
		return false;
	*ret = value;
	return true;
}

bool prodd_value_int(const struct prodd_value *v, int64_t *ret)
{
	if (v->kind == PRODD_VALUE_STRING)
		return prodd_text_int(v->text, ret);
	if (v->kind == PRODD_VALUE_FLOAT) {
		if (!(v->real >= -0x1p63 && v->real < 0x1p63) || (double)(int64_t)v->real != v->real)
			return false;
		*ret = (int64_t)v->real;
		return true;
	}
	if (v->kind != PRODD_VALUE_INT)
		return false;
	*ret = v->integer;
	return true;
}

bool prodd_value_bool(const struct prodd_value *v, bool *ret)
{
	if (v->kind == PRODD_VALUE_BOOL)
		*ret = v->boolean;
	else if (v->kind == PRODD_VALUE_STRING && strcmp(v->text, "true") == 0)
		*ret = true;
	else if (v->kind == PRODD_VALUE_STRING && strcmp(v->text, "false") == 0)
		*ret = false;
	else
		return false;
	return true;
}

bool prodd_value_float(const struct prodd_value *v, double *ret)
{
	if (v->kind == PRODD_VALUE_STRING)
		return prodd_text_float(v->text, ret);
	if (v->kind == PRODD_VALUE_FLOAT)
		*ret = v->real;
	else if (v->kind == PRODD_VALUE_INT)
		*ret = (double)v->integer;
	else
		return false;
	return true;
}

bool prodd_value_duration(const struct prodd_value *v, int64_t *ret_ns)
{
	if (v->kind == PRODD_VALUE_STRING)
		return prodd_parse_duration(prodd_slice(v->text), ret_ns);
	if (v->kind != PRODD_VALUE_INT || (v->type != PRODD_TYPE_DURATION && v->integer != 0))
		return false;
	*ret_ns = v->integer;
	return true;
}

bool prodd_value_size(const struct prodd_value *v, int64_t *ret_bytes)
{
	if (v->kind == PRODD_VALUE_STRING)
		return prodd_parse_size(prodd_slice(v->text), ret_bytes);
	if (v->kind != PRODD_VALUE_INT || v->type == PRODD_TYPE_DURATION)
		return false;
	*ret_bytes = v->integer;
	return true;
}
