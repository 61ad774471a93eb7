/* SPDX-License-Identifier: Apache-2.0 */
/* The cursor: every form of every value, every cut of it, and msgpack-c as a second opinion. */
#include "proto/cursor.h"

#include <msgpack.h>

#include "proto/head.h"
#include "tests/unit/suite.h"

static struct prodd_cursor over(const void *bytes, size_t size)
{
	return prodd_cursor((struct prodd_slice){ bytes, size });
}

/* Every taker of another kind must refuse and leave the cursor alone. */
static void only_kind_takes(struct prodd_cursor c, enum prodd_kind kind)
{
	const unsigned char *at = c.at;
	struct prodd_slice bytes = { 0 };
	uint32_t count = 0;
	bool flag = false;
	double real = 0;
	int64_t number = 0;
	uint64_t natural = 0;

	ck_assert_int_eq(prodd_cursor_kind(&c), kind);
	ck_assert(kind == PRODD_KIND_NIL || !prodd_cursor_nil(&c));
	ck_assert(kind == PRODD_KIND_BOOL || !prodd_cursor_bool(&c, &flag));
	ck_assert(kind == PRODD_KIND_INT || !prodd_cursor_int(&c, &number));
	ck_assert(kind == PRODD_KIND_INT || !prodd_cursor_uint(&c, &natural));
	ck_assert(kind == PRODD_KIND_INT || kind == PRODD_KIND_FLOAT || !prodd_cursor_float(&c, &real));
	ck_assert(kind == PRODD_KIND_STR || !prodd_cursor_str(&c, &bytes));
	ck_assert(kind == PRODD_KIND_BIN || !prodd_cursor_bin(&c, &bytes));
	ck_assert(kind == PRODD_KIND_ARRAY || !prodd_cursor_array(&c, &count));
	ck_assert(kind == PRODD_KIND_MAP || !prodd_cursor_map(&c, &count));
	ck_assert_ptr_eq(c.at, at);
	ck_assert(!flag && real == 0 && number == 0 && natural == 0 && !bytes.at && !bytes.size && !count);
}

static void same_integer(struct prodd_cursor c, const msgpack_object *o)
{
	struct prodd_cursor again = c, real = c;
	int64_t number = 0;
	uint64_t natural = 0;
	double approximate = 0;

	if (o->type == MSGPACK_OBJECT_NEGATIVE_INTEGER) {
		ck_assert(prodd_cursor_int(&c, &number) && number == o->via.i64);
		ck_assert(!prodd_cursor_uint(&again, &natural));
		ck_assert(prodd_cursor_float(&real, &approximate) && approximate == (double)o->via.i64);
		return;
	}
	ck_assert(prodd_cursor_uint(&again, &natural) && natural == o->via.u64);
	ck_assert(prodd_cursor_int(&c, &number) == (o->via.u64 <= INT64_MAX));
	ck_assert(o->via.u64 > INT64_MAX || (uint64_t)number == o->via.u64);
	ck_assert(prodd_cursor_float(&real, &approximate) && approximate == (double)o->via.u64);
}

static void same_bytes(bool taken, struct prodd_slice got, const char *at, size_t size)
{
	ck_assert(taken);
	ck_assert(got.size == size && (size == 0 || got.at == at));
}

/* One value of at most `size` bytes: the cursor and msgpack-c must say the same. */
static void same_as_msgpack(const unsigned char *bytes, size_t size)
{
	struct prodd_cursor c = over(bytes, size);
	struct prodd_slice slice = { 0 };
	msgpack_unpacked result;
	msgpack_object *o = &result.data;
	uint32_t count = 0;
	bool flag;
	double real;

	msgpack_unpacked_init(&result);
	ck_assert_int_eq(msgpack_unpack_next(&result, (const char *)bytes, size, NULL),
			 MSGPACK_UNPACK_SUCCESS);
	switch (o->type) {
	case MSGPACK_OBJECT_NIL:
		only_kind_takes(c, PRODD_KIND_NIL);
		ck_assert(prodd_cursor_nil(&c));
		break;
	case MSGPACK_OBJECT_BOOLEAN:
		only_kind_takes(c, PRODD_KIND_BOOL);
		ck_assert(prodd_cursor_bool(&c, &flag) && flag == o->via.boolean);
		break;
	case MSGPACK_OBJECT_POSITIVE_INTEGER:
	case MSGPACK_OBJECT_NEGATIVE_INTEGER:
		only_kind_takes(c, PRODD_KIND_INT);
		same_integer(c, o);
		break;
	case MSGPACK_OBJECT_FLOAT32:
	case MSGPACK_OBJECT_FLOAT64:
		only_kind_takes(c, PRODD_KIND_FLOAT);
		ck_assert(prodd_cursor_float(&c, &real));
		ck_assert(memcmp(&real, &o->via.f64, sizeof real) == 0 || real != real);
		break;
	case MSGPACK_OBJECT_STR:
		only_kind_takes(c, PRODD_KIND_STR);
		same_bytes(prodd_cursor_str(&c, &slice), slice, o->via.str.ptr, o->via.str.size);
		break;
	case MSGPACK_OBJECT_BIN:
		only_kind_takes(c, PRODD_KIND_BIN);
		same_bytes(prodd_cursor_bin(&c, &slice), slice, o->via.bin.ptr, o->via.bin.size);
		break;
	case MSGPACK_OBJECT_ARRAY:
		only_kind_takes(c, PRODD_KIND_ARRAY);
		ck_assert(prodd_cursor_array(&c, &count) && count == o->via.array.size);
		break;
	case MSGPACK_OBJECT_MAP:
		only_kind_takes(c, PRODD_KIND_MAP);
		ck_assert(prodd_cursor_map(&c, &count) && count == o->via.map.size);
		break;
	default:
		ck_assert_int_eq(prodd_cursor_kind(&c), PRODD_KIND_END);
	}
	msgpack_unpacked_destroy(&result);
}

