/* SPDX-License-Identifier: Apache-2.0 */
/* A directory read whole, its heads read, sorted. */
#include "daemon/spool/segments.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/spool/scan.h"

void spool_segment_name(uint64_t id, char name[SPOOL_NAME_SIZE])
{
	snprintf(name, SPOOL_NAME_SIZE, "%016llx.seg", (unsigned long long)id);
}

/* 16 lower-case hex digits and ".seg". 0: no such name. */
static uint64_t id_of(const char *name)
{
	if (strlen(name) != 20 || strspn(name, "0123456789abcdef") != 16 || strcmp(name + 16, ".seg") != 0)
		return 0;
	return strtoull(name, NULL, 16);
}

int spool_segment_order(const struct spool_segment *a, const struct spool_segment *b)
{
	bool own_a = id_of(a->name) == a->head.id, own_b = id_of(b->name) == b->head.id;

	if (a->head.id != b->head.id)
		return a->head.id < b->head.id ? -1 : 1;
	return own_a != own_b ? own_a - own_b : strcmp(a->name, b->name);
}

static int order(const void *a, const void *b)
{
	return spool_segment_order(a, b);
}

bool spool_segments_reserve(struct spool_segments *list)
{
	unsigned capacity = list->capacity ? list->capacity * 2 : 16;
	struct spool_segment *at;

	if (list->count < list->capacity)
		return true;
	at = realloc(list->at, capacity * sizeof *at);
	if (!at)
		return false;
	list->at = at;
	list->capacity = capacity;
	return true;
}

void spool_segments_clear(struct spool_segments *list)
{
	free(list->at);
	*list = (struct spool_segments){ 0 };
}

static const struct spool_segment *known(const struct spool_segments *list, const char *name)
{
	for (unsigned i = 0; i < list->count; i++)
		if (list->at[i].state == SPOOL_GOOD && strcmp(list->at[i].name, name) == 0)
			return &list->at[i];
	return NULL;
}

/* 1: *ret is filled; 0: the file is gone, or no writer can have made it: one with a name like that would
 * stand behind all that are to come. */
static int describe(int directory, const char *name, struct spool_segment *ret, struct prodd_error *e)
{
	struct spool_scan scan;
	int r;

	*ret = (struct spool_segment){ .state = SPOOL_GOOD };
	memcpy(ret->name, name, strlen(name) + 1);	/* id_of() has measured it */
	r = spool_scan_open(&scan, directory, name, e);
	if (r == -PRODD_E_NOT_FOUND)
		return 0;
	if (r == -PRODD_E_NO_MEMORY || r == -PRODD_E_IO)
		return r;
	ret->head.id = id_of(name);
	if (r < 0)
		ret->state = r == -PRODD_E_UNSUPPORTED ? SPOOL_NEWER : SPOOL_DAMAGED;
	else
		ret->head = scan.head;
	spool_scan_clear(&scan);
	return ret->state == SPOOL_GOOD || ret->head.id <= SPOOL_NUMBER_MAX / 2;
}

static int add(struct spool_segments *list, const struct spool_segments *before, int directory,
	       const char *name, struct prodd_error *e)
{
	const struct spool_segment *old = known(before, name);
	struct stat st;
	int r = 1;

	if (list->count >= SPOOL_SEGMENTS_MAX)
		return prodd_error_set(e, PRODD_E_TOO_LARGE, "over %u segments", SPOOL_SEGMENTS_MAX);
	if (!spool_segments_reserve(list))
		return prodd_error_set(e, PRODD_E_NO_MEMORY, "list of segments");
	if (fstatat(directory, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0
				       : prodd_error_set(e, PRODD_E_IO, "stat %s: %s", name, strerror(errno));
	if (old)
		list->at[list->count] = *old;
	else
		r = describe(directory, name, &list->at[list->count], e);
	list->at[list->count].size = (uint64_t)st.st_size;
	if (r > 0)
		list->count++;
	return r < 0 ? r : 0;
}

static int read_names(struct spool_segments *list, const struct spool_segments *before, DIR *stream,
		      int directory, struct prodd_error *e)
{
	struct dirent *entry;
	int r = 0;

	while (r == 0 && (errno = 0, entry = readdir(stream)))
		if (id_of(entry->d_name) > 0)
			r = add(list, before, directory, entry->d_name, e);
	if (r == 0 && errno)
		r = prodd_error_set(e, PRODD_E_IO, "read directory: %s", strerror(errno));
	return r;
}

/* What each one's successors say about it. */
static void set_limits(struct spool_segments *list)
{
	for (unsigned i = 0; i < list->count; i++)
		list->at[i].limit = UINT64_MAX;
	for (unsigned i = 0; i < list->count; i++) {
		const struct spool_head *head = &list->at[i].head;

		if (list->at[i].state != SPOOL_GOOD || head->supersedes == 0)
			continue;
		for (unsigned j = i; j-- > 0 && list->at[j].head.id >= head->supersedes;)
			if (list->at[j].head.id < head->id && head->from < list->at[j].limit)
				list->at[j].limit = head->from;
	}
}

int spool_segments_read(struct spool_segments *list, int directory, struct prodd_error *e)
{
	int fd = openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *stream = fd < 0 ? NULL : fdopendir(fd);
	struct spool_segments found = { 0 };
	int r;

	if (!stream) {
		r = prodd_error_set(e, PRODD_E_IO, "open directory: %s", strerror(errno));
		if (fd >= 0)
			close(fd);
		return r;
	}
	r = read_names(&found, list, stream, directory, e);
	closedir(stream);
	if (r < 0) {
		spool_segments_clear(&found);
		return r;
	}
	if (found.count > 1)
		qsort(found.at, found.count, sizeof *found.at, order);
	set_limits(&found);
	spool_segments_clear(list);
	*list = found;
	return 0;
}
