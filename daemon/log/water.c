/* SPDX-License-Identifier: Apache-2.0 */
/* The high-water rows of rings in a spool: their end. */
#include <stdlib.h>
#include <string.h>

#include "daemon/log/logs.h"
#include "daemon/util/container.h"

struct forgetting {
	struct stream_work work;
	uint8_t ring[16];
	uid_t uid;
};

static void forget_run(struct disk_job *job)
{
	struct forgetting *f = container_of(job, struct forgetting, work.job);
	struct spool_writer *writer = stream_work_begin(&f->work);

	if (writer)
		spool_writer_forget(writer, f->ring, f->uid);
	stream_work_end(&f->work);
}

static void forget_done(struct disk_job *job)
{
	struct forgetting *f = container_of(job, struct forgetting, work.job);

	stream_work_done(&f->work);
	free(f);
}

/* Without memory its row stays in the table until the spool is empty. */
void stream_forget(struct stream *stream, const uint8_t ring[16], uid_t uid)
{
	struct forgetting *f = calloc(1, sizeof *f);

	if (!f)
		return;
	f->work = (struct stream_work){ .job = { .run = forget_run, .done = forget_done }, .stream = stream };
	memcpy(f->ring, ring, sizeof f->ring);
	f->uid = uid;
	disk_submit(stream->logs->disk, &f->work.job);
}
