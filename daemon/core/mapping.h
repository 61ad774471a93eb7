/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory that a peer shares: a memfd of its own, mapped only when nothing that
 * the peer does later can hurt this process.  Accepted: a regular file on
 * tmpfs (not hugetlbfs: a fault there may be SIGBUS), sealed against SHRINK, GROW and further seals,
 * not against writing (WRITE, FUTURE_WRITE: the reader must write too), of
 * an allowed size by fstat, and mapped nowhere else here (by inode).
 *
 * Loop thread.  Charged to the uid in an account of its own, by bytes and number; `struct mappings` needs no end of
 * its own: with the last mapping all is given back.
 */
#ifndef PRODD_CORE_MAPPING_H
#define PRODD_CORE_MAPPING_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <uthash.h>

#include <prodd/error.h>

#define MAPPINGS_UID_MAX (UINT64_C(1) << 30)	/* bytes of size, not of pages in use */
#define MAPPINGS_UID_COUNT_MAX 4096u		/* of a uid: four for each of its sessions */
#define MAPPINGS_COUNT_MAX 16384u		/* of all: a process may have 65,530 mappings */

struct mapping;

struct mappings {			/* embedded; zero is empty */
	struct mapping *by_inode;	/* those that are mapped */
	struct mapping_owner *by_uid;	/* bytes of each uid */
	uint64_t uid_max;		/* 0: MAPPINGS_UID_MAX */
	unsigned count_max;		/* 0: MAPPINGS_COUNT_MAX */
};

/* Embedded in what reads it. */
struct mapping {
	void *at;			/* NULL: not mapped */
	uint64_t size;
	uid_t uid;
	int fd;				/* owned: kept for punching holes, and for whoever stores descriptors */
	struct { dev_t device; ino_t inode; } key;	/* without padding: it is hashed */
	struct mappings *mappings;	/* borrowed */
	const void *kind;		/* what it is embedded in, for whoever finds it; set by its owner */
	UT_hash_handle hh;
};

/* Takes `fd`, closes it on failure. `min` and `max` bound the size. -PRODD_E_USAGE says which rule is broken;
 * -PRODD_E_BUSY: it is mapped already (mapping_find() tells where); -PRODD_E_OVER_LIMIT; -PRODD_E_NO_MEMORY. */
int mapping_take(struct mapping *ret, struct mappings *mappings, int fd, uid_t uid, uint64_t min, uint64_t max,
		 struct prodd_error *e);

/* The mapping of the same inode. Borrows `fd`. NULL: none. */
struct mapping *mapping_find(struct mappings *mappings, int fd);

void mapping_clear(struct mapping *mapping);	/* those not mapped too */

/* Lowers count_max to what the limit of open files allows. At the start. */
void mappings_fit(struct mappings *mappings);

/* Gives the pages wholly inside [from, to) of the mapping back to the kernel; they read as zeros. 0, -PRODD_E_USAGE
 * (outside the mapping) or -PRODD_E_IO. */
int mapping_punch(struct mapping *mapping, uint64_t from, uint64_t to);

#endif
