/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Makes prodd-protocol(7) whole: copies the hand-written prose from standard
 * input and puts the generated parts where a line asks for them:
 *
 *   @limits@ @errors@ @methods@ @records@ @internal@    from the tables of proto/
 *   @example NAME@                                      a message (doc/protocol-examples.c)
 *
 * So the page cannot say anything else than the program does.
 */
#include <prodd/error.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "doc/protocol-page.h"
#include "proto/limits.h"
#include "proto/wire.h"

/* Text for scdoc: what it would take for markup is escaped; `names` are set off. */
static void put_text(const char *text)
{
	for (; *text; text++) {
		if (strchr("_*\\~", *text))
			putchar('\\');
		putchar(*text == '`' ? '_' : *text);
	}
}

static void put_bold(const char *text)
{
	putchar('*');
	put_text(text);
	putchar('*');
}

/* ---- limits and errors */

static void put_limits(void)
{
	static const struct {
		unsigned long number;
		const char *unit, *of;
	} rows[] = {
		{ PRODD_FRAME_MAX, "bytes", "of a frame that prodd takes, after its length" },
		{ PRODD_DEPTH_MAX, "levels", "of maps and arrays inside one another" },
		{ PRODD_NODES_MAX, "values",
		  "in a frame that prodd takes; a map of n pairs counts as 2n + 1" },
		{ PRODD_REPLY_MAX, "bytes", "of a frame that prodd sends" },
		{ PRODD_REPLY_NODES_MAX, "values", "in a frame that prodd sends" },
		{ PRODD_SNAPSHOT_MAX, "bytes", "of a snapshot, encoded" },
		{ PRODD_SETTINGS_MAX, "settings", "of an app in one environment" },
		{ PRODD_KEY_MAX, "bytes", "of a key" },
		{ PRODD_APP_MAX, "bytes", "of an app's name" },
		{ PRODD_HELLO_TIMEOUT_MS, "ms", "from the connect to the whole hello" },
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		printf("- %lu %s %s\n", rows[i].number, rows[i].unit, rows[i].of);
}

static void put_errors(void)
{
#define X(name, number, word, retryable, exit_status, text) \
	put_bold(word); \
	puts(retryable ? ", may succeed later unchanged" : ""); \
	fputs("\t", stdout); \
	put_text(text); \
	puts(".\n");
	PRODD_ERRORS(X)
#undef X
}

/* ---- methods */

static const char *sender_text(enum wire_sender sender)
{
	switch (sender) {
	case WIRE_ANY:
		return "any client";
	case WIRE_APP:
		return "a client whose hello named an app";
	case WIRE_OWN:
		return "an operator, or a client that may use the name in `app`";
	case WIRE_OPERATOR:
		return "an operator";
	case WIRE_DAEMON:
		return "prodd";
	case WIRE_PARENT:
		return "prodd, to its helper";
	case WIRE_HELPER:
		return "a helper, to prodd";
	}
	return "?";
}

static void put_methods(void)
{
	for (int m = WIRE_NO_METHOD + 1; m < WIRE_METHOD_COUNT; m++) {
		const struct wire_method_info *info = &wire_methods[m];

		if (info->sender & (WIRE_PARENT | WIRE_HELPER))
			continue;
		put_bold(info->name);
		printf(" (%s from ", info->call ? "call" : "note");
		put_text(sender_text(info->sender));
		printf("; params ");
		put_bold(info->params->name);
		if (info->call) {
			printf(", result ");
			put_bold(info->result->name);
		}
		printf("; since %s)\n\t", info->since);
		put_text(info->help);
		puts("\n");
	}
}

/* ---- records */

static void put_kind(const struct wire_field *field)
{
	static const char *const kinds[] = {
		[WIRE_BOOL] = "bool", [WIRE_UINT] = "unsigned int", [WIRE_INT] = "int", [WIRE_STR] = "text",
		[WIRE_BIN] = "bytes", [WIRE_VALUE] = "value", [WIRE_LIST] = "array of maps ",
		[WIRE_STRS] = "array of texts",
	};
	bool elements = field->kind == WIRE_LIST || field->kind == WIRE_STRS;

	printf(" (%s", kinds[field->kind]);
	if (field->record)
		put_bold(field->record->name);
	if (field->max > 0)
		printf(", at most %u%s", (unsigned)field->max, elements ? "" : " bytes");
	printf("%s", field->must ? ", always there" : "");
	if (strcmp(field->since, "0.1.0") != 0)
		printf(", since %s", field->since);
	puts(")");
}

static void put_record(const struct wire_record *type)
{
	printf("## ");
	put_text(type->name);
	puts("\n");
	put_text(type->help);
	puts("\n");
	for (unsigned i = 0; i < type->count; i++) {
		put_bold(type->fields[i].name);
		put_kind(&type->fields[i]);
		fputs("\t", stdout);
		put_text(type->fields[i].help);
		puts("\n");
	}
}

static bool is_below(const struct wire_record *type, const struct wire_record *wanted)
{
	if (type == wanted)
		return true;
	for (unsigned i = 0; i < type->count; i++)
		if (type->fields[i].record && is_below(type->fields[i].record, wanted))
			return true;
	return false;
}

/* Whether a method between prodd and its clients carries it. */
static bool is_public(const struct wire_record *wanted)
{
	for (int m = WIRE_NO_METHOD + 1; m < WIRE_METHOD_COUNT; m++)
		if (!(wire_methods[m].sender & (WIRE_PARENT | WIRE_HELPER)) &&
		    (is_below(wire_methods[m].params, wanted) || is_below(wire_methods[m].result, wanted)))
			return true;
	return false;
}

static void put_records(bool public)
{
	for (int i = 0; wire_records[i]; i++)
		if (is_public(wire_records[i]) == public)
			put_record(wire_records[i]);
}

/* ---- the page */

static void put_part(char *line)
{
	char *name = line + strlen("@example ");

	line[strcspn(line, "\n")] = '\0';
	if (strcmp(line, "@limits@") == 0)
		put_limits();
	else if (strcmp(line, "@errors@") == 0)
		put_errors();
	else if (strcmp(line, "@methods@") == 0)
		put_methods();
	else if (strcmp(line, "@records@") == 0)
		put_records(true);
	else if (strcmp(line, "@internal@") == 0)
		put_records(false);
	else if (strncmp(line, "@example ", strlen("@example ")) == 0 && name[strcspn(name, "@")] == '@') {
		name[strcspn(name, "@")] = '\0';
		protocol_example(name);
	} else {
		fprintf(stderr, "protocol-page: no part \"%s\"\n", line);
		exit(1);
	}
}

int main(void)
{
	char line[1024];

	while (fgets(line, sizeof line, stdin)) {
		if (line[0] == '@')
			put_part(line);
		else if (line[0] != ';' || line[1] != ' ' || !strstr(line, "SPDX"))
			fputs(line, stdout);
	}
	return fflush(stdout) != 0 || ferror(stdout) || ferror(stdin);
}
