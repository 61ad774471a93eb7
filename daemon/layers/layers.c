/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A path is first opened without reading rights (O_PATH), so that looking at a
 * FIFO or a device has no effect; only a regular file is then opened, through
 * the same descriptor, so that it is the one that was looked at.
 */
#include "config.h"	/* _GNU_SOURCE */

#include "daemon/layers/layers.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon/layers/list.h"
#include "daemon/util/file.h"
#include "daemon/util/hash.h"
#include "proto/codec.h"

_Static_assert(LAYERS_HASH_SIZE == HASH_TEXT_SIZE, "one size of hashes");

void layers_clear(struct layers *layers)
{
	if (!layers)
		return;
	for (size_t i = 0; i < layers->count; i++) {
		free(layers->files[i].name);
		free(layers->files[i].path);
		free(layers->files[i].real);
		prodd_buffer_clear(&layers->files[i].content);
	}
	for (size_t i = 0; i < layers->problem_count; i++) {
		free(layers->problems[i].path);
		free(layers->problems[i].text);
	}
	free(layers->files);
	free(layers->problems);
	*layers = (struct layers){ 0 };
}

/* ---- one file */

static const char *kind_of(mode_t mode)
{
	switch (mode & S_IFMT) {
	case S_IFDIR:
		return "a directory";
	case S_IFIFO:
		return "a FIFO";
	case S_IFSOCK:
		return "a socket";
	case S_IFCHR:
	case S_IFBLK:
		return "a device";
	default:
		return "something else";
	}
}

static void identify(struct layers_file *f, const struct stat *st)
{
	f->dev = st->st_dev;
	f->ino = st->st_ino;
	f->size = st->st_size;
	f->mtime = st->st_mtim;
	f->ctime = st->st_ctim;
}

static bool same_time(struct timespec a, struct timespec b)
{
	return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
}

static bool is_same(const struct layers_file *f, const struct layers_file *other)
{
	return f->dev == other->dev && f->ino == other->ino && f->size == other->size &&
	       same_time(f->mtime, other->mtime) && same_time(f->ctime, other->ctime);
}

static int find_real(struct layers_file *f, int fd)
{
	char link[64], real[PATH_MAX];
	ssize_t length;

	snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
	length = readlink(link, real, sizeof real - 1);
	if (length > 0) {
		real[length] = '\0';
		f->real = strdup(real);
	} else {
		f->real = realpath(f->path, NULL);	/* without /proc */
	}
	if (!f->real)
		f->real = strdup(f->path);
	return f->real ? 0 : -PRODD_E_NO_MEMORY;
}

/* Opens for reading what `fd` only names; -1 with errno. */
static int open_named(const struct layers_file *f, int fd)
{
	const int flags = O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
	char link[64];
	int opened;

	snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
	opened = open(link, flags);
	return opened < 0 && errno == ENOENT ? open(f->path, flags) : opened;
}

/* Returns 0, or -1 with errno; more than LAYERS_FILE_MAX bytes are EFBIG. */
static int read_all(int fd, struct prodd_buffer *content)
{
	for (;;) {
		size_t before = content->size;
		char *room = prodd_buffer_extend(content, 65536);
		ssize_t n;

		if (!room) {
			errno = content->failed == -PRODD_E_TOO_LARGE ? EFBIG : ENOMEM;
			return -1;
		}
		do
			n = read(fd, room, 65536);
		while (n < 0 && errno == EINTR);
		content->size = before + (n > 0 ? (size_t)n : 0);
		if (n <= 0)
			return n < 0 ? -1 : 0;
		if (content->size > LAYERS_FILE_MAX) {
			errno = EFBIG;
			return -1;
		}
	}
}

static int read_failed(struct layers *layers, const struct layers_file *f)
{
	if (errno == ENOMEM)
		return -PRODD_E_NO_MEMORY;
	if (errno == EFBIG)
		return layers_add_problem(layers, f->path,
					  "is too large: at most %u bytes of a file are read",
					  LAYERS_FILE_MAX);
	return layers_add_problem(layers, f->path, "cannot be read: %s", strerror(errno));
}

/*
 * The kernel refuses a read lease on a file that anybody has open for writing. It is given back at once; a
 * writer that opens in between waits that long, and its signal is one that nobody notices. Leases are for the
 * file's owner and CAP_LEASE: of other files, and on file systems without leases, nothing is known.
 */
static bool is_open_for_writing(int fd)
{
	bool refused;

	if (fcntl(fd, F_SETSIG, SIGURG) < 0)
		return false;
	refused = fcntl(fd, F_SETLEASE, F_RDLCK) < 0 && errno == EAGAIN;
	fcntl(fd, F_SETLEASE, F_UNLCK);
	return refused;
}

/* Reads a file that is known to be regular. 1: it is a layer; 0: it became a problem, or is gone. */
static int read_regular(struct layers *layers, struct layers_file *f, int named)
{
	struct layers_file after = { 0 };
	auto_fd fd = -1;
	struct stat st;

	f->content.limit = LAYERS_FILE_MAX + 2 * 65536;
	fd = open_named(f, named);
	if (fd < 0 || fstat(fd, &st) < 0)
		return read_failed(layers, f);
	identify(f, &st);
	if (!S_ISREG(st.st_mode) || st.st_size > LAYERS_FILE_MAX) {
		errno = S_ISREG(st.st_mode) ? EFBIG : EINVAL;
		return read_failed(layers, f);
	}
	if (read_all(fd, &f->content) < 0 || fstat(fd, &st) < 0)
		return read_failed(layers, f);
	identify(&after, &st);
	f->torn = !is_same(f, &after) || (off_t)f->content.size != f->size || is_open_for_writing(fd);
	hash_text(prodd_buffer_slice(&f->content), f->hash);
	return 1;
}

