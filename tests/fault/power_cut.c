/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The spool over power cuts.  A producer appends records and syncs; the power
 * goes at a random operation of the file system; a new writer comes, and what
 * was acknowledged must be there, unaltered and once.
 *
 *   always     each batch is synced before it is acknowledged: nothing acknowledged is ever missing
 *   interval   every few batches are synced: only what came behind the last sync may be missing
 *   deaf       the first control: `always`, but a sync does nothing: something must be missing
 *   faithful   the second one: nor does a cut forget anything: nothing may be missing
 *
 *   PRODD_CUTS        cuts of `always`, 500
 *   PRODD_TEST_SEED
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/spool/reader.h"
#include "daemon/spool/writer.h"
#include "daemon/util/log.h"
#include "tests/dice.h"
#include "tests/fault/forgetful.h"

#define TOKENS_MAX (1u << 21)

enum { UNKNOWN, OFFERED, ACKNOWLEDGED, PASSED, LOST };

static struct dice dice;
static char top[160];
static int control = -1;

/* By token. A token is never used again. */
static uint8_t state[TOKENS_MAX];
static uint64_t next_token, first_token;
static uint64_t missing, offered_missing;

static void demand(bool good, const char *what)
{
	if (good)
		return;
	fprintf(stderr, "power_cut: %s (%s)\n", what, strerror(errno));
	exit(99);
}

static void order(enum forgetful_command command, uint64_t number)
{
	struct forgetful_order o = { command, number, dice_next(&dice) };

	demand(pwrite(control, &o, sizeof o, 0) == sizeof o, "the file system obeys");
}

/* ---- records that tell whether they are whole */

static size_t make_text(uint64_t token, char *to)
{
	struct dice d = { token };
	size_t size = 32 + dice_below(&d, dice_below(&d, 20) ? 1500 : 40000);

	snprintf(to, 32, "%020llu %010zu", (unsigned long long)token, size);
	for (size_t i = 32; i < size; i++)
		to[i] = (char)dice_next(&d);
	return size;
}

static uint64_t token_of(const struct spool_record *record)
{
	static char expected[65536];
	unsigned long long token;
	char head[32] = { 0 };

	if (record->record.size < 32)
		return UINT64_MAX;
	memcpy(head, record->record.at, 31);
	if (sscanf(head, "%20llu", &token) != 1 || make_text(token, expected) != record->record.size)
		return UINT64_MAX;
	return memcmp(expected, record->record.at, record->record.size) == 0 ? token : UINT64_MAX;
}

/* ---- the producer */

/* False: the power is gone. */
static bool append_batch(struct spool_writer *w)
{
	static char texts[8][65536];
	struct spool_record records[8];
	unsigned count = 1 + dice_below(&dice, 8), taken;
	struct prodd_error e;
	uint64_t first;
	int r;

	for (unsigned i = 0; i < count; i++) {
		demand(next_token + i < TOKENS_MAX, "enough tokens");
		records[i] = (struct spool_record){ .origin = prodd_slice("x") };
		records[i].record.size = make_text(next_token + i, texts[i]);
		records[i].record.at = texts[i];
		state[next_token + i] = OFFERED;
	}
	r = spool_writer_append(w, records, count, &first, &taken, &e);
	next_token += count;	/* also those that were not taken: they may be there all the same */
	return r == 0;
}

static void acknowledge(void)
{
	for (uint64_t t = first_token; t < next_token; t++)
		if (state[t] == OFFERED)
			state[t] = ACKNOWLEDGED;
}

static void produce(struct spool_writer *w, bool each)
{
	struct prodd_error e;

	while (append_batch(w)) {
		if (!each && dice_below(&dice, 8))
			continue;
		if (spool_writer_sync(w, &e) < 0)
			return;
		acknowledge();
	}
}

/* ---- the judge */

static void judge(uint64_t token, uint64_t *previous)
{
	demand(token != UINT64_MAX, "a record is altered");
	demand(token < next_token && state[token] != UNKNOWN, "a record is there that nobody wrote");
	demand(*previous == UINT64_MAX || token > *previous, "a record is there twice, or not in order");
	demand(state[token] != LOST, "a record that was missing is there again");
	*previous = token;
	if (state[token] != PASSED)
		state[token] += 16;	/* seen */
}

static void settle(void)
{
	for (uint64_t t = first_token; t < next_token; t++) {
		if (state[t] >= 16) {
			state[t] = ACKNOWLEDGED;	/* it is on the disk now */
		} else if (state[t] == ACKNOWLEDGED || state[t] == OFFERED) {
			missing += state[t] == ACKNOWLEDGED;
			offered_missing += state[t] == OFFERED;
			state[t] = LOST;
		}
	}
}

