/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A record is encoded once, straight into the ring that is shared with the daemon: no allocation, no
 * lock, no copy of it anywhere else.  System calls come only where the daemon sleeps, where a full ring is
 * waited for, and once in many records for the name of the thread.
 */
#define _GNU_SOURCE
#include "client/log.h"

#include <stdio.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "client/clock.h"
#include "client/encode.h"
#include "client/handle.h"
#include "proto/limits.h"

enum { thread_name_max = 16, thread_name_uses = 256, wait_step_us = 500, knock_ms = 500 };

/* ---- a record's surroundings */

/* The kernel's name of this thread. A copy of it: looked at again once in so many records, as a thread may be renamed. */
static struct prodd_slice thread_name(void)
{
	static __thread char name[thread_name_max];
	static __thread unsigned uses;

	if (uses++ % thread_name_uses == 0)
		prctl(PR_GET_NAME, name);
	return (struct prodd_slice){ name, strnlen(name, sizeof name) };
}

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (uint64_t)now.tv_sec * (uint64_t)PRODD_NS_PER_S + (uint64_t)now.tv_nsec;
}

static struct prodd_slice name_of(const char *text, const char *otherwise)
{
	const char *chosen = text ? text : otherwise;

	return (struct prodd_slice){ chosen, strnlen(chosen, RECORD_NAME_MAX) };
}

/* ---- a handle that cannot log */

static int closed(enum prodd_level level, const char *app, const char *message)
{
	if (level >= PRODD_WARN && level < PRODD_OFF)
		fprintf(stderr, "%s: %s: %s\n", app, record_level_word(level), message);
	return -PRODD_E_CLOSED;
}

/* ---- a full ring */

/* Tells the engine, now and then: it looks whether the ring is blocked. */
static void knock(struct prodd *p)
{
	int64_t now = prodd_clock_ns(), last = atomic_load_explicit(&p->log.knocked_ns, memory_order_relaxed);

	if (now - last > knock_ms * PRODD_NS_PER_MS &&
	    atomic_compare_exchange_strong(&p->log.knocked_ns, &last, now))
		prodd_poller_wake(&p->engine->poller);
}

static int drop(struct prodd_ring_out *out, enum ring_drop reason, int error)
{
	ring_drop(&out->ring, reason, 1);
	return -error;
}

/* Waits for room where the program wants that. The ring may be another one at each try. NULL: *ret_r says why. */
static unsigned char *wait_for_room(struct prodd *p, struct prodd_ring_out **out, uint32_t size, uint64_t *position,
				    int *ret_r)
{
	int64_t deadline_ns = prodd_clock_after_ms(p->settings.log_blocking_ms);
	unsigned char *at;

	while (prodd_clock_ns() < deadline_ns) {
		knock(p);
		usleep(wait_step_us);
		*out = prodd_rings_current(&p->log.rings);
		at = ring_reserve(&(*out)->ring, size, position);
		if (at)
			return at;
	}
	*ret_r = drop(*out, RING_DROP_BLOCKED, PRODD_E_TIMEOUT);
	return NULL;
}

static unsigned char *reserve(struct prodd *p, struct prodd_ring_out **out, size_t size, uint64_t *position, int *ret_r)
{
	unsigned char *at;

	if (__builtin_expect(size > RING_RECORD_MAX((*out)->ring.capacity), 0)) {
		*ret_r = drop(*out, RING_DROP_TOO_LARGE, PRODD_E_TOO_LARGE);
		return NULL;
	}
	at = ring_reserve(&(*out)->ring, (uint32_t)size, position);
	if (__builtin_expect(at != NULL, 1))
		return at;
	knock(p);
	if (p->settings.log_blocking_ms > 0 && !prodd_engine_is_inside(p->engine))
		return wait_for_room(p, out, (uint32_t)size, position, ret_r);
	*ret_r = drop(*out, RING_DROP_FULL, PRODD_E_OVER_LIMIT);
	return NULL;
}

/* ---- logging */

static int put(struct prodd *p, struct prodd_entry_of_log *entry)
{
	struct prodd_ring_out *out = prodd_rings_current(&p->log.rings);
	size_t size = prodd_encode_measure(entry);
	uint64_t position;
	int r = 0;
	unsigned char *at = reserve(p, &out, size, &position, &r);

	if (!at)
		return r;
	prodd_encode_write(entry, at);
	if (ring_publish(&out->ring, position, (uint32_t)size))
		prodd_rings_wake(&p->log.rings, out);
	return 0;
}

