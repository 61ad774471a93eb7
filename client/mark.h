/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tells a forked child from its parent, without a system call and without
 * fork handlers: a word on a page that the kernel wipes in the child
 * (MADV_WIPEONFORK, Linux 4.14), else the process id.
 */
#ifndef PRODD_CLIENT_MARK_H
#define PRODD_CLIENT_MARK_H

#include <stdatomic.h>
#include <stdbool.h>
#include <unistd.h>

enum { PRODD_MARK_FORKED = 0, PRODD_MARK_OURS = 1, PRODD_MARK_CLAIMED = 2 };

struct prodd_mark {
	atomic_int *word;	/* on its own page; NULL: by process id */
	atomic_int pid;		/* whose handle it is; -1: claimed */
};

/* Makes this process the owner. Never fails: without a page it goes by the process id. */
void prodd_mark_open(struct prodd_mark *m);
void prodd_mark_close(struct prodd_mark *m);

/* This process is a child of the owner, and nobody here has claimed the handle to the end. */
static inline bool prodd_mark_is_forked(const struct prodd_mark *m)
{
	if (m->word)
		return atomic_load_explicit(m->word, memory_order_acquire) != PRODD_MARK_OURS;
	return atomic_load_explicit(&m->pid, memory_order_acquire) != getpid();
}

/* In a child: true for the one thread that shall make the handle the child's own, and then call
 * prodd_mark_own(). */
bool prodd_mark_claim(struct prodd_mark *m);
void prodd_mark_own(struct prodd_mark *m);

#endif
