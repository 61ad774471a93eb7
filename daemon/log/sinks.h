/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The sinks: one prodd-ship each, which reads the spools by itself.  It is told
 * up to which number each spool may be read, and says up to which number it has everything;
 * these cursors are stored, and what all have passed may be unlinked.  A sink that is slow or down holds
 * back nobody.
 */
#ifndef PRODD_LOG_SINKS_H
#define PRODD_LOG_SINKS_H

#include "daemon/core/worker.h"
#include "daemon/log/settings.h"
#include "daemon/log/stream.h"

struct sinks;
struct sink;

/* A prodd-ship. */
struct sink {
	struct worker worker;
	struct sinks *sinks;		/* borrowed, as the next */
	const struct log_sink_settings *settings;
	unsigned index;
	const char *directory;		/* borrowed from the settings or the places */
	TAILQ_HEAD(, sink_row) news;
	bool started;			/* has been told of the streams */
	bool finished;
	char state[16];			/* starting, ok, retry, failed */
	char reason[256];
	uint64_t since_ms;		/* of the state, wall clock */
	uint64_t again_at_ms;		/* of the next try, monotonic; 0: none is planned */
};

/* ---- sinks.c */

int sinks_new(struct sinks **ret, struct logs *logs, const struct helper_program *ship,
	      struct prodd_error *e);
struct sinks *sinks_free(struct sinks *sinks);	/* NULL is allowed; returns NULL */

/* Makes a stream's rows. 0 or -PRODD_E_NO_MEMORY. */
int sinks_enter(struct sinks *sinks, struct stream *stream);

/* Opens its spool and reads their cursors, on the disk thread; no-op when that was done. Then the sinks are
 * told of it. */
void sinks_look(struct stream *stream);
void sinks_leave(struct stream *stream);	/* no job is under way any more */

/* More of the stream is kept. */
void sinks_more(struct sinks *sinks, struct stream *stream);

void sinks_rotate(struct sinks *sinks);

/* They have so long to ship what is kept. */
void sinks_finish(struct sinks *sinks, uint64_t within_ms);
bool sinks_finished(const struct sinks *sinks);

unsigned sinks_count(const struct sinks *sinks);
const struct sink *sinks_at(const struct sinks *sinks, unsigned index);

/* ---- sink.c */

/* Embedded in an array that does not move. */
int sink_init(struct sink *sink, struct sinks *sinks, struct logs *logs,
	      const struct log_sink_settings *settings, unsigned index, const struct helper_program *ship,
	      struct prodd_error *e);
void sink_clear(struct sink *sink);

/* Tells it of all streams that have news. */
void sink_tell(struct sink *sink);

/* It has so long to ship the rest, and ends. */
void sink_finish(struct sink *sink, uint64_t within_ms);

/* Its row is news, once. */
void sink_has_news(struct sink_row *row);

/* ---- allowance.c */

void allowance_begin(struct stream *stream);	/* its rows are made */
void allowance_mark(struct stream *stream);	/* more of it is kept */
void allowance_check(struct stream *stream);	/* now and then: sinks that are too far behind skip */

/* ---- sinks.c, for sink.c and allowance.c */

struct logs *sinks_logs(const struct sinks *sinks);
void sinks_tell_soon(struct sinks *sinks);
void sinks_store_soon(struct sinks *sinks);

#endif
