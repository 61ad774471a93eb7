/* SPDX-License-Identifier: Apache-2.0 */
/* Thirty-two bytes, replaced whole. */
#include "daemon/spool/cursor.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "daemon/spool/format.h"
#include "daemon/util/crc32c.h"
#include "daemon/util/file.h"

#define MAGIC "PRODDCUR"
#define SUFFIX ".cursor"

enum { version = 1, size = 32, name_max = 63, path_size = name_max + sizeof SUFFIX };

static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789_-";

bool spool_is_sink(const char *name)
{
	size_t length = strlen(name);

	return length > 0 && length <= name_max && strspn(name, letters) == length && name[0] >= 'a' &&
	       name[0] <= 'z';
}

static void put(unsigned char *to, uint64_t value, int bytes)
{
	for (int i = 0; i < bytes; i++)
		to[i] = (unsigned char)(value >> 8 * i);
}

static uint64_t get(const unsigned char *from, int bytes)
{
	uint64_t value = 0;

	while (bytes-- > 0)
		value = value << 8 | from[bytes];
	return value;
}

static bool take(const unsigned char *from, uint64_t *ret)
{
	if (memcmp(from, MAGIC, 8) != 0 || get(from + 8, 4) != version ||
	    get(from + 28, 4) != crc32c(0, from, 28))
		return false;
	*ret = get(from + 16, 8);
	return *ret <= SPOOL_NUMBER_MAX;
}

static int read_file(int directory, const char *path, uint64_t *ret, struct prodd_error *e)
{
	prodd_auto_buffer b = { 0 };
	int r = file_read(directory, path, size, &b, e);

	*ret = 0;
	if (r == -PRODD_E_NOT_FOUND)
		return SPOOL_CURSOR_ABSENT;
	if (r < 0 && r != -PRODD_E_TOO_LARGE)
		return r;
	if (r == 0 && b.size == size && take((const unsigned char *)b.at, ret))
		return SPOOL_CURSOR_GOOD;
	*ret = 0;
	return SPOOL_CURSOR_DAMAGED;
}

static int path_of(const char *sink, char path[path_size], struct prodd_error *e)
{
	if (!spool_is_sink(sink))
		return prodd_error_set(e, PRODD_E_INVALID, "%s: no name of a sink", sink);
	snprintf(path, path_size, "%s" SUFFIX, sink);
	return 0;
}

int spool_cursor_read(int directory, const char *sink, uint64_t *ret, struct prodd_error *e)
{
	char path[path_size];
	int r = path_of(sink, path, e);

	*ret = 0;
	return r < 0 ? r : read_file(directory, path, ret, e);
}

int spool_cursor_write(int directory, const char *sink, uint64_t number, struct prodd_error *e)
{
	unsigned char bytes[size] = { 0 };
	char path[path_size];
	int r = path_of(sink, path, e);

	memcpy(bytes, MAGIC, 8);
	put(bytes + 8, version, 4);
	put(bytes + 16, number, 8);
	put(bytes + 28, crc32c(0, bytes, 28), 4);
	return r < 0 ? r
		     : file_replace(directory, path, (struct prodd_slice){ (const char *)bytes, size }, 0600,
				    e);
}

void spool_cursor_remove(int directory, const char *sink)
{
	char path[path_size];
	struct prodd_error e;

	if (path_of(sink, path, &e) == 0)
		unlinkat(directory, path, 0);
}

static bool is_cursor(const char *name)
{
	size_t length = strlen(name);

	return length > sizeof SUFFIX - 1 && length < path_size &&
	       strcmp(name + length - (sizeof SUFFIX - 1), SUFFIX) == 0;
}

uint64_t spool_cursors_highest(int directory)
{
	int fd = openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *stream = fd < 0 ? NULL : fdopendir(fd);
	uint64_t highest = 0, number;
	struct dirent *entry;
	struct prodd_error e;

	if (!stream) {
		file_close(&fd);
		return 0;
	}
	while ((entry = readdir(stream)))
		if (is_cursor(entry->d_name) &&
		    read_file(directory, entry->d_name, &number, &e) == SPOOL_CURSOR_GOOD && number > highest)
			highest = number;
	closedir(stream);
	return highest;
}
