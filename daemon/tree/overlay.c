/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Keys are found by their folded names: lower case, every run of '.', '-' and
 * '_' a single '_'.  Of the keys with the folded name of a variable only those
 * count whose runs the variable spells out.
 */
#include "daemon/tree/overlay.h"

#include <stdlib.h>

#include "daemon/tree/overrides.h"
#include "daemon/tree/suggest.h"
#include "proto/codec.h"
#include "proto/limits.h"

/* Steps of the search for near names, per instance: a few milliseconds of the loop. */
enum { suggest_steps = 1000 * 1000 };

struct folded {
	char *name;			/* owned by the index */
	struct prodd_slice key;		/* borrowed from tree or schema */
};

struct overlay_index {
	const struct schema *schema;
	const struct tree *tree;
	struct folded *names;		/* sorted by name, then by key */
	size_t count;
	char *text;			/* owned: all names */
};

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static bool is_separator(char c)
{
	return c == '.' || c == '-' || c == '_';
}

/* `text` has room for name.size + 1 bytes. */
static void fold(struct prodd_slice name, char *text)
{
	size_t size = 0;

	for (size_t i = 0; i < name.size; i++)
		if (!is_separator(name.at[i]))
			text[size++] = lower(name.at[i]);
		else if (i == 0 || !is_separator(name.at[i - 1]))
			text[size++] = '_';
	text[size] = '\0';
}

/* ---- the index */

static int compare(const void *a, const void *b)
{
	const struct folded *x = a, *y = b;
	int order = strcmp(x->name, y->name);

	return order ? order : prodd_slice_compare(x->key, y->key);
}

static void add_key(struct overlay_index *index, struct prodd_slice key, char **text)
{
	index->names[index->count++] = (struct folded){ *text, key };
	fold(key, *text);
	*text += key.size + 1;
}

static bool is_extra(const struct overlay_index *index, size_t rule)
{
	struct prodd_slice key = schema_at(index->schema, rule)->row.key;

	return !memchr(key.at, '*', key.size) && !tree_find(index->tree, key);
}

static int build(struct overlay_index *index)
{
	size_t rules = schema_count(index->schema), entries = index->tree ? index->tree->count : 0;
	size_t bytes = 0;
	char *text;

	for (size_t i = 0; i < entries; i++)
		bytes += index->tree->entries[i].key.size + 1;
	for (size_t i = 0; i < rules; i++)
		bytes += schema_at(index->schema, i)->row.key.size + 1;
	index->names = calloc(rules + entries + 1, sizeof *index->names);
	index->text = text = malloc(bytes + 1);
	if (!index->names || !text)
		return -PRODD_E_NO_MEMORY;
	for (size_t i = 0; i < entries; i++)
		add_key(index, index->tree->entries[i].key, &text);
	for (size_t i = 0; i < rules; i++)
		if (is_extra(index, i))
			add_key(index, schema_at(index->schema, i)->row.key, &text);
	qsort(index->names, index->count, sizeof *index->names, compare);
	return 0;
}

int overlay_index_new(struct overlay_index **ret, const struct schema *schema, const struct tree *tree)
{
	struct overlay_index *index = calloc(1, sizeof *index);
	int r;

	if (!index)
		return -PRODD_E_NO_MEMORY;
	index->schema = schema;
	index->tree = tree;
	r = build(index);
	if (r < 0)
		overlay_index_free(index);
	else
		*ret = index;
	return r;
}

struct overlay_index *overlay_index_free(struct overlay_index *index)
{
	if (!index)
		return NULL;
	free(index->names);
	free(index->text);
	free(index);
	return NULL;
}

/* ---- matching */

static bool take_prefix(struct prodd_slice *variable)
{
	if (variable->size <= 4 || memcmp(variable->at, "APP_", 4) != 0)
		return false;
	variable->at += 4;
	variable->size -= 4;
	return true;
}

static size_t run_at(struct prodd_slice s, size_t at, size_t *ret_dots)
{
	size_t end = at, dots = 0;

	for (; end < s.size && is_separator(s.at[end]); end++)
		dots += s.at[end] == '.';
	*ret_dots = dots;
	return end - at;
}

enum fit { FITS_NOT, FITS, FITS_EXACTLY };

/*
 * A name without its prefix against a key of the same folded name. A run of n separators, d of them dots,
 * may be spelled by n to n + d underscores; exactly is n + d: every dot is written "__".
 */
