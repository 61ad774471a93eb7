/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The state on disk.  The table `live` says for each scope (app and
 * environment) which generation is live; replacing it by rename is the one
 * moment in which a transaction is decided, for all its scopes at once.
 *
 *   STATE/config/live               the table (record live)
 *   STATE/config/APP/ENV/N.gen      generation N (record generation)
 *   STATE/config/APP/declared       the last schema from code (record declared)
 *
 * A generation's file is whole and synced before the table names it.
 */
#ifndef PRODD_CONFIG_STORE_H
#define PRODD_CONFIG_STORE_H

#include <uthash.h>

#include "daemon/core/disk.h"
#include "proto/codec.h"

#define STORE_NAME_MAX 64
#define STORE_WHY_MAX 512

struct store;

/* What is on disk of one scope. Owned by the store, for ever at one address; written only by store_write(). */
struct store_row {
	char app[STORE_NAME_MAX];
	char environment[STORE_NAME_MAX];
	uint64_t generation;		/* live; 0: none yet */
	uint64_t previous;		/* the one that was live before it; 0: none */
	uint64_t next;			/* next number; lower ones are used or burnt */
	char refused[40];		/* hash of the latest files that were rejected or rolled back; "" */
	char refused_why[STORE_WHY_MAX];
	uint64_t refused_ms;
	uint64_t fallback;		/* generation to return to unless confirmed; 0: none */
	uint64_t confirm_boot_ms;	/* when, by CLOCK_BOOTTIME of this very boot */
	UT_hash_handle hh;		/* by app and environment together */
};

/* Opens or makes STATE/config and reads the table. Blocks: start-up only. -PRODD_E_CORRUPT when the table is damaged or of a
 * newer version (it is left untouched), -PRODD_E_IO. A confirmation of another boot has confirm_boot_ms 0 and counts as
 * expired. */
int store_open(struct store **ret, struct disk *disk, const char *state, unsigned history, struct prodd_error *e);

/* NULL is allowed; returns NULL. No write may be under way. */
struct store *store_free(struct store *store);

const char *store_epoch(const struct store *store);	/* 32 hex digits, made with the directory */
uint64_t store_take_txn(struct store *store);		/* next transaction number, higher than any that was ever written */

/* The row of a scope; a new one when `make`. NULL: none, or no memory. */
struct store_row *store_row(struct store *store, const char *app, const char *environment, bool make);

/* All rows: first with NULL. */
struct store_row *store_next(struct store *store, struct store_row *row);

/* Reads generation `number` of a row (stamped bytes). Blocks: start-up and disk thread only. */
int store_read_generation(struct store *store, const struct store_row *row, uint64_t number,
			  struct prodd_buffer *ret, struct prodd_error *e);

/* Numbers kept of a row, newest first, at most `max`. Blocks. Returns how many. */
unsigned store_list_generations(struct store *store, const struct store_row *row, uint64_t *ret, unsigned max);

/* Reads the schema from code that was stored for `app` (stamped bytes). Blocks: start-up only. */
int store_read_declared(struct store *store, const char *app, struct prodd_buffer *ret, struct prodd_error *e);

/* ---- writing */

struct store_file {
	char app[STORE_NAME_MAX];
	char environment[STORE_NAME_MAX];	/* "": the file is APP/declared */
	uint64_t number;
	struct prodd_slice content;		/* borrowed until done() */
};

struct store_change {
	struct store_row *row;		/* borrowed */
	struct store_row now;		/* what the row becomes; names and hh are not looked at */
};

enum store_outcome {
	STORE_WRITTEN,			/* durable */
	STORE_NOT_WRITTEN,		/* the old table stands, also after a crash */
	STORE_UNSYNCED,			/* the new table is in place, but the directory's sync failed: decided, less sure to
					 * survive power loss */
};

/* One durable change of the state, embedded in its owner. Files first, then the table when there are changes. */
struct store_write {
	struct disk_job job;
	struct store *store;
	struct store_file *files;	/* borrowed, as are the arrays below, until done() */
	unsigned file_count;
	struct store_change *changes;
	unsigned change_count;
	/* On the loop; rows have their new values unless STORE_NOT_WRITTEN. May free the owner. */
	void (*done)(struct store_write *write);
	enum store_outcome outcome;
	struct prodd_error error;	/* unless STORE_WRITTEN */
	struct prodd_buffer table;
	bool queued;
	STAILQ_ENTRY(store_write) link;
};

/* Writes are carried out one after another, in this order: each table holds what the ones before achieved. */
void store_write(struct store *store, struct store_write *write);

#endif
