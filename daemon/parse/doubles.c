/* SPDX-License-Identifier: Apache-2.0 */
/* Sorted by name, and then as they stand in the file, doubles are neighbours. */
#include "daemon/parse/doubles.h"

#include <stdlib.h>

#include <prodd/error.h>

struct named {
	struct prodd_slice key;
	struct leaf *leaf;
};

static int compare(const void *a, const void *b)
{
	const struct named *x = a, *y = b;
	int order = prodd_slice_compare(x->key, y->key);

	return order ? order : (x->leaf > y->leaf) - (x->leaf < y->leaf);
}

static void report(const struct named *first, const struct named *again, const struct place *file,
		   struct problems *problems)
{
	struct place place = { .order = file->order, .file = file->file, .line = again->leaf->line };

	if (first->leaf->group && again->leaf->group) {
		problems_add(problems, &place, again->key,
			     "the group is already opened in line %u; a file opens a group once",
			     first->leaf->line);
		return;
	}
	problems_add(problems, &place, again->key, "is already set in line %u", first->leaf->line);
	again->leaf->bad = true;
}

int doubles_report(struct scan *scan, const struct place *file, struct problems *problems)
{
	struct named *names = calloc(scan->count + 1, sizeof *names);

	if (!names)
		return -PRODD_E_NO_MEMORY;
	for (size_t i = 0; i < scan->count; i++)
		names[i] = (struct named){ scan_key(scan, &scan->leaves[i]), &scan->leaves[i] };
	qsort(names, scan->count, sizeof *names, compare);
	for (size_t i = 1; i < scan->count; i++) {
		if (!prodd_slice_equal(names[i].key, names[i - 1].key))
			continue;
		report(&names[i - 1], &names[i], file, problems);
		scan->incomplete = true;
	}
	free(names);
	return 0;
}
