/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An encoded list that many sessions send: encoded once, queued by reference.
 * It is charged to no uid: its size is bounded where it is made, and a session
 * queues a few at most.
 */
#ifndef PRODD_CORE_SHARED_H
#define PRODD_CORE_SHARED_H

#include "proto/slice.h"

struct shared {
	unsigned references;
	uint32_t count;			/* elements of the list */
	size_t size;			/* bytes */
	char bytes[];
};

struct shared *shared_new(struct prodd_list list);	/* copies; NULL: no memory */
struct shared *shared_ref(struct shared *shared);
struct shared *shared_unref(struct shared *shared);	/* returns NULL; NULL is allowed */

static inline struct prodd_list shared_list(const struct shared *shared)
{
	return (struct prodd_list){ shared->bytes, shared->size, shared->count };
}

#endif
