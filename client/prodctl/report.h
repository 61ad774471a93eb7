/* SPDX-License-Identifier: Apache-2.0 */
/* The outcome of a transaction, in words: the same for reload and for all that changes or compares settings.
 */
#ifndef PRODCTL_REPORT_H
#define PRODCTL_REPORT_H

#include "client/prodctl/text.h"
#include "proto/codec.h"

enum report_style {
	REPORT_CHANGE,	/* what was done, or would be */
	REPORT_CHECK,	/* whether the files are valid */
	REPORT_DIFF,	/* what differs between two generations */
	REPORT_FILES,	/* what differs between a generation and the files */
};

/* Most changed keys that a report of REPORT_CHANGE lists; config diff shows all. */
#define REPORT_CHANGES_MAX 100u

struct prodctl;

/* Prints the rows, one after another: invalid and failed ones to `err`, others to `out`. */
void report_print(const struct wire_reports *reports, enum report_style style, struct text *out,
		  struct text *err);

/* The exit status of the worst row. The order: 4 invalid, 5 rejected, 6 no answer, 9 busy, 8 not permitted, 1
 * failed (nothing changed there), then 10 and 3 (changed, but not everywhere), then 0. */
int report_exit(const struct wire_reports *reports);

/* The end of a verb whose answer is a report: prints it in words or as JSON. Returns report_exit, or 0
 * instead of 3 with
 * --restart-ok. */
int report_finish(struct prodctl *p, const struct wire_reports *reports, enum report_style style);

#endif
