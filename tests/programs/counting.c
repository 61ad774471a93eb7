/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A program that counts, and keeps the truth in a file of its own: for tests that
 * kill it, or prodd, and compare.  Forked workers with threads increment
 * truth_total{n="0"}, {n="1"} ...; the master brings dead workers back.
 *
 *	counting --truth FILE --series N [--app NAME] [--socket PATH] [--instance NAME]
 *		[--workers N] [--threads N] [--rate N] [--count N]
 *
 *	--workers  forked; 0: the process itself counts (1)
 *	--threads  of each (1)
 *	--rate     increments a second of each thread; 0: as fast as it can (1000)
 *	--count    increments of each thread, after which it waits; 0: no end (0)
 *
 * It prints "worker PID" for each that begins, and "done PID" when all threads
 * of one have counted to --count.  SIGTERM ends it and its workers in order.
 *
 * The file, sized and zeroed by whoever makes it and kept over several runs: at 0
 * the number of rows taken, as a uint64; from 4096 rows of --series pairs of
 * uint64 { begun, done }.  Each thread takes a row of its own.  It adds to `begun`,
 * increments the counter, adds to `done`.  So the counter's value is at
 * least the sum of `done`, and at most the sum of `begun`; they differ by 1 at most for each
 * thread that was killed (tests/integration/truth.py reads it).
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <prodd/client.h>

enum { rows_at = 4096, workers_max = 64, threads_max = 64, series_max = 2000 };

struct pair {
	_Atomic uint64_t begun, done;
};

static struct {
	const char *app, *socket, *instance, *truth;
	long workers, threads, series, rate, count;
} options = { .app = "counting", .workers = 1, .threads = 1, .rate = 1000 };

static struct prodd *p;
static struct prodd_counter *counters[series_max];
static struct prodd_gauge *threads_gauge;
static _Atomic uint64_t *rows_taken;
static struct pair *rows;
static uint64_t rows_most;
static volatile sig_atomic_t ends;

static void die(const char *what)
{
	perror(what);
	exit(1);
}

/* ---- the truth */

