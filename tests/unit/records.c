/* SPDX-License-Identifier: Apache-2.0 */
/* Driven by the tables alone: a new record or field is tested without a line here. */
#include "tests/unit/records.h"

#include <string.h>

#include "proto/codec.h"

void arena_open(struct arena *a, size_t size)
{
	*a = (struct arena){ .at = malloc(size), .size = size };
	ck_assert_ptr_nonnull(a->at);
}

void arena_close(struct arena *a)
{
	free(a->at);
}

char *arena_take(struct arena *a, size_t size)
{
	char *taken = a->at + a->used;

	if (size > a->size - a->used)
		ck_abort_msg("the arena is too small");
	a->used += size;
	return taken;
}

static struct prodd_slice keep(struct arena *a, const struct prodd_buffer *b)
{
	char *at = arena_take(a, b->size);

	ck_assert_int_eq(b->failed, 0);
	if (b->size > 0)
		memcpy(at, b->at, b->size);
	return (struct prodd_slice){ at, b->size };
}

/* Mostly short, now and then as long as allowed. */
static uint32_t some_size(struct dice *d, uint32_t max)
{
	uint32_t usual = max < 20 ? max : 20;

	if (max <= 4096 && dice_below(d, 40) == 0)
		return max;
	return dice_below(d, usual + 1);
}

static struct prodd_slice some_text(struct dice *d, struct arena *a, uint32_t max)
{
	static const char *const characters[] = { "\xc3\xa4", "\xe2\x82\xac", "\xf0\x9f\x90\xa7",
						  "\n",	      "\"",	      "\x7f" };
	uint32_t size = some_size(d, max), used = 0;
	char *at = arena_take(a, size);

	while (used < size) {
		const char *next = characters[dice_below(d, 6)];

		if (dice_below(d, 4) == 0 && strlen(next) <= size - used) {
			memcpy(at + used, next, strlen(next));
			used += (uint32_t)strlen(next);
		} else {
			at[used++] = (char)('a' + dice_below(d, 26));
		}
	}
	return (struct prodd_slice){ at, size };
}

static struct prodd_slice some_bytes(struct dice *d, struct arena *a, uint32_t max)
{
	uint32_t size = some_size(d, max);
	char *at = arena_take(a, size);

	for (uint32_t i = 0; i < size; i++)
		at[i] = (char)dice_next(d);
	return (struct prodd_slice){ at, size };
}

static uint64_t some_number(struct dice *d)
{
	return dice_next(d) >> dice_below(d, 64);
}

/* At most `most` bytes of text in it, which has a head besides. */
static void pack_scalar(struct dice *d, struct arena *a, struct prodd_buffer *b, uint32_t most)
{
	switch (dice_below(d, 6)) {
	case 0:
		prodd_pack_nil(b);
		break;
	case 1:
		prodd_pack_bool(b, dice_below(d, 2));
		break;
	case 2:
		prodd_pack_int(b, (int64_t)some_number(d));
		break;
	case 3:
		prodd_pack_float(b, (double)some_number(d) / 3);
		break;
	case 4:
		prodd_pack_str(b, some_text(d, a, most));
		break;
	default:
		prodd_pack_bin(b, some_bytes(d, a, most));
	}
}

struct prodd_slice some_value(struct dice *d, struct arena *a, uint32_t max)
{
	prodd_auto_buffer b = { 0 };
	uint32_t count = dice_below(d, 3) ? 0 : dice_below(d, 5);

	if (max < 128)
		count = 0;
	if (count > 0 || dice_below(d, 10) == 0)
		prodd_pack_array(&b, count);
	for (uint32_t i = 0; i < count || b.size == 0; i++)
		pack_scalar(d, a, &b, max < 22 ? max - 2 : 20);
	return keep(a, &b);
}

static struct prodd_list some_texts(struct dice *d, struct arena *a, uint32_t max)
{
	prodd_auto_buffer b = { 0 };
	uint32_t count = some_size(d, max);

	for (uint32_t i = 0; i < count; i++)
		prodd_pack_str(&b, some_text(d, a, 20));
	return (struct prodd_list){ keep(a, &b).at, b.size, count };
}

static struct prodd_list some_list(struct dice *d, struct arena *a, const struct wire_field *field,
				   unsigned depth)
{
	prodd_auto_buffer b = { 0 };
	uint32_t most = field->max < 3 ? field->max : 3;
	uint32_t count = 0;

	for (uint32_t n = depth ? dice_below(d, most + 1) : 0; n > 0; n--) {
		void *element = calloc(1, field->record->size);

		some_record(d, a, field->record, element, depth - 1);
		ck_assert_int_eq(prodd_encode_element(&b, &count, field->record, element), 0);
		free(element);
	}
	return (struct prodd_list){ keep(a, &b).at, b.size, count };
}

void some_record(struct dice *d, struct arena *a, const struct wire_record *type, void *ret, unsigned depth)
{
	memset(ret, 0, type->size);
	for (unsigned i = 0; i < type->count; i++) {
		const struct wire_field *field = &type->fields[i];
		void *at = (char *)ret + field->offset;

		if (dice_below(d, 3) == 0 && !(field->must && field->kind == WIRE_VALUE))
			continue;
		switch (field->kind) {
		case WIRE_BOOL:
			*(bool *)at = true;
			break;
		case WIRE_UINT:
			*(uint64_t *)at = some_number(d);
			break;
		case WIRE_INT:
			*(int64_t *)at = (int64_t)some_number(d);
			break;
		case WIRE_STR:
			*(struct prodd_slice *)at = some_text(d, a, field->max);
			break;
		case WIRE_BIN:
			*(struct prodd_slice *)at = some_bytes(d, a, field->max);
			break;
		case WIRE_VALUE:
			*(struct prodd_slice *)at = some_value(d, a, field->max);
			break;
		case WIRE_LIST:
			*(struct prodd_list *)at = some_list(d, a, field, depth);
			break;
		case WIRE_STRS:
			*(struct prodd_list *)at = some_texts(d, a, field->max);
			break;
		}
	}
}

static bool same_list(const struct prodd_list *x, const struct prodd_list *y)
{
	return x->count == y->count && x->size == y->size &&
	       (x->size == 0 || memcmp(x->at, y->at, x->size) == 0);
}

static bool same_field(const struct wire_field *field, const void *x, const void *y)
{
	switch (field->kind) {
	case WIRE_BOOL:
		return *(const bool *)x == *(const bool *)y;
	case WIRE_UINT:
	case WIRE_INT:
		return *(const uint64_t *)x == *(const uint64_t *)y;
	case WIRE_LIST:
	case WIRE_STRS:
		return same_list(x, y);
	default:
		return prodd_slice_equal(*(const struct prodd_slice *)x, *(const struct prodd_slice *)y);
	}
}

const char *records_differ(const struct wire_record *type, const void *x, const void *y)
{
	for (unsigned i = 0; i < type->count; i++) {
		size_t offset = type->fields[i].offset;

		if (!same_field(&type->fields[i], (const char *)x + offset, (const char *)y + offset))
			return type->fields[i].name;
	}
	return NULL;
}
