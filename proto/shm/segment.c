/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Entries are built and read field by field in a span of bytes that has an
 * end; nothing is written or read past it.  What a reader takes from shared
 * memory it copies first, and the copy alone is looked at.
 */
#include "proto/shm/segment.h"

#include "proto/cursor.h"

/* What an entry is made in, or read from. */
struct span {
	unsigned char *at;
	const unsigned char *begin;
	const unsigned char *end;
	bool failed;			/* did not fit */
};

static struct span span_of(unsigned char *at, size_t size)
{
	return (struct span){ at, at, at + size, false };
}

static size_t left_in(const struct span *span)
{
	return (size_t)(span->end - span->at);
}

/* Moves to the next multiple of 8 from the beginning. */
static void align(struct span *span)
{
	size_t over = (size_t)(span->at - span->begin) % 8;

	if (over > 0 && left_in(span) >= 8 - over)
		span->at += 8 - over;
	else if (over > 0)
		span->failed = true;
}

/* ---- sizes */

static uint64_t cells_at(uint64_t directory_size)
{
	return (SEGMENT_HEAD + directory_size + SEGMENT_HEAD - 1) / SEGMENT_HEAD * SEGMENT_HEAD;
}

uint64_t segment_size(uint64_t directory_size, uint32_t cells, uint32_t shards)
{
	uint64_t size;

	if (directory_size == 0 || directory_size > SEGMENT_SIZE_MAX || directory_size % 8 != 0)
		return 0;
	if (cells == 0 || cells > SEGMENT_SIZE_MAX / 8)
		return 0;
	if (shards == 0 || shards > SEGMENT_SHARDS_MAX || (shards & (shards - 1)) != 0)
		return 0;
	size = cells_at(directory_size) + (uint64_t)cells * shards * 8;
	return size <= SEGMENT_SIZE_MAX ? size : 0;
}

/* ---- the writer */

static struct segment segment_of(void *mapping, const struct segment_head *head)
{
	return (struct segment){
		.head = mapping,
		.base = mapping,
		.directory_at = head->directory_at,
		.directory_size = head->directory_size,
		.cells_at = head->cells_at,
		.cells = head->cells,
		.shards = head->shards,
		.made_ns = head->made_ns,
	};
}

void segment_make(struct segment *ret, void *mapping, uint64_t directory_size, uint32_t cells,
		  uint32_t shards, const uint8_t uuid[16], uint64_t pid, uint64_t made_ns)
{
	struct segment_head *head = mapping;

	head->magic = SEGMENT_MAGIC;
	head->version = SEGMENT_VERSION;
	head->head_size = SEGMENT_HEAD;
	head->directory_at = SEGMENT_HEAD;
	head->directory_size = directory_size;
	head->cells_at = cells_at(directory_size);
	head->cells = cells;
	head->shards = shards;
	memcpy(head->uuid, uuid, sizeof head->uuid);
	head->pid = pid;
	head->made_ns = made_ns;
	*ret = segment_of(mapping, head);
}

static void put_text(struct span *span, struct prodd_slice text)
{
	uint16_t size = (uint16_t)text.size;

	if (span->failed || left_in(span) < sizeof size + text.size) {
		span->failed = true;
		return;
	}
	memcpy(span->at, &size, sizeof size);
	if (size > 0)
		memcpy(span->at + sizeof size, text.at, size);
	span->at += sizeof size + size;
}

static void put_doubles(struct span *span, const double *values, size_t count)
{
	align(span);
	if (span->failed || left_in(span) < count * sizeof *values) {
		span->failed = true;
		return;
	}
	memcpy(span->at, values, count * sizeof *values);
	span->at += count * sizeof *values;
}

/* The free part of the directory, beyond what is kept. */
static struct span room_in(const struct segment *s, uint64_t kept)
{
	uint64_t left = s->directory_size - s->at;

	return span_of(s->base + s->directory_at + s->at, left > kept ? (size_t)(left - kept) : 0);
}

static void leave_head(struct span *span)
{
	if (left_in(span) < sizeof(struct segment_entry))
		span->failed = true;
	else
		span->at += sizeof(struct segment_entry);
}

/* Ends the entry in `span` with its head, and publishes it. False: it did not fit. */
static bool publish(struct segment *s, struct span *span, const struct segment_entry *entry)
{
	struct segment_entry head = *entry;
	unsigned char *begin = s->base + s->directory_at + s->at;

	align(span);
	if (span->failed)
		return false;
	head.size = (uint32_t)(span->at - begin);
	memcpy(begin, &head, sizeof head);
	s->at += head.size;
	atomic_store_explicit(&s->head->used, s->at, memory_order_release);
	return true;
}

/* Each family keeps room for one series without values. */
static bool has_kept_cells(const struct segment *s, unsigned more)
{
	return s->cells - s->next_cell >= s->kept_cells && s->cells - s->next_cell - s->kept_cells >= more;
}

