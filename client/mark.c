/* SPDX-License-Identifier: Apache-2.0 */
/* The word goes from OURS to FORKED (0) by the kernel's hand, in the child only. */
#define _GNU_SOURCE
#include "client/mark.h"

#include <sys/mman.h>

static atomic_int *page_new(void)
{
	size_t size = (size_t)sysconf(_SC_PAGESIZE);
	void *page = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (page == MAP_FAILED)
		return NULL;
	if (madvise(page, size, MADV_WIPEONFORK) < 0) {
		munmap(page, size);
		return NULL;
	}
	return page;
}

void prodd_mark_open(struct prodd_mark *m)
{
	m->word = page_new();
	prodd_mark_own(m);
}

void prodd_mark_close(struct prodd_mark *m)
{
	if (m->word)
		munmap(m->word, (size_t)sysconf(_SC_PAGESIZE));
	m->word = NULL;
}

bool prodd_mark_claim(struct prodd_mark *m)
{
	int word = PRODD_MARK_FORKED, pid = atomic_load(&m->pid);

	if (m->word)
		return atomic_compare_exchange_strong(m->word, &word, PRODD_MARK_CLAIMED);
	return pid != -1 && pid != getpid() && atomic_compare_exchange_strong(&m->pid, &pid, -1);
}

void prodd_mark_own(struct prodd_mark *m)
{
	atomic_store_explicit(&m->pid, (int)getpid(), memory_order_release);
	if (m->word)
		atomic_store_explicit(m->word, PRODD_MARK_OURS, memory_order_release);
}
