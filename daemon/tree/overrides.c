/* SPDX-License-Identifier: Apache-2.0 */
/* Both lists sorted by key, walked side by side. */
#include "daemon/tree/overrides.h"

#include <stdio.h>
#include <stdlib.h>

#include "daemon/tree/entry.h"
#include "daemon/tree/names.h"
#include "proto/codec.h"

enum { text_shown_max = 100 };

struct laid {
	struct wire_override row;
	uint32_t number;		/* in the list: the later of one key counts */
	struct prodd_buffer value;	/* owned: canonical */
	struct prodd_slice type;	/* of the value; static, or the rule's */
};

/* ---- one override */

/* A key of the tree that `key` would be below or above; NULL: none. */
static const struct wire_tree_entry *conflict(const struct tree *tree, struct prodd_slice key)
{
	char group[PRODD_KEY_MAX + 1];
	uint32_t i;

	for (size_t k = key.size; k-- > 0;) {
		const struct wire_tree_entry *parent;

		if (key.at[k] != '.')
			continue;
		parent = tree_find(tree, (struct prodd_slice){ key.at, k });
		if (parent)
			return parent;
	}
	memcpy(group, key.at, key.size);
	group[key.size] = '.';
	i = tree_lower_bound(tree, (struct prodd_slice){ group, key.size + 1 });
	if (tree && i < tree->count && tree->entries[i].key.size > key.size &&
	    memcmp(tree->entries[i].key.at, group, key.size + 1) == 0)
		return &tree->entries[i];
	return NULL;
}

/* A key that nothing in the tree or the schema knows. */
static int refuse_new_key(const struct tree *tree, const struct schema *schema, struct prodd_slice key,
			  char why[VALUE_WHY_MAX])
{
	const struct wire_tree_entry *other;
	char nearest[PRODD_KEY_MAX + 1];
	size_t budget = 1000 * 1000;

	if (!names_key(key)) {
		snprintf(why, VALUE_WHY_MAX, "cannot be a key");
		return -PRODD_E_INVALID;
	}
	if (schema_strict(schema)) {
		if (schema_nearest(schema, key, &budget, nearest))
			snprintf(why, VALUE_WHY_MAX, "unknown key; did you mean \"%s\"?", nearest);
		else
			snprintf(why, VALUE_WHY_MAX, "unknown key");
		return -PRODD_E_INVALID;
	}
	other = conflict(tree, key);
	if (!other)
		return 0;
	snprintf(why, VALUE_WHY_MAX, "cannot be a key beside \"%.*s\": a name is a value or a group",
		 PRODD_SLICE(other->key));
	return -PRODD_E_INVALID;
}

static int convert(const struct tree *tree, const struct schema *schema, struct prodd_slice key,
		   struct prodd_slice text, struct prodd_buffer *ret, struct prodd_slice *ret_type,
		   char why[VALUE_WHY_MAX])
{
	const struct rule *rule = schema_find(schema, key);
	const struct wire_tree_entry *entry = tree_find(tree, key);
	struct prodd_slice like = entry ? entry->value : (struct prodd_slice){ NULL, 0 };
	enum value_type type = entry ? value_type_of(entry->type) : VALUE_NONE;
	int r;

	if (rule) {
		*ret_type = rule->row.type;
		return rule_parse_text(rule, like, text, VALUE_FROM_TYPED, ret, why);
	}
	if (!entry) {
		r = refuse_new_key(tree, schema, key, why);
		if (r < 0)
			return r;
	}
	if (!value_from_text(type, like, text, VALUE_FROM_TYPED, ret, why))
		return -PRODD_E_INVALID;
	if (ret->failed)
		return ret->failed;
	*ret_type = prodd_slice(value_type_name(value_literal_type(prodd_buffer_slice(ret))));
	return 0;
}

int overrides_check(const struct tree *tree, const struct schema *schema, struct prodd_slice key,
		    struct prodd_slice text, char why[VALUE_WHY_MAX])
{
	prodd_auto_buffer value = { 0 };
	struct prodd_slice type;

	return convert(tree, schema, key, text, &value, &type, why);
}

bool overrides_hold(struct prodd_list overrides, struct prodd_slice key)
{
	struct prodd_iter it = prodd_iter(overrides);
	struct wire_override row;

	while (prodd_next(&it, &wire_record_override, &row, NULL) > 0)
		if (prodd_slice_equal(row.key, key))
			return true;
	return false;
}

/* ---- all of them */

static int compare(const void *a, const void *b)
{
	const struct laid *x = a, *y = b;
	int order = prodd_slice_compare(x->row.key, y->row.key);

	return order ? order : (x->number > y->number) - (x->number < y->number);
}

