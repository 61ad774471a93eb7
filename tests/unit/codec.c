/* SPDX-License-Identifier: Apache-2.0 */
/* The codec over every record of the schema: round trips, and what each rule of a row refuses. */
#include "proto/codec.h"

#include "proto/check.h"
#include "proto/limits.h"
#include "tests/unit/records.h"

static void *fresh(const struct wire_record *type)
{
	void *record = calloc(1, type->size);

	ck_assert_ptr_nonnull(record);
	return record;
}

static int decode_all(const struct prodd_buffer *b, const struct wire_record *type, void *ret,
		      struct prodd_error *e)
{
	struct prodd_cursor c = prodd_cursor(prodd_buffer_slice(b));
	int r = prodd_decode(&c, type, ret, e);

	if (r == 0 && c.at != c.end)
		ck_abort_msg("%s: bytes are left", type->name);
	return r;
}

static bool is_zero(const struct wire_record *type, const void *record)
{
	const char *bytes = record;

	for (size_t i = 0; i < type->size; i++)
		if (bytes[i])
			return false;
	return true;
}

/* Decodes every element of every list, down to the leaves, and encodes it to the same bytes again. */
static void lists_hold(const struct wire_record *type, const void *record)
{
	for (unsigned i = 0; i < type->count; i++) {
		const struct wire_field *field = &type->fields[i];
		const struct prodd_list *list = (const void *)((const char *)record + field->offset);
		prodd_auto_buffer again = { 0 };
		struct prodd_iter it;
		struct prodd_error e;
		uint32_t count = 0;
		void *element;
		int r;

		if (field->kind != WIRE_LIST)
			continue;
		element = fresh(field->record);
		for (it = prodd_iter(*list); (r = prodd_next(&it, field->record, element, &e)) > 0;) {
			prodd_encode_element(&again, &count, field->record, element);
			lists_hold(field->record, element);
		}
		if (r < 0 || count != list->count || again.size != list->size ||
		    (list->size && memcmp(again.at, list->at, list->size) != 0))
			ck_abort_msg("%s.%s does not come back: %s", type->name, field->name,
				     r < 0 ? e.text : "other bytes");
		free(element);
	}
}

static void round_trip(struct dice *d, const struct wire_record *type)
{
	static const struct prodd_check_limits wide = { .depth = PRODD_DEPTH_MAX, .nodes = 1000000 };
	prodd_auto_buffer b = { 0 }, again = { 0 };
	void *sent = fresh(type), *got = fresh(type);
	struct prodd_error e;
	const char *differs;
	struct arena a;

	arena_open(&a, 1 << 20);
	some_record(d, &a, type, sent, 3);
	ck_assert_int_eq(prodd_encode(&b, type, sent), 0);
	ck_assert_int_eq(prodd_check(prodd_buffer_slice(&b), &wide, &e), 0);
	if (decode_all(&b, type, got, &e) < 0)
		ck_abort_msg("%s", e.text);
	differs = records_differ(type, sent, got);
	if (differs)
		ck_abort_msg("%s.%s differs", type->name, differs);
	lists_hold(type, got);
	ck_assert_int_eq(prodd_encode(&again, type, got), 0);
	ck_assert_uint_eq(again.size, b.size);
	ck_assert_mem_eq(again.at, b.at, b.size);
	arena_close(&a);
	free(sent);
	free(got);
}

START_TEST(every_record_round_trips)
{
	struct dice d = dice_start("codec");

	for (int i = 0; wire_records[i]; i++)
		for (int round = 0; round < 100; round++)
			round_trip(&d, wire_records[i]);
}
END_TEST

