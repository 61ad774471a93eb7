/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Configuration as a whole: the apps, what they are served, and the methods
 * of the wire that are about it.
 */
#ifndef PRODD_CONFIG_CONFIG_H
#define PRODD_CONFIG_CONFIG_H

#include "daemon/config/app.h"
#include "daemon/config/settings.h"
#include "daemon/config/store.h"
#include "daemon/core/events.h"
#include "daemon/core/helper.h"
#include "daemon/core/places.h"
#include "daemon/core/status_part.h"

#define DECLARED_KIND "DCL"

/* Instances that were connected before the daemon's end have this long to come back before changed files are
 * offered. */
#define CONFIG_RETURN_MS 10000

#define CONFIG_CAUSE_START "start of prodd"	/* of the first look at an app's files */

struct inspection;
struct watcher;

struct config {
	struct service service;
	struct loop *loop;			/* borrowed, as are the next four */
	struct disk *disk;
	struct events *events;
	struct accounts *accounts;
	const struct helper_program *parser;
	const struct places *places;		/* borrowed */
	const char *apps_directory;		/* borrowed from places */
	struct settings settings;		/* owned */
	struct store *store;			/* owned */
	struct app *apps;			/* owned; by name */
	LIST_HEAD(, transaction) transactions;	/* owned: those that run */
	LIST_HEAD(, inspection) inspections;	/* owned: those that run */
	struct watcher *watcher;		/* owned; NULL: files are not watched */
	struct loop_timer returned;		/* the time for instances to come back is over */
	struct loop_timer expiry;		/* the next override or confirmation that ends */
	struct returns *returns;		/* owned: who was connected */
	struct status_part *parts;		/* borrowed, each: of other subsystems */
	uint64_t started_ms;			/* monotonic */
	bool ending;				/* nothing new is started */
	uid_t own;				/* the daemon's uid */
};

/* Opens the state, finds the apps, starts to watch. Takes what is in `settings`. Blocks: start-up only. */
int config_new(struct config **ret, struct loop *loop, struct disk *disk, struct events *events,
	       struct accounts *accounts, const struct helper_program *parser, const struct places *places,
	       struct settings *settings, struct prodd_error *e);

/* The daemon ends: no transaction, look or expiry is started any more. Before the sessions are ended. */
void config_end(struct config *config);

/* `part` (borrowed) has something to say in the answers of status. */
void config_add_status(struct config *config, struct status_part *part);

/* Adds what needs a person, of the app or of all when `wanted` is empty, of configuration and of those who were added. */
void config_problems(const struct config *config, struct prodd_slice wanted, struct problems_found *found);

/* No session may be left. Disk jobs must have ended. NULL is allowed; returns NULL. */
struct config *config_free(struct config *config);

/* Apps that have come since the start: directories below apps/. */
bool config_has_directory(const struct config *config, const char *name);
struct app *config_add_app(struct config *config, const char *name);	/* NULL: no memory */
void config_find_new_apps(struct config *config);

/* ---- told by instances and transactions */

void config_instance_subscribed(struct config *config, struct instance *instance);
void config_instance_left(struct config *config, struct app *app, struct scope *scope,
			  struct instance *instance);
void config_instance_confirmed(struct config *config, struct instance *instance);
void config_event_refused(struct config *config, struct instance *instance);

/* A silent instance answers again, or has left: what failed by its silence is tried again. */
void config_instance_heard(struct config *config, struct instance *instance);

/* A transaction has ended, its candidates are still there: instances that wait or lag are served. */
void config_transaction_ended(struct config *config, struct transaction *t);

/* Apps are free: transactions and requests that waited go on; the next expiry is planned. */
void config_settle(struct config *config);

/* Files of an app may have changed: looks at them, unless its instances are still coming back. `why` is the
 * cause. */
void config_look(struct config *config, struct app *app, const char *why);

#endif
