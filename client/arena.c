/* SPDX-License-Identifier: Apache-2.0 */
/* Chunks of 16 KiB, or of their own size for what is larger. */
#include "client/arena.h"

#include <stdalign.h>
#include <stdlib.h>

enum { chunk_size = 16384, step = alignof(max_align_t) };

struct prodd_arena_chunk {
	struct prodd_arena_chunk *older;
	size_t size;
	alignas(max_align_t) char bytes[];
};

void *prodd_arena_take(struct prodd_arena *a, size_t size)
{
	size_t rounded = (size + step - 1) / step * step;
	struct prodd_arena_chunk *chunk = a->newest;
	void *piece;

	if (rounded < size)
		return NULL;
	if (!chunk || chunk->size - a->used < rounded) {
		size_t whole = rounded > chunk_size ? rounded : chunk_size;

		if (whole > SIZE_MAX - sizeof *chunk)
			return NULL;
		chunk = malloc(sizeof *chunk + whole);
		if (!chunk)
			return NULL;
		chunk->older = a->newest;
		chunk->size = whole;
		a->newest = chunk;
		a->used = 0;
	}
	piece = chunk->bytes + a->used;
	a->used += rounded;
	return memset(piece, 0, rounded);
}

char *prodd_arena_text(struct prodd_arena *a, struct prodd_slice text)
{
	char *copy = prodd_arena_take(a, text.size + 1);

	if (copy && text.size > 0)
		memcpy(copy, text.at, text.size);
	return copy;
}

void prodd_arena_clear(struct prodd_arena *a)
{
	while (a->newest) {
		struct prodd_arena_chunk *chunk = a->newest;

		a->newest = chunk->older;
		free(chunk);
	}
	a->used = 0;
}
