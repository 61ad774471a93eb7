/* SPDX-License-Identifier: Apache-2.0 */
/* A request round trip, alone and on 32 connections at once, beside an echo of the same size. */
#include <poll.h>
#include <stdio.h>
#include <unistd.h>

#include "tests/bench/bare.h"
#include "tests/bench/bench.h"
#include "tests/bench/peer.h"

enum { trips = 5000, connections = 32, burst = 40000, message = 64, rounds = 3 };

static const struct wire_show question = { .app = { "bench", 5 }, .key = { "a.number", 8 } };

static double ask_prodd(struct peer *peer)
{
	static double times[trips];
	struct prodd_message m;

	for (int i = 0; i < trips; i++) {
		uint64_t begin = now_ns();

		peer_send(peer, WIRE_M_config_show, &question);
		peer_answer(peer, &m);
		times[i] = (double)(now_ns() - begin) / 1e3;
	}
	return median(times, trips);
}

static double ask_bare(struct peer *peer)
{
	static double times[trips];
	char bytes[message] = "x";

	for (int i = 0; i < trips; i++) {
		uint64_t begin = now_ns();

		if (write(peer->fd, bytes, message) != message || read(peer->fd, bytes, message) <= 0)
			die("echo");
		times[i] = (double)(now_ns() - begin) / 1e3;
	}
	return median(times, trips);
}

/* Each connection has one request under way all the time. */
static double ask_many(struct peer *peers, int bare)
{
	struct pollfd fds[connections];
	struct prodd_message m;
	char bytes[message] = "x";
	uint64_t begin = now_ns();
	int done = 0;

	for (int i = 0; i < connections; i++) {
		fds[i] = (struct pollfd){ .fd = peers[i].fd, .events = POLLIN };
		if (!bare)
			peer_send(&peers[i], WIRE_M_config_show, &question);
		else if (write(peers[i].fd, bytes, message) != message)
			die("echo");
	}
	while (done < burst && poll(fds, connections, -1) > 0)
		for (int i = 0; i < connections; i++) {
			if (!fds[i].revents)
				continue;
			if (bare) {
				if (read(fds[i].fd, bytes, message) <= 0 || write(fds[i].fd, bytes, message) != message)
					die("echo");
			} else {
				peer_answer(&peers[i], &m);
				peer_send(&peers[i], WIRE_M_config_show, &question);
			}
			done++;
		}
	return (double)done / ((double)(now_ns() - begin) / 1e9);
}

void bench_requests(void)
{
	static struct peer peers[connections], bares[connections];
	double trip[rounds], bare_trip[rounds], rate[rounds], bare_rate[rounds];
	struct prodd_process process;
	char path[128];
	pid_t bare;

	prodd_begin(&process);
	snprintf(path, sizeof path, "%s/bare.sock", process.directory);
	bare = bare_begin(path, 0);
	for (int i = 0; i < connections; i++) {
		peer_open(&peers[i], process.ctl_socket);
		peer_greet(&peers[i], NULL, NULL);
		peer_open(&bares[i], path);
	}
	for (int i = 0; i < rounds; i++) {
		trip[i] = ask_prodd(&peers[0]);
		bare_trip[i] = ask_bare(&bares[0]);
		rate[i] = ask_many(peers, 0);
		bare_rate[i] = ask_many(bares, 1);
		/* One request of each connection is still under way: start anew. */
		for (int k = 0; k < connections; k++) {
			peer_close(&peers[k]);
			peer_close(&bares[k]);
			peer_open(&peers[k], process.ctl_socket);
			peer_greet(&peers[k], NULL, NULL);
			peer_open(&bares[k], path);
		}
	}
	figure_add((struct figure){ "request round trip (config.show of one key), p50", "echo over a Unix socket, p50", "us",
				    median(trip, rounds), median(bare_trip, rounds), 0 });
	figure_add((struct figure){ "requests on 32 connections", "echoes on 32 connections", "1/s", median(rate, rounds),
				    median(bare_rate, rounds), 0 });
	for (int i = 0; i < connections; i++) {
		peer_close(&peers[i]);
		peer_close(&bares[i]);
	}
	bare_finish(bare, path);
	prodd_finish(&process);
}