/* The pairs of an encoded map in another order, with pairs between them that nobody knows. */
static void shuffle(struct dice *d, struct arena *a, struct prodd_slice map, struct prodd_buffer *ret)
{
	struct prodd_cursor c = prodd_cursor(map);
	struct prodd_slice pairs[128], key, value;
	uint32_t count, unknown = dice_below(d, 4);

	ck_assert(prodd_cursor_map(&c, &count));
	for (uint32_t i = 0; i < count; i++) {
		ck_assert(prodd_cursor_skip(&c, &key) && prodd_cursor_skip(&c, &value));
		pairs[i] = (struct prodd_slice){ key.at, key.size + value.size };
	}
	for (uint32_t i = 0; i < unknown; i++) {
		prodd_auto_buffer pair = { 0 };
		char *at;

		prodd_pack_str(&pair, prodd_slice(i % 2 ? "x_of_a_later_version" : ""));
		prodd_pack_map(&pair, 1);
		prodd_pack_uint(&pair, 7);
		value = some_value(d, a, 1000);
		prodd_buffer_append(&pair, value.at, value.size);
		at = arena_take(a, pair.size);
		memcpy(at, pair.at, pair.size);
		pairs[count++] = (struct prodd_slice){ at, pair.size };
	}
	prodd_pack_map(ret, count);
	while (count > 0) {
		uint32_t pick = dice_below(d, count);

		prodd_buffer_append(ret, pairs[pick].at, pairs[pick].size);
		pairs[pick] = pairs[--count];
	}
}

START_TEST(keys_come_in_any_order_and_unknown_ones_are_skipped)
{
	struct dice d = dice_start("codec order");

	for (int i = 0; wire_records[i]; i++) {
		const struct wire_record *type = wire_records[i];

		for (int round = 0; round < 20; round++) {
			prodd_auto_buffer b = { 0 }, shuffled = { 0 };
			void *sent = fresh(type), *got = fresh(type);
			struct prodd_error e;
			struct arena a;

			arena_open(&a, 1 << 20);
			some_record(&d, &a, type, sent, 2);
			ck_assert_int_eq(prodd_encode(&b, type, sent), 0);
			shuffle(&d, &a, prodd_buffer_slice(&b), &shuffled);
			if (decode_all(&shuffled, type, got, &e) < 0)
				ck_abort_msg("%s", e.text);
			ck_assert_ptr_null(records_differ(type, sent, got));
			arena_close(&a);
			free(sent);
			free(got);
		}
	}
}
END_TEST

START_TEST(what_may_be_absent_and_is_empty_is_not_sent)
{
	for (int i = 0; wire_records[i]; i++) {
		const struct wire_record *type = wire_records[i];
		prodd_auto_buffer b = { 0 };
		void *empty = fresh(type);
		struct prodd_cursor c;
		uint32_t pairs, must = 0;

		for (unsigned f = 0; f < type->count; f++)
			must += type->fields[f].must;
		ck_assert_int_eq(prodd_encode(&b, type, empty), 0);
		c = prodd_cursor(prodd_buffer_slice(&b));
		ck_assert(prodd_cursor_map(&c, &pairs));
		ck_assert_uint_eq(pairs, must);
		free(empty);
	}
}
END_TEST

START_TEST(a_whole_encoding_fails_with_its_buffer)
{
	struct wire_problem problem = { .text = prodd_slice("a text of some length") };
	uint32_t count = 5;

	for (size_t limit = 1; limit < 28; limit++) {
		prodd_auto_buffer b = { .limit = limit };

		ck_assert_int_eq(prodd_encode(&b, &wire_record_problem, &problem), -PRODD_E_TOO_LARGE);
		ck_assert_int_eq(prodd_encode_element(&b, &count, &wire_record_problem, &problem),
				 -PRODD_E_TOO_LARGE);
		ck_assert_uint_eq(count, 5);
	}
}
END_TEST

/* ---- what is refused, for every field of every record */

static const char *const fillers[] = {
	[PRODD_KIND_NIL] = "\xc0",
	[PRODD_KIND_BOOL] = "\xc3",
	[PRODD_KIND_INT] = "\x07",
	[PRODD_KIND_FLOAT] = "\xca\x3f\x80\x01\x01",
	[PRODD_KIND_STR] = "\xa1" "7",
	[PRODD_KIND_BIN] = "\xc4\x01" "7",
	[PRODD_KIND_ARRAY] = "\x91\x07",
	[PRODD_KIND_MAP] = "\x81\x07\x07",
};

static bool fits(enum wire_kind wanted, enum prodd_kind kind)
{
	static const enum prodd_kind right[] = {
		[WIRE_BOOL] = PRODD_KIND_BOOL, [WIRE_UINT] = PRODD_KIND_INT, [WIRE_INT] = PRODD_KIND_INT,
		[WIRE_STR] = PRODD_KIND_STR, [WIRE_BIN] = PRODD_KIND_BIN, [WIRE_LIST] = PRODD_KIND_ARRAY,
	};

	return wanted == WIRE_VALUE ? kind != PRODD_KIND_MAP : wanted != WIRE_STRS && right[wanted] == kind;
}

