/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where lines go.  To add a sink: a file with a struct sink_ops, a line in
 * sinks.c.  All calls may block: the process is the sink's own.
 *
 * A sink keeps nothing back and tries nothing twice.  After any error the
 * stream is asked by resume() where it stands, as after a crash.
 */
#ifndef PRODD_SHIP_SINK_H
#define PRODD_SHIP_SINK_H

#include "daemon/ship/settings.h"
#include "proto/shm/digits.h"

struct sink_ops;

/* Embedded in a sink's own struct. */
struct sink {
	const struct sink_ops *ops;
};

/* One app's way into it; embedded likewise. */
struct stream {
	struct sink *sink;		/* borrowed */
};

/* What is known about a stream before it is asked. */
struct sink_wish {
	uint64_t cursor;		/* the last number that was synced; 0: not known */
	uint64_t last;			/* that of the last record in the spool */
	/* without a cursor: what stands behind damage is in the spool, and may go */
	bool repair;
};

/* What a stream has. */
struct sink_place {
	uint64_t number;		/* of the last line, durably; 0: not known */
	/* it is of this spool; else a spool that was removed may have given that number */
	bool sure;
	uint64_t check;			/* of the last line whose number is at most `last`; 0: not known */
	char check_time[DIGITS_TIME];	/* the time in it */
	bool damaged;			/* something before the last line is, and `repair` was not wished */
	uint64_t before;		/* then: of the last line before that; 0: not known */
};

struct sink_ops {
	/* ---- each sink has these */

	/* The word in prodd.conf. */
	const char *type;
	/* Sets a sink up; `settings` is borrowed until close(). An error is final: what may pass is for
	 * resume() to say. */
	int (*open)(struct sink **ret, const struct settings *settings, struct prodd_error *e);
	/* NULL is allowed; returns NULL. All streams have ended. */
	struct sink *(*close)(struct sink *sink);
	/* A stream for an app; `app` is borrowed until end(). */
	int (*begin)(struct sink *sink, const char *app, struct stream **ret, struct prodd_error *e);
	struct stream *(*end)(struct stream *stream);
	/* Says where the stream stands, its end mended; before the first write, and after each error. */
	int (*resume)(struct stream *stream, const struct sink_wish *wanted, struct sink_place *ret,
		      struct prodd_error *e);
	/* Whole lines, the last of which is `last`. */
	int (*write)(struct stream *stream, struct prodd_slice lines, uint64_t last, struct prodd_error *e);
	/* Makes all that was written durable. */
	int (*sync)(struct stream *stream, struct prodd_error *e);

	/* ---- those that have no use for one of these leave it NULL */

	/* Lines from now on go into a new file. */
	int (*rotate)(struct stream *stream, struct prodd_error *e);
	/* About once a second: what time alone brings about. */
	int (*tend)(struct stream *stream, struct prodd_error *e);
	/* Synced, and quiet: gives descriptors back until the next call. */
	void (*rest)(struct stream *stream);
};

extern const struct sink_ops sink_file;
extern const struct sink_ops sink_stdout;

/* The ops of a type. -PRODD_E_INVALID: there is none of that name, or it lacks what each must have (which is
 * named). */
int sink_find(struct prodd_slice type, const struct sink_ops **ret, struct prodd_error *e);

/* Whether ops are whole; else *ret_missing is the name of the first member that is not there. */
bool sink_is_whole(const struct sink_ops *ops, const char **ret_missing);

#endif
