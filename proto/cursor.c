/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Each taker reads the head, checks it against the bytes left, and moves the
 * cursor only when all fits.
 */
#include "proto/cursor.h"

#include "proto/head.h"

static size_t left_of(const struct prodd_cursor *c)
{
	return (size_t)(c->end - c->at);
}

/* Reads the head of a value of `kind`, whose payload is there whole. */
static inline __attribute__((always_inline)) bool head_of(const struct prodd_cursor *c, enum prodd_kind kind,
							  struct prodd_head *ret)
{
	prodd_head(c->at, left_of(c), ret);
	return ret->kind == kind && prodd_head_payload(ret) <= left_of(c) - ret->size;
}

enum prodd_kind prodd_cursor_kind(const struct prodd_cursor *c)
{
	struct prodd_head h;

	prodd_head(c->at, left_of(c), &h);
	return h.kind;
}

bool prodd_cursor_nil(struct prodd_cursor *c)
{
	struct prodd_head h;

	if (!head_of(c, PRODD_KIND_NIL, &h))
		return false;
	c->at += h.size;
	return true;
}

bool prodd_cursor_bool(struct prodd_cursor *c, bool *ret)
{
	struct prodd_head h;

	if (!head_of(c, PRODD_KIND_BOOL, &h))
		return false;
	c->at += h.size;
	*ret = h.bits != 0;
	return true;
}

bool prodd_cursor_int(struct prodd_cursor *c, int64_t *ret)
{
	struct prodd_head h;

	if (!head_of(c, PRODD_KIND_INT, &h) || (!h.negative && h.bits > INT64_MAX))
		return false;
	c->at += h.size;
	*ret = (int64_t)h.bits;
	return true;
}

bool prodd_cursor_uint(struct prodd_cursor *c, uint64_t *ret)
{
	struct prodd_head h;

	if (!head_of(c, PRODD_KIND_INT, &h) || h.negative)
		return false;
	c->at += h.size;
	*ret = h.bits;
	return true;
}

bool prodd_cursor_float(struct prodd_cursor *c, double *ret)
{
	struct prodd_head h;

	if (head_of(c, PRODD_KIND_FLOAT, &h))
		memcpy(ret, &h.bits, sizeof *ret);
	else if (head_of(c, PRODD_KIND_INT, &h))
		*ret = h.negative ? (double)(int64_t)h.bits : (double)h.bits;
	else
		return false;
	c->at += h.size;
	return true;
}

static bool take_bytes(struct prodd_cursor *c, enum prodd_kind kind, struct prodd_slice *ret)
{
	struct prodd_head h;

	if (!head_of(c, kind, &h))
		return false;
	*ret = (struct prodd_slice){ (const char *)c->at + h.size, h.length };
	c->at += h.size + h.length;
	return true;
}

bool prodd_cursor_str(struct prodd_cursor *c, struct prodd_slice *ret)
{
	return take_bytes(c, PRODD_KIND_STR, ret);
}

bool prodd_cursor_bin(struct prodd_cursor *c, struct prodd_slice *ret)
{
	return take_bytes(c, PRODD_KIND_BIN, ret);
}

static bool take_count(struct prodd_cursor *c, enum prodd_kind kind, uint32_t *ret)
{
	struct prodd_head h;

	if (!head_of(c, kind, &h) || prodd_head_children(&h) > left_of(c) - h.size)
		return false;
	c->at += h.size;
	*ret = h.length;
	return true;
}

bool prodd_cursor_array(struct prodd_cursor *c, uint32_t *ret_count)
{
	return take_count(c, PRODD_KIND_ARRAY, ret_count);
}

bool prodd_cursor_map(struct prodd_cursor *c, uint32_t *ret_pairs)
{
	return take_count(c, PRODD_KIND_MAP, ret_pairs);
}

/* Needs no stack: it is enough to know how many values are still to come, whosever they are. */
bool prodd_cursor_skip(struct prodd_cursor *c, struct prodd_slice *ret)
{
	const unsigned char *at = c->at;
	uint64_t wanted = 1;

	while (wanted > 0) {
		size_t left = (size_t)(c->end - at);
		struct prodd_head h;

		prodd_head(at, left, &h);
		if (h.kind == PRODD_KIND_END || prodd_head_payload(&h) > left - h.size)
			return false;
		at += h.size + prodd_head_payload(&h);
		wanted += prodd_head_children(&h) - 1;
		if (wanted > (uint64_t)(c->end - at))
			return false;
	}
	if (ret)
		*ret = (struct prodd_slice){ (const char *)c->at, (size_t)(at - c->at) };
	c->at = at;
	return true;
}

static bool is_tail(const unsigned char *at, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		if ((at[i] & 0xc0) != 0x80)
			return false;
	return true;
}

/* RFC 3629, section 4: no overlong forms, no surrogates, nothing above U+10FFFF. */
unsigned prodd_text_character(struct prodd_slice s)
{
	const unsigned char *at = (const unsigned char *)s.at;

	if (s.size == 0 || at[0] == 0)
		return 0;
	if (at[0] < 0x80)
		return 1;
	if (at[0] >= 0xc2 && at[0] <= 0xdf)
		return s.size >= 2 && is_tail(at + 1, 1) ? 2 : 0;
	if (at[0] >= 0xe0 && at[0] <= 0xef)
		return s.size >= 3 && is_tail(at + 1, 2) && !(at[0] == 0xe0 && at[1] < 0xa0) &&
		       !(at[0] == 0xed && at[1] > 0x9f) ? 3 : 0;
	if (at[0] >= 0xf0 && at[0] <= 0xf4)
		return s.size >= 4 && is_tail(at + 1, 3) && !(at[0] == 0xf0 && at[1] < 0x90) &&
		       !(at[0] == 0xf4 && at[1] > 0x8f) ? 4 : 0;
	return 0;
}

bool prodd_is_text(struct prodd_slice s)
{
	while (s.size > 0) {
		unsigned length = prodd_text_character(s);

		if (length == 0)
			return false;
		s.at += length;
		s.size -= length;
	}
	return true;
}

struct prodd_slice prodd_text_cut(struct prodd_slice s, size_t max)
{
	if (s.size <= max)
		return s;
	while (max > 0 && ((unsigned char)s.at[max] & 0xc0) == 0x80)
		max--;
	return (struct prodd_slice){ s.at, max };
}
