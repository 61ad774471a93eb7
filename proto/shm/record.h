/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A log record, as an app writes it into its ring, as the spool keeps it, and
 * as `log.push` brings it: one MessagePack array
 *
 *   [ time, level, target, message, thread, source, trace, span, key, value, key, value, ... ]
 *
 *   time     uint   nanoseconds since 1970 (UTC)
 *   level    uint   enum record_level
 *   target   str    which part of the program; "" is written as "main"
 *   message  str
 *   thread   str    name of the thread, or nil
 *   source   str    "orders.c:88", or nil
 *   trace    bin    16 bytes (W3C trace context), or nil
 *   span     bin    8 bytes, or nil
 *   key      str    of a field, not empty; at most RECORD_FIELDS_MAX fields
 *   value    nil, bool, int, float, str, or bin
 *
 * A str of an app need not be valid UTF-8: whoever writes text out replaces
 * what is not (line.h).
 */
#ifndef PRODD_SHM_RECORD_H
#define PRODD_SHM_RECORD_H

#include "proto/buffer.h"
#include "proto/cursor.h"

/* The linker knows these functions by names that begin with prodd_: they go into other people's programs. */
#define RECORD_SYMBOL(name) __asm__("prodd_" name)

#define RECORD_MAX (1024u * 1024)	/* bytes of one, encoded */
#define RECORD_FIELDS_MAX 64u
#define RECORD_KEY_MAX 128u		/* bytes of a field's key */
#define RECORD_NAME_MAX 128u		/* bytes of target, thread, source */

enum record_level {
	RECORD_TRACE = 0,
	RECORD_DEBUG = 1,
	RECORD_INFO = 2,
	RECORD_WARN = 3,
	RECORD_ERROR = 4,
	RECORD_OFF = 5			/* as a threshold: nothing */
};

/* A record decoded: slices borrow from the bytes. */
struct record {
	uint64_t time_ns;
	enum record_level level;
	struct prodd_slice target;
	struct prodd_slice message;
	struct prodd_slice thread;	/* empty: none; as below */
	struct prodd_slice source;
	struct prodd_slice trace;	/* 16 bytes, or none */
	struct prodd_slice span;	/* 8 bytes, or none */
	struct prodd_slice fields;	/* `field_count` times key, value, encoded */
	unsigned field_count;
};

/* Checks all of it, to the last field's value, without allocation: what it lets through is safe to walk by a
 * cursor. False: no record; *why (may be NULL) names the part. */
bool record_open(struct prodd_slice bytes, struct record *ret, const char **why) RECORD_SYMBOL("record_open");

/* "info"; "off" for RECORD_OFF; NULL for a number that is none. */
const char *record_level_word(unsigned level) RECORD_SYMBOL("record_level_word");

/* The level of a word; -1: none. "warning" and "err" are taken too. */
int record_level_of(struct prodd_slice word) RECORD_SYMBOL("record_level_of");

/* ---- where a record comes from: kept with it in the spool, said by the daemon alone */

/*
 *   [ instance, pid, uid, ring, end, crash ]
 *
 *   instance str    as hello granted it
 *   pid      uint
 *   uid      uint
 *   ring     bin    16 bytes: uuid; empty: came by log.push or is prodd's own
 *   end      uint   position behind the record in its ring; 0: none
 *   crash    str    nil, or how the process ended: "SIGKILL", "exit 1", "unknown": the record was found after
 *                   its death
 */
struct origin {
	struct prodd_slice instance;
	uint64_t pid;
	uint64_t uid;
	struct prodd_slice ring;
	uint64_t end;
	struct prodd_slice crash;
};

void origin_pack(struct prodd_buffer *b, const struct origin *origin) RECORD_SYMBOL("origin_pack");

/* Takes an origin at the cursor. False: none. */
bool origin_take(struct prodd_cursor *c, struct origin *ret) RECORD_SYMBOL("origin_take");

#endif
