/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One table of attributes; each is read into the wire's record of a
 * declaration, and rule_new() judges the whole.
 */
#include "daemon/parse/schema_file.h"

#include <stdio.h>
#include <stdlib.h>

#include "daemon/parse/values.h"
#include "daemon/tree/suggest.h"
#include "proto/codec.h"

enum kind { KIND_TEXT, KIND_BOOL, KIND_COUNT, KIND_VALUE, KIND_WORDS, KIND_RELOAD };

/* A(name, kind, field of wire_schema_key) */
#define ATTRIBUTES(A) \
	A("key",        KIND_TEXT,   key) \
	A("type",       KIND_TEXT,   type) \
	A("default",    KIND_VALUE,  def) \
	A("required",   KIND_BOOL,   required) \
	A("min",        KIND_VALUE,  min) \
	A("max",        KIND_VALUE,  max) \
	A("min_length", KIND_COUNT,  min_length) \
	A("max_length", KIND_COUNT,  max_length) \
	A("pattern",    KIND_TEXT,   pattern) \
	A("one_of",     KIND_WORDS,  one_of) \
	A("reload",     KIND_RELOAD, restart) \
	A("help",       KIND_TEXT,   help)

static const struct attribute {
	const char *name;
	enum kind kind;
	size_t offset;
} attributes[] = {
#define X(name, kind, field) { name, kind, offsetof(struct wire_schema_key, field) },
	ATTRIBUTES(X)
#undef X
};

enum { attribute_count = sizeof attributes / sizeof *attributes };

struct reader {
	struct scan *scan;
	const struct place *file;
	struct prodd_slice name;
	struct schema *schema;
	struct problems *problems;
	const struct leaf *leaf;		/* "keys" */
	const config_setting_t *keys;
};

/* A declaration being read. */
struct declaration {
	struct wire_schema_key row;
	struct prodd_buffer values[attribute_count];	/* of KIND_VALUE and KIND_WORDS */
	uint32_t lines[attribute_count];		/* 0: not there */
	bool failed[attribute_count];			/* there, but reported */
	uint32_t line;
	bool bad;					/* something was reported */
};

