/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SIGKILL of the process that writes a spool, at random points.  What it had
 * said to be appended is there after it, in order and once, and the spool knows
 * how far each ring was read: another writer goes on from just there.  The
 * control is a writer that says so before it appends: it must be caught.
 *
 *   PRODD_KILL_SEEDS   kills, 200
 *   PRODD_TEST_SEED
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "daemon/spool/reader.h"
#include "daemon/spool/writer.h"
#include "daemon/util/log.h"
#include "proto/buffer.h"
#include "tests/dice.h"

enum { batch_max = 16, text_max = 6000 };

static const uint8_t ring[16] = "the only ring";
static struct dice dice;
static char top[160];
static int directory;

static void demand(bool good, const char *what)
{
	if (good)
		return;
	fprintf(stderr, "kill_the_writer: %s\n", what);
	exit(1);
}

/* Token t is the record that ends at 64 * (t + 1) in its ring. */
static size_t make_text(uint64_t token, char *to)
{
	struct dice d = { token };
	size_t size = 32 + dice_below(&d, text_max - 32);

	snprintf(to, 32, "%020llu %010zu", (unsigned long long)token, size);
	for (size_t i = 32; i < size; i++)
		to[i] = (char)dice_next(&d);
	return size;
}

static uint64_t token_of(const struct spool_record *record)
{
	static char expected[text_max];
	unsigned long long token;
	char head[32] = { 0 };

	demand(record->record.size >= 32, "a record is too short");
	memcpy(head, record->record.at, 31);
	demand(sscanf(head, "%20llu", &token) == 1 && make_text(token, expected) == record->record.size &&
		       memcmp(expected, record->record.at, record->record.size) == 0,
	       "a record is altered");
	return token;
}

static struct spool_writer *open_spool(struct spool_total *total)
{
	struct spool_writer *w = NULL;
	struct prodd_error e;

	*total = (struct spool_total){ .app_limit = 2 * 1024 * 1024,
				       .full = SPOOL_BLOCK,
				       .policy = SPOOL_NEVER };
	if (spool_writer_open(&w, directory, "orders", total, &e) < 0)
		demand(false, e.text);
	return w;
}

/* ---- the one that is killed */

static void append_batch(struct spool_writer *w, uint64_t token, unsigned count)
{
	static char texts[batch_max][text_max];
	struct prodd_buffer origins[batch_max] = { 0 };
	struct spool_record records[batch_max];
	struct prodd_error e;
	uint64_t first;
	unsigned taken;

	for (unsigned i = 0; i < count; i++) {
		origin_pack(&origins[i], &(struct origin){ prodd_slice("1"),
							   1,
							   1000,
							   { (const char *)ring, 16 },
							   64 * (token + i + 1),
							   { NULL, 0 } });
		records[i].origin = prodd_buffer_slice(&origins[i]);
		records[i].record = (struct prodd_slice){ texts[i], make_text(token + i, texts[i]) };
	}
	if (spool_writer_append(w, records, count, &first, &taken, &e) < 0)
		demand(false, e.text);
	for (unsigned i = 0; i < count; i++)
		prodd_buffer_clear(&origins[i]);
}

static bool tell(int report, uint64_t appended)
{
	return write(report, &appended, sizeof appended) == sizeof appended;
}

/* Writes to `report` how many are appended. */
static void write_until_killed(int report, bool lying)
{
	struct spool_total total;
	struct spool_writer *w;
	uint64_t token;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	w = open_spool(&total);
	token = spool_writer_water(w, ring, 1000) / 64;
	for (;;) {
		unsigned count = 1 + dice_below(&dice, batch_max);
		uint64_t oldest = spool_writer_oldest(w);

		if (lying && !tell(report, token + count))
			_exit(0);
		append_batch(w, token, count);
		token += count;
		if (!lying && !tell(report, token))
			_exit(0);
		if (spool_writer_next(w) - oldest > 300)	/* the sinks are quick */
			spool_writer_passed(w, spool_writer_next(w) - 150);
	}
}

/* ---- the judge */

/* From the oldest that is kept to `end` at least, none left out. False: it does not come so far. */
static bool check(uint64_t end)
{
	struct spool_total total;
	struct spool_writer *w = open_spool(&total);
	int app = openat(directory, "orders", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	uint64_t water = spool_writer_water(w, ring, 1000), token = UINT64_MAX;
	struct spool_reader *reader;
	struct spool_record record;
	struct prodd_error e;

	demand(app >= 0 && spool_reader_open(&reader, app, 0, &e) == 0, "no spool");
	while (spool_reader_next(reader, UINT64_MAX, &record, &e) == 1) {
		uint64_t found = token_of(&record);

		demand(token == UINT64_MAX || found == token + 1,
		       "a record is missing, twice or not in its place");
		token = found;
	}
	demand(water == 64 * (token + 1), "the spool does not know how far the ring was read");
	spool_reader_close(reader);
	spool_writer_close(w);
	close(app);
	return token + 1 >= end;
}

static uint64_t kill_once(bool lying)
{
	struct timespec pause = { 0, dice_below(&dice, dice_below(&dice, 3) ? 3000000 : 20000000) };
	uint64_t token, end = 0;
	int report[2], status;
	pid_t writer;

	demand(pipe2(report, O_CLOEXEC) == 0, "no pipe");
	writer = fork();
	if (writer == 0) {
		close(report[0]);
		dice_next(&dice);
		write_until_killed(report[1], lying);
	}
	close(report[1]);
	nanosleep(&pause, NULL);	/* a random moment is what is wanted */
	if (dice_below(&dice, 2))
		demand(read(report[0], &end, sizeof end) == sizeof end, "the writer ended by itself");
	kill(writer, SIGKILL);
	waitpid(writer, &status, 0);
	demand(WIFSIGNALED(status), "the writer ended by itself");
	while (read(report[0], &token, sizeof token) == sizeof token)
		end = token;
	close(report[0]);
	return end;
}

/* Returns the kill after which a record was missing that was said to be appended; 0: none. */
static unsigned run(unsigned kills, bool lying)
{
	const char *tmp = getenv("TMPDIR");
	uint64_t end = 0;
	char command[200];
	unsigned found = 0, i;

	snprintf(top, sizeof top, "%s/kill-XXXXXX", tmp ? tmp : "/tmp");
	demand(mkdtemp(top), "no directory");
	directory = open(top, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	for (i = 1; i <= kills && !found; i++) {
		uint64_t appended = kill_once(lying);

		end = appended > end ? appended : end;
		if (!check(end))
			found = i;
	}
	printf("%s: %u kills, %llu records\n", lying ? "control" : "writer", i - 1, (unsigned long long)end);
	fflush(stdout);
	close(directory);
	snprintf(command, sizeof command, "rm -rf '%s'", top);
	demand(system(command) == 0, "what is left cannot be removed");
	demand(lying || end > kills, "hardly anything was written");
	return found;
}

int main(void)
{
	unsigned kills = (unsigned)atoi(getenv("PRODD_KILL_SEEDS") ? getenv("PRODD_KILL_SEEDS") : "200");

	dice = dice_start("kill_the_writer");
	log_open("kill_the_writer", LOG_LEVEL_ERROR);
	demand(run(kills, false) == 0, "a record that was appended is missing");
	demand(run(400, true) > 0, "the control was not caught");
	return 0;
}
