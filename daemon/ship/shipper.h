/* SPDX-License-Identifier: Apache-2.0 */
/* The life of a prodd-ship: told what to do by prodd, one turn after another, until it is told to end or
 * prodd has gone. */
#ifndef PRODD_SHIP_SHIPPER_H
#define PRODD_SHIP_SHIPPER_H

#include <prodd/error.h>

/* `fd`: the socket to prodd; `spool`: the directory of all spools; both borrowed. Returns 0 when it was told
 * to end, or prodd has gone; else what prodd said that it may not. */
int shipper_run(int fd, int spool, struct prodd_error *e);

#endif
