/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two queues and one lock.  Jobs go from `submitted` to the thread and come
 * back in `finished`; an eventfd wakes the loop.  Nothing is allocated after
 * the start, so that submitting cannot fail.
 */
#include "daemon/core/disk.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "daemon/util/file.h"

STAILQ_HEAD(job_list, disk_job);

struct disk {
	struct loop *loop;		/* borrowed */
	struct event *wake;		/* owned */
	int wake_fd;			/* owned */
	unsigned outstanding;		/* jobs whose done() has not been called */
	pthread_t thread;
	bool running;			/* the thread was started */
	pthread_mutex_t lock;		/* of all below */
	pthread_cond_t changed;
	struct job_list submitted;
	struct job_list finished;
	bool ending;
};

/* ---- the disk thread */

static struct disk_job *next_job(struct disk *disk)
{
	struct disk_job *job;

	pthread_mutex_lock(&disk->lock);
	while (STAILQ_EMPTY(&disk->submitted) && !disk->ending)
		pthread_cond_wait(&disk->changed, &disk->lock);
	job = STAILQ_FIRST(&disk->submitted);
	if (job)
		STAILQ_REMOVE_HEAD(&disk->submitted, link);
	pthread_mutex_unlock(&disk->lock);
	return job;
}

static void wake_loop(struct disk *disk)
{
	uint64_t one = 1;

	/* Only a full counter could fail it, and then the loop is awake. */
	while (write(disk->wake_fd, &one, sizeof one) < 0 && errno == EINTR)
		;
}

static void *disk_main(void *arg)
{
	struct disk *disk = arg;
	struct disk_job *job;

	while ((job = next_job(disk))) {
		bool first;

		job->run(job);
		pthread_mutex_lock(&disk->lock);
		first = STAILQ_EMPTY(&disk->finished);
		STAILQ_INSERT_TAIL(&disk->finished, job, link);
		pthread_mutex_unlock(&disk->lock);
		if (first)
			wake_loop(disk);
	}
	return NULL;
}

/* Signals are the loop's. */
static int start_thread(struct disk *disk)
{
	sigset_t all, old;
	int r;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	r = pthread_create(&disk->thread, NULL, disk_main, disk);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	disk->running = r == 0;
	return r;
}

/* ---- the loop */

/* A job's done() may free it, submit it again, or submit others. */
static void take_finished(struct disk *disk)
{
	struct job_list finished = STAILQ_HEAD_INITIALIZER(finished);
	struct disk_job *job;
	uint64_t count;

	if (read(disk->wake_fd, &count, sizeof count) < 0)
		return;		/* woken for nothing */
	pthread_mutex_lock(&disk->lock);
	STAILQ_CONCAT(&finished, &disk->finished);
	pthread_mutex_unlock(&disk->lock);
	while ((job = STAILQ_FIRST(&finished))) {
		STAILQ_REMOVE_HEAD(&finished, link);
		disk->outstanding--;
		job->queued = false;
		job->done(job);
	}
}

static void woken(evutil_socket_t fd, short what, void *arg)
{
	struct disk *disk = arg;

	(void)fd;
	(void)what;
	loop_enter(disk->loop);
	take_finished(disk);
}

void disk_finish(struct disk *disk)
{
	struct pollfd wake = { .fd = disk ? disk->wake_fd : -1, .events = POLLIN };

	while (disk && disk->outstanding > 0)
		if (poll(&wake, 1, -1) > 0)
			take_finished(disk);
}

static int start(struct disk *disk, struct prodd_error *e)
{
	int r;

	disk->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (disk->wake_fd < 0)
		return prodd_error_set(e, PRODD_E_IO, "disk thread: eventfd: %s", strerror(errno));
	disk->wake = event_new(disk->loop->base, disk->wake_fd, EV_READ | EV_PERSIST, woken, disk);
	if (!disk->wake || event_add(disk->wake, NULL) < 0)
		return prodd_error_set(e, PRODD_E_NO_MEMORY, "disk thread");
	r = start_thread(disk);
	return r ? prodd_error_set(e, PRODD_E_FAILED, "disk thread: %s", strerror(r)) : 0;
}

int disk_new(struct disk **ret, struct loop *loop, struct prodd_error *e)
{
	struct disk *disk = calloc(1, sizeof *disk);
	int r;

	if (!disk)
		return prodd_error_set(e, PRODD_E_NO_MEMORY, "disk thread");
	disk->loop = loop;
	STAILQ_INIT(&disk->submitted);
	STAILQ_INIT(&disk->finished);
	pthread_mutex_init(&disk->lock, NULL);
	pthread_cond_init(&disk->changed, NULL);
	r = start(disk, e);
	if (r < 0)
		disk_free(disk);
	else
		*ret = disk;
	return r;
}

struct disk *disk_free(struct disk *disk)
{
	if (!disk)
		return NULL;
	if (disk->running) {
		pthread_mutex_lock(&disk->lock);
		disk->ending = true;
		pthread_cond_signal(&disk->changed);
		pthread_mutex_unlock(&disk->lock);
		pthread_join(disk->thread, NULL);
	}
	if (disk->wake)
		event_free(disk->wake);
	file_close(&disk->wake_fd);
	pthread_cond_destroy(&disk->changed);
	pthread_mutex_destroy(&disk->lock);
	free(disk);
	return NULL;
}

void disk_submit(struct disk *disk, struct disk_job *job)
{
	job->queued = true;
	disk->outstanding++;
	pthread_mutex_lock(&disk->lock);
	STAILQ_INSERT_TAIL(&disk->submitted, job, link);
	pthread_cond_signal(&disk->changed);
	pthread_mutex_unlock(&disk->lock);
}
