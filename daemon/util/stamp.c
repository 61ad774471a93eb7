/* SPDX-License-Identifier: Apache-2.0 */
/* The head is checked before the body is looked at; the body by the same pre-check as anything from outside. */
#include "daemon/util/stamp.h"

#include "daemon/util/hash.h"
#include "proto/check.h"

static const char magic[] = "PRODD";

static void put_u32(char *at, uint32_t value)
{
	for (int i = 0; i < 4; i++)
		at[i] = (char)(value >> (24 - 8 * i));
}

static uint32_t get_u32(const char *at)
{
	uint32_t value = 0;

	for (int i = 0; i < 4; i++)
		value = value << 8 | (unsigned char)at[i];
	return value;
}

int stamp_seal(struct prodd_buffer *b, const char *kind, const struct wire_record *type, const void *record)
{
	size_t start = b->size;
	char hash[HASH_TEXT_SIZE];
	char *head = prodd_buffer_extend(b, STAMP_HEAD);

	if (!head || prodd_encode(b, type, record) < 0)
		return b->failed;
	head = b->at + start;
	hash_text((struct prodd_slice){ head + STAMP_HEAD, b->size - start - STAMP_HEAD }, hash);
	memcpy(head, magic, 5);
	memcpy(head + 5, kind, 3);
	put_u32(head + 8, STAMP_VERSION);
	put_u32(head + 12, (uint32_t)(b->size - start - STAMP_HEAD));
	memcpy(head + 16, hash, 32);
	return 0;
}

int stamp_open(struct prodd_slice bytes, const char *kind, const struct wire_record *type, void *ret,
	       struct prodd_error *e)
{
	struct prodd_slice body;
	struct prodd_cursor cursor;
	char hash[HASH_TEXT_SIZE];

	if (bytes.size < STAMP_HEAD || memcmp(bytes.at, magic, 5) != 0 || memcmp(bytes.at + 5, kind, 3) != 0)
		return prodd_error_set(e, PRODD_E_CORRUPT, "not a prodd file of the kind %s", kind);
	if (get_u32(bytes.at + 8) > STAMP_VERSION)
		return prodd_error_set(e, PRODD_E_CORRUPT, "format version %u is newer than this program's %u; left untouched",
				       get_u32(bytes.at + 8), STAMP_VERSION);
	body = (struct prodd_slice){ bytes.at + STAMP_HEAD, bytes.size - STAMP_HEAD };
	if (get_u32(bytes.at + 12) != body.size)
		return prodd_error_set(e, PRODD_E_CORRUPT, "%zu bytes instead of %u", body.size, get_u32(bytes.at + 12));
	hash_text(body, hash);
	if (memcmp(hash, bytes.at + 16, 32) != 0)
		return prodd_error_set(e, PRODD_E_CORRUPT, "the content does not match its checksum");
	if (prodd_check(body, &prodd_check_reply, e) < 0)
		return prodd_error_set(e, PRODD_E_CORRUPT, "the content is not a record");
	cursor = prodd_cursor(body);
	return prodd_decode(&cursor, type, ret, e);
}
