/* SPDX-License-Identifier: Apache-2.0 */
/* One lock, one condition; whoever changes something wakes all, who look again. */
#define _GNU_SOURCE
#include "client/status.h"

#include <errno.h>
#include <string.h>

#include "client/clock.h"

static void copy_name(char *to, const char *from)
{
	size_t size = strnlen(from, PRODD_INSTANCE_MAX);

	memcpy(to, from, size);
	to[size] = '\0';
}

void prodd_status_init(struct prodd_status *s, enum prodd_state state, const char *instance)
{
	pthread_condattr_t attributes;
	char name[PRODD_INSTANCE_MAX + 1];

	copy_name(name, instance);	/* it may be in *s */
	memset(s, 0, sizeof *s);
	pthread_mutex_init(&s->lock, NULL);
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&s->changed, &attributes);
	pthread_condattr_destroy(&attributes);
	s->state = state;
	copy_name(s->instance, name);
}

void prodd_status_clear(struct prodd_status *s)
{
	pthread_cond_destroy(&s->changed);
	pthread_mutex_destroy(&s->lock);
}

static void unlock_and_wake(struct prodd_status *s)
{
	pthread_cond_broadcast(&s->changed);
	pthread_mutex_unlock(&s->lock);
}

void prodd_status_set(struct prodd_status *s, enum prodd_state state, const struct prodd_error *why)
{
	pthread_mutex_lock(&s->lock);
	s->state = state;
	s->why = why ? *why : (struct prodd_error){ 0 };
	unlock_and_wake(s);
}

void prodd_status_rename(struct prodd_status *s, const char *instance)
{
	pthread_mutex_lock(&s->lock);
	copy_name(s->instance, instance);
	pthread_mutex_unlock(&s->lock);
}

void prodd_status_connected(struct prodd_status *s, const char *instance)
{
	pthread_mutex_lock(&s->lock);
	s->connected = true;
	s->contact = (struct prodd_error){ 0 };
	if (*instance)
		copy_name(s->instance, instance);
	unlock_and_wake(s);
}

void prodd_status_disconnected(struct prodd_status *s, const struct prodd_error *why)
{
	pthread_mutex_lock(&s->lock);
	s->connected = false;
	s->contact = *why;
	unlock_and_wake(s);
}

void prodd_status_close(struct prodd_status *s)
{
	pthread_mutex_lock(&s->lock);
	s->closed = true;
	s->connected = false;
	s->state = PRODD_STATE_OFF;
	s->why = (struct prodd_error){ 0 };
	unlock_and_wake(s);
}

void prodd_status_notify(struct prodd_status *s)
{
	pthread_mutex_lock(&s->lock);
	unlock_and_wake(s);
}

void prodd_status_get(struct prodd_status *s, struct prodd_standing *ret)
{
	pthread_mutex_lock(&s->lock);
	*ret = (struct prodd_standing){ s->state, s->why, s->contact, s->connected, s->closed };
	pthread_mutex_unlock(&s->lock);
}

void prodd_status_name(struct prodd_status *s, char name[PRODD_INSTANCE_MAX + 1])
{
	pthread_mutex_lock(&s->lock);
	copy_name(name, s->instance);
	pthread_mutex_unlock(&s->lock);
}

void prodd_status_wait(struct prodd_status *s, bool (*done)(const struct prodd_status *s, void *arg),
		       void *arg, int64_t deadline_ns)
{
	struct timespec deadline = prodd_clock_timespec(deadline_ns);
	int r = 0;

	pthread_mutex_lock(&s->lock);
	while (!done(s, arg) && r != ETIMEDOUT)
		r = deadline_ns == PRODD_NEVER ? pthread_cond_wait(&s->changed, &s->lock) :
						 pthread_cond_timedwait(&s->changed, &s->lock, &deadline);
	pthread_mutex_unlock(&s->lock);
}
