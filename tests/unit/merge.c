/* SPDX-License-Identifier: Apache-2.0 */
/* Layers to a tree: who wins, what is reported; and both against a naive second implementation. */
#include "daemon/tree/merge.h"

#include "tests/unit/trees.h"

/* A setting as a test writes it. */
#define SET(name, text, at) { .key = prodd_slice(name), .value = literal(text), .line = (at) }

struct merged {
	struct prodd_buffer entries;
	uint32_t count;
	struct problems problems;
};

static struct merge_layer layer_of(const char *name, const struct setting *settings, size_t count,
				   unsigned order)
{
	char path[64];

	snprintf(path, sizeof path, "/etc/orders/%s", name);
	return (struct merge_layer){
		.name = prodd_slice(name), .path = literals_keep(path, strlen(path)), .order = order,
		.settings = settings, .count = count,
	};
}

static void run(struct merged *m, const struct schema *schema, const struct merge_layer *layers, size_t count)
{
	struct merge_input in = { .schema = schema, .layers = layers, .layer_count = count };
	struct prodd_error e;

	*m = (struct merged){ 0 };
	ck_assert_msg(merge_run(&in, &m->problems, &m->entries, &m->count, &e) == 0, "%s", e.text);
}

static void clear(struct merged *m)
{
	prodd_buffer_clear(&m->entries);
	problems_clear(&m->problems);
}

#define LAYER(name, settings, order) layer_of(name, settings, sizeof settings / sizeof *settings, order)

START_TEST(highest_layer_wins_and_all_are_named)
{
	const struct setting low[] = { SET("database.max_connections", "20", 3),
				       SET("database.host", "db", 3) };
	const struct setting high[] = { SET("database.max_connections", "100", 2) };
	const struct merge_layer layers[] = { LAYER("default.conf", low, 1),
					      LAYER("production.conf", high, 2) };
	struct schema *schema = NULL;
	struct merged m;

	ck_assert_int_eq(schema_new(&schema), 0);
	schema_with(schema, "database.max_connections", "int", "10");
	schema_with(schema, "database.host", "string!", NULL);
	schema_with(schema, "server.port", "int^", "8080");
	schema_with(schema, "spare", "duration", NULL);
	run(&m, schema, layers, 2);
	ck_assert_str_eq(problems_text(&m.problems), "");
	ck_assert_str_eq(
		entries_text(prodd_list(&m.entries, m.count)),
		"database.host (string) = db | file default.conf:3 db\n"
		"database.max_connections (int) = 100 | file production.conf:2 100 | file default.conf:3 20"
		" | default schema.conf:9 10\n"
		"server.port (int) = 8080 restart | default schema.conf:9 8080\n"
		"spare (duration)\n");
	clear(&m);
	schema_free(schema);
}
END_TEST

START_TEST(without_schema_values_stay_as_written)
{
	const struct setting low[] = { SET("a", "5", 1), SET("b", "\"30s\"", 2),
				       SET("list", "[1, \"x\"]", 3) };
	const struct setting high[] = { SET("a", "\"five\"", 1), SET("c.d", "1.50", 9) };
	const struct merge_layer layers[] = { LAYER("default.conf", low, 0), LAYER("x.conf", high, 1) };
	struct merged m;

	run(&m, NULL, layers, 2);
	ck_assert_str_eq(problems_text(&m.problems), "");
	ck_assert_str_eq(entries_text(prodd_list(&m.entries, m.count)),
			 "a (string) = five | file x.conf:1 five | file default.conf:1 5\n"
			 "b (string) = 30s | file default.conf:2 30s\n"
			 "c.d (float) = 1.5 | file x.conf:9 1.5\n"
			 "list (list) = [1, x] | file default.conf:3 [1, x]\n");
	clear(&m);
}
END_TEST

START_TEST(every_error_of_every_file_is_reported)
{
	const struct setting low[] = { SET("upstream.timout", "\"2s\"", 4), SET("server.port", "\"x\"", 2) };
	const struct setting high[] = { SET("server.port", "700000", 2), SET("server", "1", 3),
					SET("server.port.x", "1", 5), SET("completely.different", "1", 9) };
	const struct merge_layer layers[] = { LAYER("default.conf", low, 1),
					      LAYER("production.conf", high, 2) };
	struct wire_schema_key port = { .key = prodd_slice("server.port"), .type = prodd_slice("int") };
	struct schema *schema = NULL;
	struct merged m;

	port.min = literal("1");
	port.max = literal("65535");
	ck_assert_int_eq(schema_new(&schema), 0);
	ck_assert_int_eq(schema_add(schema, &port, NULL), 0);
	schema_with(schema, "upstream.timeout", "duration", NULL);
	schema_with(schema, "database.host", "string!", NULL);
	run(&m, schema, layers, 2);
	ck_assert_str_eq(problems_text(&m.problems),
			 "/etc/orders/default.conf:2: server.port: expected an int, got the string \"x\"\n"
			 "/etc/orders/default.conf:4: upstream.timout: unknown key; did you mean "
			 "\"upstream.timeout\"?\n"
			 "/etc/orders/production.conf:2: server.port: 700000 is not in 1..65535\n"
			 "/etc/orders/production.conf:3: server: is a group of settings, it cannot have a "
			 "value of its own\n"
			 "/etc/orders/production.conf:5: server.port.x: unknown key; \"server.port\" is an "
			 "int, not a group\n"
			 "/etc/orders/production.conf:9: completely.different: unknown key\n"
			 "database.host: is required, but no file sets it (declared in schema.conf:9)\n");
	clear(&m);
	schema_free(schema);
}
END_TEST

