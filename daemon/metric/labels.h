/* SPDX-License-Identifier: Apache-2.0 */
/* Labels as they stand in the Prometheus text: app="orders",method="GET". Escaped: backslash, quote,
 * newline. */
#ifndef PRODD_METRIC_LABELS_H
#define PRODD_METRIC_LABELS_H

#include "proto/buffer.h"

/* Appends one label, after a comma unless it is the first. */
void labels_add(struct prodd_buffer *b, struct prodd_slice name, struct prodd_slice value);

#endif
