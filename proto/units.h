/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Durations ("1h30m", "1.5s", "250ms", "10us", "7d") and sizes ("64MiB", "10kB", "512") as people write them.
 */
#ifndef PRODD_PROTO_UNITS_H
#define PRODD_PROTO_UNITS_H

#include "proto/slice.h"

/* Long enough for any text that the functions below write. */
#define PRODD_UNITS_TEXT_MAX 48

/* Nanoseconds. Units ns us ms s m h d, one or more, falling; a fraction of up to nine digits each, when it is
 * whole in ns. Not negative. False for anything else, or beyond 2^63-1 ns. */
bool prodd_parse_duration(struct prodd_slice text, int64_t *ret_ns);

/* Bytes. Units (none) B kB MB GB TB (powers of 1000) KiB MiB GiB TiB (of 1024); a fraction of up to nine
 * digits, when the result is whole. */
bool prodd_parse_size(struct prodd_slice text, int64_t *ret_bytes);

/* The shortest text that parses back to the same number and does not begin with "0."; of equally short ones
 * that without a fraction, then that of the larger unit. Negative numbers, which do not parse, get a "-". */
void prodd_format_duration(int64_t ns, char text[PRODD_UNITS_TEXT_MAX]);
void prodd_format_size(int64_t bytes, char text[PRODD_UNITS_TEXT_MAX]);

#endif
