/* SPDX-License-Identifier: Apache-2.0 */
/* Readers take and give back references while a writer replaces: nothing is freed early, nothing is left. */
#include "client/current.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/names.h"
#include "tests/unit/client_suite.h"

enum { readers = 32, reads_least = 100 };

/* Alive while `number` says so; freed by whoever gives the last reference back. */
struct thing {
	struct prodd_counted counted;
	unsigned number;
};

static struct prodd_current current;
static atomic_int alive;
static atomic_bool done;

static struct thing *thing_of(struct prodd_counted *c)
{
	return (struct thing *)((char *)c - offsetof(struct thing, counted));
}

static void thing_free(struct prodd_counted *c)
{
	thing_of(c)->number = 0;
	free(thing_of(c));
	atomic_fetch_sub(&alive, 1);
}

static struct prodd_counted *thing_new(unsigned number)
{
	struct thing *thing = malloc(sizeof *thing);

	prodd_counted_init(&thing->counted);
	thing->number = number;
	atomic_fetch_add(&alive, 1);
	return &thing->counted;
}

static void put(struct prodd_counted *next)
{
	struct prodd_counted *last = prodd_current_set(&current, next);

	if (last)
		thing_free(last);
}

static void give_back(struct prodd_counted *c)
{
	if (prodd_counted_unref(c))
		thing_free(c);
}

/* Numbers rise; a number of 0 would be a freed thing. */
static void *read_on(void *arg)
{
	unsigned seen = 0, reads = 0;
	struct prodd_counted *held = NULL;

	(void)arg;
	while (!atomic_load(&done) || reads < reads_least) {
		struct prodd_counted *c = prodd_current_get(&current);

		if (!c || thing_of(c)->number < seen)
			abort();
		seen = thing_of(c)->number;
		if (++reads % 7 == 0) {
			if (held)
				give_back(held);
			prodd_counted_ref(c);
			held = c;
		}
		give_back(c);
	}
	if (held)
		give_back(held);
	return NULL;
}

START_TEST(readers_never_see_what_is_freed)
{
	pthread_t threads[readers];
	unsigned replacements = is_under_valgrind() ? 50 : 20000;
	int count = is_under_valgrind() ? 4 : readers;

	put(thing_new(1));
	for (int i = 0; i < count; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, read_on, NULL), 0);
	for (unsigned n = 2; n < replacements; n++)
		put(thing_new(n));
	atomic_store(&done, true);
	for (int i = 0; i < count; i++)
		pthread_join(threads[i], NULL);
	put(NULL);
	ck_assert_int_eq(atomic_load(&alive), 0);
}
END_TEST

/* Many more references from one tenure than the word can count. */
START_TEST(a_busy_word_does_not_overflow)
{
	enum { many = 300000 };
	struct prodd_counted *c = thing_new(1);

	put(c);
	for (int i = 0; i < many; i++)
		if (prodd_current_get(&current) != c)	/* not ck_assert, which writes a line each time */
			ck_abort();
	put(NULL);
	for (int i = 0; i < many - 1; i++)
		if (prodd_counted_unref(c))
			ck_abort();
	ck_assert(prodd_counted_unref(c));
	thing_free(c);
	for (int i = 0; i < 3; i++)
		ck_assert_ptr_null(prodd_current_get(&current));
}
END_TEST

static void *hammer(void *arg)
{
	for (int i = 0; i < (is_under_valgrind() ? 5000 : 100000); i++)
		give_back(prodd_current_get(&current));
	return arg;
}

START_TEST(a_word_is_drained_by_many_at_once)
{
	pthread_t threads[8];

	put(thing_new(1));
	for (int i = 0; i < 8; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, hammer, NULL), 0);
	for (int i = 0; i < 8; i++)
		pthread_join(threads[i], NULL);
	ck_assert_int_eq(atomic_load(&alive), 1);
	put(NULL);
	ck_assert_int_eq(atomic_load(&alive), 0);
}
END_TEST

/* ---- names, which threads add at once too */

enum { adders = 4, rounds = 300, names_of_round = 20 };

static struct prodd_names names;
static pthread_barrier_t together;

/* All add the same names at the same moment, round after round. */
static void *add_names(void *arg)
{
	char name[16];

	for (int round = 0; round < rounds; round++) {
		pthread_barrier_wait(&together);
		for (int i = 0; i < names_of_round; i++) {
			snprintf(name, sizeof name, "name%d", round * names_of_round + i);
			if (strcmp(prodd_names_add(&names, name, NULL)->text, name) != 0)
				abort();
		}
		if (pthread_barrier_wait(&together) == PTHREAD_BARRIER_SERIAL_THREAD &&
		    prodd_names_newest(&names)->number != (unsigned)(round + 1) * names_of_round - 1)
			abort();
	}
	return arg;
}

START_TEST(a_name_is_added_once)
{
	pthread_t threads[adders];

	ck_assert_int_eq(pthread_barrier_init(&together, NULL, adders), 0);
	for (int i = 0; i < adders; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, add_names, NULL), 0);
	for (int i = 0; i < adders; i++)
		pthread_join(threads[i], NULL);
	prodd_names_clear(&names);
	pthread_barrier_destroy(&together);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("client: references");
	TCase *tc = tcase_create("references");

	suite_add_tcase(s, tc);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, readers_never_see_what_is_freed);
	tcase_add_test(tc, a_busy_word_does_not_overflow);
	tcase_add_test(tc, a_word_is_drained_by_many_at_once);
	tcase_add_test(tc, a_name_is_added_once);
	return client_suite_run(s);
}
