/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libevent runs one turn at a time here, so that the time from a turn's first
 * callback to its end is known without a timer of our own: an idle daemon
 * makes no system call.
 */
#include "daemon/core/loop.h"

#include <malloc.h>
#include <signal.h>
#include <string.h>

#include "daemon/core/counters.h"
#include "daemon/util/clock.h"

int loop_init(struct loop *loop, struct prodd_error *e)
{
	struct event_config *config = event_config_new();

	*loop = (struct loop){ 0 };
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);
	mallopt(M_MMAP_THRESHOLD, LOOP_MAPPED);		/* set, it does not rise any more with what is freed */
	if (config) {
		event_config_set_flag(config, EVENT_BASE_FLAG_PRECISE_TIMER);
		event_config_set_flag(config, EVENT_BASE_FLAG_NOLOCK);
		loop->base = event_base_new_with_config(config);
		event_config_free(config);
	}
	return loop->base ? 0 : prodd_error_set(e, PRODD_E_FAILED, "the event loop cannot be set up");
}

void loop_clear(struct loop *loop)
{
	if (loop->base)
		event_base_free(loop->base);
	*loop = (struct loop){ 0 };
}

void loop_enter(struct loop *loop)
{
	if (!loop->turn_us)
		loop->turn_us = clock_monotonic_us();
}

const double loop_bounds[LOOP_BOUNDS] = { 50e-6, 200e-6, 500e-6, 1e-3, 2e-3, 5e-3, 10e-3, 50e-3, 250e-3 };

static unsigned bucket_of(uint64_t took_us)
{
	unsigned i = 0;

	while (i < LOOP_BOUNDS && (double)took_us > loop_bounds[i] * 1e6)
		i++;
	return i;
}

static void end_turn(struct loop *loop)
{
	uint64_t took_us;

	if (!loop->turn_us)
		return;
	took_us = clock_monotonic_us() - loop->turn_us;
	if (took_us > loop->longest_turn_us)
		loop->longest_turn_us = took_us;
	loop->turns[bucket_of(took_us)]++;
	loop->turns_us += took_us;
	if (took_us > LOOP_TURN_LONG_US)
		counters.loop_turns_long++;
	loop->turn_us = 0;
}

int loop_run(struct loop *loop, struct prodd_error *e)
{
	loop->stopped = false;
	while (!loop->stopped) {
		if (event_base_loop(loop->base, EVLOOP_ONCE | EVLOOP_NO_EXIT_ON_EMPTY) < 0)
			return prodd_error_set(e, PRODD_E_FAILED, "the event loop failed");
		end_turn(loop);
	}
	return 0;
}

void loop_stop(struct loop *loop)
{
	loop->stopped = true;
	event_base_loopbreak(loop->base);
}

/* ---- timers */

static void timer_fired(evutil_socket_t fd, short what, void *arg)
{
	struct loop_timer *timer = arg;

	(void)fd;
	(void)what;
	loop_enter(timer->loop);
	timer->fire(timer);
}

int loop_timer_init(struct loop_timer *timer, struct loop *loop, void (*fire)(struct loop_timer *),
		    struct prodd_error *e)
{
	timer->loop = loop;
	timer->fire = fire;
	if (evtimer_assign(&timer->event, loop->base, timer_fired, timer) == 0)
		return 0;
	timer->loop = NULL;
	return prodd_error_set(e, PRODD_E_FAILED, "a timer cannot be set up");
}

void loop_timer_clear(struct loop_timer *timer)
{
	loop_timer_disarm(timer);
	timer->loop = NULL;
}

void loop_timer_arm(struct loop_timer *timer, uint64_t delay_ms)
{
	struct timeval delay = { .tv_sec = (time_t)(delay_ms / 1000),
				 .tv_usec = (suseconds_t)(delay_ms % 1000 * 1000) };

	if (evtimer_add(&timer->event, &delay) < 0)
		loop_timer_soon(timer);
}

void loop_timer_disarm(struct loop_timer *timer)
{
	if (timer->loop)
		evtimer_del(&timer->event);
}

bool loop_timer_armed(const struct loop_timer *timer)
{
	return timer->loop && evtimer_pending(&timer->event, NULL);
}

void loop_timer_soon(struct loop_timer *timer)
{
	event_active(&timer->event, EV_TIMEOUT, 0);
}
