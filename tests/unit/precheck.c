/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The pre-check: byte bombs by name, limits to the value, and the property
 * that it never passes what msgpack-c or the cursor refuse, nor refuses what
 * they take and the limits allow.
 */
#include "proto/check.h"

#include <msgpack.h>

#include "proto/buffer.h"
#include "proto/cursor.h"
#include "proto/limits.h"
#include "tests/unit/suite.h"

static int verdict(const void *bytes, size_t size, struct prodd_error *e)
{
	e->code = 0;
	return prodd_check((struct prodd_slice){ bytes, size }, &prodd_check_received, e);
}

/* ---- by name */

static const struct {
	const char *name;
	const char *bytes;
	size_t size;
	int code;
	const char *text;
} cases[] = {
#define CASE(name, literal, code, text) { name, literal, sizeof literal - 1, code, text }
	CASE("nothing", "", PRODD_E_PROTOCOL, "byte 0: the value is cut short"),
	CASE("two GiB in five bytes", "\xdd\x04\0\0\0", PRODD_E_PROTOCOL,
	     "byte 5: a container announces 67108864 values, but 0 bytes are left"),
	CASE("the widest array", "\xdd\xff\xff\xff\xff\xc0", PRODD_E_PROTOCOL,
		"byte 5: a container announces 4294967295"),
	CASE("the widest map", "\xdf\xff\xff\xff\xff\xc0", PRODD_E_PROTOCOL,
		"byte 5: a container announces 8589934590"),
	CASE("a map whose values are missing", "\x82\xa1" "a\x01\xa1" "b", PRODD_E_PROTOCOL,
		"byte 6: the value is cut short"),
	CASE("a map of half as many bytes", "\xde\0\x03\xc0\xc0\xc0\xc0\xc0", PRODD_E_PROTOCOL,
	     "byte 3: a container announces 6 values, but 5 bytes are left"),
	CASE("an array short of one", "\x93\xc0\xc0", PRODD_E_PROTOCOL,
		"byte 1: a container announces 3 values, but 2"),
	CASE("an inner array that eats the outer", "\x92\x92\xc0\xc0", PRODD_E_PROTOCOL,
		"byte 4: the value is cut short"),
	CASE("the longest string", "\xdb\xff\xff\xff\xff", PRODD_E_PROTOCOL,
		"byte 5: 4294967295 bytes announced, but 0 are left"),
	CASE("the longest bytes", "\xc6\xff\xff\xff\xff" "abc", PRODD_E_PROTOCOL,
		"byte 5: 4294967295 bytes announced, but 3"),
	CASE("a head cut short", "\xcf\0\0\0", PRODD_E_PROTOCOL, "byte 0: the head of a value is cut short"),
	CASE("a count cut short", "\xdd\0\0\0", PRODD_E_PROTOCOL, "byte 0: the head of a value is cut short"),
	CASE("the unused code", "\x91\xc1", PRODD_E_PROTOCOL, "byte 1: the unused code (c1) is not allowed"),
	CASE("fixext 1", "\xd4\0\0", PRODD_E_PROTOCOL, "byte 0: an extension type (d4) is not allowed"),
	CASE("fixext 16", "\xd8\0" "0123456789abcdef", PRODD_E_PROTOCOL, "byte 0: an extension type (d8)"),
	CASE("a timestamp", "\xd6\xff\0\0\0\0", PRODD_E_PROTOCOL, "byte 0: an extension type (d6)"),
	CASE("ext 32 of 4 GiB", "\xc9\xff\xff\xff\xff\0", PRODD_E_PROTOCOL, "byte 0: an extension type (c9)"),
	CASE("a byte too many", "\xc0\xc0", PRODD_E_PROTOCOL, "byte 1: 1 bytes follow the value"),
#undef CASE
};

START_TEST(byte_bombs_are_named)
{
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct prodd_error e;

		ck_assert_msg(verdict(cases[i].bytes, cases[i].size, &e) == -cases[i].code, "%s",
			      cases[i].name);
		ck_assert_int_eq(e.code, cases[i].code);
		ck_assert_msg(strncmp(e.text, cases[i].text, strlen(cases[i].text)) == 0, "%s: %s",
			      cases[i].name, e.text);
		ck_assert_int_eq(prodd_check((struct prodd_slice){ cases[i].bytes, cases[i].size },
					     &prodd_check_received, NULL), -cases[i].code);
	}
}
END_TEST

