/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The subsystem's root: owns the registries, and looks after what is attached
 * once a second and before anything is told.
 */
#define _GNU_SOURCE
#include "daemon/metric/metric.h"

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "daemon/core/counters.h"
#include "daemon/util/clock.h"
#include "daemon/util/container.h"
#include "daemon/util/file.h"
#include "daemon/util/log.h"

#define BOOT_FILE "/proc/sys/kernel/random/boot_id"
#define LOOK_AT_ONE 250u	/* entries of one segment in a turn */

/* ---- registries */

struct registry *metric_registry(struct metric *metric, const char *app, uid_t uid, struct prodd_error *e)
{
	struct registry *registry;

	HASH_FIND_STR(metric->registries, app, registry);
	return registry ? registry : registry_new(metric, app, uid, e);
}

/* ---- looking */

static bool has_ended(const struct attachment *a)
{
	struct pollfd process = { .fd = a->pidfd, .events = POLLIN };
	unsigned long long start;

	if (a->pidfd >= 0)
		return poll(&process, 1, 0) > 0;
	if (a->pid == 0)
		return false;	/* a process that cannot be named: nobody knows */
	return identity_kernel.start_time(a->pid, &start) < 0 || (a->start && start != a->start);
}

/* What may be told afterwards is as it is now; entries beyond the budget are read in the turns that come. */
static unsigned look_at(struct registry *registry, unsigned budget)
{
	unsigned done = 0;
	struct attachment *a;

	LIST_FOREACH(a, &registry->attachments, link) {
		unsigned here = budget - done < LOOK_AT_ONE ? budget - done : LOOK_AT_ONE;

		if (a->state <= ATTACHMENT_ABSENT && !a->ending && has_ended(a))
			attachment_end(a);
		done += here ? attachment_look(a, here) : 0;
	}
	registry_fold(registry);
	registry_sweep(registry);
	return done;
}

void metric_look(struct metric *metric)
{
	struct registry *registry, *next;
	unsigned done = 0;

	HASH_ITER(hh, metric->registries, registry, next)
		done += look_at(registry, METRIC_LOOK_ENTRIES - done);
	if (done > 0)
		metric_look_soon(metric);
}

void metric_look_soon(struct metric *metric)
{
	loop_timer_arm(&metric->look, 0);
}

/* A daemon for which nobody counts has nothing to look at, and sleeps. */
static void look_fired(struct loop_timer *timer)
{
	struct metric *metric = container_of(timer, struct metric, look);
	struct registry *registry, *next;

	if (metric->registries)
		loop_timer_arm(timer, METRIC_LOOK_MS);
	metric_look(metric);
	HASH_ITER(hh, metric->registries, registry, next)
		ledger_tick(&registry->ledger);
}

/* ---- methods */

static void attach_call(struct handler *handler, struct call *call, const void *params)
{
	struct metric *metric = container_of(handler, struct metric, attach);
	const struct wire_segment_attach *request = params;
	struct session *session = call_session(call);
	struct registry *registry = NULL;
	struct prodd_error e = { 0 };
	int fd = call_take_fd(call);

	if (fd < 0 || !session)
		prodd_error_set(&e, PRODD_E_USAGE, "segment.attach: no descriptor came with the call");
	else
		registry = metric_registry(metric, session_app(session), session_identity(session)->uid, &e);
	if (registry && attachment_share(registry, session, fd, request->segment, request->size, &e) == 0) {
		counters.metric_segments_attached++;
		call_answer(call, &(struct wire_empty){ 0 });
		return;
	}
	if (!registry)
		file_close(&fd);
	counters.metric_segments_refused++;
	call_fail(call, &e);
}

void metric_serve(struct metric *metric, struct session_host *host)
{
	host->handlers[WIRE_M_segment_attach] = &metric->attach;
	host->handlers[WIRE_M_metric_push] = &metric->push;
	host->handlers[WIRE_M_metrics] = &metric->query;
}

/* ---- start */

