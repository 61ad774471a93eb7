/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A turn: is the process still alive, then at most FEED_TURN_BYTES, each record
 * copied to private memory before a byte of it is looked at.  What was found after the
 * death is marked as last words, so the question comes first.
 */
#define _GNU_SOURCE
#include "daemon/log/feed.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon/core/counters.h"
#include "daemon/log/logs.h"
#include "daemon/util/clock.h"
#include "daemon/util/container.h"
#include "daemon/util/file.h"
#include "daemon/util/log.h"

#define PARTING_MS 50		/* after a hang-up: so long the death that it may foretell is waited for */

/* Turns, FEED_LINGER_MS apart, in which the kernel may still tell how a process ended. */
enum { death_tries = 50 };

static unsigned char scratch[RECORD_MAX];	/* loop thread only */

enum read_end { READ_ALL, READ_MORE, READ_BLOCKED, READ_NO_ROOM, READ_DAMAGED };

/* ---- reading */

void feed_wish(struct feed *feed)
{
	if (feed->attached && !feed->is_hungry)
		turns_wish(&feed->stream->logs->turns, &feed->turn);
}

void feed_aim(struct feed *feed)
{
	uint64_t tail = atomic_load_explicit(&feed->ring.head->tail, memory_order_acquire);

	feed->goal = tail - feed->kept <= feed->ring.capacity ? tail : feed->kept;
}

static bool is_closed(const struct feed *feed)
{
	return atomic_load_explicit(&feed->ring.head->closed, memory_order_acquire) != 0;
}

/* False: no memory. */
static bool intake(struct feed *feed, struct prodd_slice bytes, uint64_t end)
{
	struct stream *stream = feed->stream;
	struct record record;
	struct origin origin = {
		.instance = prodd_slice(feed->instance), .pid = (uint64_t)feed->pid, .uid = feed->uid,
		.ring = { (const char *)feed->uuid, sizeof feed->uuid }, .end = end, .crash = prodd_slice(feed->crash),
	};

	if (!record_open(bytes, &record, NULL)) {
		stream_drop(stream, LOG_DROP_DAMAGED, 1);
		return true;
	}
	if (!shares_take(&stream->shares, &feed->share)) {
		stream_drop(stream, LOG_DROP_RATE, 1);
		return true;
	}
	if (!stream_add(stream, &origin, bytes))
		return false;
	feed->last_words += feed->dead;
	return true;
}

/* One record. READ_MORE: it was one. */
static enum read_end read_one(struct feed *feed)
{
	struct ring_reading before = feed->reading;
	uint64_t end = 0, skipped = 0;
	uint32_t length = 0;
	enum ring_found found = ring_next(&feed->ring, &feed->reading, scratch, sizeof scratch, &length, &end,
					  feed->dead, &skipped);

	stream_drop(feed->stream, LOG_DROP_UNPUBLISHED, skipped);
	if (found == RING_FOUND_DAMAGED)
		return READ_DAMAGED;
	if (found == RING_FOUND_UNPUBLISHED)
		return READ_BLOCKED;
	if (found == RING_FOUND_NONE)
		return READ_ALL;
	if (intake(feed, (struct prodd_slice){ (const char *)scratch, length }, end))
		return READ_MORE;
	feed->reading = before;
	return READ_NO_ROOM;
}

static enum read_end read_some(struct feed *feed)
{
	uint64_t from = feed->reading.at;
	enum read_end end = READ_MORE;

	shares_fill(&feed->stream->shares, clock_monotonic_us());
	while (end == READ_MORE && feed->reading.at - from < FEED_TURN_BYTES)
		end = stream_has_room(feed->stream) ? read_one(feed) : READ_NO_ROOM;
	return end;
}

/* ---- what comes after a turn */

static void linger(struct feed *feed)
{
	struct logs *logs = feed->stream->logs;

	if (feed->lingering)
		return;
	feed->lingering = true;
	if (TAILQ_EMPTY(&logs->lingering))
		loop_timer_arm(&logs->linger, FEED_LINGER_MS);
	TAILQ_INSERT_TAIL(&logs->lingering, feed, linger);
}

static void no_linger(struct feed *feed)
{
	if (feed->lingering)
		TAILQ_REMOVE(&feed->stream->logs->lingering, feed, linger);
	feed->lingering = false;
}

void feed_linger_fired(struct loop_timer *timer)
{
	struct logs *logs = container_of(timer, struct logs, linger);
	struct feed *feed;

	while ((feed = TAILQ_FIRST(&logs->lingering))) {
		no_linger(feed);
		feed_wish(feed);
	}
}

/* Something was read, so more may come soon; else it sleeps. */
static void rest(struct feed *feed, bool found)
{
	if (feed->dead)
		return;
	if (found)
		linger(feed);
	else if (ring_sleep(&feed->ring, &feed->reading))
		feed->asleep = true;
	else
		feed_wish(feed);
}

static void wait_for_room(struct feed *feed)
{
	if (feed->is_hungry)
		return;
	feed->is_hungry = true;
	TAILQ_INSERT_TAIL(&feed->stream->hungry, feed, hungry);
}

