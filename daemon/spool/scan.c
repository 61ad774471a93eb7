/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A window over the file.  What it holds of a segment that is being written may
 * be older than the file: a place that looks like no record is read anew before
 * it is judged.
 */
#include "daemon/spool/scan.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/util/file.h"

enum { tries = 3, first_chunk = 16 * 1024 };

/* ---- the window */

static ssize_t read_at(int fd, void *to, size_t size, uint64_t offset)
{
	size_t done = 0;

	while (done < size) {
		ssize_t n = pread(fd, (char *)to + done, size - done, (off_t)(offset + done));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && done == 0)
			return -1;
		if (n <= 0)
			break;
		done += (size_t)n;
	}
	return (ssize_t)done;
}

static int reserve(struct spool_scan *scan, size_t size, struct prodd_error *e)
{
	unsigned char *window;

	if (size <= scan->window_capacity)
		return 0;
	window = realloc(scan->window, size);
	if (!window)
		return prodd_error_set(e, PRODD_E_NO_MEMORY, "reading a segment");
	scan->window = window;
	scan->window_capacity = size;
	return 0;
}

/* A place that fails again and again is as good as damaged: to the end of its page, bytes of no record. */
static int give_up_page(struct spool_scan *scan, uint64_t offset, struct prodd_error *e)
{
	if (++scan->failures < tries)
		return prodd_error_set(e, PRODD_E_IO, "read a segment: %s", strerror(errno));
	scan->window_size = offset < spool_scan_size(scan) ? SPOOL_PAGE - offset % SPOOL_PAGE : 0;
	memset(scan->window, 0xff, scan->window_size);
	return 0;
}

/* Reads the window anew: from `offset`, `size` bytes or a chunk. */
static int refill(struct spool_scan *scan, uint64_t offset, size_t size, struct prodd_error *e)
{
	size_t wanted = size > scan->chunk ? size : scan->chunk;
	ssize_t n;
	int r = reserve(scan, wanted, e);

	if (r < 0)
		return r;
	scan->window_at = offset;
	scan->window_size = 0;
	n = read_at(scan->fd, scan->window, wanted, offset);
	if (n < 0)
		return give_up_page(scan, offset, e);
	scan->failures = 0;
	scan->window_size = (size_t)n;
	if (scan->chunk < SPOOL_SCAN_CHUNK)
		scan->chunk *= 2;
	return 0;
}

/* Bytes at `offset` that the window has. */
static size_t held(const struct spool_scan *scan, uint64_t offset)
{
	uint64_t end = scan->window_at + scan->window_size;

	return offset >= scan->window_at && offset < end ? (size_t)(end - offset) : 0;
}

static const unsigned char *window_at(const struct spool_scan *scan, uint64_t offset)
{
	return scan->window + (offset - scan->window_at);
}

/* *ret: `size` bytes at `offset`, or what there is up to the file's end. Returns how many, at most `size`. */
static ssize_t view(struct spool_scan *scan, uint64_t offset, size_t size, const unsigned char **ret,
		    struct prodd_error *e)
{
	int r;

	if (held(scan, offset) < size) {
		r = refill(scan, offset, size, e);
		if (r < 0)
			return r;
	}
	*ret = window_at(scan, offset);
	return held(scan, offset) < size ? (ssize_t)held(scan, offset) : (ssize_t)size;
}

/* ---- opening */

/* The copy stands at the end of the page in which the table ends. */
static int find_head(struct spool_scan *scan, struct prodd_error *e)
{
	const unsigned char *bytes;
	int verdict = -PRODD_E_CORRUPT;
	struct prodd_error other;

	prodd_error_set(e, PRODD_E_CORRUPT, "too short for a segment");
	for (uint64_t at = 0; at < spool_records_at(SPOOL_WATERS_MAX * SPOOL_WATER); at += SPOOL_PAGE) {
		ssize_t n = view(scan, at, SPOOL_HEAD, &bytes, &other);
		int r;

		while (n == -PRODD_E_IO)
			n = view(scan, at, SPOOL_HEAD, &bytes, &other);
		if (n < 0)
			return prodd_error_set(e, other.code, "%s", other.text);
		if (n < (ssize_t)SPOOL_HEAD)
			break;
		r = spool_head_read(bytes, &scan->head, &other);
		if (r == 0)
			return 0;
		if (at == 0) {
			verdict = r;
			*e = other;
		}
	}
	return verdict;
}

