/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What logging costs an app: a call with six fields, beside its parts done barely (the clock, the same bytes
 * put together without a check, a reservation and a copy into a ring); two threads at once; and a call below the level,
 * beside an empty loop.  There is no daemon: what it would release, this program does between the timings.
 */
#include <dirent.h>
#include <fcntl.h>
#include <prodd/client.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "proto/shm/ring.h"
#include "tests/bench/bench.h"

enum { batch = 2000, batches = 200, rounds = 7, capacity = 16 * 1024 * 1024, below = 100000000 };

struct logging {
	struct prodd *p;
	struct ring reader;
};

/* ---- the other end of the library's ring */

static int find_memfd(void)
{
	DIR *d = opendir("/proc/self/fd");
	struct dirent *entry;
	char target[64];
	int fd = -1;

	if (!d)
		die("/proc/self/fd");
	while (fd < 0 && (entry = readdir(d))) {
		ssize_t size = readlinkat(dirfd(d), entry->d_name, target, sizeof target - 1);

		if (size > 0 && (target[size] = '\0', strstr(target, "memfd:prodd-ring")))
			fd = atoi(entry->d_name);
	}
	closedir(d);
	return fd;
}

static void open_ring(struct ring *ring)
{
	const size_t size = RING_HEAD + capacity;
	void *mapping = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, find_memfd(), 0);
	struct ring_identity identity;
	struct ring_reading reading;

	if (mapping == MAP_FAILED || !ring_open(ring, mapping, size, &identity, NULL) || !ring_attach(ring, 0, &reading))
		die("the library's ring");
}

static void release(struct ring *ring)
{
	ring_release(ring, atomic_load(&ring->head->tail));
}

/* ---- the call */

static void log_batch(struct prodd *p)
{
	for (int i = 0; i < batch; i++)
		if (prodd_info(p, "order served", prodd_int("order_id", i), prodd_str("customer", "alice"),
			       prodd_float("total", 19.99), prodd_bool("paid", true), prodd_uint("items", 3),
			       prodd_str("region", "eu-central-1")) < 0)
			die("log");
}

static double time_call(struct logging *l)
{
	double spent[batches];

	for (int i = 0; i < batches; i++) {
		uint64_t begin = now_ns();

		log_batch(l->p);
		spent[i] = (double)(now_ns() - begin);
		release(&l->reader);
	}
	return median(spent, batches) / batch;
}

static void *log_one_batch(void *arg)
{
	log_batch(arg);
	return NULL;
}

/* Nanoseconds per record of both together. */
static double time_two(struct logging *l)
{
	double spent[batches];

	for (int i = 0; i < batches; i++) {
		pthread_t other;
		uint64_t begin = now_ns();

		if (pthread_create(&other, NULL, log_one_batch, l->p) != 0)
			die("thread");
		log_batch(l->p);
		pthread_join(other, NULL);
		spent[i] = (double)(now_ns() - begin);
		release(&l->reader);
	}
	return median(spent, batches) / (2 * batch);
}

/* ---- its parts */

/* Nothing about the text is known when this is compiled, as in the library. */
static unsigned char *text(unsigned char *at, const char *s)
{
	size_t size;

	__asm__("" : "+r"(s));
	size = strlen(s);
	*at++ = (unsigned char)(0xa0 | size);
	memcpy(at, s, size);
	return at + size;
}

static unsigned char *number(unsigned char *at, unsigned char code, uint64_t value)
{
	*at++ = code;
	value = __builtin_bswap64(value);
	memcpy(at, &value, 8);
	return at + 8;
}

