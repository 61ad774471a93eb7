/* SPDX-License-Identifier: Apache-2.0 */
/* Running the library's tests; under valgrind in one process, which looks for leaks once and not after each
 * test. */
#ifndef TESTS_UNIT_CLIENT_SUITE_H
#define TESTS_UNIT_CLIENT_SUITE_H

#include <stdbool.h>
#include <string.h>

#include "tests/unit/suite.h"

static inline bool is_under_valgrind(void)
{
	const char *preloaded = getenv("LD_PRELOAD");

	return preloaded && strstr(preloaded, "vgpreload");
}

static inline int client_suite_run(Suite *s)
{
	if (is_under_valgrind())
		setenv("CK_FORK", "no", 0);
	return suite_run(s);
}

#endif
