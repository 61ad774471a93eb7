/* SPDX-License-Identifier: Apache-2.0 */
/* Frames: every cut of a stream, lengths at their limits, and what is written opens again. */
#include "proto/frame.h"

#include "proto/codec.h"
#include "proto/limits.h"
#include "tests/unit/records.h"

enum { stream_frames = 12 };

/* Frames of random content one after another, and where each begins. */
struct stream {
	struct prodd_buffer bytes;
	size_t start[stream_frames], size[stream_frames];
};

static void put_frame(struct prodd_buffer *b, struct dice *d, size_t size)
{
	char head[4] = { (char)(size >> 24), (char)(size >> 16), (char)(size >> 8), (char)size };

	prodd_buffer_append(b, head, 4);
	while (size-- > 0)
		prodd_buffer_append(b, &(char){ (char)dice_next(d) }, 1);
}

static void stream_make(struct stream *s, struct dice *d)
{
	*s = (struct stream){ 0 };
	for (int i = 0; i < stream_frames; i++) {
		s->start[i] = s->bytes.size + PRODD_FRAME_HEADER;
		s->size[i] = 1 + dice_below(d, i % 3 ? 9 : 40);
		put_frame(&s->bytes, d, s->size[i]);
	}
}

/* Feeds one piece, from memory of its own that is freed afterwards, and compares the frames that come out. */
static void feed(struct prodd_deframer *d, const struct stream *s, size_t from, size_t to, int *next)
{
	char *piece = malloc(to - from + !(to - from));
	struct prodd_slice input = { piece, to - from };
	struct prodd_slice frame;
	struct prodd_error e;
	int r;

	memcpy(piece, s->bytes.at + from, to - from);
	while ((r = prodd_deframe(d, &input, &frame, &e)) > 0) {
		if (*next >= stream_frames || frame.size != s->size[*next] ||
		    memcmp(frame.at, s->bytes.at + s->start[*next], frame.size) != 0)
			ck_abort_msg("frame %d is another one", *next);
		++*next;
	}
	if (r < 0 || input.size > 0)
		ck_abort_msg("%d, %zu bytes of the input are left", r, input.size);
	if (d->pending.capacity > 256 && d->pending.capacity > 2 * d->pending.size)
		ck_abort_msg("%zu bytes allocated for %zu", d->pending.capacity, d->pending.size);
	free(piece);
}

static void all_came(struct prodd_deframer *d, int next)
{
	ck_assert_int_eq(next, stream_frames);
	ck_assert_uint_eq(prodd_deframer_held(d), 0);
	prodd_deframer_clear(d);
}

START_TEST(a_stream_cut_at_any_byte_gives_the_same_frames)
{
	struct dice d = dice_start("frame");
	struct stream s;

	stream_make(&s, &d);
	for (size_t cut = 0; cut <= s.bytes.size; cut++) {
		struct prodd_deframer deframer = { .limit = 1000 };
		int next = 0;

		feed(&deframer, &s, 0, cut, &next);
		feed(&deframer, &s, cut, s.bytes.size, &next);
		all_came(&deframer, next);
	}
	prodd_buffer_clear(&s.bytes);
}
END_TEST

START_TEST(a_byte_at_a_time_gives_the_same_frames)
{
	struct dice d = dice_start("frame bytewise");
	struct prodd_deframer deframer = { .limit = 1000 };
	struct stream s;
	int next = 0;

	stream_make(&s, &d);
	for (size_t i = 0; i < s.bytes.size; i++)
		feed(&deframer, &s, i, i + 1, &next);
	all_came(&deframer, next);
	prodd_buffer_clear(&s.bytes);
}
END_TEST

START_TEST(random_pieces_give_the_same_frames)
{
	struct dice d = dice_start("frame pieces");

	for (int round = 0; round < 300; round++) {
		struct prodd_deframer deframer = { .limit = 1000 };
		struct stream s;
		size_t at = 0;
		int next = 0;

		stream_make(&s, &d);
		while (at < s.bytes.size) {
			size_t size = dice_below(&d, 60);

			size = size < s.bytes.size - at ? size : s.bytes.size - at;
			feed(&deframer, &s, at, at + size, &next);
			at += size;
		}
		all_came(&deframer, next);
		prodd_buffer_clear(&s.bytes);
	}
}
END_TEST

static int deframe_head(const char *head, size_t first, size_t limit, struct prodd_error *e)
{
	struct prodd_deframer d = { .limit = limit };
	struct prodd_slice a = { head, first }, b = { head + first, 4 - first }, frame;
	int r = prodd_deframe(&d, &a, &frame, e);

	if (r == 0 && first < 4)
		r = prodd_deframe(&d, &b, &frame, e);
	if (r == 0)
		ck_assert_uint_eq(prodd_deframer_held(&d), 4);
	if (r == 0 && d.pending.capacity > 256)
		ck_abort_msg("%zu bytes allocated for an announcement", d.pending.capacity);
	prodd_deframer_clear(&d);
	return r;
}

