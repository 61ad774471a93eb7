/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The schema of the wire, written once.  Structs (wire.h), codec tables
 * (wire.c), prodd-protocol(7) and the golden ABI file come from these lists.
 *
 * A record is a MessagePack map with string keys.  Rows are
 *
 *   F(T, KIND, name, record, NEED, max, since, help)
 *
 *   T       handed through: whatever the walker needs to know of the record
 *   KIND    BOOL   false, true
 *           UINT   0 .. 2^64-1
 *           INT    -2^63 .. 2^63-1
 *           STR    UTF-8 text, at most `max` bytes
 *           BIN    bytes, at most `max` of them
 *           VALUE  one nil, bool, int, float, str, bin or array of these, at most `max` bytes encoded
 *           LIST   array of at most `max` records of the kind `record`
 *           STRS   array of at most `max` texts
 *   NEED    MUST   its absence is an error
 *           MAY    absence means false, 0, "" or []; such a value is not sent
 *   since   the first version that knows the field
 *
 * Names and types never change meaning; a receiver skips keys that it does
 * not know.
 */
#ifndef PRODD_PROTO_SCHEMA_H
#define PRODD_PROTO_SCHEMA_H

/* ---- records that others are made of -------------------------------------------------------- */

#define WIRE_FIELDS_empty(F, T)

#define WIRE_FIELDS_variable(F, T) \
	F(T, STR, name,  none, MUST, 256,   "0.1.0", "Name of an environment variable, with its prefix \"APP_\".") \
	F(T, STR, value, none, MAY,  65536, "0.1.0", "Its value.")

#define WIRE_FIELDS_schema_key(F, T) \
	F(T, STR,   key,        none, MUST, 255,   "0.1.0", "Dotted name: \"database.max_connections\".") \
	F(T, STR,   type,       none, MUST, 16,    "0.1.0", "bool, int, float, string, duration, size, enum or list.") \
	F(T, VALUE, def,        none, MAY,  65536, "0.1.0", "Default, in the form of config_entry.value.") \
	F(T, BOOL,  required,   none, MAY,  0,     "0.1.0", "A file must set it, unless it has a default.") \
	F(T, VALUE, min,        none, MAY,  64,    "0.1.0", "Smallest number, duration or size allowed.") \
	F(T, VALUE, max,        none, MAY,  64,    "0.1.0", "Largest number, duration or size allowed.") \
	F(T, UINT,  min_length, none, MAY,  0,     "0.1.0", "Fewest bytes of a string, or elements of a list.") \
	F(T, UINT,  max_length, none, MAY,  0,     "0.1.0", "Most bytes of a string, or elements of a list; 0: no limit of its own.") \
	F(T, STR,   pattern,    none, MAY,  1024,  "0.1.0", "POSIX extended regular expression that a string, or each element of a list, must match.") \
	F(T, STRS,  one_of,     none, MAY,  256,   "0.1.0", "The only texts allowed.") \
	F(T, BOOL,  restart,    none, MAY,  0,     "0.1.0", "A running instance keeps its old value until it restarts.") \
	F(T, STR,   help,       none, MAY,  1024,  "0.1.0", "One sentence for people.") \
	F(T, STR,   origin,     none, MAY,  4096,  "0.1.0", "Where the key is declared: \"schema.conf:9\", or \"code of orders/8080\".")

#define WIRE_FIELDS_config_entry(F, T) \
	F(T, STR,   key,     none, MUST, 255,   "0.1.0", "Dotted name of the setting.") \
	F(T, STR,   type,    none, MUST, 16,    "0.1.0", "Type by the schema; without one the literal's: bool, int, float, string or list.") \
	F(T, VALUE, value,   none, MAY,  65536, "0.1.0", "The value: a duration is an int of nanoseconds, a size an int of bytes, an enum a str, a list an array of scalars. Absent: known to the schema, but set nowhere.") \
	F(T, BOOL,  restart, none, MAY,  0,     "0.1.0", "The setting takes effect at the next start of the program only.")

#define WIRE_FIELDS_kept_key(F, T) \
	F(T, STR, key,   none, MUST, 255,  "0.1.0", "A setting whose new value waits for a restart.") \
	F(T, STR, value, none, MAY,  1024, "0.1.0", "The value in use until then, as text.")

#define WIRE_FIELDS_problem(F, T) \
	F(T, STR,  file, none, MAY, 4096, "0.1.0", "File as an operator would open it; empty: not about a file.") \
	F(T, UINT, line, none, MAY, 0,    "0.1.0", "Line in the file, from 1.") \
	F(T, STR,  key,  none, MAY, 255,  "0.1.0", "Dotted name of the setting.") \
	F(T, STR,  text, none, MUST, 1024, "0.1.0", "What is wrong and what was expected.")

#define WIRE_FIELDS_candidate(F, T) \
	F(T, STR,  layer, none, MUST, 64,   "0.1.0", "default, file, variable or override.") \
	F(T, STR,  file,  none, MAY,  4096, "0.1.0", "File relative to the app's directory, or name of the variable.") \
	F(T, UINT, line,  none, MAY,  0,    "0.1.0", "Line in the file, from 1.") \
	F(T, STR,  text,  none, MAY,  1024, "0.1.0", "The value as text.")

#define WIRE_FIELDS_tree_entry(F, T) \
	F(T, STR,   key,        none,      MUST, 255,   "0.1.0", "Dotted name.") \
	F(T, STR,   type,       none,      MUST, 16,    "0.1.0", "As in config_entry.") \
	F(T, VALUE, value,      none,      MAY,  65536, "0.1.0", "As in config_entry.") \
	F(T, BOOL,  restart,    none,      MAY,  0,     "0.1.0", "As in config_entry.") \
	F(T, LIST,  candidates, candidate, MAY,  64,    "0.1.0", "Where the key is set, the winner first, then downwards to the default.")

