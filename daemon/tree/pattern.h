/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A POSIX extended regular expression whose cost is bounded: no references
 * back, and repetitions that cannot multiply into millions of states.
 */
#ifndef PRODD_TREE_PATTERN_H
#define PRODD_TREE_PATTERN_H

#include <regex.h>

#include "proto/slice.h"

#define PATTERN_SIZE_MAX 1024u		/* bytes: the wire's limit */
#define PATTERN_VALUE_MAX 65536u	/* bytes: the wire's limit of a value */
#define PATTERN_REPEAT_MAX 1000u	/* product of all bounds in { } */

struct pattern {
	regex_t regex;
	char *text;			/* owned */
	char *origin;			/* owned: where it is declared */
	struct pattern *next;		/* owned: must match too; NULL: none */
};

/* Returns 0; -PRODD_E_INVALID with the reason in `why` (of `size` bytes); -PRODD_E_NO_MEMORY. */
int pattern_new(struct pattern **ret, struct prodd_slice text, struct prodd_slice origin, char *why,
		size_t size);

/* Frees it and all behind it. NULL is allowed; returns NULL. */
struct pattern *pattern_free(struct pattern *pattern);

/* 1: it matches; 0: it does not, nor does a value over PATTERN_VALUE_MAX; -PRODD_E_NO_MEMORY. */
int pattern_match(const struct pattern *pattern, struct prodd_slice value);

#endif
