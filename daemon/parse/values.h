/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libconfig's part: the values of scanned leaves.  They are handed over in small
 * batches under short names of their own, because libconfig 1.5 compares a new
 * name with every one that the group has: for 5,000 names in one group that
 * alone is a second.
 */
#ifndef PRODD_PARSE_VALUES_H
#define PRODD_PARSE_VALUES_H

#include <libconfig.h>

#include "daemon/parse/scan.h"
#include "daemon/tree/value.h"

#define VALUES_BATCH 64u

struct values {
	struct scan *scan;		/* borrowed; marked incomplete when libconfig refuses a part */
	const struct place *file;	/* borrowed */
	struct problems *problems;	/* borrowed */
	struct prodd_buffer text;	/* of the batch */
	config_t config;
	bool parsed;			/* `config` holds a batch */
	size_t end;			/* the first leaf behind the batch */
	size_t at;			/* the next leaf to give out */
	unsigned given;			/* values of the batch that were given out */
};

struct values values_of(struct scan *scan, const struct place *file, struct problems *problems);

/*
 * The next good leaf that is no group: 1 with the leaf and its value, borrowed until the next call; 0 at
 * the end; -PRODD_E_NO_MEMORY. What libconfig refuses becomes a problem.
 */
int values_next(struct values *v, const struct leaf **ret_leaf, config_setting_t **ret_value);

/* The line in the file of something inside a leaf's value. */
uint32_t values_line(const struct leaf *leaf, const config_setting_t *value, const config_setting_t *inside);

void values_clear(struct values *v);

/*
 * Appends a bool, number, string or list of these as a literal (value.h). 0; -PRODD_E_INVALID with the
 * reason in `why` and nothing appended; -PRODD_E_NO_MEMORY.
 */
int values_literal(const config_setting_t *value, struct prodd_buffer *b, char why[VALUE_WHY_MAX]);

#endif