#define WIRE_FIELDS_override(F, T) \
	F(T, STR,  key,        none, MUST, 255,  "0.1.0", "Dotted name.") \
	F(T, STR,  text,       none, MAY,  4096, "0.1.0", "The value as it was typed.") \
	F(T, UINT, expires_ms, none, MAY,  0,    "0.1.0", "Milliseconds since 1970 (UTC) at which it ends; 0: never by itself.") \
	F(T, STR,  who,        none, MAY,  256,  "0.1.0", "Who set it.")

/* ---- the beginning of a session ---------------------------------------------------------------- */

#define WIRE_FIELDS_hello(F, T) \
	F(T, UINT, protocol,     none,     MUST, 0,   "0.1.0", "Highest version of this protocol that the sender speaks.") \
	F(T, UINT, protocol_min, none,     MAY,  0,   "0.1.0", "Lowest one; absent: the same as `protocol`.") \
	F(T, STR,  client,       none,     MUST, 128, "0.1.0", "Name and version of the sending library or program.") \
	F(T, STR,  app,          none,     MAY,  64,  "0.1.0", "App that the sender is an instance of; absent: a command.") \
	F(T, STR,  instance,     none,     MAY,  64,  "0.1.0", "Name of this instance; absent: the unit's instance part, else the pid.") \
	F(T, STR,  environment,  none,     MAY,  64,  "0.1.0", "Value of RUN_ENV.") \
	F(T, LIST, variables,    variable, MAY,  512, "0.1.0", "The environment variables that begin with \"APP_\".")

#define WIRE_FIELDS_welcome(F, T) \
	F(T, UINT, protocol,    none, MUST, 0,   "0.1.0", "The version spoken from here on.") \
	F(T, STR,  daemon,      none, MUST, 128, "0.1.0", "Version of prodd.") \
	F(T, UINT, pid,         none, MUST, 0,   "0.1.0", "Process id of prodd.") \
	F(T, STR,  epoch,       none, MUST, 64,  "0.1.0", "Identity of the daemon's state; generations of different epochs do not compare.") \
	F(T, STR,  app,         none, MAY,  128, "0.1.0", "The name granted: the one claimed, or \"NAME~USER\".") \
	F(T, STR,  instance,    none, MAY,  128, "0.1.0", "The instance's name here.") \
	F(T, STR,  environment, none, MAY,  64,  "0.1.0", "Environment whose files are served.") \
	F(T, BOOL, served,      none, MAY,  0,   "0.1.0", "Configuration is served under the name granted.")

#define WIRE_FIELDS_going_away(F, T) \
	F(T, STR, reason, none, MAY, 256, "0.1.0", "Why the daemon goes. Keep working, and connect again.")

/* ---- configuration: what an app and the daemon say --------------------------------------------- */

#define WIRE_FIELDS_declare(F, T) \
	F(T, LIST, keys, schema_key, MAY, 1024, "0.1.0", "Keys of the schema that is written in the app's code.") \
	F(T, BOOL, more, none,       MAY, 0,    "0.1.0", "Another config.declare follows; the schema counts from the one without.")

#define WIRE_FIELDS_subscribe(F, T) \
	F(T, STR,  epoch,      none, MAY, 64, "0.1.0", "Epoch of the generation that the app uses now.") \
	F(T, UINT, generation, none, MAY, 0,  "0.1.0", "Its number; 0: none.") \
	F(T, STR,  hash,       none, MAY, 64, "0.1.0", "Its hash.") \
	F(T, LIST, kept,       kept_key, MAY, 512, "0.1.0", "Settings of it that wait for a restart of the app.")

#define WIRE_FIELDS_subscribed(F, T) \
	F(T, STR,  state,    none,    MUST, 16,   "0.1.0", "current: the app's generation is the live one; follows: config.apply comes next; none: no configuration yet; invalid: see problems; separate: none is served under this name.") \
	F(T, LIST, problems, problem, MAY,  1024, "0.1.0", "What is wrong with the files, or with this instance's variables.")

#define WIRE_FIELDS_apply(F, T) \
	F(T, STR,  epoch,       none,         MUST, 64,   "0.1.0", "Epoch of the generation.") \
	F(T, UINT, generation,  none,         MUST, 0,    "0.1.0", "Its number.") \
	F(T, STR,  hash,        none,         MUST, 64,   "0.1.0", "Its hash; covers the snapshot, not the overlay.") \
	F(T, STR,  environment, none,         MAY,  64,   "0.1.0", "Environment it belongs to.") \
	F(T, LIST, overlay,     config_entry, MAY,  512,  "0.1.0", "Entries of this instance's variables; each replaces the snapshot's.") \
	F(T, LIST, snapshot,    config_entry, MAY,  8192, "0.1.0", "All entries, sorted by key.")

#define WIRE_FIELDS_applied(F, T) \
	F(T, STR,  state,  none,     MUST, 16,  "0.1.0", "applied; restart: the instance stays whole on its old generation until it restarts; diverged: it cannot use it.") \
	F(T, STR,  reason, none,     MAY,  512, "0.1.0", "Why, for restart and diverged.") \
	F(T, LIST, kept,   kept_key, MAY,  512, "0.1.0", "Settings that keep their old value until a restart.")

