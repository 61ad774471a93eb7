/* SPDX-License-Identifier: Apache-2.0 */
/* At the end of a handle: the rings are read here as the daemon would read them, and emptied into the file. */
#define _GNU_SOURCE
#include <dirent.h>
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "client/rest_file.h"
#include "client/ring_out.h"

struct saving {
	struct prodd_buffer file;
	uint64_t records;	/* in the file */
	uint64_t lost;		/* that did not fit */
	uint64_t dropped;	/* by the producers, earlier */
};

static void add_record(struct saving *saving, struct prodd_slice bytes)
{
	struct rest_record head = { htobe32((uint32_t)bytes.size), 0, htobe64(rest_checksum(bytes)) };
	size_t before = saving->file.size;

	if (bytes.size <= PRODD_PUSH_BYTES) {
		prodd_buffer_append(&saving->file, &head, sizeof head);
		prodd_buffer_append(&saving->file, bytes.at, bytes.size);
	}
	if (saving->file.failed || bytes.size > PRODD_PUSH_BYTES) {
		saving->file.size = before;
		saving->file.failed = 0;
		saving->lost++;
	} else {
		saving->records++;
	}
}

/* From what was released: a batch under way is not the daemon's before it is answered. Unpublished slots are of
 * threads that log at this moment, and will not be heard. */
static void add_ring(struct saving *saving, struct prodd_ring_out *out)
{
	const uint32_t most = RING_RECORD_MAX(out->ring.capacity);
	unsigned char *copy = malloc(most);
	uint64_t end, skipped = 0;
	uint32_t length;

	out->reading.at = out->own.released;
	while (copy && ring_next(&out->own, &out->reading, copy, most, &length, &end, true, &skipped) ==
			       RING_FOUND_RECORD)
		add_record(saving, (struct prodd_slice){ (const char *)copy, length });
	free(copy);
	for (unsigned i = 0; i < RING_DROP_REASONS; i++)
		saving->dropped += atomic_exchange(&out->ring.head->dropped[i], 0);
	ring_release(&out->own, out->reading.at);
}

static unsigned count_files(const char *directory, const char *app)
{
	DIR *opened = opendir(directory);
	const struct dirent *entry;
	unsigned count = 0;

	if (!opened)
		return 0;
	while ((entry = readdir(opened)))
		count += rest_is_name(entry->d_name, app);
	closedir(opened);
	return count;
}

static bool is_allowed(size_t size)
{
	struct rlimit limit;

	return getrlimit(RLIMIT_FSIZE, &limit) < 0 || limit.rlim_cur == RLIM_INFINITY || size <= limit.rlim_cur;
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

/* "DIRECTORY/APP.part-XXXXXX" becomes "DIRECTORY/APP.rest-XXXXXX" when it is whole. NULL, or why not. */
static const char *write_file(struct prodd_slice bytes, const char *directory, const char *app)
{
	char *part, *name;
	const char *why = NULL;
	int fd;

	if (!directory)
		return "there is no cache directory";
	if (!is_allowed(bytes.size))
		return "it is over RLIMIT_FSIZE";
	mkdir(directory, 0700);
	if (count_files(directory, app) >= PRODD_REST_FILES_MAX)
		return "there are too many such files";
	if (asprintf(&part, "%s/%s.part-XXXXXX", directory, app) < 0)
		return "no memory";
	name = NULL;
	fd = mkostemp(part, O_CLOEXEC);
	if (fd < 0 || write_whole(fd, bytes) < 0 || !(name = strdup(part)))
		why = strerror(errno);
	if (!why) {
		memcpy(name + strlen(name) - strlen("part-XXXXXX"), "rest", 4);
		why = rename(part, name) < 0 ? strerror(errno) : NULL;
	}
	if (fd >= 0 && why)
		unlink(part);
	if (fd >= 0)
		close(fd);
	free(name);
	free(part);
	return why;
}

static void write_head(struct saving *saving)
{
	struct rest_head head = { htobe64(REST_MAGIC), htobe32(REST_VERSION), 0,
				  htobe64(saving->lost + saving->dropped), htobe64(sizeof head) };

	memcpy(saving->file.at, &head, sizeof head);
}

void prodd_rest_save(struct prodd_rings *rings, const char *directory, const char *app, struct prodd_messages *messages)
{
	struct saving saving = { .file.limit = PRODD_REST_BYTES_MAX };
	const char *why;

	if (!prodd_buffer_extend(&saving.file, sizeof(struct rest_head)))
		return;
	for (unsigned i = 0; i < rings->count; i++)
		if (atomic_load(&rings->rings[i].reader) != PRODD_READ_BY_DAEMON && prodd_ring_read_here(&rings->rings[i]))
			add_ring(&saving, &rings->rings[i]);
	if (saving.records + saving.lost + saving.dropped > 0) {
		write_head(&saving);
		why = write_file(prodd_buffer_slice(&saving.file), directory, app);
		if (why)
			saving.lost += saving.records;
		if (saving.lost > 0)
			prodd_messages_say(messages, LOG_WARNING, "%llu log records could not be kept for the daemon: %s",
					   (unsigned long long)saving.lost, why ? why : "they are too many");
	}
	prodd_buffer_clear(&saving.file);
}
