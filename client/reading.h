/* SPDX-License-Identifier: Apache-2.0 */
/* What all getters do once they have found a value: convert it, or say why not. */
#ifndef PRODD_CLIENT_READING_H
#define PRODD_CLIENT_READING_H

#include "client/snapshot.h"

/* The value of an unknown key. */
extern const struct prodd_value prodd_value_unknown;

/* A value about to be read, and who asks. */
struct prodd_reading {
	const struct prodd_config *c;
	const char *name;
	const struct prodd_value *value;
	bool quiet;		/* an unknown key is no error: there is a fallback */
};

/* Each returns the value, or `fallback` when there is none of that kind. */
int64_t prodd_read_int(const struct prodd_reading *r, int64_t fallback);
bool prodd_read_bool(const struct prodd_reading *r, bool fallback);
double prodd_read_float(const struct prodd_reading *r, double fallback);
const char *prodd_read_string(const struct prodd_reading *r, const char *fallback);
int64_t prodd_read_duration(const struct prodd_reading *r, int64_t fallback);
int64_t prodd_read_size(const struct prodd_reading *r, int64_t fallback);

/* True when there is a value; else says, once, that the key is unknown, unless quiet. */
bool prodd_read_any(const struct prodd_reading *r);

#endif
