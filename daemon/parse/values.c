/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A batch is the text "v=VALUE;" for each leaf, where v is "s" and a number.
 * The value begins on the line of its name and keeps its own line breaks, so
 * that lines inside it can be counted from there.
 */
#include "daemon/parse/values.h"

#include <stdio.h>

#include "proto/cursor.h"
#include <prodd/error.h>

struct values values_of(struct scan *scan, const struct place *file, struct problems *problems)
{
	return (struct values){ .scan = scan, .file = file, .problems = problems };
}

void values_clear(struct values *v)
{
	if (v->parsed)
		config_destroy(&v->config);
	v->parsed = false;
	prodd_buffer_clear(&v->text);
}

static bool is_wanted(const struct leaf *leaf)
{
	return !leaf->group && !leaf->bad;
}

/* Writes the text of the next batch; returns the number of values in it. */
static unsigned write_batch(struct values *v)
{
	unsigned count = 0;
	char name[16];

	prodd_buffer_reset(&v->text);
	for (; v->end < v->scan->count && count < VALUES_BATCH; v->end++) {
		const struct leaf *leaf = &v->scan->leaves[v->end];

		if (!is_wanted(leaf))
			continue;
		prodd_buffer_append(&v->text, name, (size_t)snprintf(name, sizeof name, "s%u=", count++));
		prodd_buffer_append(&v->text, leaf->value.at, leaf->value.size);
		prodd_buffer_append(&v->text, ";\n", 2);
	}
	prodd_buffer_append(&v->text, "", 1);
	return count;
}

/* Which leaf holds a line of the batch's text: the scan let something pass that libconfig refuses. */
static void report_refused(struct values *v, size_t begin)
{
	uint32_t line = 1, wanted = (uint32_t)config_error_line(&v->config);
	struct place place = *v->file;

	place.line = 0;
	v->scan->incomplete = true;
	for (size_t i = begin; i < v->end; i++) {
		const struct leaf *leaf = &v->scan->leaves[i];

		if (!is_wanted(leaf))
			continue;
		place.line = leaf->line;
		for (size_t k = 0; k < leaf->value.size; k++)
			line += leaf->value.at[k] == '\n';
		if (line >= wanted)
			break;
		line++;
	}
	problems_add(v->problems, &place, (struct prodd_slice){ NULL, 0 }, "%s",
		     config_error_text(&v->config));
}

/*
 * libconfig 1.5 goes on when it cannot copy a string or a name, and holds NULL instead of it, which reads
 * like an empty one; its own copies are never NULL.
 */
static bool is_whole(config_setting_t *setting)
{
	int count = config_setting_length(setting);

	if (config_setting_type(setting) == CONFIG_TYPE_STRING && !config_setting_get_string(setting))
		return false;
	for (int i = 0; i < count; i++) {
		config_setting_t *member = config_setting_get_elem(setting, (unsigned)i);

		if (config_setting_is_group(setting) && !config_setting_name(member))
			return false;
		if (!is_whole(member))
			return false;
	}
	return true;
}

/* 1: a batch is there; 0: no leaf is left. */
static int next_batch(struct values *v)
{
	size_t begin;

	do {
		if (v->parsed)
			config_destroy(&v->config);
		v->parsed = false;
		begin = v->at = v->end;
		v->given = 0;
		if (write_batch(v) == 0)
			return 0;
		if (v->text.failed)
			return v->text.failed;
		config_init(&v->config);
		v->parsed = true;
		if (config_read_string(&v->config, v->text.at) == CONFIG_TRUE)
			return is_whole(config_root_setting(&v->config)) ? 1 : -PRODD_E_NO_MEMORY;
		report_refused(v, begin);
	} while (v->end < v->scan->count);
	return 0;
}

int values_next(struct values *v, const struct leaf **ret_leaf, config_setting_t **ret_value)
{
	config_setting_t *root;

	while (v->at < v->end && !is_wanted(&v->scan->leaves[v->at]))
		v->at++;
	if (v->at == v->end) {
		int r = next_batch(v);

		if (r <= 0)
			return r;
		while (!is_wanted(&v->scan->leaves[v->at]))
			v->at++;
	}
	root = config_root_setting(&v->config);
	*ret_leaf = &v->scan->leaves[v->at++];
	*ret_value = config_setting_get_elem(root, v->given++);
	return 1;
}

uint32_t values_line(const struct leaf *leaf, const config_setting_t *value, const config_setting_t *inside)
{
	return leaf->value_line + config_setting_source_line(inside) - config_setting_source_line(value);
}

/* ---- literals */

static int refuse(char why[VALUE_WHY_MAX], const char *text)
{
	snprintf(why, VALUE_WHY_MAX, "%s", text);
	return -PRODD_E_INVALID;
}

static int scalar(const config_setting_t *value, struct prodd_buffer *b, char why[VALUE_WHY_MAX])
{
	struct prodd_slice text;

	switch (config_setting_type(value)) {
	case CONFIG_TYPE_BOOL:
		prodd_pack_bool(b, config_setting_get_bool(value));
		return 0;
	case CONFIG_TYPE_INT:
		prodd_pack_int(b, config_setting_get_int(value));
		return 0;
	case CONFIG_TYPE_INT64:
		prodd_pack_int(b, config_setting_get_int64(value));
		return 0;
	case CONFIG_TYPE_FLOAT:
		prodd_pack_float(b, config_setting_get_float(value));
		return 0;
	case CONFIG_TYPE_STRING:
		text = prodd_slice(config_setting_get_string(value));
		if (!prodd_is_text(text))
			return refuse(why, "the string is not valid UTF-8");
		prodd_pack_str(b, text.at ? text : prodd_slice(""));
		return 0;
	case CONFIG_TYPE_GROUP:
		return refuse(why, "a list holds only bools, numbers and strings, not groups");
	default:
		return refuse(why, "a list holds only bools, numbers and strings, not lists");
	}
}

static int elements(const config_setting_t *list, struct prodd_buffer *b, char why[VALUE_WHY_MAX])
{
	int count = config_setting_length(list), r = 0;

	prodd_pack_array(b, (uint32_t)count);
	for (int i = 0; i < count && r == 0; i++)
		r = scalar(config_setting_get_elem(list, (unsigned)i), b, why);
	return r;
}

int values_literal(const config_setting_t *value, struct prodd_buffer *b, char why[VALUE_WHY_MAX])
{
	bool list = config_setting_is_array(value) || config_setting_is_list(value);
	size_t before = b->size;
	int r;

	r = list ? elements(value, b, why) : scalar(value, b, why);
	if (b->failed)
		return b->failed;
	if (r < 0)
		b->size = before;
	return r;
}
