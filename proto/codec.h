/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Records to bytes and back, driven by the tables of wire.h.  Decoding
 * allocates nothing: texts and lists are borrowed from the bytes.
 */
#ifndef PRODD_PROTO_CODEC_H
#define PRODD_PROTO_CODEC_H

#include <prodd/error.h>

#include "proto/buffer.h"
#include "proto/cursor.h"
#include "proto/wire.h"

/*
 * Encodes `record`, a struct of the type that `type` describes.  Fields that
 * may be absent and are false, 0 or empty are left out.  A text or list over
 * its limit makes the buffer fail with -PRODD_E_TOO_LARGE.  Returns 0 or b->failed.
 */
int prodd_encode(struct prodd_buffer *b, const struct wire_record *type, const void *record);

/* As prodd_encode, but the map announces `more` pairs besides, which the caller appends. */
int prodd_encode_open(struct prodd_buffer *b, const struct wire_record *type, const void *record,
		      uint32_t more);

/* As prodd_encode, and counts: for building the elements of a LIST one after another in `b`. */
int prodd_encode_element(struct prodd_buffer *b, uint32_t *count, const struct wire_record *type,
			 const void *record);

/*
 * Decodes one record from `c` into `ret`, which borrows from the bytes.
 * Unknown keys are skipped.  Returns 0; -PRODD_E_USAGE with the field's path
 * and what was expected, when a key is missing, double, of another type, not
 * text or over its limit; -PRODD_E_PROTOCOL when there is no map, a key is no
 * string, or bytes are damaged.  After an error *ret is all zero.
 */
int prodd_decode(struct prodd_cursor *c, const struct wire_record *type, void *ret, struct prodd_error *e);

/* Walks a LIST: decodes the next element. Returns 1, 0 at the end, or an error as prodd_decode.
 *	for (it = prodd_iter(list); (r = prodd_next(&it, &wire_record_change, &change, e)) > 0;) */
struct prodd_iter {
	struct prodd_cursor cursor;
	uint32_t left;
};

struct prodd_iter prodd_iter(struct prodd_list list);
int prodd_next(struct prodd_iter *it, const struct wire_record *type, void *ret, struct prodd_error *e);

/* Walks a STRS: true with the next text, false at the end. */
bool prodd_next_text(struct prodd_iter *it, struct prodd_slice *ret);

/* A list of what was encoded into `b` element by element; borrowed from it. */
static inline struct prodd_list prodd_list(const struct prodd_buffer *b, uint32_t count)
{
	return (struct prodd_list){ b->at, b->size, count };
}

#endif
