/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every setting of prodd.conf, written once: its rule, the shipped file and the
 * table in prodd.conf(5) come from here.
 *
 *   S("key", "type", "default", "min", "max", "words", "pattern", "help")
 *
 * Default, min and max are written as in the file; words are separated by
 * spaces; "" means none.  "*" in a key is a name: of an app, of a sink.  Rows of a group stand together.
 */
#ifndef PRODD_PARSE_PRODD_CONF_H
#define PRODD_PARSE_PRODD_CONF_H

#define PRODD_CONF_SETTINGS(S) \
	S("environment", "string", "\"\"", "", "", "", "^([A-Za-z0-9][A-Za-z0-9_.-]*)?$", \
	  "Which ENVIRONMENT.conf of an app is read, unless its app block or RUN_ENV says otherwise. " \
	  "Empty: development.") \
	S("watch", "enum", "auto", "", "", "auto manual", "", \
	  "auto: changed files are read as soon as they are at rest. manual: only on prodctl reload.") \
	S("answer_timeout", "duration", "5s", "100ms", "10m", "", "", \
	  "How long the instances have to accept or reject a new configuration.") \
	S("no_answer", "enum", "abort", "", "", "abort proceed", "", \
	  "What happens when an instance does not answer in that time: abort rolls back in all instances, " \
	  "proceed commits without it.") \
	S("unknown_apps", "enum", "separate", "", "", "separate refuse", "", \
	  "What becomes of a program that may not use the name it claims: it works as NAME~USER without " \
	  "configuration, or is refused.") \
	S("history", "int", "20", "2", "1000", "", "", \
	  "Generations that are kept of each app and environment.") \
	S("limits.sessions", "int", "4096", "16", "1000000", "", "", \
	  "Connections in all.") \
	S("limits.sessions_per_uid", "int", "1024", "1", "1000000", "", "", \
	  "Connections of one user.") \
	S("limits.bytes_per_uid", "size", "16MiB", "1MiB", "4GiB", "", "", \
	  "Memory that prodd keeps for one user: what came in, what waits to be sent, what is pending.") \
	S("log.sync", "enum", "interval", "", "", "always interval never", "", \
	  "When log records are made durable. always: before they are acknowledged. interval: once in " \
	  "log.interval, so that a power cut takes that much at most. never: when the kernel likes.") \
	S("log.interval", "duration", "1s", "10ms", "1m", "", "", \
	  "For log.sync = interval.") \
	S("log.full", "enum", "drop_oldest", "", "", "drop_oldest drop_newest block", "", \
	  "What happens when the spool is full. block: nothing is taken any more until a sink has caught up; apps " \
	  "drop when their rings are full.") \
	S("log.limit", "size", "4GiB", "16MiB", "1024TiB", "", "", \
	  "Bytes of the spools of all apps.") \
	S("log.app_limit", "size", "1GiB", "16MiB", "1024TiB", "", "", \
	  "Bytes of the spool of one app.") \
	S("log.keep_free", "int", "10", "0", "90", "", "", \
	  "Percent of the file system that stay free: with less the spool counts as full.") \
	S("log.directory", "string", "\"\"", "", "", "", "^(/.*)?$", \
	  "Where the sinks of type file write, unless they say otherwise. Empty: the place that prodd(8) names.") \
	S("log.rate", "int", "0", "0", "100000000", "", "", \
	  "Log records per second that one app may bring, shared evenly by its instances; the others are dropped " \
	  "and counted. 0: no limit.") \
	S("log.burst", "int", "0", "0", "100000000", "", "", \
	  "Records that an app may bring at once, after it was quiet. 0: as many as log.rate.") \
	S("sink.*.type", "enum", "file", "", "", "file stdout", "", \
	  "file: a file for each app, APP.jsonl or APP.log. stdout: the standard output of prodd.") \
	S("sink.*.format", "enum", "json", "", "", "json logfmt", "", \
	  "Form of a line.") \
	S("sink.*.directory", "string", "\"\"", "", "", "", "^(/.*)?$", \
	  "file: where it writes. Empty: log.directory.") \
	S("sink.*.rotate_size", "size", "100MiB", "0", "1024TiB", "", "", \
	  "file: bytes from which a file is rotated. 0: never.") \
	S("sink.*.rotate_age", "duration", "0s", "0s", "8760h", "", "", \
	  "file: age from which a file is rotated. 0s: never.") \
	S("sink.*.keep", "int", "10", "0", "100000", "", "", \
	  "file: rotated files that are kept of each app. 0: all.") \
	S("sink.*.keep_bytes", "size", "0", "0", "1024TiB", "", "", \
	  "file: bytes of rotated files that are kept of each app. 0: all.") \
	S("sink.*.compress", "enum", "none", "", "", "none gzip zstd", "", \
	  "file: how rotated files are compressed.") \
	S("sink.*.level", "enum", "trace", "", "", "trace debug info warn error", "", \
	  "Lowest level that it gets.") \
	S("sink.*.apps", "list", "[]", "", "", "", "", \
	  "Names of the apps whose records it gets. Empty: all.") \
	S("sink.*.allowance", "size", "0", "0", "1024TiB", "", "", \
	  "Bytes of an app's spool that may wait for it; what is older it does not get. 0: log.app_limit.") \
	S("metrics.listen", "string", "\"\"", "", "", "", "^(([0-9.]+|\\[[0-9A-Fa-f:.]+\\]):[0-9]{1,5})?$", \
	  "Address and port for scrapes over TCP, as 127.0.0.1:9099 or [::1]:9099. Whoever reaches it can read all " \
	  "metrics. Empty: none.") \
	S("metrics.socket", "bool", "true", "", "", "", "", \
	  "Scrapes at http.sock in the run directory, by every user of the host.") \
	S("metrics.series", "int", "2000", "1", "1000000", "", "", \
	  "Series that one app may have; what is over it counts in one series more, so that sums stay right.") \
	S("app.*.unit", "string", "", "", "", "", "^[A-Za-z0-9:_.@*\\-]+\\.service$", \
	  "System unit whose processes may use the app's name, as orders.service or orders@*.service. This " \
	  "and the next two replace the rule that orders.service, the user orders and root may.") \
	S("app.*.user", "string", "", "", "", "", "^[^[:space:]:]+$", \
	  "User, by name or number, who may use the app's name.") \
	S("app.*.group", "string", "", "", "", "", "^[^[:space:]:]+$", \
	  "Group whose members may use the app's name.") \
	S("app.*.config", "string", "", "", "", "", "^/", \
	  "Directory of the app's files; else apps/NAME beside prodd.conf.") \
	S("app.*.environment", "string", "", "", "", "", "^[A-Za-z0-9][A-Za-z0-9_.-]*$", \
	  "Which ENVIRONMENT.conf the app reads, whatever its RUN_ENV says.")

#endif
