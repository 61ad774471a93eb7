/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which level is logged for which target.  The program sets its own levels; an
 * operator's come from the daemon, which also lets them end, and go before the program's.
 * Among the rows of one of them the longest that covers the target counts
 * ("db.pool" before "db" before the row for all).
 *
 * Threads: any.  Whoever logs reads a finished table; who changes something makes a
 * new one, under the lock.
 */
#ifndef PRODD_CLIENT_LEVEL_H
#define PRODD_CLIENT_LEVEL_H

#include <pthread.h>

#include <prodd/log.h>

#include "client/current.h"
#include "proto/wire.h"

#define PRODD_LEVEL_ROWS_MAX 64			/* of each of the two: levels in the wire's schema */
#define PRODD_LEVEL_TARGET_MAX 128		/* bytes: level_row in the wire's schema */

struct prodd_level_row {
	char target[PRODD_LEVEL_TARGET_MAX + 1];	/* "": all */
	size_t size;
	int level;
};

struct prodd_level_rows {
	struct prodd_level_row *rows;		/* owned; the longest targets first */
	unsigned count;
};

struct prodd_levels {
	struct prodd_threshold *threshold;	/* borrowed; the lowest of all */
	atomic_bool by_target;			/* the threshold alone does not decide */
	struct prodd_current table;		/* of struct prodd_level_table */
	pthread_mutex_t lock;
	struct prodd_level_rows own;
	struct prodd_level_rows operators;
};

/* Info for all. `threshold` is the handle's. */
void prodd_levels_init(struct prodd_levels *levels, struct prodd_threshold *threshold);
void prodd_levels_clear(struct prodd_levels *levels);

/* In a forked child: nobody holds the lock here. */
void prodd_levels_forked(struct prodd_levels *levels);

/* Whether a record is logged that has passed the threshold. `target` NULL: "main". */
bool prodd_levels_pass(struct prodd_levels *levels, const char *target, int level);

/* The program's own; `target` "": for all. 0, -PRODD_E_NO_MEMORY (nothing is changed) or -PRODD_E_OVER_LIMIT. */
int prodd_levels_own(struct prodd_levels *levels, struct prodd_slice target, int level);

/* All levels that operators have set; what is not in the list is not set. -PRODD_E_PROTOCOL, -PRODD_E_USAGE (a row
 * that is none: nothing is changed) or -PRODD_E_NO_MEMORY. */
int prodd_levels_operators(struct prodd_levels *levels, struct prodd_list list, struct prodd_error *e);

#endif
