/* SPDX-License-Identifier: Apache-2.0 */
/* The keys whose values differ between two snapshots. */
#ifndef PRODD_CLIENT_CHANGES_H
#define PRODD_CLIENT_CHANGES_H

#include "client/snapshot.h"

struct prodd_changes {
	const struct prodd_config *before;	/* borrowed, as the names; NULL: nothing */
	const char **names;			/* owned array */
	size_t count;
};

/* Returns 0 or -PRODD_E_NO_MEMORY. `before` may be NULL. */
int prodd_changes_find(struct prodd_changes *changes, const struct prodd_config *before,
		       const struct prodd_config *now, struct prodd_error *e);
void prodd_changes_clear(struct prodd_changes *changes);

#endif
