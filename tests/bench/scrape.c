/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A scrape of 100,000 series, integers and doubles: the text alone, beside a
 * loop of snprintf that writes the same lines, and a scrape of prodd, from the request to its last byte.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "daemon/metric/text.h"
#include "proto/codec.h"
#include "tests/bench/bench.h"
#include "tests/bench/peer.h"
#include "tests/unit/fake_source.h"

enum { series = 100000, page = 400, rounds = 9, labels_max = 32 };

static char labels[series][labels_max];
static struct metric_sample samples[series];

static double value_of(unsigned i)
{
	return (double)(i * 2654435761u) / 1234.567;
}

static void make_samples(bool doubles)
{
	for (unsigned i = 0; i < series; i++) {
		int size = snprintf(labels[i], labels_max, "app=\"bench\",shard=\"%06u\"", i);

		samples[i] = (struct metric_sample){ .labels = { labels[i], (size_t)size }, .count = i * 2654435761u,
						     .value = value_of(i), .real = doubles };
	}
}

/* ---- the text alone */

static double time_text(void)
{
	const struct fake_family family = { FAKE(COUNTER, "requests_total", "", ""), samples, series, NULL };
	struct prodd_buffer text = { .limit = 64u << 20 };
	struct fake_source source;
	struct text_writer writer;
	struct prodd_error e;
	uint64_t begin;

	fake_source_init(&source, &family, 1);
	begin = now_ns();
	text_begin(&writer, &source.source, prodd_slice(""), TEXT_PROMETHEUS, &e);
	while (text_step(&writer, &text, 400))
		;
	text_end(&writer);
	prodd_buffer_clear(&text);
	return (double)(now_ns() - begin) / 1e6;
}

static double time_snprintf(bool doubles)
{
	size_t room = (size_t)series * 96, at = 0;
	uint64_t begin = now_ns();
	char *text = malloc(room);

	if (!text)
		die("malloc");
	for (unsigned i = 0; i < series; i++)
		at += (size_t)(doubles ? snprintf(text + at, room - at, "requests_total{%s} %.17g\n", labels[i], samples[i].value) :
					 snprintf(text + at, room - at, "requests_total{%s} %llu\n", labels[i],
						  (unsigned long long)samples[i].count));
	__asm__ volatile("" : : "r"(text) : "memory");
	free(text);
	return (double)(now_ns() - begin) / 1e6;
}

static void text_figure(bool doubles)
{
	double text[rounds], bare[rounds];

	make_samples(doubles);
	for (int i = 0; i < rounds; i++) {
		text[i] = time_text();
		bare[i] = time_snprintf(doubles);
	}
	figure_add((struct figure){ doubles ? "text of 100,000 series, doubles" : "text of 100,000 series, integers",
				    doubles ? "snprintf(\"%.17g\")" : "snprintf(\"%llu\")", "ms", median(text, rounds),
				    median(bare, rounds), 0 });
}

/* ---- a scrape of prodd */

static void push(struct peer *peer, unsigned first, bool doubles)
{
	static const char *const label = "shard";
	struct prodd_buffer rows = { .limit = 0 }, families = { .limit = 0 }, names = { .limit = 0 };
	struct wire_push_family family = { .name = prodd_slice(doubles ? "level" : "requests_total"),
					   .type = prodd_slice(doubles ? "gauge" : "counter") };
	struct wire_metric_push request = { 0 };
	struct prodd_message answer;
	uint32_t count = 0;

	for (unsigned i = first; i < first + page; i++) {
		struct prodd_buffer text = { .limit = 0 }, value = { .limit = 0 };
		struct wire_push_series row = { 0 };
		char shard[16];

		snprintf(shard, sizeof shard, "%06u", i);
		prodd_pack_str(&text, prodd_slice(shard));
		if (doubles)
			prodd_pack_float(&value, value_of(i));
		else
			prodd_pack_uint(&value, i * 2654435761u);
		row.labels = prodd_list(&text, 1);
		row.value = prodd_buffer_slice(&value);
		prodd_encode_element(&rows, &count, &wire_record_push_series, &row);
		prodd_buffer_clear(&text);
		prodd_buffer_clear(&value);
	}
	prodd_pack_str(&names, prodd_slice(label));
	family.labels = prodd_list(&names, 1);
	family.series = prodd_list(&rows, count);
	count = 0;
	prodd_encode_element(&families, &count, &wire_record_push_family, &family);
	request.families = prodd_list(&families, count);
	peer_send(peer, WIRE_M_metric_push, &request);
	peer_answer(peer, &answer);
	if (answer.error.code)
		die(answer.error.text);
	prodd_buffer_clear(&rows);
	prodd_buffer_clear(&families);
	prodd_buffer_clear(&names);
}

/* Milliseconds to the last byte; counts the lines of the family. */
static double time_scrape(const char *path, const char *family)
{
	static const char ask[] = "GET /metrics HTTP/1.1\r\nHost: bench\r\nConnection: close\r\n\r\n";
	static char bytes[32u << 20];
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	size_t have = 0, lines = 0;
	uint64_t begin;
	double took;
	ssize_t n;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	memcpy(address.sun_path, path, strlen(path));
	if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof address) < 0)
		die(path);
	begin = now_ns();
	if (send(fd, ask, sizeof ask - 1, MSG_NOSIGNAL) < 0)
		die("send");
	while ((n = read(fd, bytes + have, sizeof bytes - 1 - have)) > 0)
		have += (size_t)n;
	took = (double)(now_ns() - begin) / 1e6;
	close(fd);
	bytes[have] = '\0';
	for (const char *at = bytes; (at = strstr(at, family)) != NULL; at++)
		lines++;
	if (lines != series)
		die("the scrape does not have all series");
	return took;
}

static void scrape_figure(bool doubles)
{
	double took[rounds];
	struct prodd_process process;
	static struct peer peer;
	char path[128];

	prodd_begin(&process);
	snprintf(path, sizeof path, "%s/run/http.sock", process.directory);
	peer_open(&peer, process.app_socket);
	peer_greet(&peer, "bench", "1");
	for (unsigned i = 0; i < series; i += page)
		push(&peer, i, doubles);
	for (int i = 0; i < rounds; i++)
		took[i] = time_scrape(path, doubles ? "\nlevel{" : "\nrequests_total{");
	figure_add((struct figure){ doubles ? "scrape of 100,000 series, doubles" : "scrape of 100,000 series, integers", NULL, "ms",
				    median(took, rounds), 0, doubles ? 20 : 10 });
	peer_close(&peer);
	prodd_finish(&process);
}

void bench_scrape(void)
{
	text_figure(false);
	text_figure(true);
	scrape_figure(false);
	scrape_figure(true);
}
