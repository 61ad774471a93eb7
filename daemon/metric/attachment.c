/* SPDX-License-Identifier: Apache-2.0 */
/* The life of a segment here: shared, lost, shared again, at its end. What stands in it is the business of attachment_look.c. */
#define _GNU_SOURCE
#include "daemon/metric/attachment.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "daemon/core/counters.h"
#include "daemon/metric/metric.h"
#include "daemon/util/clock.h"
#include "daemon/util/container.h"
#include "daemon/util/file.h"

const char attachment_kind = 's';
static const char sets_kind = 'g';

/* ---- lifecycle */

struct attachment *attachment_new(struct registry *registry, enum attachment_state state,
				  const char *instance)
{
	struct attachment *a;

	if (registry->attachment_count == REGISTRY_ATTACHMENTS_MAX || !registry_charge(registry, sizeof *a))
		return NULL;
	a = calloc(1, sizeof *a);
	if (!a) {
		registry_discharge(registry, sizeof *a);
		return NULL;
	}
	a->registry = registry;
	a->state = state;
	a->pidfd = -1;
	snprintf(a->instance, sizeof a->instance, "%s", instance);
	LIST_INIT(&a->bindings);
	LIST_INSERT_HEAD(&registry->attachments, a, link);
	registry->attachment_count++;
	return a;
}

static void release_families(struct attachment *a)
{
	for (unsigned i = 0; i < a->family_count; i++)
		if (a->families[i])
			a->families[i]->users--;
	registry_discharge(a->registry, a->family_room * sizeof *a->families);
	free(a->families);
	a->families = NULL;
	a->family_count = a->family_room = 0;
	a->registry->dirty = true;
}

static void stop_watching(struct attachment *a)
{
	if (a->watched)
		event_del(&a->ended);
	a->watched = false;
	file_close(&a->pidfd);
}

struct attachment *attachment_free(struct attachment *a)
{
	struct registry *registry;

	if (!a)
		return NULL;
	registry = a->registry;
	session_detach(&a->peer);
	stop_watching(a);
	while (!LIST_EMPTY(&a->bindings))
		registry_unbind(registry, LIST_FIRST(&a->bindings));
	release_families(a);
	mapping_clear(&a->mapping);
	if (registry->pushed == a)
		registry->pushed = NULL;
	LIST_REMOVE(a, link);
	registry->attachment_count--;
	registry_discharge(registry, sizeof *a);
	free(a);
	return NULL;
}

struct attachment *attachment_find(const struct registry *registry, const uint8_t uuid[16])
{
	struct attachment *a;

	LIST_FOREACH(a, &registry->attachments, link)
		if (a->state <= ATTACHMENT_DEAD && memcmp(a->uuid, uuid, sizeof a->uuid) == 0)
			return a;
	return NULL;
}

/* ---- its end */

static void drop_gauges(struct attachment *a)
{
	struct binding *binding, *next;

	for (binding = LIST_FIRST(&a->bindings); binding; binding = next) {
		next = LIST_NEXT(binding, in_owner);
		if (binding->series->family->is.type == SEGMENT_GAUGE)
			registry_unbind(a->registry, binding);
	}
}

static void read_all(struct attachment *a)
{
	struct binding *binding;

	LIST_FOREACH(binding, &a->bindings, in_owner)
		binding_read(binding, &a->segment, &a->registry->ledger);
}

void attachment_die(struct attachment *a)
{
	attachment_read(a);
	session_detach(&a->peer);
	stop_watching(a);
	release_families(a);
	mapping_clear(&a->mapping);
	a->state = ATTACHMENT_DEAD;
	metric_look_soon(a->registry->metric);
}

void attachment_read(struct attachment *a)
{
	if (a->state == ATTACHMENT_LIVES)
		read_all(a);
}

void attachment_end(struct attachment *a)
{
	if (a->ending || a->state > ATTACHMENT_ABSENT)
		return;
	a->ending = true;
	if (a->state == ATTACHMENT_ABSENT) {
		attachment_die(a);
		return;
	}
	drop_gauges(a);
	metric_look_soon(a->registry->metric);
}

