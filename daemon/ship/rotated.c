/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A name is taken to pieces strictly: what does not fit whole is somebody else's file.
 *
 * Who reads a directory while one name takes the place of another may see neither: a lock keeps the two
 * apart. Of other processes none is at it, but one that is being killed; so a name is never used when a file
 * of it is seen in any form.
 */
#include "daemon/ship/rotated.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "daemon/util/file.h"

enum { stamp_size = 16, numbers_max = 1000000, first_rows = 16 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static bool is_stamp(const char *text)
{
	static const char shape[] = "ddddddddTddddddZ";

	for (int i = 0; i < stamp_size; i++)
		if (shape[i] == 'd' ? text[i] < '0' || text[i] > '9' : text[i] != shape[i])
			return false;
	return true;
}

/* ".N" at *at, N without leading zeros. False: it is no number. */
static bool take_number(const char **at, unsigned *ret)
{
	unsigned value = 0;
	const char *digit = *at + 1;

	if (*digit < '1' || *digit > '9')
		return false;
	for (; *digit >= '0' && *digit <= '9' && value < numbers_max; digit++)
		value = value * 10 + (unsigned)(*digit - '0');
	*at = digit;
	*ret = value;
	return value < numbers_max;
}

/* What stands behind stamp and number: nothing, ".gz", ".gz.tmp". */
static bool take_suffix(const char *at, struct rotated *ret)
{
	size_t size = strlen(at);

	ret->unfinished = size > 4 && strcmp(at + size - 4, ".tmp") == 0;
	if (ret->unfinished)
		size -= 4;
	if (size == 0)
		return true;
	/* As if it were the end of a name of one letter. */
	ret->compressor = compressor_of_file((struct prodd_slice){ at - 1, size + 1 });
	return ret->compressor && strlen(ret->compressor->suffix) == size;
}

static bool take_name(const char *name, const char *file, struct rotated *ret)
{
	size_t size = strlen(file);
	const char *at = name + size + 1;

	*ret = (struct rotated){ 0 };
	if (strncmp(name, file, size) != 0 || name[size] != '.' || strlen(at) < stamp_size || !is_stamp(at))
		return false;
	memcpy(ret->stamp, at, stamp_size);
	at += stamp_size;
	if (*at == '.' && at[1] >= '0' && at[1] <= '9' && !take_number(&at, &ret->number))
		return false;
	snprintf(ret->name, sizeof ret->name, "%s", name);
	return take_suffix(at, ret);
}

static int order(const void *one, const void *other)
{
	const struct rotated *a = one, *b = other;
	int by_stamp = strcmp(a->stamp, b->stamp);

	if (by_stamp != 0)
		return by_stamp;
	if (a->number != b->number)
		return a->number < b->number ? -1 : 1;
	return strcmp(a->name, b->name);	/* the compressed one behind the other */
}

struct rows {
	struct rotated *at;
	unsigned count, room;
};

static int add_row(struct rows *rows, const struct rotated *row, struct prodd_error *e)
{
	if (rows->count == rows->room) {
		unsigned room = rows->room ? 2 * rows->room : first_rows;
		struct rotated *at = reallocarray(rows->at, room, sizeof *at);

		if (!at)
			return prodd_error_set(e, PRODD_E_NO_MEMORY, "rotated files");
		rows->at = at;
		rows->room = room;
	}
	rows->at[rows->count++] = *row;
	return 0;
}

static int read_rows(DIR *listing, const char *file, struct rows *rows, struct prodd_error *e)
{
	struct dirent *entry;
	struct rotated row;
	struct stat st;

	while ((errno = 0, entry = readdir(listing))) {
		if (!take_name(entry->d_name, file, &row) ||
		    fstatat(dirfd(listing), row.name, &st, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISREG(st.st_mode))
			continue;
		row.size = (uint64_t)st.st_size;
		if (add_row(rows, &row, e) < 0)
			return -PRODD_E_NO_MEMORY;
	}
	return errno ? prodd_error_set(e, PRODD_E_IO, "list rotated files: %s", strerror(errno)) : 0;
}

int rotated_list(int directory, const char *file, struct rotated **ret, unsigned *ret_count,
		 struct prodd_error *e)
{
	int fd = openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *listing = fd < 0 ? NULL : fdopendir(fd);
	struct rows rows = { 0 };
	int r;

	if (!listing) {
		r = prodd_error_set(e, PRODD_E_IO, "list rotated files: %s", strerror(errno));
		if (fd >= 0)
			close(fd);
		return r;
	}
	pthread_mutex_lock(&lock);
	r = read_rows(listing, file, &rows, e);
	pthread_mutex_unlock(&lock);
	closedir(listing);
	if (r < 0) {
		free(rows.at);
		return r;
	}
	if (rows.count > 0)
		qsort(rows.at, rows.count, sizeof *rows.at, order);
	*ret = rows.at;
	*ret_count = rows.count;
	return 0;
}

int rotated_replace(int directory, const char *name, const char *temporary, const char *final,
		    struct prodd_error *e)
{
	int r;

	pthread_mutex_lock(&lock);
	r = file_rename_synced(directory, temporary, final, e);
	if (r == 0 && unlinkat(directory, name, 0) < 0)
		r = prodd_error_set(e, PRODD_E_IO, "remove %s: %s", name, strerror(errno));
	pthread_mutex_unlock(&lock);
	return r;
}

/* As it is, or compressed. */
static bool is_taken(int directory, const char *name)
{
	static const char *const suffixes[] = { "", ".gz", ".zst" };
	char with[NAME_MAX + 1];
	struct stat st;

	for (size_t i = 0; i < sizeof suffixes / sizeof *suffixes; i++)
		if (snprintf(with, sizeof with, "%s%s", name, suffixes[i]) < (int)sizeof with &&
		    fstatat(directory, with, &st, AT_SYMLINK_NOFOLLOW) == 0)
			return true;
	return false;
}

int rotated_name(int directory, const char *file, uint64_t time_s, char ret[NAME_MAX + 1],
		 struct prodd_error *e)
{
	struct rotated *all = NULL;
	unsigned count = 0, number = 0;
	time_t time = (time_t)time_s;
	char stamp[stamp_size + 1] = "";
	struct tm tm;
	int r = rotated_list(directory, file, &all, &count, e);

	if (r < 0)
		return r;
	if (gmtime_r(&time, &tm))
		strftime(stamp, sizeof stamp, "%Y%m%dT%H%M%SZ", &tm);
	if (count > 0 && strcmp(all[count - 1].stamp, stamp) >= 0) {
		snprintf(stamp, sizeof stamp, "%s", all[count - 1].stamp);
		number = all[count - 1].number + 1;
	}
	free(all);
	if (!is_stamp(stamp))
		return prodd_error_set(e, PRODD_E_IO, "the clock has no year of four digits");
	for (; number < numbers_max; number++) {
		if (number > 0)
			r = snprintf(ret, NAME_MAX + 1, "%s.%s.%u", file, stamp, number);
		else
			r = snprintf(ret, NAME_MAX + 1, "%s.%s", file, stamp);
		if (r > NAME_MAX)
			return prodd_error_set(e, PRODD_E_IO, "its name is too long");
		if (!is_taken(directory, ret))
			return 0;
	}
	return prodd_error_set(e, PRODD_E_IO, "too many files of one second");
}
