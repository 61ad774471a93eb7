/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/core/problems.h"

static const char *const names[] = {
#define X(id, name, help) [PROBLEM_##id] = name,
	PROBLEMS(X)
#undef X
};

const char *problem_name(enum problem_id id)
{
	return names[id];
}

void problems_found_add(struct problems_found *found, enum problem_id id, const char *subject, uint64_t since_ms,
			const char *const lines[PROBLEM_LINES_MAX], const char *command)
{
	prodd_auto_buffer text = { .limit = 0 };
	uint32_t count = 0;
	struct wire_status_problem row = {
		.id = prodd_slice(names[id]), .subject = prodd_slice(subject), .since_ms = since_ms,
		.command = prodd_slice(command),
	};

	for (int i = 0; i < PROBLEM_LINES_MAX && lines[i]; i++, count++)
		prodd_pack_str(&text, prodd_slice(lines[i]));
	row.lines = prodd_list(&text, count);
	found->of[id]++;
	prodd_encode_element(&found->rows, &found->count, &wire_record_status_problem, &row);
}