static size_t encode(unsigned char *start, int i)
{
	static const unsigned char head[] = { 0xdc, 0, 20 };
	unsigned char *at = start + sizeof head;
	struct timespec now;
	double total = 19.99;
	uint64_t bits;

	memcpy(start, head, sizeof head);
	clock_gettime(CLOCK_REALTIME, &now);
	at = number(at, 0xcf, (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec);
	*at++ = PRODD_INFO;
	at = text(text(text(text(at, "main"), "order served"), "bench"), "log.c:100");
	*at++ = 0xc0;
	*at++ = 0xc0;
	at = number(text(at, "order_id"), 0xcf, (uint64_t)i);
	at = text(text(at, "customer"), "alice");
	memcpy(&bits, &total, 8);
	at = number(text(at, "total"), 0xcb, bits);
	at = text(at, "paid");
	*at++ = 0xc3;
	at = text(at, "items");
	*at++ = 3;
	return (size_t)(text(text(at, "region"), "eu-central-1") - start);
}

static double time_parts(struct ring *ring, struct ring *reader)
{
	double spent[batches];

	for (int i = 0; i < batches; i++) {
		uint64_t begin = now_ns();

		for (int j = 0; j < batch; j++) {
			unsigned char bytes[256], *at;
			size_t size = encode(bytes, j);
			uint64_t position;

			at = ring_reserve(ring, (uint32_t)size, &position);
			if (!at)
				die("ring");
			memcpy(at, bytes, size);
			ring_publish(ring, position, (uint32_t)size);
		}
		spent[i] = (double)(now_ns() - begin);
		release(reader);
	}
	return median(spent, batches) / batch;
}

static void make_bare(struct ring *ring, struct ring *reader)
{
	static const uint8_t uuid[16];
	const size_t size = RING_HEAD + capacity;
	void *mapping = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct ring_identity identity;
	struct ring_reading reading;

	if (mapping == MAP_FAILED)
		die("mmap");
	ring_make(ring, mapping, capacity, uuid, 1, 1);
	if (!ring_open(reader, mapping, size, &identity, NULL) || !ring_attach(reader, 0, &reading))
		die("ring");
}

/* ---- below the level */

static double time_below(struct prodd *p)
{
	uint64_t begin = now_ns();

	for (long i = 0; i < below; i++) {
		prodd_debug(p, "never", prodd_int("i", i));
		__asm__ volatile("" : : : "memory");
	}
	return (double)(now_ns() - begin) / below;
}

static double time_empty(void)
{
	uint64_t begin = now_ns();

	for (long i = 0; i < below; i++)
		__asm__ volatile("" : : : "memory");
	return (double)(now_ns() - begin) / below;
}

void bench_log(void)
{
	double call[rounds], parts[rounds], two[rounds], under[rounds], empty[rounds], more[rounds];
	struct ring bare, bare_reader;
	struct logging l;
	struct prodd_error e;

	l.p = prodd_new("bench");
	prodd_set_socket(l.p, "/nonexistent/app.sock");
	prodd_set_cache(l.p, NULL);
	prodd_set_reconnect(l.p, 0);
	prodd_set_log_ring(l.p, capacity);
	if (prodd_start(l.p, &e) < 0)
		die(e.text);
	open_ring(&l.reader);
	make_bare(&bare, &bare_reader);
	time_parts(&bare, &bare_reader);	/* pages are there from now on */
	time_call(&l);
	for (int i = 0; i < rounds; i++) {
		parts[i] = time_parts(&bare, &bare_reader);
		call[i] = time_call(&l);
		two[i] = time_two(&l);
		empty[i] = time_empty();
		under[i] = time_below(l.p);
		more[i] = under[i] - empty[i];
	}
	figure_add((struct figure){ "log call with six fields", "encode, clock, ring copy", "ns", median(call, rounds),
				    median(parts, rounds), 2 });
	figure_add((struct figure){ "log call, two threads, per record", "one thread", "ns", median(two, rounds),
				    median(call, rounds), 0 });
	figure_add((struct figure){ "log call below the level, over an empty loop", NULL, "ns", median(more, rounds), 0, 1 });
	prodd_free(l.p);
	munmap(bare.head, RING_HEAD + capacity);
	munmap(l.reader.head, RING_HEAD + capacity);
}
