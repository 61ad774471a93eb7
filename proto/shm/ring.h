/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The ring of an app's log records: a memfd that many threads write and the
 * daemon reads.  After Agrona's many-to-one ring buffer, with positions that
 * never wrap and a release in two steps.
 *
 * The file is a head of 4,096 bytes and `capacity` bytes of slots. All words
 * are in the host's byte order: both sides run on one host.
 *
 * A slot begins at a multiple of 8 with one 64-bit word:
 *
 *   0                          never reserved since the space was released
 *   RESERVED | kind | length   a producer writes `length` bytes behind it
 *   kind | length              published
 *
 * A producer reserves by moving `tail` (compare and swap), stores the reserved
 * word at once, writes the bytes, publishes by a seq_cst exchange of the word,
 * and then looks at `asleep`: without that full fence the consumer could go to
 * sleep between the two.  A record that would not fit before the end of the
 * slots is preceded by one of the kind PADDING, reserved together with it.
 *
 * The consumer reads published slots from `head` on, and releases [head, X) in
 * this order: what it read is kept elsewhere; reclaim = X; the space is
 * zeroed; head = X.  After a consumer's death in between, the next one
 * completes `reclaim` first.
 *
 * A slot that was reserved and not published blocks those behind it while its
 * producer may run. Once all producers are dead it is skipped: a reserved word
 * tells its length; a zero word below `tail` means that its producer died
 * between the two stores, and the next word that is not zero begins a slot
 * (nothing but a reserved word is ever stored into zeroed space first).
 */
#ifndef PRODD_SHM_RING_H
#define PRODD_SHM_RING_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/shm/record.h"

#define RING_MAGIC UINT64_C(0x474e5244444f5250)	/* "PRODDRNG" */
#define RING_VERSION 1u
#define RING_HEAD 4096u				/* bytes before the slots */
#define RING_CAPACITY_MIN (64u * 1024)
#define RING_CAPACITY_USUAL (1024u * 1024)
#define RING_CAPACITY_MAX (64u * 1024 * 1024)
#define RING_ALIGN 8u

#define RING_RESERVED (UINT64_C(1) << 63)
#define RING_KIND_SHIFT 32
#define RING_KIND_RECORD 1u	/* an encoded record (record.h) */
#define RING_KIND_PADDING 2u	/* to the end of the slots */

/* Most bytes of a record in a ring of that capacity: several fit, whatever one thread writes. */
#define RING_RECORD_MAX(capacity) ((uint32_t)((capacity) / 8 < RECORD_MAX ? (capacity) / 8 : RECORD_MAX))

/* Why a producer dropped: indices of ring_head.dropped. */
enum ring_drop {
	RING_DROP_FULL,		/* the ring was full */
	RING_DROP_TOO_LARGE,	/* over RING_RECORD_MAX */
	RING_DROP_BLOCKED,	/* the app asked to wait, and the wait was over */
	RING_DROP_REASONS = 8	/* room for others; unused ones are 0 */
};

/* Each group on cache lines of its own: who writes what never shares one with another's. */
struct ring_head {
	/* written once, before the ring is passed on */
	uint64_t magic;
	uint32_t version;
	uint32_t head_size;		/* RING_HEAD */
	uint64_t capacity;		/* bytes of slots; a power of two */
	uint8_t uuid[16];		/* of this ring; random */
	uint64_t pid;			/* of the process that made it, in its own pid namespace */
	uint64_t made_ns;		/* CLOCK_REALTIME */
	uint8_t fill_0[128 - 56];

	/* producers */
	_Atomic uint64_t tail;		/* bytes reserved since the beginning */
	uint8_t fill_1[128 - 8];
	_Atomic uint64_t dropped[RING_DROP_REASONS];
	_Atomic uint32_t closed;	/* 1: the app has closed it in order, nothing more comes */
	uint8_t fill_2[128 - 68];

	/* the consumer */
	_Atomic uint64_t head;		/* bytes released */
	_Atomic uint64_t reclaim;	/* >= head: [head, reclaim) is being zeroed */
	_Atomic uint64_t counted[RING_DROP_REASONS];	/* of `dropped`: what a consumer has taken note of */
	uint8_t fill_3[128 - 80];
	_Atomic uint32_t asleep;	/* 1: a producer that publishes must write the eventfd, once */
	uint8_t fill_4[128 - 4];
};

_Static_assert(offsetof(struct ring_head, tail) == 128, "layout");
_Static_assert(offsetof(struct ring_head, dropped) == 256, "layout");
_Static_assert(offsetof(struct ring_head, closed) == 320, "layout");
_Static_assert(offsetof(struct ring_head, head) == 384, "layout");
_Static_assert(offsetof(struct ring_head, reclaim) == 392, "layout");
_Static_assert(offsetof(struct ring_head, counted) == 400, "layout");
_Static_assert(offsetof(struct ring_head, asleep) == 512, "layout");
_Static_assert(sizeof(struct ring_head) <= RING_HEAD, "layout");
_Static_assert(ATOMIC_LLONG_LOCK_FREE == 2, "64-bit atomics must be lock-free between processes");

