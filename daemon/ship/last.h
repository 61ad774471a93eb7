/* SPDX-License-Identifier: Apache-2.0 */
/* The last line of the newest rotated file: what counts while the current one is empty or missing. */
#ifndef PRODD_SHIP_LAST_H
#define PRODD_SHIP_LAST_H

#include "daemon/ship/tail.h"

/* Sets number, check and check_time of *ret, as tail_read(); all 0 when there is no rotated file, or nobody
 * knows. -PRODD_E_IO, -PRODD_E_NO_MEMORY. */
int last_rotated(int directory, const char *file, enum line_format format, uint64_t last, struct tail *ret,
		 struct prodd_error *e);

#endif