#define WIRE_FIELDS_offer(F, T) \
	F(T, UINT, txn,         none,         MUST, 0,    "0.1.0", "Number of the transaction; never used again.") \
	F(T, UINT, deadline_ms, none,         MUST, 0,    "0.1.0", "Time for the answer, counted from the receipt.") \
	F(T, STR,  epoch,       none,         MUST, 64,   "0.1.0", "Epoch of the candidate.") \
	F(T, UINT, generation,  none,         MUST, 0,    "0.1.0", "Number of the candidate.") \
	F(T, STR,  hash,        none,         MUST, 64,   "0.1.0", "Hash of the candidate.") \
	F(T, STR,  environment, none,         MAY,  64,   "0.1.0", "Environment it belongs to.") \
	F(T, LIST, overlay,     config_entry, MAY,  512,  "0.1.0", "As in apply.") \
	F(T, LIST, snapshot,    config_entry, MAY,  8192, "0.1.0", "As in apply. Not to be used before config.commit.")

#define WIRE_FIELDS_verdict(F, T) \
	F(T, STR, verdict, none, MUST, 16,  "0.1.0", "accept; reject; restart: commit it, this instance needs a restart to use it.") \
	F(T, STR, reason,  none, MAY,  512, "0.1.0", "Why, for reject and restart: begins with the key when one is to blame.")

#define WIRE_FIELDS_commit(F, T) \
	F(T, UINT, txn,        none, MUST, 0, "0.1.0", "Transaction that was decided: use its candidate now.") \
	F(T, UINT, generation, none, MUST, 0, "0.1.0", "Number of the candidate.")

#define WIRE_FIELDS_abort(F, T) \
	F(T, UINT, txn,    none, MUST, 0,   "0.1.0", "Transaction that ended without a change: forget its candidate.") \
	F(T, STR,  reason, none, MAY,  512, "0.1.0", "Why.")

#define WIRE_FIELDS_refused(F, T) \
	F(T, UINT, generation, none,    MAY,  0,    "0.1.0", "Generation that this instance cannot get.") \
	F(T, LIST, problems,   problem, MUST, 1024, "0.1.0", "What is wrong with this instance's variables or its own schema.")

/* ---- configuration: what operators ask ----------------------------------------------------------- */

#define WIRE_FIELDS_reload(F, T) \
	F(T, STR,  app,        none, MAY, 128, "0.1.0", "App to reload; absent: every app whose files differ from live.") \
	F(T, BOOL, dry_run,    none, MAY, 0,   "0.1.0", "Read, check and ask the instances, then abort.") \
	F(T, BOOL, force,      none, MAY, 0,   "0.1.0", "Commit over silence; never over invalid or rejected. Operators only.") \
	F(T, UINT, confirm_ms, none, MAY, 0,   "0.1.0", "Roll back by itself after this time unless confirmed; 0: do not.") \
	F(T, UINT, timeout_ms, none, MAY, 0,   "0.1.0", "Longest wait for a transaction that runs already; 0: 30 s.")

#define WIRE_FIELDS_change(F, T) \
	F(T, STR,  key,     none, MUST, 255,  "0.1.0", "Dotted name.") \
	F(T, STR,  old,     none, MAY,  1024, "0.1.0", "Old value as text; absent with `added`.") \
	F(T, STR,  now,     none, MAY,  1024, "0.1.0", "New value as text; absent with `removed`.") \
	F(T, BOOL, added,   none, MAY,  0,    "0.1.0", "The key had no value before.") \
	F(T, BOOL, removed, none, MAY,  0,    "0.1.0", "The key has no value any more.") \
	F(T, BOOL, restart, none, MAY,  0,    "0.1.0", "Running instances keep the old value until they restart.") \
	F(T, STR,  file,    none, MAY,  4096, "0.1.0", "File (or override) that sets the new value, relative to the app's directory.") \
	F(T, UINT, line,    none, MAY,  0,    "0.1.0", "Line in it, from 1.")

#define WIRE_FIELDS_instance_report(F, T) \
	F(T, STR,  instance, none,     MUST, 128, "0.1.0", "Name of the instance.") \
	F(T, STR,  answer,   none,     MAY,  16,  "0.1.0", "accepted, rejected, restart, silent, gone, or joined: came during the transaction.") \
	F(T, STR,  state,    none,     MAY,  16,  "0.1.0", "applied, restart, diverged, unconfirmed, refused, rolled_back or unchanged.") \
	F(T, STR,  reason,   none,     MAY,  512, "0.1.0", "Why, in the instance's own words.") \
	F(T, LIST, kept,     kept_key, MAY,  512, "0.1.0", "Settings that keep their old value until a restart.") \
	F(T, UINT, pid,      none,     MAY,  0,   "0.1.0", "Its process id.") \
	F(T, UINT, heard_ms, none,     MAY,  0,   "0.1.0", "Milliseconds since the last byte from it.") \
	F(T, STR,  process,  none,     MAY,  64,  "0.1.0", "State of its process: running, sleeping, stopped, zombie ...")

#define WIRE_FIELDS_report(F, T) \
	F(T, STR,  app,         none,            MUST, 128,  "0.1.0", "Name of the app.") \
	F(T, STR,  environment, none,            MAY,  64,   "0.1.0", "Environment; absent: the app's only one.") \
	F(T, STR,  outcome,     none,            MUST, 16,   "0.1.0", "committed, unchanged, invalid, rejected, no_answer, busy, failed, would_commit or no_files.") \
	F(T, UINT, exit,        none,            MAY,  0,    "0.1.0", "Exit status of prodctl for this row.") \
	F(T, UINT, from,        none,            MAY,  0,    "0.1.0", "Generation that was live before; 0: none.") \
	F(T, UINT, to,          none,            MAY,  0,    "0.1.0", "Generation that is, or would be, live now.") \
	F(T, UINT, elapsed_ms,  none,            MAY,  0,    "0.1.0", "Time from the request to the last confirmation.") \
	F(T, UINT, timeout_ms,  none,            MAY,  0,    "0.1.0", "Time that the instances had for their answers.") \
	F(T, UINT, confirm_at,  none,            MAY,  0,    "0.1.0", "Milliseconds since 1970 at which it rolls back unless confirmed.") \
	F(T, LIST, changes,     change,          MAY,  8192, "0.1.0", "What differs, by key.") \
	F(T, LIST, instances,   instance_report, MAY,  1024, "0.1.0", "What each instance said and did.") \
	F(T, LIST, problems,    problem,         MAY,  1024, "0.1.0", "Every error of every file.") \
	F(T, STRS, linked,      none,            MAY,  64,   "0.1.0", "Other apps of the same transaction, linked by a changed shared file.") \
	F(T, STR,  note,        none,            MAY,  512,  "0.1.0", "A further sentence for people.")

