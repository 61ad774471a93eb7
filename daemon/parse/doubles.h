/* SPDX-License-Identifier: Apache-2.0 */
/* Names that one file sets twice. */
#ifndef PRODD_PARSE_DOUBLES_H
#define PRODD_PARSE_DOUBLES_H

#include "daemon/parse/scan.h"

/*
 * Reports each setting and group whose name comes a second time, with both lines. Such a setting is marked
 * bad; the settings of such a group count. Returns 0, also with problems, or -PRODD_E_NO_MEMORY.
 */
int doubles_report(struct scan *scan, const struct place *file, struct problems *problems);

#endif
