/* SPDX-License-Identifier: Apache-2.0 */
/* Encoded values written as text: literal("\"30s\""), literal("[1, 2]"); they live until literals_reset(). */
#ifndef PRODD_TESTS_LITERALS_H
#define PRODD_TESTS_LITERALS_H

#include <string.h>

#include "daemon/tree/value.h"
#include "tests/unit/suite.h"

static char literals_pool[4 << 20];
static size_t literals_used;

static inline void literals_reset(void)
{
	literals_used = 0;
}

static inline struct prodd_slice literals_keep(const void *bytes, size_t size)
{
	struct prodd_slice kept = { literals_pool + literals_used, size };

	ck_assert_uint_le(literals_used + size, sizeof literals_pool);
	if (size)
		memcpy(literals_pool + literals_used, bytes, size);
	literals_used += size;
	return kept;
}

static inline struct prodd_slice literal(const char *text)
{
	prodd_auto_buffer b = { 0 };
	char why[VALUE_WHY_MAX];
	struct prodd_slice none = { NULL, 0 };

	ck_assert(value_from_text(VALUE_NONE, none, prodd_slice(text), VALUE_FROM_TYPED, &b, why));
	return literals_keep(b.at, b.size);
}

/* A list of strings, as the fields of kind STRS have it. */
static inline struct prodd_list words(uint32_t count, const char *const *texts)
{
	prodd_auto_buffer b = { 0 };
	struct prodd_slice kept;

	for (uint32_t i = 0; i < count; i++)
		prodd_pack_str(&b, prodd_slice(texts[i]));
	kept = literals_keep(b.at, b.size);
	return (struct prodd_list){ kept.at, kept.size, count };
}

#define WORDS(...)                                                                                           \
	words(sizeof(const char *[]){ __VA_ARGS__ } / sizeof(char *), (const char *[]){ __VA_ARGS__ })

#endif
