/* SPDX-License-Identifier: Apache-2.0 */
/* Trees as they are opened, compared and served; and overrides laid over them. */
#include "daemon/tree/tree.h"

#include "daemon/tree/overrides.h"
#include "tests/unit/trees.h"

struct row {
	const char *key, *type, *value, *file;
	bool restart;
};

static struct tree *make(struct prodd_buffer *bytes, const struct row *rows, size_t size)
{
	uint32_t count = 0;

	for (size_t i = 0; i < size; i++) {
		struct wire_candidate place = { .layer = prodd_slice("file"),
						.file = prodd_slice(rows[i].file),
						.line = 7 };
		prodd_auto_buffer places = { 0 };
		uint32_t place_count = 0;
		struct wire_tree_entry entry = {
			.key = prodd_slice(rows[i].key),
			.type = prodd_slice(rows[i].type),
			.restart = rows[i].restart,
		};

		if (rows[i].value)
			entry.value = literal(rows[i].value);
		if (rows[i].file)
			prodd_encode_element(&places, &place_count, &wire_record_candidate, &place);
		entry.candidates = prodd_list(&places, place_count);
		ck_assert_int_eq(prodd_encode_element(bytes, &count, &wire_record_tree_entry, &entry), 0);
	}
	return tree_of(bytes, count);
}

#define MAKE(bytes, rows) make(bytes, rows, sizeof rows / sizeof *rows)

static const struct row old_rows[] = {
	{ "a", "int", "1", "x.conf", false },	{ "b", "duration", "1500000000", NULL, false },
	{ "c", "int", NULL, NULL, false },	{ "d", "string", "\"gone\"", "x.conf", false },
	{ "e", "int", "5", "x.conf", true },	{ "same", "int", "5", "x.conf", false },
	{ "type", "int", "5", "x.conf", false }, { "unset", "int", "5", "x.conf", false },
};
static const struct row new_rows[] = {
	{ "a", "int", "2", "y.conf", false },	{ "b", "duration", "2000000000", "y.conf", false },
	{ "c", "int", "3", "y.conf", false },	{ "e", "int", "6", "y.conf", true },
	{ "f", "int", NULL, NULL, false },	{ "g", "list", "[1]", NULL, false },
	{ "same", "int", "5", "moved.conf", false }, { "type", "size", "5", "x.conf", false },
	{ "unset", "int", NULL, NULL, false },
};

static const char *changes_text(const struct tree *old, const struct tree *now)
{
	struct tree_diff d = tree_diff(old, now);
	prodd_auto_buffer rows = { 0 };
	prodd_auto_buffer text = { 0 };
	struct tree_change change;
	struct wire_change row;
	struct prodd_iter it;
	uint32_t count = 0;

	while (tree_diff_next(&d, &change))
		ck_assert_int_eq(tree_change_encode(&change, &rows, &count), 0);
	ck_assert_uint_eq(count, tree_diff_count(old, now));
	it = prodd_iter(prodd_list(&rows, count));
	while (prodd_next(&it, &wire_record_change, &row, NULL) > 0)
		trees_print(&text, "%s%s%.*s: %.*s -> %.*s %.*s:%u%s\n", row.added ? "+" : "",
			    row.removed ? "-" : "", PRODD_SLICE(row.key), PRODD_SLICE(row.old),
			    PRODD_SLICE(row.now), PRODD_SLICE(row.file), (unsigned)row.line,
			    row.restart ? " restart" : "");
	return trees_keep(&text);
}

START_TEST(difference_names_what_changed)
{
	prodd_auto_buffer old_bytes = { 0 };
	prodd_auto_buffer new_bytes = { 0 };
	struct tree *old = MAKE(&old_bytes, old_rows), *now = MAKE(&new_bytes, new_rows);

	ck_assert_str_eq(
		changes_text(old, now),
		"a: 1 -> 2 y.conf:7\nb: 1.5s -> 2s y.conf:7\n+c:  -> 3 y.conf:7\n-d: gone ->  :0\n"
		"e: 5 -> 6 y.conf:7 restart\n+g:  -> [1] :0\ntype: 5 -> 5 x.conf:7\n-unset: 5 ->  :0\n");
	ck_assert_str_eq(changes_text(old, old), "");
	ck_assert_str_eq(changes_text(NULL, NULL), "");
	ck_assert_uint_eq(tree_diff_count(NULL, now), 7);
	ck_assert_uint_eq(tree_diff_count(old, NULL), 7);
	ck_assert_uint_eq(tree_count_set(old), 7);
	tree_free(old);
	tree_free(now);
}
END_TEST