int64_t segment_add_family(struct segment *s, const struct segment_family *family)
{
	struct segment_entry entry = {
		.kind = SEGMENT_FAMILY,
		.type = (uint8_t)family->type,
		.mode = (uint8_t)family->mode,
		.labels = (uint8_t)family->label_count,
		.family = s->next_family,
		.count = family->bucket_count,
	};
	struct span span = room_in(s, s->kept_bytes + sizeof entry);

	leave_head(&span);
	put_text(&span, family->name);
	put_text(&span, family->unit);
	put_text(&span, family->help);
	for (unsigned i = 0; i < family->label_count; i++)
		put_text(&span, family->labels[i]);
	put_doubles(&span, family->buckets, family->bucket_count);
	if (!has_kept_cells(s, segment_cells(family)) || !publish(s, &span, &entry))
		return -PRODD_E_OVER_LIMIT;
	s->kept_bytes += sizeof entry;
	s->kept_cells += segment_cells(family);
	return s->next_family++;
}

/* Writes 0 in cells that will be read: their pages are the writer's from here on. */
static void clear_cells(const struct segment *s, uint32_t cell, uint32_t count, uint32_t shards)
{
	for (uint32_t shard = 0; shard < shards; shard++)
		for (uint32_t i = 0; i < count; i++)
			atomic_store_explicit(segment_cell(s, cell + i) + (uint64_t)shard * s->cells, 0,
					      memory_order_relaxed);
}

int64_t segment_add_series(struct segment *s, uint32_t number, const struct segment_family *family,
			   const struct prodd_slice *values)
{
	struct segment_entry entry = {
		.kind = SEGMENT_SERIES,
		.type = (uint8_t)family->type,
		.mode = (uint8_t)family->mode,
		.labels = values ? (uint8_t)family->label_count : 0,
		.family = number,
		.cell = s->next_cell,
		.count = segment_cells(family),
	};
	uint64_t kept_bytes = values ? 0 : sizeof entry;
	uint32_t kept_cells = values ? 0 : entry.count;
	struct span span = room_in(s, s->kept_bytes - kept_bytes);

	leave_head(&span);
	for (unsigned i = 0; i < entry.labels; i++)
		put_text(&span, values[i]);
	if (values && !has_kept_cells(s, entry.count))
		return -PRODD_E_OVER_LIMIT;
	clear_cells(s, entry.cell, entry.count, family->type == SEGMENT_GAUGE ? 1 : s->shards);
	if (!publish(s, &span, &entry))
		return -PRODD_E_OVER_LIMIT;
	s->kept_bytes -= kept_bytes;
	s->kept_cells -= kept_cells;
	s->next_cell += entry.count;
	return entry.cell;
}

void segment_copy(struct segment *s, const struct segment *from)
{
	memcpy(s->base + s->directory_at, from->base + from->directory_at, from->at);
	clear_cells(s, 0, from->next_cell, s->shards);
	s->at = from->at;
	s->next_family = from->next_family;
	s->next_cell = from->next_cell;
	s->kept_bytes = from->kept_bytes;
	s->kept_cells = from->kept_cells;
	atomic_store_explicit(&s->head->used, s->at, memory_order_release);
}

/* ---- the reader */

/* Copies out of memory that its owner may change meanwhile; the copy is not looked up there again. */
static void copy_out(void *copy, const void *shared, size_t size)
{
	memcpy(copy, shared, size);
	__asm__ __volatile__("" : : "r"(copy) : "memory");
}

static int corrupt(struct prodd_error *e, const char *what)
{
	return prodd_error_set(e, PRODD_E_CORRUPT, "segment of metrics: %s", what);
}

int segment_attach(struct segment *ret, void *mapping, uint64_t size, uint8_t ret_uuid[16],
		   struct prodd_error *e)
{
	struct segment_head head;

	if (size < SEGMENT_HEAD)
		return corrupt(e, "too small");
	copy_out(&head, mapping, offsetof(struct segment_head, used));
	if (head.magic != SEGMENT_MAGIC || head.head_size != SEGMENT_HEAD)
		return corrupt(e, "this is none");
	if (head.version != SEGMENT_VERSION)
		return prodd_error_set(e, PRODD_E_CORRUPT, "segment of metrics: version %u, known is %u",
				       head.version, SEGMENT_VERSION);
	if (segment_size(head.directory_size, head.cells, head.shards) != size ||
	    head.directory_at != SEGMENT_HEAD || head.cells_at != cells_at(head.directory_size))
		return corrupt(e, "directory and cells do not make up its size");
	memcpy(ret_uuid, head.uuid, sizeof head.uuid);
	*ret = segment_of(mapping, &head);
	return 0;
}

