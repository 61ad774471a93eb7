/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The segment being written: made under a name that never was, preallocated in
 * steps so that its end is zeros and the disk's fullness is met before a record
 * is written, not amid it.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "daemon/spool/writer_parts.h"
#include "daemon/util/file.h"

static int failed(struct spool_writer *w, const char *what, struct prodd_error *e)
{
	return prodd_error_set(e, PRODD_E_IO, "spool of %s: %s: %s", w->app, what, strerror(errno));
}

static int no_room(struct spool_writer *w, struct prodd_error *e)
{
	return prodd_error_set(e, PRODD_E_OVER_LIMIT, "spool of %s: no room", w->app);
}

/* ---- size */

/* fallocate, where the file system has it; else the file just gets longer. */
static int allocate(int fd, uint64_t from, uint64_t to)
{
	int r;

	do
		r = fallocate(fd, 0, (off_t)from, (off_t)(to - from));
	while (r < 0 && errno == EINTR);
	if (r < 0 && (errno == EOPNOTSUPP || errno == ENOSYS))
		r = ftruncate(fd, (off_t)to);
	return r;
}

/* From `from` to `to`, making room as the limits and the disk ask for. */
static int grow(struct spool_writer *w, int fd, uint64_t from, uint64_t to, struct prodd_error *e)
{
	bool disk_full = false;

	while (room_make(w, to - from, disk_full)) {
		if (allocate(fd, from, to) == 0)
			return 0;
		if (errno != ENOSPC && errno != EDQUOT)
			return failed(w, "preallocate", e);
		disk_full = true;
	}
	return no_room(w, e);
}

/* A whole step, or when there is no room for one, what is needed. */
static int grow_by_step(struct spool_writer *w, int fd, uint64_t from, uint64_t needed, uint64_t *ret,
			struct prodd_error *e)
{
	uint64_t most = room_segment_max(w->total), step = most < SPOOL_STEP ? most : SPOOL_STEP;
	uint64_t to = (needed + step - 1) / step * step;
	int r = grow(w, fd, from, to, e);

	if (r == -PRODD_E_OVER_LIMIT) {
		to = (needed + SPOOL_PAGE - 1) / SPOOL_PAGE * SPOOL_PAGE;
		r = grow(w, fd, from, to, e);
	}
	if (r == 0)
		*ret = to;
	return r;
}

int segment_extend(struct spool_writer *w, uint64_t size, struct prodd_error *e)
{
	int r;

	if (w->at + size <= w->allocated)
		return 0;
	r = grow_by_step(w, w->fd, w->allocated, w->at + size, &w->allocated, e);
	if (r == 0)
		room_resized(w, writer_current(w), w->allocated);
	return r;
}

void segment_cut(struct spool_writer *w)
{
	if (ftruncate(w->fd, (off_t)w->at) < 0)
		return;
	w->allocated = w->at;
	room_resized(w, writer_current(w), w->allocated);
}

void segment_leave(struct spool_writer *w)
{
	if (w->fd < 0)
		return;
	if (w->allocated > w->at)
		segment_cut(w);		/* its zeros may stay too */
	file_close(&w->fd);
	w->at = w->allocated = 0;
}

/* ---- bytes */

static size_t write_at(int fd, const void *bytes, size_t size, uint64_t offset)
{
	size_t done = 0;

	while (done < size) {
		ssize_t n = pwrite(fd, (const char *)bytes + done, size - done, (off_t)(offset + done));

		if (n < 0 && errno == EINTR)
			continue;
		if (n == 0)
			errno = EIO;
		if (n <= 0)
			break;
		done += (size_t)n;
	}
	return done;
}

size_t segment_write(struct spool_writer *w, const void *bytes, size_t size, struct prodd_error *e)
{
	size_t done = write_at(w->fd, bytes, size, w->at);

	int why = errno;

	if (done < size) {
		w->counts.failed_writes++;
		failed(w, "write", e);
		errno = why;
	}
	return done;
}

/* ---- a new one */

