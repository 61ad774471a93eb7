/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a subsystem adds to the answer of `status`: problems, and fields of an
 * app's row and of the whole.  Embedded in its owner; the composition root hands it to whoever answers.
 */
#ifndef PRODD_CORE_STATUS_PART_H
#define PRODD_CORE_STATUS_PART_H

#include "daemon/core/problems.h"
#include "proto/wire.h"

struct status_part {
	/* Adds its problems of `app`, or of all when that is empty. May not block. */
	void (*problems)(struct status_part *part, struct prodd_slice app, struct problems_found *found);
	/* Fills in its fields of the app's row. What they borrow must stay until the next call. May not
	 * block. */
	void (*app)(struct status_part *part, const char *app, struct wire_app_status *row);
	/* Fills in its fields of the whole, as app() does. NULL is allowed. */
	void (*whole)(struct status_part *part, struct wire_status *status);
	struct status_part *next;	/* of whoever answers */
};

#endif
