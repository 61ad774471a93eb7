/* SPDX-License-Identifier: Apache-2.0 */
/* The tables of verbs.h say what kind of word comes next; the daemon, if it answers soon, knows the names. */
#include "client/prodctl/complete.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "client/prodctl/prodctl.h"
#include "proto/codec.h"

enum { patience_ms = 500, words_max = 8 };

struct completion {
	const char *words[words_max];	/* before the current one, options left out */
	unsigned count;
	const char *current;		/* what is typed of the word */
	const char *socket;		/* value of --socket; NULL: not given */
	const char *environment;
	const struct option *option;	/* whose value the current word is; NULL: none */
	struct text out;
	struct connection connection;
};

static void offer(struct completion *c, struct prodd_slice word, const char *help)
{
	size_t typed = strlen(c->current);

	if (word.size < typed || memcmp(word.at, c->current, typed) != 0)
		return;
	text_slice(&c->out, PLAIN, word);
	prodd_buffer_append(&c->out.bytes, "\t", 1);
	text_slice(&c->out, PLAIN, prodd_slice(help));
	text_end_line(&c->out);
}

static bool ask(struct completion *c, enum wire_method method, const void *params, void *ret)
{
	struct prodd_error e;

	if (c->connection.fd < 0 && connection_open(&c->connection, c->socket, patience_ms, &e) < 0)
		return false;
	return connection_call(&c->connection, method, params, ret, patience_ms, &e) == 0;
}

/* ---- what the daemon knows */

static void offer_instances(struct completion *c, const struct wire_app_status *app)
{
	struct prodd_iter it = prodd_iter(app->instances);
	struct wire_instance_status instance;
	char name[260];

	while (prodd_next(&it, &wire_record_instance_status, &instance, NULL) > 0) {
		snprintf(name, sizeof name, "%.*s/%.*s", PRODD_SLICE(app->app),
			 PRODD_SLICE(instance.instance));
		offer(c, prodd_slice(name), "instance");
	}
}

static void offer_apps(struct completion *c, bool instances)
{
	const struct wire_status_request request = { .app = { "", 0 } };
	struct prodd_slice before = { "", 0 };
	struct wire_app_status app;
	struct wire_status status;
	struct prodd_iter it;

	if (!ask(c, WIRE_M_status, &request, &status))
		return;
	for (it = prodd_iter(status.apps); prodd_next(&it, &wire_record_app_status, &app, NULL) > 0;) {
		if (instances && strchr(c->current, '/'))
			offer_instances(c, &app);
		else if (!prodd_slice_equal(before, app.app))
			offer(c, app.app, "app");
		before = app.app;
	}
}

static void offer_keys(struct completion *c, const char *app)
{
	const struct wire_show request = {
		.app = { app, strcspn(app, "/") }, .environment = prodd_slice(c->environment),
	};
	struct wire_tree_entry entry;
	struct wire_shown shown;
	struct prodd_iter it;
	char help[32];

	if (!ask(c, WIRE_M_config_show, &request, &shown))
		return;
	for (it = prodd_iter(shown.entries); prodd_next(&it, &wire_record_tree_entry, &entry, NULL) > 0;) {
		snprintf(help, sizeof help, "%.*s", PRODD_SLICE(entry.type));
		offer(c, entry.key, help);
	}
}

static void offer_generations(struct completion *c, const char *app)
{
	const struct wire_app_request request = {
		.app = prodd_slice(app), .environment = prodd_slice(c->environment),
	};
	struct wire_generation_row row;
	struct wire_history history;
	struct prodd_iter it;
	char number[24], help[260];

	if (!ask(c, WIRE_M_config_history, &request, &history))
		return;
	for (it = prodd_iter(history.generations);
	     prodd_next(&it, &wire_record_generation_row, &row, NULL) > 0;) {
		snprintf(number, sizeof number, "%" PRIu64, row.generation);
		snprintf(help, sizeof help, "%.*s", PRODD_SLICE(row.cause));
		offer(c, prodd_slice(number), help);
	}
}

/* ---- what the tables know */

static void offer_verbs(struct completion *c, const char *noun)
{
	const char *last = "";

	for (const struct verb *v = verbs; v->name; v++) {
		if (strcmp(v->noun, noun) == 0)
			offer(c, prodd_slice(v->name), v->help);
		else if (!*noun && strcmp(v->noun, last) != 0)
			offer(c, prodd_slice(v->noun), verb_noun_help(v->noun));
		last = v->noun;
	}
}

