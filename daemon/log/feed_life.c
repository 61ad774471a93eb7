/* SPDX-License-Identifier: Apache-2.0 */
/* A feed from its session to its end: it ends when nobody can write into its ring any more and all of it is
 * kept. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "daemon/core/counters.h"
#include "daemon/log/feed.h"
#include "daemon/log/logs.h"
#include "daemon/util/clock.h"
#include "daemon/util/container.h"
#include "daemon/util/log.h"

#define HELD_BYTES (64u * 1024)	/* that a cold ring keeps back, so that there are whole pages to give */

enum { cold_part = 4 };		/* a ring that got less than this part of its capacity in a second is cold */

const char feed_kind[] = "feed";

/* ---- sessions */

static void disconnected(struct peer *peer)
{
	struct feed *feed = container_of(peer, struct feed, peer);

	feed->peer.session = NULL;
	feed->lost_ms = clock_monotonic_ms();
	feed_wish(feed);
}

void feed_bind(struct feed *feed, struct session *session)
{
	session_detach(&feed->peer);
	feed->peer = (struct peer){ .closed = disconnected, .kind = feed_kind };
	session_attach(session, &feed->peer);
	feed->lost_ms = 0;
	snprintf(feed->instance, sizeof feed->instance, "%s", session_instance(session));
}

struct feed *feed_new(struct stream *stream, struct session *session)
{
	const struct identity *who = session_identity(session);
	struct feed *feed = calloc(1, sizeof *feed);

	if (!feed)
		return NULL;
	feed->stream = stream;
	feed->mapping.fd = -1;
	feed->eventfd = -1;
	feed->uid = who->uid;
	feed->pid = who->pid;
	feed->pidfd = who->pidfd >= 0 ? fcntl(who->pidfd, F_DUPFD_CLOEXEC, 3) : -1;
	feed->started = death_started(who->pid);
	TAILQ_INIT(&feed->syncs);
	feed_bind(feed, session);
	return feed;
}

/* ---- watches */

static void woken(evutil_socket_t fd, short what, void *arg)
{
	struct feed *feed = arg;

	(void)fd;
	(void)what;
	loop_enter(feed->stream->logs->loop);
	feed_wish(feed);
}

static void process_ended(evutil_socket_t fd, short what, void *arg)
{
	struct feed *feed = arg;

	(void)fd;
	(void)what;
	loop_enter(feed->stream->logs->loop);
	event_del(&feed->exited);
	feed_wish(feed);
}

static int watch_process(struct feed *feed)
{
	struct event_base *base = feed->stream->logs->loop->base;

	if (feed->pidfd < 0)
		return 0;
	return event_assign(&feed->exited, base, feed->pidfd, EV_READ | EV_PERSIST, process_ended, feed) < 0
	       ? -1 : event_add(&feed->exited, NULL);
}

int feed_watch(struct feed *feed, struct prodd_error *e)
{
	struct event_base *base = feed->stream->logs->loop->base;

	feed->eventfd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (feed->eventfd < 0)
		return prodd_error_set(e, PRODD_E_IO, "an eventfd: %s", strerror(errno));
	if (event_assign(&feed->woken, base, feed->eventfd, EV_READ | EV_PERSIST | EV_ET, woken, feed) < 0 ||
	    event_add(&feed->woken, NULL) < 0)
		return prodd_error_set(e, PRODD_E_NO_MEMORY, "a ring");
	feed->watched = true;
	return watch_process(feed) < 0 ? prodd_error_set(e, PRODD_E_NO_MEMORY, "a ring") : 0;
}

void feed_unwatch(struct feed *feed)
{
	if (!feed->watched)
		return;
	feed->watched = false;
	event_del(&feed->woken);
	if (feed->pidfd >= 0 && event_initialized(&feed->exited))
		event_del(&feed->exited);
}

/* ---- space */

void feed_release(struct feed *feed, bool all)
{
	uint64_t held = feed->kept - feed->ring.released, most = feed->ring.capacity / 4;

	if (!feed->cold)
		ring_release(&feed->ring, feed->kept);
	else if (all || held >= (most < HELD_BYTES ? most : HELD_BYTES))
		ring_release_cold(&feed->ring, feed->kept, (uint64_t)sysconf(_SC_PAGESIZE));
}

/* ---- once a second */

static void count_drops(struct feed *feed)
{
	static const enum log_drop reasons[] = { [RING_DROP_FULL] = LOG_DROP_RING_FULL,
						 [RING_DROP_TOO_LARGE] = LOG_DROP_TOO_LARGE,
						 [RING_DROP_BLOCKED] = LOG_DROP_BLOCKED };

	for (unsigned i = 0; i < sizeof reasons / sizeof *reasons; i++) {
		uint64_t now = atomic_load_explicit(&feed->ring.head->dropped[i], memory_order_relaxed);

		if (now > feed->dropped[i]) {
			stream_drop(feed->stream, reasons[i], now - feed->dropped[i]);
			feed->dropped[i] = now;
			atomic_store_explicit(&feed->ring.head->counted[i], now, memory_order_relaxed);
		}
	}
}

/* Nobody tells how it ended: its session is gone for long, and its process lives on without it, or cannot be
 * watched. */
static void presume_dead(struct feed *feed)
{
	feed->dead = true;
	feed_wish(feed);
}

/* Of a producer that has taken `asleep` back the wake-up is on its way. */
static void look_in(struct feed *feed)
{
	bool told = !atomic_load_explicit(&feed->ring.head->asleep, memory_order_acquire);

	if (!feed->asleep || ring_sleep(&feed->ring, &feed->reading))
		return;
	counters.rings_swept += !told;
	feed_wish(feed);
}

void feed_sweep(struct feed *feed, uint64_t now_ms)
{
	count_drops(feed);
	feed->cold = feed->reading.at - feed->swept_at < feed->ring.capacity / cold_part;
	feed->swept_at = feed->reading.at;
	look_in(feed);
	if (feed->lost_ms && now_ms - feed->lost_ms >= FEED_LOST_MS && !feed->dead)
		presume_dead(feed);
	feed_settle(feed);
}

/* ---- the end */

static void tell_crash(const struct feed *feed)
{
	struct stream_crash *crash = &feed->stream->crash;

	if (!*feed->crash)
		return;
	*crash = (struct stream_crash){ .when_ms = clock_wall_ms(), .last_words = feed->last_words,
					.number = feed->stream->seen.next - 1 };
	snprintf(crash->instance, sizeof crash->instance, "%s", feed->instance);
	snprintf(crash->how, sizeof crash->how,
		 strncmp(feed->crash, "SIG", 3) == 0 ? "killed by %s" : "ended: %s", feed->crash);
	events_add(feed->stream->logs->events, EVENT_CRASHED, feed->stream->name, feed->instance,
		   "%s, %" PRIu64 " last records kept", crash->how, crash->last_words);
}

/* The ring is closed and nothing is left in it; or nobody is left who could write. */
static bool is_over(const struct feed *feed)
{
	uint64_t tail = atomic_load_explicit(&feed->ring.head->tail, memory_order_acquire);

	if (feed->kept != feed->reading.at || feed->turn.waiting || feed->is_hungry)
		return false;
	if (feed->dead)
		return !feed->lingering;
	return feed->kept == tail && atomic_load_explicit(&feed->ring.head->closed, memory_order_acquire);
}

void feed_settle(struct feed *feed)
{
	struct stream *stream = feed->stream;

	if (!feed->attached || !is_over(feed))
		return;
	count_drops(feed);
	tell_crash(feed);
	stream_forget(stream, feed->uuid, feed->uid);
	feed_free(feed);
}
