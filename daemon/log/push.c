/* SPDX-License-Identifier: Apache-2.0 */
/* All records of a push go into one batch, or none when there is no room: the sender keeps them, and tries
 * again. */
#include "daemon/log/push.h"

#include <string.h>

#include "daemon/util/clock.h"

#define PUSH_BYTES (BATCH_FULL * 4)	/* in the batch that fills, from which nothing is pushed to it any more */

struct pushed {
	uint64_t taken;
	uint64_t dropped;
};

static void push_one(struct stream *stream, const struct origin *origin, struct prodd_slice bytes,
		     struct pushed *count)
{
	struct record record;

	if (!record_open(bytes, &record, NULL)) {
		stream_drop(stream, LOG_DROP_DAMAGED, 1);
		count->dropped++;
	} else if (!shares_take(&stream->shares, &stream->pushed)) {
		stream_drop(stream, LOG_DROP_RATE, 1);
		count->dropped++;
	} else if (!stream_add(stream, origin, bytes)) {
		stream_drop(stream, LOG_DROP_SENDER, 1);
		count->dropped++;
	} else {
		count->taken++;
	}
}

/* What does not end is one damaged record. */
static void push_all(struct stream *stream, const struct session *session, struct prodd_slice records,
		     struct pushed *count)
{
	const struct identity *who = session_identity(session);
	struct origin origin = { .instance = prodd_slice(session_instance(session)), .pid = (uint64_t)who->pid,
				 .uid = who->uid };
	struct prodd_cursor cursor = prodd_cursor(records);
	struct prodd_slice bytes;

	shares_enter(&stream->shares, &stream->pushed);
	shares_fill(&stream->shares, clock_monotonic_us());
	while (cursor.at < cursor.end) {
		if (!prodd_cursor_skip(&cursor, &bytes)) {
			bytes = (struct prodd_slice){ (const char *)cursor.at, (size_t)(cursor.end - cursor.at) };
			cursor.at = cursor.end;
		}
		push_one(stream, &origin, bytes, count);
	}
}

static int find_room(struct logs *logs, const struct session *session, struct stream **ret,
		     struct prodd_error *e)
{
	if (logs->ending)
		return prodd_error_set(e, PRODD_E_CLOSED, "prodd ends");
	*ret = logs_stream(logs, session_app(session), session_identity(session)->uid, e);
	if (!*ret)
		return -e->code;
	if ((*ret)->filling.bytes.size >= PUSH_BYTES || (*ret)->owner->bytes >= 2 * LOGS_UID_BYTES)
		return prodd_error_set(e, PRODD_E_OVER_LIMIT,
				       "log.push: the spool of %s has not taken yet what came before",
				       (*ret)->name);
	return 0;
}

void push_call(struct logs *logs, struct call *call, const struct wire_log_push *params)
{
	struct session *session = call_session(call);
	struct pushed count = { 0 };
	struct stream *stream = NULL;
	struct prodd_error e;

	if (find_room(logs, session, &stream, &e) < 0) {
		call_fail(call, &e);
		return;
	}
	stream_drop(stream, LOG_DROP_SENDER, params->dropped);
	levels_greet(&logs->levels, session);
	push_all(stream, session, params->records, &count);
	stream_await_kept(stream, call, count.taken, count.dropped);
	stream_push(stream);
}

/* ---- log.sync */

static struct feed *ring_of(const struct stream *stream, const struct session *session,
			    struct prodd_slice uuid)
{
	struct feed *feed;

	LIST_FOREACH(feed, &stream->feeds, link)
		if (feed->peer.session == session && memcmp(feed->uuid, uuid.at, sizeof feed->uuid) == 0)
			return feed;
	return NULL;
}

void sync_call(struct logs *logs, struct call *call, const struct wire_log_sync *params)
{
	struct session *session = call_session(call);
	struct prodd_error e;
	struct stream *stream = logs_stream(logs, session_app(session), session_identity(session)->uid, &e);
	struct feed *feed;

	if (!stream) {
		call_fail(call, &e);
		return;
	}
	if (params->ring.size == 0) {
		stream_await_durable(stream, call);
		stream_push(stream);
		return;
	}
	feed = params->ring.size == sizeof feed->uuid ? ring_of(stream, session, params->ring) : NULL;
	if (feed) {
		feed_await_durable(feed, call, params->end);
		return;
	}
	prodd_error_set(&e, PRODD_E_NOT_FOUND, "log.sync: no ring of that uuid is attached to this session");
	call_fail(call, &e);
}
