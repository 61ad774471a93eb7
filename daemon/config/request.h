/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Somebody wants a change: an operator, an app about itself, the watch, or a
 * deadline.  Requests of one app are carried out one after another; a reload
 * of the very files that a running transaction works on joins it.
 */
#ifndef PRODD_CONFIG_REQUEST_H
#define PRODD_CONFIG_REQUEST_H

#include <sys/queue.h>

#include "daemon/config/app.h"
#include "daemon/layers/layers.h"
#include "daemon/util/hash.h"

enum request_kind {
	REQUEST_RELOAD,		/* by command */
	REQUEST_LOOK,		/* files may have changed: watch, start, a new environment */
	REQUEST_TRY,		/* a schema from code is tried */
	REQUEST_SET,
	REQUEST_UNSET,
	REQUEST_ROLLBACK,
	REQUEST_EXPIRE,		/* overrides whose time is over */
	REQUEST_FALL_BACK,	/* nobody confirmed */
};

struct request_options {
	bool dry_run;
	bool force;
	uint64_t confirm_ms;
};

/* The reports of one command, gathered until the last of its requests is done. */
struct collector {
	struct call *call;			/* owned */
	struct prodd_buffer reports;		/* LIST of report */
	uint32_t count;
	unsigned waiting;			/* requests not done */
	bool joined;
	uint64_t txn;				/* the transaction that reported last */
};

struct request {
	enum request_kind kind;
	struct app *app;			/* borrowed */
	struct scope *scope;			/* of a directive; borrowed */
	struct request_options options;
	char who[128];				/* "root", "the watch" */
	char key[256];				/* SET, UNSET */
	struct prodd_buffer value;		/* SET: as typed */
	uint64_t for_ms;			/* SET */
	uint64_t generation;			/* ROLLBACK */
	struct collector *collector;		/* shared; NULL: nobody waits */
	uint64_t asked_ms;			/* monotonic */
	struct loop_timer patience;		/* while it waits for its app to be free */
	struct disk_job look;			/* reads the sources to see whether it can join */
	struct layers_where where;
	struct layers layers;
	int look_result;
	char sources[HASH_TEXT_SIZE];	/* what the look has found; "": nothing yet */
	bool queued;
	bool finished;				/* answered while its look was on the disk thread */
	TAILQ_ENTRY(request) link;
};

/* Not about files: it has nothing to read from the app's directory, and nobody to ask. */
static inline bool request_is_directive(const struct request *request)
{
	return request->kind > REQUEST_TRY;
}

/* NULL: no memory. `collector` NULL: nobody waits. */
struct request *request_new(enum request_kind kind, struct app *app, const char *who, struct collector *collector);

/* Starts its transaction, or queues it behind the one that runs, for `patience_ms` at most. Takes it. */
void request_submit(struct request *request, uint64_t patience_ms);

/* The running transaction knows its sources now: reloads that have seen the same ones join it. */
void request_join_all(struct app *app);

/* The app is free: the next request of its queue, if any, starts. */
void request_next(struct app *app);

/* Ends a request: rows (LIST of report) of the transaction `txn` go to its collector. Takes it. */
void request_report(struct request *request, uint64_t txn, struct prodd_list rows);

/* Ends it without a word. Takes it. */
void request_end(struct request *request);

/* Ends it with a row that carries no more than an error. Takes it. */
void request_fail(struct request *request, const char *outcome, const struct prodd_error *error);

/* ---- collectors: one for each call. Takes call; answers it with an error and returns NULL when there is no memory. */
struct collector *collector_new(struct call *call);

/* The call's own share is done: answered when no request waits any more. */
void collector_release(struct collector *collector);

#endif
