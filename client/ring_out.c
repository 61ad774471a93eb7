/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A ring is never unmapped before the handle is freed: a thread that found it
 * current may write into it at any later time.
 *
 * The eventfd keeps its number from session to session (dup3), so that a thread
 * that has read the number a moment ago does not write to something else.
 */
#define _GNU_SOURCE
#include "client/ring_out.h"

#include <fcntl.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include "client/clock.h"

/* ---- making */

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (uint64_t)now.tv_sec * (uint64_t)PRODD_NS_PER_S + (uint64_t)now.tv_nsec;
}

/* Must be unique on this host as long as its records are kept. */
static void draw_uuid(uint8_t uuid[16])
{
	uint64_t parts[2] = { now_ns(), (uint64_t)prodd_clock_ns() ^ (uint64_t)getpid() << 40 };

	if (getrandom(uuid, 16, GRND_NONBLOCK) != 16)
		memcpy(uuid, parts, 16);
}

static void lay_out(struct prodd_ring_out *out)
{
	uint8_t uuid[16];

	draw_uuid(uuid);
	ring_make(&out->ring, out->region.at, out->region.size - RING_HEAD, uuid, (uint64_t)getpid(), now_ns());
	atomic_store(&out->reader, PRODD_READ_BY_NOBODY);
	out->blocked_ns = 0;
}

static void renewed(struct prodd_region *region)
{
	lay_out((struct prodd_ring_out *)region);
}

static int attached(struct prodd_outcall *call, const struct prodd_message *answer, struct prodd_error *e);

static int add_ring(struct prodd_rings *rings, struct prodd_error *e)
{
	struct prodd_ring_out *out = &rings->rings[rings->count];
	int r;

	*out = (struct prodd_ring_out){ .region = { .name = "prodd-ring", .renewed = renewed },
					.attach = { .answered = attached }, .rings = rings };
	r = prodd_region_make(&out->region, RING_HEAD + rings->capacity, !rings->private, e);
	if (r < 0)
		return r;
	if (out->region.why.code)
		prodd_messages_say_once(rings->messages, LOG_WARNING,
					"log records go over the socket, and a crash loses those under way: %s",
					out->region.why.text);
	lay_out(out);
	rings->count++;
	return 0;
}

int prodd_rings_open(struct prodd_rings *rings, size_t capacity, struct prodd_messages *messages,
		     struct prodd_error *e)
{
	int r;

	rings->wake = -1;
	rings->capacity = capacity ? capacity : RING_CAPACITY_USUAL;
	rings->private = capacity == 0;
	rings->messages = messages;
	r = add_ring(rings, e);
	if (r == 0)
		atomic_store(&rings->current, &rings->rings[0]);
	return r;
}

void prodd_rings_use(struct prodd_rings *rings, struct prodd_conversation *conversation, struct prodd_poller *poller)
{
	rings->conversation = conversation;
	rings->poller = poller;
}

void prodd_rings_hang_up(struct prodd_rings *rings)
{
	int wake = atomic_exchange(&rings->wake, -1);

	if (prodd_poller_remove(rings->poller, wake))
		close(wake);
}

void prodd_rings_free(struct prodd_rings *rings)
{
	while (rings->count > 0)
		prodd_region_free(&rings->rings[--rings->count].region);
	atomic_store(&rings->current, NULL);
}

/* ---- the reader */

bool prodd_ring_read_here(struct prodd_ring_out *out)
{
	if (atomic_load(&out->reader) == PRODD_READ_BY_US)
		return true;
	out->own = out->ring;
	if (!ring_attach(&out->own, 0, &out->reading))
		return false;
	atomic_store(&out->reader, PRODD_READ_BY_US);
	return true;
}

/* What was published meanwhile wakes nobody: the caller looks. */
static void read_here(struct prodd_ring_out *out)
{
	if (!prodd_ring_read_here(out))
		prodd_messages_say_once(out->rings->messages, LOG_ERR,
					"a ring of log records is damaged: something in this program writes "
					"where it should not");
}

void prodd_rings_wake(struct prodd_rings *rings, struct prodd_ring_out *out)
{
	enum prodd_ring_reader reader = atomic_load(&out->reader);

	if (reader == PRODD_READ_BY_DAEMON)
		prodd_poller_ring(rings->poller, atomic_load(&rings->wake));
	else if (reader == PRODD_READ_BY_US)
		prodd_poller_wake(rings->poller);
}

/* ---- attaching */

/* Takes `fd`. */
static int use_wake(struct prodd_rings *rings, int fd, struct prodd_error *e)
{
	int number = atomic_load(&rings->wake), r;

	if (number >= 0 && prodd_poller_remove(rings->poller, number) && dup3(fd, number, O_CLOEXEC) >= 0) {
		close(fd);
		fd = number;
	}
	r = prodd_poller_enter(rings->poller, fd, e);
	if (r < 0) {
		close(fd);
		fd = -1;
	}
	atomic_store(&rings->wake, fd);
	return r;
}

