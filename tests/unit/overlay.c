/* SPDX-License-Identifier: Apache-2.0 */
/* Environment variables to keys, by example and against a naive second implementation. */
#include "daemon/tree/overlay.h"

#include "daemon/tree/overrides.h"
#include "tests/unit/trees.h"

struct built {
	struct prodd_buffer entries;
	uint32_t count;
	struct problems errors, warnings;
};

struct pair {
	const char *name, *value;
};

static struct prodd_list variables_of(const struct pair *pairs)
{
	prodd_auto_buffer b = { 0 };
	struct prodd_slice kept;
	uint32_t count = 0;

	for (; pairs->name; pairs++) {
		struct wire_variable row = { prodd_slice(pairs->name), prodd_slice(pairs->value), 0 };

		ck_assert_int_eq(prodd_encode_element(&b, &count, &wire_record_variable, &row), 0);
	}
	kept = literals_keep(b.at, b.size);
	return (struct prodd_list){ kept.at, kept.size, count };
}

static struct prodd_list no_overrides;

static void build(struct built *ret, const struct schema *schema, const struct tree *tree,
		  const struct pair *pairs, struct prodd_list overrides)
{
	struct overlay_index *index = NULL;
	struct prodd_error e;

	*ret = (struct built){ 0 };
	ck_assert_int_eq(overlay_index_new(&index, schema, tree), 0);
	ck_assert_msg(overlay_build(index, variables_of(pairs), overrides, &ret->errors, &ret->warnings,
				    &ret->entries, &ret->count, &e) == 0,
		      "%s", e.text);
	overlay_index_free(index);
}

static const char *overlay_text(const struct built *b)
{
	struct prodd_iter it = prodd_iter(prodd_list(&b->entries, b->count));
	struct wire_config_entry entry;
	prodd_auto_buffer text = { 0 };
	char value[512];

	while (prodd_next(&it, &wire_record_config_entry, &entry, NULL) > 0) {
		value_text(entry.value, entry.type, value, sizeof value);
		trees_print(&text, "%.*s (%.*s) = %s%s\n", PRODD_SLICE(entry.key), PRODD_SLICE(entry.type),
			    value, entry.restart ? " restart" : "");
	}
	return trees_keep(&text);
}

static void clear(struct built *b)
{
	prodd_buffer_clear(&b->entries);
	problems_clear(&b->errors);
	problems_clear(&b->warnings);
}

static struct schema *orders(void)
{
	struct wire_schema_key max = { .key = prodd_slice("database.max_connections"),
				       .type = prodd_slice("int") };
	struct schema *schema = NULL;

	max.min = literal("1");
	max.max = literal("500");
	ck_assert_int_eq(schema_new(&schema), 0);
	ck_assert_int_eq(schema_add(schema, &max, NULL), 0);
	schema_with(schema, "server.port", "int^", NULL);
	schema_with(schema, "upstream.timeout", "duration", NULL);
	schema_with(schema, "upstream.hosts", "list", "[\"a\"]");
	schema_with(schema, "log-level", "string", NULL);
	return schema;
}

START_TEST(variables_find_their_keys)
{
	static const struct pair pairs[] = {
		{ "APP_UPSTREAM_TIMEOUT", "1500ms" },
		{ "APP_DATABASE__MAX_CONNECTIONS", "42" },
		{ "APP_server_Port", "81" },
		{ "APP_LOG_LEVEL", "debug" },
		{ "APP_UPSTREAM_HOSTS", "1,2" },
		{ "PATH", "/bin" },
		{ "APP_", "x" },
		{ "APP_NAME_OF_SOMETHING_ELSE", "x" },
		{ "app_server_port", "1" },
		{ NULL, NULL },
	};
	struct schema *schema = orders();
	struct built b;

	build(&b, schema, NULL, pairs, no_overrides);
	ck_assert_str_eq(overlay_text(&b), "database.max_connections (int) = 42\nlog-level (string) = debug\n"
			 "server.port (int) = 81 restart\nupstream.hosts (list) = [1, 2]\n"
			 "upstream.timeout (duration) = 1.5s\n");
	ck_assert_str_eq(problems_text(&b.errors), "");
	ck_assert_str_eq(problems_text(&b.warnings), "");
	clear(&b);
	schema_free(schema);
}
END_TEST

