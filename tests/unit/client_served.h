/* SPDX-License-Identifier: Apache-2.0 */
/* Configurations as a daemon would serve them, for tests of the library. */
#ifndef TESTS_UNIT_CLIENT_SERVED_H
#define TESTS_UNIT_CLIENT_SERVED_H

#include "client/snapshot.h"
#include "proto/codec.h"

/* Entries being collected; sorted by key by whoever adds them. */
struct served {
	struct prodd_buffer bytes;
	uint32_t count;
};

void served_clear(struct served *s);

void served_int(struct served *s, const char *key, const char *type, int64_t value, bool restart);
void served_bool(struct served *s, const char *key, bool value);
void served_float(struct served *s, const char *key, double value);
void served_string(struct served *s, const char *key, const char *type, const char *value);
void served_unset(struct served *s, const char *key, const char *type);

/* `elements` is an encoded array. */
void served_value(struct served *s, const char *key, const char *type, struct prodd_slice value,
		  bool restart);

struct prodd_list served_list(const struct served *s);

/* A snapshot of generation `number`; epoch "e", hash "hNUMBER". */
struct prodd_config *served_config(const struct served *s, const struct served *overlay, uint64_t number,
				   const struct prodd_config *running, const struct prodd_names *keys,
				   struct prodd_messages *messages);

#endif
