/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/client_served.h"

#include <check.h>
#include <stdio.h>

void served_clear(struct served *s)
{
	prodd_buffer_clear(&s->bytes);
	s->count = 0;
}

void served_value(struct served *s, const char *key, const char *type, struct prodd_slice value, bool restart)
{
	struct wire_config_entry entry = { .key = prodd_slice(key), .type = prodd_slice(type), .value = value,
					   .restart = restart };

	ck_assert_int_eq(prodd_encode_element(&s->bytes, &s->count, &wire_record_config_entry, &entry), 0);
}

void served_int(struct served *s, const char *key, const char *type, int64_t value, bool restart)
{
	prodd_auto_buffer b = { 0 };

	prodd_pack_int(&b, value);
	served_value(s, key, type, prodd_buffer_slice(&b), restart);
}

void served_bool(struct served *s, const char *key, bool value)
{
	prodd_auto_buffer b = { 0 };

	prodd_pack_bool(&b, value);
	served_value(s, key, "bool", prodd_buffer_slice(&b), false);
}

void served_float(struct served *s, const char *key, double value)
{
	prodd_auto_buffer b = { 0 };

	prodd_pack_float(&b, value);
	served_value(s, key, "float", prodd_buffer_slice(&b), false);
}

void served_string(struct served *s, const char *key, const char *type, const char *value)
{
	prodd_auto_buffer b = { 0 };

	prodd_pack_str(&b, prodd_slice(value));
	served_value(s, key, type, prodd_buffer_slice(&b), false);
}

void served_unset(struct served *s, const char *key, const char *type)
{
	served_value(s, key, type, (struct prodd_slice){ 0 }, false);
}

struct prodd_list served_list(const struct served *s)
{
	return s ? prodd_list(&s->bytes, s->count) : (struct prodd_list){ 0 };
}

struct prodd_config *served_config(const struct served *s, const struct served *overlay, uint64_t number,
				   const struct prodd_config *running, const struct prodd_names *keys,
				   struct prodd_messages *messages)
{
	struct prodd_served served = { .epoch = prodd_slice("e"), .environment = prodd_slice("production"),
				       .generation = number, .overlay = served_list(overlay),
				       .snapshot = served_list(s) };
	struct prodd_config *c = NULL;
	struct prodd_error e = { 0 };
	char hash[24];
	int r;

	snprintf(hash, sizeof hash, "h%llu", (unsigned long long)number);
	served.hash = prodd_slice(hash);
	r = prodd_snapshot_new(&served, running, keys, messages, &c, &e);
	ck_assert_msg(r == 0, "%s", e.text);
	return c;
}