START_TEST(refused_values_name_the_variable)
{
	static const struct pair pairs[] = {
		{ "APP_DATABASE_MAX_CONNECTIONS", "700" },
		{ "APP_SERVER_PORT", "http" },
		{ "APP_LOG_LEVEL", "x" },
		{ "APP_LOG__LEVEL", "y" },
		{ NULL, NULL },
	};
	struct schema *schema = orders();
	struct built b;

	build(&b, schema, NULL, pairs, no_overrides);
	ck_assert_str_eq(problems_text(&b.errors),
			 "database.max_connections: APP_DATABASE_MAX_CONNECTIONS: 700 is not in 1..500\n"
			 "server.port: APP_SERVER_PORT: expected an int, got \"http\"\n");
	clear(&b);
	schema_free(schema);
}
END_TEST

START_TEST(near_names_are_reported_and_others_not)
{
	static const struct pair pairs[] = {
		{ "APP_DATABASE_MAX_CONECTIONS", "42" },
		{ "APP_SERVER_PROT", "1" },
		{ "APP_COLOUR", "x" },
		{ NULL, NULL },
	};
	struct schema *schema = orders();
	struct built b;

	build(&b, schema, NULL, pairs, no_overrides);
	ck_assert_str_eq(overlay_text(&b), "");
	ck_assert_str_eq(problems_text(&b.errors), "");
	ck_assert_str_eq(problems_text(&b.warnings),
		"database.max_connections: APP_DATABASE_MAX_CONECTIONS sets nothing; did you mean "
		"APP_DATABASE_MAX_CONNECTIONS?\n"
		"server.port: APP_SERVER_PROT sets nothing; did you mean APP_SERVER_PORT?\n");
	clear(&b);
	schema_free(schema);
}
END_TEST

START_TEST(name_for_two_keys_is_an_error_unless_spelled_out)
{
	static const struct pair vague[] = { { "APP_A_B_C", "1" }, { NULL, NULL } };
	static const struct pair exact[] = { { "APP_A__B_C", "1" }, { "APP_A_B__C", "2" }, { NULL, NULL } };
	static const struct pair twice[] = { { "APP_S_T", "1" }, { "APP_S__T", "1" }, { NULL, NULL } };
	struct schema *schema = NULL;
	struct built b;

	ck_assert_int_eq(schema_new(&schema), 0);
	schema_with(schema, "a.b_c", "int", NULL);
	schema_with(schema, "a_b.c", "int", NULL);
	schema_with(schema, "s.t", "int", NULL);
	build(&b, schema, NULL, vague, no_overrides);
	ck_assert_str_eq(problems_text(&b.errors),
			 "APP_A_B_C fits both a.b_c and a_b.c; write \"__\" for each dot\n");
	clear(&b);
	build(&b, schema, NULL, exact, no_overrides);
	ck_assert_str_eq(problems_text(&b.errors), "");
	ck_assert_str_eq(overlay_text(&b), "a.b_c (int) = 1\na_b.c (int) = 2\n");
	clear(&b);
	build(&b, schema, NULL, twice, no_overrides);
	ck_assert_str_eq(problems_text(&b.errors), "s.t: is set by both APP_S_T and APP_S__T\n");
	clear(&b);
	schema_free(schema);
}
END_TEST

static struct tree *plain_tree(struct prodd_buffer *bytes)
{
	static const char *const rows[][3] = {
		{ "database.max", "int", "5" }, { "name", "string", "\"x\"" }, { "tags", "list", "[\"a\"]" },
	};
	uint32_t count = 0;

	for (size_t i = 0; i < 3; i++) {
		struct wire_tree_entry entry = {
			.key = prodd_slice(rows[i][0]),
			.type = prodd_slice(rows[i][1]),
			.value = literal(rows[i][2]),
		};

		prodd_encode_element(bytes, &count, &wire_record_tree_entry, &entry);
	}
	return tree_of(bytes, count);
}

START_TEST(without_schema_the_files_give_the_type)
{
	static const struct pair good[] = {
		{ "APP_DATABASE_MAX", "7" }, { "APP_NAME", "7" }, { "APP_TAGS", "1,b" }, { NULL, NULL },
	};
	static const struct pair bad[] = { { "APP_DATABASE_MAX", "many" }, { NULL, NULL } };
	prodd_auto_buffer bytes = { 0 };
	struct tree *tree = plain_tree(&bytes);
	struct built b;

	build(&b, NULL, tree, good, no_overrides);
	ck_assert_str_eq(overlay_text(&b),
			 "database.max (int) = 7\nname (string) = 7\ntags (list) = [1, b]\n");
	clear(&b);
	build(&b, NULL, tree, bad, no_overrides);
	ck_assert_str_eq(problems_text(&b.errors),
			 "database.max: APP_DATABASE_MAX: expected an int, got \"many\"\n");
	clear(&b);
	tree_free(tree);
}
END_TEST