START_TEST(nesting_has_an_exact_limit)
{
	enum { levels = 200000 };
	unsigned char *deep = malloc(levels);
	static const unsigned char forms[] = { 0x91, 0x81 };
	struct prodd_error e;

	for (int form = 0; form < 2; form++) {
		size_t step = form ? 2 : 1;	/* a map also needs keys */

		for (size_t i = 0; i < levels; i++)
			deep[i] = form && i % 2 ? 0xc0 : forms[form];
		deep[PRODD_DEPTH_MAX * step] = 0xc0;
		ck_assert_int_eq(verdict(deep, PRODD_DEPTH_MAX * step + 1, &e), 0);
		deep[PRODD_DEPTH_MAX * step] = forms[form];
		deep[(PRODD_DEPTH_MAX + 1) * step] = 0xc0;
		ck_assert_int_eq(verdict(deep, (PRODD_DEPTH_MAX + 1) * step + 1, &e), -PRODD_E_TOO_LARGE);
		ck_assert_ptr_nonnull(strstr(e.text, "nested deeper than 16"));
		deep[(PRODD_DEPTH_MAX + 1) * step] = forms[form];
		ck_assert_int_eq(verdict(deep, levels, &e), -PRODD_E_TOO_LARGE);
	}
	free(deep);
}
END_TEST

/* An empty container is one level too. */
START_TEST(empty_containers_count_as_a_level)
{
	unsigned char deep[PRODD_DEPTH_MAX + 1];
	struct prodd_error e;

	memset(deep, 0x91, sizeof deep);
	deep[PRODD_DEPTH_MAX - 1] = 0x90;
	ck_assert_int_eq(verdict(deep, PRODD_DEPTH_MAX, &e), 0);
	deep[PRODD_DEPTH_MAX - 1] = 0x91;
	deep[PRODD_DEPTH_MAX] = 0x90;
	ck_assert_int_eq(verdict(deep, PRODD_DEPTH_MAX + 1, &e), -PRODD_E_TOO_LARGE);
}
END_TEST

START_TEST(limits_of_the_caller_are_capped_at_what_the_stack_holds)
{
	static const struct prodd_check_limits generous = { .depth = 1000000, .nodes = UINT32_MAX };
	unsigned char deep[64];

	memset(deep, 0x91, sizeof deep);
	deep[32] = 0xc0;
	ck_assert_int_eq(prodd_check((struct prodd_slice){ (char *)deep, 33 }, &generous, NULL), 0);
	deep[32] = 0x91;
	deep[33] = 0xc0;
	ck_assert_int_eq(prodd_check((struct prodd_slice){ (char *)deep, 34 }, &generous, NULL),
			 -PRODD_E_TOO_LARGE);
}
END_TEST

static void array_of(struct prodd_buffer *b, uint32_t count, char element)
{
	prodd_buffer_reset(b);
	prodd_pack_array(b, count);
	memset(prodd_buffer_extend(b, count), element, count);
}

START_TEST(values_have_an_exact_limit)
{
	prodd_auto_buffer b = { 0 };
	struct prodd_error e;

	array_of(&b, PRODD_NODES_MAX - 1, '\xc0');
	ck_assert_int_eq(verdict(b.at, b.size, &e), 0);
	array_of(&b, PRODD_NODES_MAX, '\xc0');
	ck_assert_int_eq(verdict(b.at, b.size, &e), -PRODD_E_TOO_LARGE);
	ck_assert_ptr_nonnull(strstr(e.text, "more values than allowed"));
	ck_assert_int_eq(prodd_check(prodd_buffer_slice(&b), &prodd_check_reply, &e), 0);
	array_of(&b, PRODD_REPLY_NODES_MAX - 1, '\x90');
	ck_assert_int_eq(prodd_check(prodd_buffer_slice(&b), &prodd_check_reply, &e), 0);
	array_of(&b, 1 << 20, '\x90');	/* became 27 MB of objects elsewhere */
	ck_assert_int_eq(prodd_check(prodd_buffer_slice(&b), &prodd_check_reply, &e), -PRODD_E_TOO_LARGE);
}
END_TEST

/* ---- by property */

