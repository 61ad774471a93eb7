/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A compressed file says it in its note (tidy.c).  While this looks, a file may
 * be compressed under its hands: then it looks again.
 */
#include "daemon/ship/last.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/ship/rotated.h"
#include "daemon/util/file.h"

enum { looks = 5 };

static void from_note(const char *note, uint64_t last, struct tail *ret)
{
	char time[DIGITS_TIME + 1];
	uint64_t number;

	if (sscanf(note, "prodd seq=%" SCNu64 " time=%30s", &number, time) != 2)
		return;
	ret->number = number;
	if (number <= last) {
		ret->check = number;
		memcpy(ret->check_time, time, sizeof ret->check_time);
	}
}

static int read_one(int directory, const struct rotated *one, enum line_format format, uint64_t last,
		    struct tail *ret, struct prodd_error *e)
{
	auto_fd fd = openat(directory, one->name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	struct tail_wish wish = { format, UINT64_MAX, last, false };
	char note[COMPRESSOR_NOTE_MAX];
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return prodd_error_set(e, errno == ENOENT ? PRODD_E_NOT_FOUND : PRODD_E_IO, "open %s: %s",
				       one->name, strerror(errno));
	if (!one->compressor)
		/* All of it was synced before it was rotated. */
		return tail_read(fd, (uint64_t)st.st_size, &wish, ret, e);
	if (one->compressor->note(fd, note))
		from_note(note, last, ret);
	return 0;
}

/* -PRODD_E_NOT_FOUND: it went away meanwhile. */
static int look(int directory, const char *file, enum line_format format, uint64_t last, struct tail *ret,
		struct prodd_error *e)
{
	struct rotated *all = NULL;
	unsigned count = 0;
	int r = rotated_list(directory, file, &all, &count, e);

	while (count > 0 && all[count - 1].unfinished)
		count--;
	if (r == 0 && count > 0)
		r = read_one(directory, &all[count - 1], format, last, ret, e);
	free(all);
	return r;
}

int last_rotated(int directory, const char *file, enum line_format format, uint64_t last, struct tail *ret,
		 struct prodd_error *e)
{
	int r = 0;

	for (int i = 0; i < looks; i++) {
		*ret = (struct tail){ 0 };
		r = look(directory, file, format, last, ret, e);
		if (r != -PRODD_E_NOT_FOUND)
			return r;
	}
	return prodd_error_set(e, PRODD_E_IO, "%s: its rotated files do not stand still", file);
}