START_TEST(lengths_0_max_and_beyond)
{
	struct prodd_error e;

	for (size_t first = 0; first <= 4; first++) {
		ck_assert_int_eq(deframe_head("\0\0\0\0", first, PRODD_FRAME_MAX, &e), -PRODD_E_PROTOCOL);
		ck_assert_str_eq(e.text, "a frame of length 0");
		ck_assert_int_eq(deframe_head("\0\x04\0\0", first, PRODD_FRAME_MAX, &e), 0);
		ck_assert_int_eq(deframe_head("\0\x04\0\x01", first, PRODD_FRAME_MAX, &e),
				 -PRODD_E_TOO_LARGE);
		ck_assert_str_eq(e.text, "a frame of 262145 bytes; at most 262144 are taken");
		ck_assert_int_eq(deframe_head("\xff\xff\xff\xff", first, PRODD_FRAME_MAX, &e),
				 -PRODD_E_TOO_LARGE);
		ck_assert_int_eq(deframe_head("\0\x80\0\0", first, PRODD_REPLY_MAX, &e), 0);
		ck_assert_int_eq(deframe_head("\0\x80\0\x01", first, PRODD_REPLY_MAX, &e),
				 -PRODD_E_TOO_LARGE);
	}
}
END_TEST

START_TEST(a_frame_of_the_longest_length_arrives)
{
	struct prodd_deframer d = { .limit = PRODD_FRAME_MAX };
	char *bytes = calloc(1, PRODD_FRAME_MAX + 4);
	struct prodd_slice input = { bytes, PRODD_FRAME_MAX + 4 }, frame;

	bytes[1] = 4;
	ck_assert_int_eq(prodd_deframe(&d, &input, &frame, NULL), 1);
	ck_assert_ptr_eq(frame.at, bytes + 4);
	ck_assert_uint_eq(frame.size, PRODD_FRAME_MAX);
	for (size_t at = 0; at < PRODD_FRAME_MAX + 4; at += 4097) {
		size_t left = PRODD_FRAME_MAX + 4 - at;

		input = (struct prodd_slice){ bytes + at, left < 4097 ? left : 4097 };
		ck_assert_uint_eq(prodd_deframer_held(&d), at);
		ck_assert_int_eq(prodd_deframe(&d, &input, &frame, NULL), left <= 4097);
	}
	ck_assert_uint_eq(frame.size, PRODD_FRAME_MAX);
	ck_assert_uint_le(d.pending.capacity, PRODD_FRAME_MAX + 4);
	ck_assert_uint_eq(prodd_deframer_held(&d), 0);
	ck_assert_int_eq(prodd_deframe(&d, &input, &frame, NULL), 0);
	ck_assert_ptr_null(d.pending.at);
	free(bytes);
}
END_TEST

/* ---- what is written opens again */

static struct prodd_slice only_frame(struct prodd_buffer *b)
{
	struct prodd_deframer d = { .limit = PRODD_REPLY_MAX };
	struct prodd_slice input = prodd_buffer_slice(b), frame;

	ck_assert_int_eq(prodd_deframe(&d, &input, &frame, NULL), 1);
	ck_assert_uint_eq(input.size, 0);
	return frame;
}

static void open_as(struct prodd_buffer *b, enum prodd_message_type type, uint64_t id,
		    enum wire_method method, struct prodd_message *m)
{
	struct prodd_error e;

	if (prodd_message_open(only_frame(b), &prodd_check_reply, m, &e) < 0)
		ck_abort_msg("%s", e.text);
	ck_assert_int_eq(m->type, type);
	ck_assert_uint_eq(m->id, id);
	ck_assert_int_eq(m->method, method);
	ck_assert_int_eq(m->error.code, PRODD_OK);
}

static void decodes_to(const struct prodd_message *m, const struct wire_record *type, const void *sent)
{
	void *got = calloc(1, type->size);
	struct prodd_error e;

	if (prodd_message_decode(m, type, got, &e) < 0)
		ck_abort_msg("%s", e.text);
	ck_assert_ptr_null(records_differ(type, sent, got));
	free(got);
}

static void send_and_open(struct dice *d, enum wire_method method)
{
	const struct wire_method_info *info = &wire_methods[method];
	void *params = calloc(1, info->params->size), *result = calloc(1, info->result->size);
	uint64_t id = dice_next(d) >> (1 + dice_below(d, 63));
	prodd_auto_buffer b = { 0 };
	struct prodd_message m;
	struct arena a;

	arena_open(&a, 1 << 20);
	some_record(d, &a, info->params, params, 1);
	ck_assert_int_eq(info->call ? prodd_frame_call(&b, id, method, params)
				    : prodd_frame_note(&b, method, params),
			 0);
	open_as(&b, info->call ? PRODD_CALL : PRODD_NOTE, info->call ? id : 0, method, &m);
	ck_assert(prodd_slice_is(m.name, info->name));
	decodes_to(&m, info->params, params);
	prodd_buffer_reset(&b);
	some_record(d, &a, info->result, result, 1);
	ck_assert_int_eq(prodd_frame_answer(&b, id, info->result, result), 0);
	open_as(&b, PRODD_ANSWER, id, WIRE_NO_METHOD, &m);
	decodes_to(&m, info->result, result);
	arena_close(&a);
	free(params);
	free(result);
}