static uint64_t wall_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static struct spool_head new_head(struct spool_writer *w, uint64_t supersedes, uint64_t from)
{
	struct spool_head head = {
		.follows = supersedes && from < w->follows ? from : w->follows,
		.first = supersedes ? from : w->next,
		.supersedes = supersedes,
		.from = from,
		.made_ns = wall_ns(),
		.salt = w->salt,
	};

	memcpy(head.boot, w->boot, sizeof head.boot);
	if (!supersedes && getrandom(&head.salt, sizeof head.salt, 0) != sizeof head.salt)
		head.salt = head.made_ns;	/* not reached on Linux: eight bytes are never cut short */
	return head;
}

/* The next id that is free. */
static void choose_name(struct spool_writer *w, struct spool_segment *segment)
{
	struct stat st;

	do {
		segment->head.id = ++w->id;
		spool_segment_name(w->id, segment->name);
	} while (fstatat(w->directory, segment->name, &st, AT_SYMLINK_NOFOLLOW) == 0);
}

/* Head, table, and under `supersedes` what is kept; as bytes of the file from its beginning. */
static int compose(struct spool_writer *w, struct spool_segment *segment, struct prodd_buffer *ret,
		   struct prodd_error *e)
{
	struct spool_water *table = waters_table(&w->waters);
	char *head;

	ret->limit = SIZE_MAX / 2;
	head = prodd_buffer_extend(ret, spool_records_at(w->waters.count * SPOOL_WATER));
	if (table && head)
		spool_head_write((unsigned char *)head, &segment->head, table, w->waters.count);
	if (segment->head.supersedes)
		prodd_buffer_append(ret, w->kept.at, w->kept.size);
	free(table);
	return table && head && ret->failed == 0
		       ? 0
		       : prodd_error_set(e, PRODD_E_NO_MEMORY, "spool of %s", w->app);
}

/* Under another name first: whoever reads the directory never sees a segment without its head. */
static int make_file(struct spool_writer *w, struct spool_segment *segment, struct prodd_slice content,
		     struct prodd_error *e)
{
	auto_fd fd = -1;
	int r, made;

	unlinkat(w->directory, SPOOL_NEW_NAME, 0);
	fd = openat(w->directory, SPOOL_NEW_NAME, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return failed(w, "create a segment", e);
	r = grow_by_step(w, fd, 0, content.size, &segment->size, e);
	if (r == 0 && write_at(fd, content.at, content.size, 0) < content.size) {
		w->counts.failed_writes++;
		r = failed(w, "write a segment's head", e);
	}
	if (r == 0 && renameat(w->directory, SPOOL_NEW_NAME, w->directory, segment->name) < 0)
		r = failed(w, "name a segment", e);
	if (r < 0) {
		unlinkat(w->directory, SPOOL_NEW_NAME, 0);
		return r;
	}
	made = fd;
	fd = -1;	/* given to the caller */
	return made;
}

static void take_over(struct spool_writer *w, int fd, const struct spool_segment *segment, uint64_t at)
{
	segment_leave(w);
	w->segments.at[w->segments.count++] = *segment;
	writer_current(w)->size = 0;
	room_resized(w, writer_current(w), segment->size);
	w->fd = fd;
	w->at = at;
	w->allocated = segment->size;
	w->salt = segment->head.salt;
	w->seed = spool_seed(w->salt);
	w->entry_unsynced = true;
}

int segment_begin(struct spool_writer *w, uint64_t supersedes, uint64_t from, struct prodd_error *e)
{
	struct spool_segment segment = { .state = SPOOL_GOOD, .limit = UINT64_MAX };
	prodd_auto_buffer content = { 0 };
	int fd;

	if (!spool_segments_reserve(&w->segments))
		return prodd_error_set(e, PRODD_E_NO_MEMORY, "spool of %s", w->app);
	segment.head = new_head(w, supersedes, from);
	choose_name(w, &segment);
	fd = compose(w, &segment, &content, e);
	if (fd == 0)
		fd = make_file(w, &segment, prodd_buffer_slice(&content), e);
	if (fd < 0)
		return fd;
	take_over(w, fd, &segment, content.size);
	return 0;
}
