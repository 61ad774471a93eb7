/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The handle: one instance of an app, connected to prodd as long as prodd is
 * there.  Made by prodd_new(), prepared by setters, put to work by
 * prodd_start(), ended by prodd_free().
 */
#ifndef PRODD_HANDLE_H
#define PRODD_HANDLE_H

#include <stdbool.h>
#include <stddef.h>

#include <prodd/error.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

struct prodd;

/*
 * The version of the library that runs: "0.1.0".
 * Threads: any.  Ownership: static text.  Returns: never NULL.  Since: 0.1.0.
 */
const char *prodd_client_version(void);

/* ---- life ------------------------------------------------------------------------------------------- */

/*
 * Makes a handle for an instance of `app`; nothing is opened or started yet.
 * Threads: any.  Ownership: `app` is borrowed; free the handle by prodd_free() or declare it prodd_auto.
 * Returns: the handle, or NULL when there is no memory.  A bad name is reported by prodd_start().  Since:
 * 0.1.0.
 */
struct prodd *prodd_new(const char *app);

/*
 * Ends the session and the library's thread (prodd_close()), and frees the handle.
 * Threads: any, but no other call on `p` may run or follow, and not from a callback.
 * Ownership: takes `p`; snapshots stay valid until their last reference is given back.
 * Returns: nothing.  Waits for a callback that runs at that moment.  Since: 0.1.0.
 */
void prodd_free(struct prodd *p);

static inline void prodd_auto_free(struct prodd **p)
{
	prodd_free(*p);
}

/* Frees the handle when the variable goes out of scope: prodd_auto struct prodd *p = prodd_new("orders"); */
#define prodd_auto __attribute__((cleanup(prodd_auto_free)))

/* ---- settings: before prodd_start() ----------------------------------------------------------------- */

/*
 * Connects to the socket at `path`, instead of $PRODD_SOCKET, else $XDG_RUNTIME_DIR/prodd/app.sock where
 * that exists, else /run/prodd/app.sock.
 * Threads: one at a time.  Ownership: `path` is borrowed.
 * Returns: 0; -PRODD_E_USAGE when started already or `path` is NULL or empty; -PRODD_E_TOO_LARGE when `path`
 * is over 107 bytes; -PRODD_E_NO_MEMORY.  Since: 0.1.0.
 */
int prodd_set_socket(struct prodd *p, const char *path);

/*
 * Names this instance, instead of the instance part of its systemd unit, else its process id.
 * Threads: one at a time.  Ownership: `name` is borrowed.
 * Returns: 0; -PRODD_E_USAGE when started already or `name` is NULL, empty or not UTF-8; -PRODD_E_TOO_LARGE
 * when it is over 64 bytes; -PRODD_E_NO_MEMORY.  Since: 0.1.0.
 */
int prodd_set_instance(struct prodd *p, const char *name);

/*
 * Names the environment ("production") whose files this instance wants, instead of $RUN_ENV.  The daemon's
 * own settings for the app come first.
 * Threads: one at a time.  Ownership: `name` is borrowed.
 * Returns: as prodd_set_instance().  Since: 0.1.0.
 */
int prodd_set_environment(struct prodd *p, const char *name);

/*
 * Says whether environment variables that begin with APP_ replace settings for this instance
 * (APP_DATABASE_HOST sets database.host).  They do by default; they are read once, by prodd_start(), and
 * never in a program that runs with more rights than its caller (secure_getenv(3)).
 * Threads: one at a time.  Ownership: none.
 * Returns: 0; -PRODD_E_USAGE when started already.  Since: 0.1.0.
 */
int prodd_set_variables(struct prodd *p, bool use);

/*
 * Keeps the last good configuration in the directory `path`, instead of $CACHE_DIRECTORY, else
 * $XDG_CACHE_HOME/prodd, else ~/.cache/prodd; NULL: nowhere.  It serves starts without a daemon.
 * Threads: one at a time.  Ownership: `path` is borrowed.
 * Returns: 0; -PRODD_E_USAGE when started already or `path` is empty; -PRODD_E_NO_MEMORY.  Since: 0.1.0.
 */
int prodd_set_cache(struct prodd *p, const char *path);

/*
 * Sets the longest pause between two attempts to connect, 5000 ms by default; 0: one attempt, and no other
 * after the connection is lost.
 * Threads: one at a time.  Ownership: none.
 * Returns: 0; -PRODD_E_USAGE when started already, or out of 0 .. 3600000.  Since: 0.1.0.
 */
int prodd_set_reconnect(struct prodd *p, int longest_ms);

/*
 * Runs without a thread of the library's: the program watches prodd_fd() for reading, and calls
 * prodd_dispatch().
 * Threads: one at a time.  Ownership: none.
 * Returns: 0; -PRODD_E_USAGE when started already.  Since: 0.1.0.
 */
int prodd_set_own_loop(struct prodd *p);

/*
 * Takes what the library has to say (a key that no schema knows, a cache file that cannot be used): `text`
 * is one line without newline, borrowed; `priority` is one of syslog(3)'s, LOG_ERR, LOG_WARNING or LOG_INFO.
 * Called from any thread that uses `p` or a snapshot of it, several at once; not after prodd_free().
 */
typedef void prodd_log_callback(int priority, const char *text, void *arg);

