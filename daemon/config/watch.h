/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Watches the files of apps by inotify(7), with a rescan every 30 s as a net.
 * Contents are compared by whoever looks; here only "something may have
 * changed, and has been quiet for 100 ms" is found out, and whether what was
 * read meanwhile can be half of something.
 */
#ifndef PRODD_CONFIG_WATCH_H
#define PRODD_CONFIG_WATCH_H

#include "daemon/config/config.h"

#define WATCH_QUIET_MS 100		/* trailing edge: the first event of a swap still reads old data */
#define WATCH_RESCAN_MS 30000
#define WATCH_WRITER_MS 30000		/* a writer that keeps a file open this long is a problem in status */

int watcher_new(struct watcher **ret, struct config *config, struct prodd_error *e);
struct watcher *watcher_free(struct watcher *watcher);	/* NULL is allowed; returns NULL. No job is left */

/* Begins to watch an app's files; no-op when they are watched already, or files are not watched at all. */
void watch_app(struct config *config, struct app *app);

/* The app's files are about to be read. */
void watch_begin_read(struct app *app);

/*
 * They have been read. -PRODD_E_BUSY, naming a file or the directory, when somebody has one of them open and
 * modified, or something happened to them since watch_begin_read(); or, unless they were `asked` for by a
 * command, when they are not quiet. 0: what was read may be used; always so when files are not watched.
 */
int watch_end_read(struct app *app, bool asked, struct prodd_error *e);

/* A look ended without a result: the next rescan looks again, changed or not. */
void watch_again(struct app *app);

/* Since when (monotonic) a file of the app's is open for writing; 0: none is for WATCH_WRITER_MS. */
uint64_t watch_open_writer(const struct app *app, char *ret_path, size_t size);

/* An app is freed: its watch goes. Takes the watch; NULL is allowed. */
void watch_free(struct watch *watch);

#endif
