/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Walks a record's table and the bytes side by side.  What was decoded obeys
 * the table in full, but for the elements of a LIST, which prodd_next decodes
 * one by one.  What is encoded obeys it too: a text over its limit is a
 * failure here and not the receiver's surprise.
 */
#include "proto/codec.h"

#include <inttypes.h>

enum { fields_max = 64, key_shown_max = 64 };

static const char *const kind_names[] = {
	[PRODD_KIND_END] = "damaged bytes", [PRODD_KIND_NIL] = "nil", [PRODD_KIND_BOOL] = "a bool",
	[PRODD_KIND_INT] = "an integer", [PRODD_KIND_FLOAT] = "a float", [PRODD_KIND_STR] = "a string",
	[PRODD_KIND_BIN] = "bytes", [PRODD_KIND_ARRAY] = "an array", [PRODD_KIND_MAP] = "a map",
};

static const char *const expectations[] = {
	[WIRE_BOOL] = "a bool", [WIRE_UINT] = "an unsigned integer", [WIRE_INT] = "an integer up to 2^63-1",
	[WIRE_STR] = "a string", [WIRE_BIN] = "bytes", [WIRE_VALUE] = "a scalar or an array of scalars",
	[WIRE_LIST] = "an array of maps", [WIRE_STRS] = "an array of strings",
};

/* ---- encoding */

static bool is_absent(const struct wire_field *field, const void *at)
{
	switch (field->kind) {
	case WIRE_BOOL:
		return !*(const bool *)at;
	case WIRE_UINT:
		return *(const uint64_t *)at == 0;
	case WIRE_INT:
		return *(const int64_t *)at == 0;
	case WIRE_LIST:
	case WIRE_STRS:
		return ((const struct prodd_list *)at)->count == 0;
	default:
		return ((const struct prodd_slice *)at)->size == 0;
	}
}

static bool is_over(const struct wire_field *field, const void *at)
{
	switch (field->kind) {
	case WIRE_STR:
	case WIRE_BIN:
	case WIRE_VALUE:
		return ((const struct prodd_slice *)at)->size > field->max;
	case WIRE_LIST:
	case WIRE_STRS:
		return ((const struct prodd_list *)at)->count > field->max;
	default:
		return false;
	}
}

static void encode_slice(struct prodd_buffer *b, enum wire_kind kind, struct prodd_slice bytes)
{
	if (kind == WIRE_STR)
		prodd_pack_str(b, bytes);
	else if (kind == WIRE_BIN)
		prodd_pack_bin(b, bytes);
	else if (bytes.size == 0)
		prodd_pack_nil(b);
	else
		prodd_buffer_append(b, bytes.at, bytes.size);
}

static void encode_field(struct prodd_buffer *b, const struct wire_field *field, const void *at)
{
	const struct prodd_list *list = at;

	if (is_over(field, at) && !b->failed)
		b->failed = -PRODD_E_TOO_LARGE;
	prodd_pack_str(b, prodd_slice(field->name));
	switch (field->kind) {
	case WIRE_BOOL:
		prodd_pack_bool(b, *(const bool *)at);
		break;
	case WIRE_UINT:
		prodd_pack_uint(b, *(const uint64_t *)at);
		break;
	case WIRE_INT:
		prodd_pack_int(b, *(const int64_t *)at);
		break;
	case WIRE_LIST:
	case WIRE_STRS:
		prodd_pack_array(b, list->count);
		prodd_buffer_append(b, list->at, list->size);
		break;
	default:
		encode_slice(b, field->kind, *(const struct prodd_slice *)at);
	}
}

int prodd_encode_open(struct prodd_buffer *b, const struct wire_record *type, const void *record,
		      uint32_t more)
{
	uint32_t present = 0;

	for (unsigned i = 0; i < type->count; i++)
		present += type->fields[i].must ||
			   !is_absent(&type->fields[i], (const char *)record + type->fields[i].offset);
	prodd_pack_map(b, present + more);
	for (unsigned i = 0; i < type->count; i++) {
		const struct wire_field *field = &type->fields[i];
		const void *at = (const char *)record + field->offset;

		if (field->must || !is_absent(field, at))
			encode_field(b, field, at);
	}
	return b->failed;
}

int prodd_encode(struct prodd_buffer *b, const struct wire_record *type, const void *record)
{
	return prodd_encode_open(b, type, record, 0);
}

int prodd_encode_element(struct prodd_buffer *b, uint32_t *count, const struct wire_record *type,
			 const void *record)
{
	int r = prodd_encode(b, type, record);

	if (r == 0)
		++*count;
	return r;
}

/* ---- decoding */

