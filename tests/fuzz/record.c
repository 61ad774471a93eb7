/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A record or an origin from an app: what is let through can be walked by a cursor
 * to its last byte, is no larger than promised, and is what msgpack-c reads.
 */
#include <msgpack.h>

#include "proto/shm/record.h"
#include "tests/fuzz/fuzz.h"

static void walk_fields(const struct record *r)
{
	struct prodd_cursor c = prodd_cursor(r->fields);

	for (unsigned i = 0; i < r->field_count; i++) {
		struct prodd_slice key;

		FUZZ_DEMAND(prodd_cursor_str(&c, &key) && key.size > 0 && key.size <= RECORD_KEY_MAX);
		FUZZ_DEMAND(prodd_cursor_kind(&c) != PRODD_KIND_ARRAY && prodd_cursor_kind(&c) != PRODD_KIND_MAP);
		FUZZ_DEMAND(prodd_cursor_skip(&c, NULL));
	}
	FUZZ_DEMAND(c.at == c.end);
}

static void read_otherwise(struct prodd_slice bytes, const struct record *r)
{
	msgpack_unpacked result;
	size_t used = 0;

	msgpack_unpacked_init(&result);
	FUZZ_DEMAND(msgpack_unpack_next(&result, bytes.at, bytes.size, &used) == MSGPACK_UNPACK_SUCCESS);
	FUZZ_DEMAND(used == bytes.size && result.data.type == MSGPACK_OBJECT_ARRAY);
	FUZZ_DEMAND(result.data.via.array.size == 8 + 2 * r->field_count);
	FUZZ_DEMAND(result.data.via.array.ptr[0].via.u64 == r->time_ns);
	FUZZ_DEMAND(result.data.via.array.ptr[3].via.str.size == r->message.size);
	msgpack_unpacked_destroy(&result);
}

static void try_record(struct prodd_slice bytes)
{
	const char *why = NULL;
	struct record r;

	if (!record_open(bytes, &r, &why)) {
		FUZZ_DEMAND(why && *why);
		return;
	}
	FUZZ_DEMAND(!why && r.level <= RECORD_ERROR && r.field_count <= RECORD_FIELDS_MAX);
	FUZZ_DEMAND(r.target.size <= RECORD_NAME_MAX && r.thread.size <= RECORD_NAME_MAX);
	FUZZ_DEMAND(r.trace.size == 0 || r.trace.size == 16);
	FUZZ_DEMAND(r.span.size == 0 || r.span.size == 8);
	walk_fields(&r);
	read_otherwise(bytes, &r);
}

static void try_origin(struct prodd_slice bytes)
{
	prodd_auto_buffer again = { 0 };
	struct prodd_cursor c = prodd_cursor(bytes);
	struct origin origin, twice;

	if (!origin_take(&c, &origin)) {
		FUZZ_DEMAND((const char *)c.at == bytes.at);
		return;
	}
	origin_pack(&again, &origin);
	c = prodd_cursor(prodd_buffer_slice(&again));
	FUZZ_DEMAND(again.failed == 0 && origin_take(&c, &twice) && c.at == c.end);
	FUZZ_DEMAND(twice.end == origin.end && prodd_slice_equal(twice.instance, origin.instance));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct prodd_slice bytes = { (const char *)data, size };

	try_record(bytes);
	try_origin(bytes);
	return 0;
}
