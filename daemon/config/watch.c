/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One inotify descriptor for all apps.  An event marks the apps to which its
 * directory and name matter; when an app has been quiet, the way to its files
 * is surveyed anew (watches first, then the look, so that nothing falls in
 * between) and its files are looked at.  A name that appears is surveyed at
 * once: what is behind it may be written to before all is quiet.
 *
 * The kernel queues an event before the system call that causes it returns.
 * So a file that was open, or was written to, while it was read is known when
 * the queue has been emptied after the reading.
 */
#define _GNU_SOURCE
#include "daemon/config/watch.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "daemon/config/survey.h"
#include "daemon/config/writers.h"
#include "daemon/core/counters.h"
#include "daemon/layers/layers.h"
#include "daemon/util/clock.h"
#include "daemon/util/container.h"
#include "daemon/util/log.h"

#define ENVIRONMENTS_MAX 17		/* of an app: the default one, and those that its instances bring */
#define READ_SIZE 16384			/* some 500 events, a millisecond's work */
#define READS_BETWEEN 4			/* when a look wants to know what has happened just now */
#define SIGHTINGS_MAX 64

/* An event that came while a survey ran: it may be about a directory that the survey has just added. */
struct sighting {
	int wd;
	char name[256];
};

struct watch {
	struct watcher *watcher;	/* borrowed */
	struct app *app;		/* borrowed */
	struct survey survey;		/* what is watched */
	struct survey found;		/* by the job */
	struct loop_timer quiet;
	struct disk_job job;
	struct layers_where where[ENVIRONMENTS_MAX];	/* the active environments, and their fingerprints */
	char environments[ENVIRONMENTS_MAX][STORE_NAME_MAX];
	char prints[ENVIRONMENTS_MAX][LAYERS_HASH_SIZE];
	unsigned environment_count;
	char print[ENVIRONMENTS_MAX * LAYERS_HASH_SIZE];	/* of the last look; "": look in any case */
	struct writers writers;
	struct sighting *sightings;	/* owned */
	unsigned sighting_count;
	bool stirred;			/* something happened since watch_begin_read() */
	bool due;			/* to be looked at when the survey has ended */
	bool again;			/* to be surveyed once more then */
	LIST_ENTRY(watch) link;
};

struct watcher {
	struct config *config;		/* borrowed */
	int fd;				/* owned: inotify */
	struct event *event;		/* owned */
	struct loop_timer rescan;
	int *left;			/* owned: watches of directories that some app has left */
	unsigned left_count;
	LIST_HEAD(, watch) watches;
};

/* ---- directories that are left */

static void leave(struct watcher *watcher, const struct survey *old)
{
	int *left = reallocarray(watcher->left, watcher->left_count + old->count + 1, sizeof *left);

	if (!left)
		return;		/* they stay watched, and their events go to nobody */
	watcher->left = left;
	for (unsigned i = 0; i < old->count; i++)
		left[watcher->left_count++] = old->points[i].wd;
}

static bool is_surveying(const struct watcher *watcher)
{
	const struct watch *watch;

	LIST_FOREACH(watch, &watcher->watches, link)
		if (watch->job.queued)
			return true;
	return false;
}

/* What no app needs any more is not watched any more. Not while a survey may be adding it. */
static void drop_left(struct watcher *watcher)
{
	const struct watch *watch;
	bool used;

	if (is_surveying(watcher))
		return;
	for (unsigned i = 0; i < watcher->left_count; i++) {
		used = false;
		LIST_FOREACH(watch, &watcher->watches, link)
			used = used || survey_has(&watch->survey, watcher->left[i], "");
		if (!used)
			inotify_rm_watch(watcher->fd, watcher->left[i]); /* fails when the kernel was first */
	}
	watcher->left_count = 0;
}

/* ---- surveying, and the fingerprint */

static void survey_job(struct disk_job *job)
{
	struct watch *watch = container_of(job, struct watch, job);

	survey_run(&watch->found, watch->watcher->fd, watch->app->directory);
	for (unsigned i = 0; i < watch->environment_count; i++)
		if (layers_stat(&watch->where[i], watch->prints[i], NULL) < 0)
			watch->prints[i][0] = '\0';
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

static void stir(struct watch *watch)
{
	watch->stirred = true;
	loop_timer_arm(&watch->quiet, WATCH_QUIET_MS);
}

static void weigh_sightings(struct watch *watch)
{
	bool stirring = watch->sighting_count == SIGHTINGS_MAX;

	for (unsigned i = 0; i < watch->sighting_count; i++)
		stirring = stirring ||
			   survey_has(&watch->survey, watch->sightings[i].wd, watch->sightings[i].name);
	free(watch->sightings);
	watch->sightings = NULL;
	watch->sighting_count = 0;
	if (stirring)
		stir(watch);
}

static void adopt(struct watch *watch)
{
	struct survey old = watch->survey;

	watch->survey = watch->found;
	watch->found = (struct survey){ 0 };
	if (!watch->survey.complete && (old.complete || old.count == 0))
		log_warn("%s: not every directory on the way to its files can be watched: %s; changes there "
			 "are seen within %d s",
			 watch->app->name, strerror(watch->survey.error), WATCH_RESCAN_MS / 1000);
	writers_resurvey(&watch->writers, &watch->survey);
	weigh_sightings(watch);
	leave(watch->watcher, &old);
	drop_left(watch->watcher);
	survey_clear(&old);
}

static void start_survey(struct watch *watch);

/* What is stirred again meanwhile, or open for writing, is looked at when the next quiet comes. */
static void survey_done(struct disk_job *job)
{
	struct watch *watch = container_of(job, struct watch, job);
	bool due;

	adopt(watch);
	watch->due = print_is_new(watch) || watch->due;
	if (watch->again) {
		watch->again = false;
		start_survey(watch);
		return;
	}
	due = watch->due && !loop_timer_armed(&watch->quiet) && !writers_eldest(&watch->writers);
	watch->due = false;
	if (due)
		config_look(watch->watcher->config, watch->app, "files changed");
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

		if (!scope_is_active(scope) || i >= ENVIRONMENTS_MAX)
			continue;
		memcpy(watch->environments[i], scope->row->environment, STORE_NAME_MAX);
		watch->where[i] = (struct layers_where){ .directory = watch->app->directory,
							 .environment = watch->environments[i] };
		watch->environment_count++;
	}
	watch->job = (struct disk_job){ .run = survey_job, .done = survey_done };
	disk_submit(watch->watcher->config->disk, &watch->job);
}

