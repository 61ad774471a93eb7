/* SPDX-License-Identifier: Apache-2.0 */
/* config history and config schema: what is kept, and what may be set. */
#include <inttypes.h>
#include <stdio.h>

#include "client/prodctl/moment.h"
#include "client/prodctl/prodctl.h"
#include "client/prodctl/table.h"
#include "client/prodctl/value.h"
#include "proto/codec.h"

static struct wire_app_request request_of(const struct arguments *a)
{
	return (struct wire_app_request){
		.app = prodd_slice(a->app), .environment = prodd_slice(arguments_value(a, OPTION_ENV)),
	};
}

int run_config_history(struct prodctl *p, struct prodd_error *e)
{
	const struct wire_app_request request = request_of(&p->args);
	auto_table table = table_of(5, 0);
	struct wire_generation_row row;
	struct wire_history history;
	struct prodd_iter it;
	int r = prodctl_ask(p, WIRE_M_config_history, &request, &history, e);

	if (r < 0)
		return r;
	if (prodctl_json(p, &wire_record_history, &history))
		return 0;
	table_head(&table, "GENERATION|WHEN|KEYS|STATE|CAUSE");
	for (it = prodd_iter(history.generations);
	     prodd_next(&it, &wire_record_generation_row, &row, NULL) > 0;) {
		table_cell(&table, PLAIN, "%" PRIu64, row.generation);
		table_cell(&table, PLAIN, "%s", moment_full(row.created_ms).text);
		table_cell(&table, PLAIN, "%" PRIu64, row.changes);
		table_cell(&table, GOOD, "%s", row.live ? "live" : "");
		table_slice(&table, row.cause);
	}
	table_print(&table, &p->out);
	return 0;
}

/* ---- config schema */

static void append_word(struct prodd_buffer *b, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static void append_word(struct prodd_buffer *b, const char *format, ...)
{
	char text[1200];
	va_list args;
	int length;

	va_start(args, format);
	length = vsnprintf(text, sizeof text, format, args);
	va_end(args);
	if (b->size > 0)
		prodd_buffer_append(b, ", ", 2);
	if (length > 0)
		prodd_buffer_append(b, text, (size_t)length < sizeof text ? (size_t)length : sizeof text - 1);
}

static void append_bound(struct prodd_buffer *b, const char *sign, struct prodd_slice value,
			 struct prodd_slice type)
{
	prodd_auto_buffer text = { 0 };

	if (value.size == 0)
		return;
	value_append(&text, value, type, false);
	append_word(b, "%s %.*s", sign, PRODD_SLICE(prodd_buffer_slice(&text)));
}

static void append_choice(struct prodd_buffer *b, struct prodd_list one_of)
{
	struct prodd_iter it = prodd_iter(one_of);
	struct prodd_slice s;
	bool first = true;

	while (prodd_next_text(&it, &s)) {
		if (first) {
			append_word(b, "%.*s", PRODD_SLICE(s));
		} else {
			prodd_buffer_append(b, "|", 1);
			prodd_buffer_append(b, s.at, s.size);
		}
		first = false;
	}
}

/* "required, >= 1, <= 500" */
static void limits(struct prodd_buffer *b, const struct wire_schema_key *key)
{
	if (key->required)
		append_word(b, "required");
	append_bound(b, ">=", key->min, key->type);
	append_bound(b, "<=", key->max, key->type);
	if (key->min_length > 0)
		append_word(b, "length >= %" PRIu64, key->min_length);
	if (key->max_length > 0)
		append_word(b, "length <= %" PRIu64, key->max_length);
	append_choice(b, key->one_of);
	if (key->pattern.size > 0)
		append_word(b, "matches %.*s", PRODD_SLICE(key->pattern));
}

static int add_key(struct table *table, const struct wire_schema_key *key)
{
	prodd_auto_buffer standard = { 0 }, allowed = { 0 };

	if (key->def.size > 0)
		value_append(&standard, key->def, key->type, false);
	limits(&allowed, key);
	table_slice(table, key->key);
	table_slice(table, key->type);
	table_slice(table, prodd_buffer_slice(&standard));
	table_slice(table, prodd_buffer_slice(&allowed));
	table_cell(table, PLAIN, "%s", key->restart ? "restart" : "hot");
	table_slice(table, key->origin);
	table_slice(table, key->help);
	return standard.failed ? standard.failed : allowed.failed;
}

int run_config_schema(struct prodctl *p, struct prodd_error *e)
{
	const struct wire_app_request request = request_of(&p->args);
	auto_table table = table_of(7, 0);
	struct wire_schema_key key;
	struct wire_schema schema;
	struct prodd_iter it;
	int r = prodctl_ask(p, WIRE_M_config_schema, &request, &schema, e);

	if (r < 0)
		return r;
	if (prodctl_json(p, &wire_record_schema, &schema))
		return 0;
	if (schema.keys.count == 0) {
		text_printf(&p->out, PLAIN, "%s has no schema: values are served as they are written",
			    p->args.app);
		text_end_line(&p->out);
		return 0;
	}
	table_head(&table, "KEY|TYPE|DEFAULT|ALLOWED|RELOAD|DECLARED|HELP");
	for (it = prodd_iter(schema.keys); prodd_next(&it, &wire_record_schema_key, &key, NULL) > 0;) {
		r = add_key(&table, &key);
		if (r < 0)
			return prodd_error_set(e, -r, "%.*s", PRODD_SLICE(key.key));
	}
	table_print(&table, &p->out);
	if (!schema.strict) {
		text_printf(&p->out, PLAIN, "not strict: other keys may be set too");
		text_end_line(&p->out);
	}
	return 0;
}
