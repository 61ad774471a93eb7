/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/log/drops.h"

static const char *const words[] = {
#define X(id, reason, help) reason,
	LOG_DROPS(X)
#undef X
};

const char *log_drop_word(enum log_drop reason)
{
	return words[reason];
}

uint64_t log_drops_all(const struct log_drops *drops)
{
	uint64_t sum = 0;

	for (int i = 0; i < LOG_DROP_COUNT; i++)
		sum += drops->count[i];
	return sum;
}
