/* SPDX-License-Identifier: Apache-2.0 */
/* XXH3, 128 bits, as 32 hex digits (github.com/Cyan4973/xxHash). Finds accidental change; it is no signature. */
#ifndef PRODD_UTIL_HASH_H
#define PRODD_UTIL_HASH_H

#include "proto/slice.h"

#define HASH_TEXT_SIZE 33	/* with the final NUL */

void hash_text(struct prodd_slice bytes, char text[HASH_TEXT_SIZE]);

#endif
