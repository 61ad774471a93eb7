/* SPDX-License-Identifier: Apache-2.0 */
/*
 * prodd.conf as the daemon uses it: plain values, defaults filled in.  It is
 * read at start; changes need a restart of prodd.
 */
#ifndef PRODD_CONFIG_SETTINGS_H
#define PRODD_CONFIG_SETTINGS_H

#include <stdbool.h>
#include <uthash.h>

#include "daemon/core/account.h"
#include "proto/slice.h"
#include <prodd/error.h>

#define SETTINGS_NAME_MAX 256

/* An app: block. Empty texts: not set. */
struct app_block {
	char name[64];
	char unit[SETTINGS_NAME_MAX];		/* who may use the name; any of the three */
	char user[SETTINGS_NAME_MAX];
	char group[SETTINGS_NAME_MAX];
	char environment[64];
	char *directory;			/* owned; NULL: APPS/NAME */
	UT_hash_handle hh;
};

struct settings {
	char environment[64];			/* "": none is set */
	bool watch;				/* files are watched */
	uint64_t answer_timeout_ms;
	bool proceed_over_silence;		/* no_answer = "proceed" */
	bool refuse_unknown;			/* unknown_apps = "refuse" */
	unsigned history;			/* generations kept of each scope */
	struct account_limits limits;
	struct app_block *blocks;		/* owned */
};

/* The values of an absent prodd.conf. */
void settings_default(struct settings *ret);

/* Lays the entries (LIST of tree_entry) of a parsed prodd.conf over `settings`. */
int settings_load(struct settings *settings, struct prodd_list entries, struct prodd_error *e);

void settings_clear(struct settings *settings);

const struct app_block *settings_block(const struct settings *settings, const char *app);

#endif
