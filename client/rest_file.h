/* SPDX-License-Identifier: Apache-2.0 */
/* The file of rest.h, as its writer and its reader see it. All big-endian. */
#ifndef PRODD_CLIENT_REST_FILE_H
#define PRODD_CLIENT_REST_FILE_H

#include <stdio.h>

#include "client/checksum.h"
#include "client/rest.h"

#define REST_MAGIC UINT64_C(0x50524f4444525354)	/* "PRODDRST" */
#define REST_VERSION 1u
#define REST_SIZE_MAX (2 * (off_t)PRODD_REST_BYTES_MAX)

struct rest_head {
	uint64_t magic;
	uint32_t version;
	uint32_t zero;
	uint64_t dropped;
	uint64_t next;		/* offset of the first record that is still to be sent */
};

/* Before each record. */
struct rest_record {
	uint32_t length;
	uint32_t zero;
	uint64_t checksum;
};

static inline uint64_t rest_checksum(struct prodd_slice bytes)
{
	return prodd_checksum(PRODD_CHECKSUM_START, bytes);
}

/* "orders.rest-x7Gq1z" */
static inline bool rest_is_name(const char *name, const char *app)
{
	size_t size = strlen(app);

	return strncmp(name, app, size) == 0 && strncmp(name + size, ".rest-", 6) == 0;
}

#endif
