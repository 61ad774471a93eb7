/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The place of the snapshot in use.  Any number of threads take a reference
 * while one replaces it; taking and giving back are one atomic addition each.
 *
 * Split reference counts (A. Williams, C++ Concurrency in Action, 7.2.4): one
 * atomic word holds the pointer and the number of references that were given
 * out since it was put there.  Readers add to that number, which cannot race with a
 * replacement as it is the same word; they give back by subtracting from the
 * count in the object.  Who replaces the pointer adds the number to that count.
 */
#ifndef PRODD_CLIENT_CURRENT_H
#define PRODD_CLIENT_CURRENT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* Counts references to what it is embedded in. */
struct prodd_counted {
	_Atomic int64_t count;
};

struct prodd_current {
	_Atomic uint64_t word;
};

/* One reference, the caller's. */
void prodd_counted_init(struct prodd_counted *c);
void prodd_counted_ref(struct prodd_counted *c);

/* True: it was the last one, the caller frees the object. */
bool prodd_counted_unref(struct prodd_counted *c);

/* Whether a pointer leaves room for the number in the word; false only for exotic heaps (tagged memory). */
bool prodd_current_can_hold(const struct prodd_counted *c);

/* A reference to what is there, or NULL. Wait-free. */
struct prodd_counted *prodd_current_get(struct prodd_current *current);

/* Puts `next` there and takes the caller's reference to it; NULL: nothing. One object is put there once in
 * its life. Returns what was there when its last reference went with that, for the caller to free; else
 * NULL. */
struct prodd_counted *prodd_current_set(struct prodd_current *current, struct prodd_counted *next);

#endif
