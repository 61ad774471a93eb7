/* SPDX-License-Identifier: Apache-2.0 */
/* The sinks of log records as a table: for status and spool. */
#ifndef PRODCTL_SINK_TABLE_H
#define PRODCTL_SINK_TABLE_H

#include "client/prodctl/text.h"
#include "proto/wire.h"

/* LIST of sink_row. */
void sink_table_print(struct prodd_list sinks, struct text *to);

/* One in full. */
void sink_print(const struct wire_sink_row *sink, struct text *to);

#endif
