/* SPDX-License-Identifier: Apache-2.0 */
/* What others may know of the logs: for status and for prodd's own metrics. Loop thread; all is of this
 * moment. */
#ifndef PRODD_LOG_FIGURES_H
#define PRODD_LOG_FIGURES_H

#include "daemon/core/problems.h"
#include "daemon/log/logs.h"

/* Of one app. */
struct log_app_figures {
	const char *app;		/* borrowed */
	uint64_t records;		/* in the spool, since the daemon's start */
	uint64_t record_bytes;
	uint64_t rate;			/* records of the last 10 s, a thousand times per second */
	const uint64_t *dropped;	/* borrowed; LOG_DROP_COUNT of them, by enum log_drop; since the daemon's start */
	uint64_t dropped_all;
	uint64_t spool_bytes;
	uint64_t quarantined;		/* bytes of damage, found when the spool was opened */
	uint64_t failed_writes;
	uint64_t failed_syncs;
	unsigned rings;
	uint64_t ring_bytes;		/* of their capacity */
	uint64_t ring_fill;		/* bytes of them in use now */
};

/* Of one sink, or one sink and app. */
struct log_sink_figures {
	uint64_t shipped;		/* records, since the daemon's start */
	uint64_t rejected;
	uint64_t missing;
	uint64_t quarantined;		/* bytes */
	uint64_t behind;		/* bytes of segments that it has still to read */
	uint64_t records_behind;
	uint64_t lag_ms;		/* age of the oldest record that it has still to ship */
};

struct log_app_figures figures_of_app(const struct stream *stream);
struct log_sink_figures figures_of_row(const struct sink_row *row);
struct log_sink_figures figures_of_sink(const struct logs *logs, const struct sink *sink);

/* LIST of drop_row, of sink_row: for answers. */
void figures_drops(const struct stream *stream, struct prodd_buffer *rows, uint32_t *count);
void figures_sinks(const struct logs *logs, struct prodd_slice wanted, struct prodd_buffer *rows,
		   uint32_t *count);

#endif