START_TEST(override_holds_its_key)
{
	static const struct pair pairs[] = { { "APP_DATABASE_MAX", "many" },
					     { "APP_NAME", "7" },
					     { NULL, NULL } };
	struct wire_override held = { .key = prodd_slice("database.max"), .text = prodd_slice("9") };
	prodd_auto_buffer bytes = { 0 };
	prodd_auto_buffer overrides = { 0 };
	uint32_t count = 0;
	struct tree *tree = plain_tree(&bytes);
	struct built b;

	prodd_encode_element(&overrides, &count, &wire_record_override, &held);
	build(&b, NULL, tree, pairs, prodd_list(&overrides, count));
	ck_assert_str_eq(problems_text(&b.errors), "");
	ck_assert_str_eq(overlay_text(&b), "name (string) = 7\n");
	clear(&b);
	tree_free(tree);
}
END_TEST

START_TEST(name_of_a_variable_finds_its_key_again)
{
	struct schema *schema = orders();
	struct overlay_index *index = NULL;
	struct prodd_slice key;
	char name[OVERLAY_NAME_MAX];

	ck_assert_int_eq(overlay_index_new(&index, schema, NULL), 0);
	overlay_variable_name(prodd_slice("database.max_connections"), name);
	ck_assert_str_eq(name, "APP_DATABASE_MAX_CONNECTIONS");
	ck_assert_int_eq(overlay_match(index, prodd_slice(name), &key), 1);
	ck_assert(prodd_slice_is(key, "database.max_connections"));
	ck_assert_int_eq(overlay_match(index, prodd_slice("APP_X"), &key), 0);
	ck_assert_int_eq(overlay_match(index, prodd_slice("DATABASE_MAX_CONNECTIONS"), &key), 0);
	overlay_index_free(index);
	schema_free(schema);
}
END_TEST

START_TEST(many_strange_variables_cost_little)
{
	enum { count = 500, keys = 5000 };
	static char names[count][40], values[keys][40];
	static struct pair pairs[count + 1];
	struct schema *schema = NULL;
	struct dice d = dice_start("strange");
	struct timespec before, after;
	struct built b;

	ck_assert_int_eq(schema_new(&schema), 0);
	for (int i = 0; i < keys; i++) {
		snprintf(values[i], sizeof values[i], "group%u.setting_number_%d", dice_below(&d, 9), i);
		schema_with(schema, values[i], "int", NULL);
	}
	for (int i = 0; i < count; i++) {
		snprintf(names[i], sizeof names[i], "APP_GROUP%u_SETTNIG_NMBER_%d", dice_below(&d, 9), i);
		pairs[i] = (struct pair){ names[i], "1" };
	}
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &before);
	build(&b, schema, NULL, pairs, no_overrides);
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &after);
	/* A generous bound: the budget of steps makes it some 20 ms; without it this takes seconds. */
	ck_assert_int_lt((after.tv_sec - before.tv_sec) * 1000 + (after.tv_nsec - before.tv_nsec) / 1000000,
			 1500);
	clear(&b);
	schema_free(schema);
}
END_TEST

/* ---- against a naive second implementation: all spellings of every key, written out */

enum { keys_max = 8 };

struct spellings {
	char text[64][64];
	unsigned count;
};

static void spell(struct spellings *s, const char *key, char *text, size_t size, bool all_dots)
{
	if (!*key) {
		text[size] = '\0';
		memcpy(s->text[s->count++], text, size + 1);
		return;
	}
	if (*key == '.' || *key == '-' || *key == '_') {
		text[size] = '_';
		if (*key != '.' || !all_dots)
			spell(s, key + 1, text, size + 1, all_dots);
		if (*key == '.') {
			text[size + 1] = '_';
			spell(s, key + 1, text, size + 2, all_dots);
		}
		return;
	}
	text[size] = *key;
	spell(s, key + 1, text, size + 1, all_dots);
}

static bool is_spelling(const char *key, const char *name, bool all_dots)
{
	struct spellings s = { .count = 0 };
	char text[64];

	spell(&s, key, text, 0, all_dots);
	for (unsigned i = 0; i < s.count; i++)
		if (strcasecmp(s.text[i], name) == 0)
			return true;
	return false;
}