static void offer_options(struct completion *c, const struct verb *v)
{
	unsigned mask = v ? v->options : OPTIONS_COMMON;
	char word[40];

	for (unsigned i = 0; i < OPTION_COUNT; i++) {
		snprintf(word, sizeof word, "--%s", options[i].name);
		if (mask & (1u << i))
			offer(c, prodd_slice(word), options[i].help);
	}
}

static void offer_levels(struct completion *c, bool own)
{
	static const char *const levels[] = { "trace", "debug", "info", "warn", "error", "off" };

	for (size_t i = 0; i < sizeof levels / sizeof *levels; i++)
		offer(c, prodd_slice(levels[i]), "level");
	if (own)
		offer(c, prodd_slice("own"), "the app's own level again");
}

static void offer_sinks(struct completion *c)
{
	const struct wire_spool_request request = { .app = { "", 0 } };
	struct wire_spools spools;
	struct wire_sink_row sink;
	struct prodd_iter it;

	if (!ask(c, WIRE_M_spool_show, &request, &spools))
		return;
	for (it = prodd_iter(spools.sinks); prodd_next(&it, &wire_record_sink_row, &sink, NULL) > 0;)
		offer(c, sink.sink, "sink");
}

static void offer_argument(struct completion *c, const struct verb *v, unsigned used)
{
	const char *const *words = c->words + used;
	unsigned index = c->count - used;
	char kind[64];

	if (!verb_argument(v, index, kind, sizeof kind))
		return;
	if (strncmp(kind, "APP", 3) == 0)
		offer_apps(c, strstr(kind, "/INSTANCE") != NULL);
	if (strstr(kind, "SINK"))
		offer_sinks(c);
	else if (strcmp(kind, "LEVEL") == 0)
		offer_levels(c, true);
	else if (strcmp(kind, "KEY") == 0)
		offer_keys(c, words[0]);
	else if (strcmp(kind, "GENERATION") == 0 || strcmp(kind, "FROM") == 0 || strcmp(kind, "TO") == 0)
		offer_generations(c, words[0]);
	else if (strcmp(kind, "NOUN") == 0)
		offer_verbs(c, "");
	else if (strcmp(kind, "VERB") == 0 && verb_is_noun(words[0]))
		offer_verbs(c, words[0]);
}

static void offer_next(struct completion *c)
{
	const char *noun = c->count > 0 && verb_is_noun(c->words[0]) ? c->words[0] : "";
	unsigned used = *noun ? 1 : 0;
	const struct verb *v = c->count > used ? verb_find(noun, c->words[used]) : NULL;

	if (c->option) {
		if (c->option == &options[OPTION_APP])
			offer_apps(c, false);
		else if (c->option == &options[OPTION_LEVEL])
			offer_levels(c, false);
	} else if (*c->current == '-') {
		offer_options(c, v);
	} else if (c->count == used) {
		offer_verbs(c, noun);
	} else if (v) {
		offer_argument(c, v, used + 1);
	}
}

/* ---- what is typed */

static const struct option *option_of(const char *word)
{
	for (unsigned i = 0; i < OPTION_COUNT; i++)
		if ((word[0] == '-' && word[1] == '-' && strcmp(word + 2, options[i].name) == 0) ||
		    (options[i].letter && word[0] == '-' && word[1] == options[i].letter && !word[2]))
			return &options[i];
	return NULL;
}

static void take_value(struct completion *c, const struct option *option, const char *value)
{
	if (option == &options[OPTION_SOCKET])
		c->socket = value;
	else if (option == &options[OPTION_ENV])
		c->environment = value;
}

static void take_words(struct completion *c, int count, char *words[])
{
	for (int i = 0; i + 1 < count; i++) {
		const struct option *option = option_of(words[i]);

		if (option && option->value && i + 2 < count)
			take_value(c, option, words[++i]);
		else if (option && option->value)
			c->option = option;
		else if (words[i][0] != '-' && c->count < words_max)
			c->words[c->count++] = words[i];
	}
	c->current = count > 0 ? words[count - 1] : "";
}

int complete(int count, char *words[])
{
	static struct completion c = { .environment = "", .connection.fd = -1 };

	c.out.bytes.limit = TEXT_MAX;
	take_words(&c, count, words);
	offer_next(&c);
	text_flush(&c.out, STDOUT_FILENO, NULL);
	connection_close(&c.connection);
	text_clear(&c.out);
	return 0;
}
