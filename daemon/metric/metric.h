/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Metrics as a whole: what the apps count, and the methods of the wire that
 * are about it.
 */
#ifndef PRODD_METRIC_METRIC_H
#define PRODD_METRIC_METRIC_H

#include "daemon/core/events.h"
#include "daemon/core/places.h"
#include "daemon/core/status_part.h"
#include "daemon/metric/registry.h"
#include "daemon/metric/sample.h"

#define METRIC_LOOK_MS 1000		/* how often it is seen whether there are new series */
#define METRIC_LOOK_ENTRIES 1000u	/* read in one turn, of all segments */
#define METRIC_SERIES_MAX 2000u		/* of an app, unless configured */

struct metric {
	struct metric_source source;		/* what the apps count */
	struct metric_source *own;		/* borrowed: what prodd counts; NULL: none */
	struct status_part status;
	struct handler attach, push, query;
	struct loop *loop;			/* borrowed, as are the next three */
	struct disk *disk;
	struct events *events;
	struct mappings *mappings;
	unsigned series_max;			/* of an app */
	int directory;				/* owned: STATE/metric */
	char boot[BOOK_BOOT];
	struct registry *registries;		/* owned; by name */
	struct tenant *tenants;			/* owned; by uid */
	uint64_t last_number;
	unsigned walks;				/* under way: what they stand in is not freed */
	struct family *buried;			/* owned: waits for that */
	bool names_changed;
	struct loop_timer look;
};

/* Reads the ledgers, makes STATE/metric. Blocks: start-up only. `series_max` of an app; 0:
 * METRIC_SERIES_MAX. */
int metric_new(struct metric **ret, struct loop *loop, struct disk *disk, struct events *events,
	       struct mappings *mappings, const struct places *places, unsigned series_max,
	       struct prodd_error *e);

/* Enters the methods that it answers. */
void metric_serve(struct metric *metric, struct session_host *host);

/* No session may be left, and no job. NULL is allowed; returns NULL. */
struct metric *metric_free(struct metric *metric);

/* The registry of an app, made when there is none. `uid` is charged when the name is a separate one. NULL
 * with *e. */
struct registry *metric_registry(struct metric *metric, const char *app, uid_t uid, struct prodd_error *e);

/* Ends those whose process has ended, and reads new entries, so that what is told is as things are. */
void metric_look(struct metric *metric);

/* Looks again in this turn. */
void metric_look_soon(struct metric *metric);

/* ---- sources and methods, each in its file */

extern const struct metric_source_ops metric_source_ops;

void metric_push_call(struct handler *handler, struct call *call, const void *params);
void metric_query_call(struct handler *handler, struct call *call, const void *params);

void metric_status_problems(struct status_part *part, struct prodd_slice app, struct problems_found *found);
void metric_status_app(struct status_part *part, const char *app, struct wire_app_status *row);

#endif