/* All is read; the older half is then passed by all sinks. */
static void check(int directory, struct spool_writer *w)
{
	int app = openat(directory, "orders", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	uint64_t previous = UINT64_MAX, half = 0, half_token = first_token;
	struct spool_reader *reader;
	struct spool_record record;
	struct prodd_error e;
	uint64_t end = spool_writer_next(w);
	int r;

	demand(app >= 0 && spool_reader_open(&reader, app, 0, &e) == 0, "the spool can be read");
	while ((r = spool_reader_next(reader, UINT64_MAX, &record, &e)) == 1) {
		judge(token_of(&record), &previous);
		if (record.number - spool_writer_oldest(w) < (end - spool_writer_oldest(w)) / 2) {
			half = record.number;
			half_token = previous + 1;
		}
	}
	demand(r == 0, "the spool is read to its end");
	spool_reader_close(reader);
	close(app);
	settle();
	spool_writer_passed(w, half);
	for (; first_token < half_token; first_token++)
		state[first_token] = state[first_token] == LOST ? LOST : PASSED;
}

/* ---- cuts */

/* One life of the writer, to the next cut. */
static void live(struct spool_total *total, bool each)
{
	struct spool_writer *w = NULL;
	struct prodd_error e;
	int directory;

	order(FORGETFUL_POWER, 0);
	directory = open(top, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	demand(directory >= 0, "the directory is there");
	if (spool_writer_open(&w, directory, "orders", total, &e) < 0)
		demand(false, e.text);
	check(directory, w);
	order(FORGETFUL_ARM, 1 + dice_below(&dice, dice_below(&dice, 4) ? 25 : 150));
	produce(w, each);
	spool_writer_close(w);
	close(directory);
}

/* Returns how many acknowledged records were missing. */
static uint64_t run(const char *name, unsigned cuts, bool each, bool until_missing)
{
	struct spool_total total = {
		.app_limit = 2 * 1024 * 1024,	/* segments of 256 KiB */
		.policy = each ? SPOOL_ALWAYS : SPOOL_INTERVAL,
		.full = SPOOL_BLOCK,
	};
	uint64_t begin = next_token;
	unsigned done = 0;

	missing = offered_missing = 0;
	for (; done < cuts && !(until_missing && missing); done++)
		live(&total, each);
	printf("%-9s %5u cuts, %7llu records, %5llu not acknowledged and gone, %llu acknowledged and gone\n",
	       name, done, (unsigned long long)(next_token - begin), (unsigned long long)offered_missing,
	       (unsigned long long)missing);
	fflush(stdout);
	return missing;
}

/* A file system of its own for each. */
static uint64_t trial(const char *name, unsigned cuts, bool each, enum forgetful_command how,
		      bool until_missing)
{
	const char *tmp = getenv("TMPDIR");
	char path[200];
	uint64_t found;
	pid_t server;

	memset(state, 0, sizeof state);
	next_token = first_token = 0;
	snprintf(top, sizeof top, "%s/power-cut-XXXXXX", tmp ? tmp : "/tmp");
	demand(mkdtemp(top), "a directory");
	server = forgetful_start(top);
	if (server < 0) {
		rmdir(top);
		exit(77);
	}
	snprintf(path, sizeof path, "%s/" FORGETFUL_CONTROL, top);
	control = open(path, O_RDWR | O_CLOEXEC);
	demand(control >= 0, "the file system takes orders");
	if (how != FORGETFUL_ARM)
		order(FORGETFUL_DEAF, 1);
	if (how == FORGETFUL_FAITHFUL)
		order(FORGETFUL_FAITHFUL, 1);
	found = run(name, cuts, each, until_missing);
	close(control);
	forgetful_stop(top, server);
	rmdir(top);
	return found;
}

int main(void)
{
	unsigned cuts = (unsigned)atoi(getenv("PRODD_CUTS") ? getenv("PRODD_CUTS") : "500");
	bool good = true;

	dice = dice_start("power_cut");
	log_open("power_cut", LOG_LEVEL_ERROR);
	/* As root in a mount namespace of its own, so that nothing stays mounted whatever happens. */
	if (unshare(CLONE_NEWNS) == 0)
		demand(mount("none", "/", "none", MS_REC | MS_PRIVATE, NULL) == 0, "private mounts");
	good = trial("always", cuts, true, FORGETFUL_ARM, false) == 0 && good;
	good = trial("interval", cuts / 2, false, FORGETFUL_ARM, false) == 0 && good;
	good = trial("deaf", 200, true, FORGETFUL_DEAF, true) > 0 && good;
	good = trial("faithful", 50, true, FORGETFUL_FAITHFUL, false) == 0 && good;
	if (!good)
		printf("not as it must be: see above\n");
	return !good;
}
