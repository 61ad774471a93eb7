/* SPDX-License-Identifier: Apache-2.0 */
/* Writes the wire as text, a line for each thing that others rely on, as in tests/abi/wire.golden. */
#include <prodd/error.h>

#include <stdio.h>

#include "proto/limits.h"
#include "proto/wire.h"

static const char *const kinds[] = {
	[WIRE_BOOL] = "BOOL", [WIRE_UINT] = "UINT",   [WIRE_INT] = "INT",   [WIRE_STR] = "STR",
	[WIRE_BIN] = "BIN",   [WIRE_VALUE] = "VALUE", [WIRE_LIST] = "LIST", [WIRE_STRS] = "STRS",
};

static const char *sender_name(enum wire_sender sender)
{
	switch (sender) {
	case WIRE_ANY:
		return "ANY";
	case WIRE_APP:
		return "APP";
	case WIRE_OWN:
		return "OWN";
	case WIRE_OPERATOR:
		return "OPERATOR";
	case WIRE_DAEMON:
		return "DAEMON";
	case WIRE_PARENT:
		return "PARENT";
	case WIRE_HELPER:
		return "HELPER";
	}
	return "?";
}

static void print_limits(void)
{
	puts("# SPDX-License-Identifier: Apache-2.0");
	printf("protocol %d oldest %d\n", PRODD_PROTOCOL_VERSION, PRODD_PROTOCOL_OLDEST);
#define LIMIT(name) printf("limit %s %lu\n", #name, (unsigned long)(name))
	LIMIT(PRODD_FRAME_HEADER);
	LIMIT(PRODD_FRAME_MAX);
	LIMIT(PRODD_DEPTH_MAX);
	LIMIT(PRODD_NODES_MAX);
	LIMIT(PRODD_REPLY_MAX);
	LIMIT(PRODD_REPLY_NODES_MAX);
	LIMIT(PRODD_SNAPSHOT_MAX);
	LIMIT(PRODD_KEY_MAX);
	LIMIT(PRODD_APP_MAX);
	LIMIT(PRODD_SETTINGS_MAX);
	LIMIT(PRODD_HELLO_TIMEOUT_MS);
#undef LIMIT
}

static void print_errors(void)
{
#define X(name, number, word, retryable, exit_status, text) \
	printf("error %d %s retryable %d exit %d\n", number, word, retryable, exit_status);
	PRODD_ERRORS(X)
#undef X
}

static void print_record(const struct wire_record *type)
{
	printf("record %s\n", type->name);
	for (unsigned i = 0; i < type->count; i++) {
		const struct wire_field *field = &type->fields[i];

		printf("record %s.%s %s", type->name, field->name, kinds[field->kind]);
		if (field->record)
			printf(" of %s", field->record->name);
		printf(" %s max %u since %s\n", field->must ? "MUST" : "MAY", (unsigned)field->max,
		       field->since);
	}
}

int main(void)
{
	print_limits();
	print_errors();
	for (int i = 0; wire_records[i]; i++)
		print_record(wire_records[i]);
	for (int m = WIRE_NO_METHOD + 1; m < WIRE_METHOD_COUNT; m++) {
		const struct wire_method_info *info = &wire_methods[m];

		printf("method %s %s from %s params %s result %s since %s\n", info->name,
		       info->call ? "CALL" : "NOTE", sender_name(info->sender), info->params->name,
		       info->result->name, info->since);
	}
	return fflush(stdout) != 0 || ferror(stdout);
}
