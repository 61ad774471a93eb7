/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two places for a book.  Invariant: what may be told is in the current one; while a new one is being
 * renamed, in both, since either may be what the next daemon finds.
 */
#define _GNU_SOURCE
#include "daemon/metric/ledger.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/core/counters.h"
#include "daemon/util/clock.h"
#include "daemon/util/container.h"
#include "daemon/util/file.h"
#include "daemon/util/log.h"

#define PAGE 4096u
#define SLICE 1000		/* records entered in one turn of the loop */

void ledger_init(struct ledger *ledger, const struct ledger_ops *ops, struct disk *disk, int directory,
		 const char *boot, const char *app, uid_t uid)
{
	*ledger = (struct ledger){
		.ops = ops, .disk = disk, .directory = directory, .boot = boot, .uid = uid,
	};
	snprintf(ledger->app, sizeof ledger->app, "%s", app);
	snprintf(ledger->name, sizeof ledger->name, "%s.ledger", app);
}

static void book_close(struct book *book)
{
	if (book->at)
		munmap(book->at, book->size);
	*book = (struct book){ 0 };
}

void ledger_clear(struct ledger *ledger)
{
	loop_timer_clear(&ledger->slice);
	book_close(&ledger->books[0]);
	book_close(&ledger->books[1]);
}

static struct book *other(struct ledger *ledger)
{
	return &ledger->books[!ledger->current];
}

/* ---- start-up */

