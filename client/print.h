/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Values as people read them, in the same form as in prodctl's tables: strings bare, or in quotes when they
 * are empty or have spaces, quotes or control characters; durations and sizes with units; lists in brackets.
 */
#ifndef PRODD_CLIENT_PRINT_H
#define PRODD_CLIENT_PRINT_H

#include "client/value.h"
#include "proto/buffer.h"

/* Appends the text of `v`; nothing for an unset one. */
void prodd_print_value(struct prodd_buffer *b, const struct prodd_value *v);

#endif
