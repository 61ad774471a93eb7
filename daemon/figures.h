/* SPDX-License-Identifier: Apache-2.0 */
/* The subsystems' figures as rows of prodd's own metrics. Loop thread; all is of this moment. */
#ifndef PRODD_FIGURES_H
#define PRODD_FIGURES_H

#include "daemon/config/config.h"
#include "daemon/log/logs.h"
#include "daemon/metric/metric.h"
#include "daemon/metric/own.h"

void figures_of_config(struct own_sheet *sheet, const struct config *config);
void figures_of_logs(struct own_sheet *sheet, const struct logs *logs);
void figures_of_metric(struct own_sheet *sheet, const struct metric *metric);

#endif
