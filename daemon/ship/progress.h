/* SPDX-License-Identifier: Apache-2.0 */
/* What prodd is told about the sink: its state, and a row for each app of which there is news. */
#ifndef PRODD_SHIP_PROGRESS_H
#define PRODD_SHIP_PROGRESS_H

#include "daemon/ship/channel.h"
#include "daemon/ship/feeds.h"

#define PROGRESS_MS 250u	/* between two notes, unless there is something to say at once */

struct progress {
	struct channel *channel;	/* borrowed */
	struct feeds *feeds;		/* borrowed */
	uint64_t sent_ms;
	bool failing;			/* as it was told */
	struct prodd_buffer rows;	/* owned */
};

void progress_init(struct progress *progress, struct channel *channel, struct feeds *feeds);
void progress_clear(struct progress *progress);

/* Tells what there is to tell, when it is time: at once for a change of state, or when `now`. -PRODD_E_CLOSED
 * and others. */
int progress_tell(struct progress *progress, bool now, struct prodd_error *e);

/* Whether something waits for its time. */
bool progress_waits(const struct progress *progress);

#endif
