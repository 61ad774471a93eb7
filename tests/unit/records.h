/* SPDX-License-Identifier: Apache-2.0 */
/* Random records of any type of the wire's schema, and what it takes to compare them. */
#ifndef PRODD_TESTS_RECORDS_H
#define PRODD_TESTS_RECORDS_H

#include "proto/buffer.h"
#include "proto/wire.h"
#include "tests/unit/suite.h"

/* Memory of a test's records: taken piece by piece, freed at once. */
struct arena {
	char *at;
	size_t used, size;
};

void arena_open(struct arena *a, size_t size);
void arena_close(struct arena *a);

/* `size` bytes that stay until arena_close. */
char *arena_take(struct arena *a, size_t size);

/* One value by the rules of VALUE, of at most `max` bytes. */
struct prodd_slice some_value(struct dice *d, struct arena *a, uint32_t max);

/* Fills in a struct of the type: fields present or not, any content allowed. Lists nest `depth` deep. */
void some_record(struct dice *d, struct arena *a, const struct wire_record *type, void *ret, unsigned depth);

/* Name of the first field in which two structs differ, NULL when none does. */
const char *records_differ(const struct wire_record *type, const void *x, const void *y);

#endif
