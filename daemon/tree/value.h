/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Values as they stand encoded.  A *literal* is what a file or a person wrote:
 * a bool, int, float, str or array of these.  A *canonical* value has the form
 * of its type: a duration is an int of nanoseconds, a size an int of bytes, a
 * float always a float, an enum a str.
 */
#ifndef PRODD_TREE_VALUE_H
#define PRODD_TREE_VALUE_H

#include "proto/buffer.h"
#include "proto/slice.h"

/* Room for a sentence that says why a value is refused, with the value in it (cut). */
#define VALUE_WHY_MAX 512

/* Bytes of one value, encoded: the limit of the wire's fields. */
#define VALUE_SIZE_MAX 65536u

/* Every type: T(ID, "name", "with its article"). */
#define VALUE_TYPES(T) \
	T(BOOL,     "bool",     "a bool") \
	T(INT,      "int",      "an int") \
	T(FLOAT,    "float",    "a float") \
	T(STRING,   "string",   "a string") \
	T(DURATION, "duration", "a duration") \
	T(SIZE,     "size",     "a size") \
	T(ENUM,     "enum",     "one of the enum's words") \
	T(LIST,     "list",     "a list")

enum value_type {
	VALUE_NONE,
#define X(id, name, article) VALUE_##id,
	VALUE_TYPES(X)
#undef X
};

enum value_type value_type_of(struct prodd_slice name);	/* VALUE_NONE: unknown */
const char *value_type_name(enum value_type type);
const char *value_type_article(enum value_type type);

/*
 * BOOL, INT, FLOAT, STRING, LIST by the encoding; VALUE_NONE for anything else, an int beyond
 * 2^63-1, a float that is no number, a text that is not UTF-8, a list with lists in it.
 */
enum value_type value_literal_type(struct prodd_slice value);

/* Whether the number, duration or size `a` is smaller than `b`, of the same type. */
bool value_is_below(struct prodd_slice a, struct prodd_slice b);

/*
 * Converts a literal to a type. Appends the canonical value to `ret` and returns true; else false
 * with the reason in `why`: `expected an int, got the string "abc"`. An int without a unit is no
 * duration (except 0), but a size.
 */
bool value_convert(enum value_type type, struct prodd_slice literal, struct prodd_buffer *ret,
		   char why[VALUE_WHY_MAX]);

enum value_text_from {
	VALUE_FROM_VARIABLE,	/* of the environment: a string is taken as it is */
	VALUE_FROM_TYPED,	/* as in a file, but a bare word is a string too; quotes are taken off */
};

/*
 * As value_convert(), from text. bool: true false yes no on off 1 0; list: comma separated, or inside
 * "[" and "]". `like`, a list, or empty: when all its elements are strings, so are those of the
 * text. VALUE_NONE: whatever the text looks like.
 */
bool value_from_text(enum value_type type, struct prodd_slice like, struct prodd_slice text,
		     enum value_text_from from, struct prodd_buffer *ret, char why[VALUE_WHY_MAX]);

/*
 * Text for people: `type` is the name as on the wire. Duration and size with units, floats as short
 * as they read back, strings bare unless empty or with spaces, quotes or control characters, lists
 * as [a, b]. Cut to `size` at a character. Returns its length. No value: "".
 */
size_t value_text(struct prodd_slice value, struct prodd_slice type, char *text, size_t size);

#endif
