/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Everything that can be typed, written once: the parser, --help, the
 * completions and (by a test) the manual page follow these two tables.
 */
#ifndef PRODCTL_VERBS_H
#define PRODCTL_VERBS_H

#include <stdbool.h>

#include <prodd/error.h>

struct prodctl;

/* O(ID, "long name", 'short' or 0, value, help); `value` is NULL for a switch, "DUR" for a duration, "N" for
 * a number from 1, else any text. */
#define PRODCTL_OPTIONS(O) \
	O(SOCKET,     "socket",     0,   "PATH", "Socket, or directory of the sockets, of the daemon to ask.") \
	O(JSON,       "json",       0,   NULL,   "Print JSON, one object on a line, for programs.") \
	O(HELP,       "help",       'h', NULL,   "Say how it is used.") \
	O(VERSION,    "version",    'V', NULL,   "Say the version, commit, date and features of prodctl.") \
	O(ENV,        "env",        'e', "E",    "The environment meant, when an app has several.") \
	O(DRY_RUN,    "dry-run",    0,   NULL,   "Read, check and ask the instances, then change nothing.") \
	O(CONFIRM,    "confirm",    0,   "DUR",  "Roll back by itself after this time unless confirmed.") \
	O(FORCE,      "force",      0,   NULL,   "Commit over silence; never over what is invalid or rejected.") \
	O(TIMEOUT,    "timeout",    0,   "DUR",  "Longest wait for a transaction that runs already (30s).") \
	O(RESTART_OK, "restart-ok", 0,   NULL,   "End with 0 instead of 3 when instances need a restart.") \
	O(FOR,        "for",        0,   "DUR",  "Let the override, or the level, end by itself after this time.") \
	O(GENERATION, "generation", 0,   "N",    "Show this generation instead of the live one.") \
	O(FOLLOW,     "follow",     'f', NULL,   "Go on, and print what comes.") \
	O(APP,        "app",        0,   "APP",  "Only what is of this app.") \
	O(LEVEL,      "level",      0,   "LEVEL", "Only records of this level and above: trace, debug, info, warn, error.") \
	O(MATCH,      "match",      0,   "TEXT", "Only records with this text in their message or a field.") \
	O(LAST,       "last",       'n', "N",    "Begin with so many of the latest records (10, at most 1000).") \
	O(WATCH,      "watch",      'w', NULL,   "Go on, and print again every two seconds, with the rates between.")

enum option_id {
#define X(id, name, letter, value, help) OPTION_##id,
	PRODCTL_OPTIONS(X)
#undef X
	OPTION_COUNT
};

/* N("noun", help) */
#define PRODCTL_NOUNS(N) \
	N("config", "settings: show, change, check") \
	N("log",    "log records: look, follow, set levels") \
	N("spool",  "records that are kept, and their sinks")

#define WITH(option) (1u << OPTION_##option)

/* Taken by every verb. */
#define OPTIONS_COMMON (WITH(SOCKET) | WITH(JSON) | WITH(HELP) | WITH(VERSION))

/* V(handler, "noun" or "", "verb", "ARGUMENTS", options besides the common ones, help). In ARGUMENTS, what may
 * be left out stands in brackets. */
