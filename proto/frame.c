/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A frame that arrived in one piece is handed out where it lies; only one that
 * came in pieces is gathered, and its memory grows with the bytes that came,
 * never with the length announced.  A frame to be sent is written with its
 * length left open; when something fails it is taken out again, so that a
 * buffer holds whole frames only.
 */
#include "proto/frame.h"

#include "proto/codec.h"
#include "proto/limits.h"

/* ---- receiving */

static uint32_t length_at(const char *at)
{
	const unsigned char *byte = (const unsigned char *)at;

	return (uint32_t)byte[0] << 24 | (uint32_t)byte[1] << 16 | (uint32_t)byte[2] << 8 | byte[3];
}

static int check_length(const struct prodd_deframer *d, uint32_t length, struct prodd_error *e)
{
	if (length == 0)
		return prodd_error_set(e, PRODD_E_PROTOCOL, "a frame of length 0");
	if (length > d->limit)
		return prodd_error_set(e, PRODD_E_TOO_LARGE, "a frame of %u bytes; at most %zu are taken",
				       (unsigned)length, d->limit);
	return 0;
}

static void advance(struct prodd_slice *input, size_t size)
{
	input->at += size;
	input->size -= size;
}

/* Moves bytes from the input until `size` are pending. Returns 1 when they are, 0 when the input ended. */
static int gather(struct prodd_deframer *d, struct prodd_slice *input, size_t size, struct prodd_error *e)
{
	size_t wanted = size - d->pending.size;
	size_t taken = wanted < input->size ? wanted : input->size;

	if (prodd_buffer_append(&d->pending, input->at, taken) < 0)
		return prodd_error_set(e, -d->pending.failed, "a frame of %zu bytes", size);
	if (taken > 0)
		advance(input, taken);
	return d->pending.size == size;
}

static bool is_whole(const struct prodd_buffer *pending)
{
	return pending->size >= PRODD_FRAME_HEADER &&
	       pending->size - PRODD_FRAME_HEADER == length_at(pending->at);
}

static int take_in_place(const struct prodd_deframer *d, struct prodd_slice *input,
			 struct prodd_slice *ret_frame, struct prodd_error *e)
{
	uint32_t length;
	int r;

	if (input->size < PRODD_FRAME_HEADER)
		return 0;
	length = length_at(input->at);
	r = check_length(d, length, e);
	if (r < 0 || input->size - PRODD_FRAME_HEADER < length)
		return r;
	*ret_frame = (struct prodd_slice){ input->at + PRODD_FRAME_HEADER, length };
	advance(input, PRODD_FRAME_HEADER + (size_t)length);
	return 1;
}

int prodd_deframe(struct prodd_deframer *d, struct prodd_slice *input, struct prodd_slice *ret_frame,
		  struct prodd_error *e)
{
	uint32_t length;
	int r;

	if (is_whole(&d->pending))
		prodd_buffer_clear(&d->pending);	/* handed out by the call before */
	if (d->pending.size == 0) {
		r = take_in_place(d, input, ret_frame, e);
		if (r != 0 || input->size == 0)
			return r;
	}
	d->pending.limit = PRODD_FRAME_HEADER + d->limit;
	if (d->pending.size < PRODD_FRAME_HEADER) {
		r = gather(d, input, PRODD_FRAME_HEADER, e);
		if (r <= 0)
			return r;
	}
	length = length_at(d->pending.at);
	r = check_length(d, length, e);
	if (r < 0)
		return r;
	r = gather(d, input, PRODD_FRAME_HEADER + (size_t)length, e);
	if (r <= 0)
		return r;
	*ret_frame = (struct prodd_slice){ d->pending.at + PRODD_FRAME_HEADER, length };
	return 1;
}

size_t prodd_deframer_held(const struct prodd_deframer *d)
{
	return is_whole(&d->pending) ? 0 : d->pending.size;
}

void prodd_deframer_clear(struct prodd_deframer *d)
{
	prodd_buffer_clear(&d->pending);
}

/* ---- envelopes */

