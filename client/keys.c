/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Getters by key handle.  A snapshot that is older than the key, or another
 * handle's, has no slot of that identity: then the name is looked up.
 */
#include "client/reading.h"

static struct prodd_reading reading_of(const struct prodd_config *c, struct prodd_key key)
{
	struct prodd_reading r = { c, key.name, &prodd_value_unknown, false };

	if (!c || !key.name)
		return r;
	if (key.slot < c->slot_count && c->slots[key.slot].name == key.name) {
		r.value = &c->slots[key.slot].value;
	} else {
		const struct prodd_entry *entry = prodd_snapshot_find(c, key.name);

		r.value = entry ? &entry->value : r.value;
	}
	return r;
}

bool prodd_key_has(const struct prodd_config *c, struct prodd_key key)
{
	return reading_of(c, key).value->kind > PRODD_VALUE_UNSET;
}

/* What needs no conversion goes straight from the slot. */
#define GETTER(T, name, read, nothing, KIND, member) \
	T name(const struct prodd_config *c, struct prodd_key key) \
	{ \
		struct prodd_reading r = reading_of(c, key); \
		return r.value->kind == KIND ? r.value->member : read(&r, nothing); \
	}

GETTER(int64_t, prodd_key_int, prodd_read_int, 0, PRODD_VALUE_INT, integer)
GETTER(bool, prodd_key_bool, prodd_read_bool, false, PRODD_VALUE_BOOL, boolean)
GETTER(double, prodd_key_float, prodd_read_float, 0, PRODD_VALUE_FLOAT, real)
GETTER(const char *, prodd_key_string, prodd_read_string, "", PRODD_VALUE_STRING, string)

int64_t prodd_key_duration_ns(const struct prodd_config *c, struct prodd_key key)
{
	struct prodd_reading r = reading_of(c, key);

	return prodd_read_duration(&r, 0);
}

int64_t prodd_key_size(const struct prodd_config *c, struct prodd_key key)
{
	struct prodd_reading r = reading_of(c, key);

	return prodd_read_size(&r, 0);
}
