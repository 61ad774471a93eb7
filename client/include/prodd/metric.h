/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Metrics, in the model of Prometheus.  They are counted in memory that prodd
 * shares: an increment is one atomic addition, and survives SIGKILL of this program.
 *
 *	static const char *const labels[] = { "method" };
 *	struct prodd_counter *served = prodd_counter(p, "orders_served_total", "Orders served.");
 *	struct prodd_counter_family *requests = prodd_counter_family(p, "requests_total", "...", labels, 1);
 *
 *	prodd_inc(served);
 *	prodd_inc(prodd_counter_with(requests, "GET"));
 *
 * A handle is made once and kept.  It is never NULL but without memory: what
 * cannot be declared (a bad name, a type that conflicts) is told by the library's
 * log and counts into nothing, so that no caller need check.  NULL is allowed
 * everywhere and does nothing.  Handles live as long as the handle `p`.
 *
 * In a forked child they are good too, and count for the child, from 0.  An
 * increment is no call of the library's: a child that does nothing else makes any
 * one, prodd_is_connected() for instance, to be an instance of its own.
 */
#ifndef PRODD_METRIC_H
#define PRODD_METRIC_H

#include <stddef.h>
#include <stdint.h>

#include <prodd/handle.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)
#ifdef __cplusplus	/* -Wshadow: functions here have the names of structs, as stat(2) does */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wshadow"
#endif

#define PRODD_LABELS_MAX 16
#define PRODD_BUCKETS_MAX 64

/* ---- shards: each thread has one, given at its first use -------------------------------------------- */

/*
 * Which shard this thread adds to; the inline functions below ask once for each thread.
 * Threads: any.  Ownership: none.  Returns: 1 to 64.  Since: 0.1.0.
 */
unsigned prodd_shard_choose(void);

static __thread unsigned prodd_shard_of_thread __attribute__((unused));	/* 0: not chosen */

static inline unsigned prodd_shard(void)
{
	if (__builtin_expect(prodd_shard_of_thread == 0, 0))
		prodd_shard_of_thread = prodd_shard_choose();
	return prodd_shard_of_thread;
}

/* ---- counters --------------------------------------------------------------------------------------- */

/* A counter's handle. ABI: never changes. */
struct prodd_counter {
	char *cell;		/* of shard 0: an aligned 64-bit word, added to by atomic operations */
	size_t stride;		/* bytes from a shard's cell to the next one's */
	unsigned mask;		/* shards - 1 */
};

struct prodd_gauge;
struct prodd_histogram;
struct prodd_counter_family;
struct prodd_gauge_family;
struct prodd_histogram_family;

/*
 * Declares a counter: `name` ends with "_total" ([a-zA-Z_:][a-zA-Z0-9_:]*, at most 128 bytes); `help` has at
 * most 512.  Declaring it again gives the same handle.
 * Threads: any, before or after prodd_start().  Ownership: texts are borrowed; the handle is `p`'s.
 * Returns: the handle; NULL without memory, or for NULL.  Since: 0.1.0.
 */
struct prodd_counter *prodd_counter(struct prodd *p, const char *name, const char *help);

/*
 * Adds `n`.
 * Threads: any; in a signal handler too.  Ownership: none.  Returns: nothing.  Since: 0.1.0.
 */
static inline void prodd_add(struct prodd_counter *c, uint64_t n)
{
	if (c)
		__atomic_fetch_add((uint64_t *)(void *)(c->cell + (prodd_shard() & c->mask) * c->stride), n,
				   __ATOMIC_RELAXED);
}

static inline void prodd_inc(struct prodd_counter *c)
{
	prodd_add(c, 1);
}

/* ---- gauges ----------------------------------------------------------------------------------------- */

/* How the gauges of several instances of an app become one. */
enum prodd_gauge_mode {
	PRODD_GAUGE_LAST = 0,	/* the one that was set last */
	PRODD_GAUGE_SUM = 1,
	PRODD_GAUGE_MIN = 2,
	PRODD_GAUGE_MAX = 3,
	PRODD_GAUGE_EACH = 4	/* each by itself, with a label "instance" */
};

/*
 * Declares a gauge. It is withdrawn when this instance ends.
 * Threads: any, before or after prodd_start().  Ownership: texts are borrowed; the handle is `p`'s.
 * Returns: as prodd_counter().  Since: 0.1.0.
 */
struct prodd_gauge *prodd_gauge(struct prodd *p, const char *name, const char *help,
				enum prodd_gauge_mode mode);

/*
 * Sets, or adds to, a gauge; NaN, and to add up to what is not finite, is refused, and counted.
 * Threads: any.  Ownership: none.  Returns: nothing.  Since: 0.1.0.
 */
