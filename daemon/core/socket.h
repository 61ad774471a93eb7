/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A listening Unix socket with a name.  It gets owner and mode under a
 * temporary name and its own name by rename, listening already: whoever finds
 * the name finds a socket that is ready and has the right mode.
 */
#ifndef PRODD_CORE_SOCKET_H
#define PRODD_CORE_SOCKET_H

#include <sys/types.h>

#include <prodd/error.h>

struct socket_access {
	mode_t mode;
	const char *group;	/* that it is given to when there is one of that name; NULL: stays as it is */
};

/*
 * Listens at `path`, which ends with ".sock" and has at most PLACES_SOCKET_MAX bytes, in a directory that this process has
 * locked. *ret does not block and is closed on exec; owned by the caller, as is the name. -PRODD_E_BUSY: somebody listens
 * there (told with its pid); a dead socket is replaced. -PRODD_E_IO: others, as that something else has that name.
 * Start-up only: waits up to half a second for a killed predecessor.
 */
int socket_listen(const char *path, const struct socket_access *access, int backlog, int *ret,
		  struct prodd_error *e);

#endif
