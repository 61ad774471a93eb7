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
 * Appends the line and a newline: first prodd's members, then the record's fields, then the rest of prodd's,
 * those that are empty left out. Always valid UTF-8 without control characters but the newline, one line
 * whatever the record holds; invalid bytes become U+FFFD; doubles that JSON has not (NaN, infinities) become
 * strings; bin becomes base64.
 *
 * No two members have one name, and each name tells which field it was:
 *   a field named like a member of prodd's, or beginning with "fields.", is written "fields.NAME"
 *   a field whose name is there already is written "fields.N.NAME": it is the record's Nth
 *
 * Any thread. Returns 0 or b->failed; b's limit must leave room for QUOTE_MAX (quote.h) times the record.
 */
int line_write(struct prodd_buffer *b, enum line_format format, const struct line *line)
	RECORD_SYMBOL("line_write");

/* The seq of a whole line (its newline does not matter) that line_write() made, and its time (NULL: not
 * wanted; borrowed). False: it is none of ours. */
bool line_number(struct prodd_slice line, enum line_format format, uint64_t *ret,
		 struct prodd_slice *ret_time)
	RECORD_SYMBOL("line_number");

/* Whether "json" or "logfmt". */
bool line_format_of(struct prodd_slice word, enum line_format *ret) RECORD_SYMBOL("line_format_of");

#endif
