/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A VALUE of the wire as people write it: durations and sizes with their
 * units, the shortest number that reads back the same, strings bare unless
 * that would be unclear, lists as [a, b].
 */
#ifndef PRODCTL_VALUE_H
#define PRODCTL_VALUE_H

#include "proto/buffer.h"

/* The shortest text of a double that reads back as the same one; "inf", "nan" as printf has them. */
#define VALUE_FLOAT_MAX 32
void value_format_float(double number, char text[VALUE_FLOAT_MAX]);

/* Appends the text of `value` (encoded), of the schema's type `type`, to `b`; control characters stay as they
 * are. `bare`: a string is not quoted, whatever is in it. Returns 0 or b->failed. */
int value_append(struct prodd_buffer *b, struct prodd_slice value, struct prodd_slice type, bool bare);

#endif
