/* SPDX-License-Identifier: Apache-2.0 */
/* What counts is the file that has the name now; a descriptor may be of one that had it. */
#include "daemon/ship/log_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/ship/rotated.h"
#include "daemon/util/clock.h"
#include "daemon/util/file.h"

enum { flush_bytes = 1 << 20, opens_max = 5 };

static int failed(const struct log_file *file, const char *verb, struct prodd_error *e)
{
	return prodd_error_set(e, PRODD_E_IO, "%s %s: %s", verb, file->name, strerror(errno));
}

int log_file_init(struct log_file *file, const char *app, enum line_format format, struct prodd_error *e)
{
	int size;

	*file = (struct log_file){ .fd = -1 };
	size = snprintf(file->name, sizeof file->name, "%s%s", app, format == LINE_JSON ? ".jsonl" : ".log");
	if (size + ROTATED_SUFFIX_MAX > NAME_MAX)
		return prodd_error_set(e, PRODD_E_TOO_LARGE, "%s: the name is too long for a file", app);
	return 0;
}

void log_file_close(struct log_file *file)
{
	file_close(&file->fd);		/* and unlocks it */
}

/* ---- opening */

/* The file system's time of its making, where there is one; else that of the last change. */
static uint64_t birth_of(int fd)
{
	struct statx x;

	if (statx(fd, "", AT_EMPTY_PATH, STATX_BTIME | STATX_MTIME, &x) < 0)
		return clock_wall_ms() / 1000;
	return (uint64_t)(x.stx_mask & STATX_BTIME ? x.stx_btime.tv_sec : x.stx_mtime.tv_sec);
}

/* Whether the open file is the one of its name; its size is looked at on the way. */
static bool has_name(struct log_file *file, int directory)
{
	struct stat st;

	if (fstatat(directory, file->name, &st, AT_SYMLINK_NOFOLLOW) < 0 || st.st_dev != file->device ||
	    st.st_ino != file->inode)
		return false;
	file->size = (uint64_t)st.st_size;
	if (file->durable > file->size)
		file->durable = file->size;	/* somebody cut it */
	if (file->flushed > file->size)
		file->flushed = file->size;
	return true;
}

/* Whether it is as it was left, or new; else somebody wrote it meanwhile, and only repairing says what is in
 * it. */
static bool as_left(const struct log_file *file, const struct stat *st)
{
	return st->st_size == 0 || (st->st_dev == file->device && st->st_ino == file->inode &&
				    (uint64_t)st->st_size == file->size);
}

static int open_once(struct log_file *file, int directory, bool make, struct prodd_error *e)
{
	struct stat st;

	file->fd = openat(directory, file->name, O_RDWR | O_APPEND | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC |
			  (make ? O_CREAT : 0), LOG_FILE_MODE);
	if (file->fd < 0 && errno == ENOENT && !make)
		return prodd_error_set(e, PRODD_E_NOT_FOUND, "open %s: %s", file->name, strerror(errno));
	if (file->fd < 0 || fstat(file->fd, &st) < 0)
		return failed(file, "open", e);
	if (!S_ISREG(st.st_mode))
		return prodd_error_set(e, PRODD_E_IO, "open %s: it is no file", file->name);
	if (flock(file->fd, LOCK_EX | LOCK_NB) < 0)
		return errno == EWOULDBLOCK ?
			prodd_error_set(e, PRODD_E_BUSY, "open %s: another process writes it", file->name) :
			failed(file, "lock", e);
	if (make && !as_left(file, &st))
		return prodd_error_set(e, PRODD_E_CLOSED, "open %s: somebody else wrote it", file->name);
	file->named = false;
	file->device = st.st_dev;
	file->inode = st.st_ino;
	file->size = file->durable = file->flushed = (uint64_t)st.st_size;	/* nobody here wrote that */
	file->born_s = birth_of(file->fd);
	return 0;
}

int log_file_open(struct log_file *file, int directory, bool make, struct prodd_error *e)
{
	int r = 0;

	for (int i = 0; i < opens_max; i++) {
		if (file->fd >= 0 && has_name(file, directory))
			return 0;
		/* moved away: what is in it stays in it */
		if (file->fd >= 0 && fdatasync(file->fd) < 0) {
			r = failed(file, "sync what was", e);
			log_file_close(file);
			return r;
		}
		log_file_close(file);
		r = open_once(file, directory, make, e);
		if (r < 0) {
			log_file_close(file);
			return r;
		}
	}
	return prodd_error_set(e, PRODD_E_IO, "open %s: it does not stand still", file->name);
}

/* ---- writing */

static void begin_writing(struct log_file *file)
{
	if (file->size - file->flushed < flush_bytes)
		return;
	/* So that the sync that comes has less to do. It is only a hint. */
	sync_file_range(file->fd, (off_t)file->flushed, (off_t)(file->size - file->flushed),
			SYNC_FILE_RANGE_WRITE);
	file->flushed = file->size;
}

int log_file_append(struct log_file *file, struct prodd_slice lines, struct prodd_error *e)
{
	uint64_t before = file->size;

	while (lines.size > 0) {
		ssize_t n = write(file->fd, lines.at, lines.size);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			int r = n < 0 ? failed(file, "write", e) :
					prodd_error_set(e, PRODD_E_IO, "write %s: nothing was written",
							file->name);

			if (ftruncate(file->fd, (off_t)before) == 0)
				file->size = before;
			return r;
		}
		lines.at += n;
		lines.size -= (size_t)n;
		file->size += (uint64_t)n;
	}
	begin_writing(file);
	return 0;
}

int log_file_sync(struct log_file *file, int directory, struct prodd_error *e)
{
	int r;

	if (fdatasync(file->fd) == 0 && (file->named || fsync(directory) == 0)) {
		file->named = true;
		file->durable = file->size;
		return 0;
	}
	r = failed(file, "sync", e);
	if (ftruncate(file->fd, (off_t)file->durable) < 0)
		prodd_error_prefix(e, "cut %s: %s; before", file->name, strerror(errno));
	log_file_close(file);
	return r;
}

int log_file_repair(struct log_file *file, int directory, const struct tail_wish *wish, struct tail *ret,
		    struct prodd_error *e)
{
	int r = tail_read(file->fd, file->size, wish, ret, e);

	if (r < 0)
		return prodd_error_prefix(e, "%s", file->name);
	if (ret->end < file->size && ftruncate(file->fd, (off_t)ret->end) < 0)
		return failed(file, "cut", e);
	file->size = file->durable = ret->end;
	return log_file_sync(file, directory, e);
}

/* ---- rotating */

/* Never over another file. Without renameat2() for that: nobody else makes such names. */
static int rename_to(int directory, const char *from, const char *to)
{
	struct stat st;

	if (renameat2(directory, from, directory, to, RENAME_NOREPLACE) == 0)
		return 0;
	if (errno != EINVAL && errno != ENOSYS)
		return -1;
	if (fstatat(directory, to, &st, AT_SYMLINK_NOFOLLOW) == 0) {
		errno = EEXIST;
		return -1;
	}
	return renameat(directory, from, directory, to);
}

int log_file_rotate(struct log_file *file, int directory, struct prodd_error *e)
{
	char to[NAME_MAX + 1];
	int r = log_file_sync(file, directory, e);

	if (r == 0)
		r = rotated_name(directory, file->name, clock_wall_ms() / 1000, to, e);
	if (r < 0)
		return r;
	if (rename_to(directory, file->name, to) < 0 || fsync(directory) < 0)
		return failed(file, "rotate", e);
	log_file_close(file);
	file->size = 0;
	return 0;
}
