/* SPDX-License-Identifier: Apache-2.0 */
/* How a process that is not our child ended. */
#ifndef PRODD_LOG_DEATH_H
#define PRODD_LOG_DEATH_H

#include <stdbool.h>
#include <sys/types.h>

#define DEATH_WORD_MAX 32

/* Whether the process of a pidfd has ended. Does not block. */
bool death_has_come(int pidfd);

/*
 * "SIGKILL", "exit 1"; "" for an orderly end (exit 0); "unknown" when nobody can tell any more. Asks the
 * kernel for what it keeps of an ended process (PIDFD_GET_INFO, Linux 6.15), else looks at the zombie in
 * /proc while its parent has not reaped it; `started`: its start time (field 22 of /proc/PID/stat), so that
 * another one of the same pid is not taken for it.
 */
void death_word(int pidfd, pid_t pid, unsigned long long started, char ret[DEATH_WORD_MAX]);

/* Field 22 of /proc/PID/stat; 0: not to be had. */
unsigned long long death_started(pid_t pid);

#endif
