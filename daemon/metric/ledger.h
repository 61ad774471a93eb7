/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What survives the daemon: an app's counters as they were last read, in a mapped file (book.h) that is
 * stored to before anybody is told a value.
 *
 * What has died is folded in memory, and then by a new book: the disk thread makes the file, the loop fills
 * it in slices and stores to both from then on, until the disk thread has renamed it over the old one. The
 * old one still has what died as a segment with its last value, the new one has it in the folded totals:
 * never both, so at each instant the file under the ledger's name is right. Nothing is synced: after a power
 * cut another boot begins at zero.
 *
 * Loop thread, but for its jobs.
 */
#ifndef PRODD_METRIC_LEDGER_H
#define PRODD_METRIC_LEDGER_H

#include <sys/types.h>

#include "daemon/core/disk.h"
#include "daemon/metric/book.h"

#define LEDGER_NAME 192
#define LEDGER_RETRY_MS 30000	/* after a file could not be made */

/* Where the cells of a record are in the two books; 0: not in it. In the other book only when `round` is the
 * ledger's. Embedded in what has a record; zero at first. */
struct ledger_slot {
	uint32_t at[2];
	uint32_t round;
};

struct ledger;

struct ledger_ops {
	/* Bytes that ledger_fill() would take. */
	uint64_t (*needs)(struct ledger *ledger);
	/* Enters by ledger_fill() what ledger_filled() says is not in the new book yet, what others refer to
	 * first, at most `budget` records. How many; -1: no room. */
	int (*fill)(struct ledger *ledger, int budget);
	/* The new book is the ledger; or there will be none for a while. */
	void (*replaced)(struct ledger *ledger);
};

enum ledger_stage { LEDGER_RESTS, LEDGER_MAKES, LEDGER_FILLS, LEDGER_RENAMES };

/* Embedded in its owner. */
struct ledger {
	const struct ledger_ops *ops;
	struct disk *disk;		/* borrowed */
	int directory;			/* borrowed */
	const char *boot;		/* borrowed */
	char app[BOOK_APP];
	uid_t uid;
	char name[LEDGER_NAME];
	struct book books[2];		/* mappings owned; the other one while a new one is made */
	unsigned current;
	enum ledger_stage stage;
	uint32_t round;			/* of filling: the first is 1 */
	struct loop_timer slice;
	bool again;			/* another new one when this is done */
	bool stale;			/* something was folded: a new one at the next tick */
	bool foreign;			/* a file of a newer version has the name: none is made */
	bool failing;			/* the last file could not be made */
	uint64_t retry_ms;		/* monotonic */
	uint64_t failed_ms;		/* wall clock: since when it fails */
	char why[PRODD_ERROR_TEXT_MAX];
	struct disk_job job;
	struct {			/* handed over with the job */
		uint64_t size;
		void *at;		/* made: the mapping */
		int failed;		/* 0, or errno */
	} work;
};

/* `directory` and `boot` are borrowed. */
void ledger_init(struct ledger *ledger, const struct ledger_ops *ops, struct disk *disk, int directory,
		 const char *boot, const char *app, uid_t uid);

/* Before it is renewed the first time, and where it stays. -PRODD_E_NO_MEMORY. */
int ledger_start(struct ledger *ledger, struct loop *loop, struct prodd_error *e);

/* Unmaps; no job may be queued. */
void ledger_clear(struct ledger *ledger);

/*
 * Start-up, blocks: maps the file `name`. 1: it is of this boot, and books[current] can be read; ledger->app
 * and uid are as in its head. 0: there is none, or it was of another boot and is removed. A damaged one is
 * put aside as NAME.damaged.TIME: -PRODD_E_CORRUPT; a newer one stays, and has the name:
 * -PRODD_E_UNSUPPORTED.
 */
int ledger_load(struct ledger *ledger, const char *name, struct prodd_error *e);

/* Damage was found behind the head. Start-up, blocks. */
void ledger_put_aside(struct ledger *ledger, const char *why);

/* A new book is due. Asking twice makes one, or one more when the first is under way. */
void ledger_renew(struct ledger *ledger);

/* Once a second: tries again what failed, makes anew what is stale. */
void ledger_tick(struct ledger *ledger);

/* Enters a record into the books that there are. Without room a new book is made, which will have it. */
void ledger_enter(struct ledger *ledger, struct ledger_slot *slot, struct book_record record,
		  const void *body, const uint64_t *cells);

/* While a new book is filled: is it in there, or must it come? */
bool ledger_filled(const struct ledger *ledger, const struct ledger_slot *slot);

/* As ledger_enter(), into the new book alone. False: no room. */
bool ledger_fill(struct ledger *ledger, struct ledger_slot *slot, struct book_record record, const void *body,
		 const uint64_t *cells);

void ledger_put(struct ledger *ledger, const struct ledger_slot *slot, unsigned cell, uint64_t value);

/* Is it on record, now and after a rename that is under way? */
bool ledger_holds(const struct ledger *ledger, const struct ledger_slot *slot);

/* May what is in the slot be told? Only what is on record; or everything, when files cannot be made (which
 * was said). */
bool ledger_has(const struct ledger *ledger, const struct ledger_slot *slot);

#endif
