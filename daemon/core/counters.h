/* SPDX-License-Identifier: Apache-2.0 */
/*
 * prodd's own counters, written once with the sentence that documents them:
 * X(name, help).  The loop thread alone counts. Shown by `prodctl status --json`.
 */
#ifndef PRODD_CORE_COUNTERS_H
#define PRODD_CORE_COUNTERS_H

#include <stdint.h>

#define COUNTERS(X) \
	X(connections_accepted, "Connections accepted on either socket.") \
	X(connections_closed, "Connections that have ended, for any reason.") \
	X(connections_refused_uid, "Connections closed at once because their uid had its most sessions.") \
	X(connections_refused_daemon, "Connections closed at once because the daemon had its most sessions.") \
	X(accept_no_descriptor, "Times that no file descriptor was left to accept with.") \
	X(sessions_no_hello, "Sessions ended because no hello came in time.") \
	X(sessions_ended_protocol, "Sessions ended because a frame broke the rules of the wire.") \
	X(sessions_ended_too_large, "Sessions ended because a frame was over its length, depth or count of values.") \
	X(sessions_ended_descriptors, "Sessions ended because they sent file descriptors that no frame of theirs takes.") \
	X(sessions_ended_output, "Sessions ended because they did not read their output.") \
	X(sessions_ended_memory, "Sessions ended because their uid was over its bytes.") \
	X(reads_paused, "Times that a session was not read from until its output or requests went down.") \
	X(frames_received, "Whole frames received.") \
	X(frames_sent, "Frames queued for sending.") \
	X(bytes_received, "Bytes received.") \
	X(bytes_sent, "Bytes sent.") \
	X(calls_received, "Calls received.") \
	X(calls_failed, "Calls answered with an error.") \
	X(calls_unsupported, "Calls and notes of a method that is not known here.") \
	X(calls_not_permitted, "Calls refused because the sender has no right to the method or the app.") \
	X(calls_over_limit, "Calls refused because the session had its most outstanding calls.") \
	X(answers_received, "Answers to calls of prodd's own.") \
	X(answers_late, "Answers that came after their deadline, or twice.") \
	X(answers_forged, "Answers to calls that were never made; the session ends.") \
	X(hellos_refused, "Hellos refused: version, name or policy.") \
	X(claims_separated, "Hellos whose app name was given as NAME~USER.") \
	X(helper_runs, "Runs of prodd-parse.") \
	X(helper_failures, "Runs of prodd-parse that crashed, hung, or answered nonsense.") \
	X(reads_of_sources, "Times that an app's files were read.") \
	X(rescans, "Looks at an app's files by their stat data alone.") \
	X(watch_overflows, "Overflows of the inotify queue.") \
	X(transactions_started, "Transactions started.") \
	X(requests_waiting, "Requests that had to wait for a transaction of their app.") \
	X(requests_joined, "Reloads that joined a transaction of the same files.") \
	X(transactions_committed, "Transactions that made a generation live.") \
	X(transactions_unchanged, "Transactions that found nothing to change.") \
	X(transactions_invalid, "Transactions ended because a file was invalid.") \
	X(transactions_rejected, "Transactions rolled back because an instance rejected.") \
	X(transactions_no_answer, "Transactions rolled back because an instance was silent.") \
	X(transactions_failed, "Transactions ended because the state could not be written, or by the watchdog.") \
	X(offers_sent, "Offers sent to instances.") \
	X(commits_confirmed, "Commits that an instance confirmed as applied.") \
	X(instances_diverged, "Times that an instance could not use the live generation.") \
	X(overrides_expired, "Overrides that ended by their time.") \
	X(confirmations_expired, "Changes rolled back because nobody confirmed them.") \
	X(rings_attached, "Rings of log records that apps shared, new or anew.") \
	X(rings_refused, "Rings that broke a rule, or were over a limit.") \
	X(rings_damaged, "Rings given up because their words were none that the library writes.") \
	X(rings_swept, "Rings in which the sweep found records that no wake-up had told of.") \
	X(events_dropped, "Events no longer kept because newer ones came.") \
	X(http_accepted, "Connections accepted for HTTP.") \
	X(http_closed, "Connections for HTTP that have ended, for any reason.") \
	X(http_refused, "Connections for HTTP closed because there were too many: idle ones, else the new one.") \
	X(http_requests_refused, "HTTP requests answered with an error.") \
	X(http_readers_cut, "HTTP connections cut because their request or the reading of the reply took too long.") \
	X(families_hidden, "Times that an app's metric was left out of a scrape because its name is prodd's, or of another type than prodd's.") \
	X(scrapes, "Scrapes answered with metrics.") \
	X(scrapes_failed, "Scrapes that there was no memory for, or that were too large.") \
	X(scrape_bytes, "Bytes of scrapes' bodies, after compression.") \
	X(metric_segments_attached, "Segments of metrics that were shared, or shared again after a lost connection.") \
	X(metric_segments_returned, "Those of them that came back.") \
	X(metric_segments_refused, "Segments of metrics that were refused.") \
	X(metric_segments_folded, "Segments whose counts went into the totals because their process ended.") \
	X(metric_directories_damaged, "Segments whose directory is damaged: what comes behind is not read.") \
	X(metric_families_refused, "Declarations of metrics that were refused in an instance.") \
	X(metric_families_hidden, "Metrics not shown beside another app's of the same name and another type.") \
	X(metric_entries_refused, "Series in a segment that do not suit their family, or for which there was no room.") \
	X(metric_conflicts, "Declarations that contradict another instance's.") \
	X(metric_series_overflowed, "Series over an app's limit, which count into its overflow series.") \
	X(metric_series_refused, "Series that the apps' library counts into an overflow series, by its own word.") \
	X(metric_values_refused, "Values that were no number, which the apps' library refused, by its own word.") \
	X(metric_readings_lower, "Readings of a counter that were lower than the one before, and changed nothing.") \
	X(metric_readings_wrong, "Readings that were no number or impossibly high, and changed nothing.") \
	X(metric_pushes, "Calls of metric.push.") \
	X(metric_pushes_refused, "Families and values of metric.push that were refused.") \
	X(metric_ledgers_renewed, "Ledgers of counters written anew.") \
	X(metric_ledgers_failed, "Times that a ledger could not be written.") \
	X(metric_ledgers_damaged, "Ledgers found damaged at the start, and put aside.") \
	X(loop_turns_long, "Turns of the loop that took over 10 ms.")

struct counters {
#define X(name, help) uint64_t name;
	COUNTERS(X)
#undef X
};

extern struct counters counters;

#endif
