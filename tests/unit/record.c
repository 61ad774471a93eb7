/* SPDX-License-Identifier: Apache-2.0 */
/* Records and origins: what is let through, and that nothing else is, at every cut and with every part replaced. */
#include "proto/shm/record.h"

#include "tests/unit/suite.h"

static struct prodd_slice text(const char *s)
{
	return prodd_slice(s);
}

static struct prodd_slice zeroes(size_t size)
{
	static const char bytes[2 * RECORD_NAME_MAX];

	return (struct prodd_slice){ bytes, size };
}

/* Parts of a record; each test replaces one. */
struct parts {
	uint32_t count;
	void (*level)(struct prodd_buffer *b);
	struct prodd_slice target, message, thread, source, trace, span, key;
	void (*value)(struct prodd_buffer *b);
	unsigned fields;
};

static void level_warn(struct prodd_buffer *b)
{
	prodd_pack_uint(b, RECORD_WARN);
}

static void value_int(struct prodd_buffer *b)
{
	prodd_pack_int(b, -42);
}

static struct parts usual(void)
{
	return (struct parts){ .count = 10, .level = level_warn, .target = text("db.pool"), .message = text("m"),
			       .thread = text("worker-3"), .source = text("orders.c:88"), .trace = zeroes(16),
			       .span = zeroes(8), .key = text("k"), .value = value_int, .fields = 1 };
}

static void or_nil(struct prodd_buffer *b, struct prodd_slice s, void (*pack)(struct prodd_buffer *, struct prodd_slice))
{
	if (s.size > 0)
		pack(b, s);
	else
		prodd_pack_nil(b);
}

static void pack(struct prodd_buffer *b, const struct parts *p)
{
	prodd_pack_array(b, p->count);
	prodd_pack_uint(b, UINT64_C(1795000000123456789));
	p->level(b);
	prodd_pack_str(b, p->target);
	prodd_pack_str(b, p->message);
	or_nil(b, p->thread, prodd_pack_str);
	or_nil(b, p->source, prodd_pack_str);
	or_nil(b, p->trace, prodd_pack_bin);
	or_nil(b, p->span, prodd_pack_bin);
	for (unsigned i = 0; i < p->fields; i++) {
		prodd_pack_str(b, p->key);
		p->value(b);
	}
}

/* NULL: it is a record. */
static const char *wrong_in(const struct parts *p)
{
	prodd_auto_buffer b = { 0 };
	struct record r;
	const char *why;

	pack(&b, p);
	ck_assert_int_eq(b.failed, 0);
	return record_open(prodd_buffer_slice(&b), &r, &why) ? NULL : why;
}

START_TEST(a_record_is_read)
{
	struct parts p = usual();
	prodd_auto_buffer b = { 0 };
	struct record r;
	const char *why = "";
	struct prodd_cursor c;
	struct prodd_slice key;
	int64_t value;

	pack(&b, &p);
	ck_assert(record_open(prodd_buffer_slice(&b), &r, &why));
	ck_assert_ptr_null(why);
	ck_assert(r.time_ns == UINT64_C(1795000000123456789));
	ck_assert_int_eq(r.level, RECORD_WARN);
	ck_assert(prodd_slice_is(r.target, "db.pool") && prodd_slice_is(r.message, "m"));
	ck_assert(prodd_slice_is(r.thread, "worker-3") && prodd_slice_is(r.source, "orders.c:88"));
	ck_assert(r.trace.size == 16 && r.span.size == 8);
	ck_assert_uint_eq(r.field_count, 1);
	c = prodd_cursor(r.fields);
	ck_assert(prodd_cursor_str(&c, &key) && prodd_slice_is(key, "k"));
	ck_assert(prodd_cursor_int(&c, &value) && value == -42 && c.at == c.end);
}
END_TEST

START_TEST(what_may_be_absent_is_empty)
{
	struct parts p = usual();
	prodd_auto_buffer b = { 0 };
	struct record r;

	p.thread = p.source = p.trace = p.span = text("");
	p.count = 8;
	p.fields = 0;
	pack(&b, &p);
	ck_assert(record_open(prodd_buffer_slice(&b), &r, NULL));
	ck_assert(!r.thread.size && !r.source.size && !r.trace.size && !r.span.size && !r.fields.size);
	ck_assert_uint_eq(r.field_count, 0);
}
END_TEST

START_TEST(every_cut_and_every_byte_behind_is_refused)
{
	struct parts p = usual();
	prodd_auto_buffer b = { 0 };
	struct record r;

	pack(&b, &p);
	for (size_t size = 0; size < b.size; size++) {
		char *exact = malloc(size ? size : 1);
		const char *why;

		memcpy(exact, b.at, size);
		ck_assert(!record_open((struct prodd_slice){ exact, size }, &r, &why));
		ck_assert_ptr_nonnull(why);
		free(exact);
	}
	prodd_pack_nil(&b);
	ck_assert(!record_open(prodd_buffer_slice(&b), &r, NULL));
}
END_TEST

static void level_off(struct prodd_buffer *b)
{
	prodd_pack_uint(b, RECORD_OFF);
}

