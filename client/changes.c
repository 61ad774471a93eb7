/* SPDX-License-Identifier: Apache-2.0 */
/* Both snapshots are sorted by name: one walk through both. */
#include "client/changes.h"

#include <stdlib.h>

static bool is_set(const struct prodd_entry *entry)
{
	return entry->value.kind > PRODD_VALUE_UNSET;
}

static void walk(struct prodd_changes *changes, const struct prodd_config *before,
		 const struct prodd_config *now)
{
	size_t i = 0, j = 0;

	while (i < prodd_config_count(before) || j < now->count) {
		const struct prodd_entry *old = i < prodd_config_count(before) ? &before->entries[i] : NULL;
		const struct prodd_entry *new = j < now->count ? &now->entries[j] : NULL;
		int order = !old ? 1 : !new ? -1 : strcmp(old->name, new->name);
		bool differs;

		if (order == 0)
			differs = !prodd_value_equal(&old->value, &new->value);
		else
			differs = is_set(order < 0 ? old : new);
		if (differs)
			changes->names[changes->count++] = order < 0 ? old->name : new->name;
		i += order <= 0;
		j += order >= 0;
	}
}

int prodd_changes_find(struct prodd_changes *changes, const struct prodd_config *before,
		       const struct prodd_config *now, struct prodd_error *e)
{
	size_t most = prodd_config_count(before) + now->count;

	*changes = (struct prodd_changes){ .before = before };
	changes->names = malloc((most + 1) * sizeof *changes->names);
	if (!changes->names)
		return prodd_error_set(e, PRODD_E_NO_MEMORY, "the list of changed keys");
	walk(changes, before, now);
	return 0;
}

void prodd_changes_clear(struct prodd_changes *changes)
{
	free(changes->names);
	*changes = (struct prodd_changes){ 0 };
}

size_t prodd_changes_count(const struct prodd_changes *changes)
{
	return changes ? changes->count : 0;
}

const char *prodd_changes_name(const struct prodd_changes *changes, size_t i)
{
	return changes && i < changes->count ? changes->names[i] : NULL;
}

bool prodd_changes_has(const struct prodd_changes *changes, const char *key)
{
	size_t size = key ? strlen(key) : 0;

	if (!changes || size == 0)
		return false;
	for (size_t i = 0; i < changes->count; i++) {
		const char *name = changes->names[i];

		if (strncmp(name, key, size) == 0 && (name[size] == '\0' || name[size] == '.'))
			return true;
	}
	return false;
}

const struct prodd_config *prodd_changes_before(const struct prodd_changes *changes)
{
	return changes ? changes->before : NULL;
}
