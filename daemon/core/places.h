/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where things are, in the three modes of prodd(8): the system's, a user's, a
 * directory's (--dir).
 */
#ifndef PRODD_CORE_PLACES_H
#define PRODD_CORE_PLACES_H

#include <stdbool.h>

#include <prodd/error.h>

#define PLACES_SOCKET_MAX 107	/* bytes of a socket's path: sun_path of unix(7), less the NUL */

enum places_mode { PLACES_SYSTEM, PLACES_USER, PLACES_DIRECTORY };

struct places {
	enum places_mode mode;
	char *conf;		/* prodd.conf; owned, as all below */
	char *conf_d;		/* conf.d */
	char *apps;		/* apps */
	char *run;		/* directory of the sockets */
	char *app_socket;
	char *ctl_socket;
	char *http_socket;	/* of metrics */
	char *state;		/* 0700 */
	char *log;		/* what the sinks of type file write; 0750, 0700 in user mode */
	bool locked;		/* `lock` is held */
	int lock;		/* owned: RUN/prodd.lock */
};

/* `directory` of --dir, or NULL. Uses systemd's $RUNTIME_DIRECTORY, $STATE_DIRECTORY, $CONFIGURATION_DIRECTORY,
 * $LOGS_DIRECTORY in system mode, the XDG variables in user mode. -PRODD_E_USAGE: no run directory can be named (says to use --dir), or
 * a socket's path is over 107 bytes (says how long it is). */
int places_init(struct places *ret, const char *directory, struct prodd_error *e);

/* Makes run (0755; 0700 in user mode) and state (0700), and locks them until places_clear(). Refuses directories of
 * other owners and symlinks; -PRODD_E_BUSY names the prodd that has them. */
int places_make(struct places *places, struct prodd_error *e);

/* Makes `log`, for whom a sink writes there. As places_make(). */
int places_make_log(const struct places *places, struct prodd_error *e);

void places_clear(struct places *places);

#endif
