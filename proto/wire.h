/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The schema of the wire as C: a struct and a description for every record,
 * a number and a description for every method.  Generated from schema.h by
 * the preprocessor; nothing is written twice.
 *
 * In a struct an absent field is false, 0, or a slice or list of size 0.
 */
#ifndef PRODD_PROTO_WIRE_H
#define PRODD_PROTO_WIRE_H

#include "proto/schema.h"
#include "proto/slice.h"

#define WIRE_TYPE_BOOL bool
#define WIRE_TYPE_UINT uint64_t
#define WIRE_TYPE_INT int64_t
#define WIRE_TYPE_STR struct prodd_slice
#define WIRE_TYPE_BIN struct prodd_slice
#define WIRE_TYPE_VALUE struct prodd_slice	/* one value, encoded */
#define WIRE_TYPE_LIST struct prodd_list
#define WIRE_TYPE_STRS struct prodd_list

#define WIRE_MEMBER(T, kind, name, record, need, max, since, help) WIRE_TYPE_##kind name;
#define WIRE_STRUCT(record, help) struct wire_##record { WIRE_FIELDS_##record(WIRE_MEMBER, ) char wire_end; };
WIRE_RECORDS(WIRE_STRUCT)
#undef WIRE_STRUCT
#undef WIRE_MEMBER

enum wire_kind { WIRE_BOOL, WIRE_UINT, WIRE_INT, WIRE_STR, WIRE_BIN, WIRE_VALUE, WIRE_LIST, WIRE_STRS };

struct wire_record;

struct wire_field {
	const char *name;
	enum wire_kind kind;
	bool must;
	uint32_t max;			/* bytes or elements; 0: of no meaning for the kind */
	size_t offset;			/* in the record's struct */
	const struct wire_record *record;	/* of a LIST's elements, else NULL */
	const char *since;
	const char *help;
};

struct wire_record {
	const char *name;
	const struct wire_field *fields;
	unsigned count;
	size_t size;			/* of the struct */
	const char *help;
};

/* The linker knows these tables by names that begin with prodd_, as all of the library's: it goes into other
 * people's programs. */
#define WIRE_SYMBOL(name) __asm__("prodd_" name)

#define WIRE_EXTERN(record, help) \
	extern const struct wire_record wire_record_##record WIRE_SYMBOL("wire_record_" #record);
WIRE_RECORDS(WIRE_EXTERN)
#undef WIRE_EXTERN

enum wire_sender {
	WIRE_ANY = 1, WIRE_APP = 2, WIRE_OWN = 4, WIRE_OPERATOR = 8, WIRE_DAEMON = 16, WIRE_PARENT = 32,
	WIRE_HELPER = 64,
};

enum wire_method {
	WIRE_NO_METHOD,
#define WIRE_ID(id, name, kind, sender, params, result, since, help) WIRE_M_##id,
	WIRE_METHODS(WIRE_ID)
#undef WIRE_ID
	WIRE_METHOD_COUNT
};

struct wire_method_info {
	const char *name;
	bool call;			/* answered; else a note */
	enum wire_sender sender;
	const struct wire_record *params;
	const struct wire_record *result;
	const char *since;
	const char *help;
};

/* [0] is empty */
extern const struct wire_method_info wire_methods[WIRE_METHOD_COUNT] WIRE_SYMBOL("wire_methods");
/* All, then NULL. */
extern const struct wire_record *const wire_records[] WIRE_SYMBOL("wire_records");

/* WIRE_NO_METHOD for a name that is not in the list. */
enum wire_method wire_method_of(struct prodd_slice name) WIRE_SYMBOL("wire_method_of");

#endif
