/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Without memory, at the first allocation, the second, and so on: an error or
 * nothing lost, never a crash or a leak.  The linker puts the functions below
 * before malloc and its like (--wrap).
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "client/adoption.h"
#include "client/handle.h"
#include "tests/unit/client_served.h"
#include "tests/unit/client_suite.h"

static unsigned countdown;		/* 0: nothing fails */

static bool fails(void)
{
	if (countdown == 0 || --countdown > 0)
		return false;
	errno = ENOMEM;
	return true;
}

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *at, size_t size);
char *__real_strdup(const char *text);

void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *at, size_t size);
char *__wrap_strdup(const char *text);

void *__wrap_malloc(size_t size)
{
	return fails() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
	return fails() ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *at, size_t size)
{
	return fails() ? NULL : __real_realloc(at, size);
}

char *__wrap_strdup(const char *text)
{
	return fails() ? NULL : __real_strdup(text);
}

/* Calls `scene` with the first allocation failing, the second ..., until it needs fewer than that. Returns
 * how many it needs. A scene returns whether it came out well. */
static unsigned with_each_failing(bool (*scene)(void))
{
	unsigned n = 0;
	bool well, met;

	do {
		countdown = ++n;
		well = scene();
		met = countdown == 0;
		countdown = 0;
		if (!met && !well)
			ck_abort_msg("it fails with all the memory it asks for");
	} while (met);
	return n - 1;
}

/* In a scene; the assertion itself needs memory. */
static void holds(bool condition)
{
	unsigned left = countdown;

	countdown = 0;
	ck_assert(condition);
	countdown = left;
}

static struct prodd *p;
static struct served one, two;

static void setup(void)
{
	static const char *const list = "\x92\xa1x\x02";
	char name[64];

	served_int(&one, "a", "int", 1, false);
	served_value(&one, "b", "list", (struct prodd_slice){ list, 4 }, true);
	served_string(&one, "c", "string", "text");
	for (int i = 0; i < 600; i++) {	/* some chunks of the arena: the next one is asked for at any place */
		snprintf(name, sizeof name, "d%03d%.*s", i, i % 40, "a name of one length or the other, up to this");
		served_string(&one, name, "string", &"a value of some length"[i % 9]);
	}
	served_int(&two, "a", "int", 2, false);
	served_value(&two, "b", "list", (struct prodd_slice){ "\x90", 1 }, true);
	served_string(&two, "c", "string", "other text");
	p = prodd_new("orders");
	prodd_set_log(p, NULL, NULL);
}

static void teardown(void)
{
	prodd_free(p);
	served_clear(&one);
	served_clear(&two);
}

/* ---- scenes */

static bool make_a_handle(void)
{
	struct prodd *made = prodd_new("orders");
	bool well = made && prodd_set_instance(made, "1") == 0 &&
		    prodd_set_socket(made, "/nonexistent") == 0 &&
		    prodd_set_cache(made, "/nonexistent") == 0 && prodd_set_log(made, NULL, NULL) == 0 &&
		    prodd_set_own_loop(made) == 0 && prodd_start(made, NULL) == 0 &&
		    prodd_dispatch(made, NULL) == 0;

	prodd_free(made);
	return well;
}

/* Whatever is missing, what is there counts. */
static bool count_metrics(void)
{
	static const char *const labels[] = { "method" };
	struct prodd *made = prodd_new("orders");
	struct prodd_counter_family *family;
	struct prodd_counter *counters[3];
	struct prodd_histogram *h;
	bool well;

	prodd_set_log(made, NULL, NULL);
	well = prodd_metric_unit(made, "wait_seconds", "seconds") == 0;
	counters[0] = prodd_counter(made, "a_total", "A.");
	family = prodd_counter_family(made, "b_total", "B.", labels, 1);
	counters[1] = prodd_counter_with(family, "GET");
	counters[2] = prodd_counter_with(family, "\xff");	/* overflow */
	h = prodd_histogram(made, "wait_seconds", "", NULL, 0);
	for (int i = 0; i < 3; i++) {
		prodd_inc(counters[i]);
		well = well && counters[i];
	}
	prodd_observe(h, 1);
	prodd_free(made);
	return well && h;
}

