/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A turn: take what prodd says, ship a slice, tell how far it is.  There is no
 * event loop, since the sink may block anyway.
 */
#include "daemon/ship/shipper.h"

#include "daemon/ship/progress.h"
#include "daemon/util/clock.h"
#include "daemon/util/log.h"

enum { wait_most_ms = 10000, messages_max = 64 };	/* messages in one turn */

struct shipper {
	struct channel channel;
	int spool;			/* borrowed */
	bool started;			/* all below is set up */
	struct settings settings;
	struct sink *sink;		/* owned */
	struct feeds feeds;
	struct progress progress;
	bool finishing;
	uint64_t finish_id;		/* of the call that asked for the end */
	uint64_t deadline_ms;
	bool ended;
};

/* ---- starting */

static int take_cursors(struct shipper *s, struct prodd_list cursors, struct prodd_error *e)
{
	struct prodd_iter it = prodd_iter(cursors);
	struct wire_ship_cursor cursor;
	int r;

	while ((r = prodd_next(&it, &wire_record_ship_cursor, &cursor, e)) > 0) {
		struct prodd_error why;

		if (feeds_tell(&s->feeds, cursor.app, cursor.number, cursor.last, &why) < 0)
			log_warn("sink %.*s: %s", PRODD_SLICE(s->settings.wire.sink), why.text);
	}
	return r;
}

static int open_sink(struct shipper *s, struct prodd_error *e)
{
	const struct sink_ops *ops;
	int r = sink_find(s->settings.wire.type, &ops, e);

	if (r == 0)
		r = ops->open(&s->sink, &s->settings, e);
	return r < 0 ? prodd_error_prefix(e, "sink %.*s", PRODD_SLICE(s->settings.wire.sink)) : 0;
}

static int start(struct shipper *s, const struct prodd_message *m, struct prodd_error *e)
{
	int r;

	if (s->started)
		return prodd_error_set(e, PRODD_E_USAGE, "the sink has been started");
	r = settings_take(&s->settings, m->params, e);
	if (r < 0)
		return r;
	r = open_sink(s, e);
	if (r < 0) {
		settings_clear(&s->settings);
		return r;
	}
	feeds_init(&s->feeds, &s->settings, s->sink, s->spool);
	progress_init(&s->progress, &s->channel, &s->feeds);
	s->started = true;
	return take_cursors(s, s->settings.wire.cursors, e);
}

static void stop(struct shipper *s)
{
	if (!s->started)
		return;
	progress_clear(&s->progress);
	feeds_clear(&s->feeds);
	s->sink = s->sink->ops->close(s->sink);
	settings_clear(&s->settings);
}

/* ---- what prodd says */

static int answer(struct shipper *s, const struct prodd_message *m, int result, struct prodd_error *why,
		  struct prodd_error *e)
{
	return result < 0 ? channel_refuse(&s->channel, m->id, why, e) :
			    channel_answer(&s->channel, m->id, e);
}

static int take_more(struct shipper *s, const struct prodd_message *m, struct prodd_error *e)
{
	struct wire_ship_more more;
	int r = prodd_message_decode(m, &wire_record_ship_more, &more, e);

	return r < 0 ? r : take_cursors(s, more.cursors, e);
}

static int take_skip(struct shipper *s, const struct prodd_message *m, struct prodd_error *e)
{
	struct wire_ship_skip skip;
	struct feed *feed;
	int r = prodd_message_decode(m, &wire_record_ship_skip, &skip, e);

	if (r < 0)
		return r;
	feed = feeds_find(&s->feeds, skip.app);
	if (feed)
		feed_skip(feed, skip.number);
	return 0;
}

static int take_finish(struct shipper *s, const struct prodd_message *m, struct prodd_error *e)
{
	struct wire_ship_finish finish;
	int r = prodd_message_decode(m, &wire_record_ship_finish, &finish, e);

	if (r < 0)
		return r;
	s->finishing = true;
	s->finish_id = m->id;
	s->deadline_ms = clock_monotonic_ms() + finish.within_ms;
	feeds_hurry(&s->feeds);
	return 0;
}

