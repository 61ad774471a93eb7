/* SPDX-License-Identifier: Apache-2.0 */
#include "client/prodctl/help.h"

#include "config.h"

#include <stdio.h>
#include <string.h>

#include "client/prodctl/json.h"
#include "client/prodctl/prodctl.h"
#include "client/prodctl/table.h"

static void line(struct text *to, const char *text)
{
	text_printf(to, PLAIN, "%s", text);
	text_end_line(to);
}

/* "config set APP KEY VALUE" */
static void synopsis(const struct verb *v, char *ret, size_t size)
{
	snprintf(ret, size, "%s%s%s%s%s", v->noun, *v->noun ? " " : "", v->name, *v->arguments ? " " : "",
		 v->arguments);
}

/* "--for DUR", "-f, --follow" */
static void option_name(const struct option *o, char *ret, size_t size)
{
	char letter[8] = "";

	if (o->letter)
		snprintf(letter, sizeof letter, "-%c, ", o->letter);
	snprintf(ret, size, "%s--%s%s%s", letter, o->name, o->value ? " " : "", o->value ? o->value : "");
}

static void option_rows(struct table *table, unsigned mask)
{
	char name[64];

	for (unsigned i = 0; i < OPTION_COUNT; i++) {
		if (!(mask & (1u << i)))
			continue;
		option_name(&options[i], name, sizeof name);
		table_cell(table, PLAIN, "%s", name);
		table_cell(table, PLAIN, "%s", options[i].help);
	}
}

static void verb_table(struct text *to, const char *noun)
{
	auto_table table = table_of(2, 2);
	char text[128];

	for (const struct verb *v = verbs; v->name; v++) {
		if (*noun && strcmp(v->noun, noun) != 0)
			continue;
		synopsis(v, text, sizeof text);
		table_cell(&table, PLAIN, "%s", text);
		table_cell(&table, PLAIN, "%s", v->help);
	}
	table_print(&table, to);
}

static void exit_table(struct text *to)
{
	static const char *const rows[] = {
		"0  done",
		"1  failed",
		"2  not understood",
		"3  committed, but a restart is needed",
		"4  invalid; nobody was asked",
		"5  rejected, and rolled back",
		"6  no answer, and rolled back",
		"7  no daemon",
		"8  not permitted",
		"9  busy",
		"10 committed, but not in use in every instance",
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		text_spaces(to, 2);
		line(to, rows[i]);
	}
}

static void print_all(struct text *to, const char *noun)
{
	auto_table table = table_of(2, 2);

	line(to, "Usage: prodctl [OPTIONS] [NOUN] VERB [APP[/INSTANCE]] [ARGS]");
	text_end_line(to);
	line(to, "Verbs");
	verb_table(to, noun);
	text_end_line(to);
	line(to, "Options of every verb");
	option_rows(&table, OPTIONS_COMMON);
	table_print(&table, to);
	text_end_line(to);
	line(to, "Exit status");
	exit_table(to);
	text_end_line(to);
	line(to, "The options of a verb: prodctl help VERB. The manual: man prodctl");
}

static void print_verb(struct text *to, const struct verb *v)
{
	auto_table table = table_of(2, 2);
	char text[128];

	synopsis(v, text, sizeof text);
	text_printf(to, PLAIN, "Usage: prodctl %s%s", text, v->options & ~OPTIONS_COMMON ? " [OPTIONS]" : "");
	text_end_line(to);
	line(to, v->help);
	text_end_line(to);
	option_rows(&table, v->options & ~OPTIONS_COMMON);
	option_rows(&table, OPTIONS_COMMON);
	table_print(&table, to);
}

int help_print(struct text *to, const char *noun, const struct verb *verb)
{
	if (verb)
		print_verb(to, verb);
	else
		print_all(to, noun);
	return 0;
}

int help_version(struct text *to, bool json)
{
	if (json) {
		json_begin(&to->bytes);
		json_member(&to->bytes, "version", prodd_slice(PACKAGE_VERSION));
		json_member(&to->bytes, "commit", prodd_slice(PRODD_GIT_HASH));
		json_member(&to->bytes, "built", prodd_slice(PRODD_BUILD_DATE));
		json_member(&to->bytes, "features", prodd_slice(PRODD_FEATURES));
		json_end(&to->bytes);
		return 0;
	}
	line(to, "prodctl (prodd) " PACKAGE_VERSION);
	line(to, "commit " PRODD_GIT_HASH ", built " PRODD_BUILD_DATE ", features: " PRODD_FEATURES);
	return 0;
}

void help_usage_hint(const struct arguments *a, char *ret, size_t size)
{
	char text[128], extra[128] = "", name[64];

	if (!a->verb) {
		snprintf(ret, size, "prodctl --help");
		return;
	}
	synopsis(a->verb, text, sizeof text);
	for (unsigned i = 0; i < OPTION_COUNT; i++) {
		size_t used = strlen(extra);

		if (!(a->verb->options & ~OPTIONS_COMMON & (1u << i)))
			continue;
		snprintf(name, sizeof name, "--%s%s%s", options[i].name, options[i].value ? " " : "",
			 options[i].value ? options[i].value : "");
		snprintf(extra + used, sizeof extra - used, " [%s]", name);
	}
	snprintf(ret, size, "usage: prodctl %s%s", text, extra);
}

/* ---- verbs */

int run_help(struct prodctl *p, struct prodd_error *e)
{
	const char *noun = "", *first = arguments_word(&p->args, 0), *second = arguments_word(&p->args, 1);
	const struct verb *v = NULL;

	if (verb_is_noun(first)) {
		noun = first;
		first = second;
	} else if (*second) {
		return prodd_error_set(e, PRODD_E_USAGE, "help: one word too many: \"%s\"", second);
	}
	if (*first)
		v = verb_find(noun, first);
	if (*first && !v)
		return prodd_error_set(e, PRODD_E_USAGE, "there is no verb \"%s%s%s\"", noun,
				       *noun ? " " : "", first);
	return help_print(&p->out, noun, v);
}

int run_version(struct prodctl *p, struct prodd_error *e)
{
	const struct connection *c = &p->connection;
	bool json = arguments_has(&p->args, OPTION_JSON);
	const struct wire_empty empty = { 0 };
	struct wire_empty nothing;
	int r = prodctl_ask(p, WIRE_M_ping, &empty, &nothing, e);

	*p->hint = '\0';
	if (json) {
		json_begin(&p->out.bytes);
		json_member(&p->out.bytes, "version", prodd_slice(PACKAGE_VERSION));
		json_member(&p->out.bytes, "commit", prodd_slice(PRODD_GIT_HASH));
		json_member(&p->out.bytes, "built", prodd_slice(PRODD_BUILD_DATE));
		json_member(&p->out.bytes, "features", prodd_slice(PRODD_FEATURES));
		json_member(&p->out.bytes, "daemon", prodd_slice(r == 0 ? c->daemon : ""));
		json_member(&p->out.bytes, "socket", prodd_slice(r == 0 ? c->place.path : ""));
		json_end(&p->out.bytes);
		return 0;
	}
	help_version(&p->out, false);
	if (r == 0)
		text_printf(&p->out, PLAIN, "prodd %s at %s, pid %llu", c->daemon, c->place.path,
			    (unsigned long long)c->daemon_pid);
	else
		text_printf(&p->out, PLAIN, "%s", e->text);
	text_end_line(&p->out);
	return 0;
}
