/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Numbers, times and bytes as text, fast and the same in every locale.  Each
 * writes at `to`, which has room for the most that it can write, and returns
 * the place behind the last character; no NUL.
 */
#ifndef PRODD_SHM_DIGITS_H
#define PRODD_SHM_DIGITS_H

#include "proto/slice.h"

#define DIGITS_INT_MAX 20u	/* "18446744073709551615", "-9223372036854775808" */
#define DIGITS_DOUBLE_MAX 32u
#define DIGITS_TIME 30u		/* "2026-11-22T03:02:11.123456789Z": always */

char *digits_uint(char *to, uint64_t value) __asm__("prodd_digits_uint");
char *digits_int(char *to, int64_t value) __asm__("prodd_digits_int");

/* RFC 3339, UTC, nine digits of the second. `time_ns` counts from 1970. */
char *digits_time(char *to, uint64_t time_ns) __asm__("prodd_digits_time");

/* A finite number, so that strtod() gives the same one back; with a point or an exponent, so that it stays a
 * double. As few digits as that needs, but for a few numbers of 16 and 17 digits. */
char *digits_double(char *to, double value) __asm__("prodd_digits_double");

/* Lower case; 2 characters a byte. */
char *digits_hex(char *to, struct prodd_slice bytes) __asm__("prodd_digits_hex");

/* RFC 4648, section 4, with padding; 4 characters for each 3 bytes begun. */
char *digits_base64(char *to, struct prodd_slice bytes) __asm__("prodd_digits_base64");

#endif
