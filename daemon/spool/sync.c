/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Durability.  A sync that failed is not tried again on the same file: what was
 * not durable is written into a new segment that supersedes, and only a sync of
 * that one counts.  The directory is synced before the first record of a new
 * segment counts as durable.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "daemon/spool/writer_parts.h"
#include "daemon/util/file.h"

/* Memory that a quiet app keeps. */
enum { kept_capacity = 64 * 1024 };

static int failed(struct spool_writer *w, const char *what, struct prodd_error *e)
{
	w->counts.failed_syncs++;
	w->distrusted = true;
	return prodd_error_set(e, PRODD_E_IO, "spool of %s: %s: %s", w->app, what, strerror(errno));
}

/* Segments that were left without a sync, under SPOOL_NEVER. */
static int sync_earlier(struct spool_writer *w, struct prodd_error *e)
{
	unsigned end = w->segments.count - (w->fd >= 0);

	for (unsigned i = 0; i < end; i++) {
		const struct spool_segment *segment = &w->segments.at[i];
		auto_fd fd = -1;

		if (segment->state != SPOOL_GOOD || segment->head.id < w->unsynced_id)
			continue;
		fd = openat(w->directory, segment->name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
		if (fd < 0 || fdatasync(fd) < 0)
			return failed(w, "sync an earlier segment", e);
	}
	return 0;
}

static int sync_files(struct spool_writer *w, struct prodd_error *e)
{
	if (w->unsynced > w->kept.size && sync_earlier(w, e) < 0)
		return -PRODD_E_IO;
	if (w->fd >= 0 && fdatasync(w->fd) < 0)
		return failed(w, "sync", e);
	if (w->entry_unsynced && fsync(w->directory) < 0)
		return failed(w, "sync its directory", e);
	return 0;
}

static void all_is_durable(struct spool_writer *w)
{
	if (w->kept.capacity > kept_capacity)
		prodd_buffer_clear(&w->kept);
	prodd_buffer_reset(&w->kept);
	w->unsynced = 0;
	w->entry_unsynced = w->distrusted = false;
	w->counts.synced = w->follows - 1;
}

/* The segment before, when it had nothing but what is in this one again: without this, a disk that fails to
 * sync for long would fill with copies. The first one stays: its bytes may be the only durable ones. */
static void remove_copy(struct spool_writer *w)
{
	unsigned i = w->segments.count - 2;
	struct spool_segment *copy = &w->segments.at[i];

	if (w->segments.count < 2 || copy->head.supersedes == 0 || copy->head.first < w->kept_from ||
	    unlinkat(w->directory, copy->name, 0) < 0)
		return;
	room_resized(w, copy, 0);
	w->segments.at[i] = w->segments.at[i + 1];
	w->segments.count--;
}

static int write_anew(struct spool_writer *w, struct prodd_error *e)
{
	int r;

	if (w->unsynced == 0) {		/* only its name, or its head */
		w->unsynced_id = writer_current(w)->head.id;
		w->kept_from = w->next;
	}
	r = segment_begin(w, w->unsynced_id, w->kept_from, e);
	if (r == 0)
		remove_copy(w);
	return r;
}

int spool_writer_sync(struct spool_writer *w, struct prodd_error *e)
{
	int r;

	if (w->unsynced == 0 && !w->entry_unsynced)
		return 0;
	if (!w->distrusted && sync_files(w, e) == 0) {
		all_is_durable(w);
		return 0;
	}
	if (w->unsynced != w->kept.size)
		return prodd_error_set(e, PRODD_E_IO,
				       "spool of %s: a sync has failed, records may not be durable", w->app);
	r = write_anew(w, e);
	if (r == 0)
		r = sync_files(w, e);
	if (r == 0)
		all_is_durable(w);
	return r;
}

int sync_before_leaving(struct spool_writer *w, struct prodd_error *e)
{
	if (w->total->policy != SPOOL_NEVER)
		return spool_writer_sync(w, e);
	prodd_buffer_reset(&w->kept);	/* of times of another policy; what is kept is of one segment */
	return 0;
}

uint64_t spool_writer_unsynced(const struct spool_writer *w)
{
	return w->unsynced;
}