START_TEST(every_method_round_trips)
{
	struct dice d = dice_start("frame methods");

	for (int method = WIRE_NO_METHOD + 1; method < WIRE_METHOD_COUNT; method++)
		for (int round = 0; round < 20; round++)
			send_and_open(&d, (enum wire_method)method);
}
END_TEST

START_TEST(every_error_round_trips)
{
	static const int codes[] = {
#define X(name, number, word, retryable, exit_status, text) number,
		PRODD_ERRORS(X)
#undef X
	};

	for (size_t i = 0; i < sizeof codes / sizeof *codes; i++) {
		prodd_auto_buffer b = { 0 };
		struct prodd_error sent, e;
		struct prodd_message m;

		prodd_error_set(&sent, codes[i], "orders: %d \xe2\x82\xac", codes[i]);
		ck_assert_int_eq(prodd_frame_error(&b, i, &sent), 0);
		ck_assert_int_eq(prodd_message_open(only_frame(&b), &prodd_check_received, &m, &e), 0);
		ck_assert_int_eq(m.type, PRODD_ANSWER);
		ck_assert_uint_eq(m.id, i);
		ck_assert_int_eq(m.error.code, codes[i]);
		ck_assert_str_eq(m.error.text, sent.text);
	}
}
END_TEST

/* The head and the list's bytes after it are the very frame that has the list in it. */
START_TEST(a_list_by_reference_makes_the_same_frame)
{
	struct dice d = dice_start("frame head");
	struct arena a;

	arena_open(&a, 4 << 20);
	for (int round = 0; round < 100; round++) {
		prodd_auto_buffer whole = { 0 }, head = { 0 };
		struct wire_offer offer;
		struct prodd_list tail;

		a.used = 0;
		do
			some_record(&d, &a, &wire_record_offer, &offer, 2);
		while (offer.snapshot.count == 0);
		tail = offer.snapshot;
		prodd_buffer_append(&head, "before", 6);
		prodd_buffer_append(&whole, "before", 6);
		ck_assert_int_eq(prodd_frame_call(&whole, 7, WIRE_M_config_offer, &offer), 0);
		offer.snapshot = (struct prodd_list){ 0 };
		ck_assert_int_eq(
			prodd_frame_call_head(&head, 7, WIRE_M_config_offer, &offer, "snapshot", tail), 0);
		ck_assert_uint_eq(head.size + tail.size, whole.size);
		prodd_buffer_append(&head, tail.at, tail.size);
		ck_assert_mem_eq(head.at, whole.at, whole.size);
	}
	arena_close(&a);
}
END_TEST

START_TEST(a_frame_that_fails_leaves_the_whole_ones_before_it)
{
	struct wire_app_request request = { .app = prodd_slice("orders") };
	struct prodd_error error = { PRODD_E_BUSY, "a text that needs some room" };
	static const struct wire_empty empty;
	size_t size;

	for (size_t more = 0; more < 24; more++) {
		prodd_auto_buffer b = { 0 };

		ck_assert_int_eq(prodd_frame_call(&b, 1, WIRE_M_ping, &empty), 0);
		size = b.size;
		b.limit = size + more;
		ck_assert_int_eq(prodd_frame_call(&b, 2, WIRE_M_config_check, &request), -PRODD_E_TOO_LARGE);
		ck_assert_uint_eq(b.size, size);
		ck_assert_int_eq(prodd_frame_error(&b, 2, &error), -PRODD_E_TOO_LARGE);
		b.failed = 0;
		ck_assert_int_eq(prodd_frame_error(&b, 2, &error), -PRODD_E_TOO_LARGE);
		ck_assert_uint_eq(b.size, size);
		b.failed = 0;
		b.limit = 0;
		ck_assert_int_eq(prodd_frame_call(&b, 2, WIRE_M_config_check, &request), 0);
		ck_assert_uint_gt(b.size, size);
	}
}
END_TEST

int main(void)
{
	Suite *s = suite_create("frame");
	TCase *tc = tcase_create("frame");

	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, a_stream_cut_at_any_byte_gives_the_same_frames);
	tcase_add_test(tc, a_byte_at_a_time_gives_the_same_frames);
	tcase_add_test(tc, random_pieces_give_the_same_frames);
	tcase_add_test(tc, lengths_0_max_and_beyond);
	tcase_add_test(tc, a_frame_of_the_longest_length_arrives);
	tcase_add_test(tc, every_method_round_trips);
	tcase_add_test(tc, every_error_round_trips);
	tcase_add_test(tc, a_list_by_reference_makes_the_same_frame);
	tcase_add_test(tc, a_frame_that_fails_leaves_the_whole_ones_before_it);
	suite_add_tcase(s, tc);
	return suite_run(s);
}
