/* SPDX-License-Identifier: Apache-2.0 */
/* The candidates' buffer is kept from entry to entry. */
#include "daemon/tree/entry.h"

#include "proto/codec.h"

enum { text_max = 1024 };	/* the wire's limit of a candidate's text */

void entry_add_candidate(struct entry *entry, const struct wire_candidate *candidate)
{
	if (entry->count < ENTRY_CANDIDATES_MAX)
		prodd_encode_element(&entry->candidates, &entry->count, &wire_record_candidate, candidate);
}

void entry_add(struct entry *entry, const char *layer, struct prodd_slice file, uint64_t line,
	       struct prodd_slice value)
{
	char text[text_max];
	struct wire_candidate candidate = { .layer = prodd_slice(layer), .file = file, .line = line };

	candidate.text = (struct prodd_slice){ text, value_text(value, entry->row.type, text, sizeof text) };
	entry_add_candidate(entry, &candidate);
}

/* "schema.conf:9" to the file and 9; an origin without a number is all file. */
static struct prodd_slice split_origin(struct prodd_slice origin, uint64_t *ret_line)
{
	size_t digits = 0;
	uint64_t line = 0;

	while (digits < origin.size && digits < 9 && origin.at[origin.size - 1 - digits] >= '0' &&
	       origin.at[origin.size - 1 - digits] <= '9')
		digits++;
	*ret_line = 0;
	if (digits == 0 || origin.size <= digits + 1 || origin.at[origin.size - 1 - digits] != ':')
		return origin;
	for (size_t i = origin.size - digits; i < origin.size; i++)
		line = line * 10 + (uint64_t)(origin.at[i] - '0');
	*ret_line = line;
	return (struct prodd_slice){ origin.at, origin.size - digits - 1 };
}

void entry_add_default(struct entry *entry, const struct rule *rule)
{
	struct prodd_slice file;
	uint64_t line;

	if (rule->row.def.size == 0)
		return;
	file = split_origin(rule->row.origin, &line);
	entry_add(entry, "default", file, line, rule->row.def);
}

int entry_encode(struct entry *entry, struct prodd_buffer *b, uint32_t *count)
{
	entry->row.candidates = prodd_list(&entry->candidates, entry->count);
	if (entry->candidates.failed)
		b->failed = entry->candidates.failed;
	prodd_encode_element(b, count, &wire_record_tree_entry, &entry->row);
	prodd_buffer_reset(&entry->candidates);
	entry->count = 0;
	entry->row = (struct wire_tree_entry){ 0 };
	return b->failed;
}

void entry_clear(struct entry *entry)
{
	prodd_buffer_clear(&entry->candidates);
	entry->count = 0;
}
