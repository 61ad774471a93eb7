/* SPDX-License-Identifier: Apache-2.0 */
/* A line "APP INSTANCE" for each. Bursts of connects cost one write: the next starts when the last is done. */
#define _GNU_SOURCE
#include "daemon/config/returns.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "daemon/util/container.h"
#include "daemon/util/file.h"
#include "daemon/util/log.h"

#define RETURNS_MAX (1024u * 1024)
#define FILE_NAME "instances"

struct returns {
	struct config *config;		/* borrowed */
	struct disk_job job;
	struct prodd_buffer last;	/* what the last prodd wrote */
	struct prodd_buffer content;	/* what the job writes */
	int directory;			/* owned: the run directory */
	bool again;			/* something changed while the job ran */
	bool failed;			/* said once */
	int error;			/* errno of the job */
};

static void run(struct disk_job *job)
{
	struct returns *returns = container_of(job, struct returns, job);
	auto_fd fd = openat(returns->directory, FILE_NAME ".new", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);

	returns->error = 0;
	if (fd < 0 || write(fd, returns->content.at, returns->content.size) != (ssize_t)returns->content.size ||
	    renameat(returns->directory, FILE_NAME ".new", returns->directory, FILE_NAME) < 0)
		returns->error = errno;
}

static void done(struct disk_job *job)
{
	struct returns *returns = container_of(job, struct returns, job);

	if (returns->error && !returns->failed)
		log_warn("%s/%s: %s", returns->config->places->run, FILE_NAME, strerror(returns->error));
	returns->failed = returns->error != 0;
	if (returns->again)
		returns_record(returns->config);
}

int returns_new(struct returns **ret, struct config *config, struct prodd_error *e)
{
	struct returns *returns = calloc(1, sizeof *returns);

	if (!returns)
		return prodd_error_set(e, PRODD_E_NO_MEMORY, "the list of instances");
	returns->config = config;
	returns->last.limit = returns->content.limit = RETURNS_MAX;
	returns->job = (struct disk_job){ .run = run, .done = done };
	returns->directory = open(config->places->run, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (returns->directory < 0) {
		prodd_error_set(e, PRODD_E_IO, "%s: %s", config->places->run, strerror(errno));
		returns_free(returns);
		return -e->code;
	}
	file_read(returns->directory, FILE_NAME, RETURNS_MAX, &returns->last, NULL);
	*ret = returns;
	return 0;
}

struct returns *returns_free(struct returns *returns)
{
	if (!returns)
		return NULL;
	file_close(&returns->directory);
	prodd_buffer_clear(&returns->last);
	prodd_buffer_clear(&returns->content);
	free(returns);
	return NULL;
}

/* The next line from *at on; false at the end. */
static bool next_line(const struct prodd_buffer *b, size_t *at, struct prodd_slice *ret)
{
	const char *end;

	if (*at >= b->size)
		return false;
	end = memchr(b->at + *at, '\n', b->size - *at);
	*ret = (struct prodd_slice){ b->at + *at, end ? (size_t)(end - b->at) - *at : b->size - *at };
	*at += ret->size + 1;
	return true;
}

static bool is_line_of(struct prodd_slice line, const char *app)
{
	size_t length = strlen(app);

	return line.size > length && memcmp(line.at, app, length) == 0 && line.at[length] == ' ';
}

unsigned returns_count(const struct returns *returns, const char *app)
{
	struct prodd_slice line;
	unsigned count = 0;

	for (size_t at = 0; next_line(&returns->last, &at, &line);)
		count += is_line_of(line, app);
	return count;
}

bool returns_expected(struct returns *returns, const char *app, const char *instance)
{
	size_t length = strlen(app) + 1;
	struct prodd_slice line;

	for (size_t at = 0; next_line(&returns->last, &at, &line);) {
		struct prodd_slice name = { line.at + length, line.size - length };

		if (!is_line_of(line, app) || !prodd_slice_is(name, instance))
			continue;
		memset((char *)line.at, '-', line.size);	/* no name of an app begins so */
		return true;
	}
	return false;
}

static void write_names(struct returns *returns)
{
	struct instance *instance;
	struct app *app;

	prodd_buffer_reset(&returns->content);
	for (app = returns->config->apps; app; app = app->hh.next) {
		if (!app->served)
			continue;
		TAILQ_FOREACH(instance, &app->instances, in_app) {
			if (!instance->subscribed && !instance->waiting)
				continue;
			prodd_buffer_append(&returns->content, app->name, strlen(app->name));
			prodd_buffer_append(&returns->content, " ", 1);
			prodd_buffer_append(&returns->content, instance->name, strlen(instance->name));
			prodd_buffer_append(&returns->content, "\n", 1);
		}
	}
}

void returns_record(struct config *config)
{
	struct returns *returns = config->returns;

	if (config->ending)
		return;
	returns->again = returns->job.queued;
	if (returns->again)
		return;
	write_names(returns);
	disk_submit(config->disk, &returns->job);
}
