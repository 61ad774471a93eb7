/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/parse/json.h"

void json_text(FILE *out, struct prodd_slice text)
{
	fputc('"', out);
	for (size_t i = 0; i < text.size; i++) {
		unsigned char c = (unsigned char)text.at[i];

		if (c == '"' || c == '\\')
			fprintf(out, "\\%c", c);
		else if (c < 0x20 || c == 0x7f)
			fprintf(out, "\\u%04x", c);
		else
			fputc(c, out);
	}
	fputc('"', out);
}
