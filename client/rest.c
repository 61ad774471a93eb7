/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A file appears under its name when it is whole (rename).  Before it is read it must be
 * locked, and still be there: another process may have sent and unlinked it between our
 * look at the directory and the lock.
 */
#define _GNU_SOURCE
#include "client/rest.h"

#include <dirent.h>
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "client/checksum.h"
#include "client/rest_file.h"
#include "proto/shm/record.h"

void prodd_rest_init(struct prodd_rest *rest, const char *directory, const char *app, struct prodd_messages *messages)
{
	*rest = (struct prodd_rest){ .directory = directory, .app = app, .messages = messages, .fd = -1 };
}

static bool is_ours(const struct prodd_rest *rest)
{
	struct stat st;

	return rest->fd >= 0 && fstat(rest->fd, &st) == 0 && st.st_ino == rest->inode && st.st_dev == rest->device;
}

static void let_go(struct prodd_rest *rest)
{
	if (is_ours(rest))
		close(rest->fd);
	rest->fd = -1;
	free(rest->path);
	rest->path = NULL;
}

void prodd_rest_clear(struct prodd_rest *rest)
{
	let_go(rest);
}

/* ---- finding one */

static bool read_head(struct prodd_rest *rest)
{
	struct rest_head head;

	if (pread(rest->fd, &head, sizeof head, 0) != sizeof head || be64toh(head.magic) != REST_MAGIC ||
	    be32toh(head.version) != REST_VERSION)
		return false;
	rest->dropped = be64toh(head.dropped);
	rest->from = rest->to = be64toh(head.next);
	return rest->from >= sizeof head && rest->from <= rest->size;
}

/* Takes the path. False: it is not for us now. */
static bool take_file(struct prodd_rest *rest, char *path)
{
	struct stat st = { 0 };

	rest->path = path;
	rest->fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (rest->fd >= 0 && flock(rest->fd, LOCK_EX | LOCK_NB) == 0 && fstat(rest->fd, &st) == 0 &&
	    S_ISREG(st.st_mode) && st.st_nlink > 0 && st.st_uid == geteuid() && st.st_size <= REST_SIZE_MAX) {
		rest->inode = st.st_ino;
		rest->device = st.st_dev;
		rest->size = (uint64_t)st.st_size;
		if (read_head(rest))
			return true;
		prodd_messages_say_once(rest->messages, LOG_WARNING, "%s: not a file of log records", path);
	}
	if (rest->fd >= 0)
		close(rest->fd);
	rest->fd = -1;
	free(rest->path);
	rest->path = NULL;
	return false;
}

static bool find_file(struct prodd_rest *rest)
{
	DIR *directory = rest->directory ? opendir(rest->directory) : NULL;
	const struct dirent *entry;
	bool found = false;
	char *path;

	if (!directory)
		return false;
	while (!found && (entry = readdir(directory)))
		if (rest_is_name(entry->d_name, rest->app) &&
		    asprintf(&path, "%s/%s", rest->directory, entry->d_name) >= 0)
			found = take_file(rest, path);
	closedir(directory);
	return found;
}

/* ---- reading it */

/* False: no whole record is there, or none that fits. */
static bool read_record(struct prodd_rest *rest, struct prodd_buffer *batch, size_t most)
{
	struct rest_record head;
	uint32_t length;
	char *room;

	if (pread(rest->fd, &head, sizeof head, (off_t)rest->to) != sizeof head)
		return false;
	length = be32toh(head.length);
	if (length == 0 || length > RECORD_MAX || length > most || batch->size + length > most ||
	    !(room = prodd_buffer_extend(batch, length)))
		return false;
	if (pread(rest->fd, room, length, (off_t)(rest->to + sizeof head)) != (ssize_t)length ||
	    rest_checksum((struct prodd_slice){ room, length }) != be64toh(head.checksum)) {
		batch->size -= length;
		return false;
	}
	rest->to += sizeof head + length;
	return true;
}

/* What is left cannot be read: sent, damaged, or larger than any record. */
static void finish_file(struct prodd_rest *rest)
{
	if (rest->from < rest->size)
		prodd_messages_say(rest->messages, LOG_WARNING, "%s: damaged: %llu bytes of log records are lost", rest->path,
				   (unsigned long long)(rest->size - rest->from));
	unlink(rest->path);
	let_go(rest);
}

bool prodd_rest_read(struct prodd_rest *rest, struct prodd_buffer *batch, size_t most, uint64_t *ret_dropped)
{
	while (!rest->done) {
		if (rest->fd >= 0 && !is_ours(rest))
			let_go(rest);
		if (rest->fd < 0 && !find_file(rest)) {
			rest->done = true;
			break;
		}
		while (read_record(rest, batch, most))
			;
		*ret_dropped = rest->dropped;
		if (rest->to > rest->from || rest->dropped > 0)
			return true;
		finish_file(rest);
	}
	return false;
}

void prodd_rest_passed(struct prodd_rest *rest)
{
	uint64_t told[2] = { 0, htobe64(rest->to) };

	rest->from = rest->to;
	rest->dropped = 0;
	if (is_ours(rest) && pwrite(rest->fd, told, sizeof told, offsetof(struct rest_head, dropped)) < 0)
		prodd_messages_say_once(rest->messages, LOG_WARNING, "%s: %s", rest->path, strerror(errno));
}

void prodd_rest_repeat(struct prodd_rest *rest)
{
	rest->to = rest->from;
}
