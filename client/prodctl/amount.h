/* SPDX-License-Identifier: Apache-2.0 */
/* Amounts as people say them: "12 KiB", "1.1 GiB"; "212", "0.3" of something a second. */
#ifndef PRODCTL_AMOUNT_H
#define PRODCTL_AMOUNT_H

#include <stdint.h>

#define AMOUNT_TEXT_MAX 32

struct amount {
	char text[AMOUNT_TEXT_MAX];
};

/* Bytes in the largest unit of 1024, rounded down; under ten of them with tenths. */
struct amount amount_bytes(uint64_t bytes);

/* A thousand times per second, as the wire has rates: under ten with tenths. */
struct amount amount_rate(uint64_t thousandths);

#endif
