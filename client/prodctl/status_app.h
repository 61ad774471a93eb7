/* SPDX-License-Identifier: Apache-2.0 */
/* An app in status: as a row, or in full. */
#ifndef PRODCTL_STATUS_APP_H
#define PRODCTL_STATUS_APP_H

#include "client/prodctl/table.h"
#include "proto/codec.h"

/* Columns app, environment when asked for, instances, generation, state. */
void status_app_row(const struct wire_app_status *app, bool environment, struct table *table);

/* Everything: instances, overrides, directory, what runs. */
void status_app_details(const struct wire_app_status *app, struct text *to);

#endif
