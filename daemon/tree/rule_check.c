/* SPDX-License-Identifier: Apache-2.0 */
/* A value against its rule: conversion to the type first, then every limit in turn. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "daemon/tree/pattern.h"
#include "daemon/tree/rule.h"
#include "daemon/tree/suggest.h"
#include "proto/codec.h"
#include "proto/cursor.h"

enum { shown_max = 100, words_max = 240 };	/* bytes of a value, of a list of words, in a sentence */

/* Returns -PRODD_E_INVALID, as every check below that does not end with 0. */
static int refuse(char why[VALUE_WHY_MAX], const char *format, ...) __attribute__((format(printf, 2, 3)));

static int refuse(char why[VALUE_WHY_MAX], const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(why, VALUE_WHY_MAX, format, args);
	va_end(args);
	return -PRODD_E_INVALID;
}

/* ---- numbers */

static int check_range(const struct rule *rule, struct prodd_slice value, char why[VALUE_WHY_MAX])
{
	struct prodd_slice min = rule->row.min, max = rule->row.max;
	char shown[shown_max], low[shown_max], high[shown_max];

	if (!(min.size && value_is_below(value, min)) && !(max.size && value_is_below(max, value)))
		return 0;
	value_text(value, rule->row.type, shown, sizeof shown);
	value_text(min, rule->row.type, low, sizeof low);
	value_text(max, rule->row.type, high, sizeof high);
	if (min.size && max.size)
		return refuse(why, "%s is not in %s..%s", shown, low, high);
	if (min.size)
		return refuse(why, "%s is below the minimum %s", shown, low);
	return refuse(why, "%s is above the maximum %s", shown, high);
}

/* ---- texts and lists */

static int check_length(const struct rule *rule, uint64_t length, const char *unit, char why[VALUE_WHY_MAX])
{
	uint64_t min = rule->row.min_length, max = rule->row.max_length;

	if (length < min)
		return refuse(why, "%" PRIu64 " %s%s, at least %" PRIu64 " %s needed", length, unit,
			      length == 1 ? "" : "s", min, min == 1 ? "is" : "are");
	if (max > 0 && length > max)
		return refuse(why, "%" PRIu64 " %s%s, at most %" PRIu64 " %s allowed", length, unit,
			      length == 1 ? "" : "s", max, max == 1 ? "is" : "are");
	return 0;
}

/* `"verbose" is not one of debug, info, warn, error` */
static int refuse_word(const struct rule *rule, struct prodd_slice text, char why[VALUE_WHY_MAX])
{
	struct suggest nearest = suggest_for(text, NULL);
	struct prodd_iter it = prodd_iter(rule->row.one_of);
	struct prodd_slice word;
	char words[words_max] = "";
	size_t length = 0;
	bool full = false;

	while (prodd_next_text(&it, &word)) {
		suggest_offer(&nearest, word);
		if (full || length + word.size + 8 > sizeof words) {
			full = true;
			continue;
		}
		length += (size_t)snprintf(words + length, sizeof words - length, "%s%.*s",
					   length ? ", " : "", PRODD_SLICE(word));
	}
	text = prodd_text_cut(text, shown_max);
	if (full)
		snprintf(words + length, sizeof words - length, " ...");
	if (full && nearest.nearest.size && nearest.nearest.size < shown_max)
		return refuse(why, "\"%.*s\" is not one of %s; did you mean \"%.*s\"?", PRODD_SLICE(text),
			      words, PRODD_SLICE(nearest.nearest));
	return refuse(why, "\"%.*s\" is not one of %s", PRODD_SLICE(text), words);
}

static bool is_word_of(const struct rule *rule, struct prodd_slice text)
{
	struct prodd_iter it = prodd_iter(rule->row.one_of);
	struct prodd_slice word;

	while (prodd_next_text(&it, &word))
		if (prodd_slice_equal(word, text))
			return true;
	return false;
}

static int check_text(const struct rule *rule, struct prodd_slice text, char why[VALUE_WHY_MAX])
{
	if (rule->row.one_of.count > 0 && !is_word_of(rule, text))
		return refuse_word(rule, text, why);
	for (const struct pattern *p = rule->patterns; p; p = p->next) {
		int r = pattern_match(p, text);

		if (r < 0)
			return r;
		if (r > 0)
			continue;
		text = prodd_text_cut(text, shown_max);
		return refuse(why, "\"%.*s\" does not match the pattern %.200s", PRODD_SLICE(text), p->text);
	}
	return 0;
}

static int check_list(const struct rule *rule, struct prodd_cursor *c, uint32_t count,
		      char why[VALUE_WHY_MAX])
{
	bool texts = rule->patterns || rule->row.one_of.count > 0;
	struct prodd_slice text;
	int r;

	r = check_length(rule, count, "element", why);
	for (uint32_t i = 0; r == 0 && texts && i < count; i++) {
		if (!prodd_cursor_str(c, &text))
			return refuse(why, "element %" PRIu32 " is not a string", i + 1);
		r = check_text(rule, text, why);
	}
	return r;
}

int rule_check_canonical(const struct rule *rule, struct prodd_slice value, char why[VALUE_WHY_MAX])
{
	struct prodd_cursor c = prodd_cursor(value);
	struct prodd_slice text;
	uint32_t count;
	int r;

	switch (rule->type) {
	case VALUE_INT:
	case VALUE_FLOAT:
	case VALUE_DURATION:
	case VALUE_SIZE:
		return check_range(rule, value, why);
	case VALUE_STRING:
	case VALUE_ENUM:
		if (!prodd_cursor_str(&c, &text))
			return refuse(why, "expected a string");
		r = check_length(rule, text.size, "byte", why);
		return r < 0 ? r : check_text(rule, text, why);
	case VALUE_LIST:
		if (!prodd_cursor_array(&c, &count))
			return refuse(why, "expected a list");
		return check_list(rule, &c, count, why);
	default:
		return 0;
	}
}

static int deliver(const struct rule *rule, struct prodd_buffer *value, struct prodd_buffer *ret,
		   char why[VALUE_WHY_MAX])
{
	int r = value->failed;

	if (r == 0)
		r = rule_check_canonical(rule, prodd_buffer_slice(value), why);
	return r < 0 ? r : prodd_buffer_append(ret, value->at, value->size);
}

int rule_check(const struct rule *rule, struct prodd_slice literal, struct prodd_buffer *ret,
	       char why[VALUE_WHY_MAX])
{
	prodd_auto_buffer value = { 0 };

	if (!value_convert(rule->type, literal, &value, why))
		return -PRODD_E_INVALID;
	return deliver(rule, &value, ret, why);
}

int rule_parse_text(const struct rule *rule, struct prodd_slice like, struct prodd_slice text,
		    enum value_text_from from, struct prodd_buffer *ret, char why[VALUE_WHY_MAX])
{
	prodd_auto_buffer value = { 0 };

	if (rule->patterns || rule->row.one_of.count > 0)
		like = (struct prodd_slice){ "\x91\xa0", 2 };	/* [""]: only strings can pass */
	else if (like.size == 0)
		like = rule->row.def;
	if (!value_from_text(rule->type, like, text, from, &value, why))
		return -PRODD_E_INVALID;
	return deliver(rule, &value, ret, why);
}