static void quiet_fired(struct loop_timer *timer)
{
	struct watch *watch = container_of(timer, struct watch, quiet);

	watch->due = true;
	start_survey(watch);
}

/* ---- events */

static void see(struct watch *watch, int wd, const char *name)
{
	struct sighting *list;

	if (watch->sighting_count == SIGHTINGS_MAX)
		return;
	list = reallocarray(watch->sightings, watch->sighting_count + 1, sizeof *list);
	if (!list) {
		stir(watch);
		return;
	}
	watch->sightings = list;
	list[watch->sighting_count].wd = wd;
	snprintf(list[watch->sighting_count].name, sizeof list->name, "%s", name);
	watch->sighting_count++;
}

static void event_for(struct watch *watch, const struct inotify_event *event, const char *name)
{
	bool matters = survey_has(&watch->survey, event->wd, name);

	if (matters || survey_has(&watch->survey, event->wd, ""))
		writers_event(&watch->writers, event, name, matters);
	if (matters) {
		stir(watch);
		if (event->mask & (IN_CREATE | IN_MOVED_TO))
			start_survey(watch);
	} else if (watch->job.queued) {
		see(watch, event->wd, name);
	}
}

static void overflow(struct watcher *watcher)
{
	struct watch *watch;

	counters.watch_overflows++;
	LIST_FOREACH(watch, &watcher->watches, link) {
		writers_clear(&watch->writers);
		stir(watch);
	}
}

static void dispatch(struct watcher *watcher, const struct inotify_event *event)
{
	struct watch *watch;

	if (event->mask & IN_Q_OVERFLOW) {
		overflow(watcher);
		return;
	}
	LIST_FOREACH(watch, &watcher->watches, link)
		event_for(watch, event, event->len ? event->name : "");
}

/* Takes events from the queue, a bounded number. Returns whether it is empty. */
static bool take_events(struct watcher *watcher, unsigned reads)
{
	_Alignas(struct inotify_event) char bytes[READ_SIZE];
	ssize_t size;

	while (reads-- > 0) {
		size = read(watcher->fd, bytes, sizeof bytes);
		if (size <= 0)
			return true;
		for (char *at = bytes; at < bytes + size;) {
			const struct inotify_event *event = (const struct inotify_event *)(void *)at;

			dispatch(watcher, event);
			at += sizeof *event + event->len;
		}
	}
	return false;
}

static void readable(evutil_socket_t fd, short what, void *arg)
{
	struct watcher *watcher = arg;

	(void)fd;
	(void)what;
	loop_enter(watcher->config->loop);
	take_events(watcher, 1);
}

/* ---- what a reading is worth */

void watch_begin_read(struct app *app)
{
	if (!app->watch)
		return;
	take_events(app->watch->watcher, READS_BETWEEN);
	app->watch->stirred = false;
}

static void path_of(const struct watch *watch, const struct writer *writer, char *ret, size_t size)
{
	int length = 0;
	const char *directory = survey_directory_of(&watch->survey, writer->wd, &length);

	snprintf(ret, size, "%.*s%s", length, directory ? directory : "", writer->name);
}

int watch_end_read(struct app *app, bool asked, struct prodd_error *e)
{
	struct watch *watch = app->watch;
	const struct writer *writer;
	char path[512];
	bool all;

	if (!watch)
		return 0;
	all = take_events(watch->watcher, READS_BETWEEN);
	writer = writers_eldest(&watch->writers);
	if (writer) {
		path_of(watch, writer, path, sizeof path);
		return prodd_error_set(e, PRODD_E_BUSY, "%s is open for writing", path);
	}
	if (!all || watch->stirred || (!asked && (watch->job.queued || loop_timer_armed(&watch->quiet))))
		return prodd_error_set(e, PRODD_E_BUSY, "%s is being changed", app->directory);
	return 0;
}

void watch_again(struct app *app)
{
	if (app->watch)
		app->watch->print[0] = '\0';
}

uint64_t watch_open_writer(const struct app *app, char *ret_path, size_t size)
{
	const struct writer *writer = app->watch ? writers_eldest(&app->watch->writers) : NULL;

	if (!writer || clock_monotonic_ms() - writer->since_ms < WATCH_WRITER_MS)
		return 0;
	path_of(app->watch, writer, ret_path, size);
	return writer->since_ms;
}

/* ---- the net */

static void rescan_fired(struct loop_timer *timer)
{
	struct watcher *watcher = container_of(timer, struct watcher, rescan);
	struct watch *watch;

	LIST_FOREACH(watch, &watcher->watches, link) {
		counters.rescans++;
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
		prodd_error_set(e, PRODD_E_IO, "inotify: %s; to run without: watch = \"manual\"",
				strerror(errno));
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
	writers_clear(&watch->writers);
	free(watch->sightings);
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
	free(watcher->left);
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
