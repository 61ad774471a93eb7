/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A byte buffer that grows up to a limit.  A failure (no memory, limit) sticks:
 * later writes do nothing, and one check at the end is enough.
 */
#ifndef PRODD_PROTO_BUFFER_H
#define PRODD_PROTO_BUFFER_H

#include "proto/slice.h"

struct prodd_buffer {
	char *at;		/* owned; NULL while empty */
	size_t size;		/* bytes in use */
	size_t capacity;	/* bytes allocated */
	size_t limit;		/* most bytes; 0: PRODD_REPLY_MAX */
	int failed;		/* 0, or -PRODD_E_NO_MEMORY, -PRODD_E_TOO_LARGE */
};

/* Frees the bytes; the buffer is empty, whole and usable again. NULL is allowed. */
void prodd_buffer_clear(struct prodd_buffer *b);

/* Makes it empty but keeps the memory. */
void prodd_buffer_reset(struct prodd_buffer *b);

/* Appends. Returns 0 or b->failed. */
int prodd_buffer_append(struct prodd_buffer *b, const void *bytes, size_t size);

/* Room for `size` bytes at the end, whose content the caller fills in; NULL when failed. */
char *prodd_buffer_extend(struct prodd_buffer *b, size_t size);

/* Drops `size` bytes at the front. */
void prodd_buffer_consume(struct prodd_buffer *b, size_t size);

/* One MessagePack value each (packed by msgpack-c). */
void prodd_pack_nil(struct prodd_buffer *b);
void prodd_pack_bool(struct prodd_buffer *b, bool value);
void prodd_pack_uint(struct prodd_buffer *b, uint64_t value);
void prodd_pack_int(struct prodd_buffer *b, int64_t value);
void prodd_pack_float(struct prodd_buffer *b, double value);
void prodd_pack_str(struct prodd_buffer *b, struct prodd_slice text);
void prodd_pack_bin(struct prodd_buffer *b, struct prodd_slice bytes);
void prodd_pack_array(struct prodd_buffer *b, uint32_t count);	/* header only */
void prodd_pack_map(struct prodd_buffer *b, uint32_t count);	/* header only */

/* Everything written so far, borrowed until the next write. */
static inline struct prodd_slice prodd_buffer_slice(const struct prodd_buffer *b)
{
	return (struct prodd_slice){ b->at, b->size };
}

#define prodd_auto_buffer __attribute__((cleanup(prodd_buffer_clear))) struct prodd_buffer

#endif
