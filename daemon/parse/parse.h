/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The whole job on bytes in memory: scan, parse, merge, check.  No file is
 * opened here.
 */
#ifndef PRODD_PARSE_PARSE_H
#define PRODD_PARSE_PARSE_H

#include "daemon/tree/problems.h"
#include <prodd/error.h>

/* The app whose configuration is the daemon's own. */
#define PARSE_DAEMON "prodd"

struct parse_result {
	struct wire_parsed parsed;	/* borrows from the buffers below */
	struct prodd_buffer problems, keys, entries;
};

/*
 * Files to a checked tree, or to all that is wrong with them. `found`, which may be NULL, are problems
 * that the caller met before; they are in the report too. Returns 0, also with problems;
 * -PRODD_E_NO_MEMORY; as prodd_decode for a request that breaks its schema.
 */
int parse_run(const struct wire_parse *request, struct problems *found, struct parse_result *ret,
	      struct prodd_error *e);

void parse_result_clear(struct parse_result *result);

#endif
