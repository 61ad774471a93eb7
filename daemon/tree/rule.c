/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A rule is its declaration in canonical form, encoded once and read back, so
 * that one block of bytes owns every text in it.
 */
#include "daemon/tree/rule.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "daemon/tree/names.h"
#include "daemon/tree/pattern.h"
#include "daemon/tree/suggest.h"
#include "proto/codec.h"
#include "proto/cursor.h"
#include "proto/limits.h"

enum { help_max = 1024, words_max = 256 };	/* the wire's limits */

/* What a declaration is turned into on the way to a rule. */
struct draft {
	struct wire_schema_key row;
	struct prodd_buffer def, min, max;	/* canonical */
	struct rule_mistakes *mistakes;
	enum value_type type;
};

static void mistake(struct draft *d, const char *attribute, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static void mistake(struct draft *d, const char *attribute, const char *format, ...)
{
	struct rule_mistake *m = &d->mistakes->at[d->mistakes->count];
	va_list args;

	if (d->mistakes->count == RULE_MISTAKES_MAX)
		return;
	d->mistakes->count++;
	m->attribute = attribute;
	va_start(args, format);
	vsnprintf(m->text, sizeof m->text, format, args);
	va_end(args);
}

/* ---- checking a declaration, attribute by attribute */

static bool is_number(enum value_type type)
{
	return type == VALUE_INT || type == VALUE_FLOAT || type == VALUE_DURATION || type == VALUE_SIZE;
}

static bool has_length(enum value_type type)
{
	return type == VALUE_STRING || type == VALUE_LIST;
}

static void check_key(struct draft *d, bool patterns)
{
	struct prodd_slice key = prodd_text_cut(d->row.key, 100);

	if (!(patterns ? names_key_pattern(d->row.key) : names_key(d->row.key)))
		mistake(d, "key",
			"\"%.*s\" cannot be a key: letters, digits, _ and -, parts joined by dots, "
			"at most %u bytes and %u parts",
			PRODD_SLICE(key), PRODD_KEY_MAX, NAMES_KEY_PARTS_MAX);
}

static void check_type(struct draft *d)
{
	struct prodd_slice name = prodd_text_cut(d->row.type, 60);
	struct suggest near = suggest_for(name, NULL);

	d->type = value_type_of(d->row.type);
	if (d->type != VALUE_NONE)
		return;
	if (prodd_slice_is(name, "secret")) {
		mistake(d, "type", "type \"secret\" is not supported yet");
		return;
	}
	for (int i = VALUE_NONE + 1; i <= VALUE_LIST; i++)
		suggest_offer(&near, prodd_slice(value_type_name((enum value_type)i)));
	if (near.nearest.size)
		mistake(d, "type", "unknown type \"%.*s\"; did you mean \"%.*s\"?", PRODD_SLICE(name),
			PRODD_SLICE(near.nearest));
	else
		mistake(d, "type",
			"unknown type \"%.*s\": expected bool, int, float, string, duration, size, "
			"enum or list",
			PRODD_SLICE(name));
}

/* To the form of the type. An int of a duration is canonical here: nanoseconds. */
static void convert(struct draft *d, const char *attribute, struct prodd_slice *value,
		    struct prodd_buffer *store)
{
	struct prodd_cursor c = prodd_cursor(*value);
	char why[VALUE_WHY_MAX];
	int64_t number;

	if (value->size == 0)
		return;
	if (d->type == VALUE_DURATION && prodd_cursor_int(&c, &number) && number >= 0 && c.at == c.end)
		prodd_pack_int(store, number);
	else if (!value_convert(d->type, *value, store, why))
		mistake(d, attribute, "%s", why);
	*value = prodd_buffer_slice(store);
}

static void check_numbers(struct draft *d)
{
	const char *article = value_type_article(d->type);

	if (is_number(d->type)) {
		convert(d, "min", &d->row.min, &d->min);
		convert(d, "max", &d->row.max, &d->max);
		return;
	}
	if (d->row.min.size)
		mistake(d, "min", "has no meaning for %s", article);
	if (d->row.max.size)
		mistake(d, "max", "has no meaning for %s", article);
}

static void check_lengths(struct draft *d)
{
	const char *article = value_type_article(d->type);

	if (!has_length(d->type) && d->row.min_length)
		mistake(d, "min_length", "has no meaning for %s", article);
	if (!has_length(d->type) && d->row.max_length)
		mistake(d, "max_length", "has no meaning for %s", article);
	if (d->row.max_length && d->row.min_length > d->row.max_length)
		mistake(d, "min_length", "%" PRIu64 " is greater than max_length %" PRIu64,
			d->row.min_length, d->row.max_length);
	if (!has_length(d->type) && d->row.pattern.size)
		mistake(d, "pattern", "has no meaning for %s", article);
}

static void check_words(struct draft *d)
{
	if (d->type == VALUE_ENUM && d->row.one_of.count == 0)
		mistake(d, "one_of", "an enum needs the list of its words");
	if (d->type != VALUE_ENUM && !has_length(d->type) && d->row.one_of.count > 0)
		mistake(d, "one_of", "has no meaning for %s", value_type_article(d->type));
	if (d->row.one_of.count > words_max)
		mistake(d, "one_of", "%" PRIu32 " words, at most %d are allowed", d->row.one_of.count,
			words_max);
	if (d->row.help.size > help_max)
		mistake(d, "help", "%zu bytes, at most %d are allowed", d->row.help.size, help_max);
}

/* ---- from draft to rule */

static int compile(struct draft *d, struct rule *rule)
{
	char why[VALUE_WHY_MAX];
	int r;

	if (d->row.pattern.size == 0)
		return 0;
	r = pattern_new(&rule->patterns, d->row.pattern, d->row.origin, why, sizeof why);
	if (r == -PRODD_E_INVALID) {
		mistake(d, "pattern", "%s", why);
		return 0;
	}
	return r;
}

/* What can only be asked of the finished rule. */
static int check_whole(struct draft *d, struct rule *rule)
{
	struct wire_schema_key *row = &rule->row;
	struct prodd_slice min = row->min;
	char low[64], high[64], why[VALUE_WHY_MAX];
	int r;

	if (min.size && row->max.size) {
		row->min.size = 0;
		if (rule_check_canonical(rule, min, why) < 0) {
			value_text(min, row->type, low, sizeof low);
			value_text(row->max, row->type, high, sizeof high);
			mistake(d, "min", "%s is greater than max %s", low, high);
			return -PRODD_E_INVALID;
		}
		row->min = min;
	}
	if (row->def.size == 0)
		return 0;
	r = rule_check_canonical(rule, row->def, why);
	if (r == -PRODD_E_INVALID)
		mistake(d, "default", "%s", why);
	return r;
}

static int build(struct draft *d, struct rule *rule)
{
	struct prodd_cursor c;
	int r;

	rule->type = d->type;
	r = prodd_encode(&rule->bytes, &wire_record_schema_key, &d->row);
	if (r < 0)
		return r;
	c = prodd_cursor(prodd_buffer_slice(&rule->bytes));
	return prodd_decode(&c, &wire_record_schema_key, &rule->row, NULL);
}

static int draft_to_rule(struct draft *d, bool patterns, struct rule *rule)
{
	int r;

	check_key(d, patterns);
	check_type(d);
	if (d->type != VALUE_NONE) {
		check_numbers(d);
		check_lengths(d);
		check_words(d);
		convert(d, "default", &d->row.def, &d->def);
	}
	r = compile(d, rule);
	if (r < 0 || d->mistakes->count > 0)
		return r < 0 ? r : -PRODD_E_INVALID;
	if (d->def.failed || d->min.failed || d->max.failed)
		return -PRODD_E_NO_MEMORY;
	r = build(d, rule);
	return r < 0 ? r : check_whole(d, rule);
}

int rule_new(struct rule **ret, const struct wire_schema_key *declared, bool patterns,
	     struct rule_mistakes *mistakes)
{
	struct draft d = { .row = *declared, .mistakes = mistakes };
	struct rule *rule = calloc(1, sizeof *rule);
	int r;

	mistakes->count = 0;
	if (!rule)
		return -PRODD_E_NO_MEMORY;
	r = draft_to_rule(&d, patterns, rule);
	prodd_buffer_clear(&d.def);
	prodd_buffer_clear(&d.min);
	prodd_buffer_clear(&d.max);
	if (r == -PRODD_E_TOO_LARGE || r == -PRODD_E_USAGE) {
		mistake(&d, "key", "the declaration is too large");
		r = -PRODD_E_INVALID;
	}
	if (r < 0)
		rule_free(rule);
	else
		*ret = rule;
	return r;
}

struct rule *rule_free(struct rule *rule)
{
	if (!rule)
		return NULL;
	pattern_free(rule->patterns);
	prodd_buffer_clear(&rule->bytes);
	free(rule);
	return NULL;
}

int rule_encode(const struct rule *rule, struct prodd_buffer *b, uint32_t *count)
{
	prodd_encode_element(b, count, &wire_record_schema_key, &rule->row);
	for (const struct pattern *p = rule->patterns ? rule->patterns->next : NULL; p; p = p->next) {
		struct wire_schema_key more = {
			.key = rule->row.key, .type = rule->row.type,
			.pattern = prodd_slice(p->text), .origin = prodd_slice(p->origin),
		};

		prodd_encode_element(b, count, &wire_record_schema_key, &more);
	}
	return b->failed;
}
