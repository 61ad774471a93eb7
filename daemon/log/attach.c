/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A ring that is mapped already comes anew when its session was lost: it is
 * known by inode and uuid, and its reading goes on.  One that is new is
 * mapped, and the disk thread looks up how much of it the spool has.
 */
#include "daemon/log/attach.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon/core/counters.h"
#include "daemon/util/container.h"
#include "daemon/util/file.h"

struct attaching {
	struct stream_work work;
	struct feed *feed;		/* owned until it is read */
	struct call *call;		/* taken */
	uint64_t position;		/* end of its last record in the spool */
};

static void refuse(struct call *call, const struct prodd_error *why)
{
	counters.rings_refused++;
	call_fail(call, why);
}

static void answer(struct call *call, const struct feed *feed)
{
	struct wire_ring_attached attached = {
		.head = feed->reading.at,
		.sync = prodd_slice(log_policy_word(feed->stream->logs->settings.policy)),
	};

	counters.rings_attached++;
	call_answer_fd(call, &attached, feed->eventfd);
	if (feed->peer.session)
		levels_greet(&feed->stream->logs->levels, feed->peer.session);
}

/* ---- its place in the spool */

static void look_up(struct disk_job *job)
{
	struct attaching *a = container_of(job, struct attaching, work.job);
	struct spool_writer *writer = stream_work_begin(&a->work);

	if (writer)
		a->position = spool_writer_water(writer, a->feed->uuid, a->feed->uid);
	stream_work_end(&a->work);
}

/* Rings of a process that has started another program: their producers are gone with its memory. */
static void presume_older_dead(const struct feed *feed)
{
	struct feed *other;

	LIST_FOREACH(other, &feed->stream->feeds, link)
		if (other != feed && feed->pid != 0 && other->pid == feed->pid && !other->peer.session) {
			other->dead = true;
			feed_wish(other);
		}
}

static void begin(struct attaching *a)
{
	struct feed *feed = a->feed;
	struct prodd_error e;

	if (a->work.result < 0 || !feed_begin(feed, a->position)) {
		if (a->work.result < 0)
			e = a->work.error;
		else
			prodd_error_set(&e, PRODD_E_USAGE, "ring: positions that no ring can have");
		refuse(a->call, &e);
		feed_free(feed);
		return;
	}
	LIST_INSERT_HEAD(&feed->stream->feeds, feed, link);
	presume_older_dead(feed);
	answer(a->call, feed);
	logs_sweep_soon(feed->stream->logs);
	feed_wish(feed);
}

static void looked_up(struct disk_job *job)
{
	struct attaching *a = container_of(job, struct attaching, work.job);

	stream_work_done(&a->work);
	begin(a);
	free(a);
}

/* ---- a new one */

static unsigned count_of(const struct stream *stream, const struct session *session)
{
	const struct feed *feed;
	unsigned count = 0;

	LIST_FOREACH(feed, &stream->feeds, link)
		count += feed->peer.session == session;
	return count;
}

static int open_ring(struct feed *feed, struct prodd_slice uuid, struct prodd_error *e)
{
	struct ring_identity identity;
	const char *why;

	if (!ring_open(&feed->ring, feed->mapping.at, feed->mapping.size, &identity, &why))
		return prodd_error_set(e, PRODD_E_USAGE, "ring: its %s is none that prodd knows", why);
	if (uuid.size != sizeof identity.uuid || memcmp(uuid.at, identity.uuid, uuid.size) != 0)
		return prodd_error_set(e, PRODD_E_USAGE, "ring: its uuid is another than the call says");
	memcpy(feed->uuid, identity.uuid, sizeof feed->uuid);
	return feed_watch(feed, e);
}

/* Takes `fd`. */
static struct feed *make(struct logs *logs, struct session *session, int fd, struct prodd_slice uuid,
			 struct prodd_error *e)
{
	auto_fd file = fd;
	struct stream *stream = logs_stream(logs, session_app(session), session_identity(session)->uid, e);
	struct feed *feed;
	int r;

	if (!stream)
		return NULL;
	if (count_of(stream, session) >= FEEDS_PER_SESSION) {
		prodd_error_set(e, PRODD_E_OVER_LIMIT, "a session has %d rings at most", FEEDS_PER_SESSION);
		return NULL;
	}
	feed = feed_new(stream, session);
	if (!feed) {
		prodd_error_set(e, PRODD_E_NO_MEMORY, "a ring");
		return NULL;
	}
	r = mapping_take(&feed->mapping, logs->mappings, file, feed->uid, RING_HEAD + RING_CAPACITY_MIN,
			 RING_HEAD + RING_CAPACITY_MAX, e);
	file = -1;	/* given to the mapping, also on failure */
	feed->mapping.kind = feed_kind;
	if (r >= 0)
		r = open_ring(feed, uuid, e);
	if (r >= 0)
		return feed;
	feed_free(feed);
	return NULL;
}

static void attach_new(struct logs *logs, struct call *call, int fd, struct prodd_slice uuid)
{
	struct attaching *a = calloc(1, sizeof *a);
	struct prodd_error e;

	if (!a) {
		close(fd);
		prodd_error_set(&e, PRODD_E_NO_MEMORY, "a ring");
		refuse(call, &e);
		return;
	}
	a->feed = make(logs, call_session(call), fd, uuid, &e);
	if (!a->feed) {
		refuse(call, &e);
		free(a);
		return;
	}
	a->call = call;
	a->work = (struct stream_work){ .job = { .run = look_up, .done = looked_up }, .stream = a->feed->stream };
	disk_submit(logs->disk, &a->work.job);
}

/* ---- one that is known */

/* May this session have it? It is the same process, or the one before it is gone. */
static bool may_have(const struct feed *feed, const struct session *session, struct prodd_slice uuid)
{
	const struct identity *who = session_identity(session);

	if (!feed->attached || feed->uid != who->uid || strcmp(feed->stream->name, session_app(session)) != 0)
		return false;
	if (uuid.size != sizeof feed->uuid || memcmp(uuid.at, feed->uuid, uuid.size) != 0)
		return false;
	return feed->pid == who->pid && !feed->dead;
}

static void attach_again(struct feed *feed, struct call *call, struct prodd_slice uuid)
{
	struct prodd_error e;

	if (!may_have(feed, call_session(call), uuid)) {
		prodd_error_set(&e, PRODD_E_BUSY, "ring: this memory is another's, or belongs to another process");
		refuse(call, &e);
		return;
	}
	feed_bind(feed, call_session(call));
	answer(call, feed);
	feed_wish(feed);
}

void attach_call(struct logs *logs, struct call *call, const struct wire_ring_attach *params)
{
	int fd = call_take_fd(call);
	struct mapping *known;
	struct prodd_error e;

	if (fd < 0 || logs->ending) {
		if (fd >= 0)
			close(fd);
		prodd_error_set(&e, fd < 0 ? PRODD_E_USAGE : PRODD_E_CLOSED,
				fd < 0 ? "ring.attach: no file descriptor came with it" : "prodd ends");
		refuse(call, &e);
		return;
	}
	known = mapping_find(logs->mappings, fd);
	if (known && known->kind == feed_kind) {
		close(fd);
		attach_again(container_of(known, struct feed, mapping), call, params->ring);
	} else {
		attach_new(logs, call, fd, params->ring);
	}
}
