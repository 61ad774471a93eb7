/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Growth doubles, so that appending n bytes one by one costs O(n).  Packing is
 * msgpack-c's, writing through its callback; the packer lives on the stack.
 */
#include "proto/buffer.h"

#include <msgpack/pack.h>
#include <stdlib.h>

#include "proto/limits.h"
#include "prodd/error.h"

enum { first_capacity = 256 };

void prodd_buffer_clear(struct prodd_buffer *b)
{
	if (!b)
		return;
	free(b->at);
	*b = (struct prodd_buffer){ .limit = b->limit };
}

void prodd_buffer_reset(struct prodd_buffer *b)
{
	b->size = 0;
	b->failed = 0;
}

static size_t limit_of(const struct prodd_buffer *b)
{
	return b->limit ? b->limit : PRODD_REPLY_MAX;
}

static int grow(struct prodd_buffer *b, size_t needed)
{
	size_t capacity = b->capacity ? b->capacity : first_capacity;
	char *at;

	while (capacity < needed)
		capacity *= 2;
	if (capacity > limit_of(b))
		capacity = limit_of(b);
	at = realloc(b->at, capacity);
	if (!at)
		return b->failed = -PRODD_E_NO_MEMORY;
	b->at = at;
	b->capacity = capacity;
	return 0;
}

char *prodd_buffer_extend(struct prodd_buffer *b, size_t size)
{
	char *room;

	if (b->failed)
		return NULL;
	if (b->size > limit_of(b) || size > limit_of(b) - b->size) {
		b->failed = -PRODD_E_TOO_LARGE;
		return NULL;
	}
	if ((!b->at || size > b->capacity - b->size) && grow(b, b->size + size) < 0)
		return NULL;
	room = b->at + b->size;
	b->size += size;
	return room;
}

int prodd_buffer_append(struct prodd_buffer *b, const void *bytes, size_t size)
{
	char *room;

	if (size == 0)
		return b->failed;
	room = prodd_buffer_extend(b, size);
	if (!room)
		return b->failed;
	memcpy(room, bytes, size);
	return 0;
}

void prodd_buffer_consume(struct prodd_buffer *b, size_t size)
{
	if (size >= b->size) {
		b->size = 0;
		return;
	}
	memmove(b->at, b->at + size, b->size - size);
	b->size -= size;
}

static int write_packed(void *data, const char *bytes, size_t size)
{
	return prodd_buffer_append(data, bytes, size);
}

static msgpack_packer packer_of(struct prodd_buffer *b)
{
	msgpack_packer packer;

	msgpack_packer_init(&packer, b, write_packed);
	return packer;
}

void prodd_pack_nil(struct prodd_buffer *b)
{
	msgpack_packer packer = packer_of(b);

	msgpack_pack_nil(&packer);
}

void prodd_pack_bool(struct prodd_buffer *b, bool value)
{
	msgpack_packer packer = packer_of(b);

	if (value)
		msgpack_pack_true(&packer);
	else
		msgpack_pack_false(&packer);
}

void prodd_pack_uint(struct prodd_buffer *b, uint64_t value)
{
	msgpack_packer packer = packer_of(b);

	msgpack_pack_uint64(&packer, value);
}

void prodd_pack_int(struct prodd_buffer *b, int64_t value)
{
	msgpack_packer packer = packer_of(b);

	msgpack_pack_int64(&packer, value);
}

void prodd_pack_float(struct prodd_buffer *b, double value)
{
	msgpack_packer packer = packer_of(b);

	msgpack_pack_double(&packer, value);
}

void prodd_pack_str(struct prodd_buffer *b, struct prodd_slice text)
{
	msgpack_packer packer = packer_of(b);

	msgpack_pack_str(&packer, text.size);
	prodd_buffer_append(b, text.at, text.size);
}

void prodd_pack_bin(struct prodd_buffer *b, struct prodd_slice bytes)
{
	msgpack_packer packer = packer_of(b);

	msgpack_pack_bin(&packer, bytes.size);
	prodd_buffer_append(b, bytes.at, bytes.size);
}

void prodd_pack_array(struct prodd_buffer *b, uint32_t count)
{
	msgpack_packer packer = packer_of(b);

	msgpack_pack_array(&packer, count);
}

void prodd_pack_map(struct prodd_buffer *b, uint32_t count)
{
	msgpack_packer packer = packer_of(b);

	msgpack_pack_map(&packer, count);
}
