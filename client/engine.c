/* SPDX-License-Identifier: Apache-2.0 */
/*
 * There is one deadline at a time: while away the next attempt, while greeting
 * the end of patience.  A lost session is tried again at once, then after 5 to
 * 50 ms (a daemon that restarts is back by then), then after a random time below
 * a bound that doubles up to the longest pause.
 */
#define _GNU_SOURCE
#include "client/engine.h"

#include <poll.h>
#include <stdlib.h>
#include <sys/random.h>

#include "client/clock.h"
#include "client/handle.h"

enum { soon_least_ms = 5, soon_most_ms = 50, backoff_first_ms = 100 };

/* A session that lasted so long was a good one: its loss is the first failure, not the next. */
static const int64_t good_session_ns = PRODD_NS_PER_S;

/* ---- when to connect */

static unsigned random_below(unsigned bound)
{
	unsigned value;

	if (getrandom(&value, sizeof value, GRND_NONBLOCK) != sizeof value)
		value = (unsigned)prodd_clock_ns() * 2654435761u;	/* Knuth's multiplicative hash */
	return value % bound;
}

static int pause_ms(unsigned failures, int longest_ms)
{
	int bound = backoff_first_ms, pause;

	if (failures <= 1)
		return 0;
	if (failures == 2)
		pause = soon_least_ms + (int)random_below(soon_most_ms - soon_least_ms + 1);
	else {
		for (unsigned i = 3; i < failures && bound < longest_ms; i++)
			bound *= 2;
		bound = bound < longest_ms ? bound : longest_ms;
		pause = soon_least_ms + (int)random_below((unsigned)bound);
	}
	return pause < longest_ms ? pause : longest_ms;
}

/* Sets the timer to the first of what is due. */
static void arm(struct prodd_engine *engine)
{
	int64_t share_ns = prodd_metric_share_due(&engine->metrics);

	engine->armed_ns = share_ns < engine->due_ns ? share_ns : engine->due_ns;
	prodd_poller_arm(&engine->poller, engine->armed_ns);
}

static void set_due(struct prodd_engine *engine, int64_t at_ns)
{
	engine->due_ns = at_ns;
	arm(engine);
}

static void schedule(struct prodd_engine *engine)
{
	int longest_ms = engine->conversation.settings->reconnect_ms;

	if (longest_ms == 0)
		set_due(engine, PRODD_NEVER);
	else
		set_due(engine, prodd_clock_after_ms(pause_ms(engine->failures, longest_ms)));
}

/* ---- the session's life */

/* Without a session for the reason *why. The first time the cached configuration has its chance. */
static void be_away(struct prodd_engine *engine, const struct prodd_error *why)
{
	bool was_good = engine->session_ns && prodd_clock_ns() - engine->session_ns >= good_session_ns;

	engine->failures = was_good ? 1 : engine->failures + 1;
	engine->session_ns = 0;
	prodd_status_disconnected(engine->conversation.status, why);
	prodd_adoption_use_cache(&engine->adoption);
	schedule(engine);
}

static bool owns_socket(struct prodd_engine *engine)
{
	return prodd_poller_has(&engine->poller, engine->link.fd, engine->link.out.size > 0);
}

static void end_session(struct prodd_engine *engine, const struct prodd_error *why)
{
	prodd_link_drop(&engine->link);
	prodd_conversation_end(&engine->conversation);
	be_away(engine, why);
}

/* The user's daemon, where there is one, else the system's. */
static int connect_link(struct prodd_engine *engine, struct prodd_error *e)
{
	const struct prodd_surroundings *s = engine->conversation.surroundings;
	int r = prodd_link_connect(&engine->link, s->sockets[0], e);

	if (r < 0 && s->sockets[1] && access(s->sockets[0], F_OK) < 0)
		r = prodd_link_connect(&engine->link, s->sockets[1], e);
	return r;
}

static int begin_session(struct prodd_engine *engine, struct prodd_error *e)
{
	int r = connect_link(engine, e);

	if (r < 0)
		return r;
	r = prodd_poller_add(&engine->poller, engine->link.fd, e);
	if (r < 0) {
		prodd_link_drop(&engine->link);
		return r;
	}
	r = prodd_conversation_begin(&engine->conversation, e);
	if (r == 0)
		r = prodd_link_flush(&engine->link, e);
	if (r < 0) {
		prodd_link_drop(&engine->link);
		prodd_conversation_end(&engine->conversation);
	}
	return r;
}