START_TEST(entries_are_found)
{
	prodd_auto_buffer bytes = { 0 };
	struct tree *tree = MAKE(&bytes, old_rows);

	for (size_t i = 0; i < tree->count; i++)
		ck_assert_ptr_eq(tree_find(tree, prodd_slice(old_rows[i].key)), &tree->entries[i]);
	ck_assert_ptr_null(tree_find(tree, prodd_slice("sam")));
	ck_assert_ptr_null(tree_find(tree, prodd_slice("z")));
	ck_assert_ptr_null(tree_find(NULL, prodd_slice("a")));
	ck_assert_uint_eq(tree_lower_bound(tree, prodd_slice("d5")), 4);
	tree_free(tree);
}
END_TEST

START_TEST(snapshot_has_no_origins)
{
	prodd_auto_buffer bytes = { 0 };
	prodd_auto_buffer snapshot = { 0 };
	struct tree *tree = MAKE(&bytes, old_rows);
	struct wire_config_entry entry;
	struct prodd_iter it;
	uint32_t count = 0;

	ck_assert_int_eq(tree_snapshot(tree, &snapshot, &count), 0);
	ck_assert_uint_eq(count, tree->count);
	it = prodd_iter(prodd_list(&snapshot, count));
	for (uint32_t i = 0; i < count; i++) {
		ck_assert_int_eq(prodd_next(&it, &wire_record_config_entry, &entry, NULL), 1);
		ck_assert(prodd_slice_equal(entry.key, tree->entries[i].key));
		ck_assert(prodd_slice_equal(entry.value, tree->entries[i].value));
		ck_assert_int_eq(entry.restart, tree->entries[i].restart);
	}
	ck_assert_int_eq(prodd_next(&it, &wire_record_config_entry, &entry, NULL), 0);
	tree_free(tree);
}
END_TEST

START_TEST(damaged_trees_are_refused)
{
	static const struct row unsorted[] = { { "b", "int", "1", NULL, false },
					       { "a", "int", "1", NULL, false } };
	static const struct row twice[] = { { "a", "int", "1", NULL, false },
					    { "a", "int", "1", NULL, false } };
	const struct row *const tables[] = { unsorted, twice };
	struct prodd_list too_many = { "\x80", 1, 5000000 }, short_list = { "\x80", 1, 1 };
	struct tree *tree = NULL;
	struct prodd_error e;

	for (int i = 0; i < 2; i++) {
		prodd_auto_buffer bytes = { 0 };
		uint32_t count = 0;

		for (int k = 0; k < 2; k++) {
			struct wire_tree_entry entry = {
				.key = prodd_slice(tables[i][k].key),
				.type = prodd_slice("int"),
				.value = literal("1"),
			};

			prodd_encode_element(&bytes, &count, &wire_record_tree_entry, &entry);
		}
		ck_assert_int_eq(tree_open(prodd_list(&bytes, count), &tree, &e), -PRODD_E_CORRUPT);
		ck_assert_str_eq(e.text, "a: settings are not sorted by key");
	}
	ck_assert_int_eq(tree_open(too_many, &tree, &e), -PRODD_E_CORRUPT);
	ck_assert_int_lt(tree_open(short_list, &tree, &e), 0);
	ck_assert_ptr_null(tree);
}
END_TEST

/* ---- overrides */

static struct prodd_list overrides_of(const char *const rows[][3], size_t size)
{
	prodd_auto_buffer b = { 0 };
	struct prodd_slice kept;
	uint32_t count = 0;

	for (size_t i = 0; i < size; i++) {
		struct wire_override row = {
			.key = prodd_slice(rows[i][0]),
			.text = prodd_slice(rows[i][1]),
			.who = prodd_slice(rows[i][2]),
		};

		prodd_encode_element(&b, &count, &wire_record_override, &row);
	}
	kept = literals_keep(b.at, b.size);
	return (struct prodd_list){ kept.at, kept.size, count };
}

static const char *laid(const struct tree *tree, const struct schema *schema, struct prodd_list overrides,
			struct problems *problems)
{
	prodd_auto_buffer bytes = { 0 };
	struct prodd_error e;
	uint32_t count = 0;

	ck_assert_msg(overrides_apply(tree, schema, overrides, problems, &bytes, &count, &e) == 0, "%s",
		      e.text);
	tree_free(tree_of(&bytes, count));		/* it is sorted */
	return entries_text(prodd_list(&bytes, count));
}

static const struct row files[] = {
	{ "a", "int", "1", "x.conf", false }, { "s", "string", "\"x\"", "x.conf", false },
};

START_TEST(override_wins_and_is_named)
{
	static const char *const rows[][3] = {
		{ "s", "5", "root" },
		{ "a", "7", "root" },
		{ "new.key", "30s", "alice" },
		{ "a", "8", "bob" },
	};
	prodd_auto_buffer bytes = { 0 };
	struct tree *tree = MAKE(&bytes, files);
	problems_auto problems = { 0 };

	ck_assert_str_eq(laid(tree, NULL, overrides_of(rows, 4), &problems),
			 "a (int) = 8 | override bob:0 8 | file x.conf:7 \n"
			 "new.key (string) = 30s | override alice:0 30s\n"
			 "s (string) = 5 | override root:0 5 | file x.conf:7 \n");
	ck_assert_str_eq(problems_text(&problems), "");
	ck_assert(overrides_hold(overrides_of(rows, 4), prodd_slice("new.key")));
	ck_assert(!overrides_hold(overrides_of(rows, 4), prodd_slice("new")));
	tree_free(tree);
}
END_TEST

