/* SPDX-License-Identifier: Apache-2.0 */
/* How a ring comes in: ring.attach. */
#ifndef PRODD_LOG_ATTACH_H
#define PRODD_LOG_ATTACH_H

#include "daemon/log/logs.h"

/* Handler of ring.attach; takes call. */
void attach_call(struct logs *logs, struct call *call, const struct wire_ring_attach *params);

#endif
