/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The program that a test of the library plays: a handle with a validator and
 * a change callback that note what they saw, in either way of running.
 */
#ifndef TESTS_UNIT_CLIENT_APP_H
#define TESTS_UNIT_CLIENT_APP_H

#include <pthread.h>
#include <stdatomic.h>

#include <prodd/client.h>

#include "tests/unit/client_peer.h"

enum way { WITH_THREAD, OWN_LOOP, WAYS };

enum opinion { ACCEPTS, REJECTS, WANTS_RESTART };

struct app {
	struct prodd *p;
	enum way way;
	pthread_t pump;			/* with an own loop: polls and dispatches */
	atomic_bool stop;
	atomic_int opinion;		/* enum opinion: what the validator says */
	atomic_bool cannot_apply;	/* the change callback fails */
	atomic_uint judged;		/* calls of the validator */
	atomic_uint changes;		/* calls of the change callback */
	char changed[256];		/* the last one's keys, with spaces between */
	uint64_t before;		/* and its generation before */
};

/* Makes the handle, by `way`, for the peer's socket; to be configured further, then started. */
void app_new(struct app *a, struct peer *p, enum way way);
void app_start(struct app *a);
void app_free(struct app *a);

/* The int `key` in the configuration in use; -1: none is in use. */
int64_t app_int(struct app *a, const char *key);
uint64_t app_generation(struct app *a);

/* Waits until the handle says so. */
void app_await_state(struct app *a, enum prodd_state state);
void app_await_connected(struct app *a, bool connected);

/* Milliseconds of the monotonic clock. */
int64_t now_ms(void);

/* Open descriptors of this process. */
int count_descriptors(void);

#endif
