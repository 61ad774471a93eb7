/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bytes of an app as text that is safe inside one line: valid UTF-8, no
 * control characters, nothing that ends a string or a line.
 */
#ifndef PRODD_SHM_QUOTE_H
#define PRODD_SHM_QUOTE_H

#include "proto/slice.h"

#define QUOTE_MAX 6u	/* characters that a byte may become */

/*
 * Writes what stands between the quotes of a JSON string (RFC 8259, section 7), and returns the place behind
 * it. `to` has room for QUOTE_MAX times the size. A byte that belongs to no character becomes U+FFFD; control
 * characters (C0, DEL, C1), U+2028 and U+2029 become \uXXXX, or \n, \r, \t.
 */
char *quote_json(char *to, struct prodd_slice text) __asm__("prodd_quote_json");

/* Whether a value of logfmt may stand without quotes: it is not empty, and all of it is printable, with no
 * space, quote, backslash or equals sign. */
bool quote_is_bare(struct prodd_slice text) __asm__("prodd_quote_is_bare");

/* A key of logfmt, where nothing can be quoted: what is not to stand in one becomes "_", and so does an empty
 * one. Room as for quote_json(), and for one character. */
char *quote_key(char *to, struct prodd_slice text) __asm__("prodd_quote_key");

#endif
