/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A record as one line of text for others to read: JSON (RFC 8259; an
 * interface, golden file tests/abi/line.golden) or logfmt.  Used by the sinks and
 * by `prodctl log tail`.
 */
#ifndef PRODD_SHM_LINE_H
#define PRODD_SHM_LINE_H

#include "proto/shm/record.h"

enum line_format { LINE_JSON, LINE_LOGFMT };

struct line {
	struct prodd_slice app;
	uint64_t number;		/* `seq` */
	const struct origin *origin;	/* borrowed */
	const struct record *record;	/* borrowed */
};

/*
 * Appends the line and a newline. Always valid UTF-8 without control characters but the newline, one line whatever the
 * record holds; invalid bytes become U+FFFD; a field named like a member of prodd's is written "fields.NAME"; doubles
 * that JSON has not (NaN, infinities) become strings; bin becomes base64.
 * Returns 0 or b->failed.
 */
int line_write(struct prodd_buffer *b, enum line_format format, const struct line *line);

/* The seq of a JSON or logfmt line that line_write() made; false: it is none of ours. */
bool line_number(struct prodd_slice line, enum line_format format, uint64_t *ret);

/* Whether "json" or "logfmt". */
bool line_format_of(struct prodd_slice word, enum line_format *ret);

#endif