#define WIRE_FIELDS_reports(F, T) \
	F(T, LIST, reports, report, MAY, 1024, "0.1.0", "A row for each app and environment.") \
	F(T, BOOL, joined,  none,   MAY, 0,    "0.1.0", "The request joined a transaction that ran already.")

#define WIRE_FIELDS_app_request(F, T) \
	F(T, STR, app,         none, MUST, 128, "0.1.0", "Name of the app.") \
	F(T, STR, environment, none, MAY,  64,  "0.1.0", "Environment; absent: the app's default one, or its only live one.")

#define WIRE_FIELDS_show(F, T) \
	F(T, STR,  app,         none, MUST, 128, "0.1.0", "Name of the app.") \
	F(T, STR,  environment, none, MAY,  64,  "0.1.0", "As in app_request.") \
	F(T, STR,  instance,    none, MAY,  128, "0.1.0", "Show what this instance sees, its variables applied.") \
	F(T, STR,  key,         none, MAY,  255, "0.1.0", "One key, or all below this group.") \
	F(T, UINT, generation,  none, MAY,  0,   "0.1.0", "Generation; 0: the live one.")

#define WIRE_FIELDS_shown(F, T) \
	F(T, STR,  app,         none,       MUST, 128,  "0.1.0", "Name of the app.") \
	F(T, STR,  environment, none,       MAY,  64,   "0.1.0", "Environment shown.") \
	F(T, STR,  epoch,       none,       MAY,  64,   "0.1.0", "Epoch of the generation.") \
	F(T, UINT, generation,  none,       MAY,  0,    "0.1.0", "Generation shown.") \
	F(T, BOOL, schema,      none,       MAY,  0,    "0.1.0", "A schema exists, in a file or from code.") \
	F(T, LIST, entries,     tree_entry, MAY,  8192, "0.1.0", "The settings, sorted by key.")

#define WIRE_FIELDS_seen_variable(F, T) \
	F(T, STR,  instance, none, MUST, 128,   "0.1.0", "Name of the instance.") \
	F(T, STR,  value,    none, MAY,  65536, "0.1.0", "Value of the variable there.") \
	F(T, STR,  problem,  none, MAY,  1024,  "0.1.0", "Why the value is refused.")

#define WIRE_FIELDS_explained(F, T) \
	F(T, STR,  app,         none,          MUST, 128,  "0.1.0", "Name of the app.") \
	F(T, STR,  environment, none,          MAY,  64,   "0.1.0", "Environment shown.") \
	F(T, UINT, generation,  none,          MAY,  0,    "0.1.0", "The live generation.") \
	F(T, LIST, entries,     tree_entry,    MUST, 1,    "0.1.0", "The setting.") \
	F(T, LIST, rules,       schema_key,    MAY,  1,    "0.1.0", "Its rule.") \
	F(T, STR,  variable,    none,          MAY,  256,  "0.1.0", "Name of the variable that would set it.") \
	F(T, LIST, variables,   seen_variable, MAY,  1024, "0.1.0", "Instances in whose environment the variable is set.")

#define WIRE_FIELDS_diff(F, T) \
	F(T, STR,  app,         none, MUST, 128, "0.1.0", "Name of the app.") \
	F(T, STR,  environment, none, MAY,  64,  "0.1.0", "As in app_request.") \
	F(T, UINT, from,        none, MAY,  0,   "0.1.0", "Older generation; 0: the live one.") \
	F(T, UINT, to,          none, MAY,  0,   "0.1.0", "Newer generation; 0: the files.")

#define WIRE_FIELDS_set(F, T) \
	F(T, STR,  app,         none, MUST, 128,  "0.1.0", "Name of the app.") \
	F(T, STR,  environment, none, MAY,  64,   "0.1.0", "As in app_request.") \
	F(T, STR,  key,         none, MUST, 255,  "0.1.0", "Dotted name.") \
	F(T, STR,  value,       none, MAY,  4096, "0.1.0", "Value as it would stand in a file; a bare word is taken as a string.") \
	F(T, UINT, for_ms,      none, MAY,  0,    "0.1.0", "Lifetime; 0: until it is unset.")

#define WIRE_FIELDS_unset(F, T) \
	F(T, STR, app,         none, MUST, 128, "0.1.0", "Name of the app.") \
	F(T, STR, environment, none, MAY,  64,  "0.1.0", "As in app_request.") \
	F(T, STR, key,         none, MUST, 255, "0.1.0", "Dotted name of an override.")

#define WIRE_FIELDS_rollback(F, T) \
	F(T, STR,  app,         none, MUST, 128, "0.1.0", "Name of the app.") \
	F(T, STR,  environment, none, MAY,  64,  "0.1.0", "As in app_request.") \
	F(T, UINT, generation,  none, MAY,  0,   "0.1.0", "Generation whose content goes live again, under a new number; 0: the one before.")

