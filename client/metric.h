/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a handle counts: families and their series, in the order of their
 * declaration, and the segment that their cells are in.  Nothing is ever taken
 * away, so that handles stay good.
 *
 * Who declares holds the lock; who looks a series up does not.  A thread that
 * forks holds it too, so that the list is whole in the child.  There the
 * segment is fresh memory at the same address: the list is told to it once more,
 * and each series gets the cells that it had.
 */
#ifndef PRODD_CLIENT_METRIC_H
#define PRODD_CLIENT_METRIC_H

#include <pthread.h>
#include <stdatomic.h>

#include <prodd/metric.h>

#include "client/messages.h"
#include "client/metric_segment.h"
#include "client/poller.h"

/* Series of a process; those over it count into their families' overflow series. The daemon has the same
 * limit for all processes of an app. */
#define PRODD_SERIES_MAX 2000u

struct prodd_gauge {
	uint64_t *value;		/* a double's bits */
	uint64_t *set_ns;
	uint64_t *not_a_number;		/* counts what is refused */
};

struct prodd_histogram {
	struct prodd_counter cells;	/* of the first bucket; the others follow, then +Inf's and the sum */
	const double *bounds;
	unsigned count;
	uint64_t *not_a_number;
};

struct prodd_metric_entry {
	struct prodd_metric_entry *next;	/* declared after it */
	bool is_family;			/* or a series */
};

struct prodd_family {
	struct prodd_metric_entry entry;
	struct prodd_metrics *metrics;	/* borrowed */
	struct segment_family is;	/* its texts are behind this struct, in the same memory */
	const void *place;		/* code that declared it, for a message */
	uint32_t number;
	bool dead;			/* counts into nothing */
	_Atomic(struct prodd_series *) overflow;	/* NULL: not needed yet */
};

/* What the public names are. */
struct prodd_counter_family { struct prodd_family family; };
struct prodd_gauge_family { struct prodd_family family; };
struct prodd_histogram_family { struct prodd_family family; };

struct prodd_series {
	struct prodd_metric_entry entry;
	struct prodd_family *family;	/* borrowed */
	union {
		struct prodd_counter counter;
		struct prodd_gauge gauge;
		struct prodd_histogram histogram;
	} handle;
	_Atomic(struct prodd_series *) next;	/* in its chain */
	uint64_t hash;
	uint32_t cell;
	bool is_overflow;
	const struct prodd_slice *values;	/* owned, in the same memory; NULL: none */
};

/* Handles for what cannot be declared. */
struct prodd_dead {
	struct prodd_family family;
	struct prodd_series series;
};

struct prodd_metrics {
	struct prodd_messages *messages;	/* borrowed */
	pthread_mutex_t opening;		/* of who makes the segment and `chains` */
	atomic_bool is_open;			/* they are there */
	struct prodd_metric_segment segment;	/* made by the first declaration */
	_Atomic(struct prodd_series *) *chains;	/* owned; series by their hash */
	pthread_mutex_t lock;			/* of what follows, up to `units`, and to add to the two above */
	struct prodd_metric_entry *first, *last;
	unsigned series_count;			/* overflow series not counted */
	struct prodd_unit *units;		/* owned */
	uint64_t nowhere[2];			/* cells of the dead */
	struct prodd_dead dead[SEGMENT_HISTOGRAM + 1];	/* by type */
	/* borrowed; to be woken when there is a segment to share; NULL: nobody is there */
	_Atomic(const struct prodd_poller *) poller;
};

/* NULL: no memory. */
struct prodd_metrics *prodd_metrics_new(struct prodd_messages *messages);

/* Marks the segment as closed in order: the daemon need not wait for the process's death. Nothing is counted
 * after it. NULL is allowed. */
void prodd_metrics_end(struct prodd_metrics *m);
void prodd_metrics_free(struct prodd_metrics *m);

/* In a child made without fork handlers (region.h): the same as they do. Elsewhere nothing. */
void prodd_metrics_own(struct prodd_metrics *m);

/* Before the lock is taken: the segment is there, made when it was not. Returns 0 or -PRODD_E_NO_MEMORY. */
int prodd_metrics_open(struct prodd_metrics *m, struct prodd_error *e);

/* Under the lock: links an entry that is complete. */
void prodd_metrics_append(struct prodd_metrics *m, struct prodd_metric_entry *entry);

#endif
