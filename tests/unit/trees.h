/* SPDX-License-Identifier: Apache-2.0 */
/* Problems, entries and overrides as one text each, so that a test reads like the report it expects. */
#ifndef PRODD_TESTS_TREES_H
#define PRODD_TESTS_TREES_H

#include "daemon/tree/problems.h"
#include "daemon/tree/schema.h"
#include "daemon/tree/tree.h"
#include "proto/codec.h"
#include "tests/unit/literals.h"

static inline const char *trees_keep(struct prodd_buffer *b)
{
	prodd_buffer_append(b, "", 1);
	return literals_keep(b->at, b->size).at;
}

static inline void trees_print(struct prodd_buffer *b, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static inline void trees_print(struct prodd_buffer *b, const char *format, ...)
{
	char text[4096];
	va_list args;

	va_start(args, format);
	prodd_buffer_append(b, text, (size_t)vsnprintf(text, sizeof text, format, args));
	va_end(args);
}

/* "FILE:LINE: KEY: TEXT" for each, one in a line. */
static inline const char *rows_text(struct prodd_list rows)
{
	struct prodd_iter it = prodd_iter(rows);
	prodd_auto_buffer text = { 0 };
	struct wire_problem row;

	while (prodd_next(&it, &wire_record_problem, &row, NULL) > 0) {
		if (row.file.size)
			trees_print(&text, "%.*s:%u: ", PRODD_SLICE(row.file), (unsigned)row.line);
		if (row.key.size)
			trees_print(&text, "%.*s: ", PRODD_SLICE(row.key));
		trees_print(&text, "%.*s\n", PRODD_SLICE(row.text));
	}
	return trees_keep(&text);
}

static inline const char *problems_text(struct problems *problems)
{
	prodd_auto_buffer rows = { 0 };
	uint32_t count = 0;

	ck_assert_int_eq(problems_encode(problems, &rows, &count), 0);
	return rows_text(prodd_list(&rows, count));
}

/* "KEY (TYPE) = VALUE [restart]" and its candidates: " | LAYER FILE:LINE TEXT". */
static inline const char *entries_text(struct prodd_list entries)
{
	struct prodd_iter it = prodd_iter(entries), inner;
	prodd_auto_buffer text = { 0 };
	struct wire_tree_entry entry;
	struct wire_candidate c;
	char value[512];

	while (prodd_next(&it, &wire_record_tree_entry, &entry, NULL) > 0) {
		value_text(entry.value, entry.type, value, sizeof value);
		trees_print(&text, "%.*s (%.*s)%s%s%s", PRODD_SLICE(entry.key), PRODD_SLICE(entry.type),
			    entry.value.size ? " = " : "", value, entry.restart ? " restart" : "");
		inner = prodd_iter(entry.candidates);
		while (prodd_next(&inner, &wire_record_candidate, &c, NULL) > 0)
			trees_print(&text, " | %.*s %.*s:%u %.*s", PRODD_SLICE(c.layer), PRODD_SLICE(c.file),
				    (unsigned)c.line, PRODD_SLICE(c.text));
		trees_print(&text, "\n");
	}
	return trees_keep(&text);
}

static inline struct tree *tree_of(struct prodd_buffer *entries, uint32_t count)
{
	struct tree *tree = NULL;
	struct prodd_error e;

	ck_assert_msg(tree_open(prodd_list(entries, count), &tree, &e) == 0, "%s", e.text);
	return tree;
}

/* "key type [default]" for each rule; a type of "int!" is required, "int^" needs a restart. */
static inline void schema_with(struct schema *schema, const char *key, const char *type, const char *def)
{
	size_t size = strcspn(type, "!^");
	struct wire_schema_key row = {
		.key = prodd_slice(key), .type = { type, size }, .required = type[size] == '!',
		.restart = type[size] == '^', .origin = prodd_slice("schema.conf:9"),
	};
	struct prodd_error e;

	if (def)
		row.def = literal(def);
	ck_assert_msg(schema_add(schema, &row, &e) == 0, "%s", e.text);
}

#endif