/* Bytes of a number or length after the codes c0 to df; counts of children are kept small. */
static unsigned width_of(unsigned code)
{
	static const unsigned char widths[] = {
		0, 0, 0, 0, 1, 2, 4, 0, 0, 0, 4, 8, 1, 2, 4, 8,
		1, 2, 4, 8, 0, 0, 0, 0, 0, 1, 2, 4, 2, 4, 2, 4,
	};

	return code >= 0xc0 && code <= 0xdf ? widths[code - 0xc0] : 0;
}

static bool has_length(unsigned code)
{
	return (code >= 0xc4 && code <= 0xc6) || (code >= 0xd9 && code <= 0xdf);
}

static void try_code(struct dice *d, unsigned code)
{
	for (int round = 0; round < 20; round++) {
		unsigned char bytes[600] = { (unsigned char)code };
		unsigned width = width_of(code);

		for (unsigned i = 1; i <= width; i++)
			bytes[i] = (unsigned char)(round == 0 ? 0 : round == 1 ? 0xff : dice_next(d));
		if (has_length(code)) {
			memset(bytes + 1, 0, width);
			bytes[width] = (unsigned char)(round == 1 ? 0xff : dice_next(d));
		}
		same_as_msgpack(bytes, sizeof bytes);
	}
}

START_TEST(every_first_byte_means_what_msgpack_says)
{
	struct dice d = dice_start("cursor");

	for (unsigned code = 0; code < 256; code++) {
		unsigned char bytes[600] = { (unsigned char)code };

		if (prodd_head_allowed((unsigned char)code))
			try_code(&d, code);
		else
			only_kind_takes(over(bytes, sizeof bytes), PRODD_KIND_END);
	}
}
END_TEST

/* `size` bytes of a value with this first byte are not enough for it. */
static void refuse_cut(const unsigned char *bytes, size_t size)
{
	unsigned char *exact = malloc(size ? size : 1);	/* so that a sanitizer sees a byte too many */
	struct prodd_cursor c;
	struct prodd_slice s;
	int64_t number;

	memcpy(exact, bytes, size);
	c = over(exact, size);
	ck_assert(!prodd_cursor_skip(&c, NULL));
	if (size <= width_of(bytes[0]))
		only_kind_takes(c, PRODD_KIND_END);
	ck_assert(!prodd_cursor_str(&c, &s) && !prodd_cursor_bin(&c, &s) && !prodd_cursor_int(&c, &number));
	ck_assert_ptr_eq(c.at, exact);
	free(exact);
}

START_TEST(a_value_cut_short_is_no_value)
{
	for (unsigned code = 0; code < 256; code++) {
		unsigned char bytes[40] = { (unsigned char)code };
		struct prodd_cursor whole = over(bytes, sizeof bytes);
		struct prodd_slice taken;

		if (has_length(code))
			bytes[width_of(code)] = 3;
		ck_assert(prodd_cursor_skip(&whole, &taken) == prodd_head_allowed((unsigned char)code));
		for (size_t size = 0; whole.at != bytes && size < taken.size; size++)
			refuse_cut(bytes, size);
	}
}
END_TEST

