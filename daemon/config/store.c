/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One table, replaced whole.  A table is encoded only when the write before
 * it has ended, so that it never carries a change that failed.
 */
#define _GNU_SOURCE
#include "daemon/config/store.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/util/clock.h"
#include "daemon/util/container.h"
#include "daemon/util/file.h"
#include "daemon/util/log.h"
#include "daemon/util/stamp.h"
#include "proto/limits.h"

#define TABLE_KIND "LIV"
#define TABLE_MAX (8u * 1024 * 1024)
#define GENERATION_MAX PRODD_REPLY_MAX
#define HISTORY_MOST 1000

struct store {
	struct disk *disk;		/* borrowed */
	int directory;			/* owned: STATE/config */
	unsigned history;		/* generations kept of each scope */
	char epoch[33];
	char boot[40];
	uint64_t txn;			/* next transaction number */
	struct store_row *rows;		/* owned */
	STAILQ_HEAD(, store_write) queue;
	bool busy;
};

/* ---- rows */

static void key_of(const char *app, const char *environment, char key[2 * STORE_NAME_MAX])
{
	memset(key, 0, 2 * STORE_NAME_MAX);
	snprintf(key, STORE_NAME_MAX, "%s", app);
	snprintf(key + STORE_NAME_MAX, STORE_NAME_MAX, "%s", environment);
}

struct store_row *store_row(struct store *store, const char *app, const char *environment, bool make)
{
	char key[2 * STORE_NAME_MAX];
	struct store_row *row;

	_Static_assert(offsetof(struct store_row, environment) == STORE_NAME_MAX, "app and environment are one key");
	key_of(app, environment, key);
	HASH_FIND(hh, store->rows, key, sizeof key, row);
	if (row || !make)
		return row;
	row = calloc(1, sizeof *row);
	if (!row)
		return NULL;
	memcpy(row->app, key, sizeof key);
	row->next = 1;
	HASH_ADD(hh, store->rows, app, 2 * STORE_NAME_MAX, row);
	return row;
}

struct store_row *store_next(struct store *store, struct store_row *row)
{
	return row ? row->hh.next : store->rows;
}

const char *store_epoch(const struct store *store)
{
	return store->epoch;
}

uint64_t store_take_txn(struct store *store)
{
	return store->txn++;
}

/* ---- the table */

static struct wire_live_row encoded_row(const struct store *store, const struct store_row *row)
{
	return (struct wire_live_row){
		.app = prodd_slice(row->app), .environment = prodd_slice(row->environment),
		.generation = row->generation, .previous = row->previous, .next = row->next,
		.refused = prodd_slice(row->refused), .refused_why = prodd_slice(row->refused_why),
		.refused_ms = row->refused_ms, .fallback = row->fallback,
		.boot = prodd_slice(row->fallback ? store->boot : ""),
		.confirm_boot_ms = row->confirm_boot_ms,
	};
}

static const struct store_row *after(const struct store_write *write, const struct store_row *row)
{
	for (unsigned i = 0; i < write->change_count; i++)
		if (write->changes[i].row == row)
			return &write->changes[i].now;
	return row;
}

static void set_row(struct store_row *row, const struct store_row *now)
{
	struct store_row names = *row;

	*row = *now;
	memcpy(row->app, names.app, sizeof row->app);
	memcpy(row->environment, names.environment, sizeof row->environment);
	row->hh = names.hh;
}

static int encode_table(struct store *store, const struct store_write *write, struct prodd_buffer *ret)
{
	prodd_auto_buffer rows = { .limit = TABLE_MAX };
	struct wire_live table = { .epoch = prodd_slice(store->epoch), .txn = store->txn };
	uint32_t count = 0;

	for (struct store_row *row = store->rows; row; row = row->hh.next) {
		struct store_row whole = *row;
		struct wire_live_row encoded;

		set_row(&whole, after(write, row));
		encoded = encoded_row(store, &whole);
		prodd_encode_element(&rows, &count, &wire_record_live_row, &encoded);
	}
	if (rows.failed)
		return rows.failed;
	table.rows = prodd_list(&rows, count);
	return stamp_seal(ret, TABLE_KIND, &wire_record_live, &table);
}

