/* SPDX-License-Identifier: Apache-2.0 */
/* Which files there are, by name: nothing is opened but directories. */
#ifndef PRODD_LAYERS_LIST_H
#define PRODD_LAYERS_LIST_H

#include "daemon/layers/layers.h"

/* Files and problems of `where`, in order; of a file only name, path and layer. As layers_read(). */
int layers_list(const struct layers_where *where, struct layers *ret, struct prodd_error *e);

/* Adds a problem with `path`, which is copied. 0 or -PRODD_E_NO_MEMORY. */
int layers_add_problem(struct layers *layers, const char *path, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

#endif
