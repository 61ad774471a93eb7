/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An instance's environment variables against the keys: APP_DATABASE_MAX_CONNECTIONS
 * is database.max_connections.
 *
 * After "APP_", letters compare without case; '_' stands for '.', '-' or '_', and
 * "__" for a '.' alone.  When a name fits two keys, the one whose every dot is
 * written "__" wins; else it is an error that names both.
 */
#ifndef PRODD_TREE_OVERLAY_H
#define PRODD_TREE_OVERLAY_H

#include "daemon/tree/problems.h"
#include "daemon/tree/schema.h"
#include "daemon/tree/tree.h"

/* "APP_", a key, the final NUL. */
#define OVERLAY_NAME_MAX (4 + 255 + 1)

/* The keys by their folded names; made once per tree, used for each instance. Borrows both. Immutable. */
struct overlay_index;

/* Keys of both; each may be NULL. Returns 0 or -PRODD_E_NO_MEMORY. */
int overlay_index_new(struct overlay_index **ret, const struct schema *schema, const struct tree *tree);
struct overlay_index *overlay_index_free(struct overlay_index *index);

/*
 * Appends the overlay, a LIST(config_entry) sorted by key, of a LIST(variable) with the prefix.
 * Keys that one of `overrides`, a LIST(override), holds are left out. A value that is refused, a
 * name that fits two keys and two names for one key go to `errors`; the instance must not get the
 * overlay then. A name that fits no key but is near one goes to `warnings`; other names are
 * somebody else's. Without a rule the text becomes the type that the tree gives the key. Returns 0,
 * also with problems; -PRODD_E_NO_MEMORY or -PRODD_E_TOO_LARGE; as prodd_decode.
 */
int overlay_build(const struct overlay_index *index, struct prodd_list variables, struct prodd_list overrides,
		  struct problems *errors, struct problems *warnings, struct prodd_buffer *ret,
		  uint32_t *ret_count, struct prodd_error *e);

/*
 * The key that a variable's name sets: 1 with *ret_key, borrowed from the index; 0: none; 2: fits
 * more than one.
 */
int overlay_match(const struct overlay_index *index, struct prodd_slice variable,
		  struct prodd_slice *ret_key);

/* The name of the variable that sets a key: "APP_DATABASE_MAX_CONNECTIONS". */
void overlay_variable_name(struct prodd_slice key, char name[OVERLAY_NAME_MAX]);

#endif