static void report(struct problems *problems, const struct laid *o, const char *why)
{
	struct prodd_slice text = prodd_text_cut(o->row.text, text_shown_max);

	problems_add(problems, NULL, o->row.key, "%s (override %.*s%s%.*s; prodctl config unset ends it)",
		     why, PRODD_SLICE(text), o->row.who.size ? " set by " : "", PRODD_SLICE(o->row.who));
}

/* Decodes, sorts, drops the earlier ones of a key and those that are refused. */
static int prepare(struct laid *laid, uint32_t *count, struct prodd_list overrides, const struct tree *tree,
		   const struct schema *schema, struct problems *problems, struct prodd_error *e)
{
	struct prodd_iter it = prodd_iter(overrides);
	uint32_t total = 0, kept = 0;
	int r;

	while (total < overrides.count &&
	       (r = prodd_next(&it, &wire_record_override, &laid[total].row, e)) != 0) {
		if (r < 0)
			return r;
		laid[total].number = total;
		total++;
	}
	qsort(laid, total, sizeof *laid, compare);
	for (uint32_t i = 0; i < total; i++) {
		struct laid *o = &laid[kept];
		char why[VALUE_WHY_MAX];

		if (i + 1 < total && prodd_slice_equal(laid[i].row.key, laid[i + 1].row.key))
			continue;
		*o = (struct laid){ .row = laid[i].row, .value = o->value };
		prodd_buffer_reset(&o->value);
		r = convert(tree, schema, o->row.key, o->row.text, &o->value, &o->type, why);
		if (r == 0)
			kept++;
		else if (r == -PRODD_E_INVALID)
			report(problems, o, why);
		else
			return prodd_error_set(e, -r, "overrides");
	}
	*count = kept;
	return 0;
}

static int encode_plain(const struct wire_tree_entry *entry, struct prodd_buffer *ret, uint32_t *ret_count)
{
	return prodd_encode_element(ret, ret_count, &wire_record_tree_entry, entry);
}

/* `under`: the entry of the files, or NULL. */
static int encode_laid(struct entry *entry, const struct laid *o, const struct wire_tree_entry *under,
		       const struct schema *schema, struct prodd_buffer *ret, uint32_t *ret_count)
{
	const struct rule *rule = schema_find(schema, o->row.key);
	struct wire_candidate candidate;
	struct prodd_iter it;

	entry->row = (struct wire_tree_entry){
		.key = o->row.key, .type = o->type, .value = prodd_buffer_slice(&o->value),
		.restart = rule ? rule->row.restart : under && under->restart,
	};
	entry_add(entry, "override", o->row.who, 0, entry->row.value);
	if (under) {
		it = prodd_iter(under->candidates);
		while (prodd_next(&it, &wire_record_candidate, &candidate, NULL) > 0)
			entry_add_candidate(entry, &candidate);
	}
	return entry_encode(entry, ret, ret_count);
}

static int lay(const struct tree *tree, const struct laid *laid, uint32_t count, const struct schema *schema,
	       struct prodd_buffer *ret, uint32_t *ret_count)
{
	uint32_t i = 0, k = 0, total = tree ? tree->count : 0;
	struct entry entry = { 0 };
	int r = 0;

	while (r == 0 && (i < total || k < count)) {
		int order = i == total ? 1 : k == count ? -1 :
			    prodd_slice_compare(tree->entries[i].key, laid[k].row.key);

		if (order < 0)
			r = encode_plain(&tree->entries[i], ret, ret_count);
		else
			r = encode_laid(&entry, &laid[k], order == 0 ? &tree->entries[i] : NULL, schema, ret,
					ret_count);
		i += order <= 0;
		k += order >= 0;
	}
	entry_clear(&entry);
	return r;
}

int overrides_apply(const struct tree *tree, const struct schema *schema, struct prodd_list overrides,
		    struct problems *problems, struct prodd_buffer *ret, uint32_t *ret_count,
		    struct prodd_error *e)
{
	struct laid *laid;
	uint32_t count = 0;
	int r;

	if (overrides.count > overrides.size)
		return prodd_error_set(e, PRODD_E_USAGE, "more overrides than bytes");
	laid = calloc((size_t)overrides.count + 1, sizeof *laid);
	if (!laid)
		return prodd_error_set(e, PRODD_E_NO_MEMORY, "overrides");
	r = prepare(laid, &count, overrides, tree, schema, problems, e);
	if (r == 0) {
		r = lay(tree, laid, count, schema, ret, ret_count);
		if (r < 0)
			prodd_error_set(e, -r, "overrides");
	}
	if (r == 0 && problems->failed)
		r = prodd_error_set(e, -problems->failed, "overrides");
	for (uint32_t i = 0; i < overrides.count; i++)
		prodd_buffer_clear(&laid[i].value);
	free(laid);
	return r;
}