static void copy_text(char *to, size_t size, struct prodd_slice from)
{
	snprintf(to, size, "%.*s", PRODD_SLICE(from));
}

static int load_row(struct store *store, const struct wire_live_row *stored)
{
	char app[STORE_NAME_MAX], environment[STORE_NAME_MAX];
	struct store_row *row;

	copy_text(app, sizeof app, stored->app);
	copy_text(environment, sizeof environment, stored->environment);
	row = store_row(store, app, environment, true);
	if (!row)
		return -PRODD_E_NO_MEMORY;
	row->generation = stored->generation;
	row->previous = stored->previous;
	row->next = stored->next > stored->generation ? stored->next : stored->generation + 1;
	copy_text(row->refused, sizeof row->refused, stored->refused);
	copy_text(row->refused_why, sizeof row->refused_why, stored->refused_why);
	row->refused_ms = stored->refused_ms;
	row->fallback = stored->fallback;
	row->confirm_boot_ms = prodd_slice_is(stored->boot, store->boot) ? stored->confirm_boot_ms : 0;
	return 0;
}

static int load_table(struct store *store, struct prodd_slice bytes, struct prodd_error *e)
{
	struct wire_live table;
	struct wire_live_row row;
	struct prodd_iter it;
	int r;

	r = stamp_open(bytes, TABLE_KIND, &wire_record_live, &table, e);
	if (r < 0)
		return r;
	copy_text(store->epoch, sizeof store->epoch, table.epoch);
	store->txn = table.txn + 1;
	it = prodd_iter(table.rows);
	while ((r = prodd_next(&it, &wire_record_live_row, &row, e)) > 0)
		if (load_row(store, &row) < 0)
			return prodd_error_set(e, PRODD_E_NO_MEMORY, "the table of live generations");
	return r;
}

static int make_epoch(struct store *store, struct prodd_error *e)
{
	unsigned char random[16];

	if (getrandom(random, sizeof random, 0) != sizeof random)
		return prodd_error_set(e, PRODD_E_IO, "getrandom: %s", strerror(errno));
	for (int i = 0; i < 16; i++)
		snprintf(store->epoch + 2 * i, 3, "%02x", random[i]);
	store->txn = 1;
	return 0;
}

static void read_boot(struct store *store)
{
	prodd_auto_buffer id = { .limit = 0 };

	if (file_read(AT_FDCWD, "/proc/sys/kernel/random/boot_id", 64, &id, NULL) < 0 || id.size < 36)
		return;
	memcpy(store->boot, id.at, 36);
}

/* ---- opening */

/* The epoch must be durable before a generation of it is served: the empty table is written at once. */
static int write_first_table(struct store *store, struct prodd_error *e)
{
	struct store_write nothing = { .change_count = 0 };
	prodd_auto_buffer table = { .limit = TABLE_MAX };

	if (make_epoch(store, e) < 0)
		return -e->code;
	if (encode_table(store, &nothing, &table) < 0)
		return prodd_error_set(e, PRODD_E_NO_MEMORY, "the table of live generations");
	return file_replace(store->directory, "live", prodd_buffer_slice(&table), 0600, e);
}