static void value_list(struct prodd_buffer *b)
{
	prodd_pack_array(b, 0);
}

static void value_map(struct prodd_buffer *b)
{
	prodd_pack_map(b, 0);
}

static void value_none(struct prodd_buffer *b)
{
	(void)b;
}

#define REPLACED(member, with, part) \
	do { \
		struct parts p_ = usual(); \
		p_.member = (with); \
		ck_assert_pstr_eq(wrong_in(&p_), part); \
	} while (0)

START_TEST(a_part_that_does_not_fit_is_named)
{
	REPLACED(count, 7, "no array of eight values and fields");
	REPLACED(count, 9, "no array of eight values and fields");
	REPLACED(level, level_off, "level");
	REPLACED(level, value_int, "level");
	REPLACED(target, zeroes(RECORD_NAME_MAX + 1), "target");
	REPLACED(target, zeroes(RECORD_NAME_MAX), NULL);
	REPLACED(thread, zeroes(RECORD_NAME_MAX + 1), "thread");
	REPLACED(source, zeroes(RECORD_NAME_MAX + 1), "source");
	REPLACED(trace, zeroes(15), "trace");
	REPLACED(span, zeroes(16), "span");
	REPLACED(key, text(""), "fields");
	REPLACED(key, zeroes(RECORD_KEY_MAX + 1), "fields");
	REPLACED(key, zeroes(RECORD_KEY_MAX), NULL);
	REPLACED(value, value_list, "fields");
	REPLACED(value, value_map, "fields");
	REPLACED(value, value_none, "fields");
	REPLACED(count, 8, "bytes behind the record");
}
END_TEST

START_TEST(fields_have_a_limit)
{
	struct parts p = usual();

	p.fields = RECORD_FIELDS_MAX;
	p.count = 8 + 2 * p.fields;
	ck_assert_ptr_null(wrong_in(&p));
	p.fields++;
	p.count += 2;
	ck_assert_ptr_nonnull(wrong_in(&p));
}
END_TEST

START_TEST(a_record_over_its_limit_is_refused)
{
	struct prodd_slice big = { calloc(1, RECORD_MAX + 1), RECORD_MAX + 1 };
	const char *why;
	struct record r;

	ck_assert(!record_open(big, &r, &why));
	ck_assert_str_eq(why, "over 1 MiB");
	free((void *)(uintptr_t)big.at);
}
END_TEST

START_TEST(levels_have_words)
{
	for (unsigned level = RECORD_TRACE; level <= RECORD_OFF; level++)
		ck_assert_int_eq(record_level_of(text(record_level_word(level))), (int)level);
	ck_assert_ptr_null(record_level_word(RECORD_OFF + 1));
	ck_assert_int_eq(record_level_of(text("warning")), RECORD_WARN);
	ck_assert_int_eq(record_level_of(text("err")), RECORD_ERROR);
	ck_assert_int_eq(record_level_of(text("Info")), -1);
	ck_assert_int_eq(record_level_of(text("")), -1);
}
END_TEST

START_TEST(an_origin_comes_back_and_no_cut_of_it_does)
{
	struct origin in = { text("8080"), 4711, 1000, zeroes(16), 128, text("SIGKILL") }, out;
	prodd_auto_buffer b = { 0 };
	struct prodd_cursor c;

	origin_pack(&b, &in);
	c = prodd_cursor(prodd_buffer_slice(&b));
	ck_assert(origin_take(&c, &out) && c.at == c.end);
	ck_assert(prodd_slice_is(out.instance, "8080") && out.pid == 4711 && out.uid == 1000);
	ck_assert(out.ring.size == 16 && out.end == 128 && prodd_slice_is(out.crash, "SIGKILL"));
	for (size_t size = 0; size < b.size; size++) {
		c = prodd_cursor((struct prodd_slice){ b.at, size });
		ck_assert(!origin_take(&c, &out) && (const char *)c.at == b.at);
	}
	prodd_buffer_reset(&b);
	in.ring = zeroes(0);
	in.crash = zeroes(0);
	origin_pack(&b, &in);
	c = prodd_cursor(prodd_buffer_slice(&b));
	ck_assert(origin_take(&c, &out) && out.ring.size == 0 && out.crash.size == 0);
	prodd_buffer_reset(&b);
	in.ring = zeroes(15);
	origin_pack(&b, &in);
	c = prodd_cursor(prodd_buffer_slice(&b));
	ck_assert(!origin_take(&c, &out));
}
END_TEST

int main(void)
{
	Suite *s = suite_create("record");
	TCase *t = tcase_create("record");

	tcase_add_test(t, a_record_is_read);
	tcase_add_test(t, what_may_be_absent_is_empty);
	tcase_add_test(t, every_cut_and_every_byte_behind_is_refused);
	tcase_add_test(t, a_part_that_does_not_fit_is_named);
	tcase_add_test(t, fields_have_a_limit);
	tcase_add_test(t, a_record_over_its_limit_is_refused);
	tcase_add_test(t, levels_have_words);
	tcase_add_test(t, an_origin_comes_back_and_no_cut_of_it_does);
	suite_add_tcase(s, t);
	return suite_run(s);
}
