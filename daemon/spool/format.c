/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes to numbers and back; nothing here reads a file or allocates. */
#include "daemon/spool/format.h"

#include <string.h>

#include "daemon/util/crc32c.h"

static void put_32(unsigned char *to, uint32_t value)
{
	for (int i = 0; i < 4; i++)
		to[i] = (unsigned char)(value >> 8 * i);
}

static void put_64(unsigned char *to, uint64_t value)
{
	put_32(to, (uint32_t)value);
	put_32(to + 4, (uint32_t)(value >> 32));
}

static uint32_t get_32(const unsigned char *from)
{
	return (uint32_t)from[0] | (uint32_t)from[1] << 8 | (uint32_t)from[2] << 16 | (uint32_t)from[3] << 24;
}

static uint64_t get_64(const unsigned char *from)
{
	return get_32(from) | (uint64_t)get_32(from + 4) << 32;
}

/* ---- the head */

static void put_head(unsigned char *to, const struct spool_head *head)
{
	memcpy(to, SPOOL_MAGIC, 8);
	put_32(to + 8, SPOOL_VERSION);
	put_32(to + 12, head->table_size);
	put_64(to + 16, head->id);
	put_64(to + 24, head->follows);
	put_64(to + 32, head->first);
	put_64(to + 40, head->supersedes);
	put_64(to + 48, head->from);
	put_64(to + 56, head->made_ns);
	memcpy(to + 64, head->boot, 16);
	put_64(to + 80, head->salt);
	put_32(to + 88, head->table_crc);
	put_32(to + 92, crc32c(0, to, 92));
}

void spool_head_write(unsigned char *to, struct spool_head *head, const struct spool_water *waters,
		      unsigned count)
{
	unsigned char *row = to + SPOOL_HEAD;
	uint64_t size = spool_records_at(count * SPOOL_WATER);

	memset(to, 0, size);
	for (unsigned i = 0; i < count; i++, row += SPOOL_WATER) {
		memcpy(row, waters[i].ring, 16);
		put_32(row + 16, waters[i].uid);
		put_64(row + 20, waters[i].end);
	}
	head->table_size = count * SPOOL_WATER;
	head->table_crc = crc32c(0, to + SPOOL_HEAD, head->table_size);
	put_head(to, head);
	put_head(to + size - SPOOL_HEAD, head);
}

static bool makes_sense(const struct spool_head *head)
{
	return head->table_size % SPOOL_WATER == 0 && head->table_size <= SPOOL_WATERS_MAX * SPOOL_WATER &&
	       head->id > 0 && head->id <= SPOOL_NUMBER_MAX && head->follows <= head->first &&
	       head->first <= SPOOL_NUMBER_MAX && head->supersedes < head->id;
}

int spool_head_read(const unsigned char *from, struct spool_head *ret, struct prodd_error *e)
{
	struct spool_head head = { 0 };

	if (memcmp(from, SPOOL_MAGIC, 8) != 0)
		return prodd_error_set(e, PRODD_E_CORRUPT, "no segment of a spool");
	if (get_32(from + 8) > SPOOL_VERSION)
		return prodd_error_set(e, PRODD_E_UNSUPPORTED, "of version %u, newer than this program",
				       get_32(from + 8));
	if (get_32(from + 92) != crc32c(0, from, 92))
		return prodd_error_set(e, PRODD_E_CORRUPT, "the head's checksum is wrong");
	head.table_size = get_32(from + 12);
	head.id = get_64(from + 16);
	head.follows = get_64(from + 24);
	head.first = get_64(from + 32);
	head.supersedes = get_64(from + 40);
	head.from = get_64(from + 48);
	head.made_ns = get_64(from + 56);
	memcpy(head.boot, from + 64, 16);
	head.salt = get_64(from + 80);
	head.table_crc = get_32(from + 88);
	if (!makes_sense(&head))
		return prodd_error_set(e, PRODD_E_CORRUPT, "the head contradicts itself");
	*ret = head;
	return 0;
}

bool spool_table_intact(const unsigned char *table, const struct spool_head *head)
{
	return crc32c(0, table, head->table_size) == head->table_crc;
}

void spool_water_read(const unsigned char *row, struct spool_water *ret)
{
	memcpy(ret->ring, row, 16);
	ret->uid = get_32(row + 16);
	ret->end = get_64(row + 20);
}

/* ---- records */

uint32_t spool_seed(uint64_t salt)
{
	unsigned char bytes[8];

	put_64(bytes, salt);
	return crc32c(0, bytes, sizeof bytes);
}

void spool_record_write(unsigned char *to, const struct spool_record *record, uint32_t seed)
{
	size_t length = record->origin.size + record->record.size;
	uint64_t size = spool_record_size(record->origin.size, record->record.size);
	unsigned char *body = to + SPOOL_RECORD_HEAD;

	put_64(to + size - SPOOL_ALIGN, 0);
	if (record->origin.size > 0)
		memcpy(body, record->origin.at, record->origin.size);
	if (record->record.size > 0)
		memcpy(body + record->origin.size, record->record.at, record->record.size);
	put_32(to, (uint32_t)length);
	put_32(to + 4, (uint32_t)record->origin.size);
	put_64(to + 8, record->number);
	put_32(to + 16, crc32c(seed, body, length));
	put_32(to + 20, crc32c(seed, to, 20));
}

bool spool_record_head_intact(const unsigned char *from, uint32_t seed, uint64_t *ret_size)
{
	uint32_t length = get_32(from), origin = get_32(from + 4);

	if (length == 0 || length > SPOOL_BODY_MAX || origin > length || get_64(from + 8) > SPOOL_NUMBER_MAX)
		return false;
	if (get_32(from + 20) != crc32c(seed, from, 20))
		return false;
	*ret_size = SPOOL_RECORD_HEAD + (uint64_t)length;
	return true;
}

bool spool_record_read(const unsigned char *from, uint32_t seed, struct spool_record *ret)
{
	const char *body = (const char *)from + SPOOL_RECORD_HEAD;
	uint32_t length = get_32(from), origin = get_32(from + 4);

	if (get_32(from + 16) != crc32c(seed, body, length))
		return false;
	*ret = (struct spool_record){ get_64(from + 8),
				      { body, origin },
				      { body + origin, length - origin } };
	return true;
}