#define WIRE_FIELDS_generation_row(F, T) \
	F(T, UINT, generation, none, MUST, 0,   "0.1.0", "Number.") \
	F(T, UINT, created_ms, none, MUST, 0,   "0.1.0", "When it was decided, milliseconds since 1970 (UTC).") \
	F(T, STR,  cause,      none, MAY,  256, "0.1.0", "Why: \"files changed\", \"reload by root\", \"rollback to 16 by root\" ...") \
	F(T, UINT, changes,    none, MAY,  0,   "0.1.0", "Keys that differ from the generation before it.") \
	F(T, STR,  hash,       none, MAY,  64,  "0.1.0", "Its hash.") \
	F(T, BOOL, live,       none, MAY,  0,   "0.1.0", "It is the live one.")

#define WIRE_FIELDS_history(F, T) \
	F(T, STR,  app,         none,           MUST, 128, "0.1.0", "Name of the app.") \
	F(T, STR,  environment, none,           MAY,  64,  "0.1.0", "Environment.") \
	F(T, LIST, generations, generation_row, MAY,  256, "0.1.0", "Newest first.")

#define WIRE_FIELDS_schema(F, T) \
	F(T, STR,  app,         none,       MUST, 128,  "0.1.0", "Name of the app.") \
	F(T, STR,  environment, none,       MAY,  64,   "0.1.0", "Environment.") \
	F(T, BOOL, strict,      none,       MAY,  0,    "0.1.0", "Keys that no schema knows are errors.") \
	F(T, LIST, keys,        schema_key, MAY,  8192, "0.1.0", "All keys, sorted by name.")

/* ---- the daemon's own state ----------------------------------------------------------------------- */

#define WIRE_FIELDS_status_request(F, T) \
	F(T, STR, app, none, MAY, 128, "0.1.0", "Only this app.")

#define WIRE_FIELDS_status_problem(F, T) \
	F(T, STR,  id,       none, MUST, 32,   "0.1.0", "Row of the list of problems: config_differs, app_claim ...") \
	F(T, STR,  subject,  none, MUST, 160,  "0.1.0", "What it is about: \"config orders\".") \
	F(T, UINT, since_ms, none, MAY,  0,    "0.1.0", "Milliseconds since 1970 (UTC).") \
	F(T, STRS, lines,    none, MAY,  16,   "0.1.0", "What happened and why; its effect; what happens next.") \
	F(T, STR,  command,  none, MAY,  256,  "0.1.0", "The command to type.")

#define WIRE_FIELDS_instance_status(F, T) \
	F(T, STR,  instance,    none,     MUST, 128, "0.1.0", "Name of the instance.") \
	F(T, STR,  environment, none,     MAY,  64,  "0.1.0", "Its environment.") \
	F(T, UINT, pid,         none,     MAY,  0,   "0.1.0", "Process id; 0: in a foreign pid namespace.") \
	F(T, UINT, uid,         none,     MAY,  0,   "0.1.0", "User id.") \
	F(T, STR,  unit,        none,     MAY,  256, "0.1.0", "systemd unit, when it counts.") \
	F(T, STR,  client,      none,     MAY,  128, "0.1.0", "Library or program that speaks.") \
	F(T, UINT, generation,  none,     MAY,  0,   "0.1.0", "Generation that it confirmed.") \
	F(T, STR,  state,       none,     MAY,  16,  "0.1.0", "applied, restart, diverged, unconfirmed, refused, waiting or separate.") \
	F(T, STR,  reason,      none,     MAY,  512, "0.1.0", "Why.") \
	F(T, LIST, kept,        kept_key, MAY,  512, "0.1.0", "Settings that keep their old value until a restart.") \
	F(T, UINT, up_ms,       none,     MAY,  0,   "0.1.0", "Milliseconds since it connected.") \
	F(T, UINT, heard_ms,    none,     MAY,  0,   "0.1.0", "Milliseconds since the last byte from it.") \
	F(T, UINT, bytes_in,    none,     MAY,  0,   "0.1.0", "Bytes received from it in this session.") \
	F(T, UINT, bytes_out,   none,     MAY,  0,   "0.1.0", "Bytes sent to it in this session.")

#define WIRE_FIELDS_app_status(F, T) \
	F(T, STR,  app,         none,            MUST, 128,  "0.1.0", "Name of the app.") \
	F(T, STR,  environment, none,            MAY,  64,   "0.1.0", "Environment.") \
	F(T, UINT, generation,  none,            MAY,  0,    "0.1.0", "Live generation; 0: none.") \
	F(T, BOOL, schema,      none,            MAY,  0,    "0.1.0", "A schema exists.") \
	F(T, STR,  transaction, none,            MAY,  64,   "0.1.0", "Phase of the running transaction.") \
	F(T, UINT, confirm_at,  none,            MAY,  0,    "0.1.0", "When it rolls back unless confirmed, milliseconds since 1970.") \
	F(T, STR,  directory,   none,            MAY,  4096, "0.1.0", "Directory of its files.") \
	F(T, LIST, overrides,   override,        MAY,  256,  "0.1.0", "Overrides in force.") \
	F(T, LIST, instances,   instance_status, MAY,  1024, "0.1.0", "Its connected instances.") \
	F(T, UINT, records,     none,            MAY,  0,    "0.1.0", "Log records taken since the daemon's start.") \
	F(T, UINT, records_rate, none,           MAY,  0,    "0.1.0", "Log records of the last 10 s, a thousand times per second.") \
	F(T, UINT, dropped,     none,            MAY,  0,    "0.1.0", "Log records dropped since the daemon's start, for any reason.") \
	F(T, LIST, drops,       drop_row,        MAY,  32,   "0.1.0", "The same by reason.") \
	F(T, UINT, series,      none,            MAY,  0,    "0.1.0", "Series of metrics.")

