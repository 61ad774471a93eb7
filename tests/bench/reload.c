/* SPDX-License-Identifier: Apache-2.0 */
/* A reload of 5,000 settings with one instance, beside writing and syncing the same bytes. */
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "tests/bench/bench.h"
#include "tests/bench/peer.h"
#include "proto/codec.h"

enum { settings = 5000, rounds = 5 };

static char *make_settings(int number)
{
	size_t size = settings * 64, at = 0;
	char *text = malloc(size);

	if (!text)
		die("malloc");
	for (int group = 0; group < settings / 50; group++) {
		at += (size_t)snprintf(text + at, size - at, "group_%d: {\n", group);
		for (int key = 0; key < 50; key++)
			at += (size_t)snprintf(text + at, size - at, "  setting_number_%d = %d;\n", key, number + key);
		at += (size_t)snprintf(text + at, size - at, "};\n");
	}
	return text;
}

static double write_bare(const char *directory, const char *text)
{
	char path[128];
	uint64_t begin = now_ns();
	size_t size = strlen(text);
	int fd;

	snprintf(path, sizeof path, "%s/bare", directory);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0 || write(fd, text, size) != (ssize_t)size || fsync(fd) < 0 || close(fd) < 0)
		die(path);
	return (double)(now_ns() - begin) / 1e6;
}

static void must_be_committed(const struct prodd_message *m)
{
	struct wire_reports reports;
	struct wire_report report;
	struct prodd_error e;
	struct prodd_iter it;

	if (prodd_message_decode(m, &wire_record_reports, &reports, &e) < 0)
		die(e.text);
	it = prodd_iter(reports.reports);
	if (prodd_next(&it, &wire_record_report, &report, &e) <= 0 || !prodd_slice_is(report.outcome, "committed"))
		die("the reload was not committed");
}

static double reload_once(struct peer *instance, struct peer *operator)
{
	struct wire_reload reload = { .app = { "bench", 5 } };
	struct prodd_message m;
	uint64_t begin = now_ns();
	unsigned before = instance->commits;

	peer_send(operator, WIRE_M_reload, &reload);
	while (instance->commits == before) {
		struct pollfd fds[2] = { { .fd = instance->fd, .events = POLLIN }, { .fd = operator->fd, .events = POLLIN } };

		if (poll(fds, 2, 20000) <= 0)
			die("no answer");
		if (!fds[0].revents)
			break;		/* the report comes first: it tells why */
		peer_handle(instance);
	}
	peer_answer(operator, &m);
	must_be_committed(&m);
	return (double)(now_ns() - begin) / 1e6;
}

void bench_reload(void)
{
	static struct peer instance, operator;
	double times[rounds], bare[rounds];
	struct prodd_process process;
	char apps[128], path[160];

	prodd_begin(&process);
	snprintf(apps, sizeof apps, "%s/apps/bench", process.directory);
	snprintf(path, sizeof path, "%s/schema.conf", apps);
	unlink(path);
	peer_open(&instance, process.app_socket);
	peer_greet(&instance, "bench", "1");
	peer_open(&operator, process.ctl_socket);
	peer_greet(&operator, NULL, NULL);
	while (instance.applied == 0)
		peer_handle(&instance);
	for (int i = 0; i < rounds; i++) {
		char *text = make_settings(i);

		write_file(apps, "default.conf", text);
		times[i] = reload_once(&instance, &operator);
		bare[i] = write_bare(process.directory, text);
		free(text);
	}
	peer_close(&instance);
	peer_close(&operator);
	figure_add((struct figure){ "reload of 5,000 settings", "write and fsync of the same bytes", "ms", median(times, rounds),
				    median(bare, rounds), 0 });
	prodd_finish(&process);
}
