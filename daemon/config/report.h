/* SPDX-License-Identifier: Apache-2.0 */
/* A transaction's outcome as records of the wire, and as events. */
#ifndef PRODD_CONFIG_REPORT_H
#define PRODD_CONFIG_REPORT_H

#include "daemon/config/transaction.h"

/* Appends the row of one candidate as an element of a LIST(report). */
int report_encode(const struct transaction *t, const struct candidate *candidate, struct prodd_buffer *rows,
		  uint32_t *count);

/* Adds the events of the end of a transaction. */
void report_events(const struct transaction *t);

/* "FILE:LINE: KEY: TEXT" as far as there is one. */
void report_problem_text(const struct wire_problem *problem, char *text, size_t size);

#endif
