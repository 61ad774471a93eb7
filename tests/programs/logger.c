/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A program that logs numbered records and ends in a way of choice; for tests that look at what arrived.
 *
 *	logger --socket PATH [--app NAME] [--instance NAME] [--cache DIR] [--count N] [--threads N] [--workers N]
 *	       [--ring BYTES (0: none)] [--block MS] [--size BYTES] [--connect MS] [--pause US] [--own-loop] [--sync MS]
 *	       [--end close | exit | kill | stop | wait]
 *
 * Each thread of each process (the first, and as many forked workers) logs `count` records "record" with the fields
 * `worker`, `t` (its thread), `n` (from 0) and, with --size, `fill`. --connect waits for a session before the first one.
 * Then a line "logged OK DROPPED" goes to stdout for each process, and the process ends: by prodd_free(), by _exit(0), by
 * SIGKILL (in the thread that logs, directly behind its last record; no line is printed, and all threads but the last
 * to finish have ended), by SIGSTOP, or when its stdin ends.
 */
#include <getopt.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <prodd/client.h>

enum { threads_max = 64, workers_max = 64 };

static struct options {
	const char *socket, *app, *instance, *cache, *end;
	long count, threads, workers, ring, block_ms, size, connect_ms, pause_us, sync_ms;
	bool own_loop;
} o = { .app = "orders", .end = "close", .count = 1, .threads = 1, .ring = -1 };

static struct prodd *p;
static int worker;
static char *fill;
static atomic_long logged, dropped, finished;

static void pause_ns(long ns)
{
	struct timespec pause = { .tv_sec = ns / 1000000000, .tv_nsec = ns % 1000000000 };

	nanosleep(&pause, NULL);
}

static void *work(void *arg)
{
	long thread = (long)(intptr_t)arg;

	for (long n = 0; n < o.count; n++) {
		int r = o.size ? prodd_info(p, "record", prodd_int("worker", worker), prodd_int("t", thread),
					    prodd_int("n", n), prodd_text("fill", fill, (size_t)o.size)) :
				 prodd_info(p, "record", prodd_int("worker", worker), prodd_int("t", thread),
					    prodd_int("n", n));

		if (r == 0)
			logged++;
		else
			dropped++;
		if (o.pause_us > 0)
			pause_ns(o.pause_us * 1000);
	}
	if (++finished == o.threads && strcmp(o.end, "kill") == 0)
		raise(SIGKILL);
	return NULL;
}

static void run_threads(void)
{
	pthread_t threads[threads_max];

	for (long i = 1; i < o.threads; i++)
		if (pthread_create(&threads[i], NULL, work, (void *)(intptr_t)i) != 0)
			exit(70);
	work(NULL);
	for (long i = 1; i < o.threads; i++)
		pthread_join(threads[i], NULL);
}

static int sync_records(void)
{
	struct prodd_error e;
	int r = o.sync_ms > 0 ? prodd_log_sync(p, (int)o.sync_ms, &e) : 0;

	if (r < 0)
		fprintf(stderr, "logger: %s\n", e.text);
	return r < 0 ? 3 : 0;
}

static int end(int status)
{
	char byte;

	printf("logged %ld %ld\n", (long)logged, (long)dropped);
	fflush(stdout);
	if (strcmp(o.end, "stop") == 0)
		raise(SIGSTOP);
	if (strcmp(o.end, "wait") == 0)
		while (read(STDIN_FILENO, &byte, 1) > 0)
			;
	if (strcmp(o.end, "exit") == 0)
		_exit(status);
	prodd_free(p);
	return status;
}

static int be_worker(int number)
{
	worker = number;
	run_threads();
	return end(sync_records());
}

static int run_workers(void)
{
	pid_t pids[workers_max];
	int status, worst = 0;

	for (int i = 0; i < o.workers; i++) {
		pids[i] = fork();
		if (pids[i] < 0)
			exit(71);
		if (pids[i] == 0)
			exit(be_worker(i + 1));
	}
	for (int i = 0; i < o.workers; i++)
		if (waitpid(pids[i], &status, 0) == pids[i] && status != 0)
			worst = 4;
	return worst;
}

static void await_session(void)
{
	struct prodd_error e;

	for (long waited = 0; waited < o.connect_ms && !prodd_is_connected(p); waited++) {
		pause_ns(1000000);
		if (o.own_loop)
			prodd_dispatch(p, &e);
	}
	if (o.connect_ms > 0 && (!prodd_is_connected(p) || prodd_log_sync(p, (int)o.connect_ms, &e) < 0)) {
		fprintf(stderr, "logger: no session\n");
		exit(69);
	}
}

static void start(void)
{
	struct prodd_error e;

	p = prodd_new(o.app);
	if (o.socket)
		prodd_set_socket(p, o.socket);
	if (o.instance)
		prodd_set_instance(p, o.instance);
	prodd_set_cache(p, o.cache);
	if (o.own_loop)
		prodd_set_own_loop(p);
	if ((o.ring >= 0 && prodd_set_log_ring(p, (size_t)o.ring) < 0) ||
	    prodd_set_log_blocking(p, (int)o.block_ms) < 0 || prodd_start(p, &e) < 0) {
		fprintf(stderr, "logger: cannot start\n");
		exit(64);
	}
}

static bool take_option(int letter, const char *value)
{
	switch (letter) {
	case 's': o.socket = value; return true;
	case 'a': o.app = value; return true;
	case 'i': o.instance = value; return true;
	case 'c': o.cache = value; return true;
	case 'e': o.end = value; return true;
	case 'n': o.count = atol(value); return true;
	case 't': o.threads = atol(value); return o.threads >= 1 && o.threads <= threads_max;
	case 'w': o.workers = atol(value); return o.workers >= 0 && o.workers <= workers_max;
	case 'r': o.ring = atol(value); return true;
	case 'b': o.block_ms = atol(value); return true;
	case 'z': o.size = atol(value); return true;
	case 'x': o.connect_ms = atol(value); return true;
	case 'p': o.pause_us = atol(value); return true;
	case 'y': o.sync_ms = atol(value); return true;
	case 'l': o.own_loop = true; return true;
	default: return false;
	}
}

int main(int argc, char **argv)
{
	static const struct option long_options[] = {
		{ "socket", 1, NULL, 's' }, { "app", 1, NULL, 'a' },	  { "instance", 1, NULL, 'i' },
		{ "cache", 1, NULL, 'c' },  { "end", 1, NULL, 'e' },	  { "count", 1, NULL, 'n' },
		{ "threads", 1, NULL, 't' }, { "workers", 1, NULL, 'w' }, { "ring", 1, NULL, 'r' },
		{ "block", 1, NULL, 'b' },  { "size", 1, NULL, 'z' },	  { "connect", 1, NULL, 'x' },
		{ "pause", 1, NULL, 'p' },  { "sync", 1, NULL, 'y' },	  { "own-loop", 0, NULL, 'l' },
		{ NULL, 0, NULL, 0 },
	};
	int letter, status;

	while ((letter = getopt_long(argc, argv, "", long_options, NULL)) != -1)
		if (!take_option(letter, optarg))
			return 64;
	fill = malloc((size_t)o.size + 1);
	if (!fill)
		return 71;
	memset(fill, 'x', (size_t)o.size);
	start();
	await_session();
	status = run_workers();
	run_threads();
	if (status == 0)
		status = sync_records();
	status = end(status);
	free(fill);
	return status;
}
