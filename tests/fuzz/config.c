/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A configuration of arbitrary bytes through scan, libconfig and merge, with a
 * fixed schema and without one: either problems, or a tree that opens, serves
 * and lays an overlay.  libconfig never has to refuse what the scan let pass.
 */
#include "daemon/parse/parse.h"
#include "daemon/tree/overlay.h"
#include "daemon/tree/tree.h"
#include "proto/codec.h"
#include "tests/fuzz/fuzz.h"

static const char schema[] =
	"keys = ( { key = \"a.b\"; type = \"int\"; min = 1; max = 9; default = 3; }, { key = \"c\"; type = "
	"\"list\"; },"
	"{ key = \"d\"; type = \"duration\"; }, { key = \"e\"; type = \"string\"; pattern = \"^x+$\"; } );";

static struct prodd_list files_of(struct prodd_buffer *b, struct prodd_slice content, bool with_schema)
{
	struct wire_source_file rules = {
		.name = prodd_slice("schema.conf"),
		.path = prodd_slice("/schema.conf"),
		.layer = prodd_slice("schema"),
		.content = prodd_slice(schema),
	};
	struct wire_source_file file = {
		.name = prodd_slice("default.conf"), .path = prodd_slice("/default.conf"),
		.layer = prodd_slice("default"), .content = content,
	};
	uint32_t count = 0;

	if (with_schema)
		prodd_encode_element(b, &count, &wire_record_source_file, &rules);
	prodd_encode_element(b, &count, &wire_record_source_file, &file);
	return prodd_list(b, count);
}

static void check_problems(struct prodd_list problems)
{
	struct prodd_iter it = prodd_iter(problems);
	struct wire_problem problem;
	uint32_t count = 0;
	struct prodd_error e;
	int r;

	while ((r = prodd_next(&it, &wire_record_problem, &problem, &e)) > 0) {
		FUZZ_DEMAND(!prodd_slice_is(problem.text, "syntax error"));	/* libconfig's words */
		FUZZ_DEMAND(!prodd_slice_is(problem.text, "duplicate setting name"));
		FUZZ_DEMAND(!prodd_slice_is(problem.text, "mismatched element type in array"));
		count++;
	}
	FUZZ_DEMAND(r == 0 && count == problems.count);
}

static void check_tree(struct prodd_list entries)
{
	prodd_auto_buffer snapshot = { 0 };
	struct overlay_index *index = NULL;
	struct tree *tree = NULL;
	uint32_t count = 0;
	struct prodd_error e;

	FUZZ_DEMAND(tree_open(entries, &tree, &e) == 0);
	FUZZ_DEMAND(tree_snapshot(tree, &snapshot, &count) == 0 && count == tree->count);
	FUZZ_DEMAND(tree_diff_count(tree, tree) == 0);
	FUZZ_DEMAND(overlay_index_new(&index, NULL, tree) == 0);
	for (uint32_t i = 0; i < tree->count; i++) {
		char name[OVERLAY_NAME_MAX];
		struct prodd_slice key;

		FUZZ_DEMAND(tree_find(tree, tree->entries[i].key) == &tree->entries[i]);
		overlay_variable_name(tree->entries[i].key, name);
		FUZZ_DEMAND(overlay_match(index, prodd_slice(name), &key) != 0);
	}
	overlay_index_free(index);
	tree_free(tree);
}

static void try_files(struct prodd_slice content, bool with_schema)
{
	prodd_auto_buffer files = { 0 };
	struct wire_parse request = { .app = prodd_slice("orders"), .environment = prodd_slice("x") };
	struct parse_result result;
	struct prodd_error e;

	request.files = files_of(&files, content, with_schema);
	FUZZ_DEMAND(parse_run(&request, NULL, &result, &e) == 0);
	check_problems(result.parsed.problems);
	if (result.parsed.problems.count == 0)
		check_tree(result.parsed.entries);
	else
		FUZZ_DEMAND(result.parsed.entries.count == 0);
	parse_result_clear(&result);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct prodd_slice content = { (const char *)data, size };

	if (size > 65536)
		return 0;
	try_files(content, false);
	try_files(content, true);
	return 0;
}
