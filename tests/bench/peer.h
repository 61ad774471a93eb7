/* SPDX-License-Identifier: Apache-2.0 */
/* A small client over proto/: blocking calls, and an instance that says yes to everything. */
#ifndef PRODD_TESTS_BENCH_PEER_H
#define PRODD_TESTS_BENCH_PEER_H

#include "proto/frame.h"

struct peer {
	int fd;
	uint64_t id;
	struct prodd_deframer in;
	struct prodd_slice rest;	/* bytes read and not used yet */
	char bytes[65536];
	uint64_t committed_ns;		/* when the last config.commit came */
	unsigned commits;
	unsigned applied;		/* config.apply answered */
};

void peer_open(struct peer *peer, const char *path);
void peer_close(struct peer *peer);

void peer_send(struct peer *peer, enum wire_method method, const void *params);

/* Blocks for the answer to the last call; answers what the daemon asks meanwhile. */
void peer_answer(struct peer *peer, struct prodd_message *ret);

/* Handles what is whole of what was read; reads once when that is nothing. */
void peer_handle(struct peer *peer);

/* hello and, with an app, subscribe. */
void peer_greet(struct peer *peer, const char *app, const char *instance);

#endif
