/* SPDX-License-Identifier: Apache-2.0 */
/* Optimal string alignment (Damerau 1964, without overlaps) over three rows; long words get no guess. */
#include "client/prodctl/guess.h"

#include <string.h>

enum { length_max = 32 };

static unsigned least(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

unsigned guess_distance(const char *a, const char *b)
{
	unsigned rows[3][length_max + 1];
	unsigned *before = rows[0], *above = rows[1], *row = rows[2];
	size_t m = strlen(a), n = strlen(b);

	if (m > length_max || n > length_max)
		return length_max;
	for (size_t j = 0; j <= n; j++)
		above[j] = (unsigned)j;
	for (size_t i = 1; i <= m; i++) {
		unsigned *free_row = before;

		row[0] = (unsigned)i;
		for (size_t j = 1; j <= n; j++) {
			row[j] = least(least(above[j] + 1, row[j - 1] + 1),
				       above[j - 1] + (a[i - 1] != b[j - 1]));
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				row[j] = least(row[j], before[j - 2] + 1);
		}
		before = above;
		above = row;
		row = free_row;
	}
	return above[n];
}

void guess_try(struct guess *g, const char *word)
{
	unsigned distance = guess_distance(g->typed, word);
	unsigned allowed = strlen(g->typed) < 4 ? 1 : strlen(g->typed) < 8 ? 2 : 3;

	if (distance <= allowed && (!g->best || distance < g->distance)) {
		g->best = word;
		g->distance = distance;
	}
}
