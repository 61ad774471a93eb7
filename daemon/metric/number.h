/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Numbers as text, for expositions: fast, and exact.  A double gets the fewest
 * digits that read back as the same double.
 */
#ifndef PRODD_METRIC_NUMBER_H
#define PRODD_METRIC_NUMBER_H

#include <stdint.h>

#define NUMBER_MAX 32	/* bytes that any of these write, without a final NUL */

/* Each writes at `to` and returns how many bytes it wrote. Loop thread: the first real number makes a table. */
unsigned number_uint(char *to, uint64_t value);

/* A whole number below 2^53 has its digits and no more; others are as strconv.FormatFloat(v, 'g', -1, 64) of Go writes
 * them: an exponent below 1e-4 and from 1e+06 on. "NaN", "+Inf", "-Inf". */
unsigned number_real(char *to, double value);

/* The bound of a bucket, as OpenMetrics has it: "1.0", "100000.0", "1e+06", "+Inf". The text is part of a series' identity,
 * so it is the same in every format. */
unsigned number_bound(char *to, double value);

/* Nanoseconds since 1970 as seconds, to the millisecond. */
unsigned number_seconds(char *to, uint64_t ns);

#endif
