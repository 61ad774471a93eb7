/* SPDX-License-Identifier: Apache-2.0 */
/* All metrics that were asked for, as they were at one moment; and what can be said of one beside its past. */
#ifndef PRODCTL_METRIC_READING_H
#define PRODCTL_METRIC_READING_H

#include "client/prodctl/prodctl.h"
#include "proto/codec.h"

#define METRIC_READING_MAX (64u * 1024 * 1024)	/* bytes of rows: some 400,000 */

/* Zero is empty. */
struct metric_reading {
	struct prodd_buffer bytes;		/* the rows, encoded; the others borrow from it */
	uint32_t count;
	struct wire_metric_row *rows;		/* owned; in the daemon's order */
	const struct wire_metric_row **sorted;	/* owned; by app, name and labels */
	int64_t at_ms;				/* moment_monotonic_ms */
	uint64_t wall_ms;
};

/* Asks for page after page. Errors of prodctl_ask; -PRODD_E_TOO_LARGE, -PRODD_E_NO_MEMORY. */
int metric_reading_take(struct metric_reading *ret, struct prodctl *p, const struct wire_metrics_request *request,
			struct prodd_error *e);
void metric_reading_clear(struct metric_reading *reading);

/* The same metric in another reading; NULL: it was not there. */
const struct wire_metric_row *metric_reading_find(const struct metric_reading *reading,
						  const struct wire_metric_row *row);

/* A counter's value, a gauge's, a histogram's observations. False: what came is none. */
bool metric_value(const struct wire_metric_row *row, double *ret);

/* The same as text: a whole number with all its digits. */
void metric_value_text(const struct wire_metric_row *row, char *ret, size_t size);

/*
 * The value that a `q`th (0 to 1) of a histogram's observations is below, by linear interpolation in its bucket as
 * histogram_quantile() of Prometheus has it; of those since `before` unless that is NULL. False: nothing was observed, or what
 * came is no histogram.
 */
bool metric_quantile(const struct wire_metric_row *row, const struct wire_metric_row *before, double q, double *ret);

#endif
