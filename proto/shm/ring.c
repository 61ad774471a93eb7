/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Positions only grow; the place of one is its rest by the capacity, a power
 * of two.  Zeroed space is what lets a slot's word say where its producer is,
 * so nothing is ever released before it is zero.
 *
 * The words of slots and the positions are ordered by C11 atomics.  The stores of
 * one producer reach the memory in the program's order even when it is killed between
 * two of them, since the kernel stops it at one instruction; only the
 * compiler must be kept from another order (atomic_signal_fence).
 *
 * The consumer uses of the head only what it has just read and checked, and its
 * own `released`.
 */
#define _GNU_SOURCE
#include "proto/shm/ring.h"

#include <sys/mman.h>

static _Atomic uint64_t *word_at(const struct ring *ring, uint64_t position)
{
	return (_Atomic uint64_t *)(void *)(ring->slots + (position & (ring->capacity - RING_ALIGN)));
}

static uint64_t left_before_end(const struct ring *ring, uint64_t position)
{
	return ring->capacity - (position & (ring->capacity - 1));
}

static bool is_capacity(uint64_t capacity)
{
	return capacity >= RING_CAPACITY_MIN && capacity <= RING_CAPACITY_MAX &&
	       (capacity & (capacity - 1)) == 0;
}

static void place(struct ring *ring, void *mapping, uint64_t capacity)
{
	*ring = (struct ring){ .head = mapping, .slots = (unsigned char *)mapping + RING_HEAD,
			       .capacity = capacity };
}

void ring_make(struct ring *ret, void *mapping, uint64_t capacity, const uint8_t uuid[16], uint64_t pid,
	       uint64_t made_ns)
{
	place(ret, mapping, capacity);
	ret->head->version = RING_VERSION;
	ret->head->head_size = RING_HEAD;
	ret->head->capacity = capacity;
	memcpy(ret->head->uuid, uuid, sizeof ret->head->uuid);
	ret->head->pid = pid;
	ret->head->made_ns = made_ns;
	ret->head->magic = RING_MAGIC;
}

/* ---- the producer */

/*
 * `head` is read before `tail`, so that it is never the greater of the two; a head that is behind only
 * makes the ring look fuller. Whoever reads a head sees the space below it zeroed.
 */
static bool move_tail(struct ring *ring, uint64_t need, uint64_t *ret_from, uint64_t *ret_padding)
{
	for (;;) {
		uint64_t head = atomic_load_explicit(&ring->head->head, memory_order_acquire);
		uint64_t tail = atomic_load_explicit(&ring->head->tail, memory_order_relaxed);
		uint64_t left = left_before_end(ring, tail);
		uint64_t padding = left < need ? left : 0;

		if (tail - head > ring->capacity || padding + need > ring->capacity - (tail - head))
			return false;
		if (atomic_compare_exchange_weak_explicit(&ring->head->tail, &tail, tail + padding + need,
							  memory_order_seq_cst, memory_order_relaxed)) {
			*ret_from = tail;
			*ret_padding = padding;
			return true;
		}
	}
}

unsigned char *ring_reserve(struct ring *ring, uint32_t length, uint64_t *ret_position)
{
	uint64_t from, padding;

	if (length == 0 || length > RING_RECORD_MAX(ring->capacity) ||
	    !move_tail(ring, ring_slot(length), &from, &padding))
		return NULL;
	atomic_store_explicit(word_at(ring, from + padding), RING_RESERVED | ring_word(RING_KIND_RECORD, length),
			      memory_order_relaxed);
	if (padding > 0)
		atomic_store_explicit(word_at(ring, from),
				      ring_word(RING_KIND_PADDING, (uint32_t)(padding - RING_ALIGN)),
				      memory_order_release);
	atomic_signal_fence(memory_order_seq_cst);
	*ret_position = from + padding;
	return (unsigned char *)word_at(ring, *ret_position) + RING_ALIGN;
}

