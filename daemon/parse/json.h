/* SPDX-License-Identifier: Apache-2.0 */
/* A text as a JSON string (RFC 8259, section 7). */
#ifndef PRODD_PARSE_JSON_H
#define PRODD_PARSE_JSON_H

#include <stdio.h>

#include "proto/slice.h"

/* With quotes; `text` is UTF-8. */
void json_text(FILE *out, struct prodd_slice text);

#endif