static bool declare_keys(void)
{
	static const char *const words[] = { "x", "y", NULL };
	static const struct prodd_schema_key keys[] = {
		{ .key = "a", .type = "int", .def = "1", .min = "0", .max = "9" },
		{ .key = "b", .type = "list", .def_list = words, .one_of = words },
	};
	struct prodd_declared declared = { 0 };
	struct prodd_error e = { 0 };
	int r = prodd_declared_add(&declared, keys, 2, sizeof *keys, &e);

	holds(r == 0 || (r == -PRODD_E_NO_MEMORY && declared.key_count == 0 && e.text[0]));
	prodd_declared_clear(&declared);
	return r == 0;
}

static int no_change(struct prodd *of, const struct prodd_config *now, const struct prodd_changes *changes,
		     struct prodd_error *why, void *arg)
{
	(void)of, (void)now, (void)changes, (void)why, (void)arg;
	return 0;
}

/* From generation 1 to 2 by an offer; whatever fails, the one or the other is in use, whole. */
static bool change(void)
{
	struct wire_apply apply = { .epoch = prodd_slice("e"), .generation = 1, .hash = prodd_slice("h1"),
				    .snapshot = served_list(&one) };
	struct wire_offer offer = { .txn = 1,
				    .epoch = prodd_slice("e"),
				    .generation = 2,
				    .hash = prodd_slice("h2"),
				    .snapshot = served_list(&two) };
	struct wire_commit commit = { .txn = 1, .generation = 2 };
	struct prodd_engine *engine = prodd_engine_new(p, NULL);
	prodd_auto_config const struct prodd_config *c = NULL;
	struct wire_applied applied;
	struct wire_verdict verdict;
	struct prodd_error e;
	int r;

	if (!engine)
		return false;
	engine->adoption.cache.directory = "/nonexistent";
	r = prodd_adoption_apply(&engine->adoption, &apply, &applied, &e);
	if (r == 0)
		r = prodd_adoption_offer(&engine->adoption, &offer, &verdict, &e);
	if (r == 0)
		r = prodd_adoption_commit(&engine->adoption, &commit, &applied, &e);
	prodd_adoption_save(&engine->adoption);
	holds(r == 0 || r == -PRODD_E_NO_MEMORY);
	c = prodd_config(p);
	holds(!c || prodd_config_int(c, "a") == (int64_t)prodd_config_generation(c));
	prodd_snapshot_use(&p->current, NULL);
	prodd_engine_free(engine);
	return r == 0;
}

static bool read_texts(void)
{
	prodd_auto_config const struct prodd_config *c =
		served_config(&one, NULL, 1, NULL, &p->keys, p->messages);
	bool well = strcmp(prodd_config_string_or(c, "b", "-"), "[x, 2]") == 0;

	return prodd_key(p, "a").name && well;
}

START_TEST(a_handle_is_made_or_not)
{
	ck_assert_uint_gt(with_each_failing(make_a_handle), 8);
}
END_TEST

START_TEST(a_metric_is_there_or_counts_nothing)
{
	ck_assert_uint_gt(with_each_failing(count_metrics), 8);
}
END_TEST

START_TEST(a_schema_is_added_whole_or_not)
{
	ck_assert_uint_gt(with_each_failing(declare_keys), 5);
}
END_TEST

START_TEST(a_change_goes_through_or_not)
{
	prodd_on_change(p, no_change, NULL);
	ck_assert_uint_gt(with_each_failing(change), 10);
}
END_TEST

/* served_config asserts that it gets its memory: what is counted begins after it. */
START_TEST(a_text_is_there_or_the_fallback)
{
	prodd_auto_config const struct prodd_config *c =
		served_config(&one, NULL, 1, NULL, &p->keys, p->messages);

	for (unsigned n = 1; n < 4; n++) {
		countdown = n;
		ck_assert_str_ne(prodd_config_string_or(c, "b", "-"), "");
		countdown = 0;
	}
	ck_assert(read_texts());
}
END_TEST

int main(void)
{
	Suite *s = suite_create("client: without memory");
	TCase *tc = tcase_create("memory");

	suite_add_tcase(s, tc);
	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, a_handle_is_made_or_not);
	tcase_add_test(tc, a_metric_is_there_or_counts_nothing);
	tcase_add_test(tc, a_schema_is_added_whole_or_not);
	tcase_add_test(tc, a_change_goes_through_or_not);
	tcase_add_test(tc, a_text_is_there_or_the_fallback);
	return client_suite_run(s);
}