static void process_ended(evutil_socket_t fd, short what, void *arg)
{
	struct attachment *a = arg;

	(void)fd;
	(void)what;
	loop_enter(a->registry->metric->loop);
	attachment_end(a);
}

/* Takes `pidfd`. Without a watch, the look at its start time once a second finds its end. */
static void watch(struct attachment *a, int pidfd)
{
	a->pidfd = pidfd;
	if (pidfd < 0)
		return;
	event_assign(&a->ended, a->registry->metric->loop->base, pidfd, EV_READ, process_ended, a);
	a->watched = event_add(&a->ended, NULL) == 0;
}

bool attachment_await(struct attachment *a)
{
	unsigned long long start;

	if (a->pid == 0)
		return true;
	if (identity_kernel.start_time(a->pid, &start) < 0 || (a->start && start != a->start))
		return false;
	if (!a->watched)
		watch(a, identity_kernel.open_pidfd(a->pid));
	return true;
}

/* Closed in order is over with the session; else its process may come back. */
static void session_closed(struct peer *peer)
{
	struct attachment *a = container_of(peer, struct attachment, peer);

	a->peer.session = NULL;
	a->lost_ms = clock_monotonic_ms();
	if (atomic_load_explicit(&a->segment.head->closed, memory_order_relaxed))
		attachment_end(a);
}

bool attachment_shows_gauges(const struct attachment *a)
{
	if (a->state != ATTACHMENT_LIVES)
		return a->state == ATTACHMENT_SETS;
	return !a->ending && (a->peer.session || clock_monotonic_ms() - a->lost_ms < ATTACHMENT_GAUGES_MS);
}

/* ---- sharing it */

static int check_process(const struct attachment *a, const struct identity *who, unsigned long long start,
			 struct prodd_error *e)
{
	if (a->pid == who->pid && (a->start == start || !a->start || !start))
		return 0;
	return prodd_error_set(e, PRODD_E_USAGE, "segment.attach: the segment is that of process %d",
			       (int)a->pid);
}

static unsigned long long start_of(const struct identity *who)
{
	unsigned long long start = 0;

	if (who->pid == 0 || identity_kernel.start_time(who->pid, &start) < 0)
		return 0;
	return start;
}

static void join(struct attachment *a, struct session *session)
{
	session_detach(&a->peer);
	a->peer.closed = session_closed;
	a->peer.kind = &attachment_kind;
	session_attach(session, &a->peer);
	snprintf(a->instance, sizeof a->instance, "%s", session_instance(session));
}

/* The same memory once more: its process has connected anew. */
static int rejoin(struct registry *registry, struct session *session, struct mapping *mapping,
		  struct prodd_slice uuid, struct prodd_error *e)
{
	const struct identity *who = session_identity(session);
	struct attachment *a = container_of(mapping, struct attachment, mapping);

	if (mapping->kind != &attachment_kind || a->registry != registry || a->ending ||
	    memcmp(a->uuid, uuid.at, sizeof a->uuid) != 0)
		return prodd_error_set(e, PRODD_E_USAGE,
				       "segment.attach: the memory is shared already, as something else");
	if (check_process(a, who, start_of(who), e) < 0)
		return -PRODD_E_USAGE;
	counters.metric_segments_returned++;
	join(a, session);
	return 0;
}

static int map(struct attachment *a, int fd, uid_t uid, struct prodd_slice uuid, uint64_t size,
	       struct prodd_error *e)
{
	uint8_t found[16];
	int r = mapping_take(&a->mapping, a->registry->metric->mappings, fd, uid, SEGMENT_HEAD,
			     SEGMENT_SIZE_MAX, e);

	if (r < 0)
		return r;
	a->mapping.kind = &attachment_kind;
	r = segment_attach(&a->segment, a->mapping.at, a->mapping.size, found, e);
	if (r == 0 && (a->mapping.size != size || memcmp(found, uuid.at, sizeof found) != 0))
		r = prodd_error_set(e, PRODD_E_USAGE,
				    "segment.attach: size or uuid is not that of the memory");
	if (r < 0)
		mapping_clear(&a->mapping);
	return r;
}

