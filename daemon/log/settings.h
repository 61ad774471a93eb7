/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The blocks log: and sink: of prodd.conf as plain values, defaults filled in.
 * Read at start; changes need a restart of prodd.
 */
#ifndef PRODD_LOG_SETTINGS_H
#define PRODD_LOG_SETTINGS_H

#include <sys/queue.h>

#include "daemon/spool/writer.h"
#include "proto/buffer.h"
#include "proto/slice.h"
#include <prodd/error.h>

#define LOG_SINKS_MAX 16u
#define LOG_SINK_NAME_MAX 64

/* A sink: block. Words are those of prodd-conf.h, checked when it was parsed. */
struct log_sink_settings {
	char name[LOG_SINK_NAME_MAX];
	char type[16];			/* file, stdout */
	char format[16];		/* json, logfmt */
	char compress[16];		/* none, gzip, zstd */
	char level[16];
	char *directory;		/* owned; NULL: log_settings.directory */
	uint64_t rotate_size;		/* bytes; 0: never */
	uint64_t rotate_age_s;		/* 0: never */
	uint64_t keep;			/* files; 0: all */
	uint64_t keep_bytes;		/* 0: all */
	uint64_t allowance;		/* bytes of an app's spool that may wait for it; 0: the app's limit */
	struct prodd_buffer apps;	/* owned: names, encoded one after another */
	uint32_t app_count;		/* 0: all apps */
	STAILQ_ENTRY(log_sink_settings) link;
};

struct log_settings {
	enum spool_policy policy;
	enum spool_full full;
	uint64_t interval_ms;
	uint64_t limit;			/* bytes, all apps */
	uint64_t app_limit;		/* bytes, one app */
	unsigned keep_free_percent;
	char *directory;		/* owned; NULL: places.log */
	uint64_t rate;			/* records per second and app; 0: no limit */
	uint64_t burst;			/* records; 0: as rate */
	STAILQ_HEAD(log_sink_list, log_sink_settings) sinks;	/* owned */
	unsigned sink_count;
};

/* The values of an absent prodd.conf, without a sink. */
void log_settings_default(struct log_settings *ret);

/* Lays the entries (LIST of tree_entry) of a parsed prodd.conf over `settings`. */
int log_settings_load(struct log_settings *settings, struct prodd_list entries, struct prodd_error *e);

/* After the last entries: without any sink there is one, "local", of type file. -PRODD_E_INVALID names a sink
 * that cannot be: a feature is missing in this build. */
int log_settings_complete(struct log_settings *settings, struct prodd_error *e);

/* `from` is left without sinks. */
void log_settings_move(struct log_settings *ret, struct log_settings *from);

void log_settings_clear(struct log_settings *settings);

const char *log_policy_word(enum spool_policy policy);
const char *log_full_word(enum spool_full full);

#endif