START_TEST(refused_override_leaves_the_files_value)
{
	static const char *const rows[][3] = {
		{ "a", "many", "root" }, { "aa", "1", "root" }, { "s.t", "1", "" }, { "b", "1", "root" },
	};
	prodd_auto_buffer bytes = { 0 };
	struct tree *tree = MAKE(&bytes, files);
	problems_auto strict = { 0 };
	problems_auto lenient = { 0 };
	struct schema *schema = NULL;

	ck_assert_int_eq(schema_new(&schema), 0);
	schema_with(schema, "a", "int", NULL);
	schema_with(schema, "s", "string", NULL);
	ck_assert_str_eq(laid(tree, schema, overrides_of(rows, 4), &strict),
			 "a (int) = 1 | file x.conf:7 \ns (string) = x | file x.conf:7 \n");
	ck_assert_str_eq(
		problems_text(&strict),
		"a: expected an int, got \"many\" (override many set by root; prodctl config unset ends it)\n"
		"aa: unknown key; did you mean \"a\"? (override 1 set by root; prodctl config unset ends "
		"it)\n"
		"b: unknown key (override 1 set by root; prodctl config unset ends it)\n"
		"s.t: unknown key (override 1; prodctl config unset ends it)\n");
	schema_set_strict(schema, false);
	laid(tree, schema, overrides_of(rows, 4), &lenient);
	ck_assert_str_eq(
		problems_text(&lenient),
		"a: expected an int, got \"many\" (override many set by root; prodctl config unset ends it)\n"
		"s.t: cannot be a key beside \"s\": a name is a value or a group (override 1; prodctl config "
		"unset ends it)\n");
	schema_free(schema);
	tree_free(tree);
}
END_TEST

/* One place more than the wire carries: the lowest is left out. */
START_TEST(override_over_many_places)
{
	static const char *const rows[][3] = { { "a", "7", "root" } };
	struct wire_tree_entry entry = { .key = prodd_slice("a"),
					 .type = prodd_slice("int"),
					 .value = literal("1") };
	problems_auto problems = { 0 };
	prodd_auto_buffer bytes = { 0 };
	prodd_auto_buffer places = { 0 };
	uint32_t count = 0, place_count = 0;
	struct tree *tree;
	const char *text;

	for (unsigned i = 64; i > 0; i--) {
		struct wire_candidate place = { .layer = prodd_slice("file"),
						.file = prodd_slice("x"),
						.line = i };

		prodd_encode_element(&places, &place_count, &wire_record_candidate, &place);
	}
	entry.candidates = prodd_list(&places, place_count);
	prodd_encode_element(&bytes, &count, &wire_record_tree_entry, &entry);
	tree = tree_of(&bytes, count);
	text = laid(tree, NULL, overrides_of(rows, 1), &problems);
	ck_assert_ptr_nonnull(strstr(text, "a (int) = 7 | override root:0 7 | file x:64 "));
	ck_assert_ptr_nonnull(strstr(text, "| file x:2 \n"));
	tree_free(tree);
}
END_TEST

START_TEST(one_override_can_be_asked_before)
{
	prodd_auto_buffer bytes = { 0 };
	struct tree *tree = MAKE(&bytes, files);
	char why[VALUE_WHY_MAX];

	ck_assert_int_eq(overrides_check(tree, NULL, prodd_slice("a"), prodd_slice("5"), why), 0);
	ck_assert_int_eq(overrides_check(tree, NULL, prodd_slice("a"), prodd_slice("x"), why),
			 -PRODD_E_INVALID);
	ck_assert_str_eq(why, "expected an int, got \"x\"");
	ck_assert_int_eq(overrides_check(tree, NULL, prodd_slice("bad key"), prodd_slice("x"), why),
			 -PRODD_E_INVALID);
	ck_assert_str_eq(why, "cannot be a key");
	ck_assert_int_eq(overrides_check(NULL, NULL, prodd_slice("a"), prodd_slice("x"), why), 0);
	tree_free(tree);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("tree");
	TCase *t = tcase_create("tree");

	tcase_set_timeout(t, 60);
	tcase_add_test(t, difference_names_what_changed);
	tcase_add_test(t, entries_are_found);
	tcase_add_test(t, snapshot_has_no_origins);
	tcase_add_test(t, damaged_trees_are_refused);
	tcase_add_test(t, override_wins_and_is_named);
	tcase_add_test(t, refused_override_leaves_the_files_value);
	tcase_add_test(t, override_over_many_places);
	tcase_add_test(t, one_override_can_be_asked_before);
	suite_add_tcase(s, t);
	return suite_run(s);
}
