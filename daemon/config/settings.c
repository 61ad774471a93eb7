/* SPDX-License-Identifier: Apache-2.0 */
/*
 * prodd-parse has checked names, types and ranges by the built-in schema;
 * here values find their place.  One row of a table for each.
 */
#include "daemon/config/settings.h"

#include <stdio.h>
#include <stdlib.h>

#include "proto/codec.h"

#define NS_PER_MS 1000000

void settings_default(struct settings *ret)
{
	*ret = (struct settings){
		.watch = true,
		.answer_timeout_ms = 5000,
		.history = 20,
		.limits = { .sessions_per_uid = 1024, .bytes_per_uid = 16u * 1024 * 1024, .sessions = 4096 },
	};
}

static struct prodd_slice text_of(struct prodd_slice value)
{
	struct prodd_cursor cursor = prodd_cursor(value);
	struct prodd_slice text = { "", 0 };

	prodd_cursor_str(&cursor, &text);
	return text;
}

static uint64_t number_of(struct prodd_slice value)
{
	struct prodd_cursor cursor = prodd_cursor(value);
	uint64_t number = 0;

	prodd_cursor_uint(&cursor, &number);
	return number;
}

static void set_text(char *to, size_t size, struct prodd_slice value)
{
	struct prodd_slice text = text_of(value);

	snprintf(to, size, "%.*s", PRODD_SLICE(text));
}

/* ---- the daemon's own settings */

static void set_environment(struct settings *s, struct prodd_slice v)
{
	set_text(s->environment, sizeof s->environment, v);
}

static void set_watch(struct settings *s, struct prodd_slice v)
{
	s->watch = !prodd_slice_is(text_of(v), "manual");
}

static void set_answer_timeout(struct settings *s, struct prodd_slice v)
{
	s->answer_timeout_ms = number_of(v) / NS_PER_MS;
}

static void set_no_answer(struct settings *s, struct prodd_slice v)
{
	s->proceed_over_silence = prodd_slice_is(text_of(v), "proceed");
}

static void set_unknown_apps(struct settings *s, struct prodd_slice v)
{
	s->refuse_unknown = prodd_slice_is(text_of(v), "refuse");
}

static void set_history(struct settings *s, struct prodd_slice v)
{
	s->history = (unsigned)number_of(v);
}

static void set_sessions_per_uid(struct settings *s, struct prodd_slice v)
{
	s->limits.sessions_per_uid = (unsigned)number_of(v);
}

static void set_bytes_per_uid(struct settings *s, struct prodd_slice v)
{
	s->limits.bytes_per_uid = number_of(v);
}

static void set_sessions(struct settings *s, struct prodd_slice v)
{
	s->limits.sessions = (unsigned)number_of(v);
}

static const struct {
	const char *key;
	void (*set)(struct settings *settings, struct prodd_slice value);
} setters[] = {
	{ "environment", set_environment },
	{ "watch", set_watch },
	{ "answer_timeout", set_answer_timeout },
	{ "no_answer", set_no_answer },
	{ "unknown_apps", set_unknown_apps },
	{ "history", set_history },
	{ "limits.sessions_per_uid", set_sessions_per_uid },
	{ "limits.bytes_per_uid", set_bytes_per_uid },
	{ "limits.sessions", set_sessions },
};

/* ---- app blocks */

static struct app_block *block_of(struct settings *s, struct prodd_slice name)
{
	struct app_block *block;
	char key[64];

	snprintf(key, sizeof key, "%.*s", PRODD_SLICE(name));
	HASH_FIND_STR(s->blocks, key, block);
	if (block)
		return block;
	block = calloc(1, sizeof *block);
	if (!block)
		return NULL;
	memcpy(block->name, key, sizeof key);
	HASH_ADD_STR(s->blocks, name, block);
	return block;
}

static int set_directory(struct app_block *block, struct prodd_slice value)
{
	struct prodd_slice text = text_of(value);

	free(block->directory);
	block->directory = text.size ? strndup(text.at, text.size) : NULL;
	return text.size && !block->directory ? -PRODD_E_NO_MEMORY : 0;
}

/* "app.NAME.SETTING" */
static int set_in_block(struct settings *s, struct prodd_slice key, struct prodd_slice value)
{
	struct prodd_slice name = { key.at + 4, key.size - 4 };
	const char *dot = memchr(name.at, '.', name.size);
	struct prodd_slice setting;
	struct app_block *block;

	if (!dot)
		return 0;
	setting = (struct prodd_slice){ dot + 1, (size_t)(name.at + name.size - dot - 1) };
	name.size = (size_t)(dot - name.at);
	block = block_of(s, name);
	if (!block)
		return -PRODD_E_NO_MEMORY;
	if (prodd_slice_is(setting, "config"))
		return set_directory(block, value);
	if (prodd_slice_is(setting, "unit"))
		set_text(block->unit, sizeof block->unit, value);
	else if (prodd_slice_is(setting, "user"))
		set_text(block->user, sizeof block->user, value);
	else if (prodd_slice_is(setting, "group"))
		set_text(block->group, sizeof block->group, value);
	else if (prodd_slice_is(setting, "environment"))
		set_text(block->environment, sizeof block->environment, value);
	return 0;
}

static int set(struct settings *s, const struct wire_tree_entry *entry)
{
	if (entry->value.size == 0)
		return 0;
	if (entry->key.size > 4 && memcmp(entry->key.at, "app.", 4) == 0)
		return set_in_block(s, entry->key, entry->value);
	for (size_t i = 0; i < sizeof setters / sizeof *setters; i++)
		if (prodd_slice_is(entry->key, setters[i].key))
			setters[i].set(s, entry->value);
	return 0;
}

int settings_load(struct settings *settings, struct prodd_list entries, struct prodd_error *e)
{
	struct prodd_iter it = prodd_iter(entries);
	struct wire_tree_entry entry;
	int r;

	while ((r = prodd_next(&it, &wire_record_tree_entry, &entry, e)) > 0)
		if (set(settings, &entry) < 0)
			return prodd_error_set(e, PRODD_E_NO_MEMORY, "prodd.conf");
	return r;
}

void settings_clear(struct settings *settings)
{
	struct app_block *block, *next;

	HASH_ITER(hh, settings->blocks, block, next) {
		HASH_DEL(settings->blocks, block);
		free(block->directory);
		free(block);
	}
	settings->blocks = NULL;
}

const struct app_block *settings_block(const struct settings *settings, const char *app)
{
	const struct app_block *block;

	HASH_FIND_STR(settings->blocks, app, block);
	return block;
}
