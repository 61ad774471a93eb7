/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One instance's part in a series: where its cells are, and what they said
 * last.  What is not plausible (lower than before, no number, huge) is counted and changes
 * nothing.
 */
#ifndef PRODD_METRIC_BINDING_H
#define PRODD_METRIC_BINDING_H

#include "daemon/metric/series.h"

#define BINDING_CELLS_MAX 4096u	/* an overflow series' places in one segment */

struct attachment;

struct binding {
	struct series *series;		/* borrowed */
	struct attachment *owner;	/* borrowed */
	LIST_ENTRY(binding) in_series;
	LIST_ENTRY(binding) in_owner;
	struct ledger_slot slot;	/* not of a gauge */
	uint32_t cell;			/* the first of its cells */
	uint32_t *more;			/* owned: those of the overflow series that come behind it */
	unsigned places;		/* 0: not mapped, or pushed */
	uint64_t last[];		/* family_words() */
};

/* NULL: no memory. */
struct binding *binding_new(struct series *series, struct attachment *owner);
/* NULL is allowed; returns NULL. */
struct binding *binding_free(struct binding *binding);

size_t binding_bytes(const struct family *family);

/* One place more that counts into it. False: it has its most, or no memory. */
bool binding_place(struct binding *binding, uint32_t cell);

/* Reads its cells, and puts what they say into the ledger. */
void binding_read(struct binding *binding, const struct segment *segment, struct ledger *ledger);

/* Adds what was pushed: a counter's number or that of a histogram's bucket; a histogram's observation; to the
 * sum of its observations. */
void binding_count(struct binding *binding, unsigned bucket, uint64_t more, struct ledger *ledger);
void binding_sum(struct binding *binding, double more, struct ledger *ledger);
void binding_observe(struct binding *binding, double value, struct ledger *ledger);

#endif
