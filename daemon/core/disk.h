/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The disk thread: whatever may block on a file runs here, one job after
 * another, so that the loop never waits for storage.
 *
 * A job is embedded in its owner.  run() is on the disk thread and may touch
 * only what the owner handed over in the job; done() is on the loop, later,
 * in the order of submission.  Between the two the owner must not go away.
 */
#ifndef PRODD_CORE_DISK_H
#define PRODD_CORE_DISK_H

#include <stdbool.h>
#include <sys/queue.h>

#include "daemon/core/loop.h"

struct disk;

struct disk_job {
	void (*run)(struct disk_job *job);	/* disk thread */
	void (*done)(struct disk_job *job);	/* loop */
	bool queued;				/* submitted, done() not called yet */
	STAILQ_ENTRY(disk_job) link;
};

int disk_new(struct disk **ret, struct loop *loop, struct prodd_error *e);

/* Loop: waits until nothing is queued any more, also of what the jobs' done() submit. Blocks: for the
 * daemon's end. NULL is allowed. */
void disk_finish(struct disk *disk);

/* Runs what is queued, calls no more done(), joins the thread. NULL is allowed; returns NULL. */
struct disk *disk_free(struct disk *disk);

/* Never fails and never blocks beyond a short lock. The job must not be queued already. */
void disk_submit(struct disk *disk, struct disk_job *job);

#endif
