/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An array of rules sorted by key; finding is a binary search.  Keys with "*",
 * of which only built-in schemas have a few, are in the same array and looked
 * at one by one when nothing fits exactly.
 */
#include "daemon/tree/schema.h"

#include <stdlib.h>

#include "daemon/tree/suggest.h"
#include "proto/codec.h"
#include "proto/limits.h"

struct schema {
	struct rule **rules;	/* owned, sorted by key */
	size_t count;
	size_t capacity;
	size_t patterns;	/* rules whose key has a "*" */
	bool strict;
};

int schema_new(struct schema **ret)
{
	struct schema *schema = calloc(1, sizeof *schema);

	if (!schema)
		return -PRODD_E_NO_MEMORY;
	schema->strict = true;
	*ret = schema;
	return 0;
}

struct schema *schema_free(struct schema *schema)
{
	if (!schema)
		return NULL;
	for (size_t i = 0; i < schema->count; i++)
		rule_free(schema->rules[i]);
	free(schema->rules);
	free(schema);
	return NULL;
}

/* ---- finding */

/* The index of the first rule whose key is not below `key`. */
static size_t lower_bound(const struct schema *schema, struct prodd_slice key)
{
	size_t low = 0, high = schema->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (prodd_slice_compare(schema->rules[middle]->row.key, key) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static struct rule *exact(const struct schema *schema, struct prodd_slice key)
{
	size_t i = lower_bound(schema, key);

	return i < schema->count && prodd_slice_equal(schema->rules[i]->row.key, key) ? schema->rules[i]
										      : NULL;
}

static bool has_star(struct prodd_slice key)
{
	return key.size && memchr(key.at, '*', key.size);
}

static struct prodd_slice take_part(struct prodd_slice *rest)
{
	const char *dot = rest->size ? memchr(rest->at, '.', rest->size) : NULL;
	struct prodd_slice part = { rest->at, dot ? (size_t)(dot - rest->at) : rest->size };
	size_t used = part.size + (dot ? 1 : 0);

	rest->at += used;
	rest->size -= used;
	return part;
}

/* Part by part; `prefix`: the key may end before the pattern does. */
static bool fits(struct prodd_slice pattern, struct prodd_slice key, bool prefix)
{
	while (pattern.size > 0 && key.size > 0) {
		struct prodd_slice wanted = take_part(&pattern);
		struct prodd_slice part = take_part(&key);

		if (!prodd_slice_is(wanted, "*") && !prodd_slice_equal(wanted, part))
			return false;
	}
	return prefix ? key.size == 0 && pattern.size > 0 : key.size == 0 && pattern.size == 0;
}

const struct rule *schema_find(const struct schema *schema, struct prodd_slice key)
{
	const struct rule *rule;

	if (!schema)
		return NULL;
	rule = exact(schema, key);
	if (rule || schema->patterns == 0)
		return rule;
	for (size_t i = 0; i < schema->count; i++)
		if (has_star(schema->rules[i]->row.key) && fits(schema->rules[i]->row.key, key, false))
			return schema->rules[i];
	return NULL;
}

size_t schema_count(const struct schema *schema)
{
	return schema ? schema->count : 0;
}

const struct rule *schema_at(const struct schema *schema, size_t index)
{
	return schema->rules[index];
}

bool schema_is_group(const struct schema *schema, struct prodd_slice name)
{
	char group[PRODD_KEY_MAX + 1];
	size_t i;

	if (!schema || name.size == 0 || name.size >= sizeof group)
		return false;
	memcpy(group, name.at, name.size);
	group[name.size] = '.';
	i = lower_bound(schema, (struct prodd_slice){ group, name.size + 1 });
	if (i < schema->count && schema->rules[i]->row.key.size > name.size &&
	    memcmp(schema->rules[i]->row.key.at, group, name.size + 1) == 0)
		return true;
	for (i = 0; schema->patterns > 0 && i < schema->count; i++)
		if (has_star(schema->rules[i]->row.key) && fits(schema->rules[i]->row.key, name, true))
			return true;
	return false;
}

const struct rule *schema_parent(const struct schema *schema, struct prodd_slice key)
{
	for (size_t i = key.size; schema && i-- > 0;)
		if (key.at[i] == '.') {
			const struct rule *rule = exact(schema, (struct prodd_slice){ key.at, i });

			if (rule)
				return rule;
		}
	return NULL;
}

/* Writes a pattern with the parts of `key` in place of its stars. */
static struct prodd_slice fill_in(struct prodd_slice pattern, struct prodd_slice key,
				  char text[PRODD_KEY_MAX + 1])
{
	size_t size = 0;

	while (pattern.size > 0) {
		struct prodd_slice wanted = take_part(&pattern);
		struct prodd_slice given = take_part(&key);
		struct prodd_slice part = prodd_slice_is(wanted, "*") && given.size ? given : wanted;

		if (size + part.size + 1 > PRODD_KEY_MAX)
			return (struct prodd_slice){ NULL, 0 };
		if (size)
			text[size++] = '.';
		memcpy(text + size, part.at, part.size);
		size += part.size;
	}
	text[size] = '\0';
	return (struct prodd_slice){ text, size };
}

bool schema_nearest(const struct schema *schema, struct prodd_slice key, size_t *budget,
		    char nearest[PRODD_KEY_MAX + 1])
{
	struct suggest s = suggest_for(key, budget);
	char text[PRODD_KEY_MAX + 1];

	for (size_t i = 0; i < schema_count(schema); i++) {
		struct prodd_slice name = schema->rules[i]->row.key;
		unsigned before = s.distance;

		if (has_star(name))
			name = fill_in(name, key, text);
		suggest_offer(&s, name);
		if (s.distance == before)
			continue;
		memcpy(nearest, name.at, name.size);
		nearest[name.size] = '\0';
	}
	return s.nearest.size > 0;
}

bool schema_strict(const struct schema *schema)
{
	return schema && schema->strict;
}

void schema_set_strict(struct schema *schema, bool strict)
{
	schema->strict = strict;
}

/* ---- adding */

static int check_groups(const struct schema *schema, const struct rule *rule, struct prodd_error *e)
{
	struct prodd_slice key = rule->row.key;
	const struct rule *parent = schema_parent(schema, key);

	if (parent)
		return prodd_error_set(
			e, PRODD_E_INVALID, "%.*s: \"%.*s\" is a key%s%.*s and cannot be a group too",
			PRODD_SLICE(key), PRODD_SLICE(parent->row.key), parent->row.origin.size ? " of " : "",
			PRODD_SLICE(parent->row.origin));
	if (schema_is_group(schema, key))
		return prodd_error_set(e, PRODD_E_INVALID,
				       "%.*s: is a group of other keys and cannot be a key too",
				       PRODD_SLICE(key));
	return 0;
}

static int insert(struct schema *schema, struct rule *rule, struct prodd_error *e)
{
	size_t capacity = schema->capacity ? 2 * schema->capacity : 32;
	size_t at = lower_bound(schema, rule->row.key);

	if (schema->count == SCHEMA_KEYS_MAX)
		return prodd_error_set(e, PRODD_E_TOO_LARGE, "a schema has at most %u keys", SCHEMA_KEYS_MAX);
	if (schema->count == schema->capacity) {
		struct rule **rules = realloc(schema->rules, capacity * sizeof(*rules));

		if (!rules)
			return prodd_error_set(e, PRODD_E_NO_MEMORY, "the schema");
		schema->rules = rules;
		schema->capacity = capacity;
	}
	memmove(&schema->rules[at + 1], &schema->rules[at], (schema->count - at) * sizeof(*schema->rules));
	schema->rules[at] = rule;
	schema->count++;
	schema->patterns += has_star(rule->row.key);
	return 0;
}

static int merge_into(struct schema *schema, struct rule *rule, struct prodd_error *e)
{
	size_t at = lower_bound(schema, rule->row.key);
	struct rule *merged = NULL;
	int r;

	r = rule_merge(&merged, schema->rules[at], rule, e);
	if (r < 0)
		return r;
	rule_free(rule);
	rule_free(schema->rules[at]);
	schema->rules[at] = merged;
	return 0;
}

int schema_add_rule(struct schema *schema, struct rule *rule, struct prodd_error *e)
{
	int r;

	if (exact(schema, rule->row.key)) {
		r = merge_into(schema, rule, e);
	} else {
		r = check_groups(schema, rule, e);
		if (r == 0)
			r = insert(schema, rule, e);
	}
	if (r < 0)
		rule_free(rule);
	return r;
}

static int add(struct schema *schema, const struct wire_schema_key *declared, bool patterns,
	       struct prodd_error *e)
{
	struct rule_mistakes mistakes;
	struct rule *rule = NULL;
	int r;

	r = rule_new(&rule, declared, patterns, &mistakes);
	if (r == -PRODD_E_INVALID)
		return prodd_error_set(e, PRODD_E_INVALID, "%.*s%s%.*s: %s: %s",
				       PRODD_SLICE(declared->origin), declared->origin.size ? ": " : "",
				       PRODD_SLICE(declared->key), mistakes.at[0].attribute,
				       mistakes.at[0].text);
	if (r < 0)
		return prodd_error_set(e, -r, "%.*s", PRODD_SLICE(declared->key));
	return schema_add_rule(schema, rule, e);
}

int schema_add(struct schema *schema, const struct wire_schema_key *declared, struct prodd_error *e)
{
	return add(schema, declared, false, e);
}

int schema_add_pattern(struct schema *schema, const struct wire_schema_key *declared, struct prodd_error *e)
{
	return add(schema, declared, true, e);
}

int schema_add_list(struct schema *schema, struct prodd_list keys, struct prodd_error *e)
{
	struct prodd_iter it = prodd_iter(keys);
	struct wire_schema_key declared;
	int r;

	while ((r = prodd_next(&it, &wire_record_schema_key, &declared, e)) > 0) {
		r = schema_add(schema, &declared, e);
		if (r < 0)
			return r;
	}
	return r;
}

int schema_encode(const struct schema *schema, struct prodd_buffer *b, uint32_t *count)
{
	for (size_t i = 0; schema && i < schema->count; i++)
		rule_encode(schema->rules[i], b, count);
	return b->failed;
}
