/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Watches the files of apps by inotify(7), with a rescan every 30 s as a net.
 * Contents are compared by whoever looks; here only "something may have
 * changed, and has been quiet for 100 ms" is found out.
 */
#ifndef PRODD_CONFIG_WATCH_H
#define PRODD_CONFIG_WATCH_H

#include "daemon/config/config.h"

#define WATCH_QUIET_MS 100		/* trailing edge: the first event of a swap still reads old data */
#define WATCH_RESCAN_MS 30000
#define WATCH_WRITER_MS 30000		/* a writer that keeps a file open this long is a problem in status */

int watcher_new(struct watcher **ret, struct config *config, struct prodd_error *e);
struct watcher *watcher_free(struct watcher *watcher);	/* NULL is allowed; returns NULL. Disk jobs must have ended */

/* Begins to watch an app's files; no-op when they are watched already, or files are not watched at all. */
void watch_app(struct config *config, struct app *app);

/* The file that somebody has kept open for writing for WATCH_WRITER_MS, and since when (monotonic); NULL: none. */
const char *watch_open_writer(const struct app *app, uint64_t *ret_since_ms);

/* An app is freed: its watch goes. Takes the watch; NULL is allowed. */
void watch_free(struct watch *watch);

#endif