/* Those of log.sync whose records are read wait for the batch from here on. */
static void pass_on_syncs(struct feed *feed)
{
	struct stream_waiter *waiter, *next;

	for (waiter = TAILQ_FIRST(&feed->syncs); waiter; waiter = next) {
		next = TAILQ_NEXT(waiter, link);
		if (waiter->batch > feed->reading.at)
			continue;
		TAILQ_REMOVE(&feed->syncs, waiter, link);
		stream_await_durable(feed->stream, waiter->call);
		free(waiter);
	}
}

static void give_up(struct feed *feed, const char *why)
{
	struct stream *stream = feed->stream;

	log_notice("%s/%s: its ring is given up: %s", stream->name, feed->instance, why);
	counters.rings_damaged++;
	stream_drop(stream, LOG_DROP_DAMAGED, 1);
	if (feed->peer.session)
		session_end(feed->peer.session, 0);
	feed_free(feed);
	stream_push(stream);
}

static void note_blocked(struct feed *feed, bool blocked)
{
	if (!blocked)
		feed->blocked_ms = 0;
	else if (!feed->blocked_ms)
		feed->blocked_ms = clock_monotonic_ms();
}

/* ---- death */

/* True: it is known now how the process ended, or nobody will ever tell. */
static bool learn_death(struct feed *feed)
{
	death_word(feed->pidfd, feed->pid, feed->started, feed->crash);
	if (strcmp(feed->crash, "unknown") == 0 && feed->death_tries++ < death_tries) {
		feed->crash[0] = '\0';
		return false;
	}
	if (is_closed(feed))
		feed->crash[0] = '\0';
	return true;
}

/* False: it has died, and how is not known yet: nothing is read until then. */
static bool look_for_death(struct feed *feed)
{
	if (feed->dead || !death_has_come(feed->pidfd))
		return true;
	feed->dead = learn_death(feed);
	return feed->dead;
}

/* A process that is killed hangs up before it is known to be dead. At the daemon's end it is the daemon that
 * hangs up. */
static bool may_be_dying(const struct feed *feed)
{
	return !feed->dead && !feed->stream->logs->ending && feed->pidfd >= 0 && feed->lost_ms && !is_closed(feed) &&
	       clock_monotonic_ms() - feed->lost_ms < PARTING_MS;
}

static void take_turn(struct turn *turn)
{
	struct feed *feed = container_of(turn, struct feed, turn);
	uint64_t from = feed->reading.at;
	enum read_end end;

	feed->asleep = false;
	if (!look_for_death(feed) || may_be_dying(feed)) {
		linger(feed);
		return;
	}
	end = read_some(feed);
	note_blocked(feed, end == READ_BLOCKED);
	if (end == READ_DAMAGED) {
		give_up(feed, "its words are none that the library writes");
		return;
	}
	if (end == READ_NO_ROOM)
		wait_for_room(feed);
	else if (end == READ_MORE)
		feed_wish(feed);
	else
		rest(feed, feed->reading.at != from);
	pass_on_syncs(feed);
	stream_push(feed->stream);	/* may free it */
}

/* ---- positions */

void feed_goes(struct feed *feed)
{
	feed->under_way = feed->reading.at;
}

void feed_is_kept(struct feed *feed)
{
	if (!feed->attached)
		return;
	feed->kept = feed->under_way;
	feed_release(feed, false);
	feed_settle(feed);
}

bool feed_begin(struct feed *feed, uint64_t position)
{
	if (!ring_attach(&feed->ring, position, &feed->reading))
		return false;
	for (int i = 0; i < RING_DROP_REASONS; i++)
		feed->dropped[i] = atomic_load_explicit(&feed->ring.head->counted[i], memory_order_relaxed);
	feed->kept = feed->under_way = feed->swept_at = feed->reading.at;
	feed->attached = true;
	feed->turn = (struct turn){ .run = take_turn, .queue = &feed->stream->turns };
	shares_enter(&feed->stream->shares, &feed->share);
	return true;
}

void feed_await_durable(struct feed *feed, struct call *call, uint64_t end)
{
	static const struct prodd_error no_memory = { PRODD_E_NO_MEMORY, "no memory to wait for the spool" };
	struct stream_waiter *waiter = malloc(sizeof *waiter);

	if (!waiter) {
		call_fail(call, &no_memory);
		return;
	}
	*waiter = (struct stream_waiter){ .call = call, .batch = end };
	TAILQ_INSERT_TAIL(&feed->syncs, waiter, link);
	feed_wish(feed);
}

/* ---- the end */

static void fail_syncs(struct feed *feed)
{
	static const struct prodd_error gone = { PRODD_E_CLOSED, "the ring is read no more" };
	struct stream_waiter *waiter;

	while ((waiter = TAILQ_FIRST(&feed->syncs))) {
		TAILQ_REMOVE(&feed->syncs, waiter, link);
		call_fail(waiter->call, &gone);
		free(waiter);
	}
}

void feed_free(struct feed *feed)
{
	struct stream *stream = feed->stream;

	no_linger(feed);
	if (feed->attached) {
		turns_cancel(&stream->logs->turns, &feed->turn);
		LIST_REMOVE(feed, link);
	}
	if (feed->is_hungry)
		TAILQ_REMOVE(&stream->hungry, feed, hungry);
	shares_leave(&stream->shares, &feed->share);
	fail_syncs(feed);
	session_detach(&feed->peer);
	feed_unwatch(feed);
	file_close(&feed->pidfd);
	file_close(&feed->eventfd);
	mapping_clear(&feed->mapping);
	free(feed);
}
