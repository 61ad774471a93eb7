/* SPDX-License-Identifier: Apache-2.0 */
/* Sizes and numbers stand in an array of their own: the bytes move when they grow. */
#include "daemon/log/batch.h"

enum { kept_bytes = 64 * 1024 };	/* of memory, that an idle batch may keep */

struct batch_entry {
	uint32_t origin;	/* bytes */
	uint32_t record;
	uint64_t number;	/* 0: not in the spool yet */
};

static struct batch_entry *entry_at(const struct batch *batch, unsigned index)
{
	return (struct batch_entry *)(void *)batch->entries.at + index;
}

void batch_init(struct batch *batch)
{
	*batch = (struct batch){ .bytes.limit = BATCH_MAX, .entries.limit = BATCH_MAX };
}

void batch_clear(struct batch *batch)
{
	prodd_buffer_clear(&batch->bytes);
	prodd_buffer_clear(&batch->entries);
	batch->count = 0;
}

void batch_reset(struct batch *batch)
{
	prodd_buffer_reset(&batch->bytes);
	prodd_buffer_reset(&batch->entries);
	batch->count = 0;
}

void batch_trim(struct batch *batch)
{
	if (batch->bytes.capacity + batch->entries.capacity > kept_bytes)
		batch_clear(batch);
}

static void cut(struct prodd_buffer *b, size_t size)
{
	b->size = size;
	b->failed = 0;
}

bool batch_add(struct batch *batch, const struct origin *origin, struct prodd_slice record)
{
	size_t bytes = batch->bytes.size, entries = batch->entries.size;
	struct batch_entry entry = { .record = (uint32_t)record.size };

	origin_pack(&batch->bytes, origin);
	entry.origin = (uint32_t)(batch->bytes.size - bytes);
	prodd_buffer_append(&batch->bytes, record.at, record.size);
	prodd_buffer_append(&batch->entries, &entry, sizeof entry);
	if (batch->bytes.failed || batch->entries.failed) {
		cut(&batch->bytes, bytes);
		cut(&batch->entries, entries);
		return false;
	}
	batch->count++;
	return true;
}

unsigned batch_peek(const struct batch *batch, const struct batch_at *at, struct spool_record *ret,
		    unsigned most)
{
	const char *bytes = batch->bytes.at + at->offset;
	unsigned n;

	for (n = 0; n < most && at->index + n < batch->count; n++) {
		const struct batch_entry *entry = entry_at(batch, at->index + n);

		ret[n] = (struct spool_record){ .number = entry->number, .origin = { bytes, entry->origin },
						.record = { bytes + entry->origin, entry->record } };
		bytes += entry->origin + entry->record;
	}
	return n;
}

void batch_pass(struct batch *batch, struct batch_at *at, unsigned count, uint64_t first)
{
	for (; count > 0 && at->index < batch->count; count--) {
		struct batch_entry *entry = entry_at(batch, at->index++);

		entry->number = first++;
		at->offset += entry->origin + entry->record;
	}
}
