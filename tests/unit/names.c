/* SPDX-License-Identifier: Apache-2.0 */
/* Allowed names, and the nearest one: its distance against a naive second implementation. */
#include "daemon/tree/names.h"

#include "daemon/tree/suggest.h"
#include "tests/unit/suite.h"

struct row {
	const char *name;
	bool key, pattern, app, instance, environment;
};

static const struct row rows[] = {
	{ "database.max_connections", true, true, false, true, true },
	{ "a", true, true, true, true, true },
	{ "a-b.C_d.e9", true, true, false, true, true },
	{ "", false, false, false, false, false },
	{ ".a", false, false, false, false, false },
	{ "a.", false, false, false, true, true },
	{ "a..b", false, false, false, true, true },
	{ "9a", false, false, false, true, true },
	{ "_a", false, false, false, true, false },
	{ "-a", false, false, false, false, false },
	{ "a b", false, false, false, false, false },
	{ "a/b", false, false, false, false, false },
	{ "app.*.unit", false, true, false, false, false },
	{ "app.*x.unit", false, false, false, false, false },
	{ "*", false, true, false, false, false },
	{ "orders", true, true, true, true, true },
	{ "Orders", true, true, false, true, true },
	{ "orders~alice", false, false, false, false, false },
	{ "prodd", true, true, false, true, true },
	{ "prodd2", true, true, true, true, true },
	{ "8080+4711", false, false, false, true, false },
	{ "web-1:tcp@host", false, false, false, true, false },
	{ "default", true, true, true, true, false },
	{ "schema", true, true, true, true, false },
	{ "declared", true, true, true, true, false },
	{ "..", false, false, false, false, false },
	{ "caf\xc3\xa9", false, false, false, false, false },
	{ "a.b.c.d.e.f.g.h.i.j.k.l.m.n.o.p", true, true, false, true, true },
	{ "a.b.c.d.e.f.g.h.i.j.k.l.m.n.o.p.q", false, false, false, true, true },
};

START_TEST(each_kind_has_its_rule)
{
	const struct row *r = &rows[_i];
	struct prodd_slice name = prodd_slice(r->name);

	ck_assert_msg(names_key(name) == r->key, "key \"%s\"", r->name);
	ck_assert_msg(names_key_pattern(name) == r->pattern, "pattern \"%s\"", r->name);
	ck_assert_msg(names_app(name) == r->app, "app \"%s\"", r->name);
	ck_assert_msg(names_instance(name) == r->instance, "instance \"%s\"", r->name);
	ck_assert_msg(names_environment(name) == r->environment, "environment \"%s\"", r->name);
}
END_TEST

START_TEST(lengths_are_limited)
{
	char name[300];

	memset(name, 'a', sizeof name);
	ck_assert(names_key((struct prodd_slice){ name, 255 }) &&
		  !names_key((struct prodd_slice){ name, 256 }));
	ck_assert(names_app((struct prodd_slice){ name, 63 }) &&
		  !names_app((struct prodd_slice){ name, 64 }));
	ck_assert(names_instance((struct prodd_slice){ name, 128 }));
	ck_assert(!names_instance((struct prodd_slice){ name, 129 }));
	ck_assert(names_environment((struct prodd_slice){ name, 63 }));
	ck_assert(!names_environment((struct prodd_slice){ name, 64 }));
	ck_assert(!names_app((struct prodd_slice){ "a\0b", 3 }) &&
		  !names_key((struct prodd_slice){ "a\0b", 3 }));
}
END_TEST

/* The definition of the restricted distance, recursively. */
static unsigned naive(const char *a, size_t n, const char *b, size_t m)
{
	unsigned best, other;

	if (n == 0 || m == 0)
		return (unsigned)(n + m);
	best = naive(a, n - 1, b, m - 1) + (a[n - 1] != b[m - 1]);
	other = naive(a, n - 1, b, m) + 1;
	best = other < best ? other : best;
	other = naive(a, n, b, m - 1) + 1;
	best = other < best ? other : best;
	if (n > 1 && m > 1 && a[n - 1] == b[m - 2] && a[n - 2] == b[m - 1]) {
		other = naive(a, n - 2, b, m - 2) + 1;
		best = other < best ? other : best;
	}
	return best;
}

START_TEST(distance_is_that_of_the_definition)
{
	struct dice d = dice_start("distance");

	for (int round = 0; round < 2000; round++) {
		char a[8], b[8];
		size_t n = dice_below(&d, 7), m = dice_below(&d, 7);
		unsigned limit = dice_below(&d, 8), distance;

		for (size_t i = 0; i < 8; i++) {
			a[i] = (char)('a' + dice_below(&d, 3));
			b[i] = (char)('a' + dice_below(&d, 3));
		}
		distance = naive(a, n, b, m);
		ck_assert_uint_eq(suggest_distance((struct prodd_slice){ a, n }, (struct prodd_slice){ b, m },
						   limit, NULL),
				  distance > limit ? limit + 1 : distance);
	}
}
END_TEST

static const char *nearest(const char *word, const char *const *names, size_t *budget)
{
	struct suggest s = suggest_for(prodd_slice(word), budget);

	for (; *names; names++)
		suggest_offer(&s, prodd_slice(*names));
	return s.nearest.size ? s.nearest.at : NULL;
}

START_TEST(nearest_name_is_found)
{
	static const char *const names[] = { "upstream.timeout", "database.host", "server.port", "log",
					     NULL };

	ck_assert_str_eq(nearest("upstream.timout", names, NULL), "upstream.timeout");
	ck_assert_str_eq(nearest("databsae.host", names, NULL), "database.host");
	ck_assert_str_eq(nearest("lgo", names, NULL), "log");
	ck_assert_ptr_null(nearest("abc", names, NULL));
	ck_assert_ptr_null(nearest("completely.else", names, NULL));
	ck_assert_ptr_null(nearest("", names, NULL));
}
END_TEST

START_TEST(search_ends_with_its_budget)
{
	static const char *const names[] = { "upstream.timeout", NULL };
	size_t enough = 10000, little = 5;

	ck_assert_ptr_nonnull(nearest("upstream.timout", names, &enough));
	ck_assert_uint_lt(enough, 10000);
	ck_assert_ptr_null(nearest("upstream.timout", names, &little));
	ck_assert_uint_eq(little, 0);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("names");
	TCase *t = tcase_create("names");

	tcase_set_timeout(t, 60);
	tcase_add_loop_test(t, each_kind_has_its_rule, 0, sizeof rows / sizeof *rows);
	tcase_add_test(t, lengths_are_limited);
	tcase_add_test(t, distance_is_that_of_the_definition);
	tcase_add_test(t, nearest_name_is_found);
	tcase_add_test(t, search_ends_with_its_budget);
	suite_add_tcase(s, t);
	return suite_run(s);
}
