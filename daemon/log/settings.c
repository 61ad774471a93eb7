/* SPDX-License-Identifier: Apache-2.0 */
/*
 * prodd-parse has checked names, types and ranges by the built-in schema; here
 * values find their place, by two tables: one for log:, one for a sink: block.
 */
#include "daemon/log/settings.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include "proto/codec.h"

#define NS_PER_MS UINT64_C(1000000)
#define NS_PER_S UINT64_C(1000000000)

static const char *const policies[] = { [SPOOL_ALWAYS] = "always", [SPOOL_INTERVAL] = "interval",
					[SPOOL_NEVER] = "never" };
static const char *const fulls[] = { [SPOOL_DROP_OLDEST] = "drop_oldest", [SPOOL_DROP_NEWEST] = "drop_newest",
				     [SPOOL_BLOCK] = "block" };

const char *log_policy_word(enum spool_policy policy)
{
	return policies[policy];
}

const char *log_full_word(enum spool_full full)
{
	return fulls[full];
}

void log_settings_default(struct log_settings *ret)
{
	*ret = (struct log_settings){
		.policy = SPOOL_INTERVAL,
		.full = SPOOL_DROP_OLDEST,
		.interval_ms = 1000,
		.limit = UINT64_C(4) << 30,
		.app_limit = UINT64_C(1) << 30,
		.keep_free_percent = 10,
	};
	STAILQ_INIT(&ret->sinks);
}

/* ---- values */

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

static int set_directory(char **to, struct prodd_slice value)
{
	struct prodd_slice text = text_of(value);

	free(*to);
	*to = text.size ? strndup(text.at, text.size) : NULL;
	return text.size && !*to ? -PRODD_E_NO_MEMORY : 0;
}

static unsigned index_of(const char *const *words, unsigned count, struct prodd_slice value, unsigned usual)
{
	struct prodd_slice text = text_of(value);

	for (unsigned i = 0; i < count; i++)
		if (prodd_slice_is(text, words[i]))
			return i;
	return usual;
}

/* ---- log: */

static int set_log(struct log_settings *s, struct prodd_slice key, struct prodd_slice value)
{
	if (prodd_slice_is(key, "log.sync"))
		s->policy = (enum spool_policy)index_of(policies, 3, value, s->policy);
	else if (prodd_slice_is(key, "log.full"))
		s->full = (enum spool_full)index_of(fulls, 3, value, s->full);
	else if (prodd_slice_is(key, "log.interval"))
		s->interval_ms = number_of(value) / NS_PER_MS;
	else if (prodd_slice_is(key, "log.limit"))
		s->limit = number_of(value);
	else if (prodd_slice_is(key, "log.app_limit"))
		s->app_limit = number_of(value);
	else if (prodd_slice_is(key, "log.keep_free"))
		s->keep_free_percent = (unsigned)number_of(value);
	else if (prodd_slice_is(key, "log.rate"))
		s->rate = number_of(value);
	else if (prodd_slice_is(key, "log.burst"))
		s->burst = number_of(value);
	else if (prodd_slice_is(key, "log.directory"))
		return set_directory(&s->directory, value);
	return 0;
}

/* ---- sink: */

static struct log_sink_settings *sink_of(struct log_settings *s, struct prodd_slice name)
{
	struct log_sink_settings *sink;

	STAILQ_FOREACH(sink, &s->sinks, link)
		if (prodd_slice_is(name, sink->name))
			return sink;
	sink = calloc(1, sizeof *sink);
	if (!sink)
		return NULL;
	*sink = (struct log_sink_settings){ .type = "file", .format = "json", .compress = "none", .level = "trace",
					    .rotate_size = UINT64_C(100) << 20, .keep = 10 };
	snprintf(sink->name, sizeof sink->name, "%.*s", PRODD_SLICE(name));
	STAILQ_INSERT_TAIL(&s->sinks, sink, link);
	s->sink_count++;
	return sink;
}

static int set_apps(struct log_sink_settings *sink, struct prodd_slice value)
{
	struct prodd_cursor cursor = prodd_cursor(value);
	struct prodd_slice name;
	uint32_t count = 0;

	prodd_buffer_clear(&sink->apps);
	sink->app_count = 0;
	if (!prodd_cursor_array(&cursor, &count))
		return 0;
	for (; count > 0 && prodd_cursor_str(&cursor, &name); count--, sink->app_count++)
		prodd_pack_str(&sink->apps, name);
	return sink->apps.failed;
}

static void set_word(char to[16], struct prodd_slice value)
{
	snprintf(to, 16, "%.*s", PRODD_SLICE(text_of(value)));
}

