/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A schema.conf of arbitrary bytes: either problems with lines, or rules that
 * survive being stored and read again, and whose defaults obey them.
 */
#include "daemon/parse/parse.h"
#include "daemon/tree/schema.h"
#include "proto/codec.h"
#include "tests/fuzz/fuzz.h"

static void check_rules(struct prodd_list keys)
{
	prodd_auto_buffer again = { 0 };
	struct schema *schema = NULL;
	struct prodd_error e;
	uint32_t count = 0;

	FUZZ_DEMAND(schema_new(&schema) == 0);
	FUZZ_DEMAND(schema_add_list(schema, keys, &e) == 0);
	FUZZ_DEMAND(schema_encode(schema, &again, &count) == 0);
	FUZZ_DEMAND(count == keys.count && again.size == keys.size);
	FUZZ_DEMAND(keys.size == 0 || memcmp(again.at, keys.at, keys.size) == 0);
	for (size_t i = 0; i < schema_count(schema); i++) {
		const struct rule *rule = schema_at(schema, i);
		char why[VALUE_WHY_MAX];

		FUZZ_DEMAND(schema_find(schema, rule->row.key) == rule);
		FUZZ_DEMAND(rule->row.def.size == 0 || rule_check_canonical(rule, rule->row.def, why) == 0);
	}
	schema_free(schema);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct wire_source_file file = {
		.name = prodd_slice("schema.conf"),
		.path = prodd_slice("/schema.conf"),
		.layer = prodd_slice("schema"),
		.content = { (const char *)data, size },
	};
	struct wire_parse request = { .app = prodd_slice("orders") };
	prodd_auto_buffer files = { 0 };
	struct parse_result result;
	struct prodd_error e;
	uint32_t count = 0;

	if (size > 65536)
		return 0;
	FUZZ_DEMAND(prodd_encode_element(&files, &count, &wire_record_source_file, &file) == 0);
	request.files = prodd_list(&files, count);
	FUZZ_DEMAND(parse_run(&request, NULL, &result, &e) == 0);
	if (result.parsed.problems.count == 0)
		check_rules(result.parsed.keys);
	parse_result_clear(&result);
	return 0;
}
