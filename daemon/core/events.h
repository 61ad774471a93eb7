/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What happened, in memory: the last events, and who follows them.
 */
#ifndef PRODD_CORE_EVENTS_H
#define PRODD_CORE_EVENTS_H

#include "daemon/core/session.h"

#define EVENTS_KEPT 1024	/* older ones are dropped and counted */

/* Kinds of events, written once: X(id, "kind", help). */
#define EVENT_KINDS(X) \
	X(STARTED, "started", "prodd began to accept.") \
	X(STOPPING, "stopping", "prodd ends.") \
	X(CONNECTED, "connected", "An instance said hello.") \
	X(DISCONNECTED, "disconnected", "An instance's connection ended.") \
	X(CRASHED, "crashed", "An instance's process ended without closing its log; its last records are kept.") \
	X(SEPARATED, "separated", "A process claimed a name that it may not use, and got NAME~USER.") \
	X(COMMITTED, "committed", "A generation went live.") \
	X(INVALID, "invalid", "Files were invalid; nothing changed.") \
	X(REJECTED, "rejected", "An instance rejected a candidate; it was rolled back.") \
	X(NO_ANSWER, "no_answer", "An instance did not answer; the candidate was rolled back.") \
	X(FAILED, "failed", "A transaction could not be carried out.") \
	X(DIVERGED, "diverged", "An instance could not use the live generation.") \
	X(RESTART_NEEDED, "restart_needed", "An instance needs a restart to use a setting.") \
	X(REFUSED, "refused", "An instance's own variables or schema break the live generation.") \
	X(OVERRIDE_SET, "override_set", "An operator set an override.") \
	X(OVERRIDE_ENDED, "override_ended", "An override was unset or expired.") \
	X(CONFIRMED, "confirmed", "A change was confirmed.") \
	X(ROLLED_BACK, "rolled_back", "A change was rolled back, by command or because nobody confirmed it.") \
	X(METRIC_REFUSED, "metric_refused", "A declaration of a metric was refused: it contradicts another, or may not be.") \
	X(METRIC_OVERFLOW, "metric_overflow", "An app has its most series; new ones count into an overflow series.") \
	X(METRIC_DAMAGED, "metric_damaged", "The directory of an instance's metrics is damaged, and not read on.") \
	X(LEVEL_SET, "level_set", "An operator set a level of log records.") \
	X(LEVEL_ENDED, "level_ended", "A level that was set was taken back, or its time was over.") \
	X(LAST_GOOD, "last_good", "prodd started with broken files and serves the last good generation.")

enum event_kind {
#define X(id, kind, help) EVENT_##id,
	EVENT_KINDS(X)
#undef X
};

struct events;

int events_new(struct events **ret, struct loop *loop, struct prodd_error *e);
struct events *events_free(struct events *events);

/* Adds an event and sends it to those who follow. `app` and `instance` may be "". */
void events_add(struct events *events, enum event_kind kind, const char *app, const char *instance,
		const char *format, ...) __attribute__((format(printf, 5, 6)));

/* Handler of the method `events`; takes call. */
void events_call(struct events *events, struct call *call, const struct wire_events_request *params);

#endif
