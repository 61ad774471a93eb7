/* SPDX-License-Identifier: Apache-2.0 */
/* The same reading and parsing as under the daemon; only the words are for a person. */
#include "daemon/parse/command.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/layers/layers.h"
#include "daemon/parse/json.h"
#include "daemon/parse/parse.h"
#include "daemon/tree/names.h"
#include "daemon/tree/tree.h"
#include "proto/codec.h"

enum { exit_valid = 0, exit_failed = 1, exit_usage = 2, exit_invalid = 4 };

struct outcome {
	const struct command_check *check;
	char name[NAME_MAX + 1];	/* of the app */
	struct parse_result result;
	uint32_t settings;		/* with a value */
	uint32_t files;
};

static int failed(const struct prodd_error *e)
{
	fprintf(stderr, "prodd-parse: %s\n", e->text);
	return e->code == PRODD_E_USAGE ? exit_usage : exit_failed;
}

/* ---- printing */

static void print_problem(const struct wire_problem *p)
{
	fputs("  ", stderr);
	if (p->file.size)
		fprintf(stderr, "%.*s:", PRODD_SLICE(p->file));
	if (p->file.size && p->line)
		fprintf(stderr, "%" PRIu64 ":", p->line);
	if (p->file.size)
		fputc(' ', stderr);
	if (p->key.size)
		fprintf(stderr, "%.*s: ", PRODD_SLICE(p->key));
	fprintf(stderr, "%.*s\n", PRODD_SLICE(p->text));
}

static void print_people(const struct outcome *o)
{
	const struct wire_parsed *parsed = &o->result.parsed;
	struct prodd_iter it = prodd_iter(parsed->problems);
	struct wire_problem problem;

	if (parsed->problems.count == 0) {
		printf("%s  ok, %" PRIu32 " settings", o->name, o->settings);
		if (o->check->directory)
			printf(", environment %s", o->check->environment);
		if (o->check->directory && parsed->schema)
			printf(", schema %" PRIu32 " keys", parsed->keys.count);
		else if (o->check->directory)
			printf(", no schema");
		putchar('\n');
		return;
	}
	fprintf(stderr, "%s  INVALID\n", o->name);
	while (prodd_next(&it, &wire_record_problem, &problem, NULL) > 0)
		print_problem(&problem);
}

static void print_json(const struct outcome *o)
{
	const struct wire_parsed *parsed = &o->result.parsed;
	struct prodd_iter it = prodd_iter(parsed->problems);
	struct wire_problem problem;
	const char *comma = "";

	fputs("{\"schema\":1,\"app\":", stdout);
	json_text(stdout, prodd_slice(o->name));
	if (o->check->directory) {
		fputs(",\"environment\":", stdout);
		json_text(stdout, prodd_slice(o->check->environment));
	}
	printf(",\"valid\":%s,\"settings\":%" PRIu32 ",\"schema_keys\":%" PRIu32 ",\"problems\":[",
	       parsed->problems.count ? "false" : "true", o->settings, parsed->keys.count);
	while (prodd_next(&it, &wire_record_problem, &problem, NULL) > 0) {
		printf("%s{\"file\":", comma);
		json_text(stdout, problem.file);
		printf(",\"line\":%" PRIu64 ",\"key\":", problem.line);
		json_text(stdout, problem.key);
		fputs(",\"text\":", stdout);
		json_text(stdout, problem.text);
		fputc('}', stdout);
		comma = ",";
	}
	fputs("]}\n", stdout);
}

/* ---- checking */

static int count_settings(struct outcome *o, struct prodd_error *e)
{
	struct tree *tree = NULL;
	int r;

	r = tree_open(o->result.parsed.entries, &tree, e);
	if (r < 0)
		return r;
	o->settings = tree_count_set(tree);
	tree_free(tree);
	return 0;
}

static int run(struct outcome *o, const struct layers *layers, struct prodd_error *e)
{
	problems_auto found = { 0 };
	prodd_auto_buffer files = { 0 };
	struct wire_parse request = {
		.app = prodd_slice(o->check->directory ? o->name : PARSE_DAEMON),
		.environment = prodd_slice(o->check->environment),
	};
	uint32_t count = 0;
	int r;

	for (size_t i = 0; i < layers->problem_count; i++) {
		struct place place = { .order = 0, .file = prodd_slice(layers->problems[i].path) };

		problems_add(&found, &place, (struct prodd_slice){ NULL, 0 }, "%s", layers->problems[i].text);
	}
	r = layers_encode(layers, &files, &count);
	if (r < 0)
		return prodd_error_set(e, -r, "the files");
	request.files = prodd_list(&files, count);
	o->files = count;
	r = parse_run(&request, &found, &o->result, e);
	return r < 0 ? r : count_settings(o, e);
}

/* The app's name: given, or the last part of the directory's real path. */
static void set_name(struct outcome *o)
{
	const char *given = o->check->directory ? o->check->directory : o->check->conf;
	char *real = realpath(given, NULL);
	const char *path = real ? real : given;
	const char *slash = strrchr(path, '/');

	if (o->check->app)
		path = o->check->app;
	else if (slash && slash[1])
		path = slash + 1;
	snprintf(o->name, sizeof o->name, "%s", path);
	free(real);
}

static int check_usage(const struct command_check *check, const struct outcome *o, struct prodd_error *e)
{
	if (!check->directory)
		return 0;
	if (!names_environment(prodd_slice(check->environment)))
		return prodd_error_set(e, PRODD_E_USAGE, "\"%s\" cannot be the name of an environment",
				       check->environment);
	if (check->app && !names_app(prodd_slice(o->name)))
		return prodd_error_set(e, PRODD_E_USAGE, "\"%s\" cannot be the name of an app", o->name);
	return 0;
}

static int read_layers(const struct command_check *check, struct layers *layers, struct prodd_error *e)
{
	struct layers_where where = {
		.directory = check->directory, .environment = check->environment, .conf = check->conf,
		.conf_d = check->conf_d,
	};
	int r;

	r = layers_read(&where, layers, e);
	if (r < 0)
		return r;
	if (layers->state == LAYERS_NO_DIRECTORY)
		return prodd_error_set(e, PRODD_E_NOT_FOUND, "%s: no such directory", check->directory);
	if (layers->state == LAYERS_NO_FILES && check->directory)
		return prodd_error_set(e, PRODD_E_NOT_FOUND, "%s: no schema.conf, default.conf, %s.conf or "
				       "conf.d/*.conf", check->directory, check->environment);
	if (layers->state == LAYERS_NO_FILES)
		return prodd_error_set(e, PRODD_E_NOT_FOUND, "%s: no such file", check->conf);
	return 0;
}

int command_check(const struct command_check *check)
{
	struct outcome o = { .check = check };
	layers_auto layers = { 0 };
	struct prodd_error e;
	int status;

	set_name(&o);
	if (check_usage(check, &o, &e) < 0 || read_layers(check, &layers, &e) < 0 || run(&o, &layers, &e) < 0)
		return failed(&e);
	if (check->json)
		print_json(&o);
	else
		print_people(&o);
	status = o.result.parsed.problems.count ? exit_invalid : exit_valid;
	parse_result_clear(&o.result);
	return fflush(stdout) == 0 ? status : exit_failed;
}