/* The record and field at work, for the texts of errors. */
struct place {
	const struct wire_record *type;
	const struct wire_field *field;
	struct prodd_error *e;
};

static int damaged(const struct place *p)
{
	return prodd_error_set(p->e, PRODD_E_PROTOCOL, "%s.%s: damaged bytes", p->type->name, p->field->name);
}

/* What stands there instead; `where` it stands: "" or " in it". */
static int mismatch_at(const struct place *p, const struct prodd_cursor *c, const char *where)
{
	enum prodd_kind kind = prodd_cursor_kind(c);
	const char *got = kind_names[kind];
	struct prodd_cursor peek = *c;

	if (!prodd_cursor_skip(&peek, NULL))
		return damaged(p);
	if (kind == PRODD_KIND_INT)
		got = p->field->kind == WIRE_UINT ? "a negative one" :
		      p->field->kind == WIRE_INT ? "a larger one" : got;
	return prodd_error_set(p->e, PRODD_E_USAGE, "%s.%s: expected %s, got %s%s", p->type->name,
			       p->field->name, expectations[p->field->kind], got, where);
}

static int mismatch(const struct place *p, const struct prodd_cursor *c)
{
	return mismatch_at(p, c, "");
}

static int over(const struct place *p, size_t size, const char *unit)
{
	return prodd_error_set(p->e, PRODD_E_USAGE, "%s.%s: %zu %s, at most %" PRIu32 " are allowed",
			       p->type->name, p->field->name, size, unit, p->field->max);
}

static int not_text(const struct place *p)
{
	return prodd_error_set(p->e, PRODD_E_USAGE, "%s.%s: not text: expected valid UTF-8 without NUL",
			       p->type->name, p->field->name);
}

static int decode_bytes(const struct place *p, struct prodd_cursor *c, struct prodd_slice *ret)
{
	bool text = p->field->kind == WIRE_STR;

	if (!(text ? prodd_cursor_str(c, ret) : prodd_cursor_bin(c, ret)))
		return mismatch(p, c);
	if (ret->size > p->field->max)
		return over(p, ret->size, "bytes");
	return text && !prodd_is_text(*ret) ? not_text(p) : 0;
}

/* One scalar of a VALUE: anything but a container; a string must be text. */
static int decode_scalar(const struct place *p, struct prodd_cursor *c, const char *where)
{
	enum prodd_kind kind = prodd_cursor_kind(c);
	struct prodd_slice bytes;

	if (kind == PRODD_KIND_ARRAY || kind == PRODD_KIND_MAP)
		return mismatch_at(p, c, where);
	if (kind == PRODD_KIND_STR && prodd_cursor_str(c, &bytes))
		return prodd_is_text(bytes) ? 0 : not_text(p);
	return prodd_cursor_skip(c, NULL) ? 0 : damaged(p);
}

static int decode_value(const struct place *p, struct prodd_cursor *c, struct prodd_slice *ret)
{
	const char *start = (const char *)c->at;
	bool array = prodd_cursor_kind(c) == PRODD_KIND_ARRAY;
	uint32_t count = 1;

	if (array && !prodd_cursor_array(c, &count))
		return damaged(p);
	while (count-- > 0) {
		int r = decode_scalar(p, c, array ? " in it" : "");

		if (r < 0)
			return r;
	}
	*ret = (struct prodd_slice){ start, (size_t)((const char *)c->at - start) };
	return ret->size > p->field->max ? over(p, ret->size, "encoded bytes") : 0;
}

static int check_text(const struct place *p, struct prodd_cursor c)
{
	struct prodd_slice text;

	if (!prodd_cursor_str(&c, &text))
		return mismatch_at(p, &c, " in it");
	return prodd_is_text(text) ? 0 : not_text(p);
}

/* A LIST is taken whole, its elements unseen; the texts of a STRS are checked here. */
static int decode_array(const struct place *p, struct prodd_cursor *c, struct prodd_list *ret)
{
	struct prodd_cursor peek = *c;
	uint32_t count;

	if (!prodd_cursor_array(&peek, &count))
		return mismatch(p, c);
	if (count > p->field->max)
		return over(p, count, "elements");
	*ret = (struct prodd_list){ .at = (const char *)peek.at, .count = count };
	for (uint32_t i = 0; i < count; i++) {
		int r = p->field->kind == WIRE_STRS ? check_text(p, peek) : 0;

		if (r < 0)
			return r;
		if (!prodd_cursor_skip(&peek, NULL))
			return damaged(p);
	}
	ret->size = (size_t)((const char *)peek.at - ret->at);
	*c = peek;
	return 0;
}

