/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Waiting for a configuration, and a program's own loop.  With an own loop who
 * waits also dispatches, unless another thread does.
 */
#include "client/handle.h"

#include "client/clock.h"

/* The engine's time to put the cached configuration in use, within the 10 ms that a wait may be late. */
enum { cache_grace_ms = 5, slice_ms = 5 };

/* ---- the program's own loop */

int prodd_fd(struct prodd *p)
{
	if (!p)
		return -1;
	prodd_handle_look(p);
	if (!p->engine || !p->settings.own_loop || atomic_load(&p->closed))
		return -1;
	return p->engine->poller.epoll;
}

int prodd_dispatch(struct prodd *p, struct prodd_error *e)
{
	int r;

	if (!p)
		return 0;
	prodd_handle_look(p);
	if (atomic_load(&p->closed))
		return prodd_error_set(e, PRODD_E_CLOSED, "prodd_dispatch: the handle is closed");
	if (!p->engine || !p->settings.own_loop)
		return prodd_error_set(e, PRODD_E_USAGE, "prodd_dispatch: not started with an own loop");
	if (prodd_engine_is_inside(p->engine))
		return prodd_error_set(e, PRODD_E_USAGE, "prodd_dispatch: called from a callback");
	if (!prodd_engine_enter(p->engine))
		return 0;
	r = prodd_engine_turn(p->engine, 0, e);
	prodd_engine_exit(p->engine);
	return r;
}

/* ---- waiting for a configuration */

static bool has_config(struct prodd *p)
{
	const struct prodd_config *c = prodd_snapshot_in_use(&p->current);

	prodd_config_unref(c);
	return c;
}

/* The daemon has said what cannot change without somebody's doing. */
static bool is_final(enum prodd_state state)
{
	return state == PRODD_STATE_INVALID || state == PRODD_STATE_REFUSED ||
	       state == PRODD_STATE_DIVERGED || state == PRODD_STATE_SEPARATE;
}

static bool is_over(const struct prodd_status *s, void *arg)
{
	return s->closed || is_final(s->state) || has_config(arg);
}

static bool is_over_now(struct prodd *p)
{
	struct prodd_standing standing;

	prodd_status_get(&p->status, &standing);
	return standing.closed || is_final(standing.state) || has_config(p);
}

static void wait_for_thread(struct prodd *p, int64_t deadline_ns)
{
	prodd_status_wait(&p->status, is_over, p, deadline_ns);
	if (is_over_now(p))
		return;
	prodd_engine_want_cache(p->engine);
	prodd_status_wait(&p->status, is_over, p, prodd_clock_after_ms(cache_grace_ms));
}

static int turn_once(struct prodd *p, int64_t deadline_ns, struct prodd_error *e)
{
	int r;

	if (!prodd_engine_enter(p->engine)) {
		int64_t slice_ns = prodd_clock_after_ms(slice_ms);

		prodd_status_wait(&p->status, is_over, p, slice_ns < deadline_ns ? slice_ns : deadline_ns);
		return 0;
	}
	r = prodd_engine_turn(p->engine, prodd_clock_ms_until(deadline_ns, PRODD_NET_MS), e);
	prodd_engine_exit(p->engine);
	return r;
}

/* A thread of the program's that turns the engine at this moment has the time that the library's own would have. */
static int turn_for_cache(struct prodd *p, struct prodd_error *e)
{
	int r;

	prodd_engine_want_cache(p->engine);
	if (!prodd_engine_enter(p->engine)) {
		prodd_status_wait(&p->status, is_over, p, prodd_clock_after_ms(cache_grace_ms));
		return 0;
	}
	r = prodd_engine_turn(p->engine, 0, e);
	prodd_engine_exit(p->engine);
	return r;
}

static int wait_by_turning(struct prodd *p, int64_t deadline_ns, struct prodd_error *e)
{
	int r = 0;

	while (r == 0 && !is_over_now(p) && prodd_clock_ns() < deadline_ns)
		r = turn_once(p, deadline_ns, e);
	return r < 0 || is_over_now(p) ? r : turn_for_cache(p, e);
}

/* Why there is nothing, as the program's user shall read it. */
static int say_why(struct prodd *p, struct prodd_error *e)
{
	struct prodd_standing standing;

	prodd_status_get(&p->status, &standing);
	if (standing.closed)
		return prodd_error_set(e, PRODD_E_CLOSED, "the handle is closed");
	if (is_final(standing.state))
		return prodd_error_set(e, standing.why.code, "%s", standing.why.text);
	if (standing.contact.code)
		return prodd_error_set(e, PRODD_E_NO_CONFIG, "%s and no cached configuration",
				       standing.contact.text);
	if (standing.why.code)
		return prodd_error_set(e, PRODD_E_NO_CONFIG, "%s", standing.why.text);
	return prodd_error_set(e, PRODD_E_TIMEOUT, "the daemon does not answer and no cached configuration");
}

int prodd_wait_config(struct prodd *p, int timeout_ms, struct prodd_error *e)
{
	int64_t deadline_ns = prodd_clock_after_ms(timeout_ms);
	int r = 0;

	if (!p)
		return 0;
	prodd_handle_look(p);
	if (!p->engine)
		return prodd_error_set(e, PRODD_E_USAGE, "prodd_wait_config: not started");
	if (has_config(p))
		return 0;
	if (prodd_engine_is_inside(p->engine))
		return prodd_error_set(e, PRODD_E_USAGE, "prodd_wait_config: called from a callback");
	if (p->settings.own_loop)
		r = wait_by_turning(p, deadline_ns, e);
	else
		wait_for_thread(p, deadline_ns);
	if (has_config(p))
		return 0;
	return r < 0 ? r : say_why(p, e);
}