static int naive_match(char keys[keys_max][64], int count, const char *name, const char **ret)
{
	int fits = 0, exact = 0;
	const char *one = NULL, *exact_one = NULL;

	for (int i = 0; i < count; i++) {
		if (is_spelling(keys[i], name, false)) {
			fits++;
			one = keys[i];
		}
		if (is_spelling(keys[i], name, true)) {
			exact++;
			exact_one = keys[i];
		}
	}
	if (fits > 1 && exact == 1 && strstr(name, "__")) {
		*ret = exact_one;
		return 1;
	}
	*ret = one;
	return fits > 1 ? 2 : fits;
}

static void roll_key(struct dice *d, char *key)
{
	static const char *const pieces[] = { ".", "_", "-", "__", "_-" };
	size_t size = 0;
	int parts = 1 + (int)dice_below(d, 4);

	for (int i = 0; i < parts; i++) {
		if (i > 0)
			size += (size_t)sprintf(
				key + size, "%s",
				pieces[dice_below(d, 10) < 7 ? dice_below(d, 3) : dice_below(d, 5)]);
		key[size++] = (char)("aAbB"[dice_below(d, 4)]);
	}
	key[size] = '\0';
}

/* Mostly a spelling of some key, in any case, sometimes damaged. */
static void roll_name(struct dice *d, char keys[keys_max][64], int count, char *name)
{
	const char *key = keys[dice_below(d, (uint32_t)count)];
	size_t size = (size_t)sprintf(name, "APP_");

	for (; *key; key++) {
		bool separator = strchr("._-", *key) != NULL;

		name[size] = separator ? '_' : *key;
		if (!separator && dice_below(d, 2))
			name[size] = (char)(name[size] ^ 0x20);
		size++;
		if (separator && dice_below(d, 3) == 0)
			name[size++] = '_';
		if (dice_below(d, 20) == 0)
			name[size++] = "_xa"[dice_below(d, 3)];
	}
	name[size] = '\0';
}

START_TEST(matching_is_that_of_the_naive_one)
{
	struct dice d = dice_start("overlay");
	unsigned seen[3] = { 0 };

	for (int round = 0; round < 4000; round++) {
		char keys[keys_max][64], name[256];
		int wanted = 1 + (int)dice_below(&d, keys_max), count = 0;
		struct overlay_index *index = NULL;
		struct schema *schema = NULL;
		struct prodd_slice key = { NULL, 0 };
		const char *naive_key = NULL;
		int result, naive;

		ck_assert_int_eq(schema_new(&schema), 0);
		for (int i = 0; i < wanted; i++) {
			struct wire_schema_key row = { .type = prodd_slice("int") };

			roll_key(&d, keys[count]);
			row.key = prodd_slice(keys[count]);
			if (!schema_find(schema, row.key) && schema_add(schema, &row, NULL) == 0)
				count++;
		}
		ck_assert_int_eq(overlay_index_new(&index, schema, NULL), 0);
		if (count > 0) {
			roll_name(&d, keys, count, name);
			result = overlay_match(index, prodd_slice(name), &key);
			naive = naive_match(keys, count, name + 4, &naive_key);
			ck_assert_msg(result == naive, "%s: %d, naive %d", name, result, naive);
			ck_assert_msg(result != 1 || prodd_slice_is(key, naive_key), "%s", name);
			seen[result]++;
		}
		overlay_index_free(index);
		schema_free(schema);
	}
	printf("none %u, one %u, several %u\n", seen[0], seen[1], seen[2]);
	ck_assert(seen[0] > 50 && seen[1] > 50 && seen[2] > 50);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("overlay");
	TCase *t = tcase_create("overlay");

	tcase_set_timeout(t, 60);
	tcase_add_test(t, variables_find_their_keys);
	tcase_add_test(t, refused_values_name_the_variable);
	tcase_add_test(t, near_names_are_reported_and_others_not);
	tcase_add_test(t, name_for_two_keys_is_an_error_unless_spelled_out);
	tcase_add_test(t, without_schema_the_files_give_the_type);
	tcase_add_test(t, override_holds_its_key);
	tcase_add_test(t, name_of_a_variable_finds_its_key_again);
	tcase_add_test(t, many_strange_variables_cost_little);
	tcase_add_test(t, matching_is_that_of_the_naive_one);
	suite_add_tcase(s, t);
	return suite_run(s);
}
