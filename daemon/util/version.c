/* SPDX-License-Identifier: Apache-2.0 */
/* Found by configure; SOURCE_DATE_EPOCH makes the day reproducible. */
#include "daemon/util/version.h"

#include <stdio.h>

#include "config.h"

const char version_text[] = PACKAGE_VERSION;

void version_print(const char *program)
{
	printf("%s %s\ncommit %s, built %s\nfeatures %s\n", program, PACKAGE_VERSION, PRODD_GIT_HASH,
	       PRODD_BUILD_DATE, PRODD_FEATURES);
}
