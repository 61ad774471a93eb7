/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A file system in memory that has power cuts.  What was not synced is, at the
 * cut, there or not or there in part, each write by itself and in any order;
 * names that their directory was not synced for are as uncertain.  Mounted by
 * FUSE from a process of its own; commands are written to the file CONTROL in
 * its root.
 */
#ifndef PRODD_TESTS_FORGETFUL_H
#define PRODD_TESTS_FORGETFUL_H

#include <stdint.h>
#include <sys/types.h>

#define FORGETFUL_CONTROL ".control"

enum forgetful_command {
	FORGETFUL_ARM, /* the power goes with the `number`-th change or sync from now on: all is EIO */
	FORGETFUL_POWER, /* it comes again: what the cut left is there. Everything must be closed. */
	FORGETFUL_DEAF, /* 1: a sync does nothing, and says it did */
	FORGETFUL_FAITHFUL, /* 1: a cut forgets nothing */
};

struct forgetful_order {
	uint64_t command;
	uint64_t number;
	uint64_t seed;		/* of what the cut forgets */
};

/* Mounts at `directory` and serves until the caller's process ends, or forgetful_stop(). Returns the server's
 * pid, or -1 with a reason on stdout: this host cannot. */
pid_t forgetful_start(const char *directory);
void forgetful_stop(const char *directory, pid_t server);

#endif
