/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Metrics as text, in the Prometheus format 0.0.4 or in OpenMetrics 1.0, a
 * few samples at a time.  Loop thread.
 */
#ifndef PRODD_METRIC_TEXT_H
#define PRODD_METRIC_TEXT_H

#include "daemon/metric/sample.h"
#include "proto/buffer.h"
#include <prodd/error.h>

enum text_format { TEXT_PROMETHEUS, TEXT_OPENMETRICS };

/* A text that is being written. */
struct text_writer {
	enum text_format format;
	struct metric_walk *walk;	/* owned; NULL: none, or all is written */
	struct metric_family family;	/* borrowed from the walk */
	struct prodd_slice base;	/* the family's name in the metadata */
	bool in_family;
	bool has_head;			/* of this family: it is written before the first sample */
};

/* Begins the text of what `source` has, of `app` alone unless that is empty. -PRODD_E_NO_MEMORY. */
int text_begin(struct text_writer *ret, struct metric_source *source, struct prodd_slice app,
	       enum text_format format, struct prodd_error *e);

/* Appends up to `lines` lines, as many more as the last sample has. False: all is written (or `to` has failed). */
bool text_step(struct text_writer *writer, struct prodd_buffer *to, unsigned lines);

/* Before the reply goes out, once all is written: struct metric_source_ops. */
void text_sync(struct text_writer *writer);

/* Ends the walk. One that never began is allowed. */
void text_end(struct text_writer *writer);

/* The Content-Type of a format. */
const char *text_type(enum text_format format);

#endif
