/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which daemon, and by which of its two sockets: --socket, $PRODD_CTL, the
 * user's own daemon when it runs, the system's.  What went wrong is said so
 * that the reader knows what to do.
 */
#ifndef PRODCTL_PLACE_H
#define PRODCTL_PLACE_H

#include <stdbool.h>
#include <sys/un.h>

#include <prodd/error.h>

#define PLACE_SYSTEM "/run/prodd"

struct place {
	/* of the socket in use, or of the one that failed */
	char path[sizeof((struct sockaddr_un *)0)->sun_path];
	/* ctl.sock when it refused and app.sock is used; else "" */
	char denied[sizeof((struct sockaddr_un *)0)->sun_path];
};

/*
 * Connects; `chosen` is the value of --socket or NULL.  A directory stands for
 * the sockets in it.  ctl.sock comes first; app.sock when the former may not
 * be used.  Returns the descriptor, not blocking, or
 *   -PRODD_E_USAGE          a path over 107 bytes
 *   -PRODD_E_UNREACHABLE    nobody accepts within `timeout_ms`
 *   -PRODD_E_NOT_PERMITTED  both sockets refuse
 */
int place_connect(struct place *ret, const char *chosen, int timeout_ms, struct prodd_error *e);

/* Says that the socket `path` refuses, who you are and who the operators are. Returns -PRODD_E_NOT_PERMITTED. */
int place_refused(const char *path, struct prodd_error *e);

#endif
