/* SPDX-License-Identifier: Apache-2.0 */
/* What a handle has counted, as the daemon would read it from the segment. */
#ifndef TESTS_UNIT_CLIENT_COUNTS_H
#define TESTS_UNIT_CLIENT_COUNTS_H

#include <prodd/client.h>

#include "client/handle.h"

enum { counts_values_max = 4 };

struct count {
	bool found;
	struct segment_family family;		/* texts are not kept: only numbers */
	uint64_t cells[SEGMENT_BUCKETS_MAX + 2];	/* summed over the shards */
	double value;				/* a gauge's value, a histogram's sum */
	uint64_t set_ns;			/* a gauge's */
};

/* The series of `name` with the labels' values, up to the first NULL. `overflow`: that one instead. */
struct count count_of(struct prodd *p, const char *name, const char *const values[counts_values_max],
		      bool overflow);

/* A counter's, without labels; 0 when there is none. */
uint64_t counted(struct prodd *p, const char *name);

/* A family of counters', over all its series, overflow included; in one walk. */
uint64_t counted_in_all(struct prodd *p, const char *name);

/* Entries of series in the segment. */
unsigned count_series(struct prodd *p);

/* Lines that the library has said, and the last one. */
struct said {
	unsigned lines;
	char last[512];
};

/* For prodd_set_log(); `arg` is a struct said. */
void say_to(int priority, const char *text, void *arg);

#endif
