/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One value of a configuration: what was served, and the conversions that the
 * getters offer.  Immutable once made.
 */
#ifndef PRODD_CLIENT_VALUE_H
#define PRODD_CLIENT_VALUE_H

#include <stdatomic.h>

#include <prodd/error.h>

#include "client/arena.h"

enum prodd_value_kind {
	PRODD_VALUE_UNKNOWN,	/* no such key */
	PRODD_VALUE_UNSET,	/* known to the schema, set nowhere */
	PRODD_VALUE_BOOL,
	PRODD_VALUE_INT,
	PRODD_VALUE_FLOAT,
	PRODD_VALUE_STRING,
	PRODD_VALUE_LIST,
};

/* Types of settings, as they are called on the wire: X(NAME, "word") */
#define PRODD_TYPES(X) \
	X(OTHER, "") \
	X(BOOL, "bool") \
	X(INT, "int") \
	X(FLOAT, "float") \
	X(STRING, "string") \
	X(DURATION, "duration") \
	X(SIZE, "size") \
	X(ENUM, "enum") \
	X(LIST, "list")

enum prodd_type {
#define X(NAME, word) PRODD_TYPE_##NAME,
	PRODD_TYPES(X)
#undef X
};

struct prodd_value {
	unsigned char kind;			/* enum prodd_value_kind */
	unsigned char type;			/* enum prodd_type */
	uint32_t count;				/* elements of a list */
	union {
		bool boolean;
		int64_t integer;
		double real;
		const char *string;		/* ends with NUL; in the arena, as the elements */
		const struct prodd_value *elements;
	};
	_Atomic(const char *) text;		/* of what is no string, once somebody has asked for it */
};

/* PRODD_TYPE_OTHER for a word that is not in the list. */
enum prodd_type prodd_type_of(struct prodd_slice word);
const char *prodd_type_word(enum prodd_type type);

/* Makes a value of one encoded VALUE (size 0: unset) that passed prodd_decode. Returns 0, -PRODD_E_NO_MEMORY,
 * or -PRODD_E_PROTOCOL for bytes, which no setting is. */
int prodd_value_read(struct prodd_value *v, enum prodd_type type, struct prodd_slice encoded,
		     struct prodd_arena *arena, struct prodd_error *e);

/* A deep copy; false: no memory. */
bool prodd_value_copy(struct prodd_value *ret, const struct prodd_value *v, struct prodd_arena *arena);

bool prodd_value_equal(const struct prodd_value *a, const struct prodd_value *b);

/* Conversions: false, and *ret untouched, when the value has no such meaning. */
bool prodd_value_int(const struct prodd_value *v, int64_t *ret);
bool prodd_value_bool(const struct prodd_value *v, bool *ret);
bool prodd_value_float(const struct prodd_value *v, double *ret);
bool prodd_value_duration(const struct prodd_value *v, int64_t *ret_ns);
bool prodd_value_size(const struct prodd_value *v, int64_t *ret_bytes);

/* A decimal integer, and a float as C writes it, whatever the locale; the whole text must be one. */
bool prodd_text_int(const char *text, int64_t *ret);
bool prodd_text_float(const char *text, double *ret);

#endif
