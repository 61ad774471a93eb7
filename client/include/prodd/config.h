/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Configuration: immutable snapshots, getters, the validator and the change
 * callback, and a schema written in code.
 *
 * A snapshot is one generation as this instance uses it: files, its APP_
 * variables, overrides.  It never changes; a reload makes another one current.
 * Values read from one snapshot belong together.
 *
 * Getters, by name (one hash look-up) or by key handle (two loads):
 *
 *   unknown key   A key that neither a schema nor the files have is an error of the program: logged once
 *                 for each key, and the value is 0, false or "".  The getters ending in _or give their
 *                 fallback instead, and say nothing.
 *   unset key     A key that the schema knows but that has no value gives 0, false, "" or the fallback.
 *   conversion    Without a schema values are served as written, and getters convert them: "30s" to a
 *                 duration, "64MiB" to a size, "42" to an int, an int to a float.  What does not convert
 *                 is logged once and counts as unset.
 */
#ifndef PRODD_CONFIG_H
#define PRODD_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <prodd/error.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)
#ifdef __cplusplus	/* -Wshadow: functions here have the names of structs, as stat(2) does */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wshadow"
#endif

struct prodd;
struct prodd_config;

/* ---- snapshots -------------------------------------------------------------------------------------- */

/*
 * The configuration in use now.
 * Threads: any; wait-free.  Ownership: shares; give it back by prodd_config_unref() or declare the variable
 * prodd_auto_config.  It stays as it is, and valid, beyond reloads and prodd_free().
 * Returns: the snapshot; NULL while there is none.  Since: 0.1.0.
 */
const struct prodd_config *prodd_config(struct prodd *p);

/*
 * Takes a further reference.
 * Threads: any; wait-free.  Ownership: shares.  Returns: `c`.  Since: 0.1.0.
 */
const struct prodd_config *prodd_config_ref(const struct prodd_config *c);

/*
 * Gives a reference back; the last one frees the snapshot.
 * Threads: any; wait-free.  Ownership: takes one reference.  Returns: NULL.  Since: 0.1.0.
 */
const struct prodd_config *prodd_config_unref(const struct prodd_config *c);

static inline void prodd_auto_config_unref(const struct prodd_config **c)
{
	prodd_config_unref(*c);
}

/* Gives the reference back at the end of the scope:
 *	prodd_auto_config const struct prodd_config *c = prodd_config(p); */
#define prodd_auto_config __attribute__((cleanup(prodd_auto_config_unref)))

/*
 * Number of its generation, counted from 1 for each app and environment.
 * Threads: any.  Ownership: none.  Returns: the number; 0 for NULL.  Since: 0.1.0.
 */
uint64_t prodd_config_generation(const struct prodd_config *c);

/*
 * Hash of its generation, as prodctl shows it.
 * Threads: any.  Ownership: borrowed from the snapshot.  Returns: the text; "" for NULL.  Since: 0.1.0.
 */
const char *prodd_config_hash(const struct prodd_config *c);

/*
 * Environment whose files it was made of ("production").
 * Threads: any.  Ownership: borrowed from the snapshot.  Returns: the text; "" for NULL.  Since: 0.1.0.
 */
const char *prodd_config_environment(const struct prodd_config *c);

/*
 * Number of keys in it, unset ones included.
 * Threads: any.  Ownership: none.  Returns: the number; 0 for NULL.  Since: 0.1.0.
 */
size_t prodd_config_count(const struct prodd_config *c);

/*
 * Name of its key number `i`, from 0, in order of the names.
 * Threads: any.  Ownership: borrowed from the snapshot.
 * Returns: the name; NULL at the end, and for a NULL snapshot.  Since: 0.1.0.
 */
const char *prodd_config_name(const struct prodd_config *c, size_t i);

/* ---- getters by name -------------------------------------------------------------------------------- */

/*
 * Whether `key` has a value.
 * Threads: any.  Ownership: `key` is borrowed.  Returns: true or false; logs nothing.  Since: 0.1.0.
 */
bool prodd_config_has(const struct prodd_config *c, const char *key);

/*
 * Type of `key` by its schema, else that of the literal: "bool", "int", "float", "string", "duration",
 * "size", "enum" or "list".
 * Threads: any.  Ownership: static text.  Returns: the type; "" for an unknown key.  Since: 0.1.0.
 */
const char *prodd_config_type(const struct prodd_config *c, const char *key);

/*
 * An int.
 * Threads: any.  Ownership: `key` is borrowed.
 * Returns: the value; 0 (or `fallback`) when unknown, unset or not a whole number.  Since: 0.1.0.
 */
int64_t prodd_config_int(const struct prodd_config *c, const char *key);
int64_t prodd_config_int_or(const struct prodd_config *c, const char *key, int64_t fallback);

/*
 * A bool.
 * Threads: any.  Ownership: `key` is borrowed.
 * Returns: the value; false (or `fallback`) when unknown, unset or neither true nor false.  Since: 0.1.0.
 */
bool prodd_config_bool(const struct prodd_config *c, const char *key);
bool prodd_config_bool_or(const struct prodd_config *c, const char *key, bool fallback);

