/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Making one entry of a tree: the places that set the key are added one by
 * one, the winner first, then the entry is encoded.
 */
#ifndef PRODD_TREE_ENTRY_H
#define PRODD_TREE_ENTRY_H

#include "daemon/tree/rule.h"

#define ENTRY_CANDIDATES_MAX 64u	/* the wire's limit; of more places the lowest are left out */

struct entry {
	struct wire_tree_entry row;	/* its candidates are filled in by entry_encode() */
	struct prodd_buffer candidates;
	uint32_t count;
};

/* Adds a place; `value` is canonical, of the type in row.type. Copies everything. */
void entry_add(struct entry *entry, const char *layer, struct prodd_slice file, uint64_t line,
	       struct prodd_slice value);

/* Adds a place as it stands encoded elsewhere. */
void entry_add_candidate(struct entry *entry, const struct wire_candidate *candidate);

/* Adds the rule's default, when it has one, as the last place. */
void entry_add_default(struct entry *entry, const struct rule *rule);

/* Appends it as an element of a LIST(tree_entry) and makes it empty. Returns 0 or what failed. */
int entry_encode(struct entry *entry, struct prodd_buffer *b, uint32_t *count);

/* Frees what is inside. */
void entry_clear(struct entry *entry);

#endif
