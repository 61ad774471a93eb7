/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The socket gives uid, gid and pid as they were at connect.  A pid is only a
 * number that may be in other hands by now: what is read by it counts only
 * when the process is known to be the same before and after.
 */
#define _GNU_SOURCE
#include "daemon/core/identity.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "daemon/core/user.h"
#include "daemon/util/file.h"

#ifndef SO_PEERPIDFD
#define SO_PEERPIDFD 77		/* Linux 6.5; asm-generic/socket.h */
#endif

#define OVERFLOW_ID 65534u	/* what the kernel shows for ids that do not exist in this user namespace */

/* ---- cgroups */

static bool ends_with(const char *text, size_t size, const char *ending)
{
	size_t length = strlen(ending);

	return size > length && memcmp(text + size - length, ending, length) == 0;
}

int identity_unit_of_cgroup(const char *path, char *ret, size_t size)
{
	static const char user_slice[] = "/user.slice/";
	size_t length;

	ret[0] = '\0';
	if (strncmp(path, user_slice, sizeof user_slice - 1) == 0)
		return -ENOENT;
	while (*path == '/') {
		path++;
		length = strcspn(path, "/");
		if (ends_with(path, length, ".slice") && path[length]) {
			path += length;
			continue;
		}
		if (path[length] || !ends_with(path, length, ".service") || length >= size)
			return -ENOENT;
		memcpy(ret, path, length + 1);
		return 0;
	}
	return -ENOENT;
}

/* The line of the unified hierarchy ("0::PATH"), else of systemd's own in the old one ("1:name=systemd:PATH"). */
static const char *cgroup_path(char *content)
{
	static const char legacy[] = "name=systemd:";
	const char *found = NULL;
	char *rest = content, *line;

	while ((line = strsep(&rest, "\n"))) {
		char *controllers = strchr(line, ':');

		if (!controllers)
			continue;
		controllers++;
		if (strncmp(line, "0::", 3) == 0 && !found)
			found = line + 3;
		else if (strncmp(controllers, legacy, sizeof legacy - 1) == 0)
			found = controllers + sizeof legacy - 1;
	}
	return found;
}

/* ---- the kernel as source */

static int kernel_peercred(int fd, struct identity *ret)
{
	struct ucred cred;
	socklen_t size = sizeof cred;

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &size) < 0)
		return -errno;
	ret->uid = cred.uid;
	ret->gid = cred.gid;
	ret->pid = cred.pid;
	return 0;
}

static int kernel_peerpidfd(int fd)
{
	int pidfd = -1;
	socklen_t size = sizeof pidfd;

	return getsockopt(fd, SOL_SOCKET, SO_PEERPIDFD, &pidfd, &size) < 0 ? -errno : pidfd;
}

static int kernel_open_pidfd(pid_t pid)
{
	int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);

	return pidfd < 0 ? -errno : pidfd;
}

static int read_proc(pid_t pid, const char *file, struct prodd_buffer *ret)
{
	char path[64];

	snprintf(path, sizeof path, "/proc/%d/%s", (int)pid, file);
	return file_read(AT_FDCWD, path, 16384, ret, NULL) == 0 && prodd_buffer_append(ret, "", 1) == 0 ? 0 : -ESRCH;
}

/* The name in the second field may hold anything; the fields are counted from its last parenthesis. */
static int kernel_start_time(pid_t pid, unsigned long long *ret)
{
	prodd_auto_buffer stat = { 0 };
	const char *at;
	int r = read_proc(pid, "stat", &stat);

	if (r < 0)
		return r;
	at = strrchr(stat.at, ')');
	for (int field = 2; at && field < 22; field++)
		at = strchr(at + 1, ' ');
	if (!at)
		return -EBADMSG;
	*ret = strtoull(at, NULL, 10);
	return 0;
}

static int kernel_unit(pid_t pid, char *ret, size_t size)
{
	prodd_auto_buffer content = { 0 };
	const char *path;
	int r = read_proc(pid, "cgroup", &content);

	if (r < 0)
		return r;
	path = cgroup_path(content.at);
	return path ? identity_unit_of_cgroup(path, ret, size) : -ENOENT;
}

const struct identity_source identity_kernel = {
	.peercred = kernel_peercred,
	.peerpidfd = kernel_peerpidfd,
	.open_pidfd = kernel_open_pidfd,
	.start_time = kernel_start_time,
	.unit = kernel_unit,
};

/* ---- reading */

static bool has_ended(int pidfd)
{
	struct pollfd exit = { .fd = pidfd, .events = POLLIN };

	return poll(&exit, 1, 0) != 0;
}

/* The unit by the pid of a process that a pidfd holds: its number stays its own until it has ended. */
static void read_unit(const struct identity_source *source, struct identity *ret)
{
	char unit[IDENTITY_UNIT_MAX] = "";

	if (source->unit(ret->pid, unit, sizeof unit) == 0 && !has_ended(ret->pidfd))
		memcpy(ret->unit, unit, sizeof unit);
}

/* Without SO_PEERPIDFD the number is opened, and counts when the process at that number did not change meanwhile. */
static void read_process_by_number(const struct identity_source *source, struct identity *ret)
{
	unsigned long long before, after;
	char unit[IDENTITY_UNIT_MAX] = "";

	if (source->start_time(ret->pid, &before) < 0)
		return;
	ret->pidfd = source->open_pidfd(ret->pid);
	if (source->unit(ret->pid, unit, sizeof unit) < 0)
		unit[0] = '\0';
	if (source->start_time(ret->pid, &after) == 0 && after == before) {
		memcpy(ret->unit, unit, sizeof unit);
		if (ret->pidfd < 0)
			ret->pidfd = -1;
		return;
	}
	file_close(&ret->pidfd);
}

int identity_read(int fd, const struct identity_source *source, struct identity *ret, struct prodd_error *e)
{
	int r;

	*ret = (struct identity){ .pidfd = -1 };
	r = source->peercred(fd, ret);
	if (r < 0)
		return prodd_error_set(e, PRODD_E_IO, "credentials of the peer: %s", strerror(-r));
	user_name(ret->uid, ret->user, sizeof ret->user);
	if (ret->pid <= 0) {
		ret->pid = 0;
		return 0;
	}
	r = source->peerpidfd(fd);
	if (r >= 0) {
		ret->pidfd = r;
		read_unit(source, ret);
	} else if (r == -ENOPROTOOPT || r == -EINVAL) {
		read_process_by_number(source, ret);
	}
	return 0;	/* any other error: the process has ended */
}

void identity_clear(struct identity *identity)
{
	file_close(&identity->pidfd);
}

bool identity_is_nobody(const struct identity *identity)
{
	return identity->uid == OVERFLOW_ID || identity->uid == (uid_t)-1;
}

bool identity_in_group(const struct identity *identity, const char *group)
{
	char memory[16384];
	struct group entry, *found = NULL;

	if (identity_is_nobody(identity))
		return false;
	if (getgrnam_r(group, &entry, memory, sizeof memory, &found) != 0 || !found)
		return false;
	if (found->gr_gid == identity->gid && identity->gid != OVERFLOW_ID)
		return true;
	for (char **member = found->gr_mem; *member; member++)
		if (strcmp(*member, identity->user) == 0)
			return true;
	return false;
}