/*
 * A float; ints too.
 * Threads: any.  Ownership: `key` is borrowed.
 * Returns: the value; 0 (or `fallback`) when unknown, unset or not a number.  Since: 0.1.0.
 */
double prodd_config_float(const struct prodd_config *c, const char *key);
double prodd_config_float_or(const struct prodd_config *c, const char *key, double fallback);

/*
 * A string or enum; any other value as prodd prints it: "42", "1.5s", "64MiB", "true", "[a, b]".
 * Threads: any.  Ownership: borrowed from the snapshot; `fallback` is returned as it is.
 * Returns: the text, ending with NUL; "" (or `fallback`) when unknown or unset.  Since: 0.1.0.
 */
const char *prodd_config_string(const struct prodd_config *c, const char *key);
const char *prodd_config_string_or(const struct prodd_config *c, const char *key, const char *fallback);

/*
 * A duration in nanoseconds.
 * Threads: any.  Ownership: `key` is borrowed.
 * Returns: the value; 0 (or `fallback`) when unknown, unset or not a duration (a bare number other than 0
 * has no unit).  Since: 0.1.0.
 */
int64_t prodd_config_duration_ns(const struct prodd_config *c, const char *key);
int64_t prodd_config_duration_ns_or(const struct prodd_config *c, const char *key, int64_t fallback);

/*
 * A size in bytes.
 * Threads: any.  Ownership: `key` is borrowed.
 * Returns: the value; 0 (or `fallback`) when unknown, unset or not a size.  Since: 0.1.0.
 */
int64_t prodd_config_size(const struct prodd_config *c, const char *key);
int64_t prodd_config_size_or(const struct prodd_config *c, const char *key, int64_t fallback);

/*
 * Number of elements of a list; a value that is none counts as a list of one.
 * Threads: any.  Ownership: `key` is borrowed.  Returns: the number; 0 when unknown or unset.  Since: 0.1.0.
 */
size_t prodd_config_list_count(const struct prodd_config *c, const char *key);

/*
 * Element `i`, from 0, of a list, converted as by the getter of the same name.
 * Threads: any.  Ownership: texts are borrowed from the snapshot.
 * Returns: the element; 0, false or "" beyond the end, when unknown, unset or not convertible.  Since:
 * 0.1.0.
 */
int64_t prodd_config_list_int(const struct prodd_config *c, const char *key, size_t i);
bool prodd_config_list_bool(const struct prodd_config *c, const char *key, size_t i);
double prodd_config_list_float(const struct prodd_config *c, const char *key, size_t i);
const char *prodd_config_list_string(const struct prodd_config *c, const char *key, size_t i);

/* ---- getters by key handle -------------------------------------------------------------------------- */

/* A key looked up once. A plain value, may be copied; its members are the library's. */
struct prodd_key {
	const char *name;
	unsigned int slot;
};

/*
 * Makes a handle of the key `name`, for reading it by two loads.  Made before prodd_start() it is fast in
 * every snapshot; later, in those that come after it.  The key need not exist.
 * Threads: any.  Ownership: `name` is borrowed; the handle is valid, in forked children too, until
 * prodd_free().
 * Returns: the handle; one that reads 0, false and "" when `p` or `name` is NULL, and when there is no
 * memory (then logged).  Since: 0.1.0.
 */
struct prodd_key prodd_key(struct prodd *p, const char *name);

/*
 * As the getters by name.
 * Threads: any.  Ownership: texts are borrowed from the snapshot.
 * Returns: the value; 0, false or "" when unknown, unset or not convertible.  Since: 0.1.0.
 */
bool prodd_key_has(const struct prodd_config *c, struct prodd_key key);
int64_t prodd_key_int(const struct prodd_config *c, struct prodd_key key);
bool prodd_key_bool(const struct prodd_config *c, struct prodd_key key);
double prodd_key_float(const struct prodd_config *c, struct prodd_key key);
const char *prodd_key_string(const struct prodd_config *c, struct prodd_key key);
int64_t prodd_key_duration_ns(const struct prodd_config *c, struct prodd_key key);
int64_t prodd_key_size(const struct prodd_config *c, struct prodd_key key);

/* ---- the validator ---------------------------------------------------------------------------------- */

/*
 * Judges a configuration before anything uses it: `c` is what this instance would run with.  Ends with
 * `return 0`, `return prodd_reject(why, ...)` or `return prodd_restart_needed(why, ...)`.  It must change
 * nothing: what it accepts may still be rolled back because another instance rejects it.  It has
 * `answer_timeout` (5 s by default). `c` and `why` are borrowed; keep `c` by prodd_config_ref().
 */
typedef int prodd_validate_callback(const struct prodd_config *c, struct prodd_error *why, void *arg);

/*
 * Sets the validator; NULL: everything is accepted.  It judges offers, the first configuration and a cached
 * one.
 * Threads: one at a time, before prodd_start().  Ownership: `arg` is borrowed until prodd_free() has
 * returned.
 * Returns: 0; -PRODD_E_USAGE when started already.  Since: 0.1.0.
 */