#define WIRE_FIELDS_counter(F, T) \
	F(T, STR,  name,  none, MUST, 64,  "0.1.0", "Name of the counter.") \
	F(T, UINT, value, none, MAY,  0,   "0.1.0", "Its value since the daemon's start.") \
	F(T, STR,  help,  none, MAY,  256, "0.1.0", "What it counts.")

#define WIRE_FIELDS_account_status(F, T) \
	F(T, UINT, uid,       none, MUST, 0, "0.1.0", "User id.") \
	F(T, UINT, sessions,  none, MAY,  0, "0.1.0", "Sessions open.") \
	F(T, UINT, bytes,     none, MAY,  0, "0.1.0", "Bytes that the daemon keeps for it now: input, output and pending.") \
	F(T, UINT, bytes_max, none, MAY,  0, "0.1.0", "The most there were.") \
	F(T, UINT, refused,   none, MAY,  0, "0.1.0", "Connections and requests refused over a limit.") \
	F(T, UINT, bytes_in,  none, MAY,  0, "0.1.0", "Bytes received from it since the daemon's start.") \
	F(T, UINT, bytes_out, none, MAY,  0, "0.1.0", "Bytes sent to it since the daemon's start.")

#define WIRE_FIELDS_status(F, T) \
	F(T, STR,  version,     none,           MUST, 128,  "0.1.0", "Version of prodd.") \
	F(T, STR,  place,       none,           MUST, 4096, "0.1.0", "Directory of its sockets.") \
	F(T, UINT, pid,         none,           MUST, 0,    "0.1.0", "Process id.") \
	F(T, UINT, up_ms,       none,           MAY,  0,    "0.1.0", "Milliseconds since it started to accept.") \
	F(T, STR,  environment, none,           MAY,  64,   "0.1.0", "Environment by prodd.conf.") \
	F(T, STR,  epoch,       none,           MAY,  64,   "0.1.0", "Identity of its state.") \
	F(T, LIST, problems,    status_problem, MAY,  256,  "0.1.0", "What needs a person, worst first.") \
	F(T, LIST, apps,        app_status,     MAY,  4096, "0.1.0", "A row for each app and live environment.") \
	F(T, LIST, sinks,       sink_row,       MAY,  64,   "0.1.0", "The sinks of log records.") \
	F(T, LIST, counters,    counter,        MAY,  256,  "0.1.0", "prodd's own counters.") \
	F(T, LIST, accounts,    account_status, MAY,  1024, "0.1.0", "What each uid uses.")

#define WIRE_FIELDS_events_request(F, T) \
	F(T, UINT, after,  none, MAY, 0,   "0.1.0", "Only events with a higher number.") \
	F(T, STR,  app,    none, MAY, 128, "0.1.0", "Only of this app.") \
	F(T, BOOL, follow, none, MAY, 0,   "0.1.0", "Send later ones as they happen, as `event`.")

#define WIRE_FIELDS_event(F, T) \
	F(T, UINT, number,   none, MUST, 0,    "0.1.0", "Number, rising by one since the daemon's start.") \
	F(T, UINT, time_ms,  none, MUST, 0,    "0.1.0", "Milliseconds since 1970 (UTC).") \
	F(T, STR,  kind,     none, MUST, 32,   "0.1.0", "connected, disconnected, committed, rejected ...") \
	F(T, STR,  app,      none, MAY,  128,  "0.1.0", "Name of the app.") \
	F(T, STR,  instance, none, MAY,  128,  "0.1.0", "Name of the instance.") \
	F(T, STR,  text,     none, MAY,  1024, "0.1.0", "A sentence.")

#define WIRE_FIELDS_events(F, T) \
	F(T, LIST, events,  event, MAY, 1024, "0.1.0", "Oldest first.") \
	F(T, UINT, dropped, none,  MAY, 0,    "0.1.0", "Older events that are no longer kept.")

/* ---- between prodd and prodd-parse ------------------------------------------------------------------ */

#define WIRE_FIELDS_source_file(F, T) \
	F(T, STR, name,    none, MUST, 4096,    "0.1.0", "File relative to the app's directory.") \
	F(T, STR, path,    none, MUST, 4096,    "0.1.0", "File as an operator would open it.") \
	F(T, STR, layer,   none, MUST, 16,      "0.1.0", "schema, default, environment or local (conf.d).") \
	F(T, BIN, content, none, MAY,  1048576, "0.1.0", "Its bytes.")

#define WIRE_FIELDS_parse(F, T) \
	F(T, STR,  app,         none,        MUST, 128,  "0.1.0", "Name of the app; \"prodd\": the daemon's own configuration, checked by its built-in schema.") \
	F(T, STR,  environment, none,        MAY,  64,   "0.1.0", "Environment.") \
	F(T, LIST, files,       source_file, MAY,  1024, "0.1.0", "The layers, lowest first; the schema before all.") \
	F(T, LIST, declared,    schema_key,  MAY,  8192, "0.1.0", "Keys that the instances' code declares.")

#define WIRE_FIELDS_parsed(F, T) \
	F(T, LIST, problems, problem,    MAY, 1024, "0.1.0", "Every error of every file; then nothing else counts.") \
	F(T, BOOL, schema,   none,       MAY, 0,    "0.1.0", "A schema exists, in a file or from code.") \
	F(T, BOOL, strict,   none,       MAY, 0,    "0.1.0", "Keys that no schema knows are errors.") \
	F(T, LIST, keys,     schema_key, MAY, 8192, "0.1.0", "The schema, sorted by key.") \
	F(T, LIST, entries,  tree_entry, MAY, 8192, "0.1.0", "The merged and checked settings, sorted by key.")

/* ---- on disk --------------------------------------------------------------------------------------- */

