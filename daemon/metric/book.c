/* SPDX-License-Identifier: Apache-2.0 */
/* Records grow behind one another; `used` moves last. */
#include "daemon/metric/book.h"

#include <stdio.h>

#include "daemon/util/hash.h"

#define CHECKED_MAX (sizeof(struct book_record) + UINT16_MAX)

static struct book_head *head_of(const struct book *book)
{
	return (struct book_head *)(void *)book->at;
}

const struct book_head *book_head(const struct book *book)
{
	return head_of(book);
}

/* The first 8 digits of the hash: finds what a disk or a person did, not what an enemy would do. */
static uint64_t check_of(const void *first, size_t first_size, const void *second, size_t second_size)
{
	char bytes[CHECKED_MAX], text[HASH_TEXT_SIZE];
	uint64_t check;

	memcpy(bytes, first, first_size);
	if (second_size)
		memcpy(bytes + first_size, second, second_size);
	hash_text((struct prodd_slice){ bytes, first_size + second_size }, text);
	memcpy(&check, text, sizeof check);
	return check;
}

static uint64_t head_check(const struct book_head *head)
{
	return check_of(head, offsetof(struct book_head, check), head->app, sizeof head->app);
}

static uint64_t record_check(const struct book_record *record, const void *body)
{
	return check_of(record, offsetof(struct book_record, check), body, record->body);
}

void book_begin(struct book *ret, void *at, uint64_t size, const char *app, uint32_t uid, const char *boot)
{
	struct book_head *head = at;

	*ret = (struct book){ at, size, BOOK_HEAD };
	*head = (struct book_head){
		.magic = BOOK_MAGIC,
		.version = BOOK_VERSION,
		.head_size = BOOK_HEAD,
		.size = size,
		.uid = uid,
	};
	snprintf(head->app, sizeof head->app, "%s", app);
	snprintf(head->boot, sizeof head->boot, "%s", boot);
	head->check = head_check(head);
	atomic_store_explicit(&head->used, BOOK_HEAD, memory_order_release);
}

int book_open(struct book *ret, void *at, uint64_t size, struct prodd_error *e)
{
	const struct book_head *head = at;
	uint64_t used;

	if (size < BOOK_HEAD || head->magic != BOOK_MAGIC)
		return prodd_error_set(e, PRODD_E_CORRUPT, "not a ledger");
	if (head->version > BOOK_VERSION)
		return prodd_error_set(e, PRODD_E_UNSUPPORTED,
				       "format version %u is newer than this program's %u; left untouched",
				       head->version, BOOK_VERSION);
	if (head->check != head_check(head) || head->head_size != BOOK_HEAD)
		return prodd_error_set(e, PRODD_E_CORRUPT, "the head does not match its checksum");
	used = atomic_load_explicit(&head->used, memory_order_acquire);
	if (head->size != size || used < BOOK_HEAD || used > size || used % 8 != 0)
		return prodd_error_set(e, PRODD_E_CORRUPT, "%llu bytes in use of %llu, in a file of %llu",
				       (unsigned long long)used, (unsigned long long)head->size,
				       (unsigned long long)size);
	if (!memchr(head->app, 0, sizeof head->app) || !memchr(head->boot, 0, sizeof head->boot))
		return prodd_error_set(e, PRODD_E_CORRUPT, "a name without an end");
	*ret = (struct book){ at, size, used };
	return 0;
}

static uint64_t padded(uint64_t size)
{
	return (size + 7) & ~UINT64_C(7);
}

uint64_t book_needs(size_t body, unsigned cells)
{
	return sizeof(struct book_record) + padded(body) + cells * 8ull;
}

uint32_t book_append(struct book *book, struct book_record record, const void *body, const uint64_t *cells)
{
	uint64_t size = book_needs(record.body, record.cells);
	unsigned char *to = book->at + book->used;
	unsigned char *cells_at = to + size - record.cells * 8ull;

	if (size > book->size - book->used)
		return 0;
	record.size = (uint32_t)size;
	record.check = record_check(&record, body);
	memcpy(to, &record, sizeof record);
	if (record.body)
		memcpy(to + sizeof record, body, record.body);
	if (record.cells)
		memcpy(cells_at, cells, record.cells * 8ull);
	book->used += size;
	atomic_store_explicit(&head_of(book)->used, book->used, memory_order_release);
	return (uint32_t)(cells_at - book->at);
}

int book_next(const struct book *book, uint64_t *at, struct book_entry *ret, struct prodd_error *e)
{
	uint64_t left = book->used - *at;
	const unsigned char *from = book->at + *at;
	struct book_record *r = &ret->record;

	if (left == 0)
		return 0;
	if (left < sizeof *r)
		return prodd_error_set(e, PRODD_E_CORRUPT, "a record is cut short");
	memcpy(r, from, sizeof *r);
	if (r->size > left || r->cells > BOOK_CELLS_MAX || r->size != book_needs(r->body, r->cells))
		return prodd_error_set(e, PRODD_E_CORRUPT, "a record of %u bytes where %llu are left",
				       r->size, (unsigned long long)left);
	ret->body = (struct prodd_slice){ (const char *)from + sizeof *r, r->body };
	if (r->check != record_check(r, ret->body.at))
		return prodd_error_set(e, PRODD_E_CORRUPT, "a record does not match its checksum");
	ret->cells_at = (uint32_t)(*at + r->size - r->cells * 8ull);
	memcpy(ret->cells, book->at + ret->cells_at, r->cells * 8ull);
	*at += r->size;
	return 1;
}
