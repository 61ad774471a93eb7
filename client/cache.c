/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is read is trusted no more than bytes from the socket: it goes through
 * the pre-check and the codec, after its checksum.  Nothing is synced: a file
 * that a power failure tore is found by its checksum, and the daemon has it all.
 */
#define _GNU_SOURCE
#include "client/cache.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "client/checksum.h"
#include "proto/check.h"
#include "proto/codec.h"

enum { header_size = 32, version = 1 };

static const char magic[8] = { 'p', 'r', 'o', 'd', 'd', 'c', 'f', 'g' };

static void put(unsigned char *at, unsigned width, uint64_t value)
{
	while (width-- > 0) {
		at[width] = (unsigned char)value;
		value >>= 8;
	}
}

static uint64_t get(const unsigned char *at, unsigned width)
{
	uint64_t value = 0;

	while (width-- > 0)
		value = value << 8 | *at++;
	return value;
}

/* An instance's name may be anything but a path. NULL: no memory. */
static char *path_of(const struct prodd_cache *cache)
{
	const char *instance = cache->instance ? cache->instance : "";
	char *path;

	if (asprintf(&path, "%s/%s%s%s.config", cache->directory, cache->app, *instance ? "@" : "",
		     instance) < 0)
		return NULL;
	for (char *p = path + strlen(cache->directory) + 1; *p; p++)
		if (*p == '/')
			*p = '_';
	return path;
}

/* ---- reading */

static int check_file(int fd, const char *path, size_t *ret_size, struct prodd_error *e)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return prodd_error_set(e, PRODD_E_IO, "%s: %s", path, strerror(errno));
	if (!S_ISREG(st.st_mode))
		return prodd_error_set(e, PRODD_E_CORRUPT, "%s: not a file", path);
	if (st.st_uid != geteuid() || st.st_mode & (S_IRWXG | S_IRWXO))
		return prodd_error_set(e, PRODD_E_NOT_PERMITTED, "%s: not this user's alone (0600)", path);
	if (st.st_size < header_size || st.st_size > header_size + (off_t)PRODD_CACHE_CONTENT_MAX)
		return prodd_error_set(e, PRODD_E_CORRUPT, "%s: %lld bytes", path, (long long)st.st_size);
	*ret_size = (size_t)st.st_size;
	return 0;
}

