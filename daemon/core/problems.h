/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What needs a person, written once for all subsystems: X(ID, "id", help).
 * Each id is a row in status, and a heading in doc/OPERATIONS.md.
 */
#ifndef PRODD_CORE_PROBLEMS_H
#define PRODD_CORE_PROBLEMS_H

#include "proto/codec.h"

#define PROBLEMS(X)                                                                                          \
	X(CONFIG_NONE, "config_none", "An app has instances, but no valid configuration was ever live.")     \
	X(CONFIG_DIFFERS, "config_differs",                                                                  \
	  "Files differ from the live generation and are not offered by themselves.")                        \
	X(CONFIG_WRITER, "config_writer",                                                                    \
	  "A file has been open for writing for over 30 s; its content is not used.")                        \
	X(CONFIG_UNCONFIRMED, "config_unconfirmed", "A change rolls back by itself unless it is confirmed.") \
	X(INSTANCE_DIVERGED, "instance_diverged", "An instance cannot use the live generation.")             \
	X(INSTANCE_REFUSED, "instance_refused", "An instance's own variables break the live generation.")    \
	X(INSTANCE_RESTART, "instance_restart", "An instance must be restarted to use a setting.")           \
	X(INSTANCE_UNCONFIRMED, "instance_unconfirmed", "An instance did not confirm the live generation.")  \
	X(APP_CLAIM, "app_claim", "A process claims an app name that it may not use.")                       \
	X(METRIC_CONFLICT, "metric_conflict", "An instance declares a metric otherwise than another, or as it may not be.") \
	X(METRIC_OVERFLOW, "metric_overflow", "An app has its most series of metrics.")                      \
	X(METRIC_LEDGER, "metric_ledger", "What an app has counted cannot be kept on disk.")   \
	X(APP_CRASHED, "app_crashed", "An instance's process ended without closing its log.")                \
	X(LOG_DROPPED, "log_dropped", "Log records of an app were dropped lately.")                          \
	X(LOG_BLOCKED, "log_blocked", "A record that was begun and not finished blocks an instance's ring.") \
	X(SPOOL_FAILS, "spool_fails", "The spool of an app cannot be written.")                              \
	X(SINK_DOWN, "sink_down", "A sink cannot ship.")

enum problem_id {
#define X(id, name, help) PROBLEM_##id,
	PROBLEMS(X)
#undef X
	PROBLEM_COUNT
};

const char *problem_name(enum problem_id id);

/* Problems as they are collected for an answer: a LIST of status_problem. Zero is empty. */
struct problems_found {
	struct prodd_buffer rows;	/* owned by whoever asks */
	uint32_t count;
	uint32_t of[PROBLEM_COUNT];	/* how many of each */
};

#define PROBLEM_LINES_MAX 3

/* Adds one. `since_ms`: wall clock, 0: not known. `lines`: up to PROBLEM_LINES_MAX, then NULL: what happened and why; its
 * effect; what happens next. `command` to type, or "". Failure sticks to the buffer. */
void problems_found_add(struct problems_found *found, enum problem_id id, const char *subject, uint64_t since_ms,
			const char *const lines[PROBLEM_LINES_MAX], const char *command);

#endif
