/* SPDX-License-Identifier: Apache-2.0 */
/* Strings as people read them: in quotes when empty or with spaces, quotes or control characters. */
#ifndef PRODD_CLIENT_PRINT_H
#define PRODD_CLIENT_PRINT_H

#include "proto/buffer.h"

/* Appends `text`; inside a list also commas and brackets need quotes. */
void prodd_print_string(struct prodd_buffer *b, struct prodd_slice text, bool in_list);

#endif