#define WIRE_FIELDS_source_mark(F, T) \
	F(T, STR, name, none, MUST, 4096, "0.1.0", "File relative to the app's directory.") \
	F(T, STR, real, none, MAY,  4096, "0.1.0", "Its real path, all links followed.") \
	F(T, STR, hash, none, MAY,  64,   "0.1.0", "Hash of its content.")

#define WIRE_FIELDS_generation(F, T) \
	F(T, STR,  epoch,       none,       MUST, 64,   "0.1.0", "Epoch of the state directory.") \
	F(T, STR,  app,         none,       MUST, 128,  "0.1.0", "Name of the app.") \
	F(T, STR,  environment, none,       MUST, 64,   "0.1.0", "Environment.") \
	F(T, UINT, number,      none,       MUST, 0,    "0.1.0", "Generation.") \
	F(T, UINT, created_ms,  none,       MUST, 0,    "0.1.0", "Milliseconds since 1970 (UTC).") \
	F(T, STR,  cause,       none,       MAY,  256,  "0.1.0", "Why it was made.") \
	F(T, STR,  sources,     none,       MAY,  64,   "0.1.0", "Hash of the files it was made of.") \
	F(T, STR,  hash,        none,       MUST, 64,   "0.1.0", "Hash of the snapshot that it serves.") \
	F(T, UINT, changes,     none,       MAY,  0,    "0.1.0", "Keys that differ from the generation before it.") \
	F(T, BOOL, schema,      none,       MAY,  0,    "0.1.0", "As in parsed.") \
	F(T, BOOL, strict,      none,       MAY,  0,    "0.1.0", "As in parsed.") \
	F(T, LIST, files,       source_mark, MAY, 1024, "0.1.0", "The files it was made of.") \
	F(T, LIST, overrides,   override,   MAY,  256,  "0.1.0", "Overrides in force.") \
	F(T, LIST, keys,        schema_key, MAY,  8192, "0.1.0", "The schema.") \
	F(T, LIST, entries,     tree_entry, MAY,  8192, "0.1.0", "The settings of the files, overrides not applied.")

#define WIRE_FIELDS_live_row(F, T) \
	F(T, STR,  app,          none, MUST, 128, "0.1.0", "Name of the app.") \
	F(T, STR,  environment,  none, MUST, 64,  "0.1.0", "Environment.") \
	F(T, UINT, generation,   none, MAY,  0,   "0.1.0", "Live generation; 0: none yet.") \
	F(T, UINT, previous,     none, MAY,  0,   "0.1.0", "The one that was live before it; 0: none.") \
	F(T, UINT, next,         none, MAY,  0,   "0.1.0", "Next number; those below are used or burnt.") \
	F(T, STR,  refused,      none, MAY,  64,  "0.1.0", "Hash of the latest files that were rejected or rolled back.") \
	F(T, STR,  refused_why,  none, MAY,  512, "0.1.0", "Why.") \
	F(T, UINT, refused_ms,   none, MAY,  0,   "0.1.0", "When, milliseconds since 1970 (UTC).") \
	F(T, UINT, fallback,     none, MAY,  0,   "0.1.0", "Generation to return to unless confirmed.") \
	F(T, STR,  boot,         none, MAY,  64,  "0.1.0", "Boot in which the confirmation was asked for.") \
	F(T, UINT, confirm_boot_ms, none, MAY, 0, "0.1.0", "CLOCK_BOOTTIME at which it rolls back, milliseconds.")

#define WIRE_FIELDS_declared(F, T) \
	F(T, STR,  app,  none,       MUST, 128,  "0.1.0", "Name of the app.") \
	F(T, LIST, keys, schema_key, MAY,  8192, "0.1.0", "The last schema that its code sent.")

#define WIRE_FIELDS_live(F, T) \
	F(T, STR,  epoch, none,     MUST, 64,   "0.1.0", "Epoch of the state directory.") \
	F(T, UINT, txn,   none,     MAY,  0,    "0.1.0", "Transaction that wrote this table; numbers below are used.") \
	F(T, LIST, rows,  live_row, MAY,  8192, "0.1.0", "A row for each app and environment.")

#include "proto/schema_log.h"
#include "proto/schema_metric.h"

/* Every record with its help: R(name, help). Order is free; names never change. */
#define WIRE_RECORDS(R) \
	R(empty,           "Nothing.") \
	R(variable,        "An environment variable.") \
	R(schema_key,      "A rule of a schema.") \
	R(config_entry,    "A setting as an app gets it.") \
	R(kept_key,        "A setting that waits for a restart.") \
	R(problem,         "One error of a configuration.") \
	R(candidate,       "One place that sets a key.") \
	R(tree_entry,      "A setting with its origin.") \
	R(override,        "A setting that an operator set by command.") \
	R(hello,           "The first message of every session.") \
	R(welcome,         "The answer to hello.") \
	R(going_away,      "The daemon is about to end.") \
	R(declare,         "A schema from code.") \
	R(subscribe,       "What the app has.") \
	R(subscribed,      "What happens next.") \
	R(apply,           "The live generation.") \
	R(applied,         "What the instance did with it.") \
	R(offer,           "A candidate.") \
	R(verdict,         "The instance's vote.") \
	R(commit,          "The decision: go.") \
	R(abort,           "The decision: no.") \
	R(refused,         "Why this instance gets nothing new.") \
	R(reload,          "A reload.") \
	R(change,          "A setting that differs.") \
	R(instance_report, "An instance's part in a transaction.") \
	R(report,          "The outcome for one app and environment.") \
	R(reports,         "The outcome of a request.") \
	R(app_request,     "An app.") \
	R(show,            "Which settings to show.") \
	R(shown,           "Settings.") \
	R(seen_variable,   "A variable in an instance's environment.") \
	R(explained,       "Where a setting comes from.") \
	R(diff,            "Two generations, or one and the files.") \
	R(set,             "An override.") \
	R(unset,           "The end of an override.") \
	R(rollback,        "A generation to return to.") \
	R(generation_row,  "A generation of the history.") \
	R(history,         "Generations.") \
	R(schema,          "A schema.") \
	R(status_request,  "Which part of the status.") \
	R(status_problem,  "Something that needs a person.") \
	R(instance_status, "An instance.") \
	R(app_status,      "An app in one environment.") \
	R(counter,         "A counter.") \
	R(account_status,  "What a uid uses.") \
	R(status,          "The daemon's state.") \
	R(events_request,  "Which events.") \
	R(event,           "Something that happened.") \
	R(events,          "Events.") \
	R(source_file,     "A file of a configuration.") \
	R(parse,           "Files to parse.") \
	R(parsed,          "A checked tree, or errors.") \
	R(source_mark,     "A file that a generation was made of.") \
	R(generation,      "A generation as it is stored.") \
	R(live_row,        "An app and environment in the table of live generations.") \
	R(declared,        "A stored schema from code.") \
	R(live,            "The table of live generations: its replacement is the decision.") \
	WIRE_RECORDS_LOG(R) \
	WIRE_RECORDS_METRIC(R)

