/* SPDX-License-Identifier: Apache-2.0 */
/* A wrong key or type is the program's error: it is told once, and the program goes on. */
#include "client/reading.h"

const struct prodd_value prodd_value_unknown = { .kind = PRODD_VALUE_UNKNOWN, .text = "" };

bool prodd_read_any(const struct prodd_reading *r)
{
	if (r->value->kind > PRODD_VALUE_UNSET)
		return true;
	if (r->value->kind == PRODD_VALUE_UNKNOWN && r->c && r->name && !r->quiet)
		prodd_messages_say_once(r->c->messages, LOG_ERR,
					"the program reads %s, which neither a schema nor "
					"the files have",
					r->name);
	return false;
}

static void say_unfit(const struct prodd_reading *r, const char *wanted)
{
	prodd_messages_say_once(r->c->messages, LOG_ERR,
				"the program reads %s as %s, but it is the %s %.100s", r->name, wanted,
				r->value->type ? prodd_type_word((enum prodd_type)r->value->type) : "value",
				r->value->text);
}

#define READ(T, name, convert, wanted) \
	T name(const struct prodd_reading *r, T fallback) \
	{ \
		T value; \
		if (!prodd_read_any(r)) \
			return fallback; \
		if (convert(r->value, &value)) \
			return value; \
		say_unfit(r, wanted); \
		return fallback; \
	}

READ(int64_t, prodd_read_int, prodd_value_int, "an int")
READ(bool, prodd_read_bool, prodd_value_bool, "a bool")
READ(double, prodd_read_float, prodd_value_float, "a float")
READ(int64_t, prodd_read_duration, prodd_value_duration, "a duration")
READ(int64_t, prodd_read_size, prodd_value_size, "a size")

const char *prodd_read_string(const struct prodd_reading *r, const char *fallback)
{
	return prodd_read_any(r) ? r->value->text : fallback;
}
