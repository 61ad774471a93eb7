/* SPDX-License-Identifier: Apache-2.0 */
/* The same form as in prodctl's tables, so that what an instance reports as kept reads alike. */
#include "client/print.h"

#include <stdio.h>

static bool is_bare(struct prodd_slice text, bool in_list)
{
	for (size_t i = 0; i < text.size; i++) {
		unsigned char c = (unsigned char)text.at[i];

		if (c <= ' ' || c == 0x7f || c == '"' || c == '\'' || (in_list && strchr(",[]", c)))
			return false;
	}
	return text.size > 0;
}

static void append_escaped(struct prodd_buffer *b, char character)
{
	unsigned char c = (unsigned char)character;
	char hex[8];

	if (c == '"' || c == '\\')
		prodd_buffer_append(b, (char[]){ '\\', character }, 2);
	else if (c == '\n' || c == '\t')
		prodd_buffer_append(b, c == '\n' ? "\\n" : "\\t", 2);
	else if (c < 0x20 || c == 0x7f)
		prodd_buffer_append(b, hex, (size_t)snprintf(hex, sizeof hex, "\\x%02x", c));
	else
		prodd_buffer_append(b, &character, 1);
}

void prodd_print_string(struct prodd_buffer *b, struct prodd_slice text, bool in_list)
{
	if (is_bare(text, in_list)) {
		prodd_buffer_append(b, text.at, text.size);
		return;
	}
	prodd_buffer_append(b, "\"", 1);
	for (size_t i = 0; i < text.size; i++)
		append_escaped(b, text.at[i]);
	prodd_buffer_append(b, "\"", 1);
}
