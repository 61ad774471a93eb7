/* SPDX-License-Identifier: Apache-2.0 */
/* What reading a setting costs an app: by key handle and by name, beside two dependent loads. */
#include "tests/bench/bench.h"

#include <prodd/client.h>
#include <stdio.h>

enum { reads = 20000000, rounds = 7 };

struct slot { const int64_t *value; };

static double time_bare(void)
{
	int64_t value = 42, sum = 0;
	struct slot slots[8] = { [3] = { &value } };
	struct slot *volatile held = slots;
	volatile unsigned index = 3;
	struct slot *base = held;
	uint64_t begin = now_ns();

	for (long i = 0; i < reads; i++) {
		__asm__ volatile("" : "+r"(base) : : "memory");
		sum += *base[index].value;
	}
	__asm__ volatile("" : : "r"(sum));
	return (double)(now_ns() - begin) / reads;
}

static double time_key(const struct prodd_config *c, struct prodd_key key)
{
	int64_t sum = 0;
	uint64_t begin = now_ns();

	for (long i = 0; i < reads; i++)
		sum += prodd_key_int(c, key);
	__asm__ volatile("" : : "r"(sum));
	return (double)(now_ns() - begin) / reads;
}

static double time_name(const struct prodd_config *c)
{
	int64_t sum = 0;
	uint64_t begin = now_ns();

	for (long i = 0; i < reads / 10; i++)
		sum += prodd_config_int(c, "a.number");
	__asm__ volatile("" : : "r"(sum));
	return (double)(now_ns() - begin) * 10 / reads;
}

static double time_take(struct prodd *p)
{
	uint64_t begin = now_ns();

	for (long i = 0; i < reads / 10; i++)
		prodd_config_unref(prodd_config(p));
	return (double)(now_ns() - begin) * 10 / reads;
}

void bench_read(void)
{
	double bare[rounds], by_key[rounds], by_name[rounds], take[rounds];
	struct prodd_process process;
	struct prodd_error e;

	prodd_begin(&process);
	prodd_auto struct prodd *p = prodd_new("bench");
	struct prodd_key key = prodd_key(p, "a.number");

	prodd_set_socket(p, process.app_socket);
	prodd_set_cache(p, NULL);
	if (prodd_start(p, &e) < 0 || prodd_wait_config(p, 5000, &e) < 0)
		die(e.text);
	prodd_auto_config const struct prodd_config *c = prodd_config(p);
	for (int i = 0; i < rounds; i++) {
		bare[i] = time_bare();
		by_key[i] = time_key(c, key);
		by_name[i] = time_name(c);
		take[i] = time_take(p);
	}
	figure_add((struct figure){ "config read by key handle", "two loads", "ns", median(by_key, rounds),
				    median(bare, rounds), 0 });
	figure_add((struct figure){ "config read by name", "two loads", "ns", median(by_name, rounds),
				    median(bare, rounds), 0 });
	figure_add((struct figure){ "take and give back the snapshot", "two loads", "ns", median(take, rounds),
				    median(bare, rounds), 0 });
	prodd_finish(&process);
}
