/* SPDX-License-Identifier: Apache-2.0 */
/* What the kernel says of this process, for the process_* metrics that every exporter has. */
#ifndef PRODD_METRIC_PROCESS_H
#define PRODD_METRIC_PROCESS_H

#include <stdint.h>

struct process_figures {
	double cpu_s;			/* user and system */
	double resident_bytes;
	double virtual_bytes;
	double open_fds;
	double max_fds;
};

/* What cannot be read is 0. */
void process_read(struct process_figures *ret);

/* When it was started, wall clock. */
uint64_t process_start_ns(void);

#endif
