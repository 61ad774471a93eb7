/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The head of one MessagePack value: its first one to nine bytes, which say
 * what it is and how much follows.  The only place that knows the format's
 * byte codes; the pre-check and the cursor are built on it.
 */
#ifndef PRODD_PROTO_HEAD_H
#define PRODD_PROTO_HEAD_H

#include "proto/cursor.h"

struct prodd_head {
	enum prodd_kind kind;	/* PRODD_KIND_END: cut short, or a byte that is not allowed */
	unsigned size;		/* bytes of the head itself */
	bool negative;		/* an integer below 0: `bits` in two's complement */
	uint32_t length;	/* STR, BIN: bytes that follow; ARRAY: elements; MAP: pairs */
	uint64_t bits;		/* BOOL, INT: the value; FLOAT: the bits of a double */
};

/* A head of a code from c0 to df, whose byte is there. */
void prodd_head_coded(const unsigned char *at, size_t left, struct prodd_head *ret);

/* Reads the head at `at`, of which `left` bytes exist. Inline, since most heads are one byte, and the compiler then keeps them
 * in registers. */
static inline void prodd_head(const unsigned char *at, size_t left, struct prodd_head *ret)
{
	unsigned char first = left ? at[0] : 0xc1;

	if (first >= 0xc0 && first < 0xe0) {
		prodd_head_coded(at, left, ret);
		return;
	}
	ret->size = 1;
	ret->negative = first >= 0xe0;
	ret->bits = ret->negative ? UINT64_MAX << 8 | first : first;
	ret->length = first & (first < 0xa0 ? 0x0f : 0x1f);
	if (first < 0x80 || first >= 0xe0)
		ret->kind = PRODD_KIND_INT;
	else if (first < 0xa0)
		ret->kind = first < 0x90 ? PRODD_KIND_MAP : PRODD_KIND_ARRAY;
	else
		ret->kind = PRODD_KIND_STR;
}

/* By code from c0 on: bytes of number behind the first byte of a scalar. PRODD_SCALAR_TEXT: the number is the length of a
 * payload that follows; PRODD_SCALAR_NONE: a container, or not allowed. */
#define PRODD_SCALAR_TEXT 0x10u
#define PRODD_SCALAR_NONE 0xffu
extern const unsigned char prodd_scalar_widths[0x20];

/* Bytes of the value at `at`, payload included, when it is a nil, bool, number, str or bin that is there whole; else 0. Inline, for
 * who walks over many small values (a record's fields) and must not pay for a call at each. */
static inline size_t prodd_scalar_size(const unsigned char *at, size_t left)
{
	unsigned char first = left ? at[0] : 0xc1;
	size_t size = 1, length = 0;

	if (first >= 0x80 && first < 0xe0) {
		unsigned width;

		if (first < 0xa0)
			return 0;
		if (first < 0xc0) {
			size += first & 0x1f;
			return size <= left ? size : 0;
		}
		width = prodd_scalar_widths[first - 0xc0];
		if (width == PRODD_SCALAR_NONE || 1 + (width & 0x0f) > left)
			return 0;
		size += width & 0x0f;
		for (unsigned i = 1; width & PRODD_SCALAR_TEXT && i < size; i++)
			length = length << 8 | at[i];
	}
	return length <= left - size ? size + length : 0;
}

/* Takes a str of at most 31 bytes, the usual name or key; false: it is something else, or not there whole. */
static inline bool prodd_short_str(struct prodd_cursor *c, struct prodd_slice *ret)
{
	size_t left = (size_t)(c->end - c->at), length;

	if (left == 0 || (c->at[0] & 0xe0) != 0xa0)
		return false;
	length = c->at[0] & 0x1f;
	if (length >= left)
		return false;
	*ret = (struct prodd_slice){ (const char *)c->at + 1, length };
	c->at += 1 + length;
	return true;
}

/* Values that follow a container's head as its own; 0 for everything else. */
static inline uint64_t prodd_head_children(const struct prodd_head *h)
{
	if (h->kind == PRODD_KIND_ARRAY)
		return h->length;
	return h->kind == PRODD_KIND_MAP ? 2 * (uint64_t)h->length : 0;
}

/* Bytes that follow a head as its payload. */
static inline size_t prodd_head_payload(const struct prodd_head *h)
{
	return h->kind == PRODD_KIND_STR || h->kind == PRODD_KIND_BIN ? h->length : 0;
}

/* Whether a value may begin with this byte: not c1 (never used), not one of the extension types. */
static inline bool prodd_head_allowed(unsigned char first)
{
	return first != 0xc1 && !(first >= 0xc7 && first <= 0xc9) && !(first >= 0xd4 && first <= 0xd8);
}

#endif