static int set_in_sink(struct log_sink_settings *sink, struct prodd_slice setting, struct prodd_slice value)
{
	if (prodd_slice_is(setting, "type"))
		set_word(sink->type, value);
	else if (prodd_slice_is(setting, "format"))
		set_word(sink->format, value);
	else if (prodd_slice_is(setting, "compress"))
		set_word(sink->compress, value);
	else if (prodd_slice_is(setting, "level"))
		set_word(sink->level, value);
	else if (prodd_slice_is(setting, "rotate_size"))
		sink->rotate_size = number_of(value);
	else if (prodd_slice_is(setting, "rotate_age"))
		sink->rotate_age_s = (number_of(value) + NS_PER_S - 1) / NS_PER_S;
	else if (prodd_slice_is(setting, "keep"))
		sink->keep = number_of(value);
	else if (prodd_slice_is(setting, "keep_bytes"))
		sink->keep_bytes = number_of(value);
	else if (prodd_slice_is(setting, "allowance"))
		sink->allowance = number_of(value);
	else if (prodd_slice_is(setting, "directory"))
		return set_directory(&sink->directory, value);
	else if (prodd_slice_is(setting, "apps"))
		return set_apps(sink, value);
	return 0;
}

/* "sink.NAME.SETTING" */
static int set_sink(struct log_settings *s, struct prodd_slice key, struct prodd_slice value)
{
	struct prodd_slice name = { key.at + 5, key.size - 5 };
	const char *dot = memchr(name.at, '.', name.size);
	struct log_sink_settings *sink;

	if (!dot)
		return 0;
	name.size = (size_t)(dot - name.at);
	sink = sink_of(s, name);
	if (!sink)
		return -PRODD_E_NO_MEMORY;
	return set_in_sink(sink, (struct prodd_slice){ dot + 1, key.size - 5 - name.size - 1 }, value);
}

static int set(struct log_settings *s, const struct wire_tree_entry *entry)
{
	if (entry->value.size == 0)
		return 0;
	if (entry->key.size > 4 && memcmp(entry->key.at, "log.", 4) == 0)
		return set_log(s, entry->key, entry->value);
	if (entry->key.size > 5 && memcmp(entry->key.at, "sink.", 5) == 0)
		return set_sink(s, entry->key, entry->value);
	return 0;
}

int log_settings_load(struct log_settings *settings, struct prodd_list entries, struct prodd_error *e)
{
	struct prodd_iter it = prodd_iter(entries);
	struct wire_tree_entry entry;
	int r;

	while ((r = prodd_next(&it, &wire_record_tree_entry, &entry, e)) > 0)
		if (set(settings, &entry) < 0)
			return prodd_error_set(e, PRODD_E_NO_MEMORY, "prodd.conf");
	return r;
}

/* ---- the whole */

static int check_sink(const struct log_sink_settings *sink, struct prodd_error *e)
{
#ifndef HAVE_ZSTD
	if (strcmp(sink->compress, "zstd") == 0)
		return prodd_error_set(e, PRODD_E_INVALID, "sink %s: compress \"zstd\" needs libzstd; this prodd was built "
				       "without it", sink->name);
#endif
	if (strcmp(sink->type, "stdout") == 0 && sink->directory)
		return prodd_error_set(e, PRODD_E_INVALID, "sink %s: type \"stdout\" has no directory", sink->name);
	return 0;
}

int log_settings_complete(struct log_settings *settings, struct prodd_error *e)
{
	const struct log_sink_settings *sink;

	if (settings->sink_count == 0 && !sink_of(settings, prodd_slice("local")))
		return prodd_error_set(e, PRODD_E_NO_MEMORY, "prodd.conf");
	if (settings->sink_count > LOG_SINKS_MAX)
		return prodd_error_set(e, PRODD_E_INVALID, "prodd.conf has %u sinks; %u are the most", settings->sink_count,
				       LOG_SINKS_MAX);
	STAILQ_FOREACH(sink, &settings->sinks, link)
		if (check_sink(sink, e) < 0)
			return -e->code;
	return 0;
}

void log_settings_move(struct log_settings *ret, struct log_settings *from)
{
	*ret = *from;
	STAILQ_INIT(&ret->sinks);
	STAILQ_CONCAT(&ret->sinks, &from->sinks);
	from->directory = NULL;
	from->sink_count = 0;
}

void log_settings_clear(struct log_settings *settings)
{
	struct log_sink_settings *sink;

	while ((sink = STAILQ_FIRST(&settings->sinks))) {
		STAILQ_REMOVE_HEAD(&settings->sinks, link);
		free(sink->directory);
		prodd_buffer_clear(&sink->apps);
		free(sink);
	}
	free(settings->directory);
	settings->directory = NULL;
	settings->sink_count = 0;
}
