/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The loop: libevent's base, timers, and a watch over how long a turn takes.
 * One thread; nothing on it may block.
 */
#ifndef PRODD_CORE_LOOP_H
#define PRODD_CORE_LOOP_H

#include <event2/event.h>
#include <event2/event_struct.h>
#include <stdbool.h>
#include <stdint.h>

#include <prodd/error.h>

#define LOOP_TURN_LONG_US 10000		/* a longer turn is counted */

#define LOOP_MAPPED (128 * 1024)

#define LOOP_BOUNDS 9
extern const double loop_bounds[LOOP_BOUNDS];	/* seconds */

struct loop {
	struct event_base *base;	/* owned */
	uint64_t turn_us;		/* when the first callback of this turn began; 0: none did */
	uint64_t longest_turn_us;	/* of all */
	uint64_t turns[LOOP_BOUNDS + 1];	/* that took up to each bound, the last ones longer than all */
	uint64_t turns_us;		/* all together */
	bool stopped;
};

/*
 * Settings of the whole process too: SIGPIPE and SIGXFSZ are ignored, so that a peer's end and a limit of
 * files are errors of write(2); memory of LOOP_MAPPED bytes or more is mapped by itself, so that what a burst
 * needed goes back to the kernel with it.
 */
int loop_init(struct loop *loop, struct prodd_error *e);
void loop_clear(struct loop *loop);	/* half-built objects too */
int loop_run(struct loop *loop, struct prodd_error *e);	/* until loop_stop() */
void loop_stop(struct loop *loop);

/* The first line of every libevent callback: a turn is measured from the first one to the next wait. */
void loop_enter(struct loop *loop);

/* A one-shot timer, embedded in its owner. fire() runs on the loop, at most once per arming. */
struct loop_timer {
	struct event event;
	struct loop *loop;		/* borrowed; NULL: not set up */
	void (*fire)(struct loop_timer *timer);
};

int loop_timer_init(struct loop_timer *timer, struct loop *loop, void (*fire)(struct loop_timer *),
		    struct prodd_error *e);
void loop_timer_clear(struct loop_timer *timer);	/* those not set up too */

/* Anew when armed already. Without memory for a deadline it fires at once: early, but never not at all. */
void loop_timer_arm(struct loop_timer *timer, uint64_t delay_ms);
void loop_timer_disarm(struct loop_timer *timer);
bool loop_timer_armed(const struct loop_timer *timer);

/* Fires in this turn, when the callbacks before it have returned. Needs no memory. */
void loop_timer_soon(struct loop_timer *timer);

#endif