static void attempt(struct prodd_engine *engine)
{
	struct prodd_error why;

	if (begin_session(engine, &why) < 0) {
		be_away(engine, &why);
		return;
	}
	owns_socket(engine);
	set_due(engine, prodd_clock_after_ms(PRODD_GREETING_MS));
}

static void note_progress(struct prodd_engine *engine)
{
	if (engine->conversation.phase != PRODD_PHASE_TALKING || engine->session_ns)
		return;
	engine->session_ns = prodd_clock_ns();
	set_due(engine, PRODD_NEVER);
}

static int take_frame(struct prodd_link_reader *reader, struct prodd_slice frame, struct prodd_error *e)
{
	struct prodd_engine *engine =
		(struct prodd_engine *)((char *)reader - offsetof(struct prodd_engine, reader));

	return prodd_conversation_frame(&engine->conversation, frame, e);
}

/* A callback may have closed our descriptors while frames were read: that is looked at before each use. */
static void exchange(struct prodd_engine *engine)
{
	struct prodd_error why;
	int r = prodd_link_receive(&engine->link, &engine->reader, &why);

	if (r == 0 && owns_socket(engine))
		r = prodd_link_flush(&engine->link, &why);
	prodd_adoption_save(&engine->adoption);
	if (r < 0) {
		end_session(engine, &why);
		return;
	}
	owns_socket(engine);
	note_progress(engine);
}

static void pass_deadline(struct prodd_engine *engine)
{
	struct prodd_error why;

	if (engine->due_ns == PRODD_NEVER || prodd_clock_ns() < engine->due_ns)
		return;
	if (engine->conversation.phase == PRODD_PHASE_AWAY) {
		attempt(engine);
		return;
	}
	prodd_error_set(&why, PRODD_E_TIMEOUT, "the daemon does not answer");
	end_session(engine, &why);
}

static bool is_welcomed(const struct prodd_engine *engine)
{
	return engine->conversation.phase == PRODD_PHASE_SUBSCRIBING ||
	       engine->conversation.phase == PRODD_PHASE_TALKING;
}

/* Log and metrics have their turn; what they say goes out with it. */
static void tend(struct prodd_engine *engine)
{
	struct prodd_error why;
	int r = prodd_log_turn(&engine->log, &why);

	if (r == 0)
		r = prodd_metric_share_turn(&engine->metrics, is_welcomed(engine), &why);
	if (r == 0 && engine->link.out.size > 0 && owns_socket(engine))
		r = prodd_link_flush(&engine->link, &why);
	if (r < 0) {
		end_session(engine, &why);
		return;
	}
	if (engine->link.out.size > 0)
		owns_socket(engine);
	if (prodd_metric_share_due(&engine->metrics) < engine->armed_ns)
		arm(engine);
}

/* ---- turning */

static int rebuild(struct prodd_engine *engine, struct prodd_error *e)
{
	struct prodd_error lost;
	int r;

	prodd_error_set(&lost, PRODD_E_CLOSED, "the program has closed the library's descriptors");
	if (engine->conversation.phase != PRODD_PHASE_AWAY)
		end_session(engine, &lost);
	prodd_poller_close(&engine->poller);
	r = prodd_poller_open(&engine->poller, engine->number, e);
	if (r < 0)
		return r;
	engine->number = engine->poller.epoll;
	arm(engine);
	return 0;
}

static int wait_for_events(struct prodd_engine *engine, int timeout_ms)
{
	int events;

	atomic_store(&engine->idle, true);
	events = prodd_poller_wait(&engine->poller, timeout_ms);
	atomic_store(&engine->idle, false);
	return events;
}

static int turn(struct prodd_engine *engine, int timeout_ms, struct prodd_error *e)
{
	int events;
	int r = prodd_poller_is_whole(&engine->poller) ? 0 : rebuild(engine, e);

	if (r < 0)
		return r;
	events = wait_for_events(engine, timeout_ms);
	if (atomic_load(&engine->stop))
		return 0;
	if (atomic_exchange(&engine->want_cache, false))
		prodd_adoption_use_cache(&engine->adoption);
	if (engine->conversation.phase != PRODD_PHASE_AWAY && !owns_socket(engine))
		return rebuild(engine, e);
	if (events & PRODD_ON_SOCKET && engine->conversation.phase != PRODD_PHASE_AWAY)
		exchange(engine);
	pass_deadline(engine);
	tend(engine);
	return 0;
}

