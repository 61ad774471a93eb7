/* SPDX-License-Identifier: Apache-2.0 */
/* Escapes by the text format 0.0.4 (prometheus.io/docs/instrumenting/exposition_formats), which OpenMetrics
 * shares. */
#include "daemon/metric/labels.h"

static void escape(struct prodd_buffer *b, struct prodd_slice value)
{
	size_t from = 0;

	for (size_t i = 0; i < value.size; i++) {
		char c = value.at[i];

		if (c != '\\' && c != '"' && c != '\n')
			continue;
		prodd_buffer_append(b, value.at + from, i - from);
		prodd_buffer_append(b, c == '\n' ? "\\n" : c == '"' ? "\\\"" : "\\\\", 2);
		from = i + 1;
	}
	prodd_buffer_append(b, value.at + from, value.size - from);
}

void labels_add(struct prodd_buffer *b, struct prodd_slice name, struct prodd_slice value)
{
	if (b->size)
		prodd_buffer_append(b, ",", 1);
	prodd_buffer_append(b, name.at, name.size);
	prodd_buffer_append(b, "=\"", 2);
	escape(b, value);
	prodd_buffer_append(b, "\"", 1);
}
