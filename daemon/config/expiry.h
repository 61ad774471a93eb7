/* SPDX-License-Identifier: Apache-2.0 */
/* What ends by itself: overrides with a lifetime, and changes that nobody confirmed. */
#ifndef PRODD_CONFIG_EXPIRY_H
#define PRODD_CONFIG_EXPIRY_H

#include "daemon/config/config.h"

int expiry_init(struct config *config, struct prodd_error *e);

/* Arms the timer for whatever ends next; what is over already ends in the next turn. */
void expiry_plan(struct config *config);

#endif
