/* SPDX-License-Identifier: Apache-2.0 */
/* The helper's conversation: one call `parse` in, one answer out. */
#ifndef PRODD_PARSE_SERVE_H
#define PRODD_PARSE_SERVE_H

#include <prodd/error.h>

#define SERVE_FD 3	/* the socket that prodd gives its helpers */

/* Reads the call from `fd` and answers it. Blocks. 0; -PRODD_E_CLOSED, -PRODD_E_IO, -PRODD_E_NO_MEMORY; as
 * prodd_message_open; -PRODD_E_UNSUPPORTED for another call. */
int serve_one(int fd, struct prodd_error *e);

#endif
