/* SPDX-License-Identifier: Apache-2.0 */
/* Queues are lists through the feeds; a feed is in `ready` or waits with an error, never both. */
#include "daemon/ship/feeds.h"

#include <stdlib.h>
#include <sys/random.h>
#include <sys/resource.h>

#include "daemon/util/clock.h"
#include "daemon/util/log.h"

enum {
	lines_max = 16 << 20,		/* bytes: the longest line behind a slice */
	descriptors_kept = 64,		/* that are not feeds' */
	descriptors_each = 4,		/* of an open feed: its spool, a segment, a file, one in between */
	open_least = 8,
	first_room = 64,
};

static unsigned descriptors_for(void)
{
	struct rlimit files;

	if (getrlimit(RLIMIT_NOFILE, &files) < 0 ||
	    files.rlim_cur < descriptors_kept + open_least * descriptors_each)
		return open_least;
	if (files.rlim_cur > descriptors_kept + FEEDS_MAX * descriptors_each)
		return FEEDS_MAX;
	return (unsigned)(files.rlim_cur - descriptors_kept) / descriptors_each;
}

void feeds_init(struct feeds *feeds, const struct settings *settings, struct sink *sink, int spool)
{
	uint64_t most = settings->wire.rotate_size;

	*feeds = (struct feeds){ .settings = settings, .sink = sink, .spool = spool,
				.lines = { .limit = lines_max } };
	TAILQ_INIT(&feeds->ready);
	TAILQ_INIT(&feeds->unsynced);
	TAILQ_INIT(&feeds->open);
	feeds->open_max = descriptors_for();
	/* A file is not to grow past its size for the sake of a large slice. */
	feeds->slice = most > 0 && most < FEEDS_SLICE ? (size_t)most : FEEDS_SLICE;
	feeds->tended_ms = clock_monotonic_ms();
}

void feeds_clear(struct feeds *feeds)
{
	for (unsigned i = 0; i < feeds->count; i++) {
		feed_clear(feeds->sorted[i]);
		free(feeds->sorted[i]);
	}
	free(feeds->sorted);
	prodd_buffer_clear(&feeds->lines);
	*feeds = (struct feeds){ 0 };
}

/* ---- the table */

