/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A line goes out by one write, and only when that cannot block or raise
 * SIGPIPE: a stalled terminal must not hold the program up.
 */
#include "client/messages.h"

#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <prodd/error.h>

struct prodd_messages {
	atomic_uint references;
	atomic_uint speaking;		/* threads in say() */
	atomic_bool closed;
	bool to_stderr;
	prodd_log_callback *callback;
	void *arg;
	struct prodd_names said;
	char *app;
};

struct prodd_messages *prodd_messages_new(const char *app)
{
	struct prodd_messages *m = calloc(1, sizeof *m);

	if (!m)
		return NULL;
	m->app = strdup(app);
	if (!m->app) {
		free(m);
		return NULL;
	}
	atomic_init(&m->references, 1);
	m->to_stderr = true;
	return m;
}

struct prodd_messages *prodd_messages_ref(struct prodd_messages *m)
{
	atomic_fetch_add_explicit(&m->references, 1, memory_order_relaxed);
	return m;
}

void prodd_messages_unref(struct prodd_messages *m)
{
	if (!m || atomic_fetch_sub_explicit(&m->references, 1, memory_order_acq_rel) > 1)
		return;
	prodd_names_clear(&m->said);
	free(m->app);
	free(m);
}

void prodd_messages_redirect(struct prodd_messages *m, prodd_log_callback *callback, void *arg)
{
	m->to_stderr = false;
	m->callback = callback;
	m->arg = arg;
}

static void write_stderr(const char *app, const char *text)
{
	struct pollfd out = { .fd = STDERR_FILENO, .events = POLLOUT };
	char line[PRODD_ERROR_TEXT_MAX + 128];
	int length = snprintf(line, sizeof line, "%.63s: prodd: %s\n", app, text);
	ssize_t written;

	if (poll(&out, 1, 0) != 1 || out.revents != POLLOUT)
		return;
	do
		written = write(STDERR_FILENO, line, (size_t)length);
	while (written < 0 && errno == EINTR);
}

static void deliver(struct prodd_messages *m, int priority, const char *text)
{
	atomic_fetch_add(&m->speaking, 1);
	if (!atomic_load(&m->closed)) {
		if (m->callback)
			m->callback(priority, text, m->arg);
		else if (m->to_stderr && priority <= LOG_WARNING)
			write_stderr(m->app, text);
	}
	atomic_fetch_sub(&m->speaking, 1);
}

void prodd_messages_say(struct prodd_messages *m, int priority, const char *format, ...)
{
	struct prodd_error line;
	va_list args;

	va_start(args, format);
	prodd_error_vset(&line, PRODD_E_FAILED, format, args);
	va_end(args);
	deliver(m, priority, line.text);
}

void prodd_messages_say_once(struct prodd_messages *m, int priority, const char *format, ...)
{
	const struct prodd_name *newest = prodd_names_newest(&m->said), *name;
	struct prodd_error line;
	va_list args;
	bool added;

	if (newest && newest->number >= PRODD_MESSAGES_ONCE_MAX)
		return;
	va_start(args, format);
	prodd_error_vset(&line, PRODD_E_FAILED, format, args);
	va_end(args);
	name = prodd_names_add(&m->said, line.text, &added);
	if (!name)
		deliver(m, priority, line.text);
	else if (added && name->number < PRODD_MESSAGES_ONCE_MAX)
		deliver(m, priority, line.text);
	else if (added && name->number == PRODD_MESSAGES_ONCE_MAX)
		deliver(m, priority, "too many different messages about keys: no further ones are logged");
}

void prodd_messages_close(struct prodd_messages *m)
{
	atomic_store(&m->closed, true);
	while (atomic_load(&m->speaking) > 0)
		sched_yield();
}

void prodd_messages_forked(struct prodd_messages *m)
{
	atomic_store(&m->speaking, 0);
}