/* Of one that is known by the ledger, or made now; `fd` is the caller's only until mapping_take(). */
static int share_new(struct registry *registry, struct session *session, int fd, struct prodd_slice uuid,
		     uint64_t size, struct prodd_error *e)
{
	const struct identity *who = session_identity(session);
	unsigned long long start = start_of(who);
	struct attachment *a = attachment_new(registry, ATTACHMENT_LIVES, session_instance(session));
	int r;

	if (!a) {
		file_close(&fd);
		return prodd_error_set(e, PRODD_E_OVER_LIMIT, "segment.attach: %s has its most segments",
				       registry->name);
	}
	r = map(a, fd, who->uid, uuid, size, e);
	if (r < 0) {
		attachment_free(a);
		return r;
	}
	memcpy(a->uuid, uuid.at, sizeof a->uuid);
	a->pid = who->pid;
	a->start = start;
	a->id = registry_id(registry);
	registry_record_attachment(registry, a);
	watch(a, who->pidfd >= 0 ? fcntl(who->pidfd, F_DUPFD_CLOEXEC, 3) : -1);
	join(a, session);
	return 0;
}

static int share_known(struct attachment *a, struct session *session, int fd, struct prodd_slice uuid,
		       uint64_t size, struct prodd_error *e)
{
	const struct identity *who = session_identity(session);
	int r = 0;

	if (a->state != ATTACHMENT_ABSENT)
		r = prodd_error_set(e, PRODD_E_USAGE, "segment.attach: another segment has that uuid");
	if (r == 0)
		r = check_process(a, who, start_of(who), e);
	if (r < 0) {
		file_close(&fd);
		return r;
	}
	r = map(a, fd, who->uid, uuid, size, e);
	if (r < 0)
		return r;
	a->state = ATTACHMENT_LIVES;
	a->restored = true;
	counters.metric_segments_returned++;
	if (!a->watched)
		watch(a, who->pidfd >= 0 ? fcntl(who->pidfd, F_DUPFD_CLOEXEC, 3) : -1);
	join(a, session);
	return 0;
}

int attachment_share(struct registry *registry, struct session *session, int fd, struct prodd_slice uuid,
		     uint64_t size, struct prodd_error *e)
{
	struct mapping *mapping = mapping_find(registry->metric->mappings, fd);
	struct attachment *known;
	int r;

	if (uuid.size != 16) {
		file_close(&fd);
		return prodd_error_set(e, PRODD_E_USAGE, "segment.attach: a uuid has 16 bytes");
	}
	if (mapping) {
		r = rejoin(registry, session, mapping, uuid, e);
		file_close(&fd);
		return r;
	}
	known = attachment_find(registry, (const uint8_t *)uuid.at);
	r = known ? share_known(known, session, fd, uuid, size, e)
		  : share_new(registry, session, fd, uuid, size, e);
	if (r == 0)
		metric_look_soon(registry->metric);
	return r;
}

/* ---- without a segment */

static void setter_closed(struct peer *peer)
{
	peer->session = NULL;
	attachment_free(container_of(peer, struct attachment, peer));
}

struct attachment *attachment_of_session(struct registry *registry, struct session *session)
{
	struct peer *peer = session_peer(session, &sets_kind);
	struct attachment *a;

	if (peer)
		return container_of(peer, struct attachment, peer);
	a = attachment_new(registry, ATTACHMENT_SETS, session_instance(session));
	if (!a)
		return NULL;
	a->peer.closed = setter_closed;
	a->peer.kind = &sets_kind;
	session_attach(session, &a->peer);
	return a;
}

struct attachment *attachment_of_pushes(struct registry *registry)
{
	if (registry->pushed)
		return registry->pushed;
	registry->pushed = attachment_new(registry, ATTACHMENT_PUSHED, "");
	if (!registry->pushed)
		return NULL;
	registry->pushed->id = registry_id(registry);
	registry_record_attachment(registry, registry->pushed);
	return registry->pushed;
}
