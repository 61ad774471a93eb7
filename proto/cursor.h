/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A bounds-checked reader of MessagePack.  Nothing is copied or allocated;
 * texts come out as slices of what is read.  A cursor never reads beyond its
 * end, whether or not the bytes passed the pre-check.
 */
#ifndef PRODD_PROTO_CURSOR_H
#define PRODD_PROTO_CURSOR_H

#include "proto/slice.h"

enum prodd_kind {
	PRODD_KIND_END,		/* no byte left, or damaged */
	PRODD_KIND_NIL,
	PRODD_KIND_BOOL,
	PRODD_KIND_INT,		/* signed and unsigned */
	PRODD_KIND_FLOAT,
	PRODD_KIND_STR,
	PRODD_KIND_BIN,
	PRODD_KIND_ARRAY,
	PRODD_KIND_MAP,
};

struct prodd_cursor {
	const unsigned char *at;
	const unsigned char *end;
};

static inline struct prodd_cursor prodd_cursor(struct prodd_slice bytes)
{
	const unsigned char *at = (const unsigned char *)bytes.at;

	return (struct prodd_cursor){ at, at ? at + bytes.size : at };
}

/* Kind of the next value; the cursor stays. */
enum prodd_kind prodd_cursor_kind(const struct prodd_cursor *c);

/* Each takes the next value when it has that kind and fits, and returns true; else the cursor
 * stays where it was and *ret is untouched. */
bool prodd_cursor_nil(struct prodd_cursor *c);
bool prodd_cursor_bool(struct prodd_cursor *c, bool *ret);
bool prodd_cursor_int(struct prodd_cursor *c, int64_t *ret);	/* any integer up to 2^63-1 */
bool prodd_cursor_uint(struct prodd_cursor *c, uint64_t *ret);	/* any integer from 0 */
bool prodd_cursor_float(struct prodd_cursor *c, double *ret);	/* a float; integers too */
bool prodd_cursor_str(struct prodd_cursor *c, struct prodd_slice *ret);
bool prodd_cursor_bin(struct prodd_cursor *c, struct prodd_slice *ret);
bool prodd_cursor_array(struct prodd_cursor *c, uint32_t *ret_count);	/* the elements follow */
bool prodd_cursor_map(struct prodd_cursor *c, uint32_t *ret_pairs);	/* key, value, key ... follow */

/* Takes one value whole, whatever it is, as its encoded bytes (NULL: not wanted). Never recurses. */
bool prodd_cursor_skip(struct prodd_cursor *c, struct prodd_slice *ret);

/* A slice of bytes that is text: valid UTF-8 (RFC 3629) and without NUL. */
bool prodd_is_text(struct prodd_slice s);

/* Bytes of the character that `s` begins with; 0 when that is none, or NUL. */
unsigned prodd_text_character(struct prodd_slice s);

/* The longest beginning of a text that has at most `max` bytes and ends between characters. */
struct prodd_slice prodd_text_cut(struct prodd_slice s, size_t max);

#endif