/* A container's count or a string's length, not always in the shortest form. */
static void put_head(struct dice *d, struct prodd_buffer *b, unsigned char fix, uint32_t fix_max,
		     unsigned char code, uint32_t number)
{
	unsigned width = code >= 0xdc ? 2 : 1;
	unsigned char head[5] = { fix | (unsigned char)number };

	if (number <= fix_max && fix && dice_below(d, 4)) {
		prodd_buffer_append(b, head, 1);
		return;
	}
	head[0] = code;
	while (width < 4 && (dice_below(d, 3) == 0 || number >> (8 * width))) {
		width *= 2;
		head[0]++;
	}
	for (unsigned i = 0; i < width; i++)
		head[1 + i] = (unsigned char)(number >> 8 * (width - 1 - i));
	prodd_buffer_append(b, head, 1 + width);
}

static void put_bytes(struct dice *d, struct prodd_buffer *b)
{
	uint32_t size = dice_below(d, dice_below(d, 50) ? 12 : 400);
	bool text = dice_below(d, 3);

	put_head(d, b, text ? 0xa0 : 0, 31, text ? 0xd9 : 0xc4, size);
	while (size-- > 0)
		prodd_buffer_append(b, &(char){ (char)dice_next(d) }, 1);
}

static void put_number(struct dice *d, struct prodd_buffer *b)
{
	static const unsigned char codes[] = { 0xca, 0xcb, 0xcc, 0xcd, 0xce, 0xcf, 0xd0, 0xd1, 0xd2, 0xd3 };
	static const unsigned char widths[] = { 4, 8, 1, 2, 4, 8, 1, 2, 4, 8 };
	uint32_t which = dice_below(d, sizeof codes);
	uint64_t number = dice_next(d);

	prodd_buffer_append(b, &codes[which], 1);
	prodd_buffer_append(b, &number, widths[which]);
}

/* A whole value. Returns how many values it is, containers included. */
static uint32_t put_value(struct dice *d, struct prodd_buffer *b, unsigned depth)
{
	static const unsigned char small[] = { 0xc0, 0xc2, 0xc3, 0x00, 0x7f, 0xff, 0xe0 };
	uint32_t kind = dice_below(d, depth ? 10 : 6);
	uint32_t count = dice_below(d, 6), nodes = 1;

	if (kind < 2)
		prodd_buffer_append(b, &small[dice_below(d, sizeof small)], 1);
	else if (kind < 4)
		put_bytes(d, b);
	else if (kind < 6)
		put_number(d, b);
	else if (kind < 8)
		put_head(d, b, 0x90, 15, 0xdc, count);
	else
		put_head(d, b, 0x80, 15, 0xde, count);
	for (uint32_t i = 0; kind >= 6 && i < (kind < 8 ? count : 2 * count); i++)
		nodes += put_value(d, b, depth - 1);
	return nodes;
}

static void mutate(struct dice *d, struct prodd_buffer *b)
{
	static const unsigned char telling[] = { 0xc1, 0xc7, 0xd4, 0xdd, 0xdf, 0xdb,
						 0xc6, 0x9f, 0x8f, 0xff, 0x00, 0xdc };
	size_t at = b->size ? dice_below(d, (uint32_t)b->size) : 0;

	if (b->size == 0)
		return;
	switch (dice_below(d, 5)) {
	case 0:
		b->at[at] ^= (char)(1 << dice_below(d, 8));
		break;
	case 1:
		b->at[at] = (char)telling[dice_below(d, sizeof telling)];
		break;
	case 2:
		b->size = at;
		break;
	case 3:
		memmove(b->at + at, b->at + at + 1, b->size - at - 1);
		b->size--;
		break;
	default:
		if (!prodd_buffer_extend(b, 1))
			break;
		memmove(b->at + at + 1, b->at + at, b->size - at - 1);
		b->at[at] = (char)dice_next(d);
	}
}

/* Takes every value by its own taker. */
static bool walks_whole(struct prodd_slice bytes)
{
	struct prodd_cursor c = prodd_cursor(bytes);
	struct prodd_slice s;
	uint64_t wanted = 1;
	uint32_t count;
	double real;
	bool flag;

	for (; wanted > 0; wanted--) {
		count = 0;
		if (prodd_cursor_map(&c, &count))
			wanted += 2 * (uint64_t)count;
		else if (prodd_cursor_array(&c, &count))
			wanted += count;
		else if (!prodd_cursor_nil(&c) && !prodd_cursor_bool(&c, &flag) &&
			 !prodd_cursor_float(&c, &real) && !prodd_cursor_str(&c, &s) &&
			 !prodd_cursor_bin(&c, &s))
			return false;
	}
	return c.at == c.end;
}

