/* SPDX-License-Identifier: Apache-2.0 */
/* Which records somebody wants to see. Any thread may ask; nobody changes it meanwhile. */
#ifndef PRODD_LOG_FILTER_H
#define PRODD_LOG_FILTER_H

#include "proto/shm/record.h"
#include <prodd/error.h>

#define FILTER_MATCH_MAX 1024u		/* bytes: the wire's limit */
#define FILTER_APP_SIZE 130		/* the longest name of the wire, with the final NUL */

struct filter {
	char app[FILTER_APP_SIZE];	/* "": all */
	enum record_level level;	/* the lowest */
	unsigned match_size;		/* bytes; 0: any record */
	char match[FILTER_MATCH_MAX];
};

/* `level` may be empty: all. -PRODD_E_USAGE: it is none, or something is too long. */
int filter_set(struct filter *ret, struct prodd_slice app, struct prodd_slice level, struct prodd_slice match,
	       struct prodd_error *e);

bool filter_takes_app(const struct filter *filter, const char *app);

/* Has the record the level, and the text in its message or in a field? Not for what is no record. */
bool filter_takes(const struct filter *filter, struct prodd_slice record);

#endif
