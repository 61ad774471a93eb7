/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Log records.  A record for which a call returned 0, with the ring attached,
 * survives SIGKILL of this program: it is in memory that prodd shares.
 *
 *     prodd_info(p, "order served", prodd_int("order_id", 42), prodd_str("customer", name));
 *
 * Below the level in force nothing is evaluated: neither fields nor message.
 */
#ifndef PRODD_LOG_H
#define PRODD_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <prodd/handle.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

enum prodd_level {
	PRODD_TRACE = 0,
	PRODD_DEBUG = 1,
	PRODD_INFO = 2,
	PRODD_WARN = 3,
	PRODD_ERROR = 4,
	PRODD_OFF = 5		/* as a threshold: nothing */
};

/* ---- fields ------------------------------------------------------------------------------------------- */

enum prodd_field_type {
	PRODD_FIELD_BOOL = 1,
	PRODD_FIELD_INT = 2,
	PRODD_FIELD_UINT = 3,
	PRODD_FIELD_FLOAT = 4,
	PRODD_FIELD_STR = 5,
	PRODD_FIELD_BYTES = 6,
	PRODD_FIELD_SECRET = 7	/* its key leaves the process, its value never */
};

/* A field of a record; made by the functions below. Key and value are borrowed until the call that logs returns. (Plain
 * numbers, which a compiler keeps in registers.) */
struct prodd_field {
	const char *key;
	uint64_t type;		/* enum prodd_field_type */
	uint64_t size;		/* bytes of a text or of bytes */
	uint64_t value;		/* a number, the bits of a double, or the address of a text or of bytes */
};

static inline struct prodd_field prodd_field_(const char *key, enum prodd_field_type type, uint64_t size, uint64_t value)
{
	struct prodd_field f = { key, type, size, value };

	return f;
}

/*
 * Fields of a record.  A key is at most 128 bytes; a record has at most 64 fields.  A field whose key looks like a
 * secret's ("password", "db_token", "api-key" ...) is logged as "[secret]"; so is each prodd_secret_field(): the
 * value is not copied anywhere.
 * Threads: any.  Ownership: key and value are borrowed.  Returns: the field.  Since: 0.1.0.
 */
static inline struct prodd_field prodd_bool(const char *key, bool value)
{
	return prodd_field_(key, PRODD_FIELD_BOOL, 0, value);
}

static inline struct prodd_field prodd_int(const char *key, int64_t value)
{
	return prodd_field_(key, PRODD_FIELD_INT, 0, (uint64_t)value);
}

static inline struct prodd_field prodd_uint(const char *key, uint64_t value)
{
	return prodd_field_(key, PRODD_FIELD_UINT, 0, value);
}

static inline struct prodd_field prodd_float(const char *key, double value)
{
	uint64_t bits;

	__builtin_memcpy(&bits, &value, sizeof bits);
	return prodd_field_(key, PRODD_FIELD_FLOAT, 0, bits);
}

/* A text of `size` bytes; NULL is logged as null. */
static inline struct prodd_field prodd_text(const char *key, const char *value, size_t size)
{
	return prodd_field_(key, PRODD_FIELD_STR, size, (uint64_t)(uintptr_t)value);
}

/* A text that ends with NUL; NULL is logged as null. */
static inline struct prodd_field prodd_str(const char *key, const char *value)
{
	return prodd_text(key, value, value ? __builtin_strlen(value) : 0);
}

/* Bytes; in the JSON line they are base64. */
static inline struct prodd_field prodd_bytes(const char *key, const void *value, size_t size)
{
	return prodd_field_(key, PRODD_FIELD_BYTES, size, (uint64_t)(uintptr_t)value);
}

/* Something that must not be logged: "[secret]" is. */
static inline struct prodd_field prodd_secret_field(const char *key)
{
	return prodd_field_(key, PRODD_FIELD_SECRET, 0, 0);
}

/* ---- logging ------------------------------------------------------------------------------------------ */

/* Where a record is logged; static, made by the macros below. */
struct prodd_site {
	const char *target;	/* NULL: "main" */
	const char *source;	/* "orders.c:88" */
};

/* The first member of a handle: the lowest level that any target logs. ABI. */
struct prodd_threshold {
	int level;		/* read and written by atomic operations alone */
};

/* Whether a record of that level may be logged at all; one load. NULL: never. */
static inline bool prodd_logs(const struct prodd *p, enum prodd_level level)
{
	return p && (int)level >= __atomic_load_n(&((const struct prodd_threshold *)(const void *)p)->level,
						  __ATOMIC_RELAXED);
}

/*
 * Logs a record at the level, unless a level in force for the site's target is higher. Does not block, except as
 * prodd_set_log_blocking() says; makes no system call unless the daemon sleeps. The macros below call it.
 * Threads: any.  Not in a signal handler.  Ownership: everything is borrowed.
 * Returns: 0, also when the level is not logged or `p` is NULL; -PRODD_E_OVER_LIMIT when the ring is full (the record is
 * dropped, and counted: the count is shipped); -PRODD_E_TOO_LARGE when the record is over an eighth of the ring;
 * -PRODD_E_TIMEOUT when the app chose to wait for room and none came; -PRODD_E_CLOSED before prodd_start() and after
 * prodd_close() (the record is written to stderr instead, when the level is warn or error).  Since: 0.1.0.
 */
int prodd_log(struct prodd *p, enum prodd_level level, const struct prodd_site *site, const char *message,
	      const struct prodd_field *fields, size_t count);

