/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Layers of settings and a schema become one checked tree in which every value
 * knows where it came from; or a list of everything that is wrong.
 */
#ifndef PRODD_TREE_MERGE_H
#define PRODD_TREE_MERGE_H

#include "daemon/tree/problems.h"
#include "daemon/tree/schema.h"

struct setting {
	struct prodd_slice key;		/* dotted */
	struct prodd_slice value;	/* a literal, encoded */
	uint32_t line;			/* from 1 */
};

/* One file; all slices are borrowed. */
struct merge_layer {
	struct prodd_slice name;	/* as shown with a value: relative to the app's directory */
	struct prodd_slice path;	/* as shown with a problem */
	unsigned order;			/* of the file in a report */
	const struct setting *settings;
	size_t count;
};

struct merge_input {
	const struct schema *schema;		/* NULL: none; values keep the types they are written in */
	const struct merge_layer *layers;	/* lowest first: a later layer wins */
	size_t layer_count;
	bool incomplete;	/* parts could not be read: a required key may be there, so do not ask */
};

/*
 * Appends the merged settings as elements of a LIST(tree_entry), sorted by key: every key that is
 * set, and every key of the schema. A required key must be set by a file, or have a default. What
 * is wrong goes to `problems`; then the entries are of no use. Returns 0, also with problems;
 * -PRODD_E_NO_MEMORY or -PRODD_E_TOO_LARGE.
 */
int merge_run(const struct merge_input *in, struct problems *problems, struct prodd_buffer *ret,
	      uint32_t *ret_count, struct prodd_error *e);

#endif
