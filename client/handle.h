/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The handle as the library knows it.  Who changes what:
 *
 *   settings, surroundings   the program before prodd_start(), nobody after
 *   current, keys, messages  anybody, without locks
 *   metrics                  anybody, under its lock where they are declared
 *   threshold, log           anybody, without locks but where levels are set
 *   status                   anybody, under its lock
 *   engine                   one thread at a time: who entered it
 *
 * A forked child makes it its own at its first call (prodd_handle_own).
 */
#ifndef PRODD_CLIENT_HANDLE_H
#define PRODD_CLIENT_HANDLE_H

#include "client/engine.h"
#include "client/log.h"
#include "client/mark.h"
#include "client/metric.h"

struct prodd {
	struct prodd_threshold threshold;	/* first: the inline functions of prodd/log.h read it */
	struct prodd_mark mark;
	struct prodd_settings settings;
	struct prodd_surroundings surroundings;
	struct prodd_messages *messages;	/* shares */
	struct prodd_current current;
	struct prodd_names keys;
	struct prodd_metrics *metrics;	/* owned */
	struct prodd_log log;
	struct prodd_status status;
	struct prodd_engine *engine;	/* owned; from prodd_start() to prodd_free() */
	struct prodd_engine *abandoned;	/* the parent's, when the fork came in the midst of a turn */
	char *lineage;			/* owned; name of this instance in a forked child: "PARENT.CHILD" */
	pthread_t thread;		/* of the library, where `has_thread` */
	bool has_thread;
	atomic_bool started;
	atomic_bool closed;
};

/* Starts the library's thread. Returns 0 or -PRODD_E_IO. */
int prodd_handle_run(struct prodd *p, struct prodd_error *e);

/* In a forked child that has not used the handle yet: makes it a new instance; waits while another thread
 * does so. */
void prodd_handle_own(struct prodd *p);

/* In a forked child that ends the handle before it ever used it: lets go of the parent's. */
void prodd_handle_disown(struct prodd *p);

/* At the beginning of each call. */
static inline void prodd_handle_look(struct prodd *p)
{
	if (__builtin_expect(prodd_mark_is_forked(&p->mark), 0))
		prodd_handle_own(p);
}

#endif
