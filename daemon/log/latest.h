/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The latest of many records, in order: so many at most, and so many bytes.  Of
 * one app they are ordered by number, of several by time.  A record that is
 * there already is not taken again.
 */
#ifndef PRODD_LOG_LATEST_H
#define PRODD_LOG_LATEST_H

#include <sys/queue.h>

#include "daemon/spool/format.h"

#define LATEST_BYTES_MAX (4u * 1024 * 1024)

struct latest_row;

struct latest {
	TAILQ_HEAD(latest_rows, latest_row) rows;	/* owned; oldest first */
	unsigned most;			/* records */
	bool by_time;
	unsigned count;
	size_t bytes;
	bool failed;			/* no memory: some are missing */
};

struct latest_row {
	TAILQ_ENTRY(latest_row) link;
	uint64_t key;			/* number, or time */
	uint64_t number;
	const char *app;		/* all below: in the row's own memory */
	struct prodd_slice origin;
	struct prodd_slice record;
	char memory[];
};

void latest_init(struct latest *latest, unsigned most, bool by_time);
void latest_clear(struct latest *latest);

/* Copies, when it is among the latest. */
void latest_add(struct latest *latest, const char *app, const struct spool_record *record);

/* All of `from` into `latest`; empties `from`. */
void latest_merge(struct latest *latest, struct latest *from);

#endif
