/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Frames and envelopes.  A frame is a 32-bit big-endian length and that many
 * bytes: one MessagePack value in a shape of MessagePack-RPC
 * (github.com/msgpack-rpc/msgpack-rpc, spec.md):
 *
 *   [0, id, method, params]     a call
 *   [1, id, error, result]      its answer; error is nil or {"code", "text"}
 *   [2, method, params]         a note
 *
 * Ids are the caller's, count up, and are never used again in a session;
 * each direction has its own.
 */
#ifndef PRODD_PROTO_FRAME_H
#define PRODD_PROTO_FRAME_H

#include <prodd/error.h>

#include "proto/buffer.h"
#include "proto/check.h"
#include "proto/wire.h"

enum prodd_message_type { PRODD_CALL = 0, PRODD_ANSWER = 1, PRODD_NOTE = 2 };

/* One received message, borrowed from its frame. */
struct prodd_message {
	enum prodd_message_type type;
	uint64_t id;			/* of calls and answers */
	enum wire_method method;	/* of calls and notes; WIRE_NO_METHOD: not known here */
	struct prodd_slice name;	/* its name as received */
	struct prodd_slice params;	/* encoded: params, or the result of an answer */
	struct prodd_error error;	/* of an answer; code PRODD_OK: none */
};

/* ---- receiving */

/*
 * Cuts a stream into frames.  `limit` is the longest frame taken.  Bytes of a
 * frame not yet whole are kept here and nowhere else.
 */
struct prodd_deframer {
	struct prodd_buffer pending;
	size_t limit;			/* bytes of a frame after its length */
};

/*
 * Takes the next whole frame out of *input (bytes just read, advanced over what
 * was used) and what is pending.  Returns 1 with *ret_frame, valid until the
 * next call and as long as the bytes of *input stay (it may lie among them);
 * 0 when more bytes are needed (all input is used then);
 * -PRODD_E_TOO_LARGE, -PRODD_E_PROTOCOL (length 0) or -PRODD_E_NO_MEMORY.
 */
int prodd_deframe(struct prodd_deframer *d, struct prodd_slice *input, struct prodd_slice *ret_frame,
		  struct prodd_error *e);

/* Bytes kept for a frame that is not whole yet. */
size_t prodd_deframer_held(const struct prodd_deframer *d);
void prodd_deframer_clear(struct prodd_deframer *d);

/* Checks a frame within `limits` and opens its envelope. Returns 0, -PRODD_E_PROTOCOL or -PRODD_E_TOO_LARGE;
 * then ret->id is that of the call at fault, for an answer with the error; 0 when none can be named. */
int prodd_message_open(struct prodd_slice frame, const struct prodd_check_limits *limits,
		       struct prodd_message *ret, struct prodd_error *e);

/* Decodes the params or result of an opened message. As prodd_decode; bytes after the record are an error. */
int prodd_message_decode(const struct prodd_message *m, const struct wire_record *type, void *ret,
			 struct prodd_error *e);

/*
 * ---- sending: each appends one whole frame to `b`, or nothing when it fails.  Return 0 or b->failed; the
 * failure sticks, and whoever wants to go on with the whole frames before it sets b->failed to 0.
 */

int prodd_frame_call(struct prodd_buffer *b, uint64_t id, enum wire_method method, const void *params);
int prodd_frame_note(struct prodd_buffer *b, enum wire_method method, const void *params);
int prodd_frame_answer(struct prodd_buffer *b, uint64_t id, const struct wire_record *type,
		       const void *result);
int prodd_frame_error(struct prodd_buffer *b, uint64_t id, const struct prodd_error *error);

/*
 * A call whose last field, a LIST named `last` that is empty in `params`, follows by reference: writes the
 * frame up to its elements, the length counting them.
 */
int prodd_frame_call_head(struct prodd_buffer *b, uint64_t id, enum wire_method method, const void *params,
			  const char *last, struct prodd_list tail);

#endif
