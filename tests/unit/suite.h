/* SPDX-License-Identifier: Apache-2.0 */
/* What every unit test needs besides check: a main's body, and tests/dice.h. */
#ifndef PRODD_TESTS_SUITE_H
#define PRODD_TESTS_SUITE_H

#include <check.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "tests/dice.h"

/* For what valgrind cannot do. */
static inline bool suite_under_valgrind(void)
{
	const char *preloaded = getenv("LD_PRELOAD");

	return preloaded && strstr(preloaded, "valgrind");
}

/* qemu-user has no seccomp filters and gives no pages back; programs for it are static, and know no names of places. */
static inline bool suite_is_emulated(void)
{
	return getenv("PRODD_EMULATED");
}

/* Runs all tests of `s`, frees it, and returns the exit status. */
static inline int suite_run(Suite *s)
{
	SRunner *runner = srunner_create(s);
	int failed;

	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed > 0;
}

#endif
