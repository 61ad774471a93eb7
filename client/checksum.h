/* SPDX-License-Identifier: Apache-2.0 */
/* FNV-1a, 64 bits (tools.ietf.org/html/draft-eastlake-fnv): finds accidental damage; it is no signature. */
#ifndef PRODD_CLIENT_CHECKSUM_H
#define PRODD_CLIENT_CHECKSUM_H

#include "proto/slice.h"

#define PRODD_CHECKSUM_START UINT64_C(0xcbf29ce484222325)

static inline uint64_t prodd_checksum(uint64_t sum, struct prodd_slice bytes)
{
	for (size_t i = 0; i < bytes.size; i++)
		sum = (sum ^ (unsigned char)bytes.at[i]) * UINT64_C(0x100000001b3);
	return sum;
}

#endif
