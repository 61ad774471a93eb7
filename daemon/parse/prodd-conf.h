/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every setting of prodd.conf, written once: its rule, the shipped file and the
 * table in prodd.conf(5) come from here.
 *
 *   S("key", "type", "default", "min", "max", "words", "pattern", "help")
 *
 * Default, min and max are written as in the file; words are separated by
 * spaces; "" means none.  "*" in a key is the name of an app.
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
