/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Records on disk: a head that says what it is, which version wrote it and how
 * long and whole it is, then one record of the wire's schema.
 *
 *   8 bytes   magic, "PRODD" and three letters of the kind
 *   4 bytes   format version, big-endian
 *   4 bytes   length of the body, big-endian
 *   32 bytes  XXH3-128 of the body, hex
 *   body      one record, MessagePack
 */
#ifndef PRODD_UTIL_STAMP_H
#define PRODD_UTIL_STAMP_H

#include "proto/codec.h"

#define STAMP_VERSION 1
#define STAMP_HEAD 48		/* bytes before the body */

/* Appends head and record to `b`. `kind` has three letters. Returns 0, -PRODD_E_NO_MEMORY or -PRODD_E_TOO_LARGE. */
int stamp_seal(struct prodd_buffer *b, const char *kind, const struct wire_record *type, const void *record);

/* Checks head and body and decodes; `ret` borrows from `bytes`. -PRODD_E_CORRUPT says what is wrong;
 * a newer version is named as such: the file is to be left alone. */
int stamp_open(struct prodd_slice bytes, const char *kind, const struct wire_record *type, void *ret,
	       struct prodd_error *e);

#endif