START_TEST(required_is_not_asked_of_broken_files)
{
	struct merge_input in = { .incomplete = true };
	struct schema *schema = NULL;
	struct merged m = { 0 };

	ck_assert_int_eq(schema_new(&schema), 0);
	schema_with(schema, "database.host", "string!", NULL);
	in.schema = schema;
	ck_assert_int_eq(merge_run(&in, &m.problems, &m.entries, &m.count, NULL), 0);
	ck_assert_str_eq(problems_text(&m.problems), "");
	clear(&m);
	schema_free(schema);
}
END_TEST

START_TEST(default_satisfies_required)
{
	struct schema *schema = NULL;
	struct merged m;

	ck_assert_int_eq(schema_new(&schema), 0);
	schema_with(schema, "a", "int!", "1");
	run(&m, schema, NULL, 0);
	ck_assert_str_eq(problems_text(&m.problems), "");
	clear(&m);
	schema_free(schema);
}
END_TEST

START_TEST(key_twice_in_a_file_names_both_lines)
{
	const struct setting low[] = { SET("a", "1", 3), SET("a", "2", 7) };
	const struct merge_layer layers[] = { LAYER("default.conf", low, 1) };
	struct merged m;

	run(&m, NULL, layers, 1);
	ck_assert_str_eq(problems_text(&m.problems),
			 "/etc/orders/default.conf:7: a: is already set in line 3\n");
	clear(&m);
}
END_TEST

START_TEST(group_and_value_of_one_name_are_reported_where_the_later_stands)
{
	const struct setting group[] = { SET("a.b.c", "1", 3) }, value[] = { SET("a.b", "2", 7) };
	const struct merge_layer up[] = { LAYER("default.conf", group, 1), LAYER("x.conf", value, 2) };
	const struct merge_layer down[] = { LAYER("default.conf", value, 1), LAYER("x.conf", group, 2) };
	struct merged m;

	run(&m, NULL, up, 2);
	ck_assert_str_eq(
		problems_text(&m.problems),
		"/etc/orders/x.conf:7: a.b: is a value here, but a group in /etc/orders/default.conf:3\n");
	clear(&m);
	run(&m, NULL, down, 2);
	ck_assert_str_eq(problems_text(&m.problems), "/etc/orders/x.conf:3: a.b.c: \"a.b\" is a group here, "
						     "but a value in /etc/orders/default.conf:7\n");
	clear(&m);
}
END_TEST

START_TEST(lenient_schema_lets_strangers_pass)
{
	const struct setting low[] = { SET("known", "1", 1), SET("stranger", "x", 2) };
	const struct merge_layer layers[] = { LAYER("default.conf", low, 1) };
	struct schema *schema = NULL;
	struct merged m;

	ck_assert_int_eq(schema_new(&schema), 0);
	schema_set_strict(schema, false);
	schema_with(schema, "known", "float", NULL);
	run(&m, schema, layers, 1);
	ck_assert_str_eq(problems_text(&m.problems), "");
	ck_assert_str_eq(
		entries_text(prodd_list(&m.entries, m.count)),
		"known (float) = 1 | file default.conf:1 1\nstranger (string) = x | file default.conf:2 x\n");
	clear(&m);
	schema_free(schema);
}
END_TEST

START_TEST(report_has_an_end)
{
	enum { many = 6000 };
	static struct setting settings[many];
	struct merge_layer layer;
	struct schema *schema = NULL;
	prodd_auto_buffer rows = { 0 };
	uint32_t count = 0;
	struct merged m;
	char name[16];

	for (int i = 0; i < many; i++) {
		snprintf(name, sizeof name, "k%d", i);
		settings[i] = (struct setting)SET("", "1", (uint32_t)i + 1);
		settings[i].key = literals_keep(name, strlen(name));
	}
	layer = layer_of("default.conf", settings, many, 0);
	ck_assert_int_eq(schema_new(&schema), 0);
	run(&m, schema, &layer, 1);
	ck_assert_int_eq(problems_encode(&m.problems, &rows, &count), 0);
	ck_assert_uint_eq(count, PROBLEMS_MAX);
	ck_assert_ptr_nonnull(strstr(rows_text(prodd_list(&rows, count)), "and 4977 more\n"));
	clear(&m);
	run(&m, NULL, &layer, 1);
	ck_assert_str_eq(problems_text(&m.problems), "6000 settings, at most 5000 are allowed\n");
	clear(&m);
	schema_free(schema);
}
END_TEST