bool ring_publish(struct ring *ring, uint64_t position, uint32_t length)
{
	atomic_exchange_explicit(word_at(ring, position), ring_word(RING_KIND_RECORD, length),
				 memory_order_seq_cst);
	return atomic_load_explicit(&ring->head->asleep, memory_order_seq_cst) != 0 &&
	       atomic_exchange_explicit(&ring->head->asleep, 0, memory_order_seq_cst) != 0;
}

void ring_drop(struct ring *ring, enum ring_drop reason, uint64_t count)
{
	atomic_fetch_add_explicit(&ring->head->dropped[reason], count, memory_order_relaxed);
}

/* ---- the consumer */

static const char *wrong_in(const struct ring_head *head, uint64_t size)
{
	if (size < RING_HEAD + RING_CAPACITY_MIN || !is_capacity(size - RING_HEAD))
		return "size";
	if (head->magic != RING_MAGIC)
		return "magic";
	if (head->version != RING_VERSION || head->head_size != RING_HEAD)
		return "version";
	return head->capacity == size - RING_HEAD ? NULL : "capacity";
}

bool ring_open(struct ring *ret, void *mapping, uint64_t size, struct ring_identity *ret_identity,
	       const char **why)
{
	const struct ring_head *head = mapping;
	const char *wrong = wrong_in(head, size);

	if (why)
		*why = wrong;
	if (wrong)
		return false;
	place(ret, mapping, size - RING_HEAD);
	memcpy(ret_identity->uuid, head->uuid, sizeof ret_identity->uuid);
	ret_identity->pid = head->pid;
	ret_identity->made_ns = head->made_ns;
	return true;
}

static void zero_piece(unsigned char *at, uint64_t size, uint64_t page)
{
	uintptr_t from = (uintptr_t)at, to = from + size;
	uintptr_t first = page ? (from + page - 1) & ~(uintptr_t)(page - 1) : to;
	uintptr_t last = page ? to & ~(uintptr_t)(page - 1) : to;

	if (first < last && madvise((void *)first, last - first, MADV_REMOVE) == 0) {
		memset(at, 0, first - from);
		memset((void *)last, 0, to - last);
	} else {
		memset(at, 0, size);
	}
}

/* [from, to), at most the capacity; page 0: no page is given back. */
static void zero(struct ring *ring, uint64_t from, uint64_t to, uint64_t page)
{
	uint64_t size = to - from, first = left_before_end(ring, from);

	if (first > size)
		first = size;
	zero_piece(ring->slots + (from & (ring->capacity - 1)), first, page);
	if (first < size)
		zero_piece(ring->slots, size - first, page);
}

static void release(struct ring *ring, uint64_t to, uint64_t page)
{
	if (to == ring->released)
		return;
	atomic_store_explicit(&ring->head->reclaim, to, memory_order_seq_cst);
	zero(ring, ring->released, to, page);
	atomic_store_explicit(&ring->head->head, to, memory_order_release);
	ring->released = to;
}

void ring_release(struct ring *ring, uint64_t to)
{
	release(ring, to, 0);
}

void ring_release_cold(struct ring *ring, uint64_t to, uint64_t page)
{
	release(ring, to, page);
}

bool ring_attach(struct ring *ring, uint64_t high_water, struct ring_reading *ret)
{
	uint64_t head = atomic_load_explicit(&ring->head->head, memory_order_acquire);
	uint64_t reclaim = atomic_load_explicit(&ring->head->reclaim, memory_order_acquire);
	uint64_t tail = atomic_load_explicit(&ring->head->tail, memory_order_acquire);

	if ((head | reclaim | tail | high_water) % RING_ALIGN != 0 || head > tail ||
	    tail - head > ring->capacity || reclaim > tail || high_water > tail)
		return false;
	ring->released = head;
	if (reclaim > head)
		release(ring, reclaim, 0);
	ret->at = high_water > ring->released ? high_water : ring->released;
	return true;
}

/* Bytes of the slot that `word` begins, published or not; 0: nobody of ours writes that there. `left`: bytes to
 * the tail. */