/*
 * Sets who takes the library's messages, instead of stderr (which gets errors and warnings); NULL: nobody.
 * Threads: one at a time.  Ownership: `arg` is borrowed until prodd_free() has returned.
 * Returns: 0; -PRODD_E_USAGE when started already.  Since: 0.1.0.
 */
int prodd_set_log(struct prodd *p, prodd_log_callback *callback, void *arg);

/* ---- work ------------------------------------------------------------------------------------------- */

/*
 * Starts to connect and returns at once; whether a daemon is there makes no difference.
 * Threads: one at a time.  Ownership: *e is filled.
 * Returns: 0; -PRODD_E_USAGE for a bad app name or when started already; -PRODD_E_TOO_LARGE for a socket
 * path from the environment over 107 bytes; -PRODD_E_NO_MEMORY; -PRODD_E_IO when no descriptor or thread can
 * be had. Since: 0.1.0.
 */
int prodd_start(struct prodd *p, struct prodd_error *e);

/*
 * Waits until there is a configuration to use, for at most `timeout_ms`; negative: without limit.  A cached
 * one serves when the first attempt to connect fails, or at the timeout.  With an own loop it dispatches
 * meanwhile.
 * Threads: any, not from a callback.  Ownership: *e is filled.
 * Returns: 0; -PRODD_E_NO_CONFIG at the timeout, when neither the daemon nor the cache has any; at once
 * -PRODD_E_INVALID when the files, or this instance's variables, are invalid and nothing older is valid: *e
 * is the first error ("/etc/orders/default.conf:4: upstream.timout: unknown key"); -PRODD_E_REJECTED when
 * the validator rejects the only one there is; -PRODD_E_NOT_PERMITTED when none is served under the app's
 * name to this user; -PRODD_E_TIMEOUT when a daemon is there but did not answer in time; -PRODD_E_USAGE
 * before prodd_start() or from a callback; -PRODD_E_CLOSED after prodd_close().  Since: 0.1.0.
 */
int prodd_wait_config(struct prodd *p, int timeout_ms, struct prodd_error *e);

/*
 * The descriptor to watch for reading with an own loop: one number for the whole life of the handle, in a
 * forked child too.  (After the program itself has closed it, by closefrom(3), call this again.)
 * Threads: any.  Ownership: the library's: neither read, written nor closed by the program.
 * Returns: the descriptor; -1, which poll(2) skips, without own loop, before prodd_start() and for NULL.
 * Since: 0.1.0.
 */
int prodd_fd(struct prodd *p);

/*
 * Does what there is to do, callbacks included, and returns; never waits.
 * Threads: any; when another thread dispatches at that moment it returns 0 at once.  Ownership: *e is
 * filled.
 * Returns: 0, whatever the daemon does; -PRODD_E_USAGE without own loop, before prodd_start() or from a
 * callback; -PRODD_E_CLOSED after prodd_close(); -PRODD_E_IO when descriptors had to be made anew and could
 * not (it is tried again by the next call).  Since: 0.1.0.
 */
int prodd_dispatch(struct prodd *p, struct prodd_error *e);

/*
 * Ends the session and the library's thread; the configuration in use can still be read.
 * Threads: any, not from a callback.  Ownership: none.
 * Returns: 0; -PRODD_E_USAGE from a callback.  Waits for a callback that runs at that moment, and for at most
 * 250 ms until a daemon that is there has the log records; without one they go to a file in the cache directory
 * and are shipped by the next instance of the app.  Since: 0.1.0.
 */
int prodd_close(struct prodd *p);

/* ---- queries ---------------------------------------------------------------------------------------- */

enum prodd_state {
	PRODD_STATE_OFF = 0,		/* not started, closed, or no handle */
	PRODD_STATE_WAITING = 1,	/* nothing to use yet */
	PRODD_STATE_CACHED = 2,		/* uses the cached configuration; no daemon has confirmed it */
	PRODD_STATE_APPLIED = 3,	/* uses what was live when the daemon was last heard */
	PRODD_STATE_RESTART = 4,	/* its validator asked for a restart: stays on its old generation */
	PRODD_STATE_DIVERGED = 5,	/* rejected the live generation; keeps the one before, if any */
	PRODD_STATE_REFUSED = 6,	/* its own variables or schema break the live generation; as before */
	PRODD_STATE_INVALID = 7,	/* the daemon has no valid configuration, and nothing is cached */
	PRODD_STATE_SEPARATE = 8	/* the app's name is not granted to this user: none is served */
};

/*
 * Where this instance stands; *why (may be NULL) gets the reason, code PRODD_OK when there is none to give.
 * Threads: any.  Ownership: *why is filled.  Returns: the state.  Since: 0.1.0.
 */
enum prodd_state prodd_state(struct prodd *p, struct prodd_error *why);

/*
 * Whether a daemon is connected and has welcomed this instance.
 * Threads: any.  Ownership: none.  Returns: true or false.  Since: 0.1.0.
 */
bool prodd_is_connected(struct prodd *p);

/*
 * Copies the name of this instance ("8080") as the daemon shows it; before the first connection the one that
 * was set, else the process id.
 * Threads: any.  Ownership: `name`, of `size` bytes, is filled and ends with NUL; 129 bytes are always
 * enough.
 * Returns: the bytes of the whole name, also when it was cut; 0 and "" for NULL.  Since: 0.1.0.
 */
size_t prodd_instance_name(struct prodd *p, char *name, size_t size);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
#endif
