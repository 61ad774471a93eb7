/* SPDX-License-Identifier: Apache-2.0 */
/* "did you mean": the word of a list that lies nearest to what was typed. */
#ifndef PRODCTL_GUESS_H
#define PRODCTL_GUESS_H

struct guess {
	const char *typed;	/* borrowed */
	const char *best;	/* borrowed; NULL: nothing near so far */
	unsigned distance;	/* of the best */
};

/* One call for each word of the list. */
void guess_try(struct guess *g, const char *word);

/* Letters added, left out, changed or swapped with their neighbour. */
unsigned guess_distance(const char *a, const char *b);

#endif