static int decode_field(const struct place *p, struct prodd_cursor *c, void *at)
{
	switch (p->field->kind) {
	case WIRE_BOOL:
		return prodd_cursor_bool(c, at) ? 0 : mismatch(p, c);
	case WIRE_UINT:
		return prodd_cursor_uint(c, at) ? 0 : mismatch(p, c);
	case WIRE_INT:
		return prodd_cursor_int(c, at) ? 0 : mismatch(p, c);
	case WIRE_STR:
	case WIRE_BIN:
		return decode_bytes(p, c, at);
	case WIRE_VALUE:
		return decode_value(p, c, at);
	case WIRE_LIST:
	case WIRE_STRS:
		break;
	}
	return decode_array(p, c, at);
}

/* Senders write keys in the table's order: look from the expected one on. */
static const struct wire_field *field_of(const struct wire_record *type, struct prodd_slice key,
					 unsigned expected)
{
	for (unsigned i = 0; i < type->count; i++) {
		const struct wire_field *field = &type->fields[(expected + i) % type->count];

		if (prodd_slice_is(key, field->name))
			return field;
	}
	return NULL;
}

/* What stands where a map or a key should be. */
static const char *kind_at(const struct prodd_cursor *c)
{
	struct prodd_cursor peek = *c;

	return kind_names[prodd_cursor_skip(&peek, NULL) ? prodd_cursor_kind(c) : PRODD_KIND_END];
}

static int decode_pairs(struct place *p, struct prodd_cursor *c, uint32_t pairs, void *ret, uint64_t *seen)
{
	unsigned expected = 0;

	while (pairs-- > 0) {
		struct prodd_slice key;
		unsigned i;
		int r;

		if (!prodd_cursor_str(c, &key))
			return prodd_error_set(p->e, PRODD_E_PROTOCOL, "%s: expected a string as key, got %s",
					       p->type->name, kind_at(c));
		p->field = field_of(p->type, key, expected);
		if (!p->field) {
			if (!prodd_cursor_skip(c, NULL))
				return prodd_error_set(p->e, PRODD_E_PROTOCOL, "%s.%.*s: damaged bytes",
						       p->type->name,
						       PRODD_SLICE(prodd_text_cut(key, key_shown_max)));
			continue;
		}
		i = (unsigned)(p->field - p->type->fields);
		if (*seen >> i & 1)
			return prodd_error_set(p->e, PRODD_E_USAGE, "%s.%s: comes twice", p->type->name,
					       p->field->name);
		*seen |= UINT64_C(1) << i;
		expected = i + 1;
		r = decode_field(p, c, (char *)ret + p->field->offset);
		if (r < 0)
			return r;
	}
	return 0;
}

static int decode_record(struct place *p, struct prodd_cursor *c, void *ret)
{
	uint64_t seen = 0;
	uint32_t pairs;
	int r;

	if (p->type->count > fields_max)
		return prodd_error_set(p->e, PRODD_E_FAILED, "%s: a record of more fields than 64",
				       p->type->name);
	if (!prodd_cursor_map(c, &pairs))
		return prodd_error_set(p->e, PRODD_E_PROTOCOL, "%s: expected a map, got %s", p->type->name,
				       kind_at(c));
	r = decode_pairs(p, c, pairs, ret, &seen);
	if (r < 0)
		return r;
	for (unsigned i = 0; i < p->type->count; i++)
		if (p->type->fields[i].must && !(seen >> i & 1))
			return prodd_error_set(p->e, PRODD_E_USAGE, "%s.%s: missing, expected %s",
					       p->type->name, p->type->fields[i].name,
					       expectations[p->type->fields[i].kind]);
	return 0;
}

int prodd_decode(struct prodd_cursor *c, const struct wire_record *type, void *ret, struct prodd_error *e)
{
	struct place p = { .type = type, .e = e };
	int r;

	memset(ret, 0, type->size);
	r = decode_record(&p, c, ret);
	if (r < 0)
		memset(ret, 0, type->size);
	return r;
}

/* ---- lists */

struct prodd_iter prodd_iter(struct prodd_list list)
{
	return (struct prodd_iter){ prodd_cursor((struct prodd_slice){ list.at, list.size }), list.count };
}

int prodd_next(struct prodd_iter *it, const struct wire_record *type, void *ret, struct prodd_error *e)
{
	int r;

	if (it->left == 0)
		return 0;
	r = prodd_decode(&it->cursor, type, ret, e);
	it->left = r < 0 ? 0 : it->left - 1;
	return r < 0 ? r : 1;
}

bool prodd_next_text(struct prodd_iter *it, struct prodd_slice *ret)
{
	if (it->left == 0 || !prodd_cursor_str(&it->cursor, ret))
		return false;
	it->left--;
	return true;
}
