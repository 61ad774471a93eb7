/* SPDX-License-Identifier: Apache-2.0 */
/*
 * System calls on files that fail when told to. Linked into a test program,
 * its definitions come before libc's.  Real syncs are left out: they take long
 * and nothing here could tell.
 */
#ifndef PRODD_TESTS_FAILING_H
#define PRODD_TESTS_FAILING_H

#include <stdbool.h>

enum failing_call {
	FAILING_OPENAT = 1 << 0,
	FAILING_PREAD = 1 << 1,
	FAILING_PWRITE = 1 << 2,
	FAILING_FALLOCATE = 1 << 3,
	FAILING_FTRUNCATE = 1 << 4,
	FAILING_RENAMEAT = 1 << 5,
	FAILING_UNLINKAT = 1 << 6,
	FAILING_FDATASYNC = 1 << 7,	/* what was not synced is in part zeros then: its pages were dropped */
	FAILING_FSYNC = 1 << 8,
	FAILING_ALL = (1 << 9) - 1,
};

struct failing {
	unsigned calls;		/* enum failing_call: which ones count */
	unsigned at;		/* the how manieth of them fails first; 0: none */
	unsigned count;		/* how many in a row */
	int why;		/* errno; 0: a write that is cut short, once, and goes on */
	unsigned seen;		/* calls counted so far */
	unsigned failed;
};

extern struct failing failing;

#endif
