/* SPDX-License-Identifier: Apache-2.0 */
/* Families of metrics as the program declares them, each name once. */
#ifndef PRODD_CLIENT_METRIC_FAMILY_H
#define PRODD_CLIENT_METRIC_FAMILY_H

#include "client/metric.h"

/*
 * The family as declared; `is` is borrowed, its unit is the one that was named
 * for it.  `place`: the code that declares, for messages.  What may not
 * be declared, or is in conflict with another declaration, is told, and is the dead one of its type.
 * Threads: any.  NULL: no memory.
 */
struct prodd_family *prodd_family_declare(struct prodd_metrics *m, struct segment_family *is,
					  const void *place);

/* Notes the unit of a name, for its declaration. As prodd_metric_unit(). */
int prodd_units_add(struct prodd_metrics *m, const char *name, const char *unit);

void prodd_units_clear(struct prodd_unit **units);

#endif
