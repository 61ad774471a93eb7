/* SPDX-License-Identifier: Apache-2.0 */
/* The canonical (big-endian) form of the hash, so that text is the same on every machine. */
#include "daemon/util/hash.h"

#include <xxhash.h>

void hash_text(struct prodd_slice bytes, char text[HASH_TEXT_SIZE])
{
	static const char digits[] = "0123456789abcdef";
	XXH128_canonical_t canonical;

	XXH128_canonicalFromHash(&canonical, XXH3_128bits(bytes.size ? bytes.at : "", bytes.size));
	for (size_t i = 0; i < sizeof canonical.digest; i++) {
		text[2 * i] = digits[canonical.digest[i] >> 4];
		text[2 * i + 1] = digits[canonical.digest[i] & 0xf];
	}
	text[HASH_TEXT_SIZE - 1] = '\0';
}
