/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Levels that operators set at run time, for an app or one of its targets, each
 * until its time is over or the daemon ends: `log.level`.  An app's instances
 * are told the whole list whenever it changes, and its own levels count where
 * it says nothing.  Loop thread.
 */
#ifndef PRODD_LOG_LEVELS_H
#define PRODD_LOG_LEVELS_H

#include "daemon/core/events.h"
#include "daemon/core/session.h"

#define LEVELS_APPS_MAX 1024u		/* with a level in force */
#define LEVELS_OF_APP_MAX 64u		/* as many as one message holds */
#define LEVELS_NAME_MAX 128		/* bytes of an app's name, and of a target */

struct level_app;
struct level_listener;

struct levels {
	struct handler log_level;	/* to be entered by the composition root */
	struct loop *loop;		/* borrowed */
	struct events *events;		/* borrowed */
	struct loop_timer expiry;	/* of the one that ends next */
	LIST_HEAD(, level_app) apps;	/* owned */
	unsigned app_count;
	LIST_HEAD(, level_listener) listeners;	/* owned */
};

/* Zeroed before. -PRODD_E_NO_MEMORY. */
int levels_init(struct levels *levels, struct loop *loop, struct events *events, struct prodd_error *e);
void levels_clear(struct levels *levels);	/* those not set up too; no session may be left */

/* The session logs (it has attached a ring, or pushed): it is told what is in force, now and at each change. Once is
 * enough; no-op after that. Without memory it is told nothing. */
void levels_greet(struct levels *levels, struct session *session);

#endif
