/* SPDX-License-Identifier: Apache-2.0 */
/* What operators set by command, laid over the tree of the files. */
#ifndef PRODD_TREE_OVERRIDES_H
#define PRODD_TREE_OVERRIDES_H

#include "daemon/tree/problems.h"
#include "daemon/tree/schema.h"
#include "daemon/tree/tree.h"

/*
 * Appends `tree` with a LIST(override) applied, as elements of a LIST(tree_entry): an overridden
 * key has the override as its first candidate. An override whose key or value the schema refuses
 * goes to `problems`, which says how to end it; its key keeps the value of the files. Without a
 * schema the text is taken as the type that the files give the key, or as what it looks like. Of
 * two overrides of one key the later counts. Returns 0, also with problems; -PRODD_E_NO_MEMORY or
 * -PRODD_E_TOO_LARGE; as prodd_decode.
 */
int overrides_apply(const struct tree *tree, const struct schema *schema, struct prodd_list overrides,
		    struct problems *problems, struct prodd_buffer *ret, uint32_t *ret_count,
		    struct prodd_error *e);

/*
 * Whether a key may be set to a text: as overrides_apply() would. Returns 0; -PRODD_E_INVALID with the
 * reason, which does not name the key; -PRODD_E_NO_MEMORY.
 */
int overrides_check(const struct tree *tree, const struct schema *schema, struct prodd_slice key,
		    struct prodd_slice text, char why[VALUE_WHY_MAX]);

/* Whether one of a LIST(override) holds the key. */
bool overrides_hold(struct prodd_list overrides, struct prodd_slice key);

#endif
