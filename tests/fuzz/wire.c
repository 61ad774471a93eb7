/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bytes from a peer, all the way: stream, frames, pre-check, envelope, record,
 * lists.  The rules that must hold whatever comes: what the pre-check passes,
 * msgpack-c and the cursor take whole; a stream gives the same frames however
 * it is cut; what was decoded is encoded, and then decoded, to the same.
 */
#include <msgpack.h>

#include "proto/codec.h"
#include "proto/frame.h"
#include "proto/limits.h"
#include "tests/fuzz/fuzz.h"

enum { record_size_max = 1024, nested_max = 8 };

/* Counts the values of a tree that the pre-check passed; it must obey the limits. */
static uint32_t count_values(const msgpack_object *o, unsigned depth)
{
	bool container = o->type == MSGPACK_OBJECT_ARRAY || o->type == MSGPACK_OBJECT_MAP;
	uint32_t count = 1;

	FUZZ_DEMAND(o->type != MSGPACK_OBJECT_EXT);
	FUZZ_DEMAND(depth + container <= PRODD_DEPTH_MAX);
	if (o->type == MSGPACK_OBJECT_ARRAY)
		for (uint32_t i = 0; i < o->via.array.size; i++)
			count += count_values(&o->via.array.ptr[i], depth + 1);
	if (o->type == MSGPACK_OBJECT_MAP)
		for (uint32_t i = 0; i < o->via.map.size; i++)
			count += count_values(&o->via.map.ptr[i].key, depth + 1) +
				 count_values(&o->via.map.ptr[i].val, depth + 1);
	return count;
}

static void oracle(struct prodd_slice frame)
{
	struct prodd_cursor c = prodd_cursor(frame);
	msgpack_unpacked result;
	size_t used = 0;

	FUZZ_DEMAND(prodd_cursor_skip(&c, NULL) && c.at == c.end);
	msgpack_unpacked_init(&result);
	FUZZ_DEMAND(msgpack_unpack_next(&result, frame.at, frame.size, &used) == MSGPACK_UNPACK_SUCCESS);
	FUZZ_DEMAND(used == frame.size);
	FUZZ_DEMAND(count_values(&result.data, 0) <= PRODD_NODES_MAX);
	msgpack_unpacked_destroy(&result);
}

static void encode_again(const struct wire_record *type, const void *record)
{
	_Alignas(16) char again[record_size_max];
	prodd_auto_buffer b = { 0 }, twice = { 0 };
	struct prodd_cursor c;
	struct prodd_error e;

	FUZZ_DEMAND(prodd_encode(&b, type, record) == 0);
	c = prodd_cursor(prodd_buffer_slice(&b));
	FUZZ_DEMAND(prodd_decode(&c, type, again, &e) == 0 && c.at == c.end);
	FUZZ_DEMAND(prodd_encode(&twice, type, again) == 0);
	FUZZ_DEMAND(prodd_slice_equal(prodd_buffer_slice(&b), prodd_buffer_slice(&twice)));
}

static void walk_texts(struct prodd_list list)
{
	struct prodd_iter it = prodd_iter(list);
	struct prodd_slice text;
	uint32_t count = 0;

	while (prodd_next_text(&it, &text)) {
		FUZZ_DEMAND(prodd_is_text(text));
		count++;
	}
	FUZZ_DEMAND(count == list.count && it.cursor.at == it.cursor.end);
}

/* Lists hold records that hold lists: as deep as the schema goes. */
static void walk_lists(const struct wire_record *type, const void *record, int depth)
{
	_Alignas(16) char element[record_size_max];
	struct prodd_error e;

	FUZZ_DEMAND(depth < nested_max);
	for (unsigned i = 0; i < type->count; i++) {
		const struct wire_field *field = &type->fields[i];
		struct prodd_list list;
		struct prodd_iter it;

		if (field->kind != WIRE_LIST && field->kind != WIRE_STRS)
			continue;
		memcpy(&list, (const char *)record + field->offset, sizeof list);
		if (field->kind == WIRE_STRS) {
			walk_texts(list);
			continue;
		}
		FUZZ_DEMAND(field->record->size <= sizeof element);
		for (it = prodd_iter(list); prodd_next(&it, field->record, element, &e) > 0;)
			walk_lists(field->record, element, depth + 1);
	}
}

