/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading and converting.  Numbers are read as in the C locale, whichever the
 * program has chosen.
 */
#define _GNU_SOURCE	/* strtod_l */
#include "client/value.h"

#include <errno.h>
#include <locale.h>
#include <math.h>
#include <stdlib.h>

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

/* ---- making */

static int no_memory(struct prodd_error *e)
{
	return prodd_error_set(e, PRODD_E_NO_MEMORY, "a value of the configuration");
}

static int read_scalar(struct prodd_value *v, struct prodd_cursor *c, struct prodd_arena *arena,
		       struct prodd_error *e)
{
	struct prodd_slice text;

	switch (prodd_cursor_kind(c)) {
	case PRODD_KIND_NIL:
		prodd_cursor_nil(c);
		v->kind = PRODD_VALUE_UNSET;
		return 0;
	case PRODD_KIND_STR:
		prodd_cursor_str(c, &text);
		v->kind = PRODD_VALUE_STRING;
		v->string = prodd_arena_text(arena, text);
		return v->string ? 0 : no_memory(e);
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
	return 0;
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
	return 0;
}

int prodd_value_read(struct prodd_value *v, enum prodd_type type, struct prodd_slice encoded,
		     struct prodd_arena *arena, struct prodd_error *e)
{
	struct prodd_cursor c = prodd_cursor(encoded);

	*v = (struct prodd_value){ .kind = PRODD_VALUE_UNSET, .type = (unsigned char)type };
	if (encoded.size == 0)
		return 0;
	return prodd_cursor_kind(&c) == PRODD_KIND_ARRAY ? read_list(v, &c, arena, e)
							 : read_scalar(v, &c, arena, e);
}

static bool copy_list(struct prodd_value *ret, const struct prodd_value *v, struct prodd_arena *arena)
{
	struct prodd_value *elements = prodd_arena_take(arena, v->count * sizeof *elements);

	if (!elements)
		return false;
	ret->elements = elements;
	for (uint32_t i = 0; i < v->count; i++)
		if (!prodd_value_copy(&elements[i], &v->elements[i], arena))
			return false;
	return true;
}

/* The text is left out: a reader may be putting it there at this moment. */
bool prodd_value_copy(struct prodd_value *ret, const struct prodd_value *v, struct prodd_arena *arena)
{
	*ret = (struct prodd_value){ .kind = v->kind, .type = v->type, .count = v->count };
	switch (v->kind) {
	case PRODD_VALUE_BOOL:
		ret->boolean = v->boolean;
		return true;
	case PRODD_VALUE_INT:
		ret->integer = v->integer;
		return true;
	case PRODD_VALUE_FLOAT:
		ret->real = v->real;
		return true;
	case PRODD_VALUE_STRING:
		ret->string = prodd_arena_text(arena, prodd_slice(v->string));
		return ret->string;
	case PRODD_VALUE_LIST:
		return copy_list(ret, v, arena);
	default:
		return true;
	}
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
	case PRODD_VALUE_STRING:
		return strcmp(a->string, b->string) == 0;
	default:
		return true;
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
		return prodd_text_int(v->string, ret);
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
	else if (v->kind == PRODD_VALUE_STRING && strcmp(v->string, "true") == 0)
		*ret = true;
	else if (v->kind == PRODD_VALUE_STRING && strcmp(v->string, "false") == 0)
		*ret = false;
	else
		return false;
	return true;
}

bool prodd_value_float(const struct prodd_value *v, double *ret)
{
	if (v->kind == PRODD_VALUE_STRING)
		return prodd_text_float(v->string, ret);
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
		return prodd_parse_duration(prodd_slice(v->string), ret_ns);
	if (v->kind != PRODD_VALUE_INT || (v->type != PRODD_TYPE_DURATION && v->integer != 0))
		return false;
	*ret_ns = v->integer;
	return true;
}

bool prodd_value_size(const struct prodd_value *v, int64_t *ret_bytes)
{
	if (v->kind == PRODD_VALUE_STRING)
		return prodd_parse_size(prodd_slice(v->string), ret_bytes);
	if (v->kind != PRODD_VALUE_INT || v->type == PRODD_TYPE_DURATION)
		return false;
	*ret_bytes = v->integer;
	return true;
}
