/* SPDX-License-Identifier: Apache-2.0 */
/* What prodd-ship gives up at its start. */
#ifndef PRODD_SHIP_CONFINE_H
#define PRODD_SHIP_CONFINE_H

#include <prodd/error.h>

/*
 * It dies with prodd; gets no new privileges, no core file and no descriptors from `first` on; takes as many
 * descriptors as it may; and signals that a terminal or a service manager sends to all processes do not end
 * it, since prodd wants the rest shipped first. -PRODD_E_FAILED, -PRODD_E_CLOSED: prodd has gone.
 */
int confine_ship(unsigned first, struct prodd_error *e);

#endif