static int map_file(struct ledger *ledger, const char *name, struct prodd_error *e)
{
	auto_fd fd = openat(ledger->directory, name, O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	struct stat st;
	void *at;
	int r;

	if (fd < 0 && errno == ENOENT)
		return 0;
	if (fd < 0 || fstat(fd, &st) < 0)
		return prodd_error_set(e, PRODD_E_IO, "open: %s", strerror(errno));
	if (!S_ISREG(st.st_mode) || st.st_size < (off_t)BOOK_HEAD || (uint64_t)st.st_size > BOOK_SIZE_MAX)
		return prodd_error_set(e, PRODD_E_CORRUPT, "a file of %jd bytes", (intmax_t)st.st_size);
	at = mmap(NULL, (size_t)st.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (at == MAP_FAILED)
		return prodd_error_set(e, PRODD_E_IO, "map: %s", strerror(errno));
	r = book_open(&ledger->books[0], at, (uint64_t)st.st_size, e);
	if (r < 0)
		munmap(at, (size_t)st.st_size);
	return r < 0 ? r : 1;
}

void ledger_put_aside(struct ledger *ledger, const char *why)
{
	char to[LEDGER_NAME + 64];

	ledger_clear(ledger);
	snprintf(to, sizeof to, "%s.damaged.%" PRIu64, ledger->name, clock_wall_ms());
	counters.metric_ledgers_damaged++;
	if (renameat(ledger->directory, ledger->name, ledger->directory, to) < 0)
		log_error("metrics: %s is damaged (%s), and could not be put aside: %s", ledger->name, why,
			  strerror(errno));
	else
		log_error("metrics: %s is damaged (%s); put aside as %s; its counters begin at zero",
			  ledger->name, why, to);
}

/* The head's own texts are checked by its checksum. */
static int adopt(struct ledger *ledger)
{
	const struct book_head *head = book_head(&ledger->books[0]);

	ledger->current = 0;
	snprintf(ledger->app, sizeof ledger->app, "%s", head->app);
	ledger->uid = head->uid;
	if (strcmp(head->boot, ledger->boot) == 0)
		return 1;
	ledger_clear(ledger);
	if (unlinkat(ledger->directory, ledger->name, 0) < 0)
		log_error("metrics: remove %s, which is of another boot: %s", ledger->name, strerror(errno));
	return 0;
}

int ledger_load(struct ledger *ledger, const char *name, struct prodd_error *e)
{
	int r;

	snprintf(ledger->name, sizeof ledger->name, "%s", name);
	r = map_file(ledger, name, e);
	if (r == -PRODD_E_UNSUPPORTED) {
		ledger->foreign = ledger->failing = true;
		ledger->failed_ms = clock_wall_ms();
		snprintf(ledger->why, sizeof ledger->why, "%s", e->text);
		log_error("metrics: %s: %s; counters of this app will not outlive prodd", name, e->text);
	}
	if (r == -PRODD_E_CORRUPT)
		ledger_put_aside(ledger, e->text);
	return r <= 0 ? r : adopt(ledger);
}

/* ---- a new book */

static void temporary_name(const struct ledger *ledger, char *to, size_t size)
{
	snprintf(to, size, ".%s.new", ledger->name);
}

/* All of it is allocated: a store to a hole of a full disk would be SIGBUS. */
static int make_file(struct ledger *ledger, const char *name)
{
	size_t size = (size_t)ledger->work.size;
	auto_fd fd = -1;
	int r;

	unlinkat(ledger->directory, name, 0);
	fd = openat(ledger->directory, name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return errno;
	r = posix_fallocate(fd, 0, (off_t)size);
	if (r)
		return r;
	ledger->work.at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd, 0);
	if (ledger->work.at != MAP_FAILED)
		return 0;
	ledger->work.at = NULL;
	return errno;
}

static void run_make(struct disk_job *job)
{
	struct ledger *ledger = container_of(job, struct ledger, job);
	char name[LEDGER_NAME + 16];

	temporary_name(ledger, name, sizeof name);
	ledger->work.failed = make_file(ledger, name);
	if (ledger->work.failed)
		unlinkat(ledger->directory, name, 0);
}

static void run_rename(struct disk_job *job)
{
	struct ledger *ledger = container_of(job, struct ledger, job);
	char name[LEDGER_NAME + 16];

	temporary_name(ledger, name, sizeof name);
	ledger->work.failed =
		renameat(ledger->directory, name, ledger->directory, ledger->name) < 0 ? errno : 0;
	if (ledger->work.failed)
		unlinkat(ledger->directory, name, 0);
}

static void made(struct disk_job *job);
static void renamed(struct disk_job *job);

static void start(struct ledger *ledger, enum ledger_stage stage)
{
	ledger->stage = stage;
	ledger->job = stage == LEDGER_MAKES ? (struct disk_job){ .run = run_make, .done = made }
					    : (struct disk_job){ .run = run_rename, .done = renamed };
	disk_submit(ledger->disk, &ledger->job);
}

/* Said once, until it works again. */
static void fail(struct ledger *ledger, const char *why)
{
	if (!ledger->failing) {
		ledger->failed_ms = clock_wall_ms();
		log_error("metrics: %s cannot be written: %s; counters of %s would not survive a crash",
			  ledger->name, why, ledger->app);
	}
	snprintf(ledger->why, sizeof ledger->why, "%s", why);
	counters.metric_ledgers_failed++;
	book_close(other(ledger));
	ledger->failing = true;
	ledger->stage = LEDGER_RESTS;
	ledger->again = false;
	ledger->retry_ms = clock_monotonic_ms() + LEDGER_RETRY_MS;
	ledger->ops->replaced(ledger);
}

static uint64_t size_for(uint64_t needs)
{
	uint64_t size = BOOK_HEAD + needs + needs / 2;

	size = size < BOOK_SIZE_LEAST ? BOOK_SIZE_LEAST : size;
	return (size + PAGE - 1) / PAGE * PAGE;
}

void ledger_renew(struct ledger *ledger)
{
	uint64_t size;

	if (ledger->stage != LEDGER_RESTS) {
		ledger->again = true;
		return;
	}
	if (ledger->foreign || (ledger->failing && clock_monotonic_ms() < ledger->retry_ms))
		return;
	size = size_for(ledger->ops->needs(ledger));
	if (size > BOOK_SIZE_MAX) {
		fail(ledger, "it would be too large");
		return;
	}
	ledger->again = false;
	ledger->work.size = size;
	ledger->work.at = NULL;
	start(ledger, LEDGER_MAKES);
}

void ledger_tick(struct ledger *ledger)
{
	if ((ledger->failing || ledger->stale) && ledger->stage == LEDGER_RESTS)
		ledger_renew(ledger);
}

/* The last slice finds nothing left, and in the same turn both books have all. */
static void go_on(struct ledger *ledger)
{
	int entered = ledger->ops->fill(ledger, SLICE);

	if (entered == SLICE) {
		loop_timer_arm(&ledger->slice, 0);
		return;
	}
	if (entered >= 0) {
		start(ledger, LEDGER_RENAMES);
		return;
	}
	book_close(other(ledger));	/* more has come than there was room for */
	ledger->stage = LEDGER_RESTS;
	ledger_renew(ledger);
}

static void slice_fired(struct loop_timer *timer)
{
	go_on(container_of(timer, struct ledger, slice));
}

int ledger_start(struct ledger *ledger, struct loop *loop, struct prodd_error *e)
{
	return loop_timer_init(&ledger->slice, loop, slice_fired, e);
}

static void made(struct disk_job *job)
{
	struct ledger *ledger = container_of(job, struct ledger, job);

	if (ledger->work.failed) {
		fail(ledger, strerror(ledger->work.failed));
		return;
	}
	book_begin(other(ledger), ledger->work.at, ledger->work.size, ledger->app, ledger->uid, ledger->boot);
	ledger->again = ledger->stale = false;
	ledger->stage = LEDGER_FILLS;
	ledger->round++;
	go_on(ledger);
}

static void renamed(struct disk_job *job)
{
	struct ledger *ledger = container_of(job, struct ledger, job);

	if (ledger->work.failed) {
		fail(ledger, strerror(ledger->work.failed));
		return;
	}
	if (ledger->failing)
		log_notice("metrics: %s is written again", ledger->name);
	book_close(&ledger->books[ledger->current]);
	ledger->current = !ledger->current;
	ledger->failing = false;
	ledger->stage = LEDGER_RESTS;
	counters.metric_ledgers_renewed++;
	ledger->ops->replaced(ledger);
	if (ledger->again)
		ledger_renew(ledger);
}

/* ---- records and cells */

static bool has_room(const struct book *book, const struct book_record *record)
{
	return book_needs(record->body, record->cells) <= book->size - book->used;
}

bool ledger_filled(const struct ledger *ledger, const struct ledger_slot *slot)
{
	return slot->round == ledger->round && slot->at[!ledger->current] != 0;
}

bool ledger_fill(struct ledger *ledger, struct ledger_slot *slot, struct book_record record, const void *body,
		 const uint64_t *cells)
{
	slot->at[!ledger->current] = book_append(other(ledger), record, body, cells);
	slot->round = ledger->round;
	return slot->at[!ledger->current] != 0;
}

void ledger_enter(struct ledger *ledger, struct ledger_slot *slot, struct book_record record,
		  const void *body, const uint64_t *cells)
{
	struct book *book = &ledger->books[ledger->current];
	bool both = ledger->stage == LEDGER_RENAMES;

	*slot = (struct ledger_slot){ .round = 0 };
	if (!book->at || !has_room(book, &record) || (both && !has_room(other(ledger), &record))) {
		ledger_renew(ledger);
		return;
	}
	slot->at[ledger->current] = book_append(book, record, body, cells);
	if (both)
		ledger_fill(ledger, slot, record, body, cells);
}

void ledger_put(struct ledger *ledger, const struct ledger_slot *slot, unsigned cell, uint64_t value)
{
	if (slot->at[ledger->current] && ledger->books[ledger->current].at)
		book_put(&ledger->books[ledger->current], slot->at[ledger->current], cell, value);
	if (ledger->stage >= LEDGER_FILLS && ledger_filled(ledger, slot))
		book_put(other(ledger), slot->at[!ledger->current], cell, value);
}

bool ledger_holds(const struct ledger *ledger, const struct ledger_slot *slot)
{
	return slot->at[ledger->current] != 0 &&
	       (ledger->stage != LEDGER_RENAMES || ledger_filled(ledger, slot));
}

bool ledger_has(const struct ledger *ledger, const struct ledger_slot *slot)
{
	return ledger->failing || slot->at[ledger->current] != 0;
}