static inline uint64_t ring_word(unsigned kind, uint32_t length)
{
	return (uint64_t)kind << RING_KIND_SHIFT | length;
}

/* Bytes that a slot takes: its word, its bytes, and up to the next multiple of 8. */
static inline uint64_t ring_slot(uint32_t length)
{
	return (RING_ALIGN + (uint64_t)length + RING_ALIGN - 1) & ~(uint64_t)(RING_ALIGN - 1);
}

/* A ring in this process's memory. Both are borrowed from the mapping. */
struct ring {
	struct ring_head *head;
	unsigned char *slots;
	uint64_t capacity;	/* of the mapping, never read from the head again */
	uint64_t released;	/* the consumer's own copy of head; a producer does not use it */
};

#define RING_SYMBOL(name) __asm__("prodd_ring_" name)	/* as RECORD_SYMBOL */

/* Fills the head of a fresh, zeroed mapping of RING_HEAD + capacity bytes. */
void ring_make(struct ring *ret, void *mapping, uint64_t capacity, const uint8_t uuid[16], uint64_t pid,
	       uint64_t made_ns) RING_SYMBOL("make");

/* ---- the producer: any number of threads */

/*
 * Reserves room for `length` bytes. Returns where to write them and *ret_position (of the slot); or NULL: the ring
 * is full (nothing is counted here), or length is 0 or over RING_RECORD_MAX.
 * Lock-free; no system call.
 */
unsigned char *ring_reserve(struct ring *ring, uint32_t length, uint64_t *ret_position) RING_SYMBOL("reserve");

/* Publishes what was reserved at `position`, `length` as reserved. True: the consumer sleeps and this caller is the
 * one to wake it (it has set `asleep` to 0). */
bool ring_publish(struct ring *ring, uint64_t position, uint32_t length) RING_SYMBOL("publish");

/* Adds to ring_head.dropped. */
void ring_drop(struct ring *ring, enum ring_drop reason, uint64_t count) RING_SYMBOL("drop");

/* ---- the consumer: one thread of one process. It believes nothing: every word is read once and checked. */

enum ring_found {
	RING_FOUND_NONE,	/* nothing behind `at` */
	RING_FOUND_RECORD,
	RING_FOUND_UNPUBLISHED,	/* a producer is at work on the slot at `at`, or died in it */
	RING_FOUND_DAMAGED,	/* words that no producer of ours writes: the ring is to be given up */
};

struct ring_reading {
	uint64_t at;		/* where the next slot begins; position of the next record */
};

/* What was written once into the head. */
struct ring_identity {
	uint8_t uuid[16];
	uint64_t pid;
	uint64_t made_ns;
};

/* Takes a mapping of `size` bytes, by fstat, for a ring. False: its head is none of ours; *why (may be NULL)
 * says what is wrong. */
bool ring_open(struct ring *ret, void *mapping, uint64_t size, struct ring_identity *ret_identity,
	       const char **why) RING_SYMBOL("open");

/* Where a consumer starts: completes `reclaim` of one that died; the later of head and `high_water` (the end of
 * the last record of this ring that is kept elsewhere; 0: none). False: damaged. */
bool ring_attach(struct ring *ring, uint64_t high_water, struct ring_reading *ret) RING_SYMBOL("attach");

/*
 * The next record: copies at most `size` bytes into `copy`, *ret_length of them, *ret_end is the position behind the
 * slot; moves `reading` there. Padding is passed over. A record over `size` is DAMAGED.
 * `dead`: no producer lives: unpublished slots are skipped, and added to *ret_skipped (those of zero words that
 * follow one another cannot be told apart and count as one).
 */
enum ring_found ring_next(struct ring *ring, struct ring_reading *reading, unsigned char *copy, uint32_t size,
			  uint32_t *ret_length, uint64_t *ret_end, bool dead, uint64_t *ret_skipped)
	RING_SYMBOL("next");

/* Releases everything below `to`, which ring_next() has passed, in the two steps above. */
void ring_release(struct ring *ring, uint64_t to) RING_SYMBOL("release");

/* As ring_release; whole pages are given back to the system instead of being zeroed. For rings that little is
 * written to: a producer that comes to such a page again pays for it. `page`: bytes of a page. */
void ring_release_cold(struct ring *ring, uint64_t to, uint64_t page) RING_SYMBOL("release_cold");

/* Before the consumer sleeps: sets `asleep`, full fence, and looks once more. False: there is something; it is not
 * asleep. */
bool ring_sleep(struct ring *ring, const struct ring_reading *reading) RING_SYMBOL("sleep");

/* Whether what is not released begins with a slot that its producer has not published. Any process: a hint. */
bool ring_is_blocked(const struct ring *ring, uint64_t *ret_head) RING_SYMBOL("is_blocked");

/* Bytes between what is released and what is reserved; never over the capacity. */
uint64_t ring_fill(const struct ring *ring) RING_SYMBOL("fill");

#endif