/* A map of one pair: the field with the given value. */
static int decode_one(const struct wire_record *type, const struct wire_field *field,
		      struct prodd_slice value, struct prodd_error *e)
{
	prodd_auto_buffer b = { 0 };
	void *got = fresh(type);
	int r;

	prodd_pack_map(&b, 1);
	prodd_pack_str(&b, prodd_slice(field->name));
	prodd_buffer_append(&b, value.at, value.size);
	memset(got, 0x55, type->size);
	r = decode_all(&b, type, got, e);
	if (r < 0 && !is_zero(type, got))
		ck_abort_msg("%s.%s: something stays after an error", type->name, field->name);
	free(got);
	return r;
}

/* Absence of another field that must be there is reported after the given field was looked at. */
static bool is_missing(const struct prodd_error *e)
{
	return strstr(e->text, ": missing, expected ") != NULL;
}

static void try_kinds(const struct wire_record *type, const struct wire_field *field)
{
	char expected[200];

	snprintf(expected, sizeof expected, "%s.%s: expected ", type->name, field->name);
	for (int kind = PRODD_KIND_NIL; kind <= PRODD_KIND_MAP; kind++) {
		struct prodd_error e = { 0 };
		int r = decode_one(type, field, prodd_slice(fillers[kind]), &e);

		if (fits(field->kind, (enum prodd_kind)kind)
			    ? r < 0 && !is_missing(&e)
			    : r != -PRODD_E_USAGE || strncmp(e.text, expected, strlen(expected)) != 0)
			ck_abort_msg("%s.%s with kind %d: %d %s", type->name, field->name, kind, r, e.text);
	}
}

START_TEST(another_type_is_refused_by_name)
{
	for (int i = 0; wire_records[i]; i++)
		for (unsigned f = 0; f < wire_records[i]->count; f++)
			try_kinds(wire_records[i], &wire_records[i]->fields[f]);
}
END_TEST

/* `size` bytes or elements for a field that has a maximum; false for one that has none. */
static bool fill(struct prodd_buffer *b, const struct wire_field *field, uint32_t size)
{
	char *bytes = malloc(size ? size : 1);
	struct prodd_slice whole = { bytes, size };

	memset(bytes, field->kind == WIRE_LIST ? '\x80' : 'x', size);
	switch (field->kind) {
	case WIRE_STR:
		prodd_pack_str(b, whole);
		break;
	case WIRE_BIN:
		prodd_pack_bin(b, whole);
		break;
	case WIRE_VALUE:
		whole.size -= size < 34 ? 1 : size < 258 ? 2 : size < 65539 ? 3 : 5;
		prodd_pack_str(b, whole);
		break;
	case WIRE_LIST:
	case WIRE_STRS:
		prodd_pack_array(b, size);
		for (uint32_t i = 0; i < size; i++)
			prodd_buffer_append(b, field->kind == WIRE_LIST ? "\x80" : "\xa0", 1);
		break;
	default:
		free(bytes);
		return false;
	}
	free(bytes);
	return true;
}

static void try_limit(const struct wire_record *type, const struct wire_field *field)
{
	prodd_auto_buffer most = { 0 }, over = { 0 };
	struct prodd_error e = { 0 };
	char expected[200];
	int r;

	if (!fill(&most, field, field->max))
		return;
	if (decode_one(type, field, prodd_buffer_slice(&most), &e) < 0 && !is_missing(&e))
		ck_abort_msg("%s.%s at its limit: %s", type->name, field->name, e.text);
	fill(&over, field, field->max + 1);
	r = decode_one(type, field, prodd_buffer_slice(&over), &e);
	snprintf(expected, sizeof expected, "%s.%s: %u ", type->name, field->name, field->max + 1);
	if (r != -PRODD_E_USAGE || strncmp(e.text, expected, strlen(expected)) != 0)
		ck_abort_msg("%s.%s over its limit: %d %s", type->name, field->name, r, e.text);
}

