/* SPDX-License-Identifier: Apache-2.0 */
/* Nobody can connect before owner and mode are set, and no name is taken from who listens there. */
#define _GNU_SOURCE
#include "daemon/core/socket.h"

#include <errno.h>
#include <grp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "daemon/core/places.h"
#include "daemon/util/file.h"
#include "daemon/util/log.h"

enum { old_tries = 100 };	/* looks at an old socket, 5 ms each */

static int failed(struct prodd_error *e, const char *path, const char *what)
{
	return prodd_error_set(e, PRODD_E_IO, "%s: %s: %s", path, what, strerror(errno));
}

static struct sockaddr_un address_of(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	memcpy(address.sun_path, path, strlen(path));
	return address;
}

/* 0: nobody listens there; -PRODD_E_BUSY: somebody does. */
static int look_for_listener(const char *path, struct prodd_error *e)
{
	struct sockaddr_un address = address_of(path);
	auto_fd fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	struct ucred cred = { 0 };
	socklen_t size = sizeof cred;

	if (fd < 0)
		return failed(e, path, "socket");
	if (connect(fd, (struct sockaddr *)&address, sizeof address) < 0 && errno != EAGAIN)
		return errno == ECONNREFUSED ? 0 : failed(e, path, "connect");
	getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &size);
	return prodd_error_set(e, PRODD_E_BUSY, "%s: another program listens there (pid %d)", path, (int)cred.pid);
}

/* A dead socket may be replaced; anything else at that name is not ours to take. A prodd that was killed has let go of its lock
 * when we come here, and lets go of its sockets in the next moment. */
static int check_old(const char *path, struct prodd_error *e)
{
	const struct timespec pause = { .tv_nsec = 5000000 };
	struct stat st;
	int r = 0;

	if (lstat(path, &st) < 0)
		return errno == ENOENT ? 0 : failed(e, path, "stat");
	if (!S_ISSOCK(st.st_mode))
		return prodd_error_set(e, PRODD_E_IO, "%s exists and is no socket", path);
	for (int i = 0; i < old_tries; i++) {
		r = look_for_listener(path, e);
		if (r != -PRODD_E_BUSY)
			break;
		nanosleep(&pause, NULL);
	}
	return r;
}

/* Who may connect is set before anybody can. `path` is what it will be called. */
static int set_access(const char *temporary, const char *path, const struct socket_access *access,
		      struct prodd_error *e)
{
	const struct group *group = access->group ? getgrnam(access->group) : NULL;

	if (group && lchown(temporary, (uid_t)-1, group->gr_gid) < 0)
		log_warn("%s: cannot be given to the group %s: %s", path, access->group, strerror(errno));
	return chmod(temporary, access->mode) < 0 ? failed(e, path, "mode") : 0;
}

int socket_listen(const char *path, const struct socket_access *access, int backlog, int *ret,
		  struct prodd_error *e)
{
	char temporary[PLACES_SOCKET_MAX + 1] = "";
	struct sockaddr_un address;
	auto_fd fd = -1;
	int r = check_old(path, e);

	if (r < 0)
		return r;
	memcpy(temporary, path, strlen(path) - strlen("sock"));
	strcat(temporary, "temp");	/* no longer than the name itself */
	address = address_of(temporary);
	unlink(temporary);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof address) < 0)
		return failed(e, path, "bind");
	r = set_access(temporary, path, access, e);
	if (r == 0 && listen(fd, backlog) < 0)
		r = failed(e, path, "listen");
	if (r == 0 && rename(temporary, path) < 0)
		r = failed(e, path, "rename");
	if (r < 0) {
		unlink(temporary);
		return r;
	}
	*ret = fd;
	fd = -1;	/* given to the caller */
	return 0;
}
