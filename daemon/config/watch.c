/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One inotify descriptor for all apps.  An event marks the apps to which its
 * directory and name matter; when an app has been quiet, the way to its files
 * is surveyed anew (watches first, then the look, so that nothing falls in
 * between) and its files are looked at.
 */
#define _GNU_SOURCE
#include "daemon/config/watch.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "daemon/config/survey.h"
#include "daemon/core/counters.h"
#include "daemon/layers/layers.h"
#include "daemon/util/clock.h"
#include "daemon/util/container.h"
#include "daemon/util/log.h"

#define WRITERS_MAX 64			/* files of one app that are open for writing at a time; more: by quiet alone */
#define READS_PER_TURN 16		/* 64 KiB of events each */

struct writer {
	int wd;
	char name[256];
	uint64_t since_ms;
};

struct watch {
	struct watcher *watcher;	/* borrowed */
	struct app *app;		/* borrowed */
	struct survey survey;		/* what is watched */
	struct survey found;		/* by the job */
	struct loop_timer quiet;
	struct disk_job job;
	struct layers_where where[17];	/* the active environments, and their fingerprints */
	char environments[17][STORE_NAME_MAX];
	char prints[17][LAYERS_HASH_SIZE];
	unsigned environment_count;
	char print[17 * LAYERS_HASH_SIZE];	/* of the last look */
	struct writer writers[WRITERS_MAX];
	unsigned writer_count;
	bool changed;			/* the job was caused by an event: look in any case */
	bool again;			/* events came while the job ran */
	LIST_ENTRY(watch) link;
};

struct watcher {
	struct config *config;		/* borrowed */
	int fd;				/* owned: inotify */
	struct event *event;		/* owned */
	struct loop_timer rescan;
	LIST_HEAD(, watch) watches;
};

/* ---- surveying, and the fingerprint */

static void survey_job(struct disk_job *job)
{
	struct watch *watch = container_of(job, struct watch, job);

	survey_run(&watch->found, watch->watcher->fd, watch->app->directory);
	for (unsigned i = 0; i < watch->environment_count; i++)
		if (layers_stat(&watch->where[i], watch->prints[i], NULL) < 0)
			watch->prints[i][0] = '\0';
}

/* A directory that no app needs any more is not watched any more. */
static void drop_unused(struct watcher *watcher, const struct survey *old)
{
	struct watch *watch;
	bool used;

	for (unsigned i = 0; i < old->count; i++) {
		used = false;
		LIST_FOREACH(watch, &watcher->watches, link)
			used = used || survey_has(&watch->survey, old->points[i].wd, "") ||
			       watch->job.queued;
		if (!used)
			inotify_rm_watch(watcher->fd, old->points[i].wd);
	}
}

static bool print_is_new(struct watch *watch)
{
	char print[sizeof watch->print] = "";

	for (unsigned i = 0; i < watch->environment_count; i++)
		strcat(print, watch->prints[i]);
	if (strcmp(print, watch->print) == 0)
		return false;
	memcpy(watch->print, print, sizeof print);
	return true;
}

static void start_survey(struct watch *watch);

static void survey_done(struct disk_job *job)
{
	struct watch *watch = container_of(job, struct watch, job);
	struct survey old = watch->survey;
	bool changed = print_is_new(watch) || watch->changed;

	watch->survey = watch->found;
	watch->found = (struct survey){ 0 };
	watch->changed = false;
	drop_unused(watch->watcher, &old);
	survey_clear(&old);
	if (watch->again) {
		watch->again = false;
		loop_timer_arm(&watch->quiet, WATCH_QUIET_MS);
	} else if (changed && watch->writer_count == 0) {
		config_look(watch->watcher->config, watch->app, "files changed");
	}
}

static void start_survey(struct watch *watch)
{
	struct scope *scope;

	if (watch->job.queued) {
		watch->again = true;
		return;
	}
	watch->environment_count = 0;
	LIST_FOREACH(scope, &watch->app->scopes, link) {
		unsigned i = watch->environment_count;

		if (!scope_is_active(scope) || i >= sizeof watch->where / sizeof *watch->where)
			continue;
		memcpy(watch->environments[i], scope->row->environment, STORE_NAME_MAX);
		watch->where[i] = (struct layers_where){ .directory = watch->app->directory,
							 .environment = watch->environments[i] };
		watch->environment_count++;
	}
	watch->job = (struct disk_job){ .run = survey_job, .done = survey_done };
	disk_submit(watch->watcher->config->disk, &watch->job);
}

/* Quiet, but somebody has not closed a file: its last close counts as an event. */
static void quiet_fired(struct loop_timer *timer)
{
	struct watch *watch = container_of(timer, struct watch, quiet);

	watch->changed = true;
	if (watch->writer_count == 0)
		start_survey(watch);
}

/* ---- writers */

static struct writer *find_writer(struct watch *watch, int wd, const char *name)
{
	for (unsigned i = 0; i < watch->writer_count; i++)
		if (watch->writers[i].wd == wd && strcmp(watch->writers[i].name, name) == 0)
			return &watch->writers[i];
	return NULL;
}

static void add_writer(struct watch *watch, int wd, const char *name)
{
	struct writer *writer;

	if (find_writer(watch, wd, name) || watch->writer_count == WRITERS_MAX)
		return;
	writer = &watch->writers[watch->writer_count++];
	writer->wd = wd;
	writer->since_ms = clock_monotonic_ms();
	snprintf(writer->name, sizeof writer->name, "%s", name);
}

