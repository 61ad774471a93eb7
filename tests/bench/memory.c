/* SPDX-License-Identifier: Apache-2.0 */
/* What an idle client that logs and counts costs prodd, and what a series costs: anonymous memory, without the segments that apps share. */
#include "tests/bench/bench.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <prodd/client.h>

#include "proto/codec.h"
#include "tests/bench/peer.h"

enum { clients = 100, series = 2000 };

static double anonymous_kib(pid_t pid)
{
	char path[64], line[256];
	double kib = 0;
	FILE *file;

	snprintf(path, sizeof path, "/proc/%d/status", (int)pid);
	file = fopen(path, "r");
	while (file && fgets(line, sizeof line, file))
		if (sscanf(line, "RssAnon: %lf", &kib) == 1)
			break;
	if (file)
		fclose(file);
	return kib;
}

static struct prodd *client_new(const char *socket, int number)
{
	struct prodd *p = prodd_new("bench");
	struct prodd_error e;
	char name[16];

	snprintf(name, sizeof name, "i%d", number);
	prodd_set_socket(p, socket);
	prodd_set_instance(p, name);
	prodd_set_cache(p, NULL);
	if (prodd_start(p, &e) < 0 || prodd_wait_config(p, 5000, &e) < 0)
		_exit(1);
	return p;
}

static void be_idle_clients(const char *socket)
{
	for (int i = 0; i < clients; i++) {
		struct prodd *p = client_new(socket, i);
		struct prodd_error e;

		prodd_inc(prodd_counter(p, "bench_total", "Things."));
		prodd_info(p, "here", prodd_int("number", i));
		if (prodd_log_sync(p, 5000, &e) < 0)
			_exit(1);
	}
}

static void count_series(const char *socket)
{
	static const char *const labels[] = { "number" };
	struct prodd *p = client_new(socket, 0);
	struct prodd_counter_family *family = prodd_counter_family(p, "bench_series_total", "Things.", labels, 1);
	char value[16];

	for (int i = 0; i < series; i++) {
		snprintf(value, sizeof value, "n%d", i);
		prodd_inc(prodd_counter_with(family, value));
	}
}

/* Series of the app, as status tells. */
static uint64_t series_told(struct peer *operator)
{
	struct wire_status_request request = { .app = prodd_slice("bench") };
	struct prodd_message answer;
	struct wire_status status;
	struct wire_app_status row;
	struct prodd_iter it;
	struct prodd_error e;

	peer_send(operator, WIRE_M_status, &request);
	peer_answer(operator, &answer);
	if (prodd_message_decode(&answer, &wire_record_status, &status, &e) < 0)
		return 0;
	it = prodd_iter(status.apps);
	return prodd_next(&it, &wire_record_app_status, &row, NULL) > 0 ? row.series : 0;
}

/* A process that does `part` and stays; it says when it is done. */
static pid_t stay(void (*part)(const char *), const char *socket)
{
	int ready[2];
	char byte;
	pid_t pid;

	if (pipe(ready) < 0)
		die("pipe");
	pid = fork();
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		close(ready[0]);
		part(socket);
		if (write(ready[1], "", 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	close(ready[1]);
	if (read(ready[0], &byte, 1) != 1)
		die("a client");
	close(ready[0]);
	return pid;
}

static void end(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

static double kib_of(void (*part)(const char *), uint64_t series_wanted)
{
	static struct peer operator;
	struct prodd_process process;
	double before, after;
	pid_t pid;

	prodd_begin(&process);
	memset(&operator, 0, sizeof operator);
	peer_open(&operator, process.ctl_socket);
	peer_greet(&operator, NULL, NULL);
	before = anonymous_kib(process.pid);
	pid = stay(part, process.app_socket);
	while (series_told(&operator) < series_wanted)
		usleep(1000);
	after = anonymous_kib(process.pid);
	end(pid);
	peer_close(&operator);
	prodd_finish(&process);
	return after - before;
}

void bench_memory(void)
{
	figure_add((struct figure){ .name = "memory of prodd for an idle client with ring and segment", .unit = "KiB",
				    .value = kib_of(be_idle_clients, 1) / clients });
	figure_add((struct figure){ .name = "memory of prodd for a series", .unit = "B",
				    .value = kib_of(count_series, series) * 1024 / series });
}
