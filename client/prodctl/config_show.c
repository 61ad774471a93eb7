/* SPDX-License-Identifier: Apache-2.0 */
/* config show, get and explain: settings with where they come from. */
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "client/prodctl/prodctl.h"
#include "client/prodctl/table.h"
#include "client/prodctl/value.h"
#include "proto/codec.h"

static struct wire_show request_of(const struct arguments *a)
{
	return (struct wire_show){
		.app = prodd_slice(a->app), .instance = prodd_slice(a->instance),
		.environment = prodd_slice(arguments_value(a, OPTION_ENV)),
		.key = prodd_slice(arguments_word(a, 1)), .generation = a->numbers[OPTION_GENERATION],
	};
}

static bool is_layer(const struct wire_candidate *c, const char *layer)
{
	return prodd_slice_is(c->layer, layer);
}

/* "production.conf:2", "env APP_X", "override by root" */
static void place_cell(struct table *t, const struct wire_candidate *c)
{
	if (is_layer(c, "variable"))
		table_cell(t, PLAIN, "env %.*s", PRODD_SLICE(c->file));
	else if (is_layer(c, "override"))
		table_cell(t, PLAIN, "override%s%.*s", c->file.size > 0 ? " by " : "", PRODD_SLICE(c->file));
	else if (c->file.size == 0)
		table_slice(t, c->layer);
	else if (c->line > 0)
		table_cell(t, PLAIN, "%.*s:%" PRIu64, PRODD_SLICE(c->file), c->line);
	else
		table_slice(t, c->file);
}

/* ---- config show */

static int add_setting(struct table *t, const struct wire_tree_entry *entry)
{
	struct prodd_iter it = prodd_iter(entry->candidates);
	struct wire_candidate winner = { .layer = { "", 0 } };
	prodd_auto_buffer text = { 0 };

	table_slice(t, entry->key);
	if (entry->value.size == 0)
		table_cell(t, PLAIN, "(not set)");
	else if (value_append(&text, entry->value, entry->type, false) == 0)
		table_cell(t, PLAIN, "= %.*s", PRODD_SLICE(prodd_buffer_slice(&text)));
	table_cell(t, PLAIN, "(%.*s)", PRODD_SLICE(entry->type));
	if (entry->value.size > 0 && prodd_next(&it, &wire_record_candidate, &winner, NULL) > 0)
		place_cell(t, &winner);
	else
		table_cell(t, PLAIN, "%s", "");
	return text.failed;
}

int run_config_show(struct prodctl *p, struct prodd_error *e)
{
	const struct wire_show request = request_of(&p->args);
	auto_table table = table_of(4, 0);
	struct wire_tree_entry entry;
	struct wire_shown shown;
	struct prodd_iter it;
	int r = prodctl_ask(p, WIRE_M_config_show, &request, &shown, e);

	if (r < 0)
		return r;
	if (prodctl_json(p, &wire_record_shown, &shown))
		return 0;
	table.gap[0] = 1;
	table.gap[1] = table.gap[2] = 3;
	for (it = prodd_iter(shown.entries); prodd_next(&it, &wire_record_tree_entry, &entry, NULL) > 0;) {
		r = add_setting(&table, &entry);
		if (r < 0)
			return prodd_error_set(e, -r, "%.*s", PRODD_SLICE(entry.key));
	}
	table_print(&table, &p->out);
	return 0;
}

/* ---- config get */

/* The bytes as they are for a program, escaped for a terminal. */
static int print_value(struct prodctl *p, const struct wire_tree_entry *entry, struct prodd_error *e)
{
	prodd_auto_buffer text = { 0 };
	int r = value_append(&text, entry->value, entry->type, true);

	if (r < 0)
		return prodd_error_set(e, -r, "%.*s", PRODD_SLICE(entry->key));
	if (isatty(STDOUT_FILENO))
		text_slice(&p->out, PLAIN, prodd_buffer_slice(&text));
	else
		prodd_buffer_append(&p->out.bytes, text.at, text.size);
	text_end_line(&p->out);
	return 0;
}

int run_config_get(struct prodctl *p, struct prodd_error *e)
{
	const struct wire_show request = request_of(&p->args);
	struct wire_tree_entry entry;
	struct wire_shown shown;
	struct prodd_iter it;
	int r = prodctl_ask(p, WIRE_M_config_show, &request, &shown, e);

	if (r < 0)
		return r;
	for (it = prodd_iter(shown.entries); prodd_next(&it, &wire_record_tree_entry, &entry, NULL) > 0;) {
		if (!prodd_slice_equal(entry.key, request.key))
			continue;
		if (entry.value.size == 0)
			return prodd_error_set(e, PRODD_E_NOT_FOUND, "%s: %s is not set", p->args.app,
					       p->args.words[1]);
		return prodctl_json(p, &wire_record_shown, &shown) ? 0 : print_value(p, &entry, e);
	}
	if (shown.entries.count > 0)
		return prodd_error_set(e, PRODD_E_NOT_FOUND,
				       "%s: %s is a group; see prodctl config show %s %s", p->args.app,
				       p->args.words[1], p->args.app, p->args.words[1]);
	return prodd_error_set(e, PRODD_E_NOT_FOUND, "%s: no key %s", p->args.app, p->args.words[1]);
}