int store_open(struct store **ret, struct disk *disk, const char *state, unsigned history, struct prodd_error *e)
{
	prodd_auto_buffer table = { .limit = TABLE_MAX };
	struct store *store = calloc(1, sizeof *store);
	auto_fd top = -1;
	int r;

	if (!store)
		return prodd_error_set(e, PRODD_E_NO_MEMORY, "the state");
	store->disk = disk;
	store->directory = -1;
	store->history = history;
	STAILQ_INIT(&store->queue);
	read_boot(store);
	top = open(state, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	r = top < 0 ? prodd_error_set(e, PRODD_E_IO, "%s: %s", state, strerror(errno))
		    : file_make_directory(top, "config", 0700, e);
	if (r >= 0) {
		store->directory = r;
		r = file_read(store->directory, "live", TABLE_MAX, &table, e);
		if (r == -PRODD_E_NOT_FOUND)
			r = write_first_table(store, e);
		else if (r >= 0)
			r = load_table(store, prodd_buffer_slice(&table), e);
	}
	if (r < 0) {
		prodd_error_prefix(e, "%s/config/live", state);
		store_free(store);
		return r;
	}
	*ret = store;
	return 0;
}

struct store *store_free(struct store *store)
{
	struct store_row *row, *next;

	if (!store)
		return NULL;
	HASH_ITER(hh, store->rows, row, next) {
		HASH_DEL(store->rows, row);
		free(row);
	}
	file_close(&store->directory);
	free(store);
	return NULL;
}

/* ---- reading */

static int open_scope(const struct store *store, const char *app, const char *environment, bool make,
		      struct prodd_error *e)
{
	char path[2 * STORE_NAME_MAX + 2];
	int fd;

	snprintf(path, sizeof path, *environment ? "%s/%s" : "%s", app, environment);
	if (make)
		return file_make_directory(store->directory, path, 0700, e);
	fd = openat(store->directory, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return prodd_error_set(e, errno == ENOENT ? PRODD_E_NOT_FOUND : PRODD_E_IO, "%s: %s", path,
				       strerror(errno));
	return fd;
}

int store_read_generation(struct store *store, const struct store_row *row, uint64_t number,
			  struct prodd_buffer *ret, struct prodd_error *e)
{
	auto_fd scope = -1;
	char name[32];

	if (number > row->generation)
		return prodd_error_set(e, PRODD_E_NOT_FOUND, "generation %" PRIu64 " was never live", number);
	scope = open_scope(store, row->app, row->environment, false, e);
	if (scope < 0)
		return scope;
	snprintf(name, sizeof name, "%" PRIu64 ".gen", number);
	return file_read(scope, name, GENERATION_MAX, ret, e);
}

int store_read_declared(struct store *store, const char *app, struct prodd_buffer *ret, struct prodd_error *e)
{
	auto_fd directory = open_scope(store, app, "", false, e);

	if (directory < 0)
		return directory;
	return file_read(directory, "declared", GENERATION_MAX, ret, e);
}

static int newest_first(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x < y) - (x > y);
}

/* Those up to `most`: a higher one was written, and not decided before prodd ended. */
static unsigned list_numbers(int scope, uint64_t most, uint64_t *ret, unsigned max)
{
	int fd = openat(scope, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *directory = fd < 0 ? NULL : fdopendir(fd);
	unsigned count = 0;
	struct dirent *entry;

	if (!directory) {
		file_close(&fd);
		return 0;
	}
	while (count < max && (entry = readdir(directory))) {
		char *end;
		uint64_t number = strtoull(entry->d_name, &end, 10);

		if (number > 0 && number <= most && strcmp(end, ".gen") == 0)
			ret[count++] = number;
	}
	closedir(directory);
	qsort(ret, count, sizeof *ret, newest_first);
	return count;
}

unsigned store_list_generations(struct store *store, const struct store_row *row, uint64_t *ret, unsigned max)
{
	auto_fd scope = open_scope(store, row->app, row->environment, false, NULL);

	return scope < 0 ? 0 : list_numbers(scope, row->generation, ret, max);
}

/* ---- writing, on the disk thread */

static int write_file(const struct store *store, const struct store_file *file, struct prodd_error *e)
{
	auto_fd directory = open_scope(store, file->app, file->environment, true, e);
	char name[32] = "declared";

	if (directory < 0)
		return directory;
	if (*file->environment)
		snprintf(name, sizeof name, "%" PRIu64 ".gen", file->number);
	return file_replace(directory, name, file->content, 0600, e);
}

static bool was_live(const struct store_change *change, uint64_t number)
{
	return number <= change->row->generation || number == change->now.generation;
}

/* Generations beyond the history go, and those that were never live; not the live one, nor the one to fall back to. */
static void prune(const struct store *store, const struct store_change *change)
{
	auto_fd scope = open_scope(store, change->row->app, change->row->environment, false, NULL);
	uint64_t numbers[HISTORY_MOST + 64];
	unsigned count, kept = 0;

	if (scope < 0)
		return;
	count = list_numbers(scope, change->now.generation, numbers, sizeof numbers / sizeof *numbers);
	for (unsigned i = 0; i < count; i++) {
		char name[32];

		if (was_live(change, numbers[i]) && (kept++ < store->history || numbers[i] == change->now.fallback))
			continue;
		snprintf(name, sizeof name, "%" PRIu64 ".gen", numbers[i]);
		unlinkat(scope, name, 0);
	}
}

static enum store_outcome replace_table(struct store *store, struct store_write *write)
{
	if (file_write_synced(store->directory, "live.new", prodd_buffer_slice(&write->table), 0600, &write->error) < 0)
		return STORE_NOT_WRITTEN;
	if (renameat(store->directory, "live.new", store->directory, "live") < 0) {
		prodd_error_set(&write->error, PRODD_E_IO, "rename live.new to live: %s", strerror(errno));
		return STORE_NOT_WRITTEN;
	}
	if (fsync(store->directory) < 0) {
		prodd_error_set(&write->error, PRODD_E_IO, "sync of the state directory: %s", strerror(errno));
		return STORE_UNSYNCED;
	}
	return STORE_WRITTEN;
}

static void write_run(struct disk_job *job)
{
	struct store_write *write = container_of(job, struct store_write, job);
	struct store *store = write->store;

	write->outcome = STORE_NOT_WRITTEN;
	if (write->table.failed) {
		prodd_error_set(&write->error, PRODD_E_NO_MEMORY, "the table of live generations");
		return;
	}
	for (unsigned i = 0; i < write->file_count; i++)
		if (write_file(store, &write->files[i], &write->error) < 0)
			return;
	write->outcome = STORE_WRITTEN;
	if (write->change_count == 0)
		return;
	write->outcome = replace_table(store, write);
	if (write->outcome != STORE_NOT_WRITTEN)
		for (unsigned i = 0; i < write->change_count; i++)
			prune(store, &write->changes[i]);
}

/* ---- writing, on the loop */

static void start_next(struct store *store);

static void write_done(struct disk_job *job)
{
	struct store_write *write = container_of(job, struct store_write, job);
	struct store *store = write->store;

	prodd_buffer_clear(&write->table);
	if (write->outcome != STORE_NOT_WRITTEN)
		for (unsigned i = 0; i < write->change_count; i++)
			set_row(write->changes[i].row, &write->changes[i].now);
	if (write->outcome == STORE_UNSYNCED)
		log_warn("state: %s", write->error.text);
	store->busy = false;
	write->queued = false;
	write->done(write);
	start_next(store);
}

static void start_next(struct store *store)
{
	struct store_write *write = STAILQ_FIRST(&store->queue);

	if (!write || store->busy)
		return;
	STAILQ_REMOVE_HEAD(&store->queue, link);
	store->busy = true;
	write->table = (struct prodd_buffer){ .limit = TABLE_MAX };
	write->error = (struct prodd_error){ 0 };
	if (write->change_count && encode_table(store, write, &write->table) < 0) {
		/* write_run() sees it: failures have one way back. */
		prodd_buffer_clear(&write->table);
		write->table.failed = -PRODD_E_NO_MEMORY;
	}
	disk_submit(store->disk, &write->job);
}

void store_write(struct store *store, struct store_write *write)
{
	write->store = store;
	write->queued = true;
	write->job = (struct disk_job){ .run = write_run, .done = write_done };
	STAILQ_INSERT_TAIL(&store->queue, write, link);
	start_next(store);
}
