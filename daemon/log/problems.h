/* SPDX-License-Identifier: Apache-2.0 */
/* What of the logs needs a person: for status. */
#ifndef PRODD_LOG_PROBLEMS_H
#define PRODD_LOG_PROBLEMS_H

#include "daemon/core/problems.h"
#include "daemon/log/logs.h"

/* Of all apps and sinks; `app` not empty: of that one alone. */
void logs_problems(const struct logs *logs, struct prodd_slice app, struct problems_found *found);

#endif
