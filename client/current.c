/* SPDX-License-Identifier: Apache-2.0 */
/*
 * While an object is in place, its count carries a bias, far above the number
 * of references that can be out, so that giving those back never looks like the end.
 * The number in the word is small (16 bits beside a 48-bit pointer): who finds it
 * half full moves that half to the object's count.
 */
#include "client/current.h"

#include <stddef.h>

#if UINTPTR_MAX > UINT32_MAX
enum { pointer_bits = 48 };
#else
enum { pointer_bits = 32 };
#endif

static const uint64_t one = UINT64_C(1) << pointer_bits;
static const uint64_t pointer_mask = (UINT64_C(1) << pointer_bits) - 1;
static const uint64_t half_full = UINT64_C(1) << (63 - pointer_bits);
static const int64_t in_place = INT64_C(1) << 48;

static struct prodd_counted *pointer_of(uint64_t word)
{
	return (struct prodd_counted *)(uintptr_t)(word & pointer_mask);
}

static int64_t number_of(uint64_t word)
{
	return (int64_t)(word >> pointer_bits);
}

/* True: the count has come to nothing. */
static bool add(struct prodd_counted *c, int64_t more)
{
	return atomic_fetch_add_explicit(&c->count, more, memory_order_acq_rel) + more == 0;
}

void prodd_counted_init(struct prodd_counted *c)
{
	atomic_init(&c->count, 1);
}

void prodd_counted_ref(struct prodd_counted *c)
{
	atomic_fetch_add_explicit(&c->count, 1, memory_order_relaxed);
}

bool prodd_counted_unref(struct prodd_counted *c)
{
	return add(c, -1);
}

bool prodd_current_can_hold(const struct prodd_counted *c)
{
	return ((uint64_t)(uintptr_t)c & ~pointer_mask) == 0;
}

/*
 * Moves half of what fits from the word to the object's count; the caller holds a reference. All who find the
 * word half full come here before they take another one, so it cannot overflow; the first to succeed lets all
 * go.
 */
static void drain(struct prodd_current *current, struct prodd_counted *c)
{
	uint64_t word = atomic_load_explicit(&current->word, memory_order_relaxed);

	add(c, (int64_t)half_full);
	while (pointer_of(word) == c && number_of(word) >= (int64_t)half_full)
		if (atomic_compare_exchange_weak_explicit(&current->word, &word, word - half_full * one,
							  memory_order_acq_rel, memory_order_relaxed))
			return;
	add(c, -(int64_t)half_full);
}

struct prodd_counted *prodd_current_get(struct prodd_current *current)
{
	uint64_t word = atomic_load_explicit(&current->word, memory_order_relaxed);

	if (!pointer_of(word))
		return NULL;
	word = atomic_fetch_add_explicit(&current->word, one, memory_order_acq_rel);
	if (pointer_of(word) && number_of(word) >= (int64_t)half_full)
		drain(current, pointer_of(word));
	return pointer_of(word);
}

struct prodd_counted *prodd_current_set(struct prodd_current *current, struct prodd_counted *next)
{
	uint64_t word;

	if (next)
		atomic_fetch_add_explicit(&next->count, in_place, memory_order_relaxed);
	word = atomic_exchange_explicit(&current->word, (uint64_t)(uintptr_t)next, memory_order_acq_rel);
	if (!pointer_of(word))
		return NULL;
	return add(pointer_of(word), number_of(word) - in_place - 1) ? pointer_of(word) : NULL;
}