static int attached(struct prodd_outcall *call, const struct prodd_message *answer, struct prodd_error *e)
{
	struct prodd_ring_out *out = (struct prodd_ring_out *)((char *)call - offsetof(struct prodd_ring_out, attach));
	int fd;

	if (!answer)
		return 0;
	if (answer->error.code) {
		prodd_messages_say_once(out->rings->messages, LOG_WARNING,
					"log records go over the socket, and a crash loses those under way: %s",
					answer->error.text);
		read_here(out);
		return 0;
	}
	fd = prodd_link_take(out->rings->conversation->link);
	out->was_attached = true;
	atomic_store(&out->reader, PRODD_READ_BY_DAEMON);
	return fd >= 0 ? use_wake(out->rings, fd, e) : 0;
}

static struct prodd_ring_out *find_empty(struct prodd_rings *rings)
{
	struct prodd_ring_out *current = prodd_rings_current(rings);

	for (unsigned i = 0; i < rings->count; i++) {
		struct prodd_ring_out *out = &rings->rings[i];

		if (out != current && ring_fill(&out->ring) == 0 && prodd_region_fd(&out->region) >= 0)
			return out;
	}
	return NULL;
}

/* Makes another ring the current one. NULL: there is none to be had. */
static struct prodd_ring_out *move_on(struct prodd_rings *rings)
{
	struct prodd_ring_out *next = find_empty(rings);
	struct prodd_error ignored;

	if (!next) {
		if (rings->count == PRODD_RINGS_MAX || add_ring(rings, &ignored) < 0)
			return NULL;
		next = &rings->rings[rings->count - 1];
	}
	atomic_store_explicit(&rings->current, next, memory_order_release);
	return next;
}

static int share(struct prodd_ring_out *out, struct prodd_error *e)
{
	struct wire_ring_attach params = { .ring = { (const char *)out->ring.head->uuid, 16 },
					   .capacity = out->ring.capacity };

	if (out->attach.id || atomic_load(&out->reader) != PRODD_READ_BY_NOBODY)
		return 0;
	return prodd_conversation_call(out->rings->conversation, &out->attach, WIRE_M_ring_attach, &params,
				       &out->region, e);
}

/* The program has closed the memfd. Two must not read it: what a daemon has mapped is left to it. */
static int replace(struct prodd_ring_out *out, struct prodd_error *e)
{
	struct prodd_ring_out *next = NULL;

	if (out == prodd_rings_current(out->rings))
		next = move_on(out->rings);
	if (out->was_attached && out != prodd_rings_current(out->rings))
		atomic_store(&out->ring.head->closed, 1);
	else
		read_here(out);
	if (!next)
		return 0;
	if (prodd_region_fd(&next->region) < 0) {
		read_here(next);
		return 0;
	}
	return share(next, e);
}

static int attach(struct prodd_ring_out *out, struct prodd_error *e)
{
	if (prodd_region_fd(&out->region) >= 0)
		return share(out, e);
	if (out->region.fd >= 0)
		return replace(out, e);
	read_here(out);
	return 0;
}

int prodd_rings_welcomed(struct prodd_rings *rings, struct prodd_error *e)
{
	unsigned count = rings->count;
	int r = 0;

	for (unsigned i = 0; i < count && r == 0; i++) {
		struct prodd_ring_out *out = &rings->rings[i];

		if (out == prodd_rings_current(rings) || ring_fill(&out->ring) > 0)
			r = attach(out, e);
	}
	return r;
}

void prodd_rings_left(struct prodd_rings *rings)
{
	for (unsigned i = 0; i < rings->count; i++)
		atomic_store(&rings->rings[i].reader, PRODD_READ_BY_NOBODY);
}

/* ---- a ring that is held up */

static bool is_held_up(struct prodd_ring_out *out)
{
	int64_t now = prodd_clock_ns();
	uint64_t head;

	if (!ring_is_blocked(&out->ring, &head)) {
		out->blocked_ns = 0;
		return false;
	}
	if (out->blocked_ns == 0 || out->blocked_at != head) {
		out->blocked_ns = now;
		out->blocked_at = head;
	}
	return now - out->blocked_ns >= PRODD_RING_BLOCKED_MS * PRODD_NS_PER_MS;
}

int prodd_rings_look(struct prodd_rings *rings, bool talking, struct prodd_error *e)
{
	struct prodd_ring_out *next, *current = prodd_rings_current(rings);

	if (!current || !is_held_up(current))
		return 0;
	next = move_on(rings);
	if (!next)
		return 0;
	prodd_messages_say_once(rings->messages, LOG_WARNING,
				"a thread has stopped in the midst of logging: records go to another ring");
	return talking ? attach(next, e) : 0;
}

/* ---- in a forked child */

void prodd_rings_forked(struct prodd_rings *rings)
{
	int wake = atomic_load(&rings->wake);

	for (unsigned i = 0; i < rings->count; i++) {
		struct prodd_ring_out *out = &rings->rings[i];

		prodd_region_own(&out->region);
		atomic_store(&out->reader, PRODD_READ_BY_NOBODY);
		out->attach.id = 0;
		out->was_attached = false;
	}
	if (rings->poller && prodd_poller_holds(rings->poller, wake))
		close(wake);
	atomic_store(&rings->wake, -1);
}
