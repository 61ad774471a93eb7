/* SPDX-License-Identifier: Apache-2.0 */
/*
 * prodd's own metrics, each written once: here, and what is simply counted in
 * daemon/core/counters.h.  prodd-metrics(7) and what is scraped come from
 * these tables.
 */
#ifndef PRODD_METRIC_OWN_H
#define PRODD_METRIC_OWN_H

#include "daemon/core/loop.h"
#include "daemon/metric/sample.h"

/* X(ID, TYPE, "name", "unit", "its labels", help) */
#define OWN_METRICS(X) \
	X(BUILD, GAUGE, "prodd_build_info", "", "version", "1; its label says which prodd this is.") \
	X(LOOP_LONGEST, GAUGE, "prodd_loop_longest_turn_seconds", "seconds", "", \
	  "The longest turn of the event loop since the start.") \
	X(LOOP_TURNS, HISTOGRAM, "prodd_loop_turn_seconds", "seconds", "", \
	  "How long turns of the event loop took: so long whoever came during one had to wait.") \
	X(SESSIONS, GAUGE, "prodd_sessions", "", "", "Open connections at the two sockets.") \
	X(APP_INSTANCES, GAUGE, "prodd_app_instances", "", "app environment", "Connected instances.") \
	X(APP_GENERATION, GAUGE, "prodd_app_generation", "", "app environment", \
	  "Number of the configuration's live generation.") \
	X(APP_DIFFERS, GAUGE, "prodd_app_files_differ", "", "app environment", \
	  "1 while the files differ from the live generation and are not offered by themselves.") \
	X(APP_DIVERGED, GAUGE, "prodd_app_instances_diverged", "", "app environment", \
	  "Connected instances that do not use the live generation.") \
	X(PROBLEMS, GAUGE, "prodd_problems", "", "problem", \
	  "Problems that status shows now, by the heading that prodd's manual of operations has for them.") \
	X(LOG_RECORDS, COUNTER, "prodd_log_records_total", "", "app", "Log records taken into the spool.") \
	X(LOG_BYTES, COUNTER, "prodd_log_bytes_total", "bytes", "app", "Bytes of the log records taken into the spool.") \
	X(LOG_DROPPED, COUNTER, "prodd_log_dropped_total", "", "app reason", "Log records dropped, by reason.") \
	X(LOG_RINGS, GAUGE, "prodd_log_rings", "", "app", "Rings that the app's instances have.") \
	X(LOG_RING, GAUGE, "prodd_log_ring_fill_ratio", "ratio", "app", \
	  "Part of the app's rings that holds records which are not in the spool: 0 to 1.") \
	X(SPOOL_BYTES, GAUGE, "prodd_spool_bytes", "bytes", "app", "Bytes of the app's spool.") \
	X(SPOOL_QUARANTINED, COUNTER, "prodd_spool_quarantined_bytes_total", "bytes", "app", \
	  "Bytes of damage that were found in the spool when it was opened.") \
	X(SPOOL_WRITES, COUNTER, "prodd_spool_failed_writes_total", "", "app", "Writes to the spool that failed.") \
	X(SPOOL_SYNCS, COUNTER, "prodd_spool_failed_syncs_total", "", "app", "Syncs of the spool that failed.") \
	X(SINK_UP, GAUGE, "prodd_sink_up", "", "sink", "1 while the sink takes records, else 0.") \
	X(SINK_LAG, GAUGE, "prodd_sink_lag_seconds", "seconds", "sink", \
	  "Age of the oldest record that the sink has still to ship.") \
	X(SINK_BEHIND, GAUGE, "prodd_sink_behind_bytes", "bytes", "sink", "Bytes of spools that the sink has still to read.") \
	X(SINK_SHIPPED, COUNTER, "prodd_sink_shipped_total", "", "sink app", "Records of the app that were shipped.") \
	X(SINK_REJECTED, COUNTER, "prodd_sink_rejected_total", "", "sink app", \
	  "Records of the app that the sink refused for ever.") \
	X(SINK_MISSING, COUNTER, "prodd_sink_missing_total", "", "sink app", \
	  "Records of the app that were gone before the sink had them.") \
	X(SINK_QUARANTINED, COUNTER, "prodd_sink_quarantined_bytes_total", "bytes", "sink app", \
	  "Bytes of damage in the app's spool that the sink passed over.") \
	X(SINK_RECORDS, GAUGE, "prodd_sink_behind_records", "records", "sink app", \
	  "Records of the app that the sink has still to ship.") \
	X(METRIC_SERIES, GAUGE, "prodd_metric_series", "", "app", "Series of metrics that the app has.") \
	X(METRIC_LIMIT, GAUGE, "prodd_metric_series_max", "", "", "Series that an app may have.") \
	X(PROCESS_CPU, COUNTER, "process_cpu_seconds_total", "seconds", "", \
	  "Processor time of prodd itself, without its helpers.") \
	X(PROCESS_RSS, GAUGE, "process_resident_memory_bytes", "bytes", "", "Resident memory of prodd.") \
	X(PROCESS_VIRTUAL, GAUGE, "process_virtual_memory_bytes", "bytes", "", "Virtual memory of prodd.") \
	X(PROCESS_FDS, GAUGE, "process_open_fds", "", "", "Open file descriptors of prodd.") \
	X(PROCESS_MAX_FDS, GAUGE, "process_max_fds", "", "", "Most file descriptors that prodd may have open.") \
	X(PROCESS_START, GAUGE, "process_start_time_seconds", "seconds", "", \
	  "When prodd was started, in seconds since 1970 (UTC).")

enum own_id {
#define X(id, type, name, unit, labels, help) OWN_##id,
	OWN_METRICS(X)
#undef X
	OWN_COUNT	/* the counters of daemon/core/counters.h follow */
};

/* A row of the whole table, for who prints it. */
struct own_row {
	struct metric_family family;
	const char *labels;		/* names, separated by spaces */
};

extern const struct own_row own_rows[];
extern const unsigned own_row_count;

/* Would the family's samples, in either format, have names of prodd's own metrics? One of the same name and type would not: it
 * is the same family. */
bool own_clashes(const struct metric_family *family);

/* The values of one walk, as they are gathered. */
struct own_sheet;

/* Values of the row's labels, in its order. Failing memory sticks to the sheet. */
struct own_labels {
	struct prodd_slice value[2];
};

void own_count(struct own_sheet *sheet, enum own_id id, struct own_labels labels, uint64_t value);
void own_value(struct own_sheet *sheet, enum own_id id, struct own_labels labels, double value);

/* Who has figures to show; embedded. daemon.c makes one of each subsystem that has. */
struct own_figures {
	void (*gather)(struct own_figures *figures, struct own_sheet *sheet);	/* may not block */
	struct own_figures *next;	/* own_add's */
};

struct own {
	struct metric_source source;
	const struct loop *loop;	/* borrowed */
	struct own_figures *figures;	/* borrowed, as all in the chain */
	uint64_t start_ns;		/* wall clock: when the process began */
};

void own_init(struct own *ret, const struct loop *loop);
void own_add(struct own *own, struct own_figures *figures);

#endif