int prodd_on_validate(struct prodd *p, prodd_validate_callback *callback, void *arg);

/*
 * Rejects: nobody gets the candidate, and the operator reads the reason.  Begin it with the key to blame.
 * Threads: any.  Ownership: *why is filled (may be NULL).  Returns: -PRODD_E_REJECTED.  Since: 0.1.0.
 */
int prodd_reject(struct prodd_error *why, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/*
 * Agrees to the candidate, but for the next start of the program: this instance stays whole on its
 * generation.
 * Threads: any.  Ownership: *why is filled (may be NULL).  Returns: a positive number.  Since: 0.1.0.
 */
int prodd_restart_needed(struct prodd_error *why, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* ---- changes ---------------------------------------------------------------------------------------- */

struct prodd_changes;

/*
 * Told after the switch to `now`.  The first configuration is a change from nothing: every key that has a
 * value. Ends with `return 0`, or, when the program cannot put it to use, with `return prodd_reject(why,
 * ...)`: nothing is undone, but the operator sees this instance as diverged, with the reason. All arguments
 * are borrowed until it returns; keep `now` by prodd_config_ref().
 */
typedef int prodd_change_callback(struct prodd *p, const struct prodd_config *now,
				  const struct prodd_changes *changes, struct prodd_error *why, void *arg);

/*
 * Sets who is told of changes; NULL: nobody.
 * Threads: one at a time, before prodd_start().  Ownership: `arg` is borrowed until prodd_free() has
 * returned.
 * Returns: 0; -PRODD_E_USAGE when started already.  Since: 0.1.0.
 */
int prodd_on_change(struct prodd *p, prodd_change_callback *callback, void *arg);

/*
 * Number of keys whose value differs.
 * Threads: the callback's.  Ownership: none.  Returns: the number; 0 for NULL.  Since: 0.1.0.
 */
size_t prodd_changes_count(const struct prodd_changes *changes);

/*
 * Name of the changed key number `i`, from 0, in order of the names.
 * Threads: the callback's.  Ownership: borrowed until the callback returns.
 * Returns: the name; NULL at the end and for NULL.  Since: 0.1.0.
 */
const char *prodd_changes_name(const struct prodd_changes *changes, size_t i);

/*
 * Whether `key` changed, or any below it: "database" stands for all of "database.*" too.
 * Threads: the callback's.  Ownership: `key` is borrowed.  Returns: true or false.  Since: 0.1.0.
 */
bool prodd_changes_has(const struct prodd_changes *changes, const char *key);

/*
 * The configuration that was in use before.
 * Threads: the callback's.  Ownership: borrowed until the callback returns; keep it by prodd_config_ref().
 * Returns: the snapshot; NULL when there was none.  Since: 0.1.0.
 */
const struct prodd_config *prodd_changes_before(const struct prodd_changes *changes);

/* ---- a schema in code ------------------------------------------------------------------------------- */

/*
 * A key of the schema, as an entry of schema.conf; members left out are 0, and say nothing.
 *	static const struct prodd_schema_key keys[] = {
 *		{ .key = "server.port", .type = "int", .def = "8080", .min = "1", .restart = true },
 *	};
 */
struct prodd_schema_key {
	const char *key;		/* "database.max_connections" */
	const char *type;		/* bool, int, float, string, duration, size, enum or list */
	const char *def;		/* default as text: "true", "10", "0.5", "db.internal", "2s" */
	const char *const *def_list;	/* default of a list: texts, NULL at the end */
	bool required;			/* a file must set it, unless it has a default */
	bool restart;			/* a running instance keeps its old value until it restarts */
	const char *min;		/* of int, float, duration, size: the smallest allowed, as text */
	const char *max;		/* and the largest */
	unsigned int min_length;	/* of string (bytes) and list (elements): the fewest */
	unsigned int max_length;	/* and the most; 0: no limit of its own */
	const char *pattern;		/* POSIX extended regular expression that texts must match */
	const char *const *one_of;	/* the only texts allowed, NULL at the end */
	const char *help;		/* one sentence for people */
};

/*
 * Adds keys to the schema that this program sends; it holds beside the one in schema.conf.  Call it as
 * prodd_declare(), which fills in `size`, sizeof(struct prodd_schema_key) where the program was compiled.
 * Threads: one at a time, before prodd_start().
 * Ownership: `keys` and all it points to are borrowed; *e is filled.
 * Returns: 0; -PRODD_E_USAGE when started already, and for a key whose name, type, default or limit is wrong;
 * -PRODD_E_TOO_LARGE for a text or list over its limit, and for more than 5,000 keys; -PRODD_E_NO_MEMORY.
 * After an error none of `keys` is added.  Since: 0.1.0.
 */
int prodd_declare_keys(struct prodd *p, const struct prodd_schema_key *keys, size_t count, size_t size,
		       struct prodd_error *e);

static inline int prodd_declare(struct prodd *p, const struct prodd_schema_key *keys, size_t count,
				struct prodd_error *e)
{
	return prodd_declare_keys(p, keys, count, sizeof *keys, e);
}

#ifdef __cplusplus
#pragma GCC diagnostic pop
#endif
#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
#endif
