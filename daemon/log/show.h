/* SPDX-License-Identifier: Apache-2.0 */
/* What operators see of the spools: spool.show. */
#ifndef PRODD_LOG_SHOW_H
#define PRODD_LOG_SHOW_H

#include "daemon/log/logs.h"

/* Handler of spool.show; takes call. */
void show_call(struct logs *logs, struct call *call, const struct wire_spool_request *params);

#endif
