/* SPDX-License-Identifier: Apache-2.0 */
/*
 * All settings of all layers in one array, sorted by key and then from the
 * highest layer down; the schema's rules are walked along with it.  Every
 * setting is checked, also one that a higher layer hides.
 */
#include "daemon/tree/merge.h"

#include <stdlib.h>

#include "daemon/tree/entry.h"
#include "proto/limits.h"

/* Steps of the search for near names: some tens of milliseconds for a whole run. */
enum { suggest_steps = 5 * 1000 * 1000 };

struct mention {
	const struct setting *setting;
	const struct merge_layer *layer;
};

struct merge {
	const struct merge_input *in;
	struct problems *problems;
	struct mention *mentions;	/* owned */
	size_t count;
	struct entry entry;
	struct prodd_buffer value;	/* canonical, of the mention at hand */
	struct prodd_buffer winner;	/* canonical, of the key at hand */
	struct prodd_buffer *ret;
	uint32_t *ret_count;
	size_t set;			/* keys with a value */
	size_t suggest_budget;
};

static int compare(const void *a, const void *b)
{
	const struct mention *x = a, *y = b;
	int order = prodd_slice_compare(x->setting->key, y->setting->key);

	if (order != 0)
		return order;
	if (x->layer != y->layer)
		return x->layer > y->layer ? -1 : 1;	/* both are in the array in->layers */
	return x->setting < y->setting ? -1 : x->setting > y->setting;
}

static int gather(struct merge *m)
{
	size_t total = 0;

	for (size_t i = 0; i < m->in->layer_count; i++)
		total += m->in->layers[i].count;
	m->mentions = calloc(total + 1, sizeof *m->mentions);
	if (!m->mentions)
		return -PRODD_E_NO_MEMORY;
	for (size_t i = 0; i < m->in->layer_count; i++)
		for (size_t k = 0; k < m->in->layers[i].count; k++)
			m->mentions[m->count++] =
				(struct mention){ &m->in->layers[i].settings[k], &m->in->layers[i] };
	qsort(m->mentions, m->count, sizeof *m->mentions, compare);
	return 0;
}

static struct place place_of(const struct mention *mention)
{
	return (struct place){
		.order = mention->layer->order, .file = mention->layer->path, .line = mention->setting->line,
	};
}

/* ---- keys without a rule */

/* The mention of a key that `key` would be below, among all that are set; NULL: none. */
static const struct mention *set_parent(const struct merge *m, struct prodd_slice key)
{
	for (size_t i = key.size; i-- > 0;) {
		struct setting wanted = { .key = { key.at, i } };
		size_t low = 0, high = m->count;

		if (key.at[i] != '.')
			continue;
		while (low < high) {
			size_t middle = low + (high - low) / 2;

			if (prodd_slice_compare(m->mentions[middle].setting->key, wanted.key) < 0)
				low = middle + 1;
			else
				high = middle;
		}
		if (low < m->count && prodd_slice_equal(m->mentions[low].setting->key, wanted.key))
			return &m->mentions[low];
	}
	return NULL;
}

static void report_unknown(struct merge *m, const struct mention *mention, const char *nearest)
{
	struct prodd_slice key = mention->setting->key;
	const struct rule *parent = schema_parent(m->in->schema, key);
	struct place place = place_of(mention);

	if (schema_is_group(m->in->schema, key))
		problems_add(m->problems, &place, key,
			     "is a group of settings, it cannot have a value of its own");
	else if (parent)
		problems_add(m->problems, &place, key, "unknown key; \"%.*s\" is %s, not a group",
			     PRODD_SLICE(parent->row.key), value_type_article(parent->type));
	else if (nearest)
		problems_add(m->problems, &place, key, "unknown key; did you mean \"%s\"?", nearest);
	else
		problems_add(m->problems, &place, key, "unknown key");
}