static void open_truth(void)
{
	int fd = open(options.truth, O_RDWR | O_CLOEXEC);
	struct stat st;
	char *at;

	if (fd < 0 || fstat(fd, &st) < 0)
		die(options.truth);
	if (st.st_size < rows_at)
		errno = EINVAL, die(options.truth);
	at = mmap(NULL, (size_t)st.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (at == MAP_FAILED)
		die("mmap");
	close(fd);
	rows_taken = (void *)at;
	rows = (void *)(at + rows_at);
	rows_most = (uint64_t)(st.st_size - rows_at) / (sizeof *rows * (size_t)options.series);
}

static struct pair *take_row(void)
{
	uint64_t row = atomic_fetch_add(rows_taken, 1);

	if (row >= rows_most)
		errno = ENOSPC, die(options.truth);
	return rows + row * (uint64_t)options.series;
}

/* ---- counting */

static void declare(void)
{
	static const char *const labels[] = { "n" };
	struct prodd_counter_family *f = prodd_counter_family(p, "truth_total", "Increments.", labels, 1);
	char text[24];

	for (long i = 0; i < options.series; i++) {
		snprintf(text, sizeof text, "%ld", i);
		counters[i] = prodd_counter_with(f, text);
	}
	threads_gauge = prodd_gauge(p, "truth_threads", "Threads that count.", PRODD_GAUGE_SUM);
}

static void pause_after(long made)
{
	struct timespec pause = { .tv_nsec = 1000000 };
	long batch = options.rate / 1000;

	if (options.rate == 0)
		return;
	if (batch > 0 && made % batch != 0)
		return;
	if (batch == 0)
		pause = (struct timespec){ .tv_sec = 1 / options.rate,
					   .tv_nsec = 1000000000 / options.rate % 1000000000 };
	nanosleep(&pause, NULL);
}

static void *count(void *arg)
{
	struct pair *row = take_row();

	(void)arg;
	for (long made = 0; !ends && (options.count == 0 || made < options.count); pause_after(++made)) {
		long i = made % options.series;

		atomic_fetch_add_explicit(&row[i].begun, 1, memory_order_seq_cst);
		prodd_inc(counters[i]);
		atomic_fetch_add_explicit(&row[i].done, 1, memory_order_seq_cst);
	}
	return NULL;
}

static void say(const char *what)
{
	printf("%s %d\n", what, (int)getpid());
	fflush(stdout);
}

/* Signals are for the main thread alone. */
static void run_threads(void)
{
	pthread_t threads[threads_max];
	sigset_t all, before;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	for (long i = 0; i < options.threads; i++)
		if (pthread_create(&threads[i], NULL, count, NULL) != 0)
			die("pthread_create");
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	for (long i = 0; i < options.threads; i++)
		pthread_join(threads[i], NULL);
}

static void on_end(int number)
{
	(void)number;
	ends = 1;
}

/* Its first call makes a forked worker an instance of its own. */
static void work(void)
{
	const struct timespec pause = { .tv_nsec = 2000000 };

	prodd_is_connected(p);
	prodd_gauge_set(threads_gauge, (double)options.threads);
	say("worker");
	run_threads();
	if (!ends)
		say("done");
	while (!ends)
		nanosleep(&pause, NULL);
	prodd_free(p);
}

/* ---- the master */

static pid_t begin_worker(void)
{
	pid_t pid = fork();

	if (pid < 0)
		die("fork");
	if (pid > 0)
		return pid;
	work();
	exit(0);
}

static void end_workers(const pid_t *pids)
{
	for (long i = 0; i < options.workers; i++)
		kill(pids[i], SIGTERM);
	for (long i = 0; i < options.workers; i++)
		while (waitpid(pids[i], NULL, 0) < 0 && errno == EINTR)
			;
}

static void run_workers(void)
{
	const struct timespec pause = { .tv_nsec = 2000000 };
	pid_t pids[workers_max];

	for (long i = 0; i < options.workers; i++)
		pids[i] = begin_worker();
	while (!ends) {
		pid_t dead = waitpid(-1, NULL, WNOHANG);

		for (long i = 0; i < options.workers && dead > 0; i++)
			if (pids[i] == dead)
				pids[i] = begin_worker();
		nanosleep(&pause, NULL);
	}
	end_workers(pids);
	prodd_free(p);
}

/* ---- the command line */

static long number(const char *text, long least, long most)
{
	char *end;
	long value = strtol(text, &end, 10);

	if (*end || end == text || value < least || value > most) {
		fprintf(stderr, "counting: %s is not in %ld..%ld\n", text, least, most);
		exit(2);
	}
	return value;
}

static void read_options(int argc, char **argv)
{
	static const struct option known[] = {
		{ "app", required_argument, NULL, 'a' },      { "socket", required_argument, NULL, 's' },
		{ "instance", required_argument, NULL, 'i' }, { "truth", required_argument, NULL, 't' },
		{ "workers", required_argument, NULL, 'w' },  { "threads", required_argument, NULL, 'h' },
		{ "series", required_argument, NULL, 'n' },   { "rate", required_argument, NULL, 'r' },
		{ "count", required_argument, NULL, 'c' },    { 0 },
	};
	int c;

	while ((c = getopt_long(argc, argv, "", known, NULL)) >= 0)
		switch (c) {
		case 'a': options.app = optarg; break;
		case 's': options.socket = optarg; break;
		case 'i': options.instance = optarg; break;
		case 't': options.truth = optarg; break;
		case 'w': options.workers = number(optarg, 0, workers_max); break;
		case 'h': options.threads = number(optarg, 1, threads_max); break;
		case 'n': options.series = number(optarg, 1, series_max); break;
		case 'r': options.rate = number(optarg, 0, 100000000); break;
		case 'c': options.count = number(optarg, 0, LONG_MAX); break;
		default: exit(2);
		}
	if (!options.truth || options.series == 0) {
		fputs("counting: --truth and --series are needed\n", stderr);
		exit(2);
	}
}

int main(int argc, char **argv)
{
	struct sigaction end = { .sa_handler = on_end };
	struct prodd_error e;

	read_options(argc, argv);
	open_truth();
	sigaction(SIGTERM, &end, NULL);
	p = prodd_new(options.app);
	prodd_set_cache(p, NULL);
	if (options.socket)
		prodd_set_socket(p, options.socket);
	if (options.instance)
		prodd_set_instance(p, options.instance);
	declare();
	if (prodd_start(p, &e) < 0) {
		fprintf(stderr, "counting: %s\n", e.text);
		return 1;
	}
	if (options.workers == 0)
		work();
	else
		run_workers();
	return 0;
}