static void report(struct reader *r, uint32_t line, struct prodd_slice key, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

static void report(struct reader *r, uint32_t line, struct prodd_slice key, const char *format, ...)
{
	struct place place = { .order = r->file->order, .file = r->file->file, .line = line };
	char text[VALUE_WHY_MAX];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	problems_add(r->problems, &place, key, "%s", text);
}

static uint32_t line_in(const struct reader *r, const config_setting_t *inside)
{
	return values_line(r->leaf, r->keys, inside);
}

/* ---- one attribute: each returns false with what was expected */

static bool read_text(const config_setting_t *value, struct prodd_slice *ret)
{
	if (config_setting_type(value) != CONFIG_TYPE_STRING)
		return false;
	*ret = prodd_slice(config_setting_get_string(value));
	return prodd_is_text(*ret);
}

static bool read_count(const config_setting_t *value, uint64_t *ret)
{
	long long number;

	if (config_setting_type(value) != CONFIG_TYPE_INT && config_setting_type(value) != CONFIG_TYPE_INT64)
		return false;
	number = config_setting_get_int64(value);
	if (number < 0)
		return false;
	*ret = (uint64_t)number;
	return true;
}

static bool read_words(const config_setting_t *value, struct prodd_buffer *store, struct prodd_list *ret)
{
	int count = config_setting_is_array(value) || config_setting_is_list(value)
			    ? config_setting_length(value)
			    : 0;

	for (int i = 0; i < count; i++) {
		struct prodd_slice word;

		if (!read_text(config_setting_get_elem(value, (unsigned)i), &word))
			return false;
		prodd_pack_str(store, word);
	}
	*ret = prodd_list(store, (uint32_t)count);
	return count > 0;
}

static bool read_reload(const config_setting_t *value, bool *ret)
{
	struct prodd_slice text;

	if (!read_text(value, &text))
		return false;
	*ret = prodd_slice_is(text, "restart");
	return *ret || prodd_slice_is(text, "hot");
}

static bool read_value(const config_setting_t *value, struct prodd_buffer *store, struct prodd_slice *ret)
{
	char why[VALUE_WHY_MAX];

	if (values_literal(value, store, why) < 0)
		return false;
	*ret = prodd_buffer_slice(store);
	return true;
}

static const char *const expectations[] = {
	[KIND_TEXT] = "a string", [KIND_BOOL] = "true or false", [KIND_COUNT] = "a number from 0",
	[KIND_VALUE] = "a bool, a number, a string or a list of these",
	[KIND_WORDS] = "a list of strings: [ \"a\", \"b\" ]", [KIND_RELOAD] = "\"hot\" or \"restart\"",
};

static bool read_attribute(struct declaration *d, int i, const config_setting_t *value)
{
	void *field = (char *)&d->row + attributes[i].offset;

	switch (attributes[i].kind) {
	case KIND_TEXT:
		return read_text(value, field);
	case KIND_BOOL:
		if (config_setting_type(value) != CONFIG_TYPE_BOOL)
			return false;
		*(bool *)field = config_setting_get_bool(value);
		return true;
	case KIND_COUNT:
		return read_count(value, field);
	case KIND_VALUE:
		return read_value(value, &d->values[i], field);
	case KIND_WORDS:
		return read_words(value, &d->values[i], field);
	default:
		return read_reload(value, field);
	}
}

static int find_attribute(const char *name)
{
	for (int i = 0; i < attribute_count; i++)
		if (strcmp(name, attributes[i].name) == 0)
			return i;
	return -1;
}

static void report_unknown(struct reader *r, const struct declaration *d, const char *name, uint32_t line)
{
	struct suggest near = suggest_for(prodd_slice(name), NULL);

	for (int i = 0; i < attribute_count; i++)
		suggest_offer(&near, prodd_slice(attributes[i].name));
	if (near.nearest.size)
		report(r, line, d->row.key, "unknown attribute \"%.60s\"; did you mean \"%.*s\"?", name,
		       PRODD_SLICE(near.nearest));
	else
		report(r, line, d->row.key, "unknown attribute \"%.60s\"", name);
}

/* ---- one declaration */

/* "key" first, so that every report can name it. */
static void find_key(struct reader *r, struct declaration *d, const config_setting_t *group)
{
	const config_setting_t *key = config_setting_get_member(group, "key");

	d->line = line_in(r, key ? key : group);
	if (key)
		read_text(key, &d->row.key);
}

static void read_attributes(struct reader *r, struct declaration *d, const config_setting_t *group)
{
	int count = config_setting_length(group);

	for (int i = 0; i < count; i++) {
		const config_setting_t *value = config_setting_get_elem(group, (unsigned)i);
		const char *name = config_setting_name(value);
		uint32_t line = line_in(r, value);
		int which = find_attribute(name);

		if (which < 0) {
			report_unknown(r, d, name, line);
			d->bad = true;
			continue;
		}
		d->lines[which] = line;
		if (read_attribute(d, which, value))
			continue;
		report(r, line, d->row.key, "%s: expected %s", name, expectations[attributes[which].kind]);
		d->failed[which] = d->bad = true;
	}
}

static void report_mistakes(struct reader *r, const struct declaration *d,
			    const struct rule_mistakes *mistakes)
{
	for (unsigned i = 0; i < mistakes->count; i++) {
		const struct rule_mistake *m = &mistakes->at[i];
		int which = find_attribute(m->attribute);
		uint32_t line = which >= 0 && d->lines[which] ? d->lines[which] : d->line;

		if (which >= 0 && d->failed[which])
			continue;
		if (strcmp(m->attribute, "key") == 0 || strcmp(m->attribute, "type") == 0)
			report(r, line, d->row.key, "%s", m->text);
		else
			report(r, line, d->row.key, "%s: %s", m->attribute, m->text);
	}
}

/* For rule_new() an int is a duration in nanoseconds; in a file it is a forgotten unit. */
static void check_units(struct reader *r, struct declaration *d)
{
	prodd_auto_buffer scratch = { 0 };
	char why[VALUE_WHY_MAX];

	if (!prodd_slice_is(d->row.type, "duration"))
		return;
	for (int i = 0; i < attribute_count; i++) {
		struct prodd_slice *value =
			(struct prodd_slice *)(void *)((char *)&d->row + attributes[i].offset);

		if (attributes[i].kind != KIND_VALUE || value->size == 0 ||
		    value_convert(VALUE_DURATION, *value, &scratch, why))
			continue;
		report(r, d->lines[i], d->row.key, "%s: %s", attributes[i].name, why);
		d->failed[i] = d->bad = true;
		value->size = 0;
	}
}

static int add_rule(struct reader *r, struct declaration *d)
{
	struct rule_mistakes mistakes;
	struct rule *rule = NULL;
	struct prodd_error e;
	char origin[4200];
	int result;

	d->row.origin = (struct prodd_slice){
		origin, (size_t)snprintf(origin, sizeof origin, "%.*s:%u", PRODD_SLICE(r->name), d->line),
	};
	check_units(r, d);
	result = rule_new(&rule, &d->row, false, &mistakes);
	if (result == -PRODD_E_INVALID) {
		report_mistakes(r, d, &mistakes);
		return 0;
	}
	if (result < 0 || d->bad) {
		rule_free(rule);
		return result;
	}
	if (schema_find(r->schema, d->row.key)) {
		struct prodd_slice first = schema_find(r->schema, d->row.key)->row.origin;

		report(r, d->line, d->row.key, "is already declared in %.*s", PRODD_SLICE(first));
		rule_free(rule);
		return 0;
	}
	result = schema_add_rule(r->schema, rule, &e);
	if (result == -PRODD_E_NO_MEMORY)
		return result;
	if (result < 0)
		report(r, d->line, (struct prodd_slice){ NULL, 0 }, "%s", e.text);
	return 0;
}

static int read_declaration(struct reader *r, const config_setting_t *group)
{
	struct declaration d = { 0 };
	int result = 0;

	find_key(r, &d, group);
	read_attributes(r, &d, group);
	if (!d.lines[find_attribute("key")])
		report(r, d.line, d.row.key, "a declaration without \"key\"");
	else if (!d.lines[find_attribute("type")])
		report(r, d.line, d.row.key, "\"type\" is missing");
	else if (d.row.key.size && d.row.type.size)
		result = add_rule(r, &d);
	else if (!d.bad)
		report(r, d.line, d.row.key, "\"key\" or \"type\" is empty");
	for (int i = 0; i < attribute_count; i++) {
		if (d.values[i].failed)
			result = -PRODD_E_NO_MEMORY;
		prodd_buffer_clear(&d.values[i]);
	}
	return result;
}

/* ---- the file */

static int read_keys(struct reader *r, const struct leaf *leaf, const config_setting_t *keys)
{
	int count = config_setting_length(keys), result = 0;

	r->leaf = leaf;
	r->keys = keys;
	if (!config_setting_is_list(keys) && count > 0) {
		report(r, leaf->line, (struct prodd_slice){ NULL, 0 },
		       "keys: expected ( { key = ...; }, ... )");
		return 0;
	}
	for (int i = 0; i < count && result == 0; i++) {
		const config_setting_t *group = config_setting_get_elem(keys, (unsigned)i);

		if (config_setting_is_group(group))
			result = read_declaration(r, group);
		else
			report(r, line_in(r, group), (struct prodd_slice){ NULL, 0 },
			       "keys: expected a group: { key = ...; type = ...; }");
	}
	return result;
}

static void report_stranger(struct reader *r, const struct leaf *leaf)
{
	struct prodd_slice key = scan_key(r->scan, leaf);
	struct suggest near = suggest_for(key, NULL);

	suggest_offer(&near, prodd_slice("strict"));
	suggest_offer(&near, prodd_slice("keys"));
	if (near.nearest.size)
		report(r, leaf->line, key, "unknown in a schema; did you mean \"%.*s\"?",
		       PRODD_SLICE(near.nearest));
	else
		report(r, leaf->line, key, "unknown in a schema, which has \"strict\" and \"keys\"");
}

static int read_leaf(struct reader *r, const struct leaf *leaf, const config_setting_t *value)
{
	struct prodd_slice key = scan_key(r->scan, leaf);

	if (prodd_slice_is(key, "keys"))
		return read_keys(r, leaf, value);
	if (!prodd_slice_is(key, "strict"))
		report_stranger(r, leaf);
	else if (config_setting_type(value) != CONFIG_TYPE_BOOL)
		report(r, leaf->line, key, "expected true or false");
	else
		schema_set_strict(r->schema, config_setting_get_bool(value));
	return 0;
}

/* Groups outside of "keys" have no value of their own to come by in read_leaf(). */
static void report_groups(struct reader *r)
{
	for (size_t i = 0; i < r->scan->count; i++)
		if (r->scan->leaves[i].group && !memchr(scan_key(r->scan, &r->scan->leaves[i]).at, '.',
							 r->scan->leaves[i].key_size))
			report_stranger(r, &r->scan->leaves[i]);
}

int schema_file_read(struct scan *scan, const struct place *file, struct prodd_slice name,
		     struct schema *schema, struct problems *problems)
{
	struct reader r = {
		.scan = scan, .file = file, .name = name, .schema = schema, .problems = problems
	};
	struct values values = values_of(scan, file, problems);
	const struct leaf *leaf;
	config_setting_t *value;
	int result;

	report_groups(&r);
	while ((result = values_next(&values, &leaf, &value)) > 0) {
		if (memchr(scan_key(scan, leaf).at, '.', leaf->key_size))
			continue;		/* its group was reported */
		result = read_leaf(&r, leaf, value);
		if (result < 0)
			break;
	}
	values_clear(&values);
	return result;
}
