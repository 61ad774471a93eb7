/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bytes as text that people can read and git can diff: pairs of hex digits,
 * printable bytes in quotes ("config.offer"), # for a comment.
 */
#ifndef PRODD_TESTS_HEX_H
#define PRODD_TESTS_HEX_H

#include "proto/buffer.h"

/* Appends the bytes of such a text. Returns 0, or the number of the line (from 1) that is not such a text. */
int hex_append(struct prodd_buffer *b, const char *text);

/* As hex_append with the content of a file; ends the program with a message when it cannot. */
void hex_read(struct prodd_buffer *b, const char *path);

#endif