/* Where it is, or where it belongs. */
static unsigned place_of(const struct feeds *feeds, struct prodd_slice app, bool *ret_there)
{
	unsigned low = 0, high = feeds->count;

	*ret_there = false;
	while (low < high) {
		unsigned middle = (low + high) / 2;
		int order = prodd_slice_compare(app, prodd_slice(feeds->sorted[middle]->app));

		*ret_there |= order == 0;
		if (order > 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

struct feed *feeds_find(const struct feeds *feeds, struct prodd_slice app)
{
	bool there;
	unsigned at = place_of(feeds, app, &there);

	return there ? feeds->sorted[at] : NULL;
}

static int make_room(struct feeds *feeds)
{
	unsigned room = feeds->room ? 2 * feeds->room : first_room;
	struct feed **sorted;

	if (feeds->count < feeds->room)
		return 0;
	sorted = reallocarray(feeds->sorted, room, sizeof(struct feed *));
	if (!sorted)
		return -1;
	feeds->sorted = sorted;
	feeds->room = room;
	return 0;
}

static int add(struct feeds *feeds, unsigned at, struct prodd_slice app, uint64_t cursor,
	       struct prodd_error *e)
{
	struct feed *feed;

	if (!feed_is_name(app))
		return prodd_error_set(e, PRODD_E_USAGE, "\"%.*s\" can be no app's", PRODD_SLICE(app));
	if (feeds->count >= FEEDS_MAX)
		return prodd_error_set(e, PRODD_E_OVER_LIMIT, "%.*s: there are %u apps already",
				       PRODD_SLICE(app), FEEDS_MAX);
	feed = calloc(1, sizeof *feed);
	if (!feed || make_room(feeds) < 0) {
		free(feed);
		return prodd_error_set(e, PRODD_E_NO_MEMORY, "%.*s", PRODD_SLICE(app));
	}
	feed_init(feed, app, feeds->settings, feeds->sink, feeds->spool, cursor);
	memmove(feeds->sorted + at + 1, feeds->sorted + at, (feeds->count - at) * sizeof(struct feed *));
	feeds->sorted[at] = feed;
	feeds->count++;
	return 0;
}

static void make_ready(struct feeds *feeds, struct feed *feed)
{
	if (feed->state != FEED_IDLE || feed->written >= feed->last)
		return;
	feed->state = FEED_READY;
	TAILQ_INSERT_TAIL(&feeds->ready, feed, turn);
}

int feeds_tell(struct feeds *feeds, struct prodd_slice app, uint64_t cursor, uint64_t last,
	       struct prodd_error *e)
{
	bool there;
	unsigned at = place_of(feeds, app, &there);
	int r = there ? 0 : add(feeds, at, app, cursor, e);

	if (r < 0)
		return r;
	if (last > feeds->sorted[at]->last)
		feeds->sorted[at]->last = last;
	make_ready(feeds, feeds->sorted[at]);
	return 0;
}

/* ---- descriptors */

static void note_unsynced(struct feeds *feeds, struct feed *feed, bool before)
{
	bool now = feed->dirty_since_ms != 0;

	if (now && !before)
		TAILQ_INSERT_TAIL(&feeds->unsynced, feed, unsynced);
	if (!now && before)
		TAILQ_REMOVE(&feeds->unsynced, feed, unsynced);
}

static void sync_one(struct feeds *feeds, struct feed *feed);

static void close_one(struct feeds *feeds, struct feed *feed)
{
	if (feed->dirty_since_ms)
		sync_one(feeds, feed);
	feed_rest(feed);
	TAILQ_REMOVE(&feeds->open, feed, use);
	feed->open = false;
	feeds->open_count--;
}

/* It is used now: those that were not for the longest time give way. */
static void use(struct feeds *feeds, struct feed *feed)
{
	if (feed->open)
		TAILQ_REMOVE(&feeds->open, feed, use);
	else
		feeds->open_count++;
	feed->open = true;
	TAILQ_INSERT_TAIL(&feeds->open, feed, use);
	while (feeds->open_count > feeds->open_max && TAILQ_FIRST(&feeds->open) != feed)
		close_one(feeds, TAILQ_FIRST(&feeds->open));
}

/* ---- errors */

/* Full jitter: anything up to the doubled time (Marc Brooker, "Exponential Backoff And Jitter"). */
static uint64_t jitter(unsigned failures)
{
	uint64_t most = FEEDS_AGAIN_MIN_MS << (failures < 10 ? failures : 10), dice = 0;

	if (most > FEEDS_AGAIN_MAX_MS)
		most = FEEDS_AGAIN_MAX_MS;
	if (getrandom(&dice, sizeof dice, GRND_NONBLOCK) != sizeof dice)
		dice = clock_monotonic_us();
	return 1 + dice % most;
}

static void fail(struct feeds *feeds, struct feed *feed, const struct prodd_error *e)
{
	if (feed->state == FEED_READY)
		TAILQ_REMOVE(&feeds->ready, feed, turn);
	feeds->failed_count += feed->state != FEED_FAILED;
	/* The first of a row is told; status has the rest. */
	if (feed->failures == 0)
		log_warn("sink %.*s: %s: %s", PRODD_SLICE(feeds->settings->wire.sink), feed->app, e->text);
	feed->state = FEED_FAILED;
	feed->again_ms = clock_monotonic_ms() + jitter(feed->failures);
	feed->failures++;
	feed->error = *e;
}

static void recovered(struct feeds *feeds, struct feed *feed)
{
	if (feed->failures > 0)
		log_notice("sink %.*s: %s: goes on after %u failures",
			   PRODD_SLICE(feeds->settings->wire.sink), feed->app, feed->failures);
	feed->failures = 0;
}

static void try_failed(struct feeds *feeds, uint64_t now_ms)
{
	for (unsigned i = 0; feeds->failed_count > 0 && i < feeds->count; i++) {
		struct feed *feed = feeds->sorted[i];

		if (feed->state != FEED_FAILED || feed->again_ms > now_ms)
			continue;
		feed->state = FEED_IDLE;
		feeds->failed_count--;
		make_ready(feeds, feed);
	}
}

/* ---- turns */

static void sync_one(struct feeds *feeds, struct feed *feed)
{
	struct prodd_error e;
	int r = feed_sync(feed, &e);

	note_unsynced(feeds, feed, true);
	if (r < 0)
		fail(feeds, feed, &e);
}

static void ship_one(struct feeds *feeds, struct feed *feed)
{
	bool dirty = feed->dirty_since_ms != 0;
	struct prodd_error e;
	int r;

	use(feeds, feed);
	r = feed_ship(feed, &feeds->lines, feeds->slice, &e);
	note_unsynced(feeds, feed, dirty);
	if (r < 0) {
		fail(feeds, feed, &e);
		return;
	}
	recovered(feeds, feed);
	TAILQ_REMOVE(&feeds->ready, feed, turn);
	feed->state = FEED_IDLE;
	if (r > 0)
		make_ready(feeds, feed);
	if (feed->dirty_bytes >= FEEDS_SYNC_BYTES)
		sync_one(feeds, feed);
}

/* When a sync is due of the one that waits for the longest time; UINT64_MAX: of none. */
static uint64_t sync_due_ms(const struct feeds *feeds)
{
	const struct feed *first = TAILQ_FIRST(&feeds->unsynced);
	uint64_t by_age, by_rest;

	if (!first)
		return UINT64_MAX;
	by_age = first->dirty_since_ms + FEEDS_SYNC_MS;
	by_rest = feeds->rested_ms + FEEDS_REST_MS;
	return TAILQ_EMPTY(&feeds->ready) && by_rest < by_age ? by_rest : by_age;
}

static void tend(struct feeds *feeds, uint64_t now_ms)
{
	struct prodd_error e;

	if (now_ms < feeds->tended_ms + FEEDS_TEND_MS)
		return;
	feeds->tended_ms = now_ms;
	for (unsigned i = 0; i < feeds->count; i++) {
		struct feed *feed = feeds->sorted[i];
		bool dirty = feed->dirty_since_ms != 0;

		if (feed->state == FEED_FAILED || feed_rotate(feed, false, &e) == 0)
			continue;
		note_unsynced(feeds, feed, dirty);
		fail(feeds, feed, &e);
	}
}

bool feeds_turn(struct feeds *feeds)
{
	uint64_t now_ms = clock_monotonic_ms();
	bool synced = false;

	try_failed(feeds, now_ms);
	if (!TAILQ_EMPTY(&feeds->ready))
		ship_one(feeds, TAILQ_FIRST(&feeds->ready));
	if (sync_due_ms(feeds) <= now_ms) {
		sync_one(feeds, TAILQ_FIRST(&feeds->unsynced));
		synced = true;
		if (TAILQ_EMPTY(&feeds->unsynced))
			feeds->rested_ms = now_ms;
	}
	if (feeds->settings->wire.rotate_age_s > 0)
		tend(feeds, now_ms);
	return synced;
}

uint64_t feeds_wait_ms(const struct feeds *feeds, uint64_t most)
{
	uint64_t now_ms = clock_monotonic_ms();
	uint64_t due = sync_due_ms(feeds);
	const struct feed *failed = feeds_failed(feeds);

	if (!TAILQ_EMPTY(&feeds->ready))
		return 0;
	if (failed && failed->again_ms < due)
		due = failed->again_ms;
	if (feeds->settings->wire.rotate_age_s > 0 && feeds->tended_ms + FEEDS_TEND_MS < due)
		due = feeds->tended_ms + FEEDS_TEND_MS;
	if (due <= now_ms)
		return 0;
	return due - now_ms < most ? due - now_ms : most;
}

void feeds_sync(struct feeds *feeds)
{
	for (struct feed *feed, *last = TAILQ_LAST(&feeds->unsynced, feed_queue); last;) {
		feed = TAILQ_FIRST(&feeds->unsynced);
		sync_one(feeds, feed);
		if (feed == last)
			break;
	}
}

void feeds_rotate(struct feeds *feeds)
{
	struct prodd_error e;

	for (unsigned i = 0; i < feeds->count; i++) {
		struct feed *feed = feeds->sorted[i];
		bool dirty = feed->dirty_since_ms != 0;

		if (!feed->wanted)
			continue;
		use(feeds, feed);
		if (feed_rotate(feed, true, &e) < 0) {
			note_unsynced(feeds, feed, dirty);
			fail(feeds, feed, &e);
		}
	}
}

void feeds_hurry(struct feeds *feeds)
{
	try_failed(feeds, UINT64_MAX);
}

bool feeds_at_rest(const struct feeds *feeds)
{
	return TAILQ_EMPTY(&feeds->ready) && TAILQ_EMPTY(&feeds->unsynced) && feeds->failed_count == 0;
}

const struct feed *feeds_failed(const struct feeds *feeds)
{
	const struct feed *first = NULL;

	for (unsigned i = 0; feeds->failed_count > 0 && i < feeds->count; i++)
		if (feeds->sorted[i]->state == FEED_FAILED &&
		    (!first || feeds->sorted[i]->again_ms < first->again_ms))
			first = feeds->sorted[i];
	return first;
}
