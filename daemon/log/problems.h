/* SPDX-License-Identifier: Apache-2.0 */
/* What of the logs needs a person, and their figures: for status. */
#ifndef PRODD_LOG_PROBLEMS_H
#define PRODD_LOG_PROBLEMS_H

#include "daemon/core/problems.h"
#include "daemon/log/logs.h"

/* Members of logs.status. */
void logs_status_problems(struct status_part *part, struct prodd_slice app, struct problems_found *found);
void logs_status_app(struct status_part *part, const char *app, struct wire_app_status *row);
void logs_status_whole(struct status_part *part, struct wire_status *status);

#endif
