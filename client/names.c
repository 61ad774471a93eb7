/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A list whose head is swapped in when nobody else was quicker.  Who lost looks
 * only at what came meanwhile: it may have been the same name.
 */
#include "client/names.h"

#include <stdlib.h>
#include <string.h>

static const struct prodd_name *find(const struct prodd_name *from, const struct prodd_name *to,
				     const char *text, size_t size)
{
	for (; from != to; from = from->next)
		if (from->size == size && memcmp(from->text, text, size) == 0)
			return from;
	return NULL;
}

static struct prodd_name *name_new(const char *text, size_t size)
{
	struct prodd_name *name = malloc(sizeof *name + size + 1);

	if (!name)
		return NULL;
	name->size = size;
	memcpy(name->text, text, size + 1);
	return name;
}

const struct prodd_name *prodd_names_add(struct prodd_names *names, const char *text, bool *ret_added)
{
	const struct prodd_name *seen = NULL, *newest, *found;
	struct prodd_name *name = NULL;
	size_t size = strlen(text);

	for (;;) {
		newest = atomic_load_explicit(&names->newest, memory_order_acquire);
		found = find(newest, seen, text, size);
		if (!found && !name)
			name = name_new(text, size);
		if (found || !name)
			break;
		name->next = newest;
		name->number = newest ? newest->number + 1 : 0;
		if (atomic_compare_exchange_strong_explicit(&names->newest, &newest, name,
							    memory_order_acq_rel, memory_order_acquire)) {
			if (ret_added)
				*ret_added = true;
			return name;
		}
		seen = name->next;
	}
	free(name);
	if (ret_added)
		*ret_added = false;
	return found;
}

const struct prodd_name *prodd_names_newest(const struct prodd_names *names)
{
	return atomic_load_explicit(&names->newest, memory_order_acquire);
}

void prodd_names_clear(struct prodd_names *names)
{
	const struct prodd_name *name = atomic_exchange(&names->newest, NULL);

	while (name) {
		const struct prodd_name *next = name->next;

		free((void *)name);
		name = next;
	}
}