/* The target of the records of a file; another one is defined before this header is included:
 *	#define PRODD_TARGET "db.pool" */
#ifndef PRODD_TARGET
#define PRODD_TARGET NULL
#endif

/*
 * Logs at a level, with any number of fields. An expression of type int: what prodd_log() returns. Arguments behind
 * the level are evaluated only if a record of that level may be logged.
 * Since: 0.1.0.
 */
#define prodd_trace(p, ...) PRODD_LOG(p, PRODD_TRACE, __VA_ARGS__)
#define prodd_debug(p, ...) PRODD_LOG(p, PRODD_DEBUG, __VA_ARGS__)
#define prodd_info(p, ...) PRODD_LOG(p, PRODD_INFO, __VA_ARGS__)
#define prodd_warn(p, ...) PRODD_LOG(p, PRODD_WARN, __VA_ARGS__)
#define prodd_error(p, ...) PRODD_LOG(p, PRODD_ERROR, __VA_ARGS__)

/*
 * Waits, for at most `timeout_ms` (negative: without limit), until all that this thread logged before is durable on
 * the host: written by prodd and synced.  With an own loop it dispatches meanwhile.
 * Threads: any, not from a callback.  Ownership: *e is filled.
 * Returns: 0; -PRODD_E_TIMEOUT when a daemon is there but is not done; -PRODD_E_CLOSED when no daemon has come in that
 * time (what is in the ring is kept until one comes), or after prodd_close(); -PRODD_E_IO when the daemon cannot make it
 * durable; -PRODD_E_USAGE from a callback or before prodd_start().  Since: 0.1.0.
 */
int prodd_log_sync(struct prodd *p, int timeout_ms, struct prodd_error *e);

/* ---- settings: before prodd_start() --------------------------------------------------------------------- */

/*
 * Sets the size of the ring, 1 MiB by default: a power of two from 65536 to 67108864; 0: no ring, records go over the
 * socket, and a crash loses those that are under way. The same happens, with a warning, where no memory to share can
 * be had (RLIMIT_FSIZE).
 * Threads: one at a time.  Ownership: none.
 * Returns: 0; -PRODD_E_USAGE when started already or the size is not allowed.  Since: 0.1.0.
 */
int prodd_set_log_ring(struct prodd *p, size_t bytes);

/*
 * Has a call that finds the ring full wait for room, at most `timeout_ms`, instead of dropping the record. 0: drop
 * (default). A callback never waits.
 * Threads: one at a time.  Ownership: none.
 * Returns: 0; -PRODD_E_USAGE when started already, or out of 0 .. 3600000.  Since: 0.1.0.
 */
int prodd_set_log_blocking(struct prodd *p, int timeout_ms);

/*
 * Sets the app's own level, info by default, for a target and all below it ("db" covers "db.pool"); NULL: for all. May
 * be called at any time; levels that an operator has set come before it.
 * Threads: any.  Ownership: `target` is borrowed.
 * Returns: 0; -PRODD_E_USAGE for a target over 128 bytes; -PRODD_E_OVER_LIMIT over 64 targets; -PRODD_E_NO_MEMORY.
 * Since: 0.1.0.
 */
int prodd_set_level(struct prodd *p, const char *target, enum prodd_level level);

/* ==== what the macros are made of */

#define PRODD_LOG_TEXT_(x) #x
#define PRODD_LOG_LINE_(x) PRODD_LOG_TEXT_(x)

/* The file without its path, where the compiler knows it (GCC 12, clang 9). */
#ifdef __FILE_NAME__
#define PRODD_LOG_FILE_ __FILE_NAME__
#else
#define PRODD_LOG_FILE_ __FILE__
#endif

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif

#ifndef __cplusplus
#define PRODD_LOG(p, level, message, ...) \
	__extension__({ \
		static const struct prodd_site prodd_site_ = { PRODD_TARGET, \
							       PRODD_LOG_FILE_ ":" PRODD_LOG_LINE_(__LINE__) }; \
		struct prodd *prodd_p_ = (p); \
		int prodd_r_ = 0; \
		if (__builtin_expect(prodd_logs(prodd_p_, (level)), 0)) { \
			struct prodd_field prodd_f_[] = { { NULL, 0, 0, 0 }, ##__VA_ARGS__ }; \
			prodd_r_ = prodd_log(prodd_p_, (level), &prodd_site_, (message), prodd_f_ + 1, \
					     sizeof prodd_f_ / sizeof *prodd_f_ - 1); \
		} \
		prodd_r_; \
	})
#else
#define PRODD_LOG(p, level, ...) \
	([&]() -> int { \
		static const struct prodd_site prodd_site_ = { PRODD_TARGET, \
							       PRODD_LOG_FILE_ ":" PRODD_LOG_LINE_(__LINE__) }; \
		struct prodd *prodd_p_ = (p); \
		if (!__builtin_expect(prodd_logs(prodd_p_, (level)), 0)) \
			return 0; \
		return prodd_log_with_(prodd_p_, (level), &prodd_site_, __VA_ARGS__); \
	}())

template<typename... Fields>
inline int prodd_log_with_(struct prodd *p, enum prodd_level level, const struct prodd_site *site, const char *message,
			   const Fields &...fields)
{
	const struct prodd_field all[] = { prodd_field(), fields... };

	return prodd_log(p, level, site, message, all + 1, sizeof...(fields));
}
#endif

#endif
