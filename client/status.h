/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where the instance stands, told by the engine and asked by any thread.  The
 * lock is held only to copy a few hundred bytes.
 */
#ifndef PRODD_CLIENT_STATUS_H
#define PRODD_CLIENT_STATUS_H

#include <pthread.h>
#include <stdint.h>

#include <prodd/handle.h>

#define PRODD_INSTANCE_MAX 128 /* bytes of a name as the daemon grants it: welcome in the wire's schema */

struct prodd_status {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	enum prodd_state state;
	struct prodd_error why;			/* code PRODD_OK: nothing to say */
	struct prodd_error contact; /* why there is no session; code PRODD_OK: there is, or not tried yet */
	bool connected;
	bool closed;
	char instance[PRODD_INSTANCE_MAX + 1];
};

/* In a forked child also over what is there, whose lock may be held by a thread that does not exist here. */
void prodd_status_init(struct prodd_status *s, enum prodd_state state, const char *instance);
void prodd_status_clear(struct prodd_status *s);

/* `why` NULL: no reason. Wakes who waits. */
void prodd_status_set(struct prodd_status *s, enum prodd_state state, const struct prodd_error *why);
void prodd_status_rename(struct prodd_status *s, const char *instance);
void prodd_status_connected(struct prodd_status *s, const char *instance);
void prodd_status_disconnected(struct prodd_status *s, const struct prodd_error *why);
void prodd_status_close(struct prodd_status *s);

/* Wakes who waits: something they look at has changed. */
void prodd_status_notify(struct prodd_status *s);

/* What wait_config looks at, in one piece. */
struct prodd_standing {
	enum prodd_state state;
	struct prodd_error why;
	struct prodd_error contact;
	bool connected;
	bool closed;
};

void prodd_status_get(struct prodd_status *s, struct prodd_standing *ret);

/* Copies the name of this instance. */
void prodd_status_name(struct prodd_status *s, char name[PRODD_INSTANCE_MAX + 1]);

/* Waits, until `done` says so under the lock, or until `deadline_ns`. */
void prodd_status_wait(struct prodd_status *s, bool (*done)(const struct prodd_status *s, void *arg),
		       void *arg, int64_t deadline_ns);

#endif
