/* SPDX-License-Identifier: Apache-2.0 */
/* The part of the wire's schema (schema.h) that is about log records: rings, the spool, sinks. */
#ifndef PRODD_PROTO_SCHEMA_LOG_H
#define PRODD_PROTO_SCHEMA_LOG_H

/* ---- what an app and the daemon say */

#define WIRE_FIELDS_ring_attach(F, T) \
	F(T, BIN,  ring,     none, MUST, 16, "0.1.0", "Its uuid, as in its head.") \
	F(T, UINT, capacity, none, MUST, 0,  "0.1.0", "Bytes of its slots, as in its head.")

#define WIRE_FIELDS_ring_attached(F, T) \
	F(T, UINT, head, none, MAY, 0,  "0.1.0", "Position up to which its records are kept already.") \
	F(T, STR,  sync, none, MAY, 16, "0.1.0", "When records become durable: always, interval or never.")

#define WIRE_FIELDS_log_push(F, T) \
	F(T, BIN,  records, none, MUST, 245760, "0.1.0", "Records in the form of prodd-records(7), one after another.") \
	F(T, UINT, dropped, none, MAY,  0,      "0.1.0", "Records that the sender had to drop before these.")

#define WIRE_FIELDS_log_pushed(F, T) \
	F(T, UINT, taken,   none, MAY, 0, "0.1.0", "Records that are in the spool.") \
	F(T, UINT, dropped, none, MAY, 0, "0.1.0", "Records refused: damaged, over a limit, or over the app's rate.")

#define WIRE_FIELDS_log_sync(F, T) \
	F(T, BIN,  ring, none, MAY, 16, "0.1.0", "Uuid of a ring of this session; absent: what was pushed.") \
	F(T, UINT, end,  none, MAY, 0,  "0.1.0", "Position in the ring below which all records are to be durable.")

#define WIRE_FIELDS_level_row(F, T) \
	F(T, STR,  target,  none, MAY,  128, "0.1.0", "Target, with all below it (\"db\" covers \"db.pool\"); absent: all.") \
	F(T, STR,  level,   none, MUST, 16,  "0.1.0", "Lowest level that is logged: trace, debug, info, warn, error or off.") \
	F(T, UINT, left_ms, none, MAY,  0,   "0.1.0", "Milliseconds until it ends by itself; 0: never.")

#define WIRE_FIELDS_levels(F, T) \
	F(T, LIST, levels, level_row, MAY, 64, "0.1.0", "All levels in force; where none applies, the app's own counts.")

#define WIRE_FIELDS_level_request(F, T) \
	F(T, STR,  app,    none, MUST, 128, "0.1.0", "Name of the app.") \
	F(T, STR,  target, none, MAY,  128, "0.1.0", "As in level_row.") \
	F(T, STR,  level,  none, MAY,  16,  "0.1.0", "As in level_row; absent: show what is in force; \"own\": the app's own again.") \
	F(T, UINT, for_ms, none, MAY,  0,   "0.1.0", "Time after which it ends by itself; 0: until the daemon ends.")

#define WIRE_FIELDS_levels_set(F, T) \
	F(T, STR,  app,       none,      MUST, 128, "0.1.0", "Name of the app.") \
	F(T, LIST, levels,    level_row, MAY,  64,  "0.1.0", "All levels in force now.") \
	F(T, UINT, instances, none,      MAY,  0,   "0.1.0", "Connected instances that were told.")

/* ---- what operators ask */

#define WIRE_FIELDS_log_record(F, T) \
	F(T, STR,  app,    none, MUST, 128,     "0.1.0", "Name of the app.") \
	F(T, UINT, number, none, MUST, 0,       "0.1.0", "Its number in the app's spool: `seq` of the line.") \
	F(T, BIN,  origin, none, MUST, 1024,    "0.1.0", "Where it comes from, in the form of prodd-records(7).") \
	F(T, BIN,  record, none, MUST, 1048576, "0.1.0", "The record, in the form of prodd-records(7).") \
	F(T, UINT, lost,   none, MAY,  0,       "0.1.0", "Records that this reader missed before this one, because it read too slowly.")

