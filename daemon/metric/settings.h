/* SPDX-License-Identifier: Apache-2.0 */
/* The block metrics: of prodd.conf as plain values, defaults filled in. Read at start; changes need a restart of prodd. */
#ifndef PRODD_METRIC_SETTINGS_H
#define PRODD_METRIC_SETTINGS_H

#include <stdbool.h>

#include "proto/slice.h"
#include <prodd/error.h>

struct metric_settings {
	char listen[80];	/* address and port for HTTP; "": none */
	bool socket;		/* http.sock in the run directory */
	unsigned series;	/* most of one app */
};

/* The values of an absent prodd.conf. */
void metric_settings_default(struct metric_settings *ret);

/* Lays the entries (LIST of tree_entry) of a parsed prodd.conf over `settings`. */
int metric_settings_load(struct metric_settings *settings, struct prodd_list entries, struct prodd_error *e);

#endif