static uint64_t slot_of(const struct ring *ring, uint64_t position, uint64_t word, uint64_t left)
{
	uint64_t kind = (word & ~RING_RESERVED) >> RING_KIND_SHIFT, end = left_before_end(ring, position);
	uint32_t length = (uint32_t)word;
	uint64_t size = ring_slot(length);

	if (size > end || size > left)
		return 0;
	if (kind == RING_KIND_PADDING)
		return !(word & RING_RESERVED) && length + (uint64_t)RING_ALIGN == end ? size : 0;
	return kind == RING_KIND_RECORD && length > 0 && length <= RING_RECORD_MAX(ring->capacity) ? size : 0;
}

/* Where the next word that is not zero is; at most `tail`. */
static uint64_t behind_zeroes(const struct ring *ring, uint64_t at, uint64_t tail)
{
	while (at < tail && atomic_load_explicit(word_at(ring, at), memory_order_acquire) == 0)
		at += RING_ALIGN;
	return at;
}

enum ring_found ring_next(struct ring *ring, struct ring_reading *reading, unsigned char *copy, uint32_t size,
			  uint32_t *ret_length, uint64_t *ret_end, bool dead, uint64_t *ret_skipped)
{
	uint64_t tail = atomic_load_explicit(&ring->head->tail, memory_order_acquire);

	if (tail % RING_ALIGN != 0 || tail - ring->released > ring->capacity ||
	    tail - reading->at > tail - ring->released)
		return RING_FOUND_DAMAGED;
	while (reading->at != tail) {
		uint64_t word = atomic_load_explicit(word_at(ring, reading->at), memory_order_acquire);
		uint64_t slot = word ? slot_of(ring, reading->at, word, tail - reading->at) : 0;

		if (word != 0 && slot == 0)
			return RING_FOUND_DAMAGED;
		if (word == 0 || word & RING_RESERVED) {
			if (!dead)
				return RING_FOUND_UNPUBLISHED;
			reading->at = word ? reading->at + slot : behind_zeroes(ring, reading->at, tail);
			++*ret_skipped;
		} else if (word >> RING_KIND_SHIFT == RING_KIND_PADDING) {
			reading->at += slot;
		} else if ((uint32_t)word > size) {
			return RING_FOUND_DAMAGED;
		} else {
			*ret_length = (uint32_t)word;
			memcpy(copy, (unsigned char *)word_at(ring, reading->at) + RING_ALIGN, *ret_length);
			reading->at += slot;
			*ret_end = reading->at;
			return RING_FOUND_RECORD;
		}
	}
	return RING_FOUND_NONE;
}

/* Words that are damaged keep it awake too: ring_next() tells what they are. */
static bool has_more(const struct ring *ring, const struct ring_reading *reading)
{
	uint64_t word;

	if (atomic_load_explicit(&ring->head->tail, memory_order_seq_cst) == reading->at)
		return false;
	word = atomic_load_explicit(word_at(ring, reading->at), memory_order_seq_cst);
	return word != 0 && !(word & RING_RESERVED);
}

bool ring_sleep(struct ring *ring, const struct ring_reading *reading)
{
	atomic_exchange_explicit(&ring->head->asleep, 1, memory_order_seq_cst);
	if (!has_more(ring, reading))
		return true;
	atomic_store_explicit(&ring->head->asleep, 0, memory_order_relaxed);
	return false;
}

uint64_t ring_fill(const struct ring *ring)
{
	uint64_t head = atomic_load_explicit(&ring->head->head, memory_order_acquire);
	uint64_t tail = atomic_load_explicit(&ring->head->tail, memory_order_relaxed);

	return tail - head < ring->capacity ? tail - head : ring->capacity;
}

/* The consumer may be zeroing what is looked at here: a word that is wrong for a moment does no harm. */
__attribute__((no_sanitize("thread"))) bool ring_is_blocked(const struct ring *ring, uint64_t *ret_head)
{
	uint64_t head = atomic_load_explicit(&ring->head->head, memory_order_acquire);
	uint64_t word = atomic_load_explicit(word_at(ring, head), memory_order_acquire);

	*ret_head = head;
	return ring_fill(ring) > 0 && (word == 0 || word & RING_RESERVED);
}
