/* SPDX-License-Identifier: Apache-2.0 */
/* Records without a ring, and the wait for durability: log.push, log.sync. */
#ifndef PRODD_LOG_PUSH_H
#define PRODD_LOG_PUSH_H

#include "daemon/log/logs.h"

/* Handlers; take call. */
void push_call(struct logs *logs, struct call *call, const struct wire_log_push *params);
void sync_call(struct logs *logs, struct call *call, const struct wire_log_sync *params);

#endif
