/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory to share with the daemon: a memfd of final size, sealed so that nobody
 * can shorten it under the other's hands.  Where none can be had, private memory
 * serves the same caller.
 *
 * A forked child must not write into its parent's: before fork(2) returns there,
 * every region has fresh, zeroed memory at the same address (pthread_atfork),
 * so that pointers into it stay good.  For this the process keeps a list of its
 * regions, under a lock that the handlers hold over the fork.  It is the library's
 * only global state: a fork handler is told nothing but that there is a fork.
 * A child made without handlers (clone(2) by its number) calls
 * prodd_region_own() when the mark (mark.h) has told it.
 */
#ifndef PRODD_CLIENT_REGION_H
#define PRODD_CLIENT_REGION_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include <prodd/error.h>

struct prodd_region {
	void *at;			/* page-aligned and zero at first; NULL: none */
	size_t size;
	int fd;				/* memfd, owned; -1: private memory. Look by prodd_region_fd() */
	ino_t inode;			/* of the memfd, to tell it from another file of the same number */
	dev_t device;
	pid_t pid;			/* whose memory it is */
	const char *name;		/* borrowed; static text for /proc/PID/maps */
	struct prodd_error why;		/* why it is private; code PRODD_OK: shared, or private by wish */
	/* Called in a forked child when `at` points to fresh memory: writes into it what must be there. Only the
	 * thread that forked exists: no locks, no allocation. NULL: nothing to write. */
	void (*renewed)(struct prodd_region *region);
	/* Called around fork(2): before it; after it in the parent and, behind `renewed`, in the child. For a
	 * lock of who writes what `renewed` reads: the kernel copies a process page by page, and what other
	 * threads write meanwhile reaches the child in any order. No region is made under that lock. NULL:
	 * none. */
	void (*hold)(struct prodd_region *region);
	void (*release)(struct prodd_region *region);
	struct prodd_region *next;	/* in the list */
};

/*
 * Makes `region`, of a multiple of the page; the caller has set `name` and the functions, all else is zero. It must
 * stay where it is until prodd_region_free(). `shared` false: private memory from the start.
 * Returns 0, also with private memory instead of shared (`why` says why); -PRODD_E_NO_MEMORY: there is none.
 */
int prodd_region_make(struct prodd_region *region, size_t size, bool shared, struct prodd_error *e);

/* The memfd; -1: private, or the program has closed it (and the number may be another file's). */
int prodd_region_fd(const struct prodd_region *region);

/* In a child made without fork handlers: fresh memory, as above. In all other processes nothing. */
void prodd_region_own(struct prodd_region *region);

/* NULL and one that was never made are allowed. */
void prodd_region_free(struct prodd_region *region);

#endif
