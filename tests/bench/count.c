/* SPDX-License-Identifier: Apache-2.0 */
/* What counting costs an app, beside a relaxed atomic addition to a word of its own. */
#include "tests/bench/bench.h"

#include <prodd/client.h>

#include <pthread.h>
#include <stdatomic.h>

enum { adds = 10000000, lookups = 2000000, rounds = 7, threads_most = 2 };

static struct prodd_counter *counter;
static _Atomic uint64_t word;
static pthread_barrier_t barrier;

static double time_bare(void)
{
	uint64_t begin = now_ns();

	for (long i = 0; i < adds; i++)
		atomic_fetch_add_explicit(&word, 1, memory_order_relaxed);
	return (double)(now_ns() - begin) / adds;
}

static double time_inc(void)
{
	uint64_t begin = now_ns();

	for (long i = 0; i < adds; i++)
		prodd_inc(counter);
	return (double)(now_ns() - begin) / adds;
}

/* ns of an increment in each thread, from the common beginning to its own end. */
static void *increment(void *arg)
{
	double *ret = arg;

	pthread_barrier_wait(&barrier);
	*ret = time_inc();
	return NULL;
}

static double time_threads(unsigned count)
{
	double each[threads_most], longest = 0;
	pthread_t threads[threads_most];

	pthread_barrier_init(&barrier, NULL, count);
	for (unsigned i = 0; i < count; i++)
		if (pthread_create(&threads[i], NULL, increment, &each[i]) != 0)
			die("pthread_create");
	for (unsigned i = 0; i < count; i++) {
		pthread_join(threads[i], NULL);
		longest = each[i] > longest ? each[i] : longest;
	}
	pthread_barrier_destroy(&barrier);
	return longest;
}

static double time_lookup(struct prodd_counter_family *family)
{
	static const char *const codes[] = { "200", "404", "500", "301" };
	uint64_t begin = now_ns();

	for (long i = 0; i < lookups; i++)
		prodd_inc(prodd_counter_with(family, "GET", codes[i % 4]));
	return (double)(now_ns() - begin) / lookups;
}

static double time_observe(struct prodd_histogram *h)
{
	uint64_t begin = now_ns();

	for (long i = 0; i < lookups; i++)
		prodd_observe(h, (double)(i % 1000) / 100);
	return (double)(now_ns() - begin) / lookups;
}

static double time_set(struct prodd_gauge *g)
{
	uint64_t begin = now_ns();

	for (long i = 0; i < lookups; i++)
		prodd_gauge_set(g, (double)i);
	return (double)(now_ns() - begin) / lookups;
}

void bench_count(void)
{
	static const char *const labels[] = { "method", "code" };
	double bare[rounds], inc[rounds], one[rounds], two[rounds];
	double lookup[rounds], observe[rounds], set[rounds];
	prodd_auto struct prodd *p = prodd_new("bench");
	struct prodd_counter_family *family = prodd_counter_family(p, "requests_total", "", labels, 2);
	struct prodd_histogram *h = prodd_histogram(p, "request_seconds", "", NULL, 0);
	struct prodd_gauge *g = prodd_gauge(p, "depth", "", PRODD_GAUGE_LAST);

	counter = prodd_counter(p, "served_total", "");
	for (int i = 0; i < rounds; i++) {
		bare[i] = time_bare();
		inc[i] = time_inc();
		one[i] = time_threads(1);
		two[i] = time_threads(2);
		lookup[i] = time_lookup(family);
		observe[i] = time_observe(h);
		set[i] = time_set(g);
	}
	figure_add((struct figure){ "counter increment", "relaxed add", "ns", median(inc, rounds),
				    median(bare, rounds), 1.5 });
	figure_add((struct figure){ "counter increment, two threads on one counter", "one thread", "ns",
				    median(two, rounds), median(one, rounds), 2 });
	figure_add((struct figure){ "increment with look-up by two labels", NULL, "ns",
				    median(lookup, rounds), 0, 60 });
	figure_add((struct figure){ "histogram observation, 11 buckets", "relaxed add", "ns",
				    median(observe, rounds), median(bare, rounds), 0 });
	figure_add((struct figure){ "gauge set", "relaxed add", "ns", median(set, rounds),
				    median(bare, rounds), 0 });
}
