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

/* Reads the head at `at`, of which `left` bytes exist. */
struct prodd_head prodd_head(const unsigned char *at, size_t left);

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