#define WIRE_FIELDS_log_tail(F, T) \
	F(T, STR,  app,    none, MAY, 128,  "0.1.0", "Only this app; absent: all. Operators only.") \
	F(T, STR,  level,  none, MAY, 16,   "0.1.0", "Lowest level to show.") \
	F(T, STR,  match,  none, MAY, 1024, "0.1.0", "Only records whose message or a text field contains this.") \
	F(T, UINT, last,   none, MAY, 0,    "0.1.0", "Show so many of the latest first; at most 1,000 of an app.") \
	F(T, BOOL, follow, none, MAY, 0,    "0.1.0", "Later ones follow as log.record.")

#define WIRE_FIELDS_log_tailed(F, T) \
	F(T, LIST, records, log_record, MAY, 1000, "0.1.0", "The latest, oldest first.")

#define WIRE_FIELDS_drop_row(F, T) \
	F(T, STR,  reason, none, MUST, 32, "0.1.0", "Why: ring_full, too_large, rate, damaged, spool_full, oldest, disk ...") \
	F(T, UINT, count,  none, MUST, 0,  "0.1.0", "Records.")

#define WIRE_FIELDS_cursor_row(F, T) \
	F(T, STR,  sink,    none, MUST, 64, "0.1.0", "Name of the sink.") \
	F(T, UINT, number,  none, MAY,  0,  "0.1.0", "Number up to which it has everything, durably.") \
	F(T, UINT, behind,  none, MAY,  0,  "0.1.0", "Records that it has still to ship.") \
	F(T, UINT, missing, none, MAY,  0,  "0.1.0", "Records that were gone before it had them.")

#define WIRE_FIELDS_spool_row(F, T) \
	F(T, STR,  app,         none,       MUST, 128, "0.1.0", "Name of the app.") \
	F(T, UINT, bytes,       none,       MAY,  0,   "0.1.0", "Bytes of its segments.") \
	F(T, UINT, limit,       none,       MAY,  0,   "0.1.0", "Most bytes.") \
	F(T, UINT, segments,    none,       MAY,  0,   "0.1.0", "Its segments.") \
	F(T, UINT, oldest,      none,       MAY,  0,   "0.1.0", "Number of the oldest record that is kept.") \
	F(T, UINT, next,        none,       MAY,  0,   "0.1.0", "Number of the next record.") \
	F(T, UINT, synced,      none,       MAY,  0,   "0.1.0", "Number up to which all is durable.") \
	F(T, UINT, records,     none,       MAY,  0,   "0.1.0", "Records taken since the daemon's start.") \
	F(T, UINT, quarantined, none,       MAY,  0,   "0.1.0", "Bytes of damage that were passed over.") \
	F(T, LIST, dropped,     drop_row,   MAY,  32,  "0.1.0", "Records dropped since the daemon's start, by reason.") \
	F(T, LIST, sinks,       cursor_row, MAY,  64,  "0.1.0", "How far each sink is.")

#define WIRE_FIELDS_sink_row(F, T) \
	F(T, STR,  sink,     none, MUST, 64,  "0.1.0", "Name of the sink.") \
	F(T, STR,  type,     none, MUST, 16,  "0.1.0", "file or stdout.") \
	F(T, STR,  state,    none, MUST, 16,  "0.1.0", "ok, retry, failed or starting.") \
	F(T, STR,  reason,   none, MAY,  512, "0.1.0", "Why, for retry and failed.") \
	F(T, UINT, since_ms, none, MAY,  0,   "0.1.0", "Since when, milliseconds since 1970 (UTC).") \
	F(T, UINT, again_ms, none, MAY,  0,   "0.1.0", "Milliseconds until the next try.") \
	F(T, UINT, lag_ms,   none, MAY,  0,   "0.1.0", "Age of the oldest record that it has still to ship.") \
	F(T, UINT, behind,   none, MAY,  0,   "0.1.0", "Bytes of the spool that it has still to read.") \
	F(T, UINT, shipped,  none, MAY,  0,   "0.1.0", "Records shipped since the daemon's start.") \
	F(T, UINT, rejected, none, MAY,  0,   "0.1.0", "Records that it refused for ever.") \
	F(T, UINT, pid,      none, MAY,  0,   "0.1.0", "Process id of its prodd-ship.")

#define WIRE_FIELDS_spool_request(F, T) \
	F(T, STR, app,  none, MAY, 128, "0.1.0", "Only this app.") \
	F(T, STR, sink, none, MAY, 64,  "0.1.0", "Only this sink.")