static struct prodd_slice take_text(struct span *span)
{
	struct prodd_slice text = { NULL, 0 };
	uint16_t size;

	if (span->failed || left_in(span) < sizeof size) {
		span->failed = true;
		return text;
	}
	memcpy(&size, span->at, sizeof size);
	if (left_in(span) < sizeof size + size) {
		span->failed = true;
		return text;
	}
	text = (struct prodd_slice){ (const char *)span->at + sizeof size, size };
	span->at += sizeof size + size;
	return text;
}

static void take_doubles(struct span *span, double *values, size_t count)
{
	align(span);
	if (span->failed || left_in(span) < count * sizeof *values) {
		span->failed = true;
		return;
	}
	memcpy(values, span->at, count * sizeof *values);
	span->at += count * sizeof *values;
}

static int read_family(struct segment *s, struct span *span, struct segment_read *ret, struct prodd_error *e)
{
	const struct segment_entry *entry = &ret->entry;
	struct segment_family *family = &ret->family;
	struct prodd_error why;

	if (entry->family != s->next_family || entry->cell != 0 || entry->count > SEGMENT_BUCKETS_MAX ||
	    entry->labels > SEGMENT_LABELS_MAX)
		return corrupt(e, "a family has numbers out of range");
	family->type = entry->type;
	family->mode = entry->mode;
	family->name = take_text(span);
	family->unit = take_text(span);
	family->help = take_text(span);
	family->label_count = entry->labels;
	for (unsigned i = 0; i < entry->labels; i++)
		family->labels[i] = take_text(span);
	family->bucket_count = entry->count;
	take_doubles(span, family->buckets, entry->count);
	if (span->failed)
		return corrupt(e, "a family goes beyond its entry");
	if (segment_check_family(family, &why) < 0)
		return corrupt(e, why.text);
	s->next_family++;
	return 0;
}

static int read_series(struct segment *s, struct span *span, struct segment_read *ret, struct prodd_error *e)
{
	const struct segment_entry *entry = &ret->entry;

	if (entry->family >= s->next_family || entry->labels > SEGMENT_LABELS_MAX)
		return corrupt(e, "a series has numbers out of range");
	if (entry->cell != s->next_cell || entry->count == 0 || entry->count > SEGMENT_BUCKETS_MAX + 2 ||
	    entry->count > s->cells - s->next_cell)
		return corrupt(e, "a series has cells that are not the next ones");
	for (unsigned i = 0; i < entry->labels; i++) {
		ret->values[i] = take_text(span);
		if (ret->values[i].size > SEGMENT_LABEL_VALUE_MAX || !prodd_is_text(ret->values[i]))
			return corrupt(e, "a label has a value that is no text, or too long");
	}
	if (span->failed)
		return corrupt(e, "a series goes beyond its entry");
	s->next_cell += entry->count;
	return 0;
}

/* Bytes published behind s->at, or -PRODD_E_CORRUPT. */
static int64_t published(const struct segment *s, struct prodd_error *e)
{
	uint64_t used = atomic_load_explicit(&s->head->used, memory_order_acquire);

	if (used > s->directory_size || used < s->at || used % 8 != 0)
		return corrupt(e, "the directory has an impossible size");
	return (int64_t)(used - s->at);
}

int segment_next(struct segment *s, unsigned char copy[SEGMENT_ENTRY_MAX], struct segment_read *ret,
		 struct prodd_error *e)
{
	const unsigned char *shared = s->base + s->directory_at + s->at;
	int64_t left = published(s, e);
	struct span span;
	uint32_t size;
	int r;

	if (left <= 0)
		return (int)left;
	if ((uint64_t)left < sizeof ret->entry)
		return corrupt(e, "the directory ends within an entry");
	copy_out(&size, shared, sizeof size);
	if (size < sizeof ret->entry || size > SEGMENT_ENTRY_MAX || size > (uint64_t)left || size % 8 != 0)
		return corrupt(e, "an entry has an impossible size");
	copy_out(copy, shared, size);
	memcpy(&ret->entry, copy, sizeof ret->entry);
	if (ret->entry.size != size || ret->entry.reserved != 0)
		return corrupt(e, "an entry is not one of this version");
	span = span_of(copy, size);
	span.at += sizeof ret->entry;
	if (ret->entry.kind == SEGMENT_FAMILY)
		r = read_family(s, &span, ret, e);
	else if (ret->entry.kind == SEGMENT_SERIES)
		r = read_series(s, &span, ret, e);
	else
		r = corrupt(e, "an entry is of no known kind");
	if (r < 0)
		return r;
	s->at += size;
	return 1;
}

bool segment_suits(const struct segment_entry *series, const struct segment_family *family)
{
	return series->type == family->type && series->mode == family->mode &&
	       (series->labels == family->label_count || series->labels == 0) &&
	       series->count == segment_cells(family);
}
