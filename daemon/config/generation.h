/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A generation in memory: immutable, shared by reference.  It is made of what
 * stands in its file; whatever is derived (the settings with the overrides
 * laid over, the snapshot for the apps) is made once, when it is opened.
 */
#ifndef PRODD_CONFIG_GENERATION_H
#define PRODD_CONFIG_GENERATION_H

#include "daemon/core/session.h"
#include "daemon/tree/overlay.h"
#include "daemon/tree/schema.h"
#include "daemon/tree/tree.h"
#include "proto/codec.h"

#define GENERATION_KIND "GEN"	/* of its stamp */

struct generation {
	unsigned references;
	struct prodd_buffer bytes;	/* the stamped file; all below borrows from it */
	struct wire_generation record;
	struct schema *schema;		/* empty when none exists */
	struct tree *base;		/* settings of the files */
	struct prodd_buffer laid;	/* the settings with overrides, encoded; empty when there are none */
	struct tree *tree;		/* settings in force */
	struct overlay_index *index;	/* keys by the names of variables */
	struct shared *snapshot;	/* what every instance gets */
};

/* Opens a generation's file. Takes the bytes (the buffer is left empty), also on failure. -PRODD_E_CORRUPT and others. */
int generation_open(struct prodd_buffer *bytes, struct generation **ret, struct prodd_error *e);

/*
 * Makes one from `draft`, whose `hash` is filled in here.  An override that breaks the schema goes to `problems`,
 * and -PRODD_E_INVALID is returned.  -PRODD_E_TOO_LARGE: the snapshot is over 1 MiB.
 */
int generation_make(struct wire_generation draft, struct generation **ret, struct problems *problems,
		    struct prodd_error *e);

struct generation *generation_ref(struct generation *generation);
struct generation *generation_unref(struct generation *generation);	/* NULL is allowed; returns NULL */

/* Does an override of it hold this key? */
bool generation_overrides(const struct generation *generation, struct prodd_slice key);

/* Appends what differs (LIST of change, counted) from `old` (NULL: nothing was set) to `now`. Returns 0 or changes->failed. */
int generation_diff(const struct generation *old, const struct generation *now, struct prodd_buffer *changes,
		    uint32_t *count);

#endif
