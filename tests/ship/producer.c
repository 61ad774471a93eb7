/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writes records into spools, for tests of prodd-ship.
 *
 *   producer DIRECTORY    commands on stdin, one a line; each is answered by a line on stdout: the number of
 *                         the app's last record
 *     add APP COUNT SIZE LEVEL   appends records: message "record N of APP" and a field "fill" of SIZE bytes,
 *                                which ends in a newline and a quote; N counts from 1 for each app, as long
 *                                as this program runs
 *     from APP N                 N of the next record
 *     passed APP NUMBER          tells the writer that all sinks have them
 *     close APP
 *     damaged APP                appends a record that is none
 */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "daemon/spool/writer.h"

enum { apps_max = 256, batch = 64, fill_max = 1 << 20 };

static struct app {
	char name[64];
	struct spool_writer *writer;
	uint64_t count;
} apps[apps_max];

static struct spool_total total = { .policy = SPOOL_NEVER, .full = SPOOL_DROP_OLDEST };
static int directory;

static void die(const char *what, const char *why)
{
	fprintf(stderr, "producer: %s: %s\n", what, why);
	exit(1);
}

static struct app *app_of(const char *name)
{
	struct app *app = apps;
	struct prodd_error e;

	while (app < apps + apps_max && app->name[0] && strcmp(app->name, name) != 0)
		app++;
	if (app == apps + apps_max)
		die(name, "too many apps");
	snprintf(app->name, sizeof app->name, "%s", name);
	if (!app->writer && spool_writer_open(&app->writer, directory, name, &total, &e) < 0)
		die(name, e.text);
	return app;
}

static void pack_record(struct prodd_buffer *b, struct app *app, unsigned size, unsigned level)
{
	static char fill[fill_max];
	char message[128];

	memset(fill, 'x', size);
	if (size >= 2)
		memcpy(fill + size - 2, "\n\"", 2);
	snprintf(message, sizeof message, "record %" PRIu64 " of %s", ++app->count, app->name);
	prodd_pack_array(b, 8 + 2);
	prodd_pack_uint(b, UINT64_C(1795316531000000000) + app->count);
	prodd_pack_uint(b, level);
	prodd_pack_str(b, prodd_slice("main"));
	prodd_pack_str(b, prodd_slice(message));
	for (int i = 0; i < 4; i++)
		prodd_pack_nil(b);
	prodd_pack_str(b, prodd_slice("fill"));
	prodd_pack_str(b, (struct prodd_slice){ fill, size });
}

static void append(struct app *app, const struct spool_record *records, unsigned count)
{
	while (count > 0) {
		struct prodd_error e;
		uint64_t first;
		unsigned taken;

		if (spool_writer_append(app->writer, records, count, &first, &taken, &e) < 0)
			die(app->name, e.text);
		records += taken;
		count -= taken;
	}
}

static void add(struct app *app, uint64_t count, unsigned size, unsigned level)
{
	prodd_auto_buffer origin = { 0 };

	origin_pack(&origin, &(struct origin){ .instance = prodd_slice("one"), .pid = 42 });
	while (count > 0) {
		unsigned n = count < batch ? (unsigned)count : batch;
		struct spool_record records[batch];
		prodd_auto_buffer b = { .limit = (size_t)batch * (fill_max + 512) };
		size_t ends[batch];

		for (unsigned i = 0; i < n; i++) {
			pack_record(&b, app, size, level);
			ends[i] = b.size;
		}
		for (unsigned i = 0; i < n; i++) {
			size_t from = i ? ends[i - 1] : 0;

			records[i] = (struct spool_record){ 0, prodd_buffer_slice(&origin),
							   { b.at + from, ends[i] - from } };
		}
		append(app, records, n);
		count -= n;
	}
}

static void obey(const char *line)
{
	char verb[16], name[64];
	uint64_t count = 0;
	unsigned size = 0, level = 2;
	struct app *app;

	if (sscanf(line, "%15s %63s %" SCNu64 " %u %u", verb, name, &count, &size, &level) < 2 ||
	    size > fill_max)
		die(line, "no command");
	app = app_of(name);
	if (strcmp(verb, "add") == 0)
		add(app, count, size, level);
	else if (strcmp(verb, "from") == 0)
		app->count = count - 1;
	else if (strcmp(verb, "passed") == 0)
		spool_writer_passed(app->writer, count);
	else if (strcmp(verb, "damaged") == 0)
		append(app, &(struct spool_record){ 0, prodd_slice("?"), prodd_slice("?") }, 1);
	else if (strcmp(verb, "close") != 0)
		die(line, "no command");
	printf("%" PRIu64 "\n", spool_writer_next(app->writer) - 1);
	if (strcmp(verb, "close") == 0)
		app->writer = spool_writer_close(app->writer);
	fflush(stdout);
}

int main(int argc, char **argv)
{
	char line[256];

	if (argc != 2)
		die("usage", "producer DIRECTORY");
	directory = open(argv[1], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (directory < 0)
		die(argv[1], "cannot be opened");
	while (fgets(line, sizeof line, stdin))
		obey(line);
	for (int i = 0; i < apps_max; i++)
		spool_writer_close(apps[i].writer);
	close(directory);
	return 0;
}
