/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A wrong key or type is the program's error: it is told once, and the program
 * goes on.  What is no string gets its text when somebody asks for it: making
 * thousands of them at each reload would take longer than all the rest.
 */
#include "client/reading.h"

#include "client/print.h"
#include "proto/cursor.h"

enum { shown_max = 100 };

const struct prodd_value prodd_value_unknown = { .kind = PRODD_VALUE_UNKNOWN };

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
	const char *type = prodd_type_word((enum prodd_type)r->value->type);
	prodd_auto_buffer text = { 0 };

	prodd_print_value(&text, r->value);
	prodd_messages_say_once(r->c->messages, LOG_ERR, "the program reads %s as %s, but it is the %s %.*s",
				r->name, wanted, *type ? type : "value",
				PRODD_SLICE(prodd_text_cut(prodd_buffer_slice(&text), shown_max)));
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

/* Made at most a few times, by threads that ask at once; equal texts are kept once. */
static const char *make_text(const struct prodd_reading *r)
{
	struct prodd_config *c = (struct prodd_config *)r->c;
	struct prodd_value *v = (struct prodd_value *)r->value;
	prodd_auto_buffer text = { 0 };
	const struct prodd_name *kept;

	prodd_print_value(&text, v);
	prodd_buffer_append(&text, "", 1);
	kept = text.failed ? NULL : prodd_names_add(&c->texts, text.at, NULL);
	if (!kept) {
		prodd_messages_say_once(c->messages, LOG_ERR, "no memory for the text of %s", r->name);
		return NULL;
	}
	atomic_store_explicit(&v->text, kept->text, memory_order_release);
	return kept->text;
}

const char *prodd_read_string(const struct prodd_reading *r, const char *fallback)
{
	const char *text;

	if (!prodd_read_any(r))
		return fallback;
	if (r->value->kind == PRODD_VALUE_STRING)
		return r->value->string;
	text = atomic_load_explicit(&((struct prodd_value *)r->value)->text, memory_order_acquire);
	if (!text)
		text = make_text(r);
	return text ? text : fallback;
}
