/* SPDX-License-Identifier: Apache-2.0 */
/* One pass, byte by byte; tests/fuzz/hex2bin reads the same in Python. */
#include "tests/hex.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int digit(char c)
{
	static const char digits[] = "0123456789abcdef";
	const char *found = c ? strchr(digits, c) : NULL;

	return found ? (int)(found - digits) : -1;
}

int hex_append(struct prodd_buffer *b, const char *text)
{
	int line = 1;

	while (*text) {
		if (*text == '\n')
			line++;
		if (strchr(" \t\r\n", *text)) {
			text++;
		} else if (*text == '#') {
			text += strcspn(text, "\n");
		} else if (*text == '"') {
			size_t size = strcspn(text + 1, "\"\n");

			if (text[1 + size] != '"')
				return line;
			prodd_buffer_append(b, text + 1, size);
			text += size + 2;
		} else if (digit(text[0]) >= 0 && digit(text[1]) >= 0) {
			prodd_buffer_append(b, &(char){ (char)(digit(text[0]) << 4 | digit(text[1])) }, 1);
			text += 2;
		} else {
			return line;
		}
	}
	return 0;
}

void hex_read(struct prodd_buffer *b, const char *path)
{
	prodd_auto_buffer text = { 0 };
	FILE *file = fopen(path, "r");
	char piece[4096];
	size_t size;
	int line;

	if (!file) {
		perror(path);
		exit(99);
	}
	while ((size = fread(piece, 1, sizeof piece, file)) > 0)
		prodd_buffer_append(&text, piece, size);
	fclose(file);
	prodd_buffer_append(&text, "", 1);
	line = text.failed ? 0 : hex_append(b, text.at);
	if (text.failed || b->failed || line > 0) {
		fprintf(stderr, "%s:%d: not hex text, or too long\n", path, line);
		exit(99);
	}
}