void prodd_gauge_set(struct prodd_gauge *g, double value);
void prodd_gauge_add(struct prodd_gauge *g, double value);

/* ---- histograms ------------------------------------------------------------------------------------- */

/*
 * Declares a histogram with `count` upper bounds, ascending and finite, at most 64; 0: 5 ms to 10 s, as the
 * clients of Prometheus have them.
 * Threads: any, before or after prodd_start().  Ownership: texts are borrowed; the handle is `p`'s.
 * Returns: as prodd_counter().  Since: 0.1.0.
 */
struct prodd_histogram *prodd_histogram(struct prodd *p, const char *name, const char *help,
					const double *bounds, size_t count);

/*
 * Counts a value. One that is not finite is refused, and counted.
 * Threads: any.  Ownership: none.  Returns: nothing.  Since: 0.1.0.
 */
void prodd_observe(struct prodd_histogram *h, double value);

/* ---- units and labels ------------------------------------------------------------------------------- */

/*
 * Families: the same with `count` labels, at most 16; their names are
 * [a-zA-Z_][a-zA-Z0-9_]*, not "__...", "app", "instance", "le" or "overflow".  A
 * series of a family is looked up by the labels' values, in their order; keep the
 * handle where it is used often.  A value is text of at most 256 bytes; NULL is "".
 * An app has at most 2,000 series; those over it, and those with other values,
 * count into one that carries the label overflow="true" in place of its labels,
 * so that sums stay right.
 * Threads: any, before or after prodd_start().  Ownership: texts are borrowed; the handle is `p`'s.
 * Returns: as prodd_counter().  Since: 0.1.0.
 */
struct prodd_counter_family *prodd_counter_family(struct prodd *p, const char *name, const char *help,
						  const char *const *labels, size_t count);
struct prodd_gauge_family *prodd_gauge_family(struct prodd *p, const char *name, const char *help,
					      enum prodd_gauge_mode mode, const char *const *labels,
					      size_t count);
struct prodd_histogram_family *prodd_histogram_family(struct prodd *p, const char *name, const char *help,
						      const double *bounds, size_t bound_count,
						      const char *const *labels, size_t count);

struct prodd_counter *prodd_counter_of(struct prodd_counter_family *f, const char *const *values,
				       size_t count);
struct prodd_gauge *prodd_gauge_of(struct prodd_gauge_family *f, const char *const *values, size_t count);
struct prodd_histogram *prodd_histogram_of(struct prodd_histogram_family *f, const char *const *values,
					   size_t count);

/* prodd_counter_with(f, "GET", "200") */
#ifndef __cplusplus
#define PRODD_VALUES_(...) \
	(const char *const[]){ __VA_ARGS__ }, sizeof((const char *const[]){ __VA_ARGS__ }) / sizeof(char *)
#define prodd_counter_with(f, ...) prodd_counter_of(f, PRODD_VALUES_(__VA_ARGS__))
#define prodd_gauge_with(f, ...) prodd_gauge_of(f, PRODD_VALUES_(__VA_ARGS__))
#define prodd_histogram_with(f, ...) prodd_histogram_of(f, PRODD_VALUES_(__VA_ARGS__))

#endif

/*
 * Names the unit of what is declared next under `name`: the name's suffix, before "_total" ("seconds" of
 * "request_seconds"). Before the declaration.
 * Threads: any.  Ownership: texts are borrowed.
 * Returns: 0; -PRODD_E_USAGE when it is declared already or has another unit, and for texts that are too
 * long; -PRODD_E_NO_MEMORY.  Since: 0.1.0.
 */
int prodd_metric_unit(struct prodd *p, const char *name, const char *unit);

#ifdef __cplusplus
#pragma GCC diagnostic pop
#endif
#pragma GCC visibility pop
#ifdef __cplusplus
}

template <typename... Values>
inline struct prodd_counter *prodd_counter_with(struct prodd_counter_family *f, Values... values)
{
	const char *const list[] = { values... };

	return prodd_counter_of(f, list, sizeof...(values));
}

template <typename... Values>
inline struct prodd_gauge *prodd_gauge_with(struct prodd_gauge_family *f, Values... values)
{
	const char *const list[] = { values... };

	return prodd_gauge_of(f, list, sizeof...(values));
}

template <typename... Values>
inline struct prodd_histogram *prodd_histogram_with(struct prodd_histogram_family *f, Values... values)
{
	const char *const list[] = { values... };

	return prodd_histogram_of(f, list, sizeof...(values));
}
#endif
#endif