#define PRODCTL_VERBS(V) \
	V(reload, "", "reload", "[APP]", \
	  WITH(DRY_RUN) | WITH(CONFIRM) | WITH(FORCE) | WITH(TIMEOUT) | WITH(RESTART_OK), \
	  "Check the files, ask the instances, go live in all of them or in none.") \
	V(confirm, "", "confirm", "APP", WITH(ENV), \
	  "Keep a change that was to roll back by itself.") \
	V(config_show, "config", "show", "APP[/INSTANCE] [KEY]", WITH(ENV) | WITH(GENERATION), \
	  "Show the settings, and the file and line that each comes from.") \
	V(config_get, "config", "get", "APP[/INSTANCE] KEY", WITH(ENV) | WITH(GENERATION), \
	  "Print the bare value of a setting.") \
	V(config_explain, "config", "explain", "APP[/INSTANCE] KEY", WITH(ENV), \
	  "Show every place that sets a key, and which one wins.") \
	V(config_diff, "config", "diff", "APP [FROM [TO]]", WITH(ENV), \
	  "Show what differs between two generations, or the live one and the files.") \
	V(config_check, "config", "check", "APP|DIR", WITH(ENV), \
	  "Check the files of an app, or without a daemon those in DIR; nothing changes.") \
	V(config_set, "config", "set", "APP KEY VALUE", WITH(ENV) | WITH(FOR) | WITH(RESTART_OK), \
	  "Set a key over all files, until it is unset or its time is over.") \
	V(config_unset, "config", "unset", "APP KEY", WITH(ENV) | WITH(RESTART_OK), \
	  "End what config set did.") \
	V(config_history, "config", "history", "APP", WITH(ENV), \
	  "List the generations that are kept.") \
	V(config_rollback, "config", "rollback", "APP [GENERATION]", WITH(ENV) | WITH(RESTART_OK), \
	  "Make an older generation live again; without a number the one before.") \
	V(config_schema, "config", "schema", "APP", WITH(ENV), \
	  "List the keys that may be set, with their types and limits.") \
	V(status, "", "status", "[APP]", WITH(ENV), \
	  "Show how things are, problems first.") \
	V(events, "", "events", "", WITH(FOLLOW) | WITH(APP), \
	  "List what happened.") \
	V(log_tail, "log", "tail", "[APP]", WITH(FOLLOW) | WITH(APP) | WITH(LEVEL) | WITH(MATCH) | WITH(LAST), \
	  "Show the latest log records.") \
	V(log_level, "log", "level", "APP[/TARGET] [LEVEL]", WITH(FOR), \
	  "Show or set the level from which an app logs, as a whole or in one target.") \
	V(spool_list, "spool", "list", "", 0, \
	  "List the apps' spools and the sinks of log records.") \
	V(spool_show, "spool", "show", "[APP|SINK]", 0, \
	  "Show a spool or a sink in full, and how far each sink is.") \
	V(metrics, "", "metrics", "[APP] [PATTERN]", WITH(WATCH), \
	  "Show metrics with values, rates and quantiles.") \
	V(version, "", "version", "", 0, \
	  "Say the version of prodctl and of the daemon.") \
	V(help, "", "help", "[NOUN] [VERB]", 0, \
	  "Say how a verb is used.")

struct option {
	const char *name;
	char letter;
	const char *value;
	const char *help;
};

struct verb {
	const char *noun;	/* "": none */
	const char *name;
	const char *arguments;
	unsigned options;	/* WITH(...), the common ones included */
	const char *help;

	/* Returns the exit status, or -PRODD_E_X with *e filled. Prints into p->out and p->err. */
	int (*run)(struct prodctl *p, struct prodd_error *e);
};

extern const struct option options[OPTION_COUNT];
extern const struct verb verbs[];	/* the last one has no name */

/* Words of `arguments`: how many there may be, and how many there must be. */
unsigned verb_arguments_max(const struct verb *v);
unsigned verb_arguments_min(const struct verb *v);

/* The word at `index` without brackets, into `ret`: "APP[/INSTANCE]" stays. False when there is none. */
bool verb_argument(const struct verb *v, unsigned index, char *ret, size_t size);

/* NULL: none of that name. */
const struct verb *verb_find(const char *noun, const char *name);
bool verb_is_noun(const char *word);
const char *verb_noun_help(const char *noun);	/* "" for what is none */

#define X(handler, noun, verb, arguments, options, help) \
	int run_##handler(struct prodctl *p, struct prodd_error *e);
PRODCTL_VERBS(X)
#undef X

#endif
