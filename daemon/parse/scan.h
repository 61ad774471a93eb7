/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The first look at a file: its whole syntax and every limit, without
 * allocating more than a row per setting.  libconfig comes after it and sees
 * only values that passed; it would wrap 3000000000 silently, follow @include,
 * blame the wrong file and compare each name with every other one.
 */
#ifndef PRODD_PARSE_SCAN_H
#define PRODD_PARSE_SCAN_H

#include "daemon/tree/problems.h"

#define SCAN_DEPTH_MAX 16u		/* groups and lists inside one another */
#define SCAN_LIST_GROUP_MAX 64u		/* settings of a group that is an element of a list */

/* A setting or group outside of lists. */
struct leaf {
	size_t key_at, key_size;	/* its dotted name, in `names` */
	struct prodd_slice value;	/* as it is written; borrowed from the content. Groups: empty */
	uint32_t line;			/* of its name, from 1 */
	uint32_t value_line;		/* of the first byte of the value */
	bool group;
	bool bad;			/* reported: not to be used */
};

struct scan {
	struct leaf *leaves;		/* owned, in the order of the file */
	size_t count;
	size_t capacity;
	struct prodd_buffer names;
	bool incomplete;		/* a part was reported and is missing */
};

/*
 * Scans `content`, which must outlive *ret. What is wrong goes to `problems`, with `file` and the line;
 * after a syntax error what stands before it is there. Returns 0, also with problems, or
 * -PRODD_E_NO_MEMORY.
 */
int scan_run(struct prodd_slice content, const struct place *file, struct problems *problems,
	     struct scan *ret);

void scan_clear(struct scan *scan);

static inline struct prodd_slice scan_key(const struct scan *scan, const struct leaf *leaf)
{
	return (struct prodd_slice){ scan->names.at + leaf->key_at, leaf->key_size };
}

#endif
