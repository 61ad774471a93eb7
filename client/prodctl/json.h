/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Records as JSON (RFC 8259), one object on one line, with "schema" as its
 * first member.  Every field of the record's table is there under its name,
 * also when it is empty; an absent VALUE is null; the flag "schema" is named
 * "has_schema".  Names never change meaning.
 */
#ifndef PRODCTL_JSON_H
#define PRODCTL_JSON_H

#include "proto/codec.h"

#define JSON_SCHEMA 1

/* Appends `record`, of the type `type`, and a line end. Returns 0 or b->failed. */
int json_record(struct prodd_buffer *b, const struct wire_record *type, const void *record);

/* Appends {"schema": 1, "error": {"code", "text", "exit"}} and a line end. */
int json_error(struct prodd_buffer *b, const struct prodd_error *error);

/* For objects that are no record: json_begin, then members, then json_end. */
void json_begin(struct prodd_buffer *b);
void json_member(struct prodd_buffer *b, const char *name, struct prodd_slice text);
void json_end(struct prodd_buffer *b);

/* Room for any record of the wire. */
union json_any {
#define X(record, help) struct wire_##record record;
	WIRE_RECORDS(X)
#undef X
};

#endif