static int take_call(struct shipper *s, const struct prodd_message *m, struct prodd_error *e)
{
	struct prodd_error why = { 0 };
	int r;

	if (m->method == WIRE_M_ship_start) {
		r = start(s, m, &why);
	} else if (m->method == WIRE_M_ship_finish && s->started) {
		r = take_finish(s, m, &why);
		if (r == 0)
			return 0;	/* answered at the end */
	} else if (m->method == WIRE_M_ship_finish) {
		s->ended = true;
		r = 0;
	} else {
		r = prodd_error_set(&why, PRODD_E_UNSUPPORTED, "no call %.*s", PRODD_SLICE(m->name));
	}
	return answer(s, m, r, &why, e);
}

/* Notes of a newer prodd are none of ours. */
static int take_note(struct shipper *s, const struct prodd_message *m, struct prodd_error *e)
{
	if (!s->started)
		return 0;
	if (m->method == WIRE_M_ship_more)
		return take_more(s, m, e);
	if (m->method == WIRE_M_ship_skip)
		return take_skip(s, m, e);
	if (m->method == WIRE_M_ship_rotate)
		feeds_rotate(&s->feeds);
	return 0;
}

static int take_messages(struct shipper *s, struct prodd_error *e)
{
	struct prodd_message m;
	int r = 1;

	for (int i = 0; r > 0 && i < messages_max && !s->channel.ended && !s->ended; i++) {
		r = channel_next(&s->channel, &m, e);
		if (r <= 0)
			break;
		if (m.type == PRODD_ANSWER)
			return prodd_error_set(e, PRODD_E_PROTOCOL, "prodd answers what was not asked");
		r = m.type == PRODD_CALL ? take_call(s, &m, e) : take_note(s, &m, e);
		if (r < 0)
			return r;
		r = 1;
	}
	if (r == -PRODD_E_CLOSED) {
		/* It may have said all that it will, and wait for the end. */
		s->ended |= !s->finishing;
		return 0;
	}
	return r < 0 ? r : 0;
}

/* ---- turns */

static int finish_turn(struct shipper *s, struct prodd_error *e)
{
	int r;

	if (!feeds_at_rest(&s->feeds) && clock_monotonic_ms() < s->deadline_ms)
		return 0;
	s->ended = true;
	feeds_sync(&s->feeds);
	r = progress_tell(&s->progress, true, e);
	return r < 0 ? r : channel_answer(&s->channel, s->finish_id, e);
}

static int turn(struct shipper *s, struct prodd_error *e)
{
	bool synced = feeds_turn(&s->feeds);
	int r = progress_tell(&s->progress, synced && feeds_at_rest(&s->feeds), e);

	if (r == 0 && s->finishing)
		r = finish_turn(s, e);
	return r;
}

static int wait_ms(const struct shipper *s)
{
	uint64_t most = wait_most_ms, now_ms = clock_monotonic_ms();

	if (!s->started)
		return -1;
	if (progress_waits(&s->progress))
		most = PROGRESS_MS;
	if (s->finishing && s->deadline_ms < now_ms + most)
		most = s->deadline_ms > now_ms ? s->deadline_ms - now_ms : 0;
	if (s->finishing && feeds_at_rest(&s->feeds))
		most = 0;
	return (int)feeds_wait_ms(&s->feeds, most);
}

int shipper_run(int fd, int spool, struct prodd_error *e)
{
	static struct shipper s;	/* large, and the only one */
	int r = 0;

	s = (struct shipper){ .spool = spool };
	channel_init(&s.channel, fd);
	while (!s.ended && r == 0) {
		channel_wait(&s.channel, wait_ms(&s));
		r = take_messages(&s, e);
		if (r == 0 && s.started && !s.ended)
			r = turn(&s, e);
	}
	if (s.started)
		feeds_sync(&s.feeds);
	stop(&s);
	channel_clear(&s.channel);
	return r == -PRODD_E_CLOSED ? 0 : r;
}