static enum fit fit(struct prodd_slice name, struct prodd_slice key)
{
	enum fit result = FITS_EXACTLY;
	size_t i = 0, k = 0, dots, none;

	while (i < name.size && k < key.size) {
		size_t spelled = run_at(name, i, &none), meant = run_at(key, k, &dots);

		if (spelled == 0 && meant == 0) {
			if (lower(name.at[i]) != lower(key.at[k]))
				return FITS_NOT;
			i++;
			k++;
			continue;
		}
		if (spelled < meant || spelled > meant + dots)
			return FITS_NOT;
		if (spelled < meant + dots)
			result = FITS;
		i += spelled;
		k += meant;
	}
	return i == name.size && k == key.size ? result : FITS_NOT;
}

struct match {
	unsigned count, exact;
	struct prodd_slice keys[2], exact_key;
};

static size_t lower_bound(const struct overlay_index *index, const char *name)
{
	size_t low = 0, high = index->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (strcmp(index->names[middle].name, name) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static bool has_separator_within(struct prodd_slice name)
{
	for (size_t i = 1; i < name.size; i++)
		if (name.at[i] == '_' && name.at[i - 1] == '_')
			return true;
	return false;
}

static void collect(const struct overlay_index *index, struct prodd_slice name, const char *folded,
		    struct match *ret)
{
	for (size_t i = lower_bound(index, folded); i < index->count; i++) {
		struct prodd_slice key = index->names[i].key;
		enum fit how;

		if (strcmp(index->names[i].name, folded) != 0)
			break;
		how = fit(name, key);
		if (how == FITS_NOT)
			continue;
		if (ret->count < 2)
			ret->keys[ret->count] = key;
		ret->count++;
		if (how == FITS_EXACTLY) {
			ret->exact++;
			ret->exact_key = key;
		}
	}
}

/* `name`: without the prefix. */
static struct match match(const struct overlay_index *index, struct prodd_slice name)
{
	char folded[OVERLAY_NAME_MAX];
	struct match m = { 0 };

	if (name.size == 0 || name.size >= sizeof folded)
		return m;
	fold(name, folded);
	collect(index, name, folded, &m);
	if (m.count > 1 && m.exact == 1 && has_separator_within(name)) {
		m.count = 1;
		m.keys[0] = m.exact_key;
	}
	return m;
}

int overlay_match(const struct overlay_index *index, struct prodd_slice variable, struct prodd_slice *ret_key)
{
	struct match m;

	if (!take_prefix(&variable))
		return 0;
	m = match(index, variable);
	if (m.count == 1)
		*ret_key = m.keys[0];
	return m.count > 1 ? 2 : (int)m.count;
}

void overlay_variable_name(struct prodd_slice key, char name[OVERLAY_NAME_MAX])
{
	size_t size = 4;

	memcpy(name, "APP_", 4);
	for (size_t i = 0; i < key.size && size < OVERLAY_NAME_MAX - 1; i++) {
		char c = key.at[i];

		if (is_separator(c))
			c = '_';
		else if (c >= 'a' && c <= 'z')
			c = (char)(c - 'a' + 'A');
		name[size++] = c;
	}
	name[size] = '\0';
}

/* ---- building */

struct hit {
	struct wire_variable variable;
	struct prodd_slice key;
};

struct overlay {
	const struct overlay_index *index;
	struct problems *errors, *warnings;
	struct hit *hits;		/* owned */
	size_t count;
	size_t budget;
};

static void warn_near(struct overlay *o, struct prodd_slice variable, struct prodd_slice name)
{
	char folded[OVERLAY_NAME_MAX], wanted[OVERLAY_NAME_MAX];
	struct prodd_slice key = { NULL, 0 };
	struct suggest s;

	if (name.size == 0 || name.size >= sizeof folded)
		return;
	fold(name, folded);
	s = suggest_for(prodd_slice(folded), &o->budget);
	for (size_t i = 0; i < o->index->count; i++) {
		unsigned before = s.distance;

		suggest_offer(&s, prodd_slice(o->index->names[i].name));
		if (s.distance < before)
			key = o->index->names[i].key;
	}
	if (key.size == 0)
		return;
	overlay_variable_name(key, wanted);
	problems_add(o->warnings, NULL, key, "%.*s sets nothing; did you mean %s?", PRODD_SLICE(variable),
		     wanted);
}

static void take_variable(struct overlay *o, const struct wire_variable *variable,
			  struct prodd_list overrides)
{
	struct prodd_slice name = variable->name;
	struct match m;

	if (!take_prefix(&name))
		return;
	m = match(o->index, name);
	if (m.count == 0)
		warn_near(o, variable->name, name);
	else if (m.count > 1)
		problems_add(o->errors, NULL, (struct prodd_slice){ NULL, 0 },
			     "%.*s fits both %.*s and %.*s; write \"__\" for each dot",
			     PRODD_SLICE(variable->name), PRODD_SLICE(m.keys[0]), PRODD_SLICE(m.keys[1]));
	else if (!overrides_hold(overrides, m.keys[0]))
		o->hits[o->count++] = (struct hit){ *variable, m.keys[0] };
}

static int compare_hits(const void *a, const void *b)
{
	const struct hit *x = a, *y = b;
	int order = prodd_slice_compare(x->key, y->key);

	return order ? order : prodd_slice_compare(x->variable.name, y->variable.name);
}

static int encode_hit(struct overlay *o, const struct hit *hit, struct prodd_buffer *ret, uint32_t *ret_count)
{
	const struct rule *rule = schema_find(o->index->schema, hit->key);
	const struct wire_tree_entry *entry = tree_find(o->index->tree, hit->key);
	struct prodd_slice like = entry ? entry->value : (struct prodd_slice){ NULL, 0 };
	struct wire_config_entry row = { .key = hit->key };
	prodd_auto_buffer value = { 0 };
	char why[VALUE_WHY_MAX];
	int r;

	row.type = rule ? rule->row.type : entry->type;
	row.restart = rule ? rule->row.restart : entry->restart;
	if (rule)
		r = rule_parse_text(rule, like, hit->variable.value, VALUE_FROM_VARIABLE, &value, why);
	else
		r = value_from_text(value_type_of(row.type), like, hit->variable.value, VALUE_FROM_VARIABLE,
				    &value, why) ? value.failed : -PRODD_E_INVALID;
	if (r == -PRODD_E_INVALID) {
		problems_add(o->errors, NULL, hit->key, "%.*s: %s", PRODD_SLICE(hit->variable.name), why);
		return 0;
	}
	row.value = prodd_buffer_slice(&value);
	return r < 0 ? r : prodd_encode_element(ret, ret_count, &wire_record_config_entry, &row);
}

static int encode(struct overlay *o, struct prodd_buffer *ret, uint32_t *ret_count)
{
	int r = 0;

	qsort(o->hits, o->count, sizeof *o->hits, compare_hits);
	for (size_t i = 0; i < o->count && r == 0; i++) {
		const struct hit *hit = &o->hits[i];

		if (i > 0 && prodd_slice_equal(hit->key, hit[-1].key))
			problems_add(o->errors, NULL, hit->key, "is set by both %.*s and %.*s",
				     PRODD_SLICE(hit[-1].variable.name), PRODD_SLICE(hit->variable.name));
		else
			r = encode_hit(o, hit, ret, ret_count);
	}
	return r;
}

int overlay_build(const struct overlay_index *index, struct prodd_list variables, struct prodd_list overrides,
		  struct problems *errors, struct problems *warnings, struct prodd_buffer *ret,
		  uint32_t *ret_count, struct prodd_error *e)
{
	struct overlay o = {
		.index = index, .errors = errors, .warnings = warnings, .budget = suggest_steps
	};
	struct prodd_iter it = prodd_iter(variables);
	struct wire_variable variable;
	int r;

	if (variables.count > variables.size)
		return prodd_error_set(e, PRODD_E_USAGE, "more variables than bytes");
	o.hits = calloc((size_t)variables.count + 1, sizeof *o.hits);
	if (!o.hits)
		return prodd_error_set(e, PRODD_E_NO_MEMORY, "the environment variables");
	while ((r = prodd_next(&it, &wire_record_variable, &variable, e)) > 0)
		take_variable(&o, &variable, overrides);
	if (r == 0) {
		r = encode(&o, ret, ret_count);
		if (r == 0 && (errors->failed || warnings->failed))
			r = -PRODD_E_NO_MEMORY;
		if (r < 0)
			prodd_error_set(e, -r, "the environment variables");
	}
	free(o.hits);
	return r;
}
