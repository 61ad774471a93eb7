/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a session has still to send: its own bytes, copied, and bytes that many
 * sessions share, by reference; a descriptor may go with a frame.  It knows exactly what it keeps, so that the
 * session can charge it.
 */
#ifndef PRODD_CORE_OUTPUT_H
#define PRODD_CORE_OUTPUT_H

#include <stddef.h>
#include <sys/queue.h>
#include <sys/types.h>

#include "daemon/core/shared.h"
#include "proto/slice.h"

struct output_chunk;

struct output {
	TAILQ_HEAD(chunk_list, output_chunk) chunks;
	size_t pending;		/* bytes to send */
	size_t own;		/* of these, not shared */
	size_t kept;		/* bytes of memory that it holds, shared ones not counted */
	unsigned shared;	/* shared bodies among the chunks */
};

void output_init(struct output *output);
void output_clear(struct output *output);

/* Copies. 0 or -PRODD_E_NO_MEMORY. */
int output_add(struct output *output, struct prodd_slice bytes);

/* Copies the bytes, takes `fd`: it goes with the first of them. 0 or -PRODD_E_NO_MEMORY (then it is closed). */
int output_add_fd(struct output *output, struct prodd_slice bytes, int fd);

/* Shares. 0 or -PRODD_E_NO_MEMORY. */
int output_add_shared(struct output *output, struct shared *shared);

/* One write to a socket that does not block. Returns the bytes written, 0 when the socket is full, or -errno. */
ssize_t output_write(struct output *output, int fd);

#endif
