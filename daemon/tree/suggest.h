/* SPDX-License-Identifier: Apache-2.0 */
/*
 * "did you mean": the nearest of a list of names, by the Damerau-Levenshtein
 * distance in its restricted form (insert, delete, change, swap of neighbours).
 */
#ifndef PRODD_TREE_SUGGEST_H
#define PRODD_TREE_SUGGEST_H

#include "proto/slice.h"

struct suggest {
	struct prodd_slice word;	/* borrowed */
	struct prodd_slice nearest;	/* borrowed from the names offered; size 0: none is near */
	unsigned distance;		/* of `nearest` */
	unsigned limit;			/* the most that still counts as near */
	size_t *budget;			/* steps left for many searches; NULL: no bound. At 0 none is near */
};

/* Near is a distance of at most a third of the word's length, but 2 from 4 bytes on and 1 from 2 bytes on. */
struct suggest suggest_for(struct prodd_slice word, size_t *budget);

/* The first of equally near names stays. */
void suggest_offer(struct suggest *s, struct prodd_slice name);

/* The distance, or limit + 1 when it is greater than `limit`. */
unsigned suggest_distance(struct prodd_slice a, struct prodd_slice b, unsigned limit, size_t *budget);

#endif