int prodd_log(struct prodd *p, enum prodd_level level, const struct prodd_site *site, const char *message,
	      const struct prodd_field *fields, size_t count)
{
	const char *target = site ? site->target : NULL;
	struct prodd_entry_of_log entry;

	if (!prodd_logs(p, level))
		return 0;
	prodd_handle_look(p);
	if (!prodd_levels_pass(&p->log.levels, target, (int)level) || level >= PRODD_OFF)
		return 0;
	message = message ? message : "";
	if (__builtin_expect(!prodd_rings_current(&p->log.rings) || atomic_load(&p->closed), 0))
		return closed(level, p->settings.app, message);
	entry.time_ns = now_ns();
	entry.level = (int)level;
	entry.target = name_of(target, "main");
	entry.message = prodd_slice(message);
	entry.thread = thread_name();
	entry.source = name_of(site ? site->source : NULL, "");
	entry.fields = fields;
	entry.count = fields ? (unsigned)(count < RECORD_FIELDS_MAX ? count : RECORD_FIELDS_MAX) : 0;
	return put(p, &entry);
}

int prodd_set_level(struct prodd *p, const char *target, enum prodd_level level)
{
	struct prodd_slice name = prodd_slice(target ? target : "");

	if (!p)
		return 0;
	prodd_handle_look(p);
	if (name.size > PRODD_LEVEL_TARGET_MAX || (int)level < PRODD_TRACE || level > PRODD_OFF)
		return -PRODD_E_USAGE;
	return prodd_levels_own(&p->log.levels, name, (int)level);
}

/* ---- until it is durable */

static void turn_once(struct prodd *p, uint64_t number, int64_t deadline_ns)
{
	enum { slice_ms = 5 };
	struct prodd_error ignored;

	if (!prodd_engine_enter(p->engine)) {
		int64_t slice_ns = prodd_clock_after_ms(slice_ms);

		prodd_log_sync_wait(&p->log.sync, number, slice_ns < deadline_ns ? slice_ns : deadline_ns);
		return;
	}
	prodd_engine_turn(p->engine, prodd_clock_ms_until(deadline_ns, PRODD_NET_MS), &ignored);
	prodd_engine_exit(p->engine);
}

static int say_late(struct prodd *p, struct prodd_error *e)
{
	struct prodd_standing standing;

	prodd_status_get(&p->status, &standing);
	if (standing.connected)
		return prodd_error_set(e, PRODD_E_TIMEOUT, "the daemon has not made all log records durable in time");
	return prodd_error_set(e, PRODD_E_CLOSED, "%s: log records wait until one comes",
			       standing.contact.code ? standing.contact.text : "no daemon");
}

int prodd_log_sync(struct prodd *p, int timeout_ms, struct prodd_error *e)
{
	int64_t deadline_ns = prodd_clock_after_ms(timeout_ms);
	struct prodd_error why;
	uint64_t number;
	int r = 0;

	if (!p)
		return 0;
	prodd_handle_look(p);
	if (!p->engine)
		return prodd_error_set(e, PRODD_E_USAGE, "prodd_log_sync: not started");
	if (atomic_load(&p->closed))
		return prodd_error_set(e, PRODD_E_CLOSED, "prodd_log_sync: the handle is closed");
	if (prodd_engine_is_inside(p->engine))
		return prodd_error_set(e, PRODD_E_USAGE, "prodd_log_sync: called from a callback");
	number = prodd_log_sync_draw(&p->log.sync);
	prodd_poller_wake(&p->engine->poller);
	do {
		if (p->settings.own_loop)
			turn_once(p, number, deadline_ns);
		else
			prodd_log_sync_wait(&p->log.sync, number, deadline_ns);
		r = prodd_log_sync_look(&p->log.sync, number, &why);
	} while (r == 0 && prodd_clock_ns() < deadline_ns && !atomic_load(&p->closed));
	if (r == 0)
		return say_late(p, e);
	return r < 0 ? prodd_error_set(e, why.code, "%s", why.text) : 0;
}