static int read_boot(struct metric *metric, struct prodd_error *e)
{
	prodd_auto_buffer text = { 0 };
	int r = file_read(AT_FDCWD, BOOT_FILE, BOOK_BOOT - 1, &text, e);

	if (r < 0)
		return r;
	snprintf(metric->boot, sizeof metric->boot, "%.*s", (int)text.size, text.at);
	metric->boot[strcspn(metric->boot, "\n")] = '\0';
	return 0;
}

static bool is_ledger(const char *name)
{
	size_t size = strlen(name);

	return name[0] != '.' && size > 7 && size < LEDGER_NAME && strcmp(name + size - 7, ".ledger") == 0;
}

/* Whose process has ended meanwhile is told so. */
static void await_all(struct registry *registry)
{
	struct attachment *a;

	LIST_FOREACH(a, &registry->attachments, link)
		if (a->state == ATTACHMENT_ABSENT && !attachment_await(a))
			attachment_end(a);
}

static int load(struct metric *metric, struct prodd_error *e)
{
	DIR *directory = fdopendir(dup(metric->directory));
	struct dirent *entry;

	if (!directory)
		return prodd_error_set(e, PRODD_E_NO_MEMORY, "the ledgers of metrics");
	while ((entry = readdir(directory))) {
		struct prodd_error why = { 0 };
		struct registry *registry;

		if (!is_ledger(entry->d_name))
			continue;
		registry = registry_load(metric, entry->d_name, &why);
		if (registry)
			await_all(registry);
		else if (why.code && why.code != PRODD_E_CORRUPT && why.code != PRODD_E_UNSUPPORTED)
			log_error("metrics: %s: %s", entry->d_name, why.text);
	}
	closedir(directory);
	return 0;
}

static int set_up(struct metric *metric, const struct places *places, struct prodd_error *e)
{
	char path[4096];
	int r;

	snprintf(path, sizeof path, "%s/metric", places->state);
	metric->directory = file_make_directory(AT_FDCWD, path, 0700, e);
	if (metric->directory < 0)
		return metric->directory;
	r = read_boot(metric, e);
	if (r >= 0)
		r = loop_timer_init(&metric->look, metric->loop, look_fired, e);
	if (r >= 0)
		r = load(metric, e);
	if (r >= 0)
		metric_look_soon(metric);
	return r;
}

int metric_new(struct metric **ret, struct loop *loop, struct disk *disk, struct events *events,
	       struct mappings *mappings, const struct places *places, unsigned series_max,
	       struct prodd_error *e)
{
	struct metric *metric = calloc(1, sizeof *metric);
	int r;

	if (!metric)
		return prodd_error_set(e, PRODD_E_NO_MEMORY, "metrics");
	*metric = (struct metric){
		.source.ops = &metric_source_ops,
		.status.problems = metric_status_problems, .status.app = metric_status_app,
		.attach.call = attach_call, .push.call = metric_push_call, .query.call = metric_query_call,
		.loop = loop, .disk = disk, .events = events, .mappings = mappings,
		.series_max = series_max ? series_max : METRIC_SERIES_MAX,
		.directory = -1,
	};
	r = set_up(metric, places, e);
	if (r < 0)
		metric_free(metric);
	else
		*ret = metric;
	return r;
}

/* What the next prodd begins with, until they come back. */
static void read_last(struct registry *registry)
{
	struct attachment *a;

	LIST_FOREACH(a, &registry->attachments, link)
		attachment_read(a);
}

struct metric *metric_free(struct metric *metric)
{
	struct registry *registry, *next;

	if (!metric)
		return NULL;
	loop_timer_clear(&metric->look);
	HASH_ITER(hh, metric->registries, registry, next) {
		read_last(registry);
		registry_free(registry);
	}
	while (metric->buried) {
		struct family *family = metric->buried;

		metric->buried = family->next_buried;
		family_free(family);
	}
	file_close(&metric->directory);
	free(metric);
	return NULL;
}
