/* SPDX-License-Identifier: Apache-2.0 */
/* The tables that the codec, the manual page and the ABI file walk. */
#include "proto/wire.h"

#define NEED_MUST true
#define NEED_MAY false

#define OF_BOOL(record) NULL
#define OF_UINT(record) NULL
#define OF_INT(record) NULL
#define OF_STR(record) NULL
#define OF_BIN(record) NULL
#define OF_VALUE(record) NULL
#define OF_STRS(record) NULL
#define OF_LIST(record) &wire_record_##record

#define FIELD(T, kind_, name_, record_, need, max_, since_, help_) \
	{ .name = #name_, .kind = WIRE_##kind_, .must = NEED_##need, .max = max_, \
	  .offset = offsetof(struct T, name_), .record = OF_##kind_(record_), \
	  .since = since_, .help = help_ },

/* The last row keeps the table of a record without fields from being empty. */
#define TABLE(record, help_) \
	static const struct wire_field fields_of_##record[] = { \
		WIRE_FIELDS_##record(FIELD, wire_##record) { .name = NULL } \
	}; \
	const struct wire_record wire_record_##record = { \
		.name = #record, .fields = fields_of_##record, \
		.count = sizeof fields_of_##record / sizeof *fields_of_##record - 1, \
		.size = sizeof(struct wire_##record), .help = help_, \
	};
WIRE_RECORDS(TABLE)

const struct wire_record *const wire_records[] = {
#define X(record, help) &wire_record_##record,
	WIRE_RECORDS(X)
#undef X
	NULL
};

#define IS_CALL true
#define IS_NOTE false

const struct wire_method_info wire_methods[WIRE_METHOD_COUNT] = {
#define X(id, name_, kind, sender_, params_, result_, since_, help_) \
	[WIRE_M_##id] = { .name = name_, .call = IS_##kind, .sender = WIRE_##sender_, \
			  .params = &wire_record_##params_, .result = &wire_record_##result_, \
			  .since = since_, .help = help_ },
	WIRE_METHODS(X)
#undef X
};

enum wire_method wire_method_of(struct prodd_slice name)
{
	for (int m = WIRE_NO_METHOD + 1; m < WIRE_METHOD_COUNT; m++)
		if (prodd_slice_is(name, wire_methods[m].name))
			return (enum wire_method)m;
	return WIRE_NO_METHOD;
}
