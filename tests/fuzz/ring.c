/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A ring of a hostile app: the input says which words and bytes of its memory are
 * what they should not be.  Whatever is there, the reader stays in its
 * memory, moves forward and comes to an end; what it takes for a record lies between head and tail.
 *
 * Input: pieces of 12 bytes, each an offset (4, a multiple of 8 is taken) and a word (8); the offset's highest bit says
 * that the reader works before the word is written.
 */
#include <string.h>

#include "proto/shm/ring.h"
#include "tests/fuzz/fuzz.h"

enum { capacity = RING_CAPACITY_MIN, size_of_ring = RING_HEAD + capacity };

unsigned fuzz_mutations = 100;

static unsigned char copy[capacity / 8];

static void read_all(struct ring *ring, struct ring_reading *reading, bool dead)
{
	uint64_t start = reading->at, skipped = 0, end = 0;
	uint32_t length = 0;
	enum ring_found found;

	do {
		uint64_t before = reading->at;

		found = ring_next(ring, reading, copy, sizeof copy, &length, &end, dead, &skipped);
		FUZZ_DEMAND(reading->at >= before && reading->at - start <= capacity);
		FUZZ_DEMAND(reading->at - ring->released <= capacity);
		if (found == RING_FOUND_RECORD)
			FUZZ_DEMAND(length > 0 && length <= sizeof copy && end == reading->at && end > before);
		FUZZ_DEMAND(!(dead && found == RING_FOUND_UNPUBLISHED));
	} while (found == RING_FOUND_RECORD);
	FUZZ_DEMAND(skipped <= capacity / RING_ALIGN);
	FUZZ_DEMAND(ring_fill(ring) <= capacity);
}

static void work(void *memory, bool dead)
{
	struct ring_identity identity;
	struct ring_reading reading;
	struct ring ring;

	if (!ring_open(&ring, memory, size_of_ring, &identity, NULL) || !ring_attach(&ring, 0, &reading))
		return;
	read_all(&ring, &reading, dead);
	ring_release(&ring, reading.at);
	ring_sleep(&ring, &reading);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t uuid[16];
	unsigned char *memory = aligned_alloc(4096, size_of_ring);
	uint64_t position;
	struct ring ring;

	if (!memory)
		exit(99);
	memset(memory, 0, size_of_ring);
	ring_make(&ring, memory, capacity, uuid, 1, 1);
	for (uint32_t length = 1; length < 900; length += 7)
		ring_publish(&ring, (ring_reserve(&ring, length, &position), position), length);
	ring_reserve(&ring, 8, &position);
	for (; size >= 12; data += 12, size -= 12) {
		uint32_t offset;

		memcpy(&offset, data, 4);
		if (offset >> 31)
			work(memory, false);
		offset = (offset & 0x7fffffff) % size_of_ring & ~UINT32_C(7);
		memcpy(memory + offset, data + 4, 8);
	}
	work(memory, false);
	work(memory, true);
	free(memory);
	return 0;
}
