/* SPDX-License-Identifier: Apache-2.0 */
/* Memory that is handed out piece by piece and freed as a whole. */
#ifndef PRODD_CLIENT_ARENA_H
#define PRODD_CLIENT_ARENA_H

#include "proto/slice.h"

struct prodd_arena_chunk;

struct prodd_arena {
	struct prodd_arena_chunk *newest;	/* owned */
	size_t used;				/* bytes of the newest */
};

/* `size` bytes, aligned for anything, zeroed; NULL: no memory. */
void *prodd_arena_take(struct prodd_arena *a, size_t size);

/* A copy that ends with NUL; NULL: no memory. */
char *prodd_arena_text(struct prodd_arena *a, struct prodd_slice text);

void prodd_arena_clear(struct prodd_arena *a);

#endif