/* A value and a group of one name, in two layers or one. */
static void report_conflict(struct merge *m, const struct mention *mention, const struct mention *parent)
{
	struct prodd_slice name = parent->setting->key;
	struct place place;

	if (parent->layer > mention->layer) {
		place = place_of(parent);
		problems_add(m->problems, &place, name, "is a value here, but a group in %.*s:%u",
			     PRODD_SLICE(mention->layer->path), mention->setting->line);
		return;
	}
	place = place_of(mention);
	problems_add(m->problems, &place, mention->setting->key,
		     "\"%.*s\" is a group here, but a value in %.*s:%u", PRODD_SLICE(name),
		     PRODD_SLICE(parent->layer->path), parent->setting->line);
}

/* Whether settings without a rule may stand; reports each that may not. */
static bool check_unruled(struct merge *m, const struct mention *first, size_t count)
{
	struct prodd_slice key = first->setting->key;
	const struct schema *schema = m->in->schema;
	char nearest[PRODD_KEY_MAX + 1];
	const struct mention *parent;
	bool near;

	if (schema_strict(schema) || schema_is_group(schema, key) || schema_parent(schema, key)) {
		near = schema_nearest(schema, key, &m->suggest_budget, nearest);
		for (size_t i = 0; i < count; i++)
			report_unknown(m, &first[i], near ? nearest : NULL);
		return false;
	}
	parent = set_parent(m, key);
	if (parent)
		report_conflict(m, first, parent);
	return !parent;
}

/* ---- one key */

static void check_duplicates(struct merge *m, const struct mention *first, size_t count)
{
	for (size_t i = 1; i < count; i++) {
		struct place place = place_of(&first[i]);

		if (first[i].layer == first[i - 1].layer)
			problems_add(m->problems, &place, first[i].setting->key, "is already set in line %u",
				     first[i - 1].setting->line);
	}
}

/* To m->value. Returns 0, 1 when the value was refused and reported, or -PRODD_E_NO_MEMORY. */
static int convert(struct merge *m, const struct rule *rule, const struct mention *mention)
{
	struct place place = place_of(mention);
	char why[VALUE_WHY_MAX];
	int r;

	prodd_buffer_reset(&m->value);
	if (rule)
		r = rule_check(rule, mention->setting->value, &m->value, why);
	else
		r = value_convert(VALUE_NONE, mention->setting->value, &m->value, why) ? m->value.failed
											: -PRODD_E_INVALID;
	if (r != -PRODD_E_INVALID)
		return r;
	problems_add(m->problems, &place, mention->setting->key, "%s", why);
	return 1;
}

/* The winner is the first: its value and type are the entry's. */
static int take_winner(struct merge *m, const struct rule *rule)
{
	enum value_type type = value_literal_type(prodd_buffer_slice(&m->value));

	prodd_buffer_reset(&m->winner);
	prodd_buffer_append(&m->winner, m->value.at, m->value.size);
	m->entry.row.value = prodd_buffer_slice(&m->winner);
	m->entry.row.type = rule ? rule->row.type : prodd_slice(value_type_name(type));
	return m->winner.failed;
}

static void add_mention(struct merge *m, const struct rule *rule, const struct mention *mention)
{
	struct prodd_slice type = m->entry.row.type;

	/* Without a rule a lower layer may have written another type. */
	if (!rule)
		m->entry.row.type =
			prodd_slice(value_type_name(value_literal_type(prodd_buffer_slice(&m->value))));
	entry_add(&m->entry, "file", mention->layer->name, mention->setting->line,
		  prodd_buffer_slice(&m->value));
	m->entry.row.type = type;
}

static int merge_mentions(struct merge *m, const struct rule *rule, const struct mention *first, size_t count)
{
	bool kept_for_default = rule && rule->row.def.size > 0;

	for (size_t i = 0; i < count; i++) {
		int r = convert(m, rule, &first[i]);

		if (r == 0 && m->entry.row.value.size == 0)
			r = take_winner(m, rule);
		if (r < 0)
			return r;
		if (r == 0 && m->entry.count + kept_for_default < ENTRY_CANDIDATES_MAX)
			add_mention(m, rule, &first[i]);
	}
	return 0;
}

