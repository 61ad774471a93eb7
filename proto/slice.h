/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Borrowed bytes.  A slice never owns; it is valid as long as the frame or
 * buffer that it points into.
 */
#ifndef PRODD_PROTO_SLICE_H
#define PRODD_PROTO_SLICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct prodd_slice {
	const char *at;		/* not NUL-terminated */
	size_t size;		/* bytes */
};

/* A list as it stands encoded: `count` MessagePack values, one after another. */
struct prodd_list {
	const char *at;
	size_t size;		/* bytes */
	uint32_t count;		/* elements */
};

/* For printf: "%.*s", PRODD_SLICE(s) */
#define PRODD_SLICE(s) (int)(s).size, (s).at ? (s).at : ""

static inline struct prodd_slice prodd_slice(const char *text)
{
	return (struct prodd_slice){ text, text ? strlen(text) : 0 };
}

static inline bool prodd_slice_equal(struct prodd_slice a, struct prodd_slice b)
{
	return a.size == b.size && (a.size == 0 || memcmp(a.at, b.at, a.size) == 0);
}

static inline bool prodd_slice_is(struct prodd_slice a, const char *text)
{
	return prodd_slice_equal(a, prodd_slice(text));
}

static inline int prodd_slice_compare(struct prodd_slice a, struct prodd_slice b)
{
	size_t least = a.size < b.size ? a.size : b.size;
	int order = least ? memcmp(a.at, b.at, least) : 0;

	return order ? order : (a.size > b.size) - (a.size < b.size);
}

#endif
