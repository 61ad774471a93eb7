/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A process that counts into an app's series: its segment, mapped; or what the ledger knows of it until it
 * comes back; or, for those without a segment, what they pushed.
 *
 * A hang-up is no death: the segment stays mapped and counted. It ends when the kernel says that the process
 * has ended, or when the app closed it in order and its session is over: then it is read for the last time,
 * its gauges go, and its counts wait to be folded.
 */
#ifndef PRODD_METRIC_ATTACHMENT_H
#define PRODD_METRIC_ATTACHMENT_H

#include "daemon/core/mapping.h"
#include "daemon/core/session.h"
#include "daemon/metric/binding.h"

#define ATTACHMENT_GAUGES_MS 60000	/* gauges of a process that has lost contact are told for so long */
#define ATTACHMENT_FAMILIES_MAX 1000u	/* that a segment declares */
#define ATTACHMENT_TOLD_MAX 8u		/* refusals of one attachment that become events */

struct registry;

enum attachment_state {
	ATTACHMENT_LIVES,	/* mapped */
	ATTACHMENT_ABSENT,	/* known by the ledger; its process has not come back yet */
	ATTACHMENT_DEAD,	/* waits to be folded until all of it is on record */
	ATTACHMENT_PUSHED,	/* the app's one for counters and histograms without a segment */
	ATTACHMENT_SETS,	/* a session's gauges without a segment */
};

struct attachment {
	struct registry *registry;	/* borrowed */
	LIST_ENTRY(attachment) link;
	enum attachment_state state;
	uint8_t uuid[16];
	pid_t pid;			/* 0: of a foreign namespace */
	unsigned long long start;	/* of the process, as proc(5) has it; 0: not known */
	char instance[FAMILY_BY_MAX];
	uint32_t id;
	struct ledger_slot slot;
	bool restored;			/* the ledger knew it before it came */
	/* LIVES */
	struct mapping mapping;
	struct segment segment;
	struct peer peer;		/* peer.session NULL: it has lost contact */
	uint64_t lost_ms;		/* when, monotonic */
	int pidfd;			/* owned; -1: none. ABSENT too */
	struct event ended;		/* the process */
	bool watched;
	bool ending;			/* read to the end, then it is dead */
	bool damaged;			/* its directory is not read on */
	struct family **families;	/* owned array: by its own numbers; NULL: refused */
	unsigned family_count, family_room;
	unsigned refused_families;
	unsigned told;			/* refusals that became events */
	uint64_t refused, not_a_number;	/* as its head said last */
	LIST_HEAD(, binding) bindings;	/* owned */
};

extern const char attachment_kind;	/* of its mapping and its peer */

/* NULL: no memory, or the app has its most. */
struct attachment *attachment_new(struct registry *registry, enum attachment_state state,
				  const char *instance);
/* Its bindings go with it. NULL is allowed; returns NULL. */
struct attachment *attachment_free(struct attachment *attachment);

/* The one with the segment of that uuid; NULL: none. */
struct attachment *attachment_find(const struct registry *registry, const uint8_t uuid[16]);

/* Shares the segment in `fd` (takes it): anew, or again. As segment.attach answers. */
int attachment_share(struct registry *registry, struct session *session, int fd, struct prodd_slice uuid,
		     uint64_t size, struct prodd_error *e);

/* Watches for the end of the process of one that the ledger knows. False: it has ended already. */
bool attachment_await(struct attachment *attachment);

/* Reads at most `budget` new entries, and finishes what has ended. Returns how many were read; `budget`:
 * there may be more. */
unsigned attachment_look(struct attachment *attachment, unsigned budget);

/* Reads what it counts. */
void attachment_read(struct attachment *attachment);

/* It is over: as the state says it is read on, or dead at once. */
void attachment_end(struct attachment *attachment);

/* What attachment_end() comes to, when all its entries are read: let go of, and folded at the look that comes. */
void attachment_die(struct attachment *attachment);

/* Whether its gauges are told. */
bool attachment_shows_gauges(const struct attachment *attachment);

/* Gauges of a session without a segment: the session's own, made when there is none. NULL: no memory or over
 * the limit. */
struct attachment *attachment_of_session(struct registry *registry, struct session *session);
/* Counters and histograms without a segment. */
struct attachment *attachment_of_pushes(struct registry *registry);

#endif