START_TEST(counts_beyond_the_bytes_left_are_refused)
{
	static const unsigned char bombs[][8] = {
		{ 0xdd, 4, 0, 0, 0 },
		{ 0xdc, 0xff, 0xff, 0 },
		{ 0xdf, 0xff, 0xff, 0xff, 0xff },
		{ 0xde, 0, 3, 0, 0 },
		{ 0x9f, 0, 0 },
		{ 0x84, 0, 0, 0, 0, 0, 0, 0 },
		{ 0xc6, 0xff, 0xff, 0xff, 0xff },
		{ 0xdb, 0x80, 0, 0, 0 },
	};

	for (size_t i = 0; i < sizeof bombs / sizeof *bombs; i++) {
		struct prodd_cursor c = over(bombs[i], sizeof *bombs);
		struct prodd_slice s;
		uint32_t count;

		ck_assert(!prodd_cursor_skip(&c, NULL));
		ck_assert(!prodd_cursor_array(&c, &count) && !prodd_cursor_map(&c, &count));
		ck_assert(!prodd_cursor_bin(&c, &s) && !prodd_cursor_str(&c, &s));
		ck_assert_ptr_eq(c.at, bombs[i]);
	}
}
END_TEST

START_TEST(skipping_needs_no_stack)
{
	enum { levels = 1 << 20 };
	unsigned char *deep = malloc(levels + 1);
	struct prodd_cursor c = over(deep, levels + 1);
	struct prodd_slice taken;

	memset(deep, 0x91, levels);
	deep[levels] = 0xc0;
	ck_assert(prodd_cursor_skip(&c, &taken));
	ck_assert_uint_eq(taken.size, levels + 1);
	c = over(deep, levels);
	ck_assert(!prodd_cursor_skip(&c, NULL));
	free(deep);
}
END_TEST

START_TEST(an_empty_slice_is_the_end)
{
	struct prodd_cursor c = prodd_cursor((struct prodd_slice){ NULL, 0 });

	only_kind_takes(c, PRODD_KIND_END);
	ck_assert(!prodd_cursor_skip(&c, NULL));
}
END_TEST

START_TEST(text_is_utf8_without_nul)
{
	static const char *const good[] = {
		"",
		"plain",
		"\xc2\x80",
		"\xdf\xbf",
		"\xe0\xa0\x80",
		"\xed\x9f\xbf",
		"\xee\x80\x80",
		"\xef\xbf\xbf",
		"\xf0\x90\x80\x80",
		"\xf4\x8f\xbf\xbf",
		"a\xc3\xa4\xe2\x82\xac\xf0\x9f\x90\xa7z",
	};
	static const char *const bad[] = {
		"\x80",
		"\xbf",
		"\xc0\x80",
		"\xc1\xbf",
		"\xc2",
		"\xc2z",
		"\xe0\x9f\xbf",
		"\xe2\x82",
		"\xe2\x82z",
		"\xed\xa0\x80",
		"\xed\xbf\xbf",
		"\xf0\x8f\xbf\xbf",
		"\xf0\x9f\x90",
		"\xf4\x90\x80\x80",
		"\xf5\x80\x80\x80",
		"\xfe",
		"\xff",
		"fine\xff",
	};

	for (size_t i = 0; i < sizeof good / sizeof *good; i++)
		ck_assert_msg(prodd_is_text(prodd_slice(good[i])), "good %zu", i);
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		ck_assert_msg(!prodd_is_text(prodd_slice(bad[i])), "bad %zu", i);
	ck_assert(!prodd_is_text((struct prodd_slice){ "a\0b", 3 }));
	ck_assert(!prodd_is_text((struct prodd_slice){ "", 1 }));
}
END_TEST

START_TEST(text_is_cut_between_characters)
{
	struct prodd_slice text = prodd_slice("a\xc3\xa4\xe2\x82\xac\xf0\x9f\x90\xa7z");
	static const size_t lengths[] = { 0, 1, 1, 3, 3, 3, 6, 6, 6, 6, 10, 11, 11 };

	for (size_t max = 0; max < sizeof lengths / sizeof *lengths; max++) {
		struct prodd_slice cut = prodd_text_cut(text, max);

		ck_assert_uint_eq(cut.size, lengths[max]);
		ck_assert(prodd_is_text(cut));
	}
}
END_TEST

int main(void)
{
	Suite *s = suite_create("cursor");
	TCase *tc = tcase_create("cursor");

	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, every_first_byte_means_what_msgpack_says);
	tcase_add_test(tc, a_value_cut_short_is_no_value);
	tcase_add_test(tc, counts_beyond_the_bytes_left_are_refused);
	tcase_add_test(tc, skipping_needs_no_stack);
	tcase_add_test(tc, an_empty_slice_is_the_end);
	tcase_add_test(tc, text_is_utf8_without_nul);
	tcase_add_test(tc, text_is_cut_between_characters);
	suite_add_tcase(s, tc);
	return suite_run(s);
}