/* ---- config explain */

/* " 1..500", " >= 1" */
static void append_range(struct text *to, const struct wire_schema_key *rule)
{
	prodd_auto_buffer min = { 0 }, max = { 0 };

	if (rule->min.size > 0)
		value_append(&min, rule->min, rule->type, false);
	if (rule->max.size > 0)
		value_append(&max, rule->max, rule->type, false);
	if (min.size > 0 && max.size > 0)
		text_printf(to, PLAIN, " %.*s..%.*s", PRODD_SLICE(prodd_buffer_slice(&min)),
			    PRODD_SLICE(prodd_buffer_slice(&max)));
	else if (min.size > 0)
		text_printf(to, PLAIN, " >= %.*s", PRODD_SLICE(prodd_buffer_slice(&min)));
	else if (max.size > 0)
		text_printf(to, PLAIN, " <= %.*s", PRODD_SLICE(prodd_buffer_slice(&max)));
}

static void explain_head(const struct wire_explained *x, const struct wire_tree_entry *entry, struct text *to)
{
	struct prodd_iter it = prodd_iter(x->rules);
	struct wire_schema_key rule = { .type = entry->type, .restart = entry->restart };
	prodd_auto_buffer text = { 0 };
	bool known = prodd_next(&it, &wire_record_schema_key, &rule, NULL) > 0;

	text_slice(to, STRONG, entry->key);
	if (entry->value.size > 0) {
		value_append(&text, entry->value, entry->type, false);
		text_printf(to, PLAIN, " = %.*s", PRODD_SLICE(prodd_buffer_slice(&text)));
	} else {
		text_printf(to, PLAIN, "   (not set)");
	}
	text_printf(to, PLAIN, "   (%.*s", PRODD_SLICE(rule.type));
	append_range(to, &rule);
	text_printf(to, PLAIN, "%s, %s, generation %" PRIu64 ")", known ? "" : ", no schema",
		    rule.restart ? "restart" : "hot", x->generation);
	text_end_line(to);
}

static void explain_candidates(const struct wire_tree_entry *entry, struct text *to)
{
	struct prodd_iter it = prodd_iter(entry->candidates);
	auto_table table = table_of(4, 2);
	struct wire_candidate c;
	bool first = entry->value.size > 0;

	table.gap[0] = 1;
	table.width[1] = 23;
	table.gap[1] = table.gap[2] = 4;
	for (; prodd_next(&it, &wire_record_candidate, &c, NULL) > 0; first = false) {
		table_cell(&table, GOOD, "%s", first ? "*" : " ");
		place_cell(&table, &c);
		table_slice(&table, c.text);
		table_cell(&table, PLAIN, "%s", is_layer(&c, "default") ? "default" : "");
	}
	table_print(&table, to);
}

static void explain_variables(const struct prodctl *p, const struct wire_explained *x, struct text *to)
{
	struct prodd_iter it = prodd_iter(x->variables);
	auto_table table = table_of(3, 2);
	struct wire_seen_variable seen;
	bool first = true;

	if (x->variable.size == 0)
		return;
	if (x->variables.count == 0) {
		text_printf(to, PLAIN, "  env %.*s   not set in any instance", PRODD_SLICE(x->variable));
		text_end_line(to);
		return;
	}
	table.gap[0] = table.gap[1] = 3;
	for (; prodd_next(&it, &wire_record_seen_variable, &seen, NULL) > 0; first = false) {
		table_cell(&table, PLAIN, "%s%.*s", first ? "env " : "", first ? (int)x->variable.size : 0,
			   x->variable.at);
		table_cell(&table, PLAIN, "%s/%.*s", p->args.app, PRODD_SLICE(seen.instance));
		table_cell(&table, seen.problem.size > 0 ? BAD : PLAIN, "%.*s%s%.*s", PRODD_SLICE(seen.value),
			   seen.problem.size > 0 ? "   refused: " : "", PRODD_SLICE(seen.problem));
	}
	table_print(&table, to);
}

int run_config_explain(struct prodctl *p, struct prodd_error *e)
{
	const struct wire_show request = request_of(&p->args);
	struct wire_explained explained;
	struct wire_tree_entry entry;
	struct prodd_iter it;
	int r = prodctl_ask(p, WIRE_M_config_explain, &request, &explained, e);

	if (r < 0)
		return r;
	it = prodd_iter(explained.entries);
	if (prodd_next(&it, &wire_record_tree_entry, &entry, NULL) <= 0)
		return prodd_error_set(e, PRODD_E_NOT_FOUND, "%s: no key %s", p->args.app, p->args.words[1]);
	if (prodctl_json(p, &wire_record_explained, &explained))
		return 0;
	explain_head(&explained, &entry, &p->out);
	explain_candidates(&entry, &p->out);
	explain_variables(p, &explained, &p->out);
	return 0;
}