START_TEST(more_places_than_the_wire_carries)
{
	enum { many = 100 };
	static struct setting settings[many];
	static struct merge_layer layers[many];
	struct schema *schema = NULL;
	const char *text;
	struct merged m;

	for (int i = 0; i < many; i++) {
		settings[i] = (struct setting)SET("a", "1", (uint32_t)i + 1);
		layers[i] = layer_of("x.conf", &settings[i], 1, (unsigned)i);
	}
	ck_assert_int_eq(schema_new(&schema), 0);
	schema_with(schema, "a", "int", "7");
	run(&m, schema, layers, many);
	text = entries_text(prodd_list(&m.entries, m.count));
	ck_assert_ptr_nonnull(strstr(text, "a (int) = 1 | file x.conf:100 1"));
	ck_assert_ptr_nonnull(strstr(text, "| default schema.conf:9 7\n"));
	clear(&m);
	schema_free(schema);
}
END_TEST

/* ---- against a naive second implementation */

enum { keys = 12, layers_max = 5 };

static const char *const key_names[keys] = { "a", "b.c", "b.d", "b-c", "e.f.g", "e.f.h",
					     "i", "j",	 "k.l", "k.m", "n",	"o" };
static const char *const values[] = { "1", "2", "70", "\"x\"", "true", "1.5", "\"5s\"" };

/* What a test knows of a rule: the int rules have 0..50. */
enum naive_rule { NO_RULE, INT_RULE, STRING_RULE, DURATION_RULE };

struct world {
	bool schema, strict;
	enum naive_rule rules[keys];
	int defaults[keys], required[keys];	/* defaults: -1 none, else index of values */
	unsigned layer_count;
	int set[layers_max][keys];		/* -1: not set, else index of values */
};

static bool naive_good(enum naive_rule rule, int value)
{
	switch (rule) {
	case INT_RULE:
		return value == 0 || value == 1;
	case STRING_RULE:
		return value == 3 || value == 6;
	case DURATION_RULE:
		return value == 6;
	default:
		return true;
	}
}

static struct world roll(struct dice *d)
{
	struct world w = { .schema = dice_below(d, 3) > 0, .strict = dice_below(d, 2) };

	w.layer_count = dice_below(d, layers_max + 1);
	for (int k = 0; k < keys; k++) {
		w.rules[k] = w.schema ? (enum naive_rule)dice_below(d, 4) : NO_RULE;
		w.required[k] = w.rules[k] != NO_RULE && dice_below(d, 4) == 0;
		do
			w.defaults[k] = w.rules[k] == NO_RULE ? -1 : (int)dice_below(d, 8) - 1;
		while (w.defaults[k] >= 0 && !naive_good(w.rules[k], w.defaults[k]));
		for (unsigned l = 0; l < w.layer_count; l++)
			w.set[l][k] = dice_below(d, 2) ? -1 : (int)dice_below(d, 7);
	}
	return w;
}

static const char *naive_type(const struct world *w, int k, int value)
{
	static const char *const literal_types[] = {
		"int", "int", "int", "string", "bool", "float", "string"
	};

	switch (w->rules[k]) {
	case INT_RULE:
		return "int";
	case STRING_RULE:
		return "string";
	case DURATION_RULE:
		return "duration";
	default:
		return literal_types[value];
	}
}

static const char *naive_shown(int value)
{
	static const char *const shown[] = { "1", "2", "70", "x", "true", "1.5", "5s" };

	return shown[value];
}