/* `count`: settings of the key, of which none may have been good. */
static void use_default(struct merge *m, const struct rule *rule, size_t count)
{
	if (m->entry.row.value.size == 0)
		m->entry.row.value = rule->row.def;
	entry_add_default(&m->entry, rule);
	if (m->entry.row.value.size == 0 && count == 0 && rule->row.required && !m->in->incomplete)
		problems_add(m->problems, NULL, rule->row.key, "is required, but no file sets it%s%.*s%s",
			     rule->row.origin.size ? " (declared in " : "", PRODD_SLICE(rule->row.origin),
			     rule->row.origin.size ? ")" : "");
}

/* One key with its settings, of which there are none when only the schema knows it. */
static int merge_key(struct merge *m, struct prodd_slice key, const struct mention *first, size_t count)
{
	const struct rule *rule = schema_find(m->in->schema, key);
	int r;

	check_duplicates(m, first, count);
	if (!rule && !check_unruled(m, first, count))
		return 0;
	m->entry.row = (struct wire_tree_entry){ .key = key };
	if (rule) {
		m->entry.row.type = rule->row.type;
		m->entry.row.restart = rule->row.restart;
	}
	r = merge_mentions(m, rule, first, count);
	if (r < 0)
		return r;
	if (rule)
		use_default(m, rule, count);
	m->set += m->entry.row.value.size > 0;
	return entry_encode(&m->entry, m->ret, m->ret_count);
}

/* ---- all keys */

/* The next key of a rule in or behind *index that no setting has yet; patterns are no keys. */
static const struct rule *rule_at(const struct schema *schema, size_t *index)
{
	for (; *index < schema_count(schema); ++*index) {
		const struct rule *rule = schema_at(schema, *index);

		if (!memchr(rule->row.key.at, '*', rule->row.key.size))
			return rule;
	}
	return NULL;
}

static size_t same_key(const struct merge *m, size_t at)
{
	size_t end = at + 1;

	while (end < m->count &&
	       prodd_slice_equal(m->mentions[end].setting->key, m->mentions[at].setting->key))
		end++;
	return end - at;
}

/* Which of the two keys comes first; below 0: the rule's. Either may be missing. */
static int order_of(const struct rule *rule, const struct mention *mention)
{
	if (!rule || !mention)
		return rule ? -1 : 1;
	return prodd_slice_compare(rule->row.key, mention->setting->key);
}

static int walk(struct merge *m)
{
	size_t at = 0, rule_index = 0;

	for (;;) {
		const struct rule *rule = rule_at(m->in->schema, &rule_index);
		const struct mention *mention = at < m->count ? &m->mentions[at] : NULL;
		int order = order_of(rule, mention);
		size_t count = 0;
		int r;

		if (!rule && !mention)
			return 0;
		if (order >= 0)
			count = same_key(m, at);
		r = merge_key(m, order <= 0 ? rule->row.key : mention->setting->key, mention, count);
		if (r < 0)
			return r;
		at += count;
		rule_index += order <= 0;
	}
}

int merge_run(const struct merge_input *in, struct problems *problems, struct prodd_buffer *ret,
	      uint32_t *ret_count, struct prodd_error *e)
{
	struct merge m = { .in = in, .problems = problems, .ret = ret, .ret_count = ret_count };
	int r;

	m.suggest_budget = suggest_steps;
	r = gather(&m);
	if (r == 0)
		r = walk(&m);
	if (r == 0 && m.set > PRODD_SETTINGS_MAX)
		problems_add(problems, NULL, (struct prodd_slice){ NULL, 0 },
			     "%zu settings, at most %u are allowed", m.set, PRODD_SETTINGS_MAX);
	free(m.mentions);
	entry_clear(&m.entry);
	prodd_buffer_clear(&m.value);
	prodd_buffer_clear(&m.winner);
	if (r == 0 && problems->failed)
		r = problems->failed;
	return r < 0 ? prodd_error_set(e, -r, "merging the layers") : 0;
}
