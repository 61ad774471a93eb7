/* SPDX-License-Identifier: Apache-2.0 */
/* The built-in schema of prodd.conf, and what is printed from the same list. */
#ifndef PRODD_PARSE_PRODD_CONF_SCHEMA_H
#define PRODD_PARSE_PRODD_CONF_SCHEMA_H

#include <stdio.h>

#include "daemon/tree/merge.h"

/* Adds every setting of prodd.conf to an empty schema. 0, or an error that is a mistake in prodd-conf.h. */
int prodd_conf_schema(struct schema *schema, struct prodd_error *e);

/* What no single rule can ask: that app blocks have names of apps, and environments names of environments. */
void prodd_conf_check(const struct merge_layer *layer, struct problems *problems);

/* The prodd.conf that is shipped: every default as a comment. */
void prodd_conf_print(FILE *out);

/* The list of settings for prodd.conf(5), in the language of scdoc(5). */
void prodd_conf_print_scd(FILE *out);

#endif
