/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Not a test of its own: the HTTP server with made-up metrics, for tests that
 * need many of them.
 *
 *   http_server SOCKET ADDRESS SERIES integers|doubles
 *
 * Says "ready", serves until SIGTERM, then says the longest turn of its loop in microseconds, the walks that are still
 * open, and its counters. SIGUSR1: not ready any more, or again.
 */
#include "daemon/metric/http.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/core/counters.h"
#include "daemon/util/container.h"
#include "tests/unit/fake_source.h"

struct readiness {
	struct http_readiness base;
	bool ready;
};

static struct loop loop;
static struct readiness readiness = { .ready = true };

static void make(unsigned index, struct metric_sample *ret)
{
	static char labels[64];
	int size = snprintf(labels, sizeof labels, "app=\"orders\",shard=\"%06u\"", index);

	*ret = (struct metric_sample){ .labels = { labels, (size_t)size }, .count = index * 2654435761u };
}

static void make_real(unsigned index, struct metric_sample *ret)
{
	make(index, ret);
	ret->real = true;
	ret->value = (double)ret->count / 1234.567;
}

static bool ready(struct http_readiness *base, struct prodd_buffer *why)
{
	struct readiness *r = container_of(base, struct readiness, base);

	if (!r->ready)
		prodd_buffer_append(why, "the spool: No space left on device\n", 35);
	return r->ready;
}

static void end(evutil_socket_t number, short what, void *arg)
{
	(void)number;
	(void)what;
	loop_stop(arg);
}

static void turn_ready(evutil_socket_t number, short what, void *arg)
{
	struct readiness *r = arg;

	(void)number;
	(void)what;
	r->ready = !r->ready;
}

int main(int argc, char **argv)
{
	struct fake_family families[] = { { FAKE(COUNTER, "requests_total", "", "Made up."), NULL, 0, make } };
	struct fake_source source;
	struct event *terminate, *toggle;
	struct http *http = NULL;
	struct prodd_error e;

	if (argc != 5)
		return 2;
	families[0].count = (unsigned)strtoul(argv[3], NULL, 10);
	families[0].make = strcmp(argv[4], "doubles") == 0 ? make_real : make;
	fake_source_init(&source, families, 1);
	readiness.base.ready = ready;
	if (loop_init(&loop, &e) < 0 || http_new(&http, &loop, &source.source, &readiness.base, argv[1], argv[2], &e) < 0) {
		fprintf(stderr, "%s\n", e.text);
		loop_clear(&loop);
		return 1;
	}
	terminate = evsignal_new(loop.base, SIGTERM, end, &loop);
	toggle = evsignal_new(loop.base, SIGUSR1, turn_ready, &readiness);
	event_add(terminate, NULL);
	event_add(toggle, NULL);
	puts("ready");
	fflush(stdout);
	loop_run(&loop, &e);
	http_free(http);
	event_free(terminate);
	event_free(toggle);
	printf("longest_turn_us %llu\nwalks %u\nbegun %u\nsyncs %u\n", (unsigned long long)loop.longest_turn_us, source.walks,
	       source.begun, source.syncs);
#define X(name, help) printf("%s %llu\n", #name, (unsigned long long)counters.name);
	COUNTERS(X)
#undef X
	loop_clear(&loop);
	return 0;
}
