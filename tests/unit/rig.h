/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A loop with sessions on socket pairs, and a service that does what its
 * callers' app names say.  Turns of the loop are run by hand; what goes over a
 * socket pair is there at once, so nothing waits for time but deadlines.
 */
#ifndef PRODD_TESTS_RIG_H
#define PRODD_TESTS_RIG_H

#include "daemon/core/counters.h"
#include "daemon/core/session.h"
#include "tests/unit/suite.h"

#define RIG_CALLS 256

struct rig {
	struct loop loop;
	struct accounts accounts;
	struct session_limits limits;	/* the usual ones, until a test sets others */
	struct service service;
	struct session_host host;
	struct session *last;		/* of the last hello */
	struct call *kept[RIG_CALLS];	/* calls of `confirm` and `events`: a test answers them */
	unsigned kept_count;
	unsigned called;		/* calls that reached the service */
	struct prodd_list filler;	/* the keys that a config.schema is answered with */
	struct peer *attach;		/* to be attached by the next hello */
};

void rig_init(struct rig *rig);
void rig_clear(struct rig *rig);	/* asserts that nothing is left on any account */

/* Runs turns until nothing is left to do now. */
void rig_run(struct rig *rig);

/* Runs turns for that time. */
void rig_pass(struct rig *rig, unsigned ms);

/* Runs turns, waiting, until *what is `value`; fails after 10 s. */
void rig_until(struct rig *rig, const uint64_t *what, uint64_t value);

/* A session; returns the other end, which does not block. */
int rig_connect(struct rig *rig, bool is_operator);

/* A session that has said hello: as an app's instance, or as a command (NULL). */
int rig_greeted(struct rig *rig, bool is_operator, const char *app);

/* ---- a peer's part */

void rig_send(int fd, const void *bytes, size_t size);
void rig_send_call(int fd, uint64_t id, enum wire_method method, const void *params);
void rig_send_answer(int fd, uint64_t id, const struct wire_record *type, const void *result);

/* The next message of prodd's. False: none is there, or the end (*ret_end). `into` holds what it borrows from. */
bool rig_take(int fd, struct prodd_buffer *into, struct prodd_message *ret, bool *ret_end);

/* The next message, which must be the answer to `id`, an error of that code (PRODD_OK: a result). */
void rig_expect(struct rig *rig, int fd, uint64_t id, int code);

/* The end of the connection, after any messages. */
void rig_expect_end(struct rig *rig, int fd);

#endif
