/* SPDX-License-Identifier: Apache-2.0 */
/* Records that never came, or were given up: why, written once, and how many. X(ID, "reason", help). */
#ifndef PRODD_LOG_DROPS_H
#define PRODD_LOG_DROPS_H

#include <stdint.h>

#define LOG_DROPS(X) \
	X(RING_FULL, "ring_full", "The app's ring was full: prodd did not keep up, or was away.") \
	X(TOO_LARGE, "too_large", "A record was over an eighth of its ring, or over 1 MiB.") \
	X(BLOCKED, "blocked", "The app waited for room in its ring as long as it wanted to.") \
	X(SENDER, "sender", "The app had no ring, and dropped before it sent.") \
	X(DAMAGED, "damaged", "Bytes that are no record.") \
	X(UNPUBLISHED, "unpublished", "Records that a process had begun to write when it died.") \
	X(RATE, "rate", "Over log.rate.") \
	X(SPOOL_FULL, "spool_full", "The spool was full, and log.full is drop_newest.") \
	X(OLDEST, "oldest", "Removed from a full spool before every sink had them.") \
	X(ALLOWANCE, "allowance", "A sink was so far behind that it had to skip them; other sinks got them.")

enum log_drop {
#define X(id, reason, help) LOG_DROP_##id,
	LOG_DROPS(X)
#undef X
	LOG_DROP_COUNT
};

/* Since the daemon's start. */
struct log_drops {
	uint64_t count[LOG_DROP_COUNT];
	uint64_t told[LOG_DROP_COUNT];		/* of these, in records of the stream itself */
};

const char *log_drop_word(enum log_drop reason);
uint64_t log_drops_all(const struct log_drops *drops);

#endif