/*
 * Every method: M(id, "name", KIND, sender, params, result, since, help).
 *   KIND    CALL  [0, id, name, params] answered by [1, id, error, result]
 *           NOTE  [2, name, params], not answered
 *   sender  who may send it:
 *           ANY       a session on either socket; ping: also prodd
 *           APP       a session whose hello named an app
 *           OWN       operators; and peers that may use the name `app` in it, for that app alone
 *           OPERATOR  sessions on the operators' socket
 *           DAEMON    prodd, to an app or to whoever asked for it
 *           PARENT    prodd, to a helper
 *           HELPER    a helper, to prodd
 */
#define WIRE_METHODS(M) \
	M(hello,            "hello",            CALL, ANY,      hello,          welcome,    "0.1.0", "Names the sender and chooses the protocol version. Must be the first message, within 2 s.") \
	M(ping,             "ping",             CALL, ANY,      empty,          empty,      "0.1.0", "Asks for an answer.") \
	M(going_away,       "going_away",       NOTE, DAEMON,   going_away,     empty,      "0.1.0", "The daemon ends or restarts; the app keeps working and connects again.") \
	M(config_declare,   "config.declare",   CALL, APP,      declare,        empty,      "0.1.0", "Declares the schema that the app's code knows; before config.subscribe.") \
	M(config_subscribe, "config.subscribe", CALL, APP,      subscribe,      subscribed, "0.1.0", "Asks for the live configuration now and every later one.") \
	M(config_apply,     "config.apply",     CALL, DAEMON,   apply,          applied,    "0.1.0", "Gives the live generation. It is decided; the answer says what the instance made of it.") \
	M(config_offer,     "config.offer",     CALL, DAEMON,   offer,          verdict,    "0.1.0", "Asks whether the instance could use a candidate.") \
	M(config_commit,    "config.commit",    CALL, DAEMON,   commit,         applied,    "0.1.0", "The candidate is live: switch to it.") \
	M(config_abort,     "config.abort",     NOTE, DAEMON,   abort,          empty,      "0.1.0", "The candidate is dropped: the configuration in use stays live.") \
	M(config_refused,   "config.refused",   NOTE, DAEMON,   refused,        empty,      "0.1.0", "This instance's own variables or schema break the live generation: it keeps what it has.") \
	M(reload,           "reload",           CALL, OWN,      reload,         reports,    "0.1.0", "Runs the transaction for the files as they are now. Answered when it has ended.") \
	M(confirm,          "confirm",          CALL, OWN,      app_request,    reports,    "0.1.0", "Keeps a change that was to roll back by itself.") \
	M(config_show,      "config.show",      CALL, OWN,      show,           shown,      "0.1.0", "Settings with their origin.") \
	M(config_explain,   "config.explain",   CALL, OWN,      show,           explained,  "0.1.0", "All places that set a key, and the winner.") \
	M(config_check,     "config.check",     CALL, OWN,      app_request,    reports,    "0.1.0", "Reads and checks the files; nobody is asked, nothing changes.") \
	M(config_diff,      "config.diff",      CALL, OPERATOR, diff,           reports,    "0.1.0", "What differs between two generations, or the live one and the files.") \
	M(config_set,       "config.set",       CALL, OPERATOR, set,            reports,    "0.1.0", "Sets an override.") \
	M(config_unset,     "config.unset",     CALL, OPERATOR, unset,          reports,    "0.1.0", "Ends an override.") \
	M(config_history,   "config.history",   CALL, OPERATOR, app_request,    history,    "0.1.0", "Generations that are kept.") \
	M(config_rollback,  "config.rollback",  CALL, OPERATOR, rollback,       reports,    "0.1.0", "Makes the content of an older generation live again.") \
	M(config_schema,    "config.schema",    CALL, OPERATOR, app_request,    schema,     "0.1.0", "The schema in force.") \
	M(status,           "status",           CALL, OWN,      status_request, status,     "0.1.0", "State, problems first. Without `app`: operators only.") \
	M(events,           "events",           CALL, OPERATOR, events_request, events,     "0.1.0", "Recent events; with `follow` also later ones.") \
	M(event,            "event",            NOTE, DAEMON,   event,          empty,      "0.1.0", "One event, to a session that follows.") \
	M(parse,            "parse",            CALL, PARENT,   parse,          parsed,     "0.1.0", "Parses, merges and checks files.") \
	WIRE_METHODS_LOG(M) \
	WIRE_METHODS_METRIC(M)

#endif
