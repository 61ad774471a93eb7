/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The one error type and the one list of error codes: on the wire, in the
 * library and in the command.  This header is installed and needs only libc.
 */
#ifndef PRODD_ERROR_H
#define PRODD_ERROR_H

#include <stdarg.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

/*
 * Every error code, written once: X(NAME, number, word, retryable, exit, text).
 *   number     on the wire and in enum prodd_code; never renumbered
 *   word       the name on the wire ("code": "busy"), in JSON and in events
 *   retryable  1 when the same request may succeed later without a change
 *   exit       the status that prodctl ends with
 *   text       what it means, for the manual pages
 */
#define PRODD_ERRORS(X) \
	X(FAILED,        1, "failed",         0, 1, "the request could not be carried out") \
	X(USAGE,         2, "usage",          0, 2, "an argument is missing, unknown or out of range") \
	X(INVALID,       4, "invalid",        0, 4, "a configuration breaks its schema or its syntax") \
	X(REJECTED,      5, "rejected",       0, 5, "an instance rejected the offer; it was rolled back") \
	X(NO_ANSWER,     6, "no_answer",      1, 6, "an instance did not answer in time; it was rolled back") \
	X(UNREACHABLE,   7, "unreachable",    1, 7, "no daemon answers at the socket") \
	X(NOT_PERMITTED, 8, "not_permitted",  0, 8, "the kernel's credentials of the caller do not allow this") \
	X(BUSY,          9, "busy",           1, 9, "another transaction runs and did not end in time") \
	X(UNCONFIRMED,  10, "unconfirmed",    0, 10, "committed, but an instance diverged or did not confirm") \
	X(UNSUPPORTED,  20, "unsupported",    0, 1, "the method, protocol version or feature is not known here") \
	X(PROTOCOL,     21, "protocol",       0, 1, "a frame breaks the rules of the wire; the session ends") \
	X(TOO_LARGE,    22, "too_large",      0, 1, "a frame, value, list or name is over its limit") \
	X(NOT_FOUND,    23, "not_found",      0, 1, "no app, instance, key or generation of that name") \
	X(OVER_LIMIT,   24, "over_limit",     1, 1, "a limit of the caller's uid or of the daemon is reached") \
	X(TIMEOUT,      25, "timeout",        1, 1, "the deadline passed first") \
	X(NO_CONFIG,    26, "no_config",      1, 1, "no valid configuration exists yet, nor a cached one") \
	X(NO_MEMORY,    27, "no_memory",      1, 1, "an allocation failed") \
	X(IO,           28, "io",             1, 1, "a file, directory or socket could not be used") \
	X(CORRUPT,      29, "corrupt",        0, 1, "stored data is damaged or of a newer format") \
	X(CLOSED,       30, "closed",         1, 1, "the other side has gone, or the handle is closed")

enum prodd_code {
	PRODD_OK = 0,
#define X(name, number, word, retryable, exit_status, text) PRODD_E_##name = number,
	PRODD_ERRORS(X)
#undef X
};

/* Longest error text in bytes with the final NUL; longer texts are cut at a
 * character border. Room for a path, a key and a sentence. */
#define PRODD_ERROR_TEXT_MAX 480

/*
 * An error with its chain of context in one text, outermost first:
 * "orders: /etc/orders/default.conf:4: upstream.timout: unknown key".
 * A plain value: no ownership, may be copied, needs no release.
 */
struct prodd_error {
	int code;				/* enum prodd_code */
	char text[PRODD_ERROR_TEXT_MAX];	/* UTF-8, one line, never empty when code != 0 */
};

/*
 * Sets *e (when not NULL) and returns -code, so that a function can end with
 * `return prodd_error_set(e, PRODD_E_IO, "open %s: %s", path, strerror(errno));`
 * Threads: any; touches only *e.
 */
int prodd_error_set(struct prodd_error *e, int code, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
int prodd_error_vset(struct prodd_error *e, int code, const char *format, va_list args)
	__attribute__((format(printf, 3, 0)));

/* Puts "CONTEXT: " before the text of *e, and returns -e->code. */
int prodd_error_prefix(struct prodd_error *e, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* The word of a code ("busy"); "unknown" for a number that is not in the list. */
const char *prodd_error_word(int code);

/* The code of a word; PRODD_E_FAILED for a word of a newer version. */
int prodd_error_code(const char *word, size_t length);

/* 1 when the same call may succeed later without a change, else 0. */
int prodd_error_retryable(int code);

/* The exit status that prodctl uses for a code. */
int prodd_error_exit(int code);

/* The sentence of the list above. */
const char *prodd_error_meaning(int code);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
#endif