/* The tree as text, key by key, layer by layer from the top; and the number of problems. */
static const char *naive_merge(const struct world *w, const int *order, unsigned *ret_problems)
{
	prodd_auto_buffer text = { 0 };

	*ret_problems = 0;
	for (int i = 0; i < keys; i++) {
		int k = order[i], winner = -1;
		prodd_auto_buffer places = { 0 };
		bool any = false;

		for (int l = (int)w->layer_count - 1; l >= 0; l--) {
			int value = w->set[l][k];

			if (value < 0)
				continue;
			any = true;
			if (w->rules[k] == NO_RULE && w->schema && w->strict) {
				++*ret_problems;
				continue;
			}
			if (!naive_good(w->rules[k], value)) {
				++*ret_problems;
				continue;
			}
			winner = winner < 0 ? value : winner;
			trees_print(&places, " | file L%d:%d %s", l, k + 1, naive_shown(value));
		}
		if (w->defaults[k] >= 0)
			trees_print(&places, " | default schema.conf:9 %s", naive_shown(w->defaults[k]));
		if (winner < 0)
			winner = w->defaults[k];
		if (winner < 0 && !any && w->required[k])
			++*ret_problems;
		if (winner < 0 && w->rules[k] == NO_RULE) {
			continue;
		}
		trees_print(&text, "%s (%s)", key_names[k], naive_type(w, k, winner));
		if (winner >= 0)
			trees_print(&text, " = %s", naive_shown(winner));
		prodd_buffer_append(&text, places.at, places.size);
		trees_print(&text, "\n");
	}
	return trees_keep(&text);
}

static struct schema *world_schema(const struct world *w)
{
	static const char *const types[] = { "", "int", "string", "duration" };
	struct schema *schema = NULL;

	if (!w->schema)
		return NULL;
	ck_assert_int_eq(schema_new(&schema), 0);
	schema_set_strict(schema, w->strict);
	for (int k = 0; k < keys; k++) {
		struct wire_schema_key row = {
			.key = prodd_slice(key_names[k]), .type = prodd_slice(types[w->rules[k]]),
			.required = w->required[k], .origin = prodd_slice("schema.conf:9"),
		};

		if (w->rules[k] == NO_RULE)
			continue;
		if (w->rules[k] == INT_RULE) {
			row.min = literal("0");
			row.max = literal("50");
		}
		if (w->defaults[k] >= 0)
			row.def = literal(values[w->defaults[k]]);
		ck_assert_int_eq(schema_add(schema, &row, NULL), 0);
	}
	return schema;
}

/* In a random order: merging must not depend on how a file is sorted. */
static void world_layers(const struct world *w, struct dice *d, struct setting rows[layers_max][keys],
			 struct merge_layer *layers)
{
	static const char *const names[] = { "L0", "L1", "L2", "L3", "L4" };

	for (unsigned l = 0; l < w->layer_count; l++) {
		size_t count = 0;

		for (int k = 0; k < keys; k++)
			if (w->set[l][k] >= 0)
				rows[l][count++] = (struct setting)SET(key_names[k], values[w->set[l][k]],
								       (uint32_t)k + 1);
		for (size_t i = count; i > 1; i--) {
			size_t other = dice_below(d, (uint32_t)i);
			struct setting swap = rows[l][i - 1];

			rows[l][i - 1] = rows[l][other];
			rows[l][other] = swap;
		}
		layers[l] = layer_of(names[l], rows[l], count, l);
	}
}

static int by_name(const void *a, const void *b)
{
	return strcmp(key_names[*(const int *)a], key_names[*(const int *)b]);
}

START_TEST(merge_is_that_of_the_naive_one)
{
	struct dice d = dice_start("merge");
	int order[keys];

	for (int k = 0; k < keys; k++)
		order[k] = k;
	qsort(order, keys, sizeof *order, by_name);
	for (int round = 0; round < 3000; round++) {
		struct setting rows[layers_max][keys];
		struct merge_layer layers[layers_max];
		struct world w = roll(&d);
		struct schema *schema;
		unsigned problems;
		struct merged m;

		literals_reset();
		schema = world_schema(&w);
		world_layers(&w, &d, rows, layers);
		run(&m, schema, layers, w.layer_count);
		ck_assert_str_eq(entries_text(prodd_list(&m.entries, m.count)),
				 naive_merge(&w, order, &problems));
		ck_assert_uint_eq(problems_count(&m.problems), problems);
		clear(&m);
		schema_free(schema);
	}
}
END_TEST

int main(void)
{
	Suite *s = suite_create("merge");
	TCase *t = tcase_create("merge");

	tcase_set_timeout(t, 60);
	tcase_add_test(t, highest_layer_wins_and_all_are_named);
	tcase_add_test(t, without_schema_values_stay_as_written);
	tcase_add_test(t, every_error_of_every_file_is_reported);
	tcase_add_test(t, required_is_not_asked_of_broken_files);
	tcase_add_test(t, default_satisfies_required);
	tcase_add_test(t, key_twice_in_a_file_names_both_lines);
	tcase_add_test(t, group_and_value_of_one_name_are_reported_where_the_later_stands);
	tcase_add_test(t, lenient_schema_lets_strangers_pass);
	tcase_add_test(t, report_has_an_end);
	tcase_add_test(t, more_places_than_the_wire_carries);
	tcase_add_test(t, merge_is_that_of_the_naive_one);
	suite_add_tcase(s, t);
	return suite_run(s);
}