static bool msgpack_takes_whole(struct prodd_slice bytes, msgpack_unpacked *result)
{
	size_t used = 0;
	msgpack_unpack_return r = msgpack_unpack_next(result, bytes.at, bytes.size, &used);

	return r == MSGPACK_UNPACK_SUCCESS && used == bytes.size;
}

static const struct prodd_check_limits wide = { .depth = 32, .nodes = 100000 };

START_TEST(what_it_passes_every_reader_takes_whole)
{
	struct dice d = dice_start("precheck");
	prodd_auto_buffer b = { 0 };
	msgpack_unpacked result;
	uint32_t passed = 0;
	enum { rounds = 200000 };

	msgpack_unpacked_init(&result);
	for (int i = 0; i < rounds; i++) {
		struct prodd_slice skipped;
		struct prodd_cursor c;

		prodd_buffer_reset(&b);
		put_value(&d, &b, dice_below(&d, 5));
		for (uint32_t n = dice_below(&d, 4); n > 0; n--)
			mutate(&d, &b);
		if (prodd_check(prodd_buffer_slice(&b), &wide, NULL) < 0)
			continue;
		passed++;
		c = prodd_cursor(prodd_buffer_slice(&b));
		if (!walks_whole(prodd_buffer_slice(&b)) || !prodd_cursor_skip(&c, &skipped) ||
		    skipped.size != b.size)
			ck_abort_msg("round %d: the cursor refuses", i);
		if (!msgpack_takes_whole(prodd_buffer_slice(&b), &result))
			ck_abort_msg("round %d: msgpack-c refuses", i);
	}
	msgpack_unpacked_destroy(&result);
	ck_assert_uint_gt(passed, rounds / 4);
	ck_assert_uint_lt(passed, rounds - rounds / 4);
}
END_TEST

START_TEST(random_bytes_never_pass_what_msgpack_refuses)
{
	struct dice d = dice_start("precheck random");
	msgpack_unpacked result;

	msgpack_unpacked_init(&result);
	for (int i = 0; i < 200000; i++) {
		char bytes[24];
		size_t size = dice_below(&d, sizeof bytes);

		for (size_t k = 0; k < size; k++)
			bytes[k] = (char)(dice_next(&d) >> 7);
		if (prodd_check((struct prodd_slice){ bytes, size }, &wide, NULL) == 0 &&
		    (!msgpack_takes_whole((struct prodd_slice){ bytes, size }, &result) ||
		     !walks_whole((struct prodd_slice){ bytes, size })))
			ck_abort_msg("round %d", i);
	}
	msgpack_unpacked_destroy(&result);
}
END_TEST

START_TEST(whole_values_pass_and_their_count_is_exact)
{
	struct dice d = dice_start("precheck counts");
	prodd_auto_buffer b = { 0 };

	for (int i = 0; i < 20000; i++) {
		struct prodd_check_limits exact = { .depth = 8 };
		struct prodd_error e;

		prodd_buffer_reset(&b);
		exact.nodes = put_value(&d, &b, 5);
		if (prodd_check(prodd_buffer_slice(&b), &exact, &e) < 0)
			ck_abort_msg("round %d: %s", i, e.text);
		exact.nodes--;
		if (prodd_check(prodd_buffer_slice(&b), &exact, &e) != -PRODD_E_TOO_LARGE)
			ck_abort_msg("round %d: one value less was not noticed", i);
		if (prodd_check((struct prodd_slice){ b.at, b.size - 1 }, &wide, &e) != -PRODD_E_PROTOCOL)
			ck_abort_msg("round %d: one byte less was not noticed", i);
	}
}
END_TEST

int main(void)
{
	Suite *s = suite_create("precheck");
	TCase *tc = tcase_create("precheck");

	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, byte_bombs_are_named);
	tcase_add_test(tc, nesting_has_an_exact_limit);
	tcase_add_test(tc, empty_containers_count_as_a_level);
	tcase_add_test(tc, limits_of_the_caller_are_capped_at_what_the_stack_holds);
	tcase_add_test(tc, values_have_an_exact_limit);
	tcase_add_test(tc, what_it_passes_every_reader_takes_whole);
	tcase_add_test(tc, random_bytes_never_pass_what_msgpack_refuses);
	tcase_add_test(tc, whole_values_pass_and_their_count_is_exact);
	suite_add_tcase(s, tc);
	return suite_run(s);
}