static void remove_writer(struct watch *watch, struct writer *writer)
{
	if (writer)
		*writer = watch->writers[--watch->writer_count];
}

const char *watch_open_writer(const struct app *app, uint64_t *ret_since_ms)
{
	const struct watch *watch = app->watch;
	uint64_t now = clock_monotonic_ms();

	for (unsigned i = 0; watch && i < watch->writer_count; i++)
		if (now - watch->writers[i].since_ms >= WATCH_WRITER_MS) {
			*ret_since_ms = watch->writers[i].since_ms;
			return watch->writers[i].name;
		}
	return NULL;
}

/* ---- events */

static void event_for(struct watch *watch, const struct inotify_event *event, const char *name)
{
	if (event->mask & IN_MODIFY)
		add_writer(watch, event->wd, name);
	if (event->mask & (IN_CLOSE_WRITE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_CREATE))
		remove_writer(watch, find_writer(watch, event->wd, name));
	if (event->mask & (IN_IGNORED | IN_DELETE_SELF | IN_MOVE_SELF))
		watch->writer_count = 0;
	loop_timer_arm(&watch->quiet, WATCH_QUIET_MS);
}

static void overflow(struct watcher *watcher)
{
	struct watch *watch;

	counters.watch_overflows++;
	LIST_FOREACH(watch, &watcher->watches, link) {
		watch->writer_count = 0;
		loop_timer_arm(&watch->quiet, WATCH_QUIET_MS);
	}
}

static void dispatch(struct watcher *watcher, const struct inotify_event *event)
{
	const char *name = event->len ? event->name : "";
	struct watch *watch;

	if (event->mask & IN_Q_OVERFLOW) {
		overflow(watcher);
		return;
	}
	LIST_FOREACH(watch, &watcher->watches, link) {
		if (survey_has(&watch->survey, event->wd, name))
			event_for(watch, event, name);
		if (watch->job.queued)
			watch->again = true;	/* it may be about a directory that the survey has just added */
	}
}

static void readable(evutil_socket_t fd, short what, void *arg)
{
	struct watcher *watcher = arg;
	_Alignas(struct inotify_event) char bytes[65536];
	ssize_t size;

	(void)what;
	for (int i = 0; i < READS_PER_TURN && (size = read(fd, bytes, sizeof bytes)) > 0; i++) {
		for (char *at = bytes; at < bytes + size;) {
			const struct inotify_event *event = (const struct inotify_event *)(void *)at;

			dispatch(watcher, event);
			at += sizeof *event + event->len;
		}
	}
}

/* ---- the net */

static void rescan_fired(struct loop_timer *timer)
{
	struct watcher *watcher = container_of(timer, struct watcher, rescan);
	struct watch *watch;

	LIST_FOREACH(watch, &watcher->watches, link) {
		counters.rescans++;
		if (!loop_timer_armed(&watch->quiet))
			start_survey(watch);
	}
	loop_timer_arm(&watcher->rescan, WATCH_RESCAN_MS);
}

/* ---- lifecycle */

int watcher_new(struct watcher **ret, struct config *config, struct prodd_error *e)
{
	struct watcher *watcher = calloc(1, sizeof *watcher);

	if (!watcher)
		return prodd_error_set(e, PRODD_E_NO_MEMORY, "the watch");
	watcher->config = config;
	LIST_INIT(&watcher->watches);
	watcher->fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	if (watcher->fd < 0) {
		prodd_error_set(e, PRODD_E_IO, "inotify: %s; to run without: watch = \"manual\"", strerror(errno));
		watcher_free(watcher);
		return -e->code;
	}
	watcher->event = event_new(config->loop->base, watcher->fd, EV_READ | EV_PERSIST, readable, watcher);
	if (!watcher->event || event_add(watcher->event, NULL) < 0 ||
	    loop_timer_init(&watcher->rescan, config->loop, rescan_fired, e) < 0) {
		watcher_free(watcher);
		return prodd_error_set(e, PRODD_E_NO_MEMORY, "the watch");
	}
	loop_timer_arm(&watcher->rescan, WATCH_RESCAN_MS);
	*ret = watcher;
	return 0;
}

void watch_free(struct watch *watch)
{
	if (!watch)
		return;
	LIST_REMOVE(watch, link);
	watch->app->watch = NULL;
	loop_timer_clear(&watch->quiet);
	survey_clear(&watch->survey);
	survey_clear(&watch->found);
	free(watch);
}

struct watcher *watcher_free(struct watcher *watcher)
{
	struct watch *watch;

	if (!watcher)
		return NULL;
	while ((watch = LIST_FIRST(&watcher->watches)))
		watch_free(watch);
	loop_timer_clear(&watcher->rescan);
	if (watcher->event)
		event_free(watcher->event);
	if (watcher->fd >= 0)
		close(watcher->fd);
	free(watcher);
	return NULL;
}

void watch_app(struct config *config, struct app *app)
{
	struct watch *watch;
	struct prodd_error e;

	if (!config->watcher || app->watch)
		return;
	watch = calloc(1, sizeof *watch);
	if (!watch || loop_timer_init(&watch->quiet, config->loop, quiet_fired, &e) < 0) {
		log_error("%s: no memory to watch its files", app->name);
		free(watch);
		return;
	}
	watch->watcher = config->watcher;
	watch->app = app;
	LIST_INSERT_HEAD(&config->watcher->watches, watch, link);
	app->watch = watch;
	start_survey(watch);
}
