/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Three rows of the distance table suffice, and of each only the band within
 * `limit` of the diagonal; a search ends as soon as a whole row is beyond it.
 */
#include "daemon/tree/suggest.h"

#include "proto/limits.h"

enum { word_max = 320 };	/* bytes; longer words are not compared: keys and variables are shorter */

struct rows {
	uint16_t *before, *last, *now;
	uint16_t memory[3][word_max + 1];
};

static unsigned least(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

/* Fills row i of the band [from, to]; returns its smallest number. */
static unsigned fill_row(struct rows *r, struct prodd_slice a, struct prodd_slice b, size_t i, size_t from,
			 size_t to)
{
	unsigned smallest = UINT16_MAX;

	for (size_t j = from; j <= to; j++) {
		unsigned change = r->last[j - 1] + (a.at[i - 1] != b.at[j - 1]);
		unsigned best = least(change, least(r->last[j], r->now[j - 1]) + 1u);

		if (i > 1 && j > 1 && a.at[i - 1] == b.at[j - 2] && a.at[i - 2] == b.at[j - 1])
			best = least(best, r->before[j - 2] + 1u);
		r->now[j] = (uint16_t)best;
		smallest = least(smallest, best);
	}
	return smallest;
}

static void rotate(struct rows *r)
{
	uint16_t *free_row = r->before;

	r->before = r->last;
	r->last = r->now;
	r->now = free_row;
}

static bool spend(size_t *budget, size_t steps)
{
	if (!budget)
		return true;
	if (*budget < steps) {
		*budget = 0;
		return false;
	}
	*budget -= steps;
	return true;
}

unsigned suggest_distance(struct prodd_slice a, struct prodd_slice b, unsigned limit, size_t *budget)
{
	size_t gap = a.size > b.size ? a.size - b.size : b.size - a.size;
	struct rows r;

	if (gap > limit || a.size > word_max || b.size > word_max || limit > word_max || !spend(budget, 1))
		return limit + 1;
	r.before = r.memory[0];
	r.last = r.memory[1];
	r.now = r.memory[2];
	for (size_t j = 0; j <= b.size; j++)
		r.last[j] = (uint16_t)j;
	for (size_t i = 1; i <= a.size; i++) {
		size_t from = i > limit ? i - limit : 1;
		size_t to = i + limit < b.size ? i + limit : b.size;

		if (!spend(budget, to + 1 > from ? to + 1 - from : 1))
			return limit + 1;
		/* What lies just outside of the band is too far in any case. */
		r.now[from - 1] = (uint16_t)(from == 1 ? i : limit + 1);
		if (i > 1 && to == i + limit)
			r.last[to] = (uint16_t)(limit + 1);
		/* Rows grow by at most one: a swap, which reaches over a row, cannot get back. */
		if (least(r.now[from - 1], fill_row(&r, a, b, i, from, to)) > limit)
			return limit + 1;
		rotate(&r);
	}
	return least(r.last[b.size], limit + 1);
}

struct suggest suggest_for(struct prodd_slice word, size_t *budget)
{
	unsigned limit = (unsigned)(word.size / 3);

	if (limit < 2)
		limit = word.size < 2 ? 0 : word.size < 4 ? 1 : 2;
	return (struct suggest){ .word = word, .distance = limit + 1, .limit = limit, .budget = budget };
}

void suggest_offer(struct suggest *s, struct prodd_slice name)
{
	unsigned distance;

	if (s->distance == 0 || name.size == 0)
		return;
	distance = suggest_distance(s->word, name, s->distance - 1, s->budget);
	if (distance < s->distance) {
		s->distance = distance;
		s->nearest = name;
	}
}