static int misshapen(struct prodd_error *e, const char *what)
{
	return prodd_error_set(e, PRODD_E_PROTOCOL, "envelope: %s", what);
}

static int open_id(struct prodd_cursor *c, struct prodd_message *m, struct prodd_error *e)
{
	uint64_t id;

	if (!prodd_cursor_uint(c, &id) || id > INT64_MAX)
		return misshapen(e, "the id is not an integer from 0 to 2^63-1");
	m->id = id;
	return 0;
}

static int open_map(struct prodd_cursor *c, struct prodd_slice *ret, const char *complaint,
		    struct prodd_error *e)
{
	if (prodd_cursor_kind(c) != PRODD_KIND_MAP || !prodd_cursor_skip(c, ret))
		return misshapen(e, complaint);
	return 0;
}

static int open_request(struct prodd_cursor *c, struct prodd_message *m, struct prodd_error *e)
{
	if (!prodd_cursor_str(c, &m->name) || !prodd_is_text(m->name))
		return misshapen(e, "the method is not a string");
	m->method = wire_method_of(m->name);
	return open_map(c, &m->params, "the params are not a map", e);
}

/* The error of an answer: {"code": word, "text": sentence}, and keys of later versions. */
static int open_error(struct prodd_cursor *c, struct prodd_error *ret, struct prodd_error *e)
{
	struct prodd_slice key, code = { 0 }, text = { 0 };
	uint32_t pairs;

	if (!prodd_cursor_map(c, &pairs))
		return misshapen(e, "the error is neither nil nor a map");
	while (pairs-- > 0) {
		bool taken;

		if (!prodd_cursor_str(c, &key))
			return misshapen(e, "a key of the error is not a string");
		if (prodd_slice_is(key, "code"))
			taken = prodd_cursor_str(c, &code);
		else if (prodd_slice_is(key, "text"))
			taken = prodd_cursor_str(c, &text);
		else
			taken = prodd_cursor_skip(c, NULL);
		if (!taken)
			return misshapen(e, "the error's code or text is not a string");
	}
	if (code.size == 0)
		return misshapen(e, "the error has no code");
	text = prodd_text_cut(text, sizeof ret->text - 1);
	prodd_error_set(ret, prodd_error_code(code.at, code.size), "%.*s", PRODD_SLICE(text));
	return 0;
}

static int open_answer(struct prodd_cursor *c, struct prodd_message *m, struct prodd_error *e)
{
	int r;

	if (prodd_cursor_nil(c))
		return open_map(c, &m->params, "the result is not a map", e);
	r = open_error(c, &m->error, e);
	if (r == 0 && !prodd_cursor_nil(c))
		r = misshapen(e, "an error and a result");
	return r;
}

static int open_envelope(struct prodd_slice frame, struct prodd_message *m, struct prodd_error *e)
{
	struct prodd_cursor c = prodd_cursor(frame);
	uint32_t count;
	uint64_t type;
	int r;

	if (!prodd_cursor_array(&c, &count))
		return misshapen(e, "not an array");
	if (count == 0 || !prodd_cursor_uint(&c, &type) || type > PRODD_NOTE)
		return misshapen(e, "the first element is not 0 (call), 1 (answer) or 2 (note)");
	m->type = (enum prodd_message_type)type;
	if (count != (m->type == PRODD_NOTE ? 3u : 4u))
		return misshapen(e, m->type == PRODD_NOTE ? "a note has three elements" :
							    "calls and answers have four elements");
	if (m->type == PRODD_NOTE)
		return open_request(&c, m, e);
	r = open_id(&c, m, e);
	if (r < 0)
		return r;
	return m->type == PRODD_CALL ? open_request(&c, m, e) : open_answer(&c, m, e);
}

int prodd_message_open(struct prodd_slice frame, const struct prodd_check_limits *limits,
		       struct prodd_message *ret, struct prodd_error *e)
{
	int r;

	*ret = (struct prodd_message){ .method = WIRE_NO_METHOD };
	r = prodd_check(frame, limits, e);
	if (r == 0)
		r = open_envelope(frame, ret, e);
	if (r < 0)
		*ret = (struct prodd_message){ .id = ret->type == PRODD_CALL ? ret->id : 0 };
	return r;
}