static int read_one(struct layers *layers, struct layers_file *f)
{
	auto_fd named = open(f->path, O_PATH | O_CLOEXEC);
	struct stat st;
	int r;

	if (named < 0 || fstat(named, &st) < 0)
		return read_failed(layers, f);
	if (!S_ISREG(st.st_mode))
		return layers_add_problem(layers, f->path, "is %s, not a file", kind_of(st.st_mode));
	r = find_real(f, named);
	return r < 0 ? r : read_regular(layers, f, named);
}

/* ---- all files */

static void drop(struct layers *layers, size_t i)
{
	struct layers_file *f = &layers->files[i];

	free(f->name);
	free(f->path);
	free(f->real);
	prodd_buffer_clear(&f->content);
	memmove(f, f + 1, (layers->count - i - 1) * sizeof *f);
	layers->count--;
}

static int read_files(struct layers *layers)
{
	size_t total = 0, i = 0;

	while (i < layers->count) {
		struct layers_file *f = &layers->files[i];
		int r = read_one(layers, f);

		if (r > 0 && total + f->content.size > LAYERS_TOTAL_MAX)
			r = layers_add_problem(layers, f->path,
					       "goes over the limit: all files together may have "
					       "%u bytes",
					       LAYERS_TOTAL_MAX);
		if (r < 0)
			return r;
		if (r == 0) {
			drop(layers, i);
			continue;
		}
		total += f->content.size;
		i++;
	}
	return 0;
}

static void put(struct prodd_buffer *b, const char *text)
{
	prodd_buffer_append(b, text, strlen(text) + 1);
}

static int hash_sources(struct layers *layers)
{
	prodd_auto_buffer all = { 0 };

	for (size_t i = 0; i < layers->count; i++) {
		put(&all, layers->files[i].layer);
		put(&all, layers->files[i].name);
		put(&all, layers->files[i].hash);
	}
	for (size_t i = 0; i < layers->problem_count; i++) {
		put(&all, layers->problems[i].path);
		put(&all, layers->problems[i].text);
	}
	if (all.failed)
		return all.failed;
	hash_text(prodd_buffer_slice(&all), layers->hash);
	return 0;
}

int layers_read(const struct layers_where *where, struct layers *ret, struct prodd_error *e)
{
	layers_auto found = { 0 };
	int r;

	r = layers_list(where, &found, e);
	if (r < 0)
		return r;
	r = read_files(&found);
	if (r == 0)
		r = hash_sources(&found);
	if (r < 0)
		return prodd_error_set(e, -r, "reading %s",
				       where->directory ? where->directory : where->conf);
	*ret = found;
	found = (struct layers){ 0 };
	return 0;
}

/* The path of the first file that differs or was torn; NULL: none. */
static const char *difference(const struct layers *a, const struct layers *b, const char *place)
{
	for (size_t i = 0; i < a->count && i < b->count; i++) {
		const struct layers_file *x = &a->files[i], *y = &b->files[i];

		if (x->torn || y->torn || !is_same(x, y) || strcmp(x->hash, y->hash) != 0 ||
		    strcmp(x->name, y->name) != 0)
			return y->path;
	}
	return a->state != b->state || strcmp(a->hash, b->hash) != 0 ? place : NULL;
}

int layers_read_stable(const struct layers_where *where, struct layers *ret, struct prodd_error *e)
{
	layers_auto first = { 0 };
	layers_auto second = { 0 };
	const char *differs;
	int r;

	r = layers_read(where, &first, e);
	if (r == 0)
		r = layers_read(where, &second, e);
	if (r < 0)
		return r;
	differs = difference(&first, &second, where->directory ? where->directory : where->conf);
	if (differs)
		return prodd_error_set(e, PRODD_E_BUSY, "%s is being written", differs);
	*ret = second;
	second = (struct layers){ 0 };
	return 0;
}

int layers_stat(const struct layers_where *where, char ret[LAYERS_HASH_SIZE], struct prodd_error *e)
{
	prodd_auto_buffer all = { 0 };
	layers_auto found = { 0 };
	int r;

	r = layers_list(where, &found, e);
	if (r < 0)
		return r;
	prodd_buffer_append(&all, &found.state, sizeof found.state);
	for (size_t i = 0; i < found.count; i++) {
		struct stat st;

		put(&all, found.files[i].name);
		if (stat(found.files[i].path, &st) < 0)
			continue;
		prodd_buffer_append(&all, &st.st_dev, sizeof st.st_dev);
		prodd_buffer_append(&all, &st.st_ino, sizeof st.st_ino);
		prodd_buffer_append(&all, &st.st_mode, sizeof st.st_mode);
		prodd_buffer_append(&all, &st.st_size, sizeof st.st_size);
		prodd_buffer_append(&all, &st.st_mtim, sizeof st.st_mtim);
		prodd_buffer_append(&all, &st.st_ctim, sizeof st.st_ctim);
	}
	for (size_t i = 0; i < found.problem_count; i++)
		put(&all, found.problems[i].path);
	if (all.failed)
		return prodd_error_set(e, -all.failed, "looking at the files");
	hash_text(prodd_buffer_slice(&all), ret);
	return 0;
}

int layers_encode(const struct layers *layers, struct prodd_buffer *b, uint32_t *count)
{
	for (size_t i = 0; i < layers->count; i++) {
		const struct layers_file *f = &layers->files[i];
		struct wire_source_file row = {
			.name = prodd_slice(f->name),
			.path = prodd_slice(f->path),
			.layer = prodd_slice(f->layer),
			.content = prodd_buffer_slice(&f->content),
		};

		prodd_encode_element(b, count, &wire_record_source_file, &row);
	}
	return b->failed;
}
