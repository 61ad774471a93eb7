/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Logs as a whole: the apps' streams, the rings that feed them, the sinks that
 * read what is kept.  Loop thread.
 */
#ifndef PRODD_LOG_LOGS_H
#define PRODD_LOG_LOGS_H

#include "daemon/core/events.h"
#include "daemon/core/mapping.h"
#include "daemon/core/places.h"
#include "daemon/core/status_part.h"
#include "daemon/core/worker.h"
#include "daemon/log/feed.h"
#include "daemon/log/levels.h"
#include "daemon/log/settings.h"
#include "daemon/log/tail.h"

#define LOGS_STREAMS_MAX 4096u		/* apps; as many as one message to a sink may name */
#define LOGS_STREAMS_UID_MAX 64u	/* that one uid other than root and our own may bring into being */
#define LOGS_UID_BYTES (4u * 1024 * 1024)	/* under way, of one uid */

struct sinks;

/* What records of one uid are under way, over all apps. */
struct log_owner {
	uid_t uid;
	size_t bytes;
	unsigned streams;
	UT_hash_handle hh;
};

struct logs {
	struct handler ring_attach;	/* as the next three: entered by logs_serve() */
	struct handler log_push;
	struct handler log_sync;
	struct handler spool_show;
	struct levels levels;
	struct tail tail;
	struct status_part status;	/* to be added to the answers of status */
	struct prodd_buffer rows;	/* what the last answer borrowed */
	struct loop *loop;		/* borrowed, as are the next four */
	struct disk *disk;
	struct events *events;
	struct mappings *mappings;
	const struct places *places;
	struct log_settings settings;	/* owned */
	struct spool_total total;	/* the disk thread's */
	int spool;			/* owned: directory of the spools */
	struct stream *streams;		/* owned; by name */
	struct log_owner *owners;	/* owned; by uid */
	struct turns turns;
	TAILQ_HEAD(, feed) lingering;
	struct loop_timer linger;
	struct loop_timer sweep;
	struct loop_timer commit;	/* of the policy `interval` */
	struct sinks *sinks;		/* owned */
	bool ending;
	bool drained;			/* while ending: all that was in the rings is kept */
	uint64_t ends_ms;		/* of the budget, on the monotonic clock */
};

/* Takes what is in `settings`. Opens STATE/spool and goes through what is there, on the disk thread. `ship`
 * is borrowed: the program of the sinks. */
int logs_new(struct logs **ret, struct loop *loop, struct disk *disk, struct events *events,
	     struct mappings *mappings, const struct places *places, const struct helper_program *ship,
	     struct log_settings *settings, struct prodd_error *e);

/* Takes the methods about logs of all sessions of the host. */
void logs_serve(struct logs *logs, struct session_host *host);

/* The daemon ends: what is in the rings is taken, kept and shipped, within `budget_ms`. */
void logs_end(struct logs *logs, uint64_t budget_ms);
bool logs_ended(struct logs *logs);		/* to be asked until it says so */

/* No session may be left, and the disk thread must have ended. NULL is allowed; returns NULL. */
struct logs *logs_free(struct logs *logs);

/* The stream of an app; makes it when `uid` may. NULL: *e says why. */
struct stream *logs_stream(struct logs *logs, const char *app, uid_t uid, struct prodd_error *e);

/* Every SIGUSR1: sinks rotate their files. */
void logs_rotate(struct logs *logs);

/* Arms the timers that a busy stream or feed needs. */
void logs_sweep_soon(struct logs *logs);
void logs_commit_soon(struct logs *logs);

#endif
