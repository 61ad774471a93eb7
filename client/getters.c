/* SPDX-License-Identifier: Apache-2.0 */
/* Getters by name: one look-up in the snapshot's table. */
#include "client/reading.h"

static struct prodd_reading reading_of(const struct prodd_config *c, const char *key, bool quiet)
{
	const struct prodd_entry *entry = c && key ? prodd_snapshot_find(c, key) : NULL;

	return (struct prodd_reading){ c, key, entry ? &entry->value : &prodd_value_unknown, quiet };
}

#define GETTER(T, name, read, nothing) \
	T name(const struct prodd_config *c, const char *key) \
	{ \
		struct prodd_reading r = reading_of(c, key, false); \
		return read(&r, nothing); \
	} \
	T name##_or(const struct prodd_config *c, const char *key, T fallback) \
	{ \
		struct prodd_reading r = reading_of(c, key, true); \
		return read(&r, fallback); \
	}

GETTER(int64_t, prodd_config_int, prodd_read_int, 0)
GETTER(bool, prodd_config_bool, prodd_read_bool, false)
GETTER(double, prodd_config_float, prodd_read_float, 0)
GETTER(const char *, prodd_config_string, prodd_read_string, "")
GETTER(int64_t, prodd_config_duration_ns, prodd_read_duration, 0)
GETTER(int64_t, prodd_config_size, prodd_read_size, 0)

bool prodd_config_has(const struct prodd_config *c, const char *key)
{
	return reading_of(c, key, true).value->kind > PRODD_VALUE_UNSET;
}

const char *prodd_config_type(const struct prodd_config *c, const char *key)
{
	return prodd_type_word((enum prodd_type)reading_of(c, key, true).value->type);
}

/* ---- lists */

size_t prodd_config_list_count(const struct prodd_config *c, const char *key)
{
	struct prodd_reading r = reading_of(c, key, false);

	if (!prodd_read_any(&r))
		return 0;
	return r.value->kind == PRODD_VALUE_LIST ? r.value->count : 1;
}

/* Beyond the end there is nothing to complain of: a loop ends there. */
static struct prodd_reading element_of(const struct prodd_config *c, const char *key, size_t i)
{
	struct prodd_reading r = reading_of(c, key, false);

	if (!prodd_read_any(&r) || (r.value->kind != PRODD_VALUE_LIST && i == 0))
		return r;
	r.quiet = true;
	r.value = r.value->kind == PRODD_VALUE_LIST && i < r.value->count ? &r.value->elements[i]
									  : &prodd_value_unknown;
	return r;
}

#define ELEMENT(T, name, read, nothing) \
	T name(const struct prodd_config *c, const char *key, size_t i) \
	{ \
		struct prodd_reading r = element_of(c, key, i); \
		return read(&r, nothing); \
	}

ELEMENT(int64_t, prodd_config_list_int, prodd_read_int, 0)
ELEMENT(bool, prodd_config_list_bool, prodd_read_bool, false)
ELEMENT(double, prodd_config_list_float, prodd_read_float, 0)
ELEMENT(const char *, prodd_config_list_string, prodd_read_string, "")
