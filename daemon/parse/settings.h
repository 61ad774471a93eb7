/* SPDX-License-Identifier: Apache-2.0 */
/* The settings of one file, as merge_run() takes them. */
#ifndef PRODD_PARSE_SETTINGS_H
#define PRODD_PARSE_SETTINGS_H

#include "daemon/parse/scan.h"
#include "daemon/tree/merge.h"

struct settings {
	struct setting *rows;		/* owned; keys borrow from the scan, values from `values` */
	size_t count;
	struct prodd_buffer values;
};

/* All good leaves of a scan, which must outlive *ret. 0, also with problems, or -PRODD_E_NO_MEMORY. */
int settings_read(struct scan *scan, const struct place *file, struct problems *problems,
		  struct settings *ret);

void settings_clear(struct settings *settings);

#endif
