/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every value in its shortest form.  A text may change under our hands
 * (another thread's buffer): sizes are those measured, so that no write goes beyond.
 */
#define _DEFAULT_SOURCE
#include "client/encode.h"

#include <endian.h>

#include "client/secret_names.h"

enum { fixed_values = 8, uint64_size = 9, double_size = 9 };

static const char redacted[] = "[secret]";

/* ---- sizes */

static size_t uint_size(uint64_t value)
{
	return value < 128 ? 1 : value <= UINT8_MAX ? 2 : value <= UINT16_MAX ? 3 : value <= UINT32_MAX ? 5 : uint64_size;
}

static size_t int_size(int64_t value)
{
	if (value >= 0)
		return uint_size((uint64_t)value);
	return value >= -32 ? 1 : value >= INT8_MIN ? 2 : value >= INT16_MIN ? 3 : value >= INT32_MIN ? 5 : uint64_size;
}

static size_t str_size(size_t size)
{
	return size + (size < 32 ? 1 : size <= UINT8_MAX ? 2 : size <= UINT16_MAX ? 3 : 5);
}

static size_t bin_size(size_t size)
{
	return size + (size <= UINT8_MAX ? 2 : size <= UINT16_MAX ? 3 : 5);
}

static size_t name_size(struct prodd_slice name)
{
	return name.size > 0 ? str_size(name.size) : 1;
}

static const void *bytes_of(const struct prodd_field *f)
{
	return (const void *)(uintptr_t)f->value;
}

static size_t value_size(const struct prodd_field *f, bool secret)
{
	if (secret)
		return str_size(sizeof redacted - 1);
	switch (f->type) {
	case PRODD_FIELD_INT:
		return int_size((int64_t)f->value);
	case PRODD_FIELD_UINT:
		return uint_size(f->value);
	case PRODD_FIELD_FLOAT:
		return double_size;
	case PRODD_FIELD_STR:
		return f->value ? str_size(f->size) : 1;
	case PRODD_FIELD_BYTES:
		return f->value ? bin_size(f->size) : 1;
	default:
		return 1;
	}
}

/* A field without a key is called "_". */
static size_t measure_key(const char *key, bool *ret_secret)
{
	uint32_t letters = 0;
	size_t size = 0;

	*ret_secret = false;
	if (!key || !*key)
		return 1;
	for (; size < RECORD_KEY_MAX && key[size]; size++)
		letters |= prodd_letter(key[size]);
	if (prodd_letters_may_be_secret(letters))
		*ret_secret = prodd_is_secret_name(key, size);
	return size;
}

size_t prodd_encode_measure(struct prodd_entry_of_log *entry)
{
	uint32_t values = fixed_values + 2 * entry->count;
	size_t size = (values < 16 ? 1 : 3) + uint_size(entry->time_ns) + 1 + str_size(entry->target.size) +
		      str_size(entry->message.size) + name_size(entry->thread) + name_size(entry->source) + 2;

	for (unsigned i = 0; i < entry->count; i++) {
		const struct prodd_field *f = &entry->fields[i];
		bool secret;
		size_t key = measure_key(f->key, &secret);

		entry->keys[i].size = (uint8_t)key;
		entry->keys[i].secret = secret || f->type == PRODD_FIELD_SECRET;
		size += str_size(key) + value_size(f, entry->keys[i].secret);
	}
	return size;
}

/* ---- writing: each returns where the next value begins */

static unsigned char *put_number(unsigned char *at, unsigned char code, uint64_t bits, unsigned size)
{
	*at++ = code;
	bits = htobe64(bits << (64 - 8 * size));
	memcpy(at, &bits, size);
	return at + size;
}

static unsigned char *put_uint(unsigned char *at, uint64_t value)
{
	if (value < 128) {
		*at = (unsigned char)value;
		return at + 1;
	}
	if (value <= UINT8_MAX)
		return put_number(at, 0xcc, value, 1);
	if (value <= UINT16_MAX)
		return put_number(at, 0xcd, value, 2);
	return value <= UINT32_MAX ? put_number(at, 0xce, value, 4) : put_number(at, 0xcf, value, 8);
}

static unsigned char *put_int(unsigned char *at, int64_t value)
{
	if (value >= 0)
		return put_uint(at, (uint64_t)value);
	if (value >= -32) {
		*at = (unsigned char)value;
		return at + 1;
	}
	if (value >= INT8_MIN)
		return put_number(at, 0xd0, (uint64_t)value, 1);
	if (value >= INT16_MIN)
		return put_number(at, 0xd1, (uint64_t)value, 2);
	return value >= INT32_MIN ? put_number(at, 0xd2, (uint64_t)value, 4) :
				    put_number(at, 0xd3, (uint64_t)value, 8);
}

/* Most texts are short: two moves that overlap are all that it takes. */
static unsigned char *put_bytes(unsigned char *at, const void *bytes, size_t size)
{
	const unsigned char *from = bytes;
	uint64_t first, last;
	uint32_t first_half, last_half;

	if (size > 16) {
		memcpy(at, from, size);
	} else if (size >= 8) {
		memcpy(&first, from, 8);
		memcpy(&last, from + size - 8, 8);
		memcpy(at, &first, 8);
		memcpy(at + size - 8, &last, 8);
	} else if (size >= 4) {
		memcpy(&first_half, from, 4);
		memcpy(&last_half, from + size - 4, 4);
		memcpy(at, &first_half, 4);
		memcpy(at + size - 4, &last_half, 4);
	} else {
		for (size_t i = 0; i < size; i++)
			at[i] = from[i];
	}
	return at + size;
}

static unsigned char *put_str(unsigned char *at, const char *text, size_t size)
{
	if (size < 32)
		*at++ = (unsigned char)(0xa0 | size);
	else if (size <= UINT8_MAX)
		at = put_number(at, 0xd9, size, 1);
	else
		at = size <= UINT16_MAX ? put_number(at, 0xda, size, 2) : put_number(at, 0xdb, size, 4);
	return put_bytes(at, text, size);
}

static unsigned char *put_bin(unsigned char *at, const void *bytes, size_t size)
{
	if (size <= UINT8_MAX)
		at = put_number(at, 0xc4, size, 1);
	else
		at = size <= UINT16_MAX ? put_number(at, 0xc5, size, 2) : put_number(at, 0xc6, size, 4);
	return put_bytes(at, bytes, size);
}

static unsigned char *put_nil(unsigned char *at)
{
	*at = 0xc0;
	return at + 1;
}

static unsigned char *put_name(unsigned char *at, struct prodd_slice name)
{
	return name.size > 0 ? put_str(at, name.at, name.size) : put_nil(at);
}

static unsigned char *put_value(unsigned char *at, const struct prodd_field *f)
{
	switch (f->type) {
	case PRODD_FIELD_BOOL:
		*at = f->value ? 0xc3 : 0xc2;
		return at + 1;
	case PRODD_FIELD_INT:
		return put_int(at, (int64_t)f->value);
	case PRODD_FIELD_UINT:
		return put_uint(at, f->value);
	case PRODD_FIELD_FLOAT:
		return put_number(at, 0xcb, f->value, 8);
	case PRODD_FIELD_STR:
		return f->value ? put_str(at, bytes_of(f), f->size) : put_nil(at);
	case PRODD_FIELD_BYTES:
		return f->value ? put_bin(at, bytes_of(f), f->size) : put_nil(at);
	default:
		return put_nil(at);
	}
}

static unsigned char *put_array(unsigned char *at, uint32_t count)
{
	if (count >= 16)
		return put_number(at, 0xdc, count, 2);
	*at = (unsigned char)(0x90 | count);
	return at + 1;
}

void prodd_encode_write(const struct prodd_entry_of_log *entry, unsigned char *at)
{
	at = put_array(at, fixed_values + 2 * entry->count);
	at = put_uint(at, entry->time_ns);
	at = put_uint(at, (uint64_t)entry->level);
	at = put_str(at, entry->target.at, entry->target.size);
	at = put_str(at, entry->message.at, entry->message.size);
	at = put_name(at, entry->thread);
	at = put_name(at, entry->source);
	at = put_nil(put_nil(at));
	for (unsigned i = 0; i < entry->count; i++) {
		const struct prodd_field *f = &entry->fields[i];

		at = put_str(at, f->key && *f->key ? f->key : "_", entry->keys[i].size);
		at = entry->keys[i].secret ? put_str(at, redacted, sizeof redacted - 1) : put_value(at, f);
	}
}
