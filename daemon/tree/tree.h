/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The settings of one generation: an immutable array, sorted by key, over
 * encoded entries that somebody else keeps.
 */
#ifndef PRODD_TREE_TREE_H
#define PRODD_TREE_TREE_H

#include "proto/buffer.h"
#include "proto/wire.h"
#include <prodd/error.h>

struct tree {
	uint32_t count;
	struct wire_tree_entry entries[];	/* sorted by key; a value of size 0: set nowhere */
};

/*
 * Opens a LIST(tree_entry), from which the tree borrows. Returns 0; -PRODD_E_CORRUPT when keys are
 * not rising or a value is none; as prodd_decode; -PRODD_E_NO_MEMORY.
 */
int tree_open(struct prodd_list entries, struct tree **ret, struct prodd_error *e);

struct tree *tree_free(struct tree *tree);	/* NULL is allowed; returns NULL */

/* NULL when the key is not known. NULL tree: none. */
const struct wire_tree_entry *tree_find(const struct tree *tree, struct prodd_slice key);

/* The index of the first entry whose key is not below `key`: where a group begins. */
uint32_t tree_lower_bound(const struct tree *tree, struct prodd_slice key);

/* Appends what apps get, a LIST(config_entry) sorted by key: the same entries without their origin. */
int tree_snapshot(const struct tree *tree, struct prodd_buffer *b, uint32_t *count);

/* Entries with a value. */
uint32_t tree_count_set(const struct tree *tree);

/* ---- what differs between two trees, by key:
 *	struct tree_diff d = tree_diff(old, now);
 *	while (tree_diff_next(&d, &change)) ... */

struct tree_change {
	const struct wire_tree_entry *old;	/* NULL, or without a value: added */
	const struct wire_tree_entry *now;	/* NULL, or without a value: removed */
};

struct tree_diff {
	const struct tree *old, *now;
	uint32_t old_index, now_index;
};

/* NULL stands for an empty tree. */
struct tree_diff tree_diff(const struct tree *old, const struct tree *now);

/* The next key whose value differs; a value of another type with the same bytes differs too. */
bool tree_diff_next(struct tree_diff *d, struct tree_change *ret);

/* Number of keys that differ. */
uint32_t tree_diff_count(const struct tree *old, const struct tree *now);

/* Appends the change as an element of a LIST(change), with values as text and the origin of the new one. */
int tree_change_encode(const struct tree_change *change, struct prodd_buffer *b, uint32_t *count);

#endif