int prodd_message_decode(const struct prodd_message *m, const struct wire_record *type, void *ret,
			 struct prodd_error *e)
{
	struct prodd_cursor c = prodd_cursor(m->params);
	int r = prodd_decode(&c, type, ret, e);

	if (r == 0 && c.at != c.end) {
		memset(ret, 0, type->size);
		r = prodd_error_set(e, PRODD_E_PROTOCOL, "%s: bytes follow the record", type->name);
	}
	return r;
}

/* ---- sending */

/* Leaves room for the length. Returns where the frame begins. */
static size_t frame_begin(struct prodd_buffer *b)
{
	size_t start = b->size;

	prodd_buffer_append(b, "\0\0\0", PRODD_FRAME_HEADER);
	return start;
}

/* Fills in the length; `tail` bytes follow from elsewhere. A failed frame is taken out again. */
static int frame_end(struct prodd_buffer *b, size_t start, size_t tail)
{
	size_t length = b->size - start - PRODD_FRAME_HEADER;

	if (!b->failed && (tail > UINT32_MAX || length > UINT32_MAX - tail))
		b->failed = -PRODD_E_TOO_LARGE;
	if (b->failed) {
		b->size = start;
		return b->failed;
	}
	length += tail;
	for (int i = 0; i < PRODD_FRAME_HEADER; i++)
		b->at[start + (size_t)i] = (char)(length >> (24 - 8 * i) & 0xff);
	return 0;
}

static void envelope_of_call(struct prodd_buffer *b, uint64_t id, enum wire_method method)
{
	prodd_pack_array(b, 4);
	prodd_pack_uint(b, PRODD_CALL);
	prodd_pack_uint(b, id);
	prodd_pack_str(b, prodd_slice(wire_methods[method].name));
}

int prodd_frame_call(struct prodd_buffer *b, uint64_t id, enum wire_method method, const void *params)
{
	size_t start = frame_begin(b);

	envelope_of_call(b, id, method);
	prodd_encode(b, wire_methods[method].params, params);
	return frame_end(b, start, 0);
}

int prodd_frame_note(struct prodd_buffer *b, enum wire_method method, const void *params)
{
	size_t start = frame_begin(b);

	prodd_pack_array(b, 3);
	prodd_pack_uint(b, PRODD_NOTE);
	prodd_pack_str(b, prodd_slice(wire_methods[method].name));
	prodd_encode(b, wire_methods[method].params, params);
	return frame_end(b, start, 0);
}

int prodd_frame_answer(struct prodd_buffer *b, uint64_t id, const struct wire_record *type,
		       const void *result)
{
	size_t start = frame_begin(b);

	prodd_pack_array(b, 4);
	prodd_pack_uint(b, PRODD_ANSWER);
	prodd_pack_uint(b, id);
	prodd_pack_nil(b);
	prodd_encode(b, type, result);
	return frame_end(b, start, 0);
}

int prodd_frame_error(struct prodd_buffer *b, uint64_t id, const struct prodd_error *error)
{
	size_t start = frame_begin(b);

	prodd_pack_array(b, 4);
	prodd_pack_uint(b, PRODD_ANSWER);
	prodd_pack_uint(b, id);
	prodd_pack_map(b, 2);
	prodd_pack_str(b, prodd_slice("code"));
	prodd_pack_str(b, prodd_slice(prodd_error_word(error->code)));
	prodd_pack_str(b, prodd_slice("text"));
	prodd_pack_str(b, prodd_slice(error->text));
	prodd_pack_nil(b);
	return frame_end(b, start, 0);
}

int prodd_frame_call_head(struct prodd_buffer *b, uint64_t id, enum wire_method method, const void *params,
			  const char *last, struct prodd_list tail)
{
	size_t start = frame_begin(b);

	envelope_of_call(b, id, method);
	prodd_encode_open(b, wire_methods[method].params, params, 1);
	prodd_pack_str(b, prodd_slice(last));
	prodd_pack_array(b, tail.count);
	return frame_end(b, start, tail.size);
}
