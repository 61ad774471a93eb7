/* SPDX-License-Identifier: Apache-2.0 */
/* An instance's part in a transaction, in words. */
#ifndef PRODCTL_REPORT_INSTANCE_H
#define PRODCTL_REPORT_INSTANCE_H

#include "client/prodctl/text.h"
#include "proto/codec.h"

/* A line for each instance of the report: "  orders/8081  rejected: ...". */
void report_instances(const struct wire_report *r, struct text *to);

/* "server.port 8080, log.level info" of a list of kept_key, into `ret`, cut when it is long. */
void report_kept(struct prodd_list kept, char *ret, size_t size);

#endif
