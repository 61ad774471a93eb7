/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CRC-32C, the checksum of iSCSI (RFC 3720, appendix B.4): polynomial
 * 0x1EDC6F41, reflected, begun and ended with all ones.  Finds accidental
 * change; it is no signature.  Any thread.
 */
#ifndef PRODD_UTIL_CRC32C_H
#define PRODD_UTIL_CRC32C_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* `crc` is 0, or that of the bytes before these. By the processor's instruction where it has one. */
uint32_t crc32c(uint32_t crc, const void *bytes, size_t size);

/* The two ways, for tests. By instruction only when crc32c_has_instruction(). */
bool crc32c_has_instruction(void);
uint32_t crc32c_by_instruction(uint32_t crc, const void *bytes, size_t size);
uint32_t crc32c_by_table(uint32_t crc, const void *bytes, size_t size);

#endif
