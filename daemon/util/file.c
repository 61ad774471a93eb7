/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A file is written under another name, synced, renamed, and the directory is
 * synced: after a crash there is the old one or the new one.
 */
#include "daemon/util/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

void file_close(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static int failed(struct prodd_error *e, const char *verb, const char *name)
{
	return prodd_error_set(e, errno == ENOENT ? PRODD_E_NOT_FOUND : PRODD_E_IO, "%s %s: %s", verb, name,
			       strerror(errno));
}

static int io_failed(struct prodd_error *e, const char *verb, const char *name)
{
	return prodd_error_set(e, PRODD_E_IO, "%s %s: %s", verb, name, strerror(errno));
}

/* ---- directories */

/* Makes one directory; a new one is made durable in its parent, which is the path up to the last slash. */
static int make_one(int dirfd, const char *path, mode_t mode, struct prodd_error *e)
{
	char parent[PATH_MAX];
	const char *slash = strrchr(path, '/');
	auto_fd fd = -1;

	if (mkdirat(dirfd, path, mode) < 0)
		return errno == EEXIST ? 0 : io_failed(e, "make directory", path);
	if (slash)
		snprintf(parent, sizeof parent, "%.*s", slash == path ? 1 : (int)(slash - path), path);
	fd = openat(dirfd, slash ? parent : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || fsync(fd) < 0)
		return io_failed(e, "sync directory of", path);
	return 0;
}

int file_make_directory(int dirfd, const char *path, mode_t mode, struct prodd_error *e)
{
	char part[PATH_MAX];
	int fd, r = 0;

	if (strlen(path) >= sizeof part)
		return prodd_error_set(e, PRODD_E_IO, "make directory %s: %s", path, strerror(ENAMETOOLONG));
	for (size_t i = 1; path[i - 1] && r == 0; i++) {
		if ((path[i] && path[i] != '/') || path[i - 1] == '/')
			continue;
		memcpy(part, path, i);
		part[i] = '\0';
		r = make_one(dirfd, part, mode, e);
	}
	if (r < 0)
		return r;
	fd = openat(dirfd, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return fd < 0 ? io_failed(e, "open directory", path) : fd;
}

/* ---- reading */

static ssize_t read_some(int fd, void *to, size_t size)
{
	ssize_t n;

	do
		n = read(fd, to, size);
	while (n < 0 && errno == EINTR);
	return n;
}

/* Sizes that stat tells are only a hint: files of /proc say 0, others grow. */
static int read_all(int fd, const char *name, size_t max, size_t hint, struct prodd_buffer *ret,
		    struct prodd_error *e)
{
	size_t start = ret->size;

	for (;;) {
		size_t kept = ret->size - start;
		size_t chunk = hint > kept ? hint - kept : 4096;
		size_t room = chunk < max - kept ? chunk : max - kept;
		char one;
		char *to = room ? prodd_buffer_extend(ret, room) : &one;
		ssize_t n;

		if (!to)
			return prodd_error_set(e, -ret->failed, "read %s", name);
		n = read_some(fd, to, room ? room : 1);
		ret->size = start + kept + (room && n > 0 ? (size_t)n : 0);
		if (n < 0)
			return io_failed(e, "read", name);
		if (n == 0)
			return 0;
		if (!room)
			return prodd_error_set(e, PRODD_E_TOO_LARGE, "read %s: over %zu bytes", name, max);
	}
}

int file_read(int dirfd, const char *name, size_t max, struct prodd_buffer *ret, struct prodd_error *e)
{
	auto_fd fd = openat(dirfd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	size_t start = ret->size;
	struct stat st;
	int r;

	if (fd < 0)
		return failed(e, "open", name);
	if (fstat(fd, &st) < 0)
		return io_failed(e, "stat", name);
	if (!S_ISREG(st.st_mode))
		return prodd_error_set(e, PRODD_E_IO, "%s is not a regular file", name);
	r = read_all(fd, name, max, (size_t)st.st_size, ret, e);
	if (r < 0)
		ret->size = start;
	return r;
}

/* ---- writing */

static int write_all(int fd, struct prodd_slice content)
{
	while (content.size > 0) {
		ssize_t n = write(fd, content.at, content.size);

		if (n < 0 && errno != EINTR)
			return -1;
		if (n > 0) {
			content.at += n;
			content.size -= (size_t)n;
		}
	}
	return 0;
}

int file_write_synced(int dirfd, const char *name, struct prodd_slice content, mode_t mode, struct prodd_error *e)
{
	auto_fd fd = -1;
	int r;

	if (unlinkat(dirfd, name, 0) < 0 && errno != ENOENT)
		return io_failed(e, "replace", name);
	fd = openat(dirfd, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
	if (fd < 0)
		return io_failed(e, "create", name);
	if (write_all(fd, content) == 0 && fsync(fd) == 0)
		return 0;
	r = io_failed(e, "write", name);
	unlinkat(dirfd, name, 0);
	return r;
}

int file_rename_synced(int dirfd, const char *from, const char *to, struct prodd_error *e)
{
	if (renameat(dirfd, from, dirfd, to) < 0)
		return io_failed(e, "rename to", to);
	if (fsync(dirfd) < 0)
		return io_failed(e, "sync directory of", to);
	return 0;
}

int file_replace(int dirfd, const char *name, struct prodd_slice content, mode_t mode, struct prodd_error *e)
{
	char temporary[NAME_MAX + 1];
	int r;

	if (snprintf(temporary, sizeof temporary, ".%s.new", name) >= (int)sizeof temporary)
		return prodd_error_set(e, PRODD_E_IO, "write %s: %s", name, strerror(ENAMETOOLONG));
	r = file_write_synced(dirfd, temporary, content, mode, e);
	if (r < 0)
		return r;
	r = file_rename_synced(dirfd, temporary, name, e);
	if (r < 0)
		unlinkat(dirfd, temporary, 0);
	return r;
}
