/* SPDX-License-Identifier: Apache-2.0 */
/* A family of each type, for tests. */
#ifndef TESTS_UNIT_FAMILIES_H
#define TESTS_UNIT_FAMILIES_H

#include "proto/shm/family.h"

static inline struct segment_family counter(const char *name)
{
	return (struct segment_family){ .type = SEGMENT_COUNTER, .name = prodd_slice(name) };
}

static inline struct segment_family requests(void)
{
	struct segment_family family = counter("requests_total");

	family.help = prodd_slice("Requests.");
	family.label_count = 2;
	family.labels[0] = prodd_slice("method");
	family.labels[1] = prodd_slice("code");
	return family;
}

static inline struct segment_family seconds(void)
{
	return (struct segment_family){
		.type = SEGMENT_HISTOGRAM,
		.name = prodd_slice("request_seconds"),
		.unit = prodd_slice("seconds"),
		.help = prodd_slice("How long."),
		.bucket_count = 3,
		.buckets = { -1.5, 0, 1e300 },
	};
}

static inline struct segment_family depth(void)
{
	return (struct segment_family){
		.type = SEGMENT_GAUGE,
		.mode = SEGMENT_EACH,
		.name = prodd_slice("queue_depth"),
		.help = prodd_slice("Tr\xc3\xa4ge \"x\"\n"),
	};
}

#endif
