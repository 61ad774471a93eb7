/* SPDX-License-Identifier: Apache-2.0 */
/* schema.conf: "strict" and the list "keys", whose groups are declarations. */
#ifndef PRODD_PARSE_SCHEMA_FILE_H
#define PRODD_PARSE_SCHEMA_FILE_H

#include "daemon/parse/scan.h"
#include "daemon/tree/schema.h"

/*
 * Adds what the file declares to `schema`, which is empty. `name` is the file relative to the app's
 * directory, for the origin of each rule. Every mistake goes to `problems`, with its line. Returns 0,
 * also with problems, or -PRODD_E_NO_MEMORY.
 */
int schema_file_read(struct scan *scan, const struct place *file, struct prodd_slice name,
		     struct schema *schema, struct problems *problems);

#endif
