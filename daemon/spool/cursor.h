/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How far a sink has come with an app: the number of the last record that it
 * has passed for good, in the file SINK.cursor beside the segments.
 *
 *    0   8  magic "PRODDCUR"
 *    8   4  version (1), little-endian as all
 *   12   4  0
 *   16   8  number
 *   24   4  0
 *   28   4  CRC-32C of the bytes before
 *
 * Without a good cursor a sink begins with the oldest record: the file sink
 * knows from its file what it has written, others repeat.
 */
#ifndef PRODD_SPOOL_CURSOR_H
#define PRODD_SPOOL_CURSOR_H

#include <stdbool.h>
#include <stdint.h>

#include <prodd/error.h>

enum spool_cursor_state {
	SPOOL_CURSOR_GOOD,
	SPOOL_CURSOR_ABSENT,	/* *ret is 0 */
	SPOOL_CURSOR_DAMAGED,	/* or of a newer version; *ret is 0 */
};

/* [a-z][a-z0-9_-]{0,62} */
bool spool_is_sink(const char *name);

/* -PRODD_E_IO, -PRODD_E_NO_MEMORY: cannot be read now. */
int spool_cursor_read(int directory, const char *sink, uint64_t *ret, struct prodd_error *e);

/* Durable, and whole: the old one or this one. -PRODD_E_IO. */
int spool_cursor_write(int directory, const char *sink, uint64_t number, struct prodd_error *e);

/* That sink is no more. One that is not there is none. */
void spool_cursor_remove(int directory, const char *sink);

/* The highest number in any good cursor; 0: there is none. */
uint64_t spool_cursors_highest(int directory);

#endif
