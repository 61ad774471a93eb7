/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The schema written in the program's code, as it goes over the wire: encoded
 * once, in parts that fit a frame each.
 */
#ifndef PRODD_CLIENT_DECLARED_H
#define PRODD_CLIENT_DECLARED_H

#include <prodd/config.h>

#include "proto/buffer.h"

/* One config.declare: below PRODD_FRAME_MAX, PRODD_NODES_MAX and the length of declare.keys. */
#define PRODD_DECLARED_BYTES_MAX (192u * 1024)
#define PRODD_DECLARED_NODES_MAX 3500u
#define PRODD_DECLARED_KEYS_MAX 1000u

struct prodd_declared_part {
	size_t offset;		/* in bytes */
	size_t size;
	uint32_t keys;
	uint32_t nodes;
};

struct prodd_declared {
	struct prodd_buffer bytes;	/* LIST(schema_key), one after another */
	struct prodd_declared_part *parts;	/* owned */
	size_t part_count;
	size_t key_count;
};

void prodd_declared_clear(struct prodd_declared *d);

/* As prodd_declare_keys(). */
int prodd_declared_add(struct prodd_declared *d, const struct prodd_schema_key *keys, size_t count,
		       size_t size, struct prodd_error *e);

/* Part number `i` as a list, borrowed. */
struct prodd_list prodd_declared_list(const struct prodd_declared *d, size_t i);

#endif
