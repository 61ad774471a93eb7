/* SPDX-License-Identifier: Apache-2.0 */
/* parse_run() on files written as texts; what comes out as texts, too. */
#ifndef PRODD_TESTS_PARSING_H
#define PRODD_TESTS_PARSING_H

#include "daemon/parse/parse.h"
#include "tests/unit/trees.h"

struct file {
	const char *name, *layer, *content;
};

struct parsed {
	struct parse_result result;
	const char *problems, *entries;
};

static inline struct prodd_list files_of(const struct file *files, size_t size, struct prodd_buffer *b)
{
	uint32_t count = 0;

	for (size_t i = 0; i < size; i++) {
		char path[200];
		struct wire_source_file row = {
			.name = prodd_slice(files[i].name), .layer = prodd_slice(files[i].layer),
			.content = prodd_slice(files[i].content),
		};

		snprintf(path, sizeof path, "/etc/orders/%s", files[i].name);
		row.path = prodd_slice(path);
		ck_assert_int_eq(prodd_encode_element(b, &count, &wire_record_source_file, &row), 0);
	}
	return prodd_list(b, count);
}

static inline struct parsed run(const char *app, const struct file *files, size_t size,
				struct prodd_list declared)
{
	prodd_auto_buffer b = { 0 };
	struct wire_parse request = {
		.app = prodd_slice(app), .environment = prodd_slice("production"),
		.files = files_of(files, size, &b), .declared = declared,
	};
	struct parsed p = { 0 };
	struct prodd_error e;

	ck_assert_msg(parse_run(&request, NULL, &p.result, &e) == 0, "%s", e.text);
	p.problems = rows_text(p.result.parsed.problems);
	p.entries = entries_text(p.result.parsed.entries);
	return p;
}

static const struct prodd_list none;

#define RUN(app, files) run(app, files, sizeof files / sizeof *files, none)

#endif
