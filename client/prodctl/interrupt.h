/* SPDX-License-Identifier: Apache-2.0 */
/* SIGINT, SIGTERM and SIGHUP end a wait, not the program, so that it can say what goes on without it. */
#ifndef PRODCTL_INTERRUPT_H
#define PRODCTL_INTERRUPT_H

#include <poll.h>
#include <stdint.h>

/* From now on the signals are seen by interrupt_poll only. Call once, before the first wait. */
void interrupt_begin(void);

/* As poll on one descriptor, until `deadline_ms` of moment_monotonic_ms (negative: for ever).
 * Returns 1 when it is ready, 0 when the deadline passed, -1 when a signal came. */
int interrupt_poll(int fd, short events, int64_t deadline_ms);

/* The signal that came, or 0. */
int interrupt_signal(void);

/* Ends the program as that signal would have. */
_Noreturn void interrupt_end(void);

#endif