#define WIRE_FIELDS_spools(F, T) \
	F(T, STR,  policy, none,      MAY, 16,   "0.1.0", "always, interval or never.") \
	F(T, STR,  full,   none,      MAY, 16,   "0.1.0", "drop_oldest, drop_newest or block.") \
	F(T, UINT, bytes,  none,      MAY, 0,    "0.1.0", "Bytes of all segments.") \
	F(T, UINT, limit,  none,      MAY, 0,    "0.1.0", "Most bytes of all.") \
	F(T, LIST, spools, spool_row, MAY, 4096, "0.1.0", "The apps' spools.") \
	F(T, LIST, sinks,  sink_row,  MAY, 64,   "0.1.0", "The sinks.")

/* ---- what prodd and prodd-ship say */

#define WIRE_FIELDS_ship_cursor(F, T) \
	F(T, STR,  app,    none, MUST, 128, "0.1.0", "Name of the app, and of its directory in the spool.") \
	F(T, UINT, number, none, MAY,  0,   "0.1.0", "Number up to which the sink has everything.") \
	F(T, UINT, last,   none, MAY,  0,   "0.1.0", "Number of the last record that may be read.")

#define WIRE_FIELDS_ship_start(F, T) \
	F(T, STR,  sink,         none,        MUST, 64,   "0.1.0", "Name of the sink.") \
	F(T, STR,  type,         none,        MUST, 16,   "0.1.0", "file or stdout.") \
	F(T, STR,  format,       none,        MAY,  16,   "0.1.0", "json or logfmt.") \
	F(T, STR,  directory,    none,        MAY,  4096, "0.1.0", "file: where APP.jsonl is written.") \
	F(T, UINT, rotate_size,  none,        MAY,  0,    "0.1.0", "file: bytes at which it is rotated; 0: never.") \
	F(T, UINT, rotate_age_s, none,        MAY,  0,    "0.1.0", "file: seconds after which it is rotated; 0: never.") \
	F(T, UINT, keep_count,   none,        MAY,  0,    "0.1.0", "file: rotated files to keep; 0: all.") \
	F(T, UINT, keep_bytes,   none,        MAY,  0,    "0.1.0", "file: bytes of rotated files to keep; 0: all.") \
	F(T, STR,  compress,     none,        MAY,  16,   "0.1.0", "file: none, gzip or zstd.") \
	F(T, STR,  level,        none,        MAY,  16,   "0.1.0", "Lowest level that is shipped.") \
	F(T, STRS, apps,         none,        MAY,  1024, "0.1.0", "Only these apps; absent: all.") \
	F(T, LIST, cursors,      ship_cursor, MAY,  4096, "0.1.0", "Every app's spool.")

#define WIRE_FIELDS_ship_more(F, T) \
	F(T, LIST, cursors, ship_cursor, MUST, 4096, "0.1.0", "Spools that have grown, or are new; `number` counts for new ones.")

#define WIRE_FIELDS_ship_skip(F, T) \
	F(T, STR,  app,    none, MUST, 128, "0.1.0", "Name of the app.") \
	F(T, UINT, number, none, MUST, 0,   "0.1.0", "Go on from this number: what is below is given up.")

#define WIRE_FIELDS_ship_row(F, T) \
	F(T, STR,  app,         none, MUST, 128, "0.1.0", "Name of the app.") \
	F(T, UINT, number,      none, MAY,  0,   "0.1.0", "Number up to which the sink has everything, durably.") \
	F(T, UINT, shipped,     none, MAY,  0,   "0.1.0", "Records shipped since the sink's start.") \
	F(T, UINT, rejected,    none, MAY,  0,   "0.1.0", "Records refused for ever.") \
	F(T, UINT, missing,     none, MAY,  0,   "0.1.0", "Records that were gone before it had them.") \
	F(T, UINT, quarantined, none, MAY,  0,   "0.1.0", "Bytes of damage that were passed over.") \
	F(T, UINT, behind,      none, MAY,  0,   "0.1.0", "Bytes of segments that it has not read.") \
	F(T, UINT, time_ns,     none, MAY,  0,   "0.1.0", "Time of the last record shipped; 0: it has all.")

