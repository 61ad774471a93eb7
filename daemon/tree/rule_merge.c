/* SPDX-License-Identifier: Apache-2.0 */
/* Two declarations of one key: what both allow is allowed. */
#include "daemon/tree/pattern.h"
#include "daemon/tree/rule.h"
#include "proto/codec.h"

static struct prodd_slice origin_of(const struct rule *rule)
{
	return rule->row.origin.size ? rule->row.origin : prodd_slice("another declaration");
}

static int refuse(const struct rule *first, const struct rule *second, const char *why, struct prodd_error *e)
{
	return prodd_error_set(e, PRODD_E_INVALID, "%.*s: %.*s and %.*s together allow nothing: %s",
			       PRODD_SLICE(first->row.key), PRODD_SLICE(origin_of(first)),
			       PRODD_SLICE(origin_of(second)), why);
}

static bool has_word(struct prodd_list words, struct prodd_slice word)
{
	struct prodd_iter it = prodd_iter(words);
	struct prodd_slice other;

	while (prodd_next_text(&it, &other))
		if (prodd_slice_equal(other, word))
			return true;
	return false;
}

/* The words in both lists, in the order of the first; a missing list allows all. */
static struct prodd_list common_words(struct prodd_list first, struct prodd_list second,
				      struct prodd_buffer *store)
{
	struct prodd_iter it = prodd_iter(first);
	struct prodd_slice word;
	uint32_t count = 0;

	if (first.count == 0 || second.count == 0)
		return first.count ? first : second;
	while (prodd_next_text(&it, &word))
		if (has_word(second, word)) {
			prodd_pack_str(store, word);
			count++;
		}
	return prodd_list(store, count);
}

static struct prodd_slice either(struct prodd_slice first, struct prodd_slice second)
{
	return first.size ? first : second;
}

/* The narrower of both, but for words and patterns. */
static struct wire_schema_key narrow(const struct wire_schema_key *first,
				     const struct wire_schema_key *second)
{
	struct wire_schema_key row = *first;

	row.def = either(first->def, second->def);
	row.help = either(first->help, second->help);
	row.origin = either(first->origin, second->origin);
	row.required |= second->required;
	row.restart |= second->restart;
	if (second->min.size && (!row.min.size || value_is_below(row.min, second->min)))
		row.min = second->min;
	if (second->max.size && (!row.max.size || value_is_below(second->max, row.max)))
		row.max = second->max;
	if (second->min_length > row.min_length)
		row.min_length = second->min_length;
	if (second->max_length && (!row.max_length || second->max_length < row.max_length))
		row.max_length = second->max_length;
	row.pattern = (struct prodd_slice){ NULL, 0 };
	return row;
}

static bool has_pattern(const struct pattern *patterns, const char *text)
{
	for (; patterns; patterns = patterns->next)
		if (strcmp(patterns->text, text) == 0)
			return true;
	return false;
}

/* Adds to `rule` those of `patterns` that it does not have. */
static int add_patterns(struct rule *rule, const struct pattern *patterns)
{
	struct pattern **end = &rule->patterns;
	char why[VALUE_WHY_MAX];

	for (; patterns; patterns = patterns->next) {
		int r;

		if (has_pattern(rule->patterns, patterns->text))
			continue;
		while (*end)
			end = &(*end)->next;
		r = pattern_new(end, prodd_slice(patterns->text), prodd_slice(patterns->origin), why,
				sizeof why);
		if (r < 0)
			return r;
	}
	return 0;
}

/* The first pattern stands in the row too, which is encoded from there. */
static void show_pattern(struct rule *rule)
{
	if (rule->patterns)
		rule->row.pattern = prodd_slice(rule->patterns->text);
}

static int refuse_default(const struct rule *first, const struct rule *second, const char *why,
			  struct prodd_error *e)
{
	bool is_first = first->row.def.size > 0;

	return prodd_error_set(e, PRODD_E_INVALID, "%.*s: the default of %.*s breaks the rule of %.*s: %s",
			       PRODD_SLICE(first->row.key), PRODD_SLICE(origin_of(is_first ? first : second)),
			       PRODD_SLICE(origin_of(is_first ? second : first)), why);
}

static int build(struct rule **ret, const struct wire_schema_key *row, const struct rule *first,
		 const struct rule *second, struct prodd_error *e)
{
	struct rule_mistakes mistakes;
	char why[VALUE_WHY_MAX];
	int r;

	r = rule_new(ret, row, true, &mistakes);
	if (r == -PRODD_E_INVALID)
		return strcmp(mistakes.at[0].attribute, "default") == 0 ?
		       refuse_default(first, second, mistakes.at[0].text, e) :
		       refuse(first, second, mistakes.at[0].text, e);
	if (r == 0)
		r = add_patterns(*ret, first->patterns);
	if (r == 0)
		r = add_patterns(*ret, second->patterns);
	if (r == 0 && row->def.size) {
		r = rule_check_canonical(*ret, row->def, why);
		if (r == -PRODD_E_INVALID)
			return refuse_default(first, second, why, e);
	}
	if (r < 0)
		return prodd_error_set(e, -r, "%.*s: merging two declarations", PRODD_SLICE(row->key));
	show_pattern(*ret);
	return 0;
}

int rule_merge(struct rule **ret, const struct rule *first, const struct rule *second, struct prodd_error *e)
{
	struct wire_schema_key row = narrow(&first->row, &second->row);
	prodd_auto_buffer words = { 0 };
	struct rule *rule = NULL;
	int r;

	if (first->type != second->type)
		return prodd_error_set(e, PRODD_E_INVALID, "%.*s: %s in %.*s, but %s in %.*s",
				       PRODD_SLICE(row.key), value_type_name(first->type),
				       PRODD_SLICE(origin_of(first)), value_type_name(second->type),
				       PRODD_SLICE(origin_of(second)));
	row.one_of = common_words(first->row.one_of, second->row.one_of, &words);
	if (words.failed)
		return prodd_error_set(e, -words.failed, "%.*s: merging two declarations",
				       PRODD_SLICE(row.key));
	if (row.one_of.count == 0 && first->row.one_of.count > 0)
		return refuse(first, second, "they have no word in common", e);
	r = build(&rule, &row, first, second, e);
	if (r < 0)
		rule_free(rule);
	else
		*ret = rule;
	return r;
}