static int read_whole(int fd, const char *path, struct prodd_buffer *content, struct prodd_error *e)
{
	size_t size = 0, done = 0;
	char *bytes;
	int r = check_file(fd, path, &size, e);

	if (r < 0)
		return r;
	bytes = prodd_buffer_extend(content, size);
	if (!bytes)
		return prodd_error_set(e, PRODD_E_NO_MEMORY, "%s", path);
	while (done < size) {
		ssize_t n = read(fd, bytes + done, size - done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return prodd_error_set(e, PRODD_E_IO, "%s: %s", path, strerror(errno));
		if (n == 0)
			return prodd_error_set(e, PRODD_E_CORRUPT, "%s: it ends early", path);
		done += (size_t)n;
	}
	return 0;
}

static int check_header(const struct prodd_cache *cache, const char *path, struct prodd_slice file,
			struct prodd_error *e)
{
	const unsigned char *header = (const unsigned char *)file.at;
	struct prodd_slice content = { file.at + header_size, file.size - header_size };

	if (memcmp(header, magic, sizeof magic) != 0)
		return prodd_error_set(e, PRODD_E_CORRUPT, "%s: not a cached configuration", path);
	if (get(header + 8, 4) != version)
		return prodd_error_set(e, PRODD_E_CORRUPT, "%s: format %u, this library knows %d", path,
				       (unsigned)get(header + 8, 4), version);
	if (get(header + 12, 4) != content.size ||
	    get(header + 16, 8) != prodd_checksum(PRODD_CHECKSUM_START, content))
		return prodd_error_set(e, PRODD_E_CORRUPT, "%s: damaged", path);
	if (get(header + 24, 8) != cache->fingerprint)
		return prodd_error_set(e, PRODD_E_NOT_FOUND,
				       "%s: made for other APP_ variables or another environment", path);
	return 0;
}

static int read_content(const char *path, struct prodd_slice file, struct wire_apply *ret,
			struct prodd_error *e)
{
	struct prodd_slice content = { file.at + header_size, file.size - header_size };
	struct prodd_cursor c = prodd_cursor(content);
	int r = prodd_check(content, &prodd_check_reply, e);

	if (r == 0)
		r = prodd_decode(&c, &wire_record_apply, ret, e);
	if (r < 0) {
		prodd_error_prefix(e, "%s", path);
		e->code = PRODD_E_CORRUPT;
		return -PRODD_E_CORRUPT;
	}
	return 0;
}

static int load(const struct prodd_cache *cache, const char *path, struct prodd_buffer *content,
		struct wire_apply *ret, struct prodd_error *e)
{
	int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	int r;

	if (fd < 0)
		return prodd_error_set(e,
				       errno == ENOENT || errno == ENOTDIR ? PRODD_E_NOT_FOUND : PRODD_E_IO,
				       "%s: %s", path, strerror(errno));
	r = read_whole(fd, path, content, e);
	close(fd);
	if (r == 0)
		r = check_header(cache, path, prodd_buffer_slice(content), e);
	if (r == 0)
		r = read_content(path, prodd_buffer_slice(content), ret, e);
	return r;
}

int prodd_cache_load(const struct prodd_cache *cache, struct prodd_buffer *content, struct wire_apply *ret,
		     struct prodd_error *e)
{
	char *path;
	int r;

	if (!cache->directory)
		return prodd_error_set(e, PRODD_E_NOT_FOUND, "no cache directory");
	path = path_of(cache);
	if (!path)
		return prodd_error_set(e, PRODD_E_NO_MEMORY, "path of the cache");
	r = load(cache, path, content, ret, e);
	free(path);
	return r;
}

/* ---- writing */

/* The directory and the one above it: ~/.cache may not exist yet. */
static void make_directory(const char *directory)
{
	const char *slash = strrchr(directory, '/');
	char *above;

	if (mkdir(directory, 0700) == 0 || errno != ENOENT || !slash || slash == directory)
		return;
	above = strndup(directory, (size_t)(slash - directory));
	if (above &&
	    (mkdir(above, 0700) == 0 || errno == EEXIST)) /* another instance may start at this moment */
		mkdir(directory, 0700);
	free(above);
}

int prodd_cache_encode(const struct prodd_cache *cache, const struct wire_apply *apply,
		       struct prodd_buffer *file)
{
	unsigned char header[header_size] = { 0 };
	struct prodd_slice content;

	if (!cache->directory)
		return 0;
	file->limit = header_size + PRODD_CACHE_CONTENT_MAX;
	prodd_buffer_append(file, header, sizeof header);
	if (prodd_encode(file, &wire_record_apply, apply) < 0)
		return file->failed;
	content = (struct prodd_slice){ file->at + header_size, file->size - header_size };
	memcpy(header, magic, sizeof magic);
	put(header + 8, 4, version);
	put(header + 12, 4, content.size);
	put(header + 16, 8, prodd_checksum(PRODD_CHECKSUM_START, content));
	put(header + 24, 8, cache->fingerprint);
	memcpy(file->at, header, sizeof header);
	return 0;
}

static int write_whole(int fd, struct prodd_slice bytes)
{
	while (bytes.size > 0) {
		ssize_t n = write(fd, bytes.at, bytes.size);

		if (n < 0 && errno != EINTR)
			return -1;
		if (n > 0)
			bytes = (struct prodd_slice){ bytes.at + n, bytes.size - (size_t)n };
	}
	return 0;
}

/* Writing beyond RLIMIT_FSIZE would raise SIGXFSZ. */
static bool is_allowed(size_t size)
{
	struct rlimit limit;

	return getrlimit(RLIMIT_FSIZE, &limit) < 0 || limit.rlim_cur == RLIM_INFINITY ||
	       size <= limit.rlim_cur;
}

/* mkostemp makes it 0600, and never follows or reuses what is there. */
static int replace(const char *path, struct prodd_slice bytes, struct prodd_error *e)
{
	char *temporary;
	int fd, r, error;

	if (!is_allowed(bytes.size))
		return prodd_error_set(e, PRODD_E_IO, "%s: %zu bytes are over RLIMIT_FSIZE", path,
				       bytes.size);
	if (asprintf(&temporary, "%s.XXXXXX", path) < 0)
		return prodd_error_set(e, PRODD_E_NO_MEMORY, "%s", path);
	fd = mkostemp(temporary, O_CLOEXEC);
	r = fd < 0 ? -1 : write_whole(fd, bytes);
	if (r == 0)
		r = rename(temporary, path);
	error = errno;
	if (fd >= 0) {
		close(fd);
		if (r < 0)
			unlink(temporary);
	}
	free(temporary);
	return r < 0 ? prodd_error_set(e, PRODD_E_IO, "%s: %s", path, strerror(error)) : 0;
}

int prodd_cache_write(const struct prodd_cache *cache, struct prodd_slice file, struct prodd_error *e)
{
	char *path = path_of(cache);
	int r;

	if (!path)
		return prodd_error_set(e, PRODD_E_NO_MEMORY, "path of the cache");
	make_directory(cache->directory);
	r = replace(path, file, e);
	free(path);
	return r;
}
