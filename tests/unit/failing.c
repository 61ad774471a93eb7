/* SPDX-License-Identifier: Apache-2.0 */
/* Each call is counted, fails or goes to the kernel. Ranges that were written and not synced are kept by
 * descriptor. */
#define _GNU_SOURCE
#include "tests/unit/failing.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { descriptors = 256 };

struct failing failing;

/* What was written behind the last sync: one range is enough, since a spool is appended to. */
static struct {
	off_t from, to;
} unsynced[descriptors];

static bool fails(enum failing_call call)
{
	if (!(failing.calls & call))
		return false;
	failing.seen++;
	if (failing.at == 0 || failing.seen < failing.at || failing.seen >= failing.at + failing.count)
		return false;
	failing.failed++;
	errno = failing.why;
	return true;
}

int openat(int directory, const char *path, int flags, ...)
{
	va_list args;
	mode_t mode;
	long fd;

	va_start(args, flags);
	mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(args, mode_t) : 0;
	va_end(args);
	if (fails(FAILING_OPENAT))
		return -1;
	fd = syscall(SYS_openat, directory, path, flags, mode);
	if (fd >= 0 && fd < descriptors)
		unsynced[fd].from = unsynced[fd].to = 0;
	return (int)fd;
}

ssize_t pread(int fd, void *to, size_t size, off_t offset)
{
	return fails(FAILING_PREAD) ? -1 : syscall(SYS_pread64, fd, to, size, offset);
}

ssize_t pwrite(int fd, const void *from, size_t size, off_t offset)
{
	ssize_t n;

	if (fails(FAILING_PWRITE)) {
		if (failing.why)
			return -1;
		size = size > 1 ? size / 2 : size;
	}
	n = syscall(SYS_pwrite64, fd, from, size, offset);
	if (n > 0 && fd < descriptors) {
		if (unsynced[fd].from == unsynced[fd].to || offset < unsynced[fd].from)
			unsynced[fd].from = offset;
		if (offset + n > unsynced[fd].to)
			unsynced[fd].to = offset + n;
	}
	return n;
}

int fallocate(int fd, int mode, off_t from, off_t size)
{
	return fails(FAILING_FALLOCATE) ? -1 : (int)syscall(SYS_fallocate, fd, mode, from, size);
}

int ftruncate(int fd, off_t size)
{
	return fails(FAILING_FTRUNCATE) ? -1 : (int)syscall(SYS_ftruncate, fd, size);
}

int renameat(int from_directory, const char *from, int to_directory, const char *to)
{
	return fails(FAILING_RENAMEAT)
		       ? -1
		       : (int)syscall(SYS_renameat2, from_directory, from, to_directory, to, 0);
}

int unlinkat(int directory, const char *path, int flags)
{
	return fails(FAILING_UNLINKAT) ? -1 : (int)syscall(SYS_unlinkat, directory, path, flags);
}

int fdatasync(int fd)
{
	static const char zeros[4096];

	if (!fails(FAILING_FDATASYNC)) {
		if (fd < descriptors)
			unsynced[fd].from = unsynced[fd].to = 0;
		return 0;
	}
	/* Of every two pages the first: what is behind it is intact, and must not pass for all there was. */
	for (off_t at = unsynced[fd].from; at < unsynced[fd].to; at += 2 * (off_t)sizeof zeros) {
		size_t left = (size_t)(unsynced[fd].to - at);

		if (syscall(SYS_pwrite64, fd, zeros, left < sizeof zeros ? left : sizeof zeros, at) < 0)
			abort();
	}
	errno = failing.why;
	return -1;
}

int fsync(int fd)
{
	(void)fd;
	return fails(FAILING_FSYNC) ? -1 : 0;
}
