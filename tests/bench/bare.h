/* SPDX-License-Identifier: Apache-2.0 */
/* A server without prodd: the least that the kernel's sockets and one epoll loop cost. */
#ifndef PRODD_TESTS_BENCH_BARE_H
#define PRODD_TESTS_BENCH_BARE_H

#include <sys/types.h>

/* Listens at `path` in a child process. Echoes what it gets. A message "F" makes it send `fan` bytes to all others, wait for a
 * byte of each, send 64 bytes, wait for a byte of each, and answer "F". */
pid_t bare_begin(const char *path, unsigned fan);
void bare_finish(pid_t pid, const char *path);

#endif
