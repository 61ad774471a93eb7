/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the library has to say to people, by the program's callback or on
 * stderr.  Shared by a handle and its snapshots, which may outlive it: then it
 * is silent.
 */
#ifndef PRODD_CLIENT_MESSAGES_H
#define PRODD_CLIENT_MESSAGES_H

#include <syslog.h>

#include <prodd/handle.h>

#include "client/names.h"

/* Different messages about keys; after them one more says that the others are not logged. A program that asks
 * for keys by names made up at run time must not fill memory or log. */
#define PRODD_MESSAGES_ONCE_MAX 256

struct prodd_messages;

/* One reference; NULL: no memory. `app` is copied. */
struct prodd_messages *prodd_messages_new(const char *app);
struct prodd_messages *prodd_messages_ref(struct prodd_messages *m);
void prodd_messages_unref(struct prodd_messages *m);

/* Before anything else uses it. callback NULL: nobody. `arg` is borrowed until prodd_messages_close(). */
void prodd_messages_redirect(struct prodd_messages *m, prodd_log_callback *callback, void *arg);

/* Says one line, now. Never blocks; called without locks. Threads: any. */
void prodd_messages_say(struct prodd_messages *m, int priority, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* The same, but each text only once. */
void prodd_messages_say_once(struct prodd_messages *m, int priority, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* No callback is called from here on; waits for those that run. */
void prodd_messages_close(struct prodd_messages *m);

/* In a forked child: the threads that were in a callback do not exist here. */
void prodd_messages_forked(struct prodd_messages *m);

#endif
