/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The rotated files of one file of lines: FILE.YYYYMMDDTHHMMSSZ[.N], with the
 * suffix of what compressed it.  Their order is that of their names, also when
 * the clock was set back.
 */
#ifndef PRODD_SHIP_ROTATED_H
#define PRODD_SHIP_ROTATED_H

#include <limits.h>

#include "daemon/ship/compressor.h"

struct rotated {
	char name[NAME_MAX + 1];
	char stamp[17];			/* "20261122T030211Z" */
	unsigned number;		/* N; 0: none */
	bool unfinished;		/* ends in ".tmp": a compressed file that was not finished */
	const struct compressor *compressor;	/* NULL: not compressed */
	uint64_t size;			/* bytes */
};

/* All of them, oldest first; *ret is freed by the caller. Any thread: none is missed because
 * rotated_replace() is at it. -PRODD_E_IO, -PRODD_E_NO_MEMORY. */
int rotated_list(int directory, const char *file, struct rotated **ret, unsigned *ret_count,
		 struct prodd_error *e);

/* The name that `file` gets when it is rotated at `time_s` (since 1970, UTC): behind all that are there.
 * -PRODD_E_IO, -PRODD_E_NO_MEMORY. */
int rotated_name(int directory, const char *file, uint64_t time_s, char ret[NAME_MAX + 1],
		 struct prodd_error *e);

/* `temporary`, which is synced, becomes `final`, durably; then `name`, whose content it is, goes.
 * -PRODD_E_IO. */
int rotated_replace(int directory, const char *name, const char *temporary, const char *final,
		    struct prodd_error *e);

/* Longest suffix behind FILE, so that names fit. */
#define ROTATED_SUFFIX_MAX 40

#endif
