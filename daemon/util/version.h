/* SPDX-License-Identifier: Apache-2.0 */
/* What this build is: for --version of every program, and for hello. */
#ifndef PRODD_UTIL_VERSION_H
#define PRODD_UTIL_VERSION_H

extern const char version_text[];	/* "0.1.0" */

/* Program, version, commit, day of the build and its switches, on stdout. */
void version_print(const char *program);

#endif
