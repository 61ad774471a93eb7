/* SPDX-License-Identifier: Apache-2.0 */
/* A change reaches 1,000 instances: offered, accepted, decided, committed. Beside two bare fan-outs of the same size. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "tests/bench/bare.h"
#include "tests/bench/bench.h"
#include "tests/bench/peer.h"

enum { instances = 1000, rounds = 9, offer_size = 300 };

static struct peer *peers;
static struct peer operator;

static int watch_all(int asker)
{
	int epoll = epoll_create1(EPOLL_CLOEXEC);
	struct epoll_event event = { .events = EPOLLIN };

	for (int i = 0; i < instances; i++) {
		event.data.u32 = (uint32_t)i;
		epoll_ctl(epoll, EPOLL_CTL_ADD, peers[i].fd, &event);
	}
	event.data.u32 = instances;
	epoll_ctl(epoll, EPOLL_CTL_ADD, asker, &event);
	return epoll;
}

/* From the request to the last instance's receipt of the commit. */
static double change(const char *directory, int epoll, int number)
{
	struct wire_reload reload = { .app = { "bench", 5 } };
	struct epoll_event events[64];
	uint64_t begin, last = 0;
	char text[64], apps[128];
	unsigned before = peers[0].commits, committed = 0;

	snprintf(text, sizeof text, "a: { number = %d; };\n", number);
	snprintf(apps, sizeof apps, "%s/apps/bench", directory);
	write_file(apps, "default.conf", text);
	begin = now_ns();
	peer_send(&operator, WIRE_M_reload, &reload);
	while (committed < instances) {
		int n = epoll_wait(epoll, events, 64, 20000);

		if (n <= 0)
			die("no commit");
		for (int i = 0; i < n; i++) {
			struct peer *peer = events[i].data.u32 == instances ? &operator : &peers[events[i].data.u32];
			unsigned had = peer->commits;

			if (peer == &operator)
				continue;
			peer_handle(peer);
			if (had == before && peer->commits > before) {
				committed++;
				last = peer->committed_ns;
			}
		}
	}
	peer_handle(&operator);
	return (double)(last - begin) / 1e6;
}

static double change_bare(int asker, int epoll)
{
	struct epoll_event events[64];
	char bytes[4096];
	uint64_t begin = now_ns();

	if (write(asker, "F", 1) != 1)
		die("bare");
	for (;;) {
		int n = epoll_wait(epoll, events, 64, 20000);

		for (int i = 0; i < n; i++) {
			int is_asker = events[i].data.u32 == instances;
			int fd = is_asker ? asker : peers[events[i].data.u32].fd;

			if (read(fd, bytes, sizeof bytes) <= 0)
				die("bare");
			if (is_asker)
				return (double)(now_ns() - begin) / 1e6;
			if (write(fd, "r", 1) != 1)
				die("bare");
		}
	}
}

static void measure_bare(const char *directory, double *times)
{
	char path[128];
	pid_t pid;
	int epoll;

	snprintf(path, sizeof path, "%s/bare.sock", directory);
	pid = bare_begin(path, offer_size);
	for (int i = 0; i < instances; i++)
		peer_open(&peers[i], path);
	peer_open(&operator, path);
	epoll = watch_all(operator.fd);
	for (int i = 0; i < rounds; i++)
		times[i] = change_bare(operator.fd, epoll);
	close(epoll);
	for (int i = 0; i < instances; i++)
		peer_close(&peers[i]);
	peer_close(&operator);
	bare_finish(pid, path);
}

static void open_instances(const struct prodd_process *process)
{
	char name[16];

	for (int i = 0; i < instances; i++) {
		snprintf(name, sizeof name, "i%d", i);
		peer_open(&peers[i], process->app_socket);
		peer_greet(&peers[i], "bench", name);
	}
	peer_open(&operator, process->ctl_socket);
	peer_greet(&operator, NULL, NULL);
	/* The first configuration comes after the subscription's answer. */
	for (int i = 0; i < instances; i++)
		while (peers[i].applied == 0)
			peer_handle(&peers[i]);
}

void bench_rollout(void)
{
	double times[rounds], bare[rounds];
	struct prodd_process process;
	double idle, busy;
	int epoll;

	peers = calloc(instances, sizeof *peers);
	if (!peers)
		die("calloc");
	prodd_begin(&process);
	idle = process_rss_mib(process.pid);
	open_instances(&process);
	epoll = watch_all(operator.fd);
	busy = process_rss_mib(process.pid);
	for (int i = 0; i < rounds; i++)
		times[i] = change(process.directory, epoll, 100 + i);
	close(epoll);
	for (int i = 0; i < instances; i++)
		peer_close(&peers[i]);
	peer_close(&operator);
	measure_bare(process.directory, bare);
	figure_add((struct figure){ "reload to the last of 1,000 instances committed, p50", "two fan-outs with replies, p50", "ms",
				    median(times, rounds), median(bare, rounds), 0 });
	figure_add((struct figure){ "resident memory, idle", NULL, "MiB", idle, 0, 5 });
	figure_add((struct figure){ "resident memory, 1,000 instances", NULL, "MiB", busy, 0, 0 });
	figure_add((struct figure){ "resident memory of each instance", NULL, "KiB", (busy - idle) * 1024 / instances, 0, 4 });
	prodd_finish(&process);
	free(peers);
}