#define WIRE_FIELDS_ship_progress(F, T) \
	F(T, STR,  state,    none,     MUST, 16,   "0.1.0", "ok, retry or failed.") \
	F(T, STR,  reason,   none,     MAY,  512,  "0.1.0", "Why, for retry and failed.") \
	F(T, UINT, again_ms, none,     MAY,  0,    "0.1.0", "Milliseconds until the next try.") \
	F(T, LIST, rows,     ship_row, MAY,  4096, "0.1.0", "Spools of which there is something new to say.")

#define WIRE_FIELDS_ship_finish(F, T) \
	F(T, UINT, within_ms, none, MAY, 0, "0.1.0", "Time to ship what is in the spools; then it ends wherever it is.")

#define WIRE_RECORDS_LOG(R) \
	R(ring_attach,   "A ring.") \
	R(ring_attached, "A ring is read. An eventfd comes with it.") \
	R(log_push,      "Records.") \
	R(log_pushed,    "What became of them.") \
	R(log_sync,      "What is to be durable.") \
	R(level_row,     "A level in force.") \
	R(levels,        "The levels of an app.") \
	R(level_request, "A level to be set.") \
	R(levels_set,    "The levels of an app, and who was told.") \
	R(log_record,    "A record of the spool.") \
	R(log_tail,      "Which records.") \
	R(log_tailed,    "Records.") \
	R(drop_row,      "Records that were dropped for one reason.") \
	R(cursor_row,    "How far a sink is with one app.") \
	R(spool_row,     "An app's spool.") \
	R(sink_row,      "A sink.") \
	R(spool_request, "Which spools.") \
	R(spools,        "The spools and sinks.") \
	R(ship_cursor,   "How far an app's spool and a sink are.") \
	R(ship_start,    "What a sink is to do.") \
	R(ship_more,     "Spools have grown.") \
	R(ship_skip,     "A part of a spool is given up.") \
	R(ship_row,      "How far a sink is with an app.") \
	R(ship_progress, "How a sink does.") \
	R(ship_finish,   "A sink's end.")

#define WIRE_METHODS_LOG(M) \
	M(ring_attach,   "ring.attach",   CALL, APP,      ring_attach,   ring_attached, "0.1.0", "Shares the ring whose memfd comes with this frame; the answer brings the eventfd that wakes its reader.") \
	M(log_push,      "log.push",      CALL, APP,      log_push,      log_pushed,    "0.1.0", "Brings records without a ring. Answered when they are in the spool.") \
	M(log_sync,      "log.sync",      CALL, APP,      log_sync,      empty,         "0.1.0", "Answered when the records are durable.") \
	M(log_levels,    "log.levels",    NOTE, DAEMON,   levels,        empty,         "0.1.0", "The levels in force, whole: after ring.attach, and when they change.") \
	M(log_level,     "log.level",     CALL, OWN,      level_request, levels_set,    "0.1.0", "Sets or shows the levels of an app.") \
	M(log_tail,      "log.tail",      CALL, OWN,      log_tail,      log_tailed,    "0.1.0", "The latest records; with `follow` also later ones. Without `app`: operators only.") \
	M(log_record,    "log.record",    NOTE, DAEMON,   log_record,    empty,         "0.1.0", "One record, to a session that follows.") \
	M(spool_show,    "spool.show",    CALL, OPERATOR, spool_request, spools,        "0.1.0", "The spools, and how far each sink is.") \
	M(ship_start,    "ship.start",    CALL, PARENT,   ship_start,    empty,         "0.1.0", "Starts a sink.") \
	M(ship_more,     "ship.more",     NOTE, PARENT,   ship_more,     empty,         "0.1.0", "There is more to ship.") \
	M(ship_skip,     "ship.skip",     NOTE, PARENT,   ship_skip,     empty,         "0.1.0", "A part is given up.") \
	M(ship_rotate,   "ship.rotate",   NOTE, PARENT,   empty,         empty,         "0.1.0", "Rotates its files now.") \
	M(ship_finish,   "ship.finish",   CALL, PARENT,   ship_finish,   empty,         "0.1.0", "Ships the rest and ends.") \
	M(ship_progress, "ship.progress", NOTE, HELPER,   ship_progress, empty,         "0.1.0", "How far the sink is.")

#endif