int prodd_engine_turn(struct prodd_engine *engine, int timeout_ms, struct prodd_error *e)
{
	int r;

	atomic_store(&engine->idle, false);
	r = turn(engine, timeout_ms, e);
	atomic_store(&engine->idle, true);
	return r;
}

bool prodd_engine_seize(struct prodd_engine *engine)
{
	return !atomic_exchange(&engine->turning, true);
}

bool prodd_engine_enter(struct prodd_engine *engine)
{
	if (!prodd_engine_seize(engine))
		return false;
	atomic_store(&engine->thread, pthread_self());
	return true;
}

void prodd_engine_exit(struct prodd_engine *engine)
{
	atomic_store(&engine->thread, (pthread_t)0);
	atomic_store(&engine->turning, false);
}

bool prodd_engine_is_inside(struct prodd_engine *engine)
{
	pthread_t thread = atomic_load(&engine->thread);

	return thread && pthread_equal(thread, pthread_self());
}

void prodd_engine_want_cache(struct prodd_engine *engine)
{
	atomic_store(&engine->want_cache, true);
	prodd_poller_wake(&engine->poller);
}

void prodd_engine_stop(struct prodd_engine *engine)
{
	atomic_store(&engine->stop, true);
	prodd_poller_wake(&engine->poller);
}

/* ---- life */

static void set_up(struct prodd_engine *engine, struct prodd *p, const char *instance)
{
	engine->adoption = (struct prodd_adoption){
		.p = p,
		.settings = &p->settings,
		.current = &p->current,
		.keys = &p->keys,
		.messages = p->messages,
		.status = &p->status,
		.cache = { p->surroundings.cache, p->settings.app, p->settings.instance,
			   p->surroundings.fingerprint },
	};
	engine->conversation = (struct prodd_conversation){
		.settings = &p->settings,
		.surroundings = &p->surroundings,
		.messages = p->messages,
		.adoption = &engine->adoption,
		.status = &p->status,
		.link = &engine->link,
		.instance = instance,
		.log = &engine->log,
	};
	prodd_log_turns_init(&engine->log, &p->log, &engine->conversation, &engine->poller, p->messages,
			     p->surroundings.cache, p->settings.app);
	engine->reader.frame = take_frame;
	prodd_metric_share_init(&engine->metrics, p->metrics, &engine->conversation);
}

struct prodd_engine *prodd_engine_new(struct prodd *p, const char *instance)
{
	struct prodd_engine *engine = calloc(1, sizeof *engine);

	if (!engine)
		return NULL;
	set_up(engine, p, instance);
	prodd_poller_init(&engine->poller);
	atomic_store(&p->metrics->poller, &engine->poller);
	prodd_link_init(&engine->link);
	engine->number = -1;
	engine->idle = true;
	return engine;
}

/* Due at once: the first turn connects. */
static int opened(struct prodd_engine *engine, int r)
{
	engine->due_ns = 0;
	if (r < 0)
		return r;
	engine->number = engine->poller.epoll;
	arm(engine);
	return 0;
}

int prodd_engine_open(struct prodd_engine *engine, struct prodd_error *e)
{
	return opened(engine, prodd_poller_open(&engine->poller, -1, e));
}

int prodd_engine_take_over(struct prodd_engine *engine, int number, struct prodd_error *e)
{
	engine->number = number;
	return opened(engine, prodd_poller_replace(&engine->poller, number, e));
}

void prodd_engine_close(struct prodd_engine *engine)
{
	if (is_welcomed(engine) && owns_socket(engine)) {
		prodd_metric_share_finish(&engine->metrics);
		prodd_link_flush(&engine->link, NULL);
	}
	prodd_link_drop(&engine->link);
	prodd_poller_close(&engine->poller);
	prodd_conversation_end(&engine->conversation);
}

void prodd_engine_free(struct prodd_engine *engine)
{
	if (!engine)
		return;
	prodd_engine_close(engine);
	atomic_store(&engine->metrics.metrics->poller, NULL);
	prodd_metric_share_clear(&engine->metrics);
	prodd_adoption_clear(&engine->adoption);
	prodd_log_turns_clear(&engine->log);
	free(engine);
}

/* What was half done when the process forked is left as it is: its thread does not exist here. */
struct prodd_engine *prodd_engine_leave(struct prodd_engine *engine, int *ret_number)
{
	bool idle = atomic_load(&engine->idle);

	*ret_number = prodd_poller_leave(&engine->poller);
	if (!idle) {
		prodd_link_abandon(&engine->link);
		return engine;
	}
	prodd_engine_free(engine);
	return NULL;
}