static void try_sending_over(const struct wire_record *type, const struct wire_field *field)
{
	char *record = fresh(type), *bytes = calloc(1, field->max + 1);
	prodd_auto_buffer b = { 0 };

	if (field->kind == WIRE_LIST || field->kind == WIRE_STRS)
		*(struct prodd_list *)(void *)(record + field->offset) =
			(struct prodd_list){ bytes, field->max + 1, field->max + 1 };
	else
		*(struct prodd_slice *)(void *)(record + field->offset) =
			(struct prodd_slice){ bytes, field->max + 1 };
	if (prodd_encode(&b, type, record) != -PRODD_E_TOO_LARGE)
		ck_abort_msg("%s.%s is sent over its limit", type->name, field->name);
	free(bytes);
	free(record);
}

START_TEST(limits_are_exact_in_both_directions)
{
	for (int i = 0; wire_records[i]; i++) {
		for (unsigned f = 0; f < wire_records[i]->count; f++) {
			const struct wire_field *field = &wire_records[i]->fields[f];

			try_limit(wire_records[i], field);
			if (field->kind != WIRE_BOOL && field->kind != WIRE_UINT && field->kind != WIRE_INT)
				try_sending_over(wire_records[i], field);
		}
	}
}
END_TEST

static void try_without(const struct wire_record *type, unsigned missing)
{
	prodd_auto_buffer b = { 0 };
	void *got = fresh(type);
	struct prodd_error e;
	char expected[200];

	prodd_pack_map(&b, type->count - 1);
	for (unsigned f = 0; f < type->count; f++) {
		if (f == missing)
			continue;
		prodd_pack_str(&b, prodd_slice(type->fields[f].name));
		if (!fill(&b, &type->fields[f], type->fields[f].kind == WIRE_VALUE ? 2 : 0))
			prodd_buffer_append(&b, type->fields[f].kind == WIRE_BOOL ? "\xc2" : "\0", 1);
	}
	snprintf(expected, sizeof expected, "%s.%s: missing, expected ", type->name,
		 type->fields[missing].name);
	if (!type->fields[missing].must)
		ck_assert_int_eq(decode_all(&b, type, got, &e), 0);
	else if (decode_all(&b, type, got, &e) != -PRODD_E_USAGE ||
		 strncmp(e.text, expected, strlen(expected)) != 0)
		ck_abort_msg("without %s.%s: %s", type->name, type->fields[missing].name, e.text);
	free(got);
}

START_TEST(what_must_be_there_is_missed_by_name)
{
	for (int i = 0; wire_records[i]; i++)
		for (unsigned f = 0; f < wire_records[i]->count; f++)
			try_without(wire_records[i], f);
}
END_TEST

static void try_twice(const struct wire_record *type, const struct wire_field *field)
{
	prodd_auto_buffer b = { 0 };
	void *got = fresh(type);
	struct prodd_error e;

	prodd_pack_map(&b, 2);
	prodd_pack_str(&b, prodd_slice(field->name));
	if (!fill(&b, field, field->kind == WIRE_VALUE ? 2 : 0))
		prodd_buffer_append(&b, field->kind == WIRE_BOOL ? "\xc2" : "\0", 1);
	prodd_pack_str(&b, prodd_slice(field->name));
	prodd_pack_nil(&b);
	if (decode_all(&b, type, got, &e) != -PRODD_E_USAGE || !strstr(e.text, ": comes twice"))
		ck_abort_msg("%s.%s twice: %s", type->name, field->name, e.text);
	free(got);
}

START_TEST(a_key_that_comes_twice_is_refused)
{
	for (int i = 0; wire_records[i]; i++)
		for (unsigned f = 0; f < wire_records[i]->count; f++)
			try_twice(wire_records[i], &wire_records[i]->fields[f]);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("codec");
	TCase *tc = tcase_create("codec");

	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, every_record_round_trips);
	tcase_add_test(tc, keys_come_in_any_order_and_unknown_ones_are_skipped);
	tcase_add_test(tc, what_may_be_absent_and_is_empty_is_not_sent);
	tcase_add_test(tc, a_whole_encoding_fails_with_its_buffer);
	tcase_add_test(tc, another_type_is_refused_by_name);
	tcase_add_test(tc, limits_are_exact_in_both_directions);
	tcase_add_test(tc, what_must_be_there_is_missed_by_name);
	tcase_add_test(tc, a_key_that_comes_twice_is_refused);
	suite_add_tcase(s, tc);
	return suite_run(s);
}
