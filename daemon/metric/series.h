/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One row of a metric over all instances of an app: what died is in `folded`,
 * what lives is in its bindings.
 */
#ifndef PRODD_METRIC_SERIES_H
#define PRODD_METRIC_SERIES_H

#include <sys/queue.h>

#include "daemon/metric/family.h"

struct binding;

#define SERIES_WORDS_MAX (SEGMENT_BUCKETS_MAX + 2)

struct series {
	struct family *family;		/* borrowed */
	LIST_HEAD(, binding) bindings;
	size_t bytes;			/* that it is charged with */
	uint64_t created_ns;
	uint32_t id;
	struct ledger_slot slot;
	double shown;			/* histogram: the sum told last; none below is told (NaN: none was) */
	struct prodd_list values;	/* the labels' values as texts of MessagePack, for the ledger */
	struct prodd_slice labels;	/* rendered; unique in the family */
	uint64_t folded[];		/* family_words() of them; then the bytes of the two above */
};

/* NULL: no memory. `labels` and `values` are copied. */
struct series *series_new(struct family *family, struct prodd_slice labels, struct prodd_list values,
			  uint64_t created_ns);
/* No bindings may be left. NULL is allowed; returns NULL. */
struct series *series_free(struct series *series);

/* Adds without going round: a counter that nobody will ever reach stays at its end. */
static inline uint64_t series_add(uint64_t a, uint64_t b)
{
	return a > UINT64_MAX - b ? UINT64_MAX : a + b;
}

/* Adds words to words, of the family's type: counts as integers, a histogram's last as doubles. */
void series_add_words(const struct family *family, uint64_t *to, const uint64_t *from);

/* Two values of a gauge as one. */
double series_combine(enum segment_mode mode, double a, double b, bool b_is_later);

double series_double(uint64_t bits);
uint64_t series_bits(double value);

#endif