static int open_file(struct spool_scan *scan, int directory, const char *name, struct prodd_error *e)
{
	struct stat st;

	scan->fd = openat(directory, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (scan->fd < 0)
		return prodd_error_set(e,
				       errno == ENOENT	? PRODD_E_NOT_FOUND
				       : errno == ELOOP ? PRODD_E_CORRUPT
							: PRODD_E_IO,
				       "open: %s", strerror(errno));
	if (fstat(scan->fd, &st) < 0)
		return prodd_error_set(e, PRODD_E_IO, "stat: %s", strerror(errno));
	if (!S_ISREG(st.st_mode))
		return prodd_error_set(e, PRODD_E_CORRUPT, "no regular file");
	return find_head(scan, e);
}

int spool_scan_open(struct spool_scan *scan, int directory, const char *name, struct prodd_error *e)
{
	int r;

	*scan = (struct spool_scan){ .fd = -1, .chunk = first_chunk };
	r = open_file(scan, directory, name, e);
	if (r < 0) {
		spool_scan_clear(scan);
		return prodd_error_prefix(e, "%s", name);
	}
	scan->at = spool_records_at(scan->head.table_size);
	scan->seed = spool_seed(scan->head.salt);
	return 0;
}

void spool_scan_clear(struct spool_scan *scan)
{
	file_close(&scan->fd);
	free(scan->window);
	*scan = (struct spool_scan){ .fd = -1 };
}

/* ---- records */

/* A record at `offset`, if an intact one is there; *ret_size: how far the next one is, 0 when its head is no
 * head. 1, 0. */
static int take(struct spool_scan *scan, uint64_t offset, struct spool_record *ret, uint64_t *ret_size,
		struct prodd_error *e)
{
	const unsigned char *at;
	uint64_t size;
	ssize_t n = view(scan, offset, SPOOL_RECORD_HEAD, &at, e);

	*ret_size = 0;
	if (n < 0)
		return (int)n;
	if (n < (ssize_t)SPOOL_RECORD_HEAD || !spool_record_head_intact(at, scan->seed, &size))
		return 0;
	n = view(scan, offset, size, &at, e);
	if (n < (ssize_t)size)
		return n < 0 ? (int)n : 0;	/* cut off by the file's end */
	*ret_size = (size + SPOOL_ALIGN - 1) & ~(uint64_t)(SPOOL_ALIGN - 1);
	return spool_record_read(at, scan->seed, ret);
}

/* The next place from `offset` on that is not zero, at a multiple of 8; -1: none. */
static int64_t pass_zeros(struct spool_scan *scan, uint64_t offset, struct prodd_error *e)
{
	static const unsigned char zeros[SPOOL_ALIGN];
	const unsigned char *at;

	for (;;) {
		ssize_t n = view(scan, offset, SPOOL_ALIGN, &at, e);
		size_t left = held(scan, offset), i = 0;

		if (n < 0)
			return n;
		if (n == 0)
			return 0;
		while (i + SPOOL_ALIGN <= left && memcmp(at + i, zeros, SPOOL_ALIGN) == 0)
			i += SPOOL_ALIGN;
		if (i + SPOOL_ALIGN <= left)
			return (int64_t)(offset + i);
		if (i == 0)	/* the file's last bytes, fewer than 8 */
			return memcmp(at, zeros, left) == 0 ? 0 : (int64_t)offset;
		offset += i;
	}
}

/* From `at` on, where no intact record is: what is there? */
static int search(struct spool_scan *scan, struct spool_record *ret, uint64_t *ret_damaged,
		  struct prodd_error *e)
{
	uint64_t offset = scan->at, end = scan->at, size;

	for (;;) {
		int64_t found = pass_zeros(scan, offset, e);
		int r;

		*ret_damaged = end - scan->at;
		if (found < 0)
			return (int)found;
		if (found == 0)
			return end > scan->at ? SPOOL_DAMAGE : SPOOL_END;
		offset = (uint64_t)found;
		r = take(scan, offset, ret, &size, e);
		if (r < 0)
			return r;
		if (r > 0) {
			*ret_damaged = offset - scan->at;
			scan->at = offset + size;
			return SPOOL_RECORD;
		}
		offset += size ? size : SPOOL_ALIGN;
		end = offset;
	}
}

int spool_scan_next(struct spool_scan *scan, struct spool_record *ret, uint64_t *ret_damaged,
		    struct prodd_error *e)
{
	uint64_t size;
	int r;

	*ret_damaged = 0;
	if (held(scan, scan->at) >= SPOOL_RECORD_HEAD) {
		r = take(scan, scan->at, ret, &size, e);
		if (r < 0)
			return r;
		if (r > 0) {
			scan->at += size;
			return SPOOL_RECORD;
		}
		scan->chunk = first_chunk;
	}
	r = refill(scan, scan->at, SPOOL_RECORD_HEAD, e);
	return r < 0 ? r : search(scan, ret, ret_damaged, e);
}

/* ---- what else is in it */

int spool_scan_table(struct spool_scan *scan, struct spool_water **ret, unsigned *ret_count,
		     struct prodd_error *e)
{
	unsigned count = scan->head.table_size / SPOOL_WATER;
	struct spool_water *rows = calloc(count + 1, sizeof *rows);
	const unsigned char *at;
	ssize_t n = view(scan, SPOOL_HEAD, scan->head.table_size, &at, e);

	if (!rows)
		return prodd_error_set(e, PRODD_E_NO_MEMORY, "reading a segment's table");
	if (n >= 0 && (n < (ssize_t)scan->head.table_size || !spool_table_intact(at, &scan->head)))
		n = prodd_error_set(e, PRODD_E_CORRUPT, "the table's checksum is wrong");
	if (n < 0) {
		free(rows);
		return (int)n;
	}
	for (unsigned i = 0; i < count; i++)
		spool_water_read(at + i * SPOOL_WATER, &rows[i]);
	*ret = rows;
	*ret_count = count;
	return 0;
}

uint64_t spool_scan_size(const struct spool_scan *scan)
{
	struct stat st;

	return fstat(scan->fd, &st) < 0 ? 0 : (uint64_t)st.st_size;
}
