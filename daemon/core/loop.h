/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The loop: libevent's base, timers, and a watch over how long a turn takes.
 * One thread; nothing on it may block.
 */
#ifndef PRODD_CORE_LOOP_H
#define PRODD_CORE_LOOP_H

#include <event2/event.h>
#include <stdbool.h>
#include <stdint.h>

#include <prodd/error.h>

struct loop {
	struct event_base *base;	/* owned */
	struct event *probe;		/* owned: measures the lag */
	uint64_t probe_due_us;
	uint64_t longest_turn_us;	/* since loop_longest_turn() was asked last */
};

int loop_init(struct loop *loop, struct prodd_error *e);
void loop_clear(struct loop *loop);	/* half-built objects too */
int loop_run(struct loop *loop, struct prodd_error *e);	/* until loop_stop() */
void loop_stop(struct loop *loop);

/* A one-shot timer, embedded in its owner. fire() runs on the loop, at most once per arming. */
struct loop_timer {
	struct event *event;		/* owned; NULL: not set up */
	void (*fire)(struct loop_timer *timer);
};

int loop_timer_init(struct loop_timer *timer, struct loop *loop, void (*fire)(struct loop_timer *),
		    struct prodd_error *e);
void loop_timer_clear(struct loop_timer *timer);
void loop_timer_arm(struct loop_timer *timer, uint64_t delay_ms);	/* anew when armed already */
void loop_timer_disarm(struct loop_timer *timer);
bool loop_timer_armed(const struct loop_timer *timer);

#endif
