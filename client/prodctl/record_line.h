/* SPDX-License-Identifier: Apache-2.0 */
/* A log record as a line: for people, or the JSON line of prodd's sinks. */
#ifndef PRODCTL_RECORD_LINE_H
#define PRODCTL_RECORD_LINE_H

#include "client/prodctl/text.h"
#include "proto/wire.h"

/* "14:03:20.123  warn   orders/8080  db.pool  message  key=value ...". -PRODD_E_PROTOCOL: it is no record. */
int record_line(struct text *to, const struct wire_log_record *record, struct prodd_error *e);

/* The JSON line. Errors as above. */
int record_line_json(struct prodd_buffer *to, const struct wire_log_record *record, struct prodd_error *e);

#endif
