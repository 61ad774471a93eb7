/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The pre-check: walks the bytes of one MessagePack value without allocating,
 * and passes only what is whole, exactly as long as the frame, and inside the
 * limits.  Runs before anything else looks at bytes from outside.
 *
 * Format: the MessagePack specification (github.com/msgpack/msgpack,
 * spec.md).  Extension types and the byte c1 (never used) are refused: no
 * message has a use for them.
 */
#ifndef PRODD_PROTO_CHECK_H
#define PRODD_PROTO_CHECK_H

#include <prodd/error.h>

#include "proto/slice.h"

struct prodd_check_limits {
	uint32_t depth;		/* containers inside one another, at most 32 */
	uint32_t nodes;		/* values, containers included; a map of n pairs has 2n + 1 */
};

extern const struct prodd_check_limits prodd_check_received;	/* by prodd on its sockets */
extern const struct prodd_check_limits prodd_check_reply;	/* by all others */

/*
 * Returns 0 when `bytes` is exactly one value within `limits`; else
 * -PRODD_E_PROTOCOL or -PRODD_E_TOO_LARGE, and *e says at which byte and why.
 */
int prodd_check(struct prodd_slice bytes, const struct prodd_check_limits *limits, struct prodd_error *e);

#endif