/* What the table promises of a decoded record. */
static void obeys_table(const struct wire_record *type, const void *record)
{
	for (unsigned i = 0; i < type->count; i++) {
		const struct wire_field *field = &type->fields[i];
		const void *at = (const char *)record + field->offset;
		struct prodd_slice slice;
		struct prodd_list list;

		if (field->kind == WIRE_STR || field->kind == WIRE_BIN || field->kind == WIRE_VALUE) {
			memcpy(&slice, at, sizeof slice);
			FUZZ_DEMAND(slice.size <= field->max);
			FUZZ_DEMAND(field->kind != WIRE_STR || prodd_is_text(slice));
		} else if (field->kind == WIRE_LIST || field->kind == WIRE_STRS) {
			memcpy(&list, at, sizeof list);
			FUZZ_DEMAND(list.count <= field->max);
		}
	}
}

static void decode(const struct prodd_message *m, const struct wire_record *type)
{
	_Alignas(16) char record[record_size_max];
	struct prodd_error e = { 0 };

	FUZZ_DEMAND(type->size <= sizeof record);
	if (prodd_message_decode(m, type, record, &e) < 0) {
		FUZZ_DEMAND(e.code == PRODD_E_USAGE || e.code == PRODD_E_PROTOCOL);
		FUZZ_DEMAND(e.text[0] && prodd_is_text(prodd_slice(e.text)));
		return;
	}
	obeys_table(type, record);
	encode_again(type, record);
	walk_lists(type, record, 0);
}

static void try_frame(struct prodd_slice frame)
{
	struct prodd_message m;
	struct prodd_error e = { 0 };
	int checked = prodd_check(frame, &prodd_check_received, &e);

	FUZZ_DEMAND(checked == -e.code);
	if (checked == 0)
		oracle(frame);
	if (prodd_message_open(frame, &prodd_check_received, &m, &e) < 0) {
		FUZZ_DEMAND(e.text[0] && prodd_is_text(prodd_slice(e.text)));
		return;
	}
	FUZZ_DEMAND(checked == 0 && m.id <= INT64_MAX);
	if (m.type != PRODD_ANSWER && m.method != WIRE_NO_METHOD)
		decode(&m, wire_methods[m.method].params);
	if (m.type == PRODD_ANSWER && m.error.code == PRODD_OK)
		for (int i = 0; wire_records[i]; i++)
			decode(&m, wire_records[i]);
}

/* Feeds the stream in pieces of `step` bytes. Returns how many frames came, and a sum of their sizes. */
static uint64_t frames_of(const uint8_t *data, size_t size, size_t step, bool look)
{
	struct prodd_deframer d = { .limit = PRODD_FRAME_MAX };
	uint64_t sum = 0;
	int r = 0;

	for (size_t at = 0; at < size && r >= 0; at += step) {
		struct prodd_slice input = { (const char *)data + at, size - at < step ? size - at : step };
		struct prodd_slice frame;
		struct prodd_error e;

		while ((r = prodd_deframe(&d, &input, &frame, &e)) > 0) {
			FUZZ_DEMAND(frame.size > 0 && frame.size <= PRODD_FRAME_MAX);
			sum = sum * 31 + frame.size;
			if (look)
				try_frame(frame);
		}
		FUZZ_DEMAND(r < 0 || input.size == 0);
		FUZZ_DEMAND(prodd_deframer_held(&d) <= size);
	}
	prodd_deframer_clear(&d);
	return sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint64_t whole = frames_of(data, size, size ? size : 1, true);

	if (size <= 4096)
		FUZZ_DEMAND(frames_of(data, size, 1, false) == whole);
	FUZZ_DEMAND(frames_of(data, size, 7, true) == whole);
	if (size > 0)
		try_frame((struct prodd_slice){ (const char *)data, size });
	return 0;
}
